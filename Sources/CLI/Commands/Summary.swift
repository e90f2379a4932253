import MartletClient
import MartletDomain
import MartletJSON

extension World {
    var summary: Command {
        command(
            "summary", "Say what came of an experiment, in lines for scripts",
            discussion: """
                Prints key=value lines. n_runs and n_experiments both count the runs: a lab notebook calls a run an \
                experiment. With --call NAME each line is a call: NAME("best_run_id", "run_01").
                """,
            arguments: [Shared.experimentArgument()],
            options: [
                Option("metric", short: "m", value: "NAME", "The metric that decides; else each one", repeats: true),
                Option("goal", value: "GOAL", "Which way is better", choices: ["max", "min"]),
                Option("decimals", value: "N", "Decimals of metrics", shape: .integer(0...15), standard: "4"),
                Option("call", value: "NAME", "Print each line as a call of this name"), Shared.json,
            ],
            examples: [Example("martlet summary ridge_regression_tuning --metric test_r2")]
        ) { session in
            let reference = session.parsed.text("experiment") ?? ""
            let experiment = try session.experiment(reference)
            let runs = try session.runs(of: reference, filter: nil, limit: nil).runs
            var lines: [(key: String, value: JSONValue)] = [
                ("experiment", experiment["name"] ?? .string(reference)), ("n_runs", .int(Int64(runs.count))),
                ("n_experiments", .int(Int64(runs.count))),
            ]
            for state in RunState.allCases {
                let count = runs.count { $0.state == state }
                if count > 0 { lines.append(("n_\(state.word)", .int(Int64(count)))) }
            }
            let asked = session.parsed.all("metric")
            let metrics = asked.isEmpty ? RunTable.union(runs.map(\.metricNames)) : asked
            for metric in metrics {
                guard let best = try session.bestOrNone(of: reference, metric: metric, isAsked: !asked.isEmpty),
                    let winner = best.runs.first
                else { continue }
                let decimals = session.parsed.integer("decimals") ?? 4
                let value = Double(Numbers.metric(best.value, decimals: decimals)) ?? best.value
                lines.append(("best_\(metric)", .double(value)))
                lines.append((metrics.count == 1 ? "best_run_id" : "best_\(metric)_run_id", .string(winner.shown)))
            }
            if session.parsed.isOn("json") {
                session.writeJSON(.object(JSONObject(lines.map { JSONObject.Member($0.key, $0.value) })))
            } else if let call = session.parsed.text("call") {
                for line in lines {
                    session.line("\(call)(\(RunExport.line(.string(line.key))), \(RunExport.line(line.value)))")
                }
            } else {
                for line in lines { session.line("\(line.key)=\(Escape.text(Numbers.text(line.value)))") }
            }
            return .good
        }
    }
}

extension Session {
    /// A metric that nobody asked for may have no run that ended well with it.
    fileprivate func bestOrNone(
        of experiment: String, metric: String, isAsked: Bool
    ) throws(CommandFailure) -> BestRun? {
        do throws(CommandFailure) {
            return try best(of: experiment, metric: metric, filter: nil)
        } catch {
            if error.exitCode == .notFound, !isAsked { return nil }
            throw error
        }
    }
}
