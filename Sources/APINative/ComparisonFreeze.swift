import MartletDomain
import MartletEngine
import MartletJSON
import MartletStorage

/// What is to be compared, found and read for a caller: from it the frozen data of a version are made.
struct ComparisonSubject {
    var kind: KeptComparison.Kind
    var view: KeptComparison.View
    var runs: [Run] = []
    var experiments: [Experiment] = []
    /// Those that were named; empty means what the members have.
    var metrics: [String]

    /// Numbers of a comparison of runs, where none are named.
    static let runMetricsMax = 200
    /// What all curves of one version come to.
    static let bucketsMax = 30_000
    static let bucketsOfCurve = 16...300
    /// Runs that are kept one by one where experiments are compared.
    static let sampleMax = 1_000
    static let axesMax = 40
    static let wordMax = 200

    var members: [String] { kind == .runs ? runs.map(\.id.text) : experiments.map { "\($0.id)" } }

    var projects: [ProjectID] {
        var found: [ProjectID] = []
        for project in kind == .runs ? runs.map(\.project) : experiments.map(\.project) where !found.contains(project) {
            found.append(project)
        }
        return found
    }

    /// A name that tells it from others in a list.
    func name(_ reader: any StoreReader) throws(Refusal) -> String {
        var names: [String] = []
        for run in runs { names.append(run.name) }
        for experiment in experiments { names.append(experiment.name) }
        let rest = names.count - 3
        return names.prefix(3).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }

    init(
        kind: KeptComparison.Kind, view: KeptComparison.View, members: [String], metrics: [String], by caller: Caller,
        _ engine: Engine, _ reader: any StoreReader
    ) throws(Refusal) {
        (self.kind, self.view, self.metrics) = (kind, view, metrics)
        switch kind {
        case .runs:
            for text in members {
                let run = try engine.readable(text, by: caller, reader)
                if !runs.contains(where: { $0.key == run.key }) { runs.append(run) }
            }
        case .experiments:
            for text in members {
                let experiment = try reader.resolveExperiment(text, for: caller)
                try caller.require(.read, on: experiment.project)
                if !experiments.contains(where: { $0.id == experiment.id }) { experiments.append(experiment) }
            }
        }
        guard KeptComparison.membersRange.contains(self.members.count) else {
            throw Refusal(
                .invalid, "\(self.members.count) different \(kind.rawValue) are named.",
                remedy:
                    "Name \(KeptComparison.membersRange.lowerBound) to \(KeptComparison.membersRange.upperBound) to compare.",
                field: kind == .runs ? "run_ids" : "experiment_ids")
        }
    }

    /// The document of a version: `results` and `data`, as they are answered.
    func freeze(_ engine: Engine, by caller: Caller) throws(Refusal) -> String {
        switch kind {
        case .runs:
            return try engine.read { (reader: any StoreReader) throws(Refusal) in try freezeRuns(engine, reader) }
        case .experiments: return try freezeExperiments(engine, by: caller)
        }
    }

    private func freezeRuns(_ engine: Engine, _ reader: any StoreReader) throws(Refusal) -> String {
        var viewer = RunViewer(reader)
        let views = try viewer.views(runs, [.metrics], metrics: metrics.isEmpty ? nil : metrics)
        var names = metrics
        if names.isEmpty {
            let all = Set(views.flatMap { $0.metrics.map(\.name) }.filter { !$0.hasPrefix("system/") })
            names = Array(all.sorted(by: precedes).prefix(Self.runMetricsMax))
        }
        let compared = try engine.compared(names, in: runs.map(\.experiment), reader)
        let document = try encoded { writer throws(Refusal) in
            try writer.object { (writer: inout JSONWriter) throws(Refusal) in
                writer.results(nil, compared, sights: [])
                writer.key("data")
                try writer.object { (writer: inout JSONWriter) throws(Refusal) in
                    writer.compared(compared)
                    writer.array("runs") { writer in
                        for view in views {
                            writer.seen(view, params: view.attributes.params.entries.map { $0 }, Set(names))
                        }
                    }
                    writer.key("curves")
                    guard view == .curves, !names.isEmpty else { return writer.null() }
                    // Where there is no room for all of them, the first metrics have their curves whole.
                    let room = Self.bucketsMax / Self.bucketsOfCurve.lowerBound / runs.count
                    let drawn = Array(names.prefix(max(1, room)))
                    let each = Self.bucketsMax / (drawn.count * runs.count)
                    let question = CurveQuestion(
                        metrics: drawn,
                        buckets: min(max(each, Self.bucketsOfCurve.lowerBound), Self.bucketsOfCurve.upperBound))
                    try question.write(to: &writer, runs, reader)
                }
            }
        }
        return String(decoding: document, as: UTF8.self)
    }

