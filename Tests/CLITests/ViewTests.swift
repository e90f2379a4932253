import MartletCLI
import Testing

@Suite("One thing in full, and several side by side") struct ViewTests {
    @Test("the report of a best run is reproduced character for character")
    func bestRun() {
        var details = Details()
        details.value("Run ID", "run_01")
        details.heading("Parameters")
        for (name, value) in [("algorithm", "LinReg"), ("learning_rate", "0.01"), ("lambda", "0"), ("n_iter", "500")] {
            details.value(name, value)
        }
        details.heading("Metrics")
        let metrics = [
            ("train_mse", 0.208422), ("test_mse", 0.237527), ("train_r2", 0.905399), ("test_r2", 0.91323),
            ("weight_norm", 1.493178),
        ]
        for (name, value) in metrics { details.value(name, NumberText.fixed(value, decimals: 6)) }
        #expect(
            Heading.bars("Best Run (by test R2)") + "\n" + details.rendered(.colons) == """
                === Best Run (by test R2) ===

                Run ID: run_01
                Parameters:
                  algorithm: LinReg
                  learning_rate: 0.01
                  lambda: 0
                  n_iter: 500
                Metrics:
                  train_mse: 0.208422
                  test_mse: 0.237527
                  train_r2: 0.905399
                  test_r2: 0.913230
                  weight_norm: 1.493178

                """)
    }

    @Test("values stand under one another, and long ones go on below")
    func aligned() {
        var details = Details()
        details.value("Run", "run_01")
        details.value("Note", "words that do not fit into one line of this window")
        details.value("Commit", nil)
        details.heading("Params")
        details.value("lr", "0.1\u{1B}[2J")
        #expect(
            details.rendered(width: 32) == """
                Run     run_01
                Note    words that do not fit
                        into one line of this
                        window
                Commit  -

                Params
                  lr      0.1\\u{1b}[2J

                """)
    }

    private let comparison = RunComparison(
        runs: ["run_01", "run_02", "run_03"],
        params: [
            .init("lr", ["0.01", "0.001", nil]), .init("seed", ["1", "1", "1"]),
            .init("algo", ["LinReg", "LinReg", "Ridge"]),
        ],
        metrics: [
            .init("train_mse", [0.208422, 0.5597, 1.8885], goal: .minimize),
            .init("test_r2", [0.9132, .nan], goal: .maximize),
            .init("epochs", [500, nil, 1000]),
        ])

    @Test("a comparison of many runs shows the params that differ, and each metric's distance to the first")
    func compared() {
        #expect(
            comparison.rendered() == """
                Params that differ

                  Param  run_01  run_02  run_03
                  -----------------------------
                  lr       0.01   0.001       -
                  algo   LinReg  LinReg   Ridge
                (+1 param the same in all: --all)

                Metrics

                  Metric      run_01             run_02            run_03
                  -------------------------------------------------------
                  train_mse  0.2084*  0.5597  (+0.3513)  1.889    (+1.68)
                  test_r2     0.9132                NaN                 -
                  epochs         500                  -       1000 (+500)
                * best

                """)
        #expect(comparison.rendered(showsAll: true).contains("\n  seed        1       1       1\n"))
    }

    @Test("runs that do not fit leave before the names and the first run")
    func narrow() {
        let text = comparison.rendered(width: 40)
        #expect(text.contains("  Metric      run_01             run_02\n"))
        #expect(text.contains("(+1 column: --wide)"))
        for line in text.split(separator: "\n") { #expect(DisplayWidth.of(String(line)) <= 40) }
    }

    @Test("runs without differences, params or metrics are said to be so")
    func nothing() {
        let same = RunComparison(runs: ["a", "b"], params: [.init("lr", ["1", "1"])], metrics: [])
        #expect(same.rendered() == "No param differs.\n(+1 param the same in all: --all)\n\nNo metrics.\n")
        #expect(RunComparison(runs: [], params: [], metrics: []).rendered() == "No params.\n\nNo metrics.\n")
    }
}

@Suite("Long work says how far it is") struct ProgressTests {
    private func bar(_ mode: ProgressBar.Mode, total: Int64? = 1000) -> ProgressBar {
        ProgressBar("Import", total: total, unit: .count("runs"), mode: mode, start: 100)
    }

    @Test("a bar shows share, rate and time left, and clears its line")
    func line() {
        var bar = bar(.line(width: 80))
        #expect(bar.update(done: 10, now: 100.4) == nil)
        #expect(
            bar.update(done: 250, now: 110)
                == "\rImport  █████▌                  25%  250 of 1,000 runs, 25/s, 30 s left\u{1B}[K")
        #expect(bar.update(done: 260, now: 110.05) == nil)
        #expect(bar.update(done: 999, now: 111)?.contains(" 99%  999 of 1,000 runs, 90/s, 1 s left") == true)
        #expect(bar.finish(done: 1000, now: 112) == "\r\u{1B}[K")
    }

    @Test("work that is over at once leaves no trace")
    func brief() {
        var bar = bar(.line(width: 80))
        #expect(bar.update(done: 1000, now: 100.1) == nil)
        #expect(bar.finish(done: 1000, now: 100.2) == nil)
    }

    @Test("in a log it is a line now and then, and one at the end")
    func log() {
        var bar = bar(.log)
        #expect(bar.update(done: 100, now: 105) == nil)
        #expect(bar.update(done: 200, now: 110) == "Import: 20%, 200 of 1,000 runs, 20/s, 40 s left\n")
        #expect(bar.update(done: 300, now: 115) == nil)
        #expect(bar.finish(done: 1000, now: 150) == "Import: 1,000 runs in 50 s\n")
    }

    @Test("quiet is silent, a pipe gets a log, a window a bar")
    func modes() {
        var bar = bar(.silent)
        #expect(bar.update(done: 1, now: 1000) == nil && bar.finish(done: 1, now: 1000) == nil)
        #expect(ProgressBar.mode(in: RecordedTerminal(columns: 70), isQuiet: false) == .line(width: 70))
        #expect(ProgressBar.mode(in: RecordedTerminal(), isQuiet: false) == .log)
        #expect(ProgressBar.mode(in: RecordedTerminal(columns: 70), isQuiet: true) == .silent)
    }

    @Test("no line is ever as wide as the window, whatever is counted")
    func widths() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Seeded(state: seed)
        for width in 1...120 {
            for unit in [ProgressBar.Unit.bytes, .count(""), .count("漢字\u{1B}")] {
                var bar = ProgressBar(
                    "Töne 漢\u{7}", total: Bool.random(using: &random) ? Int64.max : nil, unit: unit,
                    mode: .line(width: width), start: 0)
                let done = Int64.random(in: -5...Int64.max, using: &random)
                guard let text = bar.update(done: done, now: 1e-3 * Double(width) + 1) else { continue }
                let shown = String(text.dropFirst().dropLast(3))
                #expect(DisplayWidth.of(shown) < max(2, width), "seed \(seed): \(shown)")
            }
        }
    }
}
