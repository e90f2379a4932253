import MartletSearch
import Testing

@Suite("A question in words") struct QuestionTests {
    let names = KnownNames {
        switch $0 {
        case .metric: ["val_accuracy", "test_acc", "test_loss", "train_loss", "val_accuracy_top5", "ms", "f1"]
        case .param: ["algorithm", "learning_rate", "lambda", "f1"]
        case .tag: ["team", "val-set"]
        }
    }

    private func ask(_ text: String) throws -> Question { try Question.parse(text, names: names) }
    private func filter(_ text: String) throws -> Filter { try Query.parse(text).filter }

    @Test("the three sentences of the kata")
    func kata() throws {
        #expect(
            try ask("Best val_accuracy where algorithm=Ridge").kind
                == .best(metric: .metric("val_accuracy"), mode: nil, filter: filter("params.algorithm = 'Ridge'")))
        #expect(
            try ask("All runs where test_acc > 0.83").kind
                == .all(filter: filter("metrics.test_acc > 0.83"), order: [], limit: nil))
        #expect(try ask("Compare run_02 vs run_03").kind == .compare(["run_02", "run_03"]))
    }

    @Test("the best run of the kata's table under Ridge is run_03, and run_03 and run_05 are above 0.83")
    func kataTable() throws {
        let rows: [(String, String, Double, Double)] = [
            ("run_01", "Linear", 0.81, 0.80), ("run_02", "Ridge", 0.84, 0.83), ("run_03", "Ridge", 0.85, 0.84),
            ("run_04", "Ridge", 0.70, 0.70), ("run_05", "Lasso", 0.90, 0.86),
        ]
        let runs = rows.map {
            Sample(
                $0.0,
                [
                    .param("algorithm"): .text($0.1), .metric("val_accuracy"): .number($0.2),
                    .metric("test_acc"): .number($0.3),
                ])
        }
        guard case .best(let metric, _, let filter) = try ask("best val_accuracy where algorithm=Ridge").kind else {
            Issue.record("not a question for the best")
            return
        }
        let best = Query(filter: filter, order: [OrderTerm(metric, descending: true)], limit: 1)
        #expect(try best.select(from: runs, context: tests).documents.map(\.id) == ["run_03"])
        guard case .all(let above, _, _) = try ask("All runs where test_acc > 0.83").kind else { return }
        #expect(
            try Query(filter: above, order: [OrderTerm(.attribute(.id))]).select(from: runs, context: tests)
                .documents.map(\.id) == ["run_03", "run_05"])
    }

    @Test("other words for the same questions")
    func otherWords() throws {
        let best = try ask("best val_accuracy").kind
        #expect(try ask("Which run has the best val_accuracy?").kind == best)
        #expect(try ask("best run by metrics.val_accuracy").kind == best)
        #expect(
            try ask("lowest test_loss").kind == .best(metric: .metric("test_loss"), mode: .min, filter: .everything))
        let two = try filter("params.algorithm = 'Ridge' AND params.learning_rate = 0.01")
        #expect(
            try ask("highest test_acc with algorithm=Ridge, learning_rate=0.01").kind
                == .best(metric: .metric("test_acc"), mode: .max, filter: two))
        #expect(try ask("runs where algorithm is Ridge and lr = 0.01").kind == .all(filter: two, order: [], limit: nil))
        #expect(try ask("all runs").kind == .all(filter: .everything, order: [], limit: nil))
        #expect(
            try ask("show all runs where state = done order by test_acc desc limit 3").kind
                == .all(
                    filter: filter("state = 'done'"), order: [OrderTerm(.metric("test_acc"), descending: true)],
                    limit: 3))
        #expect(
            try ask("runs where started > now-21d").kind
                == .all(filter: filter("started > ago(21d)"), order: [], limit: nil))
        #expect(
            try ask("runs where val-set = a-1.2").kind
                == .all(filter: filter("tags.val-set = 'a-1.2'"), order: [], limit: nil))
        #expect(
            try ask("compare run_01, run_02 and laptop/run_03").kind == .compare(["run_01", "run_02", "laptop/run_03"]))
        #expect(try ask("compare run_01 vs. run_02").kind == .compare(["run_01", "run_02"]))
        #expect(try ask("compare run-1 to the run 'a b'").kind == .compare(["run-1", "a b"]))
    }

    @Test(
        "a short name stands for the one name it can mean, and the answer says which",
        arguments: [
            ("val_acc", "val_accuracy"), ("val_accuracy", "val_accuracy"), ("Val-Accuracy", "val_accuracy"),
            ("train", "train_loss"), ("te_loss", "test_loss"), ("tl", ""), ("ms", "ms"), ("val", ""), ("test", ""),
            ("test_accuracy", ""),
        ])
    func shortNames(_ asked: String, _ meant: String) throws {
        if meant.isEmpty {
            #expect(throws: SearchError.self) { try ask("best \(asked)") }
        } else {
            let question = try ask("best \(asked)")
            #expect(question.kind == .best(metric: .metric(meant), mode: nil, filter: .everything))
            #expect(question.taken.map(\.asked) == (asked == meant ? [] : [asked]))
        }
    }

    @Test("what could be two things is refused with both names")
    func ambiguous() throws {
        let error = #expect(throws: SearchError.self) { try ask("best val") }
        #expect(error?.code == .ambiguous)
        #expect(error?.message == "“val” could be “metrics.val_accuracy” or “metrics.val_accuracy_top5” at column 6.")
        let both = #expect(throws: SearchError.self) { try ask("all runs where f1 > 0.5") }
        #expect(both?.message.contains("“metrics.f1” or “params.f1”") == true)
        #expect(throws: Never.self) { try ask("best f1") }
    }

    @Test(
        "what is not a question is answered with examples and a column",
        arguments: [
            ("", 1), ("hello", 1), ("best", 5), ("best val_accuracy because", 19), ("compare run_01", 15),
            ("compare", 8),
            ("all runs where", 15), ("best nothing_like_it", 6), ("all runs where accurracy > 1", 16),
            ("best params.f1", 6),
        ])
    func refused(_ text: String, _ column: Int) throws {
        let error = #expect(throws: SearchError.self) { try ask(text) }
        #expect(error?.column == column, "\(String(describing: error))")
    }
}