    private func freezeExperiments(_ engine: Engine, by caller: Caller) throws(Refusal) -> String {
        let compared = try engine.read { (reader: any StoreReader) throws(Refusal) in
            let names = metrics.isEmpty ? try engine.commonMetrics(of: experiments, reader) : metrics
            return try engine.compared(names, in: experiments.map(\.id), reader)
        }
        let sample = view == .parallelCoordinates ? Self.sampleMax / experiments.count : 0
        var sights: [ExperimentSight] = []
        for experiment in experiments {
            sights.append(try engine.sight(of: experiment, compared, sample: sample, by: caller))
        }
        let found = sights
        let axes = Self.differingParams(of: found.flatMap(\.runs))
        let names = Set(compared.map(\.name))
        let document = try encoded { writer in
            writer.object { writer in
                writer.results(found.best(by: compared.first), compared, sights: found)
                writer.object("data") { writer in
                    writer.compared(compared)
                    writer.array("experiments") { writer in for sight in found { writer.sight(sight) } }
                    writer.array("runs") { writer in
                        for view in found.flatMap(\.runs) {
                            let params = view.attributes.params.entries.filter {
                                axes.contains($0.key) && $0.value.text.utf8.count <= Self.wordMax
                            }
                            writer.seen(view, params: params.map { $0 }, names)
                        }
                    }
                    writer.key("curves")
                    writer.null()
                }
            }
        }
        return String(decoding: document, as: UTF8.self)
    }

    /// The params that tell runs apart, those that most runs have first.
    private static func differingParams(of views: [RunView]) -> Set<String> {
        var values: [String: (count: Int, first: String, differs: Bool)] = [:]
        for view in views {
            for (key, value) in view.attributes.params.entries {
                guard let known = values[key] else {
                    values[key] = (1, value.text, false)
                    continue
                }
                values[key] = (known.count + 1, known.first, known.differs || known.first != value.text)
            }
        }
        let telling = values.filter { $0.value.differs || $0.value.count < views.count }
        let order = telling.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        return Set(order.prefix(axesMax).map(\.key))
    }
}

/// The best of some experiments by one metric: more than one where they tie.
struct BestExperiments {
    var metric: ComparedMetric
    var value: Double
    var runs: [(sight: ExperimentSight, run: Run)]
}

extension [ExperimentSight] {
    func best(by metric: ComparedMetric?) -> BestExperiments? {
        guard let metric, let goal = metric.goal else { return nil }
        let found = compactMap { sight in
            sight.metrics.first { $0.name == metric.name }?.best.map { (sight: sight, run: $0.run, value: $0.value) }
        }
        guard let value = goal == .max ? found.map(\.value).max() : found.map(\.value).min() else { return nil }
        return BestExperiments(
            metric: metric, value: value, runs: found.filter { $0.value == value }.map { ($0.sight, $0.run) })
    }
}

