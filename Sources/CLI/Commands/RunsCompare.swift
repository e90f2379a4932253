import MartletClient
import MartletDomain
import MartletJSON

extension World {
    var runsCompare: Command {
        command(
            "compare", "Show what differs between runs, and what it brought",
            discussion: """
                Params that differ stand side by side, metrics with their distance to the first run. Between two runs \
                a sentence says what changed for what, and warns when more than one thing changed at once.
                """,
            arguments: [
                Argument(
                    "run", "Two runs or more; the first is what the others are compared to", count: .oneOrMore,
                    candidates: .answer(["complete", "runs"]))
            ],
            options: [
                Shared.experiment,
                Option("metric", short: "m", value: "NAME", "Only this metric", repeats: true),
                Option("param", short: "p", value: "NAME", "The param that the sentence is about"),
                .flag("all", short: "a", "Also the params that all runs share"), Shared.json, Shared.csv, Shared.wide,
            ],
            examples: [
                Example("martlet runs compare run_02 run_03 -e ridge"),
                Example("martlet runs compare run_02 run_03 -e ridge --metric val_acc --param reg"),
            ]
        ) { session in
            try session.compare(session.parsed.all("run"))
        }
    }
}

extension Session {
    func compare(_ references: [String]) throws(CommandFailure) -> ExitCode {
        guard references.count > 1 else {
            throw CommandFailure(.usage, "A comparison needs two runs at least.", remedy: "Name another run.")
        }
        var runs: [RunRecord] = []
        for reference in references { runs.append(try run(reference)) }
        return try showComparison(runs)
    }

    func showComparison(_ runs: [RunRecord]) throws(CommandFailure) -> ExitCode {
        let asked = parsed.knows("metric") ? parsed.all("metric") : []
        let comparison = try RunDifference(
            runs, metrics: asked, param: parsed.knows("param") ? parsed.text("param") : nil)
        if parsed.knows("json"), parsed.isOn("json") {
            writeJSON(comparison.json)
            return .good
        }
        if parsed.knows("csv"), parsed.isOn("csv") {
            write(comparison.table.csv())
            return .good
        }
        let isWide = parsed.knows("wide") && parsed.isOn("wide")
        write(
            comparison.view.rendered(
                width: isWide ? nil : width, showsAll: parsed.knows("all") && parsed.isOn("all"), paint: paint))
        if let sentence = comparison.sentence { line("\n" + paint(Escape.text(sentence), .bold)) }
        guard let warning = comparison.warning else { return .good }
        let text = Escape.text("Warning: \(warning)")
        for part in width.map({ Wrap.lines(text, width: $0) }) ?? [text] { line(paint(part, .yellow)) }
        return .good
    }
}

/// What differs between runs, as values: the tables, the sentence and its warning are made of it.
struct RunDifference {
    let runs: [RunRecord]
    let names: [String]
    let params: [String]
    let metrics: [String]
    private let sentenceParam: String?

    init(_ runs: [RunRecord], metrics asked: [String], param: String?) throws(CommandFailure) {
        self.runs = runs
        let experiments = Set(runs.map(\.experiment))
        let ids = Set(runs.map(\.shown))
        names = runs.map { run in
            let name = ids.count < runs.count && experiments.count == 1 ? String(run.id.prefix(8)) : run.shown
            return experiments.count > 1 ? "\(run.experiment)/\(name)" : name
        }
        params = RunTable.union(runs.map(\.paramNames))
        let known = RunTable.union(runs.map(\.metricNames))
        var chosen: [String] = []
        for name in asked { chosen.append(try RunDifference.find(name, among: known, what: "metric")) }
        metrics = asked.isEmpty ? known : chosen
        var found: String?
        if let param { found = try RunDifference.find(param, among: params, what: "param") }
        sentenceParam = found
    }

    /// The exact name, or the one that begins so.
    private static func find(_ name: String, among known: [String], what: String) throws(CommandFailure) -> String {
        if known.contains(name) { return name }
        let begun = known.filter { $0.hasPrefix(name) }
        if begun.count == 1 { return begun[0] }
        throw CommandFailure(
            .notFound, "None of these runs has a \(what) “\(name)”.\(Nearest.question(name, among: known))",
            remedy: known.isEmpty ? nil : "They have \(known.prefix(8).joined(separator: ", ")).")
    }

    func values(of param: String) -> [String?] { runs.map { $0.param(param).map(Numbers.text) } }

