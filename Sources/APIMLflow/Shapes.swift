import MartletDomain
import MartletEngine
import MartletJSON
import MartletSeries
import MartletStorage

/// The words that MLflow has for what a run does.
enum RunStatus: String, CaseIterable {
    case running = "RUNNING"
    case scheduled = "SCHEDULED"
    case finished = "FINISHED"
    case failed = "FAILED"
    case killed = "KILLED"

    var states: [RunState] {
        switch self {
        case .running: [.running]
        case .scheduled: [.queued]
        case .finished: [.finished, .archived]
        case .failed: [.failed, .lost]
        case .killed: [.cancelled]
        }
    }

    init(_ state: RunState) { self = RunStatus.allCases.first { $0.states.contains(state) } ?? .running }

    /// Protobuf's numbers, which a client may send in place of the word.
    init?(number: Int64) {
        let order: [RunStatus] = [.running, .scheduled, .finished, .failed, .killed]
        guard (1...5).contains(number) else { return nil }
        self = order[Int(number) - 1]
    }
}

/// MLflow's tags that are fields of a run here.
enum RunTags {
    static let name = "mlflow.runName"
    static let note = "mlflow.note.content"
    static let parent = "mlflow.parentRunId"
    static let user = "mlflow.user"
    static let source = "mlflow.source.name"
    static let commit = "mlflow.source.git.commit"

    /// Tags whose value is kept as the field alone, so that there is one truth.
    static let isField: Set<String> = [name, note]

    /// What a run's tags are for a client of MLflow.
    static func shown(_ view: RunView) -> [(key: String, value: String)] {
        var shown: [(key: String, value: String)] = []
        for (key, value) in view.attributes.tags.entries where !isField.contains(key) {
            shown.append((key, value ?? ""))
        }
        let properties = view.attributes.properties
        func add(_ key: String, _ value: String?) {
            guard let value, !value.isEmpty, view.attributes.tags[key] == nil else { return }
            shown.append((key, value))
        }
        if properties[nameHidden] == nil { shown.append((name, view.run.name)) }
        if let note = properties["description"] { shown.append((RunTags.note, note)) }
        add(parent, view.parent?.text)
        add(source, properties["source"])
        add(commit, properties["git_commit"])
        return shown
    }

    /// A client took the tag with the name away, though the run keeps its name.
    private static let nameHidden = "mlflow.runName.hidden"

    static func showName(of run: Run, _ isShown: Bool, _ ledger: Ledger) throws(Refusal) {
        let isHidden = try ledger.tx.attributes(of: run.key).properties[nameHidden] != nil
        guard isHidden == isShown else { return }
        try ledger.setProperties([(nameHidden, isShown ? nil : "true")], of: run.key)
    }

    /// The fields of a run that a tag says something about.
    static func property(of key: String) -> String? {
        switch key {
        case note: "description"
        case user: "user"
        case source: "source"
        case commit: "git_commit"
        default: nil
        }
    }
}

/// MLflow's clients know no infinity: its server keeps them as the largest number there is. We keep them, and clamp them
/// only on the way out to such a client.
func mlflowNumber(_ value: Double) -> Double {
    value.isInfinite ? (value < 0 ? -Double.greatestFiniteMagnitude : Double.greatestFiniteMagnitude) : value
}

extension JSONWriter {
    mutating func tags(_ key: StaticString = "tags", _ tags: [(key: String, value: String)]) {
        guard !tags.isEmpty else { return }
        array(key) { writer in
            for (key, value) in tags {
                writer.object { writer in
                    writer.member("key", key)
                    writer.member("value", value)
                }
            }
        }
    }

    mutating func experiment(_ experiment: Experiment, _ places: ArtifactPlaces) {
        object { writer in
            writer.member("experiment_id", "\(experiment.id)")
            writer.member("name", experiment.name)
            writer.member("artifact_location", places.location(of: experiment))
            writer.member("lifecycle_stage", experiment.life == .active ? "active" : "deleted")
            writer.member("last_update_time", experiment.updated.millis)
            writer.member("creation_time", experiment.created.millis)
            writer.tags("tags", ExperimentTags.shown(experiment))
        }
    }

    mutating func runInfo(_ view: RunView, _ places: ArtifactPlaces) {
        let run = view.run
        object { writer in
            writer.member("run_uuid", run.id.text)
            writer.member("run_id", run.id.text)
            writer.member("run_name", run.name)
            writer.member("experiment_id", "\(run.experiment)")
            writer.member("user_id", view.attributes.properties["user"] ?? "")
            writer.member("status", RunStatus(run.status.state).rawValue)
            writer.member("start_time", run.start.millis)
            if let end = run.end { writer.member("end_time", end.millis) }
            writer.member("artifact_uri", places.location(of: run, in: view.experiment))
            writer.member("lifecycle_stage", run.life == .active ? "active" : "deleted")
        }
    }

    mutating func run(_ view: RunView, _ inputs: RunInputs, _ places: ArtifactPlaces) {
        object { writer in
            writer.key("info")
            writer.runInfo(view, places)
            writer.object("data") { writer in
                writer.metrics(of: view)
                if !view.attributes.params.isEmpty {
                    writer.array("params") { writer in
                        for (key, value) in view.attributes.params.entries {
                            writer.object { writer in
                                writer.member("key", key)
                                writer.member("value", value.text)
                            }
                        }
                    }
                }
                writer.tags("tags", RunTags.shown(view))
            }
            inputs.write(to: &writer)
        }
    }

    private mutating func metrics(of view: RunView) {
        guard !view.metrics.isEmpty else { return }
        array("metrics") { writer in
            for metric in view.metrics {
                let last = metric.series?.last
                let time = last.map { Timestamp(micros: $0.time) } ?? metric.summary?.time ?? view.run.start
                writer.metric(metric.name, metric.value, time, step: metric.isUnstepped ? 0 : last?.step ?? 0)
            }
        }
    }

    mutating func metric(
        _ name: String, _ value: Double, _ time: Timestamp, step: Int64, run: RunID? = nil, exact: Bool = false
    ) {
        object { writer in
            writer.member("key", name)
            writer.member("value", exact ? value : mlflowNumber(value))
            writer.member("timestamp", time.millis)
            writer.member("step", step)
            if let run { writer.member("run_id", run.text) }
        }
    }
}

/// Tags of an experiment: its description is one of them for MLflow.
enum ExperimentTags {
    static func shown(_ experiment: Experiment) -> [(key: String, value: String)] {
        var shown = experiment.tags.entries.map { (key: $0.key, value: $0.value ?? "") }
            .filter { $0.key != RunTags.note }
        if !experiment.description.isEmpty { shown.append((RunTags.note, experiment.description)) }
        return shown
    }
}
