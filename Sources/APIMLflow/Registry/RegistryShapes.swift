import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Models and versions as MLflow's clients read them, and how an endpoint finds them.
extension JSONWriter {
    mutating func registeredModel(_ model: RegisteredModel, latest: [ModelVersion]) {
        object { writer in
            writer.member("name", model.name)
            writer.member("creation_timestamp", model.created.millis)
            writer.member("last_updated_timestamp", model.updated.millis)
            if !model.description.isEmpty { writer.member("description", model.description) }
            if !latest.isEmpty {
                writer.array("latest_versions") { writer in
                    for version in latest { writer.modelVersion(version, of: model, showsAliases: false) }
                }
            }
            writer.tags("tags", model.tags.entries.map { ($0.key, $0.value ?? "") })
            guard !model.aliases.isEmpty else { return }
            writer.array("aliases") { writer in
                for (alias, version) in model.aliases.entries {
                    writer.object { writer in
                        writer.member("alias", alias)
                        writer.member("version", "\(version)")
                    }
                }
            }
        }
    }

    /// Versions that stand inside of their model, or in a search, come without their aliases.
    mutating func modelVersion(_ version: ModelVersion, of model: RegisteredModel, showsAliases: Bool = true) {
        object { writer in
            writer.member("name", model.name)
            writer.member("version", "\(version.number)")
            writer.member("creation_timestamp", version.created.millis)
            writer.member("last_updated_timestamp", version.updated.millis)
            if !version.user.isEmpty { writer.member("user_id", version.user) }
            writer.member("current_stage", version.stage.rawValue)
            writer.member("description", version.description)
            writer.member("source", version.source)
            writer.member("run_id", version.run)
            writer.member("run_link", version.runLink)
            writer.member("status", version.state.rawValue)
            if !version.stateMessage.isEmpty { writer.member("status_message", version.stateMessage) }
            if !version.loggedModel.isEmpty { writer.member("model_id", version.loggedModel) }
            writer.tags("tags", version.tags.entries.map { ($0.key, $0.value ?? "") })
            let aliases = showsAliases ? model.aliases(of: version.number) : []
            if !aliases.isEmpty {
                writer.array("aliases") { writer in for alias in aliases { writer.string(alias) } }
            }
        }
    }
}

enum RegistryAnswer {
    static func model(_ model: RegisteredModel, _ reader: any StoreReader) throws(Refusal) -> [UInt8] {
        let latest = try reader.latestVersions(of: model)
        return try encoded { writer in
            writer.object { writer in
                writer.key("registered_model")
                writer.registeredModel(model, latest: latest)
            }
        }
    }

    static func version(_ version: ModelVersion, of model: RegisteredModel) throws(Refusal) -> [UInt8] {
        try encoded { writer in
            writer.object { writer in
                writer.key("model_version")
                writer.modelVersion(version, of: model)
            }
        }
    }
}

extension StoreReader {
    func model(mlflow name: String, _ call: Call) throws(Refusal) -> RegisteredModel {
        guard let model = try model(named: name, in: try call.project(self).id) else { throw .noModel(name) }
        return model
    }

    /// A version, and the model that it is of.
    func version(
        mlflow number: Int, of name: String, _ call: Call
    ) throws(Refusal) -> (model: RegisteredModel, version: ModelVersion) {
        guard let model = try model(named: name, in: try call.project(self).id),
            let version = try modelVersion(number, of: model)
        else { throw .noModelVersion(name, number) }
        return (model, version)
    }
}

extension Call {
    func readModel(
        _ name: String, _ body: (any StoreReader, RegisteredModel) throws(Refusal) -> [UInt8]
    ) throws(Refusal) -> Response {
        let caller = try caller()
        return try engine.read { (reader: any StoreReader) throws(Refusal) in
            let model = try reader.model(mlflow: name, self)
            try caller.require(.read, on: model.project)
            return .json(try body(reader, model))
        }
    }

    func readVersion(
        _ name: String, _ number: Int,
        _ body: (any StoreReader, RegisteredModel, ModelVersion) throws(Refusal) -> [UInt8]
    ) throws(Refusal) -> Response {
        let caller = try caller()
        return try engine.read { (reader: any StoreReader) throws(Refusal) in
            let (model, version) = try reader.version(mlflow: number, of: name, self)
            try caller.require(.read, on: model.project)
            return .json(try body(reader, model, version))
        }
    }

    func changeModel(
        _ name: String, _ body: @escaping @Sendable (Ledger, RegisteredModel) throws(Refusal) -> [UInt8]
    ) throws(Refusal) {
        try change { [self] ledger, caller throws(Refusal) in
            let model = try ledger.tx.model(mlflow: name, self)
            try caller.require(.write, on: model.project)
            return try body(ledger, model)
        }
    }

    func changeVersion(
        _ name: String, _ number: Int,
        _ body: @escaping @Sendable (Ledger, RegisteredModel, ModelVersion) throws(Refusal) -> [UInt8]
    ) throws(Refusal) {
        try change { [self] ledger, caller throws(Refusal) in
            let (model, version) = try ledger.tx.version(mlflow: number, of: name, self)
            try caller.require(.write, on: model.project)
            return try body(ledger, model, version)
        }
    }
}

extension Refusal {
    static func noModel(_ name: String) -> Refusal {
        .mlflow("Registered Model with name=\(name) not found", .notFound)
    }

    static func noModelVersion(_ name: String, _ number: Int) -> Refusal {
        .mlflow("Model Version (name=\(name), version=\(number)) not found", .notFound)
    }
}