    var differing: [String] {
        params.filter { name in
            let values = values(of: name)
            return values.contains { $0 != values[0] }
        }
    }

    var view: RunComparison {
        RunComparison(
            runs: names, params: params.map { .init($0, values(of: $0)) },
            metrics: metrics.map { name in
                .init(name, runs.map { $0.metric(name) }, goal: RunDifference.goal(of: name))
            })
    }

    /// A best value is marked only where the name leaves no doubt about which way is better.
    private static func goal(of metric: String) -> RunComparison.Goal? {
        let words = Set(metric.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init))
        let large: Set<String> = [
            "acc", "accuracy", "r2", "f1", "auc", "auroc", "precision", "recall", "score", "reward", "map", "iou",
            "bleu", "rouge", "psnr", "ssim",
        ]
        if Goal.guess(for: metric) == .min { return .minimize }
        return words.isDisjoint(with: large) ? nil : .maximize
    }

    // MARK: The sentence

    private func delta(of metric: String) -> Double? {
        guard let before = runs[0].metric(metric), let after = runs[1].metric(metric), before.isFinite,
            after.isFinite
        else { return nil }
        return after - before
    }

    private func delta(ofParam name: String) -> Double? {
        guard let before = runs[0].param(name).flatMap(Numbers.double),
            let after = runs[1].param(name).flatMap(Numbers.double), before.isFinite, after.isFinite
        else { return nil }
        return after - before
    }

    /// The params that the sentence names: the one asked for, else every number that differs.
    private var told: [String] {
        sentenceParam.map { [$0] } ?? Array(differing.filter { delta(ofParam: $0) != nil }.prefix(3))
    }

    /// `run_02 vs run_03: +0.01 acc for +0.9 reg`; nil unless two runs are compared.
    var sentence: String? {
        guard runs.count == 2 else { return nil }
        let gains = metrics.compactMap { name in
            delta(of: name).map { "\(NumberText.signed($0)) \(name)" }
        }.prefix(3)
        guard !gains.isEmpty else { return nil }
        let costs = told.compactMap { name in
            delta(ofParam: name).map { "\(NumberText.signed($0)) \(name)" }
        }
        let price = costs.isEmpty ? "" : " for " + costs.joined(separator: ", ")
        return "\(names[0]) vs \(names[1]): " + gains.joined(separator: ", ") + price
    }

    /// What else differs, so that nobody takes one param for the cause of all.
    var warning: String? {
        guard runs.count == 2, differing.count > 1 else { return nil }
        let told = Set(told)
        let others = differing.filter { !told.contains($0) }.map { name -> String in
            let values = values(of: name)
            return "\(name) (\(values[0] ?? "-") → \(values[1] ?? "-"))"
        }
        let few = others.prefix(6).joined(separator: ", ") + (others.count > 6 ? " and \(others.count - 6) more" : "")
        let also = others.isEmpty ? "" : " Also different: \(few)."
        return "\(differing.count) params differ at once, so none of them alone explains the change.\(also)"
    }

    // MARK: For programs

    var table: Table {
        var table = Table([.text("kind"), .text("name")] + names.map { .text($0) })
        for name in params { table.add([.init("param"), .init(name)] + values(of: name).map { Table.Cell($0) }) }
        for name in metrics {
            let cells = runs.map { $0.metric(name).map { Table.Cell(NumberText.exact($0)) } ?? .missing }
            table.add([.init("metric"), .init(name)] + cells)
        }
        return table
    }

    var json: JSONValue {
        var params = JSONObject()
        for name in self.params { params[name] = .array(runs.map { $0.param(name) ?? .null }) }
        var metrics = JSONObject()
        for name in self.metrics {
            let values = runs.map { $0.metric(name) }
            var entry = JSONObject()
            entry["values"] = .array(values.map { $0.map { .double($0) } ?? .null })
            entry["deltas"] = .array(
                values.map { value in
                    guard let value, let base = values[0], value.isFinite, base.isFinite else { return .null }
                    return .double(value - base)
                })
            metrics[name] = .object(entry)
        }
        return [
            "runs": .array(runs.map { .string($0.id) }), "names": .array(names.map { .string($0) }),
            "differing_params": .array(differing.map { .string($0) }), "params": .object(params),
            "metrics": .object(metrics), "summary": sentence.map { .string($0) } ?? .null,
            "warning": warning.map { .string($0) } ?? .null,
        ]
    }
}
