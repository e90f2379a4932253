import MartletClient
import MartletHTTPMessages
import MartletJSON

extension World {
    var ask: Command {
        command(
            "ask", "Ask for the best runs, for all that, or for a comparison, in words",
            discussion: """
                Three sentences are understood: best METRIC where …, all runs where …, compare RUN vs RUN. Names may be \
                shortened (val_acc) and words need no quotes; what a short name was taken for is said.
                """,
            arguments: [Argument("question", "The question, in one word or many", count: .rest)],
            options: [Shared.experiment, Shared.json, Shared.csv, Shared.wide],
            examples: [
                Example("martlet ask \"best val_accuracy where algorithm=Ridge\""),
                Example("martlet ask \"all runs where test_acc > 0.83\""),
                Example("martlet ask \"compare run_02 vs run_03\""),
            ]
        ) { session in
            try session.answer(session.parsed.all("question").joined(separator: " "))
        }
    }
}

extension Session {
    func answer(_ question: String) throws(CommandFailure) -> ExitCode {
        let experiment = parsed.text("experiment")
        var body = JSONObject()
        body["question"] = .string(question)
        if let experiment { body["experiment"] = .string(experiment) }
        let answer = try api.send(.post, ["ask"], [], .object(body))
        if parsed.isOn("json") {
            writeJSON(answer)
            return .good
        }
        for taken in answer["taken"]?.array ?? [] { note(Escape.text(taken.string ?? "")) }
        let runs = (answer["runs"]?.array ?? []).map(RunRecord.init)
        switch answer["kind"]?.string {
        case "compare": return try showComparison(runs)
        case "best" where !parsed.isOn("csv"):
            for run in runs { line(sentence(for: run, answer["metric"]?.string ?? "", experiment)) }
            if answer["mode_guessed"]?.bool == true {
                let isMore = answer["mode"]?.string == "max"
                note("\(isMore ? "More" : "Less") is taken to be better by the metric's name.")
            }
            return .good
        default:
            let isWide = parsed.isOn("wide") || parsed.isOn("csv")
            let table = RunTable(runs, showsExperiment: Set(runs.map(\.experiment)).count > 1, isWide: isWide)
            show(table.table(), json: .null, empty: "No run was found.")
            return runs.isEmpty ? .no : .good
        }
    }

    /// `run_03: val_accuracy 0.85 (algorithm=Ridge, learning_rate=0.001)`
    private func sentence(for run: RunRecord, _ metric: String, _ experiment: String?) -> String {
        let params = run.paramNames.prefix(6).map { "\($0)=\(run.param($0).map(Numbers.text) ?? "-")" }
        let place = experiment == nil ? " of \(run.experiment)" : ""
        let value = run.metric(metric).map { " \(NumberText.compact($0))" } ?? ""
        let hint = params.isEmpty ? "" : " (\(params.joined(separator: ", ")))"
        return paint(run.shown, .bold) + Escape.text("\(place): \(metric)\(value)\(hint)")
    }
}
