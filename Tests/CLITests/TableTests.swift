import MartletCLI
import Testing

@Suite("A table shows what fits and says what does not") struct TableTests {
    /// The layout that people know from the tracker's first example: right-aligned, four decimals, a rule of dashes.
    @Test("the table of all runs is reproduced character for character")
    func allRuns() {
        let widths = [8, 8, 6, 6, 6, 10, 10, 8, 8]
        let titles = ["Run", "Algo", "LR", "Lam", "Iter", "Train MSE", "Test MSE", "Test R2", "Status"]
        var table = Table(zip(titles, widths).map { .text($0, .right, widthMin: $1) }, gap: 1)
        let runs: [(String, String, Double, Double, Double, Double, Double, Double)] = [
            ("run_01", "LinReg", 0.01, 0, 500, 0.208422, 0.237527, 0.913230),
            ("run_02", "LinReg", 0.001, 0, 1000, 0.5597, 0.7506, 0.7258),
            ("run_03", "Ridge", 0.01, 0.01, 500, 0.2094, 0.2381, 0.9130),
            ("run_04", "Ridge", 0.01, 0.1, 500, 0.2337, 0.2676, 0.9022),
            ("run_05", "Ridge", 0.01, 1, 500, 0.7759, 1.0239, 0.6260),
            ("run_06", "Ridge", 0.01, 10, 500, 1.8885, 2.5084, 0.0837),
            ("run_07", "Ridge", 0.001, 0.1, 1000, 0.6000, 0.8047, 0.7060),
            ("run_08", "Ridge", 0.001, 1, 1000, 0.9345, 1.2530, 0.5423),
        ]
        for run in runs {
            table.add(
                run.0, run.1, NumberText.compact(run.2), NumberText.compact(run.3), NumberText.compact(run.4),
                NumberText.fixed(run.5), NumberText.fixed(run.6), NumberText.fixed(run.7), "done")
        }
        #expect(
            Heading.bars("All Experiment Runs") + "\n" + table.rendered(width: 80) == """
                === All Experiment Runs ===

                     Run     Algo     LR    Lam   Iter  Train MSE   Test MSE  Test R2   Status
                ------------------------------------------------------------------------------
                  run_01   LinReg   0.01      0    500     0.2084     0.2375   0.9132     done
                  run_02   LinReg  0.001      0   1000     0.5597     0.7506   0.7258     done
                  run_03    Ridge   0.01   0.01    500     0.2094     0.2381   0.9130     done
                  run_04    Ridge   0.01    0.1    500     0.2337     0.2676   0.9022     done
                  run_05    Ridge   0.01      1    500     0.7759     1.0239   0.6260     done
                  run_06    Ridge   0.01     10    500     1.8885     2.5084   0.0837     done
                  run_07    Ridge  0.001    0.1   1000     0.6000     0.8047   0.7060     done
                  run_08    Ridge  0.001      1   1000     0.9345     1.2530   0.5423     done

                """)
    }

    private func wideTable() -> Table {
        var table = Table([
            .text("Run", priority: 2), .text("Name"), .number("Accuracy", priority: 1),
            .text("Path", truncation: .middle), .text("Started"),
        ])
        table.add("run_01", "a name that goes on and on", "0.123456789", "checkpoints/epoch=3/best.pt", "3 min ago")
        table.add("run_02", "漢字", nil, "last.pt", "just now")
        return table
    }

    @Test("without a width nothing is cut")
    func unlimited() {
        #expect(
            wideTable().rendered() == """
                Run     Name                           Accuracy  Path                         Started
                ---------------------------------------------------------------------------------------
                run_01  a name that goes on and on  0.123456789  checkpoints/epoch=3/best.pt  3 min ago
                run_02  漢字                                  -  last.pt                      just now

                """)
    }

    @Test("long texts are cut first, then the least important columns leave and are counted")
    func squeezed() {
        #expect(
            wideTable().rendered(width: 66) == """
                Run     Name                 Accuracy  Path              Started
                ------------------------------------------------------------------
                run_01  a name that goe…  0.123456789  checkpoi…best.pt  3 min ago
                run_02  漢字                        -  last.pt           just now

                """)
        #expect(
            wideTable().rendered(width: 40) == """
                Run     Name                    Accuracy
                ----------------------------------------
                run_01  a name that goes o…  0.123456789
                run_02  漢字                           -
                (+2 columns: --wide)

                """)
    }

    @Test("in any width no line is wider, no number is cut, and every column is shown or counted")
    func everyWidth() {
        let table = wideTable()
        for width in 1...100 {
            let lines = table.rendered(width: width).split(separator: "\n").map(String.init)
            let note = lines.first { $0.hasPrefix("(+") }
            for line in lines where line != note {
                #expect(DisplayWidth.of(line) <= width, "width \(width): \(line)")
            }
            let leftOut = note.flatMap { Int($0.dropFirst(2).prefix { $0.isNumber }) } ?? 0
            // Of the five columns the first stays however narrow the window.
            #expect((0...4).contains(leftOut))
            if width >= 19 { #expect(lines[2].contains("0.123456789"), "width \(width)") }
            if width < 19 { #expect(leftOut == 4, "width \(width)") }
        }
    }

    @Test("strangers' text cannot leave its cell")
    func escaped() {
        var table = Table([.text("Name\u{7}"), .text("Note")])
        table.add("a\nb\u{1B}[31m\u{202E}", "x")
        #expect(
            table.rendered() == """
                Name\\u{7}               Note
                ----------------------------
                a\\nb\\u{1b}[31m\\u{202e}  x

                """)
        var random = Seeded(state: UInt64.random(in: 0...UInt64.max))
        let seed = random.state
        for _ in 0..<200 {
            let text = String(
                decoding: (0..<30).map { _ in UInt8.random(in: 0...255, using: &random) }, as: UTF8.self)
            var table = Table([.text("A"), .text("B", truncation: .middle)])
            table.add(text, text)
            for line in table.rendered(width: 20).split(separator: "\n") {
                #expect(DisplayWidth.of(String(line)) <= 20, "seed \(seed)")
                #expect(!line.unicodeScalars.contains { $0.value < 32 || $0.value == 0x202E }, "seed \(seed)")
            }
        }
    }

    @Test("colours surround the text and do not count as width")
    func colours() {
        var table = Table([.text("State"), .text("Name")])
        table.add([.init("done", .green), .missing])
        #expect(
            table.rendered(width: 20, paint: Paint(isOn: true)) == "\u{1B}[1mState\u{1B}[0m  \u{1B}[1mName\u{1B}[0m\n"
                + "\u{1B}[2m-----------\u{1B}[0m\n\u{1B}[32mdone\u{1B}[0m   \u{1B}[2m-\u{1B}[0m\n")
    }

    @Test("CSV quotes as RFC 4180 says, keeps every digit, and holds no formulas")
    func csv() {
        var table = Table([.text("name"), .number("value"), .text("note")])
        table.add([.init("a, \"b\""), .init("0.2084", exact: "0.208422"), .init("two\nlines")])
        table.add([.init("=SUM(A1)"), .init("-3"), .missing])
        table.add([.init("@x"), .init("-Infinity"), .init("+1+1")])
        table.add([.init("-cmd|' /C calc'!A0"), .init("+1.5e3"), .init("")])
        #expect(
            table.csv()
                == "name,value,note\r\n\"a, \"\"b\"\"\",0.208422,\"two\nlines\"\r\n'=SUM(A1),-3,\r\n'@x,-Infinity,'+1+1\r\n"
                + "'-cmd|' /C calc'!A0,+1.5e3,\r\n")
        #expect(CSV.field("\t=1") == "'\t=1")
        #expect(CSV.field("\r\n=1") == "\"'\r\n=1\"")
    }
}
