import MartletCLI
import Testing

@Suite("A plot tells the truth in few dots") struct PlotTests {
    private func ramp(_ name: String, _ values: [Double]) -> LinePlot.Series {
        .init(name, values.enumerated().map { .init(Double($0), $1) })
    }

    @Test("a straight line is straight")
    func straight() {
        #expect(
            LinePlot([ramp("loss", (0...20).map { 1 - Double($0) / 20 })]).rendered(width: 40, height: 9) == """
                 1.0 ┤⠉⠒⠢⠤⢄⡀
                     │     ⠈⠑⠢⠤⢄⣀
                 0.5 ┤           ⠉⠑⠒⠢⠤⣀⡀
                     │                 ⠈⠑⠢⠤⣀⣀
                     │                       ⠉⠑⠒⠤⢄⡀
                 0.0 ┤                            ⠈⠑⠒⠤⠤⣀
                     └┬────────────────┬───────────────┬
                step  0               10              20
                loss  last 0  min 0  max 1

                """)
    }

    @Test("many curves carry letters, gaps carry crosses")
    func many() {
        let up = ramp("train/accuracy", (0..<30).map { $0 == 10 ? .nan : Double($0) })
        let down = ramp("val/accuracy", (0..<30).map { 29 - Double($0) })
        #expect(
            LinePlot([up, down]).rendered(width: 50, height: 12) == """
                     │⠉⠒⠢⠤⣀                               ⢀⣀⠤⠔⠒⠉ A
                     │     ⠉⠑⠒⠤⢄⡀                    ⢀⡠⠤⠒⠊⠁
                  20 ┤          ⠈⠑⠢⠤⣀           ⢀⣀⠤⠔⠊⠁
                     │               ⠉⠑⠒⠤⢄⣀⣀⡠⠤⠒⠊⠁
                     │               ⢀⡠⠤⠒⠊⠉⠉⠑⠒⠤⢄⡀
                  10 ┤          ⢀⡠⠔⠂            ⠈⠉⠒⠢⢄⡀
                     │     ⣀⡠⠤⠒⠊⠁                    ⠈⠑⠒⠤⢄⡀
                   0 ┤⣀⠤⠔⠒⠉                               ⠈⠉⠒⠢⠤⣀ B
                     └┬─────────────×─────────────┬─────────────
                step  0            10            20
                A train…racy  last 29  min 0  max 29  × 1 left out
                B val/a…racy  last 0  min 0  max 29

                """)
    }

    @Test("on a logarithmic axis decades are evenly spaced, and what is not above zero is a gap")
    func logarithmic() {
        let series = ramp("lr", [100, 10, 1, 0, 0.1, 0.01])
        #expect(
            LinePlot([series], isLogY: true).rendered(width: 40, height: 10) == """
                 100 ┤⠑⠢⢄⡀
                     │   ⠈⠑⠢⢄⡀
                     │       ⠈⠑⠢⠤⣀
                   1 ┤            ⠉⠒
                     │
                     │                           ⠑⠢⢄⡀
                0.01 ┤                              ⠈⠑⠢⢄
                     └┬────────────┬──────×──────┬──────
                step  0            2             4
                lr  last 0.01  min 0.01  max 100  × 1 l…

                """)
    }

    @Test("one spike among a million points is seen, in its place and at its height")
    func spike() {
        var values = [Double](repeating: 0, count: 200_000)
        values[150_000] = 1
        let lines = LinePlot([ramp("loss", values)]).rendered(width: 60, height: 10).split(separator: "\n")
        let top = Array(lines[0])
        let curve = top.firstIndex { $0 == "┤" || $0 == "│" }!
        let spike = top.indices.filter { $0 > curve && top[$0] != " " }
        #expect(spike.count == 1)
        #expect(abs(Double(spike[0] - curve) / Double(60 - curve) - 0.75) < 0.03)
    }

    @Test("in any size the plot fits, whatever the values")
    func sizes() {
        let odd: [Double] = [
            .nan, .infinity, -.infinity, 0, -0.0, 5e-300, -1.7e308, 1.7e308, 1, 1e-9, .leastNonzeroMagnitude,
        ]
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Seeded(state: seed)
        for round in 0..<300 {
            let series = (0..<Int.random(in: 0...9, using: &random)).map { place in
                LinePlot.Series(
                    "s\(place)\u{1B}漢",
                    (0..<Int.random(in: 0...12, using: &random)).map { _ in
                        .init(
                            odd[Int.random(in: 0..<odd.count, using: &random)],
                            odd[Int.random(in: 0..<odd.count, using: &random)])
                    })
            }
            let (width, height) = (Int.random(in: 24...120, using: &random), Int.random(in: 6...40, using: &random))
            let text = LinePlot(series, isLogY: round % 2 == 0).rendered(width: width, height: height)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            #expect(lines.count <= height, "seed \(seed)")
            for line in lines where lines.count > 1 {
                #expect(DisplayWidth.of(String(line)) <= width, "seed \(seed): \(line)")
            }
            #expect(!text.unicodeScalars.contains("\u{1B}"), "seed \(seed)")
        }
    }

    @Test("axes have round numbers")
    func ticks() {
        func labels(_ low: Double, _ high: Double) -> [String] {
            let text = LinePlot([ramp("x", [low, high])]).rendered(width: 60, height: 18)
            return text.split(separator: "\n").filter { $0.contains("┤") }
                .map { String($0.prefix { $0 != "┤" }).filter { $0 != " " } }
        }
        #expect(labels(0, 1) == ["1.0", "0.8", "0.6", "0.4", "0.2", "0.0"])
        #expect(labels(-3, 17) == ["15", "10", "5", "0"])
        #expect(labels(0.00012, 0.00051).contains("0.0003"))
        #expect(labels(7, 7).contains("7.0"))
    }

    @Test("nothing to plot is said")
    func empty() {
        #expect(LinePlot([]).rendered(width: 50, height: 10) == "Nothing to plot: there is no finite value.\n")
        #expect(
            LinePlot([ramp("x", [-1, 0])], isLogY: true).rendered(width: 50, height: 10)
                == "Nothing to plot: there is no finite value above zero.\n")
    }

    @Test("a sparkline shows the shape in one line")
    func sparkline() {
        #expect(Sparkline.text([0, 1, 2, 3, 4, 5, 6, 7], width: 20) == "▁▂▃▄▅▆▇█")
        #expect(Sparkline.text([0, 0, 7, 7], width: 2) == "▁█")
        #expect(Sparkline.text([1, .nan, 1, .infinity], width: 4) == "▄ ▄ ")
        #expect(Sparkline.text([.nan], width: 4) == " ")
        #expect(Sparkline.text([-1.7e308, 1.7e308, 0], width: 3) == "▁█▅")
        #expect(Sparkline.text((0..<1000).map(Double.init), width: 12).count == 12)
        #expect(Sparkline.text([], width: 5) == "" && Sparkline.text([1], width: 0) == "")
    }
}

