import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// The versions of a registered model. Where a version's bytes are is recorded and told; nothing is opened there.
extension MLflowAPI {
    static let modelVersionEndpoints: [Endpoint] = [
        .change(.post, "2.0/mlflow/model-versions/create") { call, message throws(Refusal) in
            try createVersion(call, message)
        },
        .change(.patch, "2.0/mlflow/model-versions/update") { call, message throws(Refusal) in
            let name = try message.modelName()
            // One that is left out is an empty one, as it is in MLflow.
            let update = ModelUpdate(description: try message.text("description") ?? "")
            try call.changeVersion(name, try message.modelVersion()) { ledger, model, version throws(Refusal) in
                let (model, version) = try ledger.updateModelVersion(
                    version.number, of: name, in: model.project, update)
                return try RegistryAnswer.version(version, of: model)
            }
        },
        .change(.post, "2.0/mlflow/model-versions/transition-stage") { call, message throws(Refusal) in
            try moveToStage(call, message)
        },
        .change(.delete, "2.0/mlflow/model-versions/delete") { call, message throws(Refusal) in
            let name = try message.modelName()
            try call.changeVersion(name, try message.modelVersion()) { ledger, model, version throws(Refusal) in
                _ = try ledger.deleteModelVersion(version.number, of: name, in: model.project)
                return Call.empty
            }
        },
        .read(.get, "2.0/mlflow/model-versions/get") { call, message throws(Refusal) in
            try call.readVersion(try message.modelName(), try message.modelVersion()) {
                _, model, version throws(Refusal) in
                try RegistryAnswer.version(version, of: model)
            }
        },
        .read(.get, "2.0/mlflow/model-versions/get-download-uri") { call, message throws(Refusal) in
            try call.readVersion(try message.modelName(), try message.modelVersion()) {
                reader, _, version throws(Refusal) in
                let uri = ModelSource.download(of: version)
                return try encoded { writer in writer.object { $0.member("artifact_uri", uri) } }
            }
        },
        .change(.post, "2.0/mlflow/model-versions/set-tag") { call, message throws(Refusal) in
            let name = try message.modelName()
            let number = try message.modelVersion()
            let key = try message.required("key")
            let value = try message.text("value") ?? ""
            try RegistryNames.check(tag: key, value)
            try call.changeVersion(name, number) { ledger, model, version throws(Refusal) in
                _ = try ledger.updateModelVersion(
                    number, of: name, in: model.project, ModelUpdate(tags: [(key, value)]))
                return Call.empty
            }
        },
        .change(.delete, "2.0/mlflow/model-versions/delete-tag") { call, message throws(Refusal) in
            let name = try message.modelName()
            let number = try message.modelVersion()
            let key = try message.required("key")
            try Names.check(tag: key)
            try call.changeVersion(name, number) { ledger, model, version throws(Refusal) in
                _ = try ledger.updateModelVersion(
                    number, of: name, in: model.project, ModelUpdate(removingTags: [key]))
                return Call.empty
            }
        },
    ]

    private static func createVersion(_ call: Call, _ message: Message) throws(Refusal) {
        let name = try message.modelName()
        var draft = ModelVersionDraft(source: try message.required("source"))
        draft.run = try message.text("run_id") ?? ""
        draft.runLink = try message.text("run_link") ?? ""
        draft.description = try message.text("description") ?? ""
        draft.loggedModel = try message.text("model_id") ?? ""
        draft.tags = try message.registryTags()
        let isPrompt = draft.tags.keys.contains(PromptTags.isPrompt)
        let wanted = draft
        try call.change { ledger, caller throws(Refusal) in
            var draft = wanted
            let source = ModelSource(draft.source)
            var logged: LoggedModel?
            if isPrompt {
                try source.checkPrompt()
            } else {
                if !draft.loggedModel.isEmpty {
                    logged = try ledger.tx.loggedModel(mlflow: draft.loggedModel, call)
                }
                try source.check(run: draft.run, model: logged, ledger.tx, call)
            }
            let model = try ledger.tx.model(mlflow: name, call)
            try caller.require(.write, on: model.project)
            let target = try source.target(ledger.tx, call)
            if let place = target?.place { draft.metadata = ModelSource.metadata(place) }
            if draft.run.isEmpty { draft.run = target?.run ?? logged?.sourceRun ?? "" }
            let made = try ledger.createModelVersion(of: name, in: model.project, draft)
            if let logged { try ledger.noteRegistration(of: logged, as: name, made.version.number) }
            return try RegistryAnswer.version(made.version, of: made.model)
        }
    }

    private static func moveToStage(_ call: Call, _ message: Message) throws(Refusal) {
        let name = try message.modelName()
        let number = try message.modelVersion()
        let word = try message.required("stage")
        let stage = try message.stage(word)
        let isArchiving = try message.flag("archive_existing_versions") ?? false
        guard !isArchiving || stage.isActive else {
            throw .mlflow(
                "Model version transition cannot archive existing model versions because '\(word)' is not an Active stage. Valid stages are ['Staging', 'Production']"
            )
        }
        try call.changeVersion(name, number) { ledger, model, version throws(Refusal) in
            let (model, version) = try ledger.transition(
                number, of: name, in: model.project, to: stage, archiving: isArchiving)
            return try RegistryAnswer.version(version, of: model)
        }
    }
}

extension Ledger {
    /// What MLflow's pages of a logged model show of its places in the registry: a tag, with the text that MLflow writes.
    fileprivate func noteRegistration(
        of logged: LoggedModel, as name: String, _ version: Int
    ) throws(Refusal) {
        let key = "mlflow.modelVersions"
        let entry = "{\"name\": \(JSONValue.string(name).text), \"version\": \(version)}"
        let known = (logged.tags[key] ?? nil) ?? "[]"
        let isList = known.hasPrefix("[{") && known.hasSuffix("]")
        let value = isList ? "\(known.dropLast()), \(entry)]" : "[\(entry)]"
        _ = try updateLoggedModel(logged.id, ModelUpdate(tags: [(key, value)]))
    }
}
