import MartletClient
import MartletDomain
import MartletJSON

extension World {
    var runsShow: Command {
        command(
            "show", "Show a run: params, metrics, tags, artifacts",
            arguments: [Shared.run()], options: [Shared.experiment, Shared.json],
            examples: [Example("martlet runs show run_03 -e ridge"), Example("martlet runs show 3f2a91c0 --json")]
        ) { session in
            let run = try session.run(session.parsed.text("run") ?? "")
            if session.parsed.isOn("json") {
                session.writeJSON(.object(run.json))
            } else {
                session.write(session.details(of: run).rendered(width: session.width, paint: session.paint))
            }
            return .good
        }
    }

    var runsBest: Command {
        command(
            "best", "Show the best run of an experiment",
            discussion: """
                Only runs that ended well are counted, and NaN never wins. Whether more or less is better comes from \
                --goal, else from the metric's definition, else from its name.
                """,
            arguments: [Shared.experimentArgument()],
            options: [
                Option("metric", short: "m", value: "NAME", "By this metric", isRequired: true),
                Option("goal", value: "GOAL", "Which way is better", choices: ["max", "min"]),
                Option("filter", short: "f", value: "EXPR", "Only among runs for which this holds"),
                Shared.json,
            ], examples: [Example("martlet runs best ridge_regression_tuning --metric test_r2")]
        ) { session in
            let reference = session.parsed.text("experiment") ?? ""
            let best = try session.best(
                of: reference, metric: session.parsed.text("metric") ?? "", filter: session.parsed.text("filter"))
            if session.parsed.isOn("json") {
                session.writeJSON([
                    "metric": .string(best.metric), "goal": .string(best.goal.rawValue),
                    "value": .double(best.value), "runs": .array(best.runs.map { .object($0.json) }),
                ])
                return .good
            }
            for run in best.runs { session.write(session.report(of: run)) }
            if best.runs.count > 1 {
                session.note("\(best.runs.count) runs tie at \(best.metric) = \(NumberText.exact(best.value)).")
            }
            if best.isGuessed {
                session.note(
                    "\(best.goal == .max ? "More" : "Less") is taken to be better by the metric's name; "
                        + "--goal \(best.goal == .max ? "min" : "max") for the other way.")
            }
            return .good
        }
    }
}

/// The best runs by a metric: more than one where they tie.
struct BestRun {
    var metric: String
    var runs: [RunRecord]
    var value: Double
    var goal: Goal
    var isGuessed: Bool
}

extension Session {
    func best(
        of experiment: String, metric: String, filter: String?
    ) throws(CommandFailure) -> BestRun {
        let chosen = parsed.knows("goal") ? parsed.text("goal") : nil
        let answer: JSONValue
        do throws(CommandFailure) {
            answer = try api.get(
                ["runs", "best"],
                [("experiment", experiment), ("metric", metric), ("mode", chosen), ("filter", filter)])
        } catch {
            guard error.exitCode == .notFound else { throw error }
            try explainMissing(metric, in: experiment)
            throw error
        }
        return BestRun(
            metric: metric, runs: (answer["runs"]?.array ?? []).map(RunRecord.init),
            value: answer["value"].flatMap(Numbers.double) ?? .nan,
            goal: answer["mode"]?.string.flatMap(Goal.init(word:)) ?? .max,
            isGuessed: answer["mode_guessed"]?.bool ?? false)
    }

    /// Says which metrics there are when none of that name is; the experiment is asked first.
    private func explainMissing(_ metric: String, in experiment: String) throws(CommandFailure) {
        let some = try runs(of: experiment, filter: nil, limit: 100).runs
        let known = RunTable.union(some.map(\.metricNames))
        guard !known.contains(metric) else { return }
        throw CommandFailure(
            .notFound, "No run of “\(experiment)” has a metric “\(metric)”.\(Nearest.question(metric, among: known))",
            remedy: known.isEmpty ? nil : "It has \(known.prefix(8).joined(separator: ", ")).")
    }

