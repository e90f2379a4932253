/// A model as training wrote it: it belongs to an experiment, and may be registered later under a name.
package struct LoggedModel: Equatable, Sendable {
    package enum State: String, Sendable, CaseIterable {
        case pending = "PENDING"
        case ready = "READY"
        case failed = "UPLOAD_FAILED"
    }

    /// Given by the store.
    package var card: Int64
    /// `m-` and 32 hex digits.
    package var id: String
    package var project: ProjectID
    package var experiment: ExperimentID
    package var name: String
    package var type: String
    package var state: State
    package var stateMessage: String
    /// The id of the run that made it; empty where none was named.
    package var sourceRun: String
    package var params: Pairs<ParamValue>
    package var tags: Pairs<TagValue>
    /// The latest of each metric on each dataset; the store keeps every one beside.
    package var metrics: [ModelMetric]
    package var life: Life
    package var created: Timestamp
    package var updated: Timestamp

    package init(
        card: Int64 = 0, id: String, project: ProjectID, experiment: ExperimentID, name: String, type: String = "",
        state: State = .pending, stateMessage: String = "", sourceRun: String = "",
        params: Pairs<ParamValue> = .init(), tags: Pairs<TagValue> = .init(), metrics: [ModelMetric] = [],
        life: Life = .active, created: Timestamp, updated: Timestamp
    ) {
        (self.card, self.id, self.project, self.experiment) = (card, id, project, experiment)
        (self.name, self.type, self.state, self.stateMessage) = (name, type, state, stateMessage)
        (self.sourceRun, self.params, self.tags, self.metrics) = (sourceRun, params, tags, metrics)
        (self.life, self.created, self.updated) = (life, created, updated)
    }

    package static func makeID() -> String { "m-\(RunID.make())" }

    package static func isID(_ text: String) -> Bool {
        text.hasPrefix("m-") && text.utf8.count == 34 && text.dropFirst(2).utf8.allSatisfy { hexDigit($0) != nil }
    }
}

/// A number that was measured of a logged model, on a dataset if one was named.
package struct ModelMetric: Sendable, Hashable {
    package var key: String
    package var value: Double
    package var step: Int64
    package var time: Timestamp
    /// The id of the run that measured it.
    package var run: String
    package var dataset: String
    package var datasetDigest: String

    package init(
        key: String, value: Double, step: Int64 = 0, time: Timestamp, run: String = "", dataset: String = "",
        datasetDigest: String = ""
    ) {
        (self.key, self.value, self.step, self.time) = (key, value, step, time)
        (self.run, self.dataset, self.datasetDigest) = (run, dataset, datasetDigest)
    }

    /// NaN equals NaN, and -0 is not 0: it is about what was logged.
    package static func == (a: ModelMetric, b: ModelMetric) -> Bool {
        a.key == b.key && a.value.bitPattern == b.value.bitPattern && a.step == b.step && a.time == b.time
            && a.run == b.run && a.dataset == b.dataset && a.datasetDigest == b.datasetDigest
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(key)
        hasher.combine(value.bitPattern)
        hasher.combine(step)
        hasher.combine(time.micros)
        hasher.combine(dataset)
    }
}
