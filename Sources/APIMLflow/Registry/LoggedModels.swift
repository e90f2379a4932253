import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Models as training writes them: begun, uploaded to the place that is told, then declared ready.
extension MLflowAPI {
    static let loggedModelEndpoints: [Endpoint] = [
        .change(.post, "2.0/mlflow/logged-models") { call, message throws(Refusal) in
            try createLoggedModel(call, message)
        },
        .read(.get, "2.0/mlflow/logged-models/{model_id}") { call, message throws(Refusal) in
            let caller = try call.caller()
            return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
                let model = try reader.loggedModel(mlflow: call["model_id"], call)
                try caller.require(.read, on: model.project)
                return .json(try reader.answer(model, try reader.metrics(of: model), call.api.places))
            }
        },
        .change(.patch, "2.0/mlflow/logged-models/{model_id}") { call, message throws(Refusal) in
            let state = try message.loggedModelState()
            let text = try message.text("status_message") ?? ""
            try call.changeLoggedModel { ledger, model throws(Refusal) in
                let changed = try ledger.setLoggedModelState(state, message: text, of: model.id)
                return try ledger.tx.answer(changed, changed.metrics, call.api.places)
            }
        },
        .change(.delete, "2.0/mlflow/logged-models/{model_id}") { call, _ throws(Refusal) in
            try call.changeLoggedModel { ledger, model throws(Refusal) in
                try ledger.deleteLoggedModel(model.id)
                return Call.empty
            }
        },
        .change(.post, "2.0/mlflow/logged-models/{model_id}/params") { call, message throws(Refusal) in
            let params = try message.loggedModelParams()
            try call.changeLoggedModel { ledger, model throws(Refusal) in
                _ = try ledger.logLoggedModelParams(params, of: model.id)
                return Call.empty
            }
        },
        .change(.patch, "2.0/mlflow/logged-models/{model_id}/tags") { call, message throws(Refusal) in
            let tags = try message.loggedModelTags()
            try call.changeLoggedModel { ledger, model throws(Refusal) in
                let changed = try ledger.updateLoggedModel(
                    model.id, ModelUpdate(tags: tags.entries.map { ($0.key, $0.value) }))
                return try ledger.tx.answer(changed, changed.metrics, call.api.places)
            }
        },
        .change(.delete, "2.0/mlflow/logged-models/{model_id}/tags/{tag_key}") { call, _ throws(Refusal) in
            let key = call["tag_key"]
            try call.changeLoggedModel { ledger, model throws(Refusal) in
                guard model.tags.keys.contains(key) else {
                    throw .mlflow("No tag with key '\(key)' found for model with ID '\(model.id)'.", .notFound)
                }
                _ = try ledger.updateLoggedModel(model.id, ModelUpdate(removingTags: [key]))
                return Call.empty
            }
        },
    ]

    private static func createLoggedModel(_ call: Call, _ message: Message) throws(Refusal) {
        let home = try message.required("experiment_id")
        let name = try message.text("name")
        if let name { try RegistryNames.check(loggedModel: name) }
        let type = try message.text("model_type") ?? ""
        let source = try message.text("source_run_id") ?? ""
        let params = try message.loggedModelParams()
        let tags = try message.loggedModelTags()
        try call.change { ledger, caller throws(Refusal) in
            let experiment = try ledger.writableExperiment(home, call, caller)
            var draft = LoggedModelDraft(experiment: experiment.id)
            draft.name = name ?? RandomName.make()
            (draft.type, draft.sourceRun, draft.tags) = (type, source, tags)
            draft.params = Pairs(params)
            let model = try ledger.createLoggedModel(draft)
            return try ledger.tx.answer(model, [], call.api.places)
        }
    }
}

extension RegistryNames {
    private static let loggedModelSigns: Set<Character> = ["/", ":", ".", "%", "\"", "'"]

    static func check(loggedModel name: String) throws(Refusal) {
        guard !name.isEmpty, !name.contains(where: loggedModelSigns.contains) else {
            throw .mlflow(
                "Invalid model name ('\(name)') provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%', '\"', \"'\")"
            )
        }
    }
}

extension Message {
    fileprivate func loggedModelParams() throws(Refusal) -> [(key: String, value: ParamValue)] {
        var params: [(key: String, value: ParamValue)] = []
        for (index, pair) in try pairs("params").enumerated() {
            try Names.check(param: pair.key, at: "params[\(index)].key")
            params.append((pair.key, ParamValue(text: Names.cut(pair.value, to: Names.paramMax))))
        }
        return params
    }