@Suite("The terminal is asked, never assumed") struct TerminalTests {
    @Test("colours need a terminal, unless someone says otherwise")
    func colours() {
        func isOn(_ environment: [String: String], _ isTerminal: Bool, _ choice: ColourChoice = .automatic) -> Bool {
            choice.isOn(environment: environment, isTerminal: isTerminal)
        }
        #expect(isOn([:], true) && !isOn([:], false))
        #expect(!isOn(["NO_COLOR": "1"], true) && isOn(["NO_COLOR": ""], true))
        #expect(isOn(["CLICOLOR_FORCE": "1"], false) && !isOn(["CLICOLOR_FORCE": "0"], false))
        #expect(!isOn(["CLICOLOR_FORCE": "1", "NO_COLOR": "1"], true))
        #expect(!isOn(["TERM": "dumb"], true) && !isOn(["CLICOLOR": "0"], true))
        #expect(isOn(["NO_COLOR": "1"], false, .always) && !isOn([:], true, .never))
    }

    @Test("COLUMNS wins over the window; a pipe has no width to fit")
    func widths() {
        #expect(RecordedTerminal(columns: 70).fittingWidth(of: .output) == 70)
        #expect(RecordedTerminal(columns: 70, environment: ["COLUMNS": "50"]).fittingWidth(of: .output) == 50)
        #expect(RecordedTerminal(columns: 70, environment: ["COLUMNS": "wide"]).fittingWidth(of: .output) == 70)
        #expect(RecordedTerminal().fittingWidth(of: .output) == nil)
        #expect(RecordedTerminal().width(of: .output) == 80)
        #expect(RecordedTerminal(columns: 0).fittingWidth(of: .output) == 80)
    }

    @Test("the process's own environment is read") func environment() {
        #expect(SystemTerminal().environment["PATH"]?.isEmpty == false)
    }
}