    func details(of run: RunRecord) -> Details {
        var details = Details()
        details.value("Run ID", run.shown, .bold)
        if let name = run.ownName { details.value("Name", name) }
        details.value("ID", run.id)
        details.value("Experiment", run.experiment)
        if let project = run.text("project"), project != "default" { details.value("Project", project) }
        let style: Style = run.verdict == .ok ? .green : run.verdict == .bad ? .red : .yellow
        // What everyone knows to be an end as it should be needs no second word.
        let isPlain = Status.isKnown(run.statusText) && run.verdict != .bad
        let state = run.state.map { isPlain || $0.word == run.statusText ? "" : " (\($0.word))" } ?? ""
        details.value("Status", run.statusText + state, style)
        if run.text("life") == "deleted" { details.value("Life", "deleted", .red) }
        details.value("Started", run.start.map { moment($0) })
        if let end = run.end { details.value("Ended", moment(end)) }
        if let seconds = run.json["duration_seconds"]?.double {
            details.value("Duration", TimeText.duration(seconds: seconds))
        }
        let record = JSONValue.object(run.json)
        add(
            [
                ("User", "user"), ("Source", "source"), ("Git commit", "git_commit"),
                ("Code version", "code_version"), ("Description", "description"), ("Parent", "parent_id"),
            ], of: record, to: &details)
        if let attempt = run.json["attempt"]?.int64, attempt > 1 { details.value("Attempt", "\(attempt)") }
        if let problems = run.json["problems"]?.int64, problems > 0 {
            details.value("Problems", "\(problems) lines of its record could not be used", .red)
        }
        if !run.paramNames.isEmpty {
            details.heading("Params")
            for name in run.paramNames { details.value(name, run.param(name).map(Numbers.text)) }
        }
        if !run.metricNames.isEmpty {
            details.heading("Metrics")
            for name in run.metricNames { details.value(name, run.metric(name).map(NumberText.compact)) }
        }
        addTags(of: record, to: &details)
        if let artifacts = run.json["artifacts"]?.array, !artifacts.isEmpty {
            details.heading("Artifacts")
            for artifact in artifacts {
                let size = artifact["size_bytes"]?.int64.map(NumberText.bytes) ?? "-"
                let type = artifact["type"]?.string.flatMap { $0.isEmpty ? nil : ", \($0)" } ?? ""
                details.value(artifact["path"]?.string ?? "", size + type)
            }
        }
        if let versions = run.json["model_versions"]?.array, !versions.isEmpty {
            details.heading("Registered as")
            for version in versions {
                let stage = version["stage"]?.string.flatMap { $0 == "None" ? nil : $0 }
                let words = (version["aliases"]?.array ?? []).compactMap(\.string) + [stage].compactMap(\.self)
                details.value(
                    "\(version["name"]?.string ?? "") \(Numbers.text(version["version"] ?? .null))",
                    words.isEmpty ? version["source"]?.string : words.joined(separator: ", "))
            }
        }
        return details
    }

    /// The block of the best run: id, every param, every metric with six decimals.
    func report(of run: RunRecord) -> String {
        var details = Details()
        details.value("Run ID", run.shown)
        details.heading("Parameters")
        for name in run.paramNames { details.value(name, run.param(name).map(Numbers.text)) }
        details.heading("Metrics")
        for name in run.metricNames {
            details.value(name, run.metric(name).map { Numbers.metric($0, decimals: 6) })
        }
        return details.rendered(.colons, paint: paint)
    }

    /// A date on this machine's clock, and how long ago that was.
    func moment(_ time: Timestamp) -> String {
        let offset = terminal.environment["TZ"] == "UTC" ? 0 : TimeText.localOffset(at: time.millis)
        let date = TimeText.minute(time.millis, offset: offset)
        let age = TimeText.relative(time.millis, now: world.now().millis)
        // What is long ago is a date anyway.
        return age.contains(" ") ? "\(date) (\(age))" : date
    }
}