    fileprivate func loggedModelTags() throws(Refusal) -> Pairs<TagValue> {
        var tags = Pairs<TagValue>()
        for (index, pair) in try pairs("tags").enumerated() {
            try Names.check(tag: pair.key, at: "tags[\(index)].key")
            tags[pair.key] = .some(Names.cut(pair.value, to: Names.tagMax))
        }
        return tags
    }

    /// A word, or protobuf's number of it.
    func loggedModelState() throws(Refusal) -> LoggedModel.State {
        guard let value = self["status"] else { throw .missing("status") }
        let states: [LoggedModel.State] = [.pending, .ready, .failed]
        if let number = value.int64, (1...3).contains(number) { return states[Int(number) - 1] }
        guard let word = value.string, let state = states.first(where: { $0.mlflowWord == word }) else {
            throw .wrongValue("status", value, "Valid values are \(states.map(\.mlflowWord).joined(separator: ", ")).")
        }
        return state
    }
}

extension LoggedModel.State {
    var mlflowWord: String { "LOGGED_MODEL_\(rawValue)" }

    /// By the protocol's word, or by the one that its clients use.
    init?(mlflow word: String) {
        let word = word.hasPrefix("LOGGED_MODEL_") ? String(word.dropFirst("LOGGED_MODEL_".count)) : word
        self.init(rawValue: word == "FAILED" ? LoggedModel.State.failed.rawValue : word)
    }
}

extension ArtifactPlaces {
    func location(of model: LoggedModel, _ reader: any StoreReader) throws(Refusal) -> String {
        guard let experiment = try reader.experiment(model.experiment) else {
            throw .noExperiment("\(model.experiment)")
        }
        return ArtifactPlaces.join(location(of: experiment), "models/\(model.id)/artifacts")
    }
}

extension StoreReader {
    /// One that is not deleted, in the project that the client sees.
    func loggedModel(mlflow id: String, _ call: Call) throws(Refusal) -> LoggedModel {
        let project = try call.project(self)
        guard let model = try loggedModel(id), model.life == .active, model.project == project.id else {
            throw .mlflow("Logged model with ID '\(id)' not found.", .notFound)
        }
        return model
    }

    fileprivate func answer(
        _ model: LoggedModel, _ metrics: [ModelMetric], _ places: ArtifactPlaces
    ) throws(Refusal) -> [UInt8] {
        let location = try places.location(of: model, self)
        return try encoded { writer in
            writer.object { writer in
                writer.key("model")
                writer.loggedModel(model, metrics, location)
            }
        }
    }
}

extension Call {
    /// The model that the path names, for whoever may write in its project.
    fileprivate func changeLoggedModel(
        _ body: @escaping @Sendable (Ledger, LoggedModel) throws(Refusal) -> [UInt8]
    ) throws(Refusal) {
        try change { [self] ledger, caller throws(Refusal) in
            let model = try ledger.tx.loggedModel(mlflow: self["model_id"], self)
            try caller.require(.write, on: model.project)
            return try body(ledger, model)
        }
    }
}

extension JSONWriter {
    mutating func loggedModel(_ model: LoggedModel, _ metrics: [ModelMetric], _ location: String) {
        object { writer in
            writer.object("info") { writer in
                writer.member("model_id", model.id)
                writer.member("experiment_id", "\(model.experiment)")
                writer.member("name", model.name)
                writer.member("creation_timestamp_ms", model.created.millis)
                writer.member("last_updated_timestamp_ms", model.updated.millis)
                writer.member("artifact_uri", location)
                writer.member("status", model.state.mlflowWord)
                if !model.stateMessage.isEmpty { writer.member("status_message", model.stateMessage) }
                if !model.type.isEmpty { writer.member("model_type", model.type) }
                if !model.sourceRun.isEmpty { writer.member("source_run_id", model.sourceRun) }
                writer.tags("tags", model.tags.entries.map { ($0.key, $0.value ?? "") })
            }
            writer.object("data") { writer in
                writer.tags("params", model.params.entries.map { ($0.key, $0.value.text) })
                guard !metrics.isEmpty else { return }
                writer.array("metrics") { writer in for metric in metrics { writer.modelMetric(metric, model.id) } }
            }
        }
    }

    private mutating func modelMetric(_ metric: ModelMetric, _ model: String) {
        object { writer in
            writer.member("key", metric.key)
            writer.member("value", mlflowNumber(metric.value))
            writer.member("timestamp", metric.time.millis)
            writer.member("step", metric.step)
            if !metric.dataset.isEmpty { writer.member("dataset_name", metric.dataset) }
            if !metric.datasetDigest.isEmpty { writer.member("dataset_digest", metric.datasetDigest) }
            writer.member("model_id", model)
            if !metric.run.isEmpty { writer.member("run_id", metric.run) }
        }
    }
}