extension JSONWriter {
    /// The answer's `results`. No test of significance is made yet, and nothing stands where one would.
    fileprivate mutating func results(_ best: BestExperiments?, _ metrics: [ComparedMetric], sights: [ExperimentSight])
    {
        object("results") { writer in
            writer.text(
                "best_experiment", best?.runs.count == 1 ? best.map { "\($0.runs[0].sight.experiment.id)" } : nil)
            writer.key("best")
            if let best {
                writer.object { writer in
                    writer.member("metric", best.metric.name)
                    writer.member("goal", best.metric.goal?.rawValue ?? "")
                    writer.member("goal_guessed", best.metric.isGuessed)
                    writer.member("value", best.value)
                    writer.array("runs") { writer in
                        for (sight, run) in best.runs {
                            writer.object { writer in
                                writer.member("experiment_id", "\(sight.experiment.id)")
                                writer.member("run_id", run.id.text)
                                writer.member("run_name", run.name)
                            }
                        }
                    }
                }
            } else {
                writer.null()
            }
            writer.object("statistical_significance") { writer in
                for (place, metric) in metrics.enumerated() where !sights.isEmpty {
                    writer.key(dynamic: metric.name)
                    writer.object { writer in
                        writer.text("p_value", nil)
                        writer.text("significant", nil)
                        writer.text("test", nil)
                        writer.array("n") { writer in
                            for sight in sights { writer.int(Int64(sight.metrics[place].count)) }
                        }
                        writer.member(
                            "note", "No test is made yet; the experiments' means and deviations are in the data.")
                    }
                }
            }
        }
    }

    fileprivate mutating func compared(_ metrics: [ComparedMetric]) {
        array("metrics") { writer in
            for metric in metrics {
                writer.object { writer in
                    writer.member("metric", metric.name)
                    writer.text("goal", metric.goal?.rawValue)
                    writer.member("goal_guessed", metric.isGuessed)
                }
            }
        }
    }

    fileprivate mutating func seen(_ view: RunView, params: [(key: String, value: ParamValue)], _ metrics: Set<String>)
    {
        let run = view.run
        object { writer in
            writer.member("id", run.id.text)
            writer.member("short_id", run.shortID)
            writer.member("name", run.name)
            writer.member("experiment_id", "\(run.experiment)")
            writer.member("experiment_name", view.experiment.name)
            writer.member("project", view.project.slug)
            writer.member("state", run.status.state.word)
            writer.member("status", run.status.word)
            writer.time("start_time", run.start)
            writer.time("end_time", run.end)
            writer.key("duration_seconds")
            if let end = run.end { writer.double(Double(end.micros - run.start.micros) / 1e6) } else { writer.null() }
            writer.params("params", Pairs(params))
            writer.object("metrics") { writer in
                for metric in view.metrics where metrics.contains(metric.name) {
                    writer.member(dynamic: metric.name, metric.value)
                }
            }
        }
    }

    fileprivate mutating func sight(_ sight: ExperimentSight) {
        func number(_ writer: inout JSONWriter, _ key: StaticString, _ value: Double?) {
            writer.key(key)
            if let value { writer.double(value) } else { writer.null() }
        }
        object { writer in
            writer.member("id", "\(sight.experiment.id)")
            writer.member("name", sight.experiment.name)
            writer.member("project", sight.project.slug)
            writer.member("run_count", sight.total)
            writer.member("runs_looked_at", sight.lookedAt)
            writer.object("metrics") { writer in
                for metric in sight.metrics {
                    writer.key(dynamic: metric.name)
                    writer.object { writer in
                        writer.member("count", metric.count)
                        writer.member("not_finite", metric.notFinite)
                        number(&writer, "mean", metric.mean)
                        number(&writer, "deviation", metric.deviation)
                        number(&writer, "min", metric.least)
                        number(&writer, "max", metric.greatest)
                        writer.key("best")
                        if let (run, value) = metric.best {
                            writer.object { writer in
                                writer.member("run_id", run.id.text)
                                writer.member("run_name", run.name)
                                writer.member("value", value)
                            }
                        } else {
                            writer.null()
                        }
                    }
                }
            }
        }
    }
}
