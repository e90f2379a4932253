import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Registered models: names under which versions are kept, with tags, and aliases that stand for a version.
extension MLflowAPI {
    static let registeredModelEndpoints: [Endpoint] = [
        .change(.post, "2.0/mlflow/registered-models/create") { call, message throws(Refusal) in
            try createModel(call, message)
        },
        .change(.post, "2.0/mlflow/registered-models/rename") { call, message throws(Refusal) in
            let name = try message.modelName()
            let newName = try message.modelName("new_name")
            try call.changeModel(name) { ledger, model throws(Refusal) in
                if newName != name, try ledger.tx.model(named: newName, in: model.project) != nil {
                    throw .mlflow("Registered Model (name=\(newName)) already exists.", .conflict)
                }
                let renamed = try ledger.renameModel(name, in: model.project, to: newName)
                return try RegistryAnswer.model(renamed, ledger.tx)
            }
        },
        .change(.patch, "2.0/mlflow/registered-models/update") { call, message throws(Refusal) in
            let name = try message.modelName()
            // One that is left out is an empty one, as it is in MLflow.
            let update = ModelUpdate(description: try message.text("description") ?? "")
            try call.changeModel(name) { ledger, model throws(Refusal) in
                let updated = try ledger.updateModel(name, in: model.project, update)
                return try RegistryAnswer.model(updated, ledger.tx)
            }
        },
        .change(.delete, "2.0/mlflow/registered-models/delete") { call, message throws(Refusal) in
            let name = try message.modelName()
            try call.changeModel(name) { ledger, model throws(Refusal) in
                try ledger.deleteModel(name, in: model.project)
                return Call.empty
            }
        },
        .read(.get, "2.0/mlflow/registered-models/get") { call, message throws(Refusal) in
            try call.readModel(try message.modelName()) { reader, model throws(Refusal) in
                try RegistryAnswer.model(model, reader)
            }
        },
        .read(.post, "2.0/mlflow/registered-models/get-latest-versions") { call, message throws(Refusal) in
            try latestVersions(call, message)
        },
        .read(.get, "2.0/mlflow/registered-models/get-latest-versions") { call, message throws(Refusal) in
            try latestVersions(call, message)
        },
        .change(.post, "2.0/mlflow/registered-models/set-tag") { call, message throws(Refusal) in
            let name = try message.modelName()
            let key = try message.required("key")
            let value = try message.text("value") ?? ""
            try RegistryNames.check(tag: key, value)
            try call.changeModel(name) { ledger, model throws(Refusal) in
                _ = try ledger.updateModel(name, in: model.project, ModelUpdate(tags: [(key, value)]))
                return Call.empty
            }
        },
        .change(.delete, "2.0/mlflow/registered-models/delete-tag") { call, message throws(Refusal) in
            let name = try message.modelName()
            let key = try message.required("key")
            try Names.check(tag: key)
            try call.changeModel(name) { ledger, model throws(Refusal) in
                _ = try ledger.updateModel(name, in: model.project, ModelUpdate(removingTags: [key]))
                return Call.empty
            }
        },
        .change(.post, "2.0/mlflow/registered-models/alias") { call, message throws(Refusal) in
            let name = try message.modelName()
            let alias = try message.required("alias")
            try RegistryNames.check(newAlias: alias)
            try call.changeVersion(name, try message.modelVersion()) { ledger, model, version throws(Refusal) in
                _ = try ledger.setModelAlias(alias, of: name, in: model.project, version: version.number)
                return Call.empty
            }
        },
        .change(.delete, "2.0/mlflow/registered-models/alias") { call, message throws(Refusal) in
            let name = try message.modelName()
            let alias = try message.required("alias")
            try RegistryNames.check(alias: alias)
            try call.changeModel(name) { ledger, model throws(Refusal) in
                guard model.aliases[alias] != nil else { return Call.empty }
                _ = try ledger.setModelAlias(alias, of: name, in: model.project, version: nil)
                return Call.empty
            }
        },
        .read(.get, "2.0/mlflow/registered-models/alias") { call, message throws(Refusal) in
            let name = try message.modelName()
            let alias = try message.required("alias")
            try RegistryNames.check(alias: alias)
            return try call.readModel(name) { reader, model throws(Refusal) in
                try RegistryAnswer.version(try version(behind: alias, of: model, reader), of: model)
            }
        },
    ]

    private static func createModel(_ call: Call, _ message: Message) throws(Refusal) {
        let name = try message.modelName()
        let tags = try message.registryTags()
        let description = try message.text("description") ?? ""
        try call.change { ledger, caller throws(Refusal) in
            let project = try call.project(ledger.tx)
            try caller.require(.write, on: project.id)
            if let taken = try ledger.tx.model(named: name, in: project.id) {
                let isPrompt = tags.keys.contains(PromptTags.isPrompt)
                let (old, new) = (
                    taken.isPrompt ? "Prompt" : "Registered Model", isPrompt ? "Prompt" : "Registered Model"
                )
                guard old != new else { throw .mlflow("\(new) (name=\(name)) already exists.", .conflict) }
                throw .mlflow(
                    "Tried to create a \(new.lowercased()) with name '\(name)', but the name is already taken by a \(old.lowercased()). MLflow does not allow creating a model and a prompt with the same name.",
                    .conflict)
            }
            let model = try ledger.createModel(name, in: project.id, description: description, tags: tags)
            return try RegistryAnswer.model(model, ledger.tx)
        }
    }

    private static func latestVersions(_ call: Call, _ message: Message) throws(Refusal) -> Response {
        let name = try message.modelName()
        let stages = try message.texts("stages").map { text throws(Refusal) in try message.stage(text) }
        return try call.readModel(name) { reader, model throws(Refusal) in
            let latest = try reader.latestVersions(of: model, stages: stages.isEmpty ? nil : stages)
            return try encoded { writer in
                writer.object { writer in
                    guard !latest.isEmpty else { return }
                    writer.array("model_versions") { writer in
                        for version in latest { writer.modelVersion(version, of: model) }
                    }
                }
            }
        }
    }

    /// `latest` is the first of what `get-latest-versions` answers.
    private static func version(
        behind alias: String, of model: RegisteredModel, _ reader: any StoreReader
    ) throws(Refusal) -> ModelVersion {
        if alias.lowercased() == "latest" {
            guard let latest = try reader.latestVersions(of: model).first else {
                throw .mlflow("Latest version not found for model \(model.name).", .notFound)
            }
            return latest
        }
        guard let number = model.aliases[alias], let version = try reader.modelVersion(number, of: model) else {
            throw .mlflow("Registered model alias \(alias) not found.")
        }
        return version
    }
}
