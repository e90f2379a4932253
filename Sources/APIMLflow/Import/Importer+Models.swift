import MartletDomain
import MartletEngine
import MartletJSON
import MartletStorage

// The registry and logged models of another store.
extension Importer {
    func registeredModel(_ fields: Message) throws(Refusal) -> JSONObject {
        let created = try fields.time("creation_timestamp") ?? ledger.now
        _ = try ledger.importModel(
            RegisteredModel(
                project: project, name: try fields.modelName(), description: try fields.text("description") ?? "",
                tags: try fields.importedTags(), created: created,
                updated: try fields.time("last_updated_timestamp") ?? created))
        return JSONObject()
    }

    func modelVersion(_ fields: Message) throws(Refusal) -> JSONObject {
        let name = try fields.modelName()
        guard let text = try fields.text("version"), let number = Int(text), number > 0 else {
            throw .mlflow("“version” is not the number of a version.")
        }
        let created = try fields.time("creation_timestamp") ?? ledger.now
        var version = ModelVersion(
            model: 0, project: project, number: number, description: try fields.text("description") ?? "",
            source: try fields.text("source") ?? "", run: try fields.text("run_id") ?? "",
            runLink: try fields.text("run_link") ?? "", loggedModel: try fields.text("model_id") ?? "",
            user: try fields.text("user_id") ?? "", tags: try fields.importedTags(), created: created,
            updated: try fields.time("last_updated_timestamp") ?? created)
        version.stage = ModelStage(word: try fields.text("current_stage") ?? "") ?? .none
        version.state = ModelVersion.State(rawValue: try fields.text("status") ?? "") ?? .ready
        version.stateMessage = try fields.text("status_message") ?? ""
        let source = ModelSource(version.source)
        if let place = try fields.text("storage_location"), !place.isEmpty {
            version.metadata = ModelSource.metadata(place)
        } else if let target = try? source.target(ledger.tx, call) {
            version.metadata = ModelSource.metadata(target.place)
        }
        let made = try ledger.importVersion(version, of: name, aliases: try fields.texts("aliases"))
        return JSONObject([
            .init("version", .string("\(made.version.number)")), .init("created", .bool(made.created)),
        ])
    }

    func loggedModel(_ fields: Message) throws(Refusal) -> JSONObject {
        let home = try ledger.tx.experiment(mlflow: try fields.required("experiment_id"), call)
        let created = try fields.time("creation_timestamp_ms") ?? ledger.now
        let id = try fields.required("model_id")
        var model = LoggedModel(
            id: id, project: project, experiment: home.id, name: try fields.text("name") ?? id,
            type: try fields.text("model_type") ?? "", stateMessage: try fields.text("status_message") ?? "",
            sourceRun: try fields.text("source_run_id") ?? "", tags: try fields.importedTags(), created: created,
            updated: try fields.time("last_updated_timestamp_ms") ?? created)
        for (key, value) in try fields.pairs("params") { model.params[key] = ParamValue(text: value) }
        model.state = try fields.loggedModelState()
        if try fields.text("lifecycle_stage") == "deleted" { model.life = .deleted }
        let metrics = try fields.messages("metrics").map { one throws(Refusal) in
            guard let value = one["value"]?.metricValue else { throw .missing("metrics.value") }
            return ModelMetric(
                key: try one.required("key"), value: value, step: try one.integer("step") ?? 0,
                time: Timestamp(millis: try one.integer("timestamp") ?? 0), run: try one.text("run_id") ?? "",
                dataset: try one.text("dataset_name") ?? "", datasetDigest: try one.text("dataset_digest") ?? "")
        }
        let made = try ledger.importLoggedModel(model, metrics: metrics)
        return JSONObject([
            .init("artifact_uri", .string(try call.api.places.location(of: made.model, ledger.tx))),
            .init("is_deleted", .bool(made.model.life != .active)), .init("created", .bool(made.created)),
        ])
    }
}

extension Message {
    fileprivate func importedTags() throws(Refusal) -> Pairs<TagValue> {
        var tags = Pairs<TagValue>()
        for (key, value) in try pairs("tags") { tags[key] = .some(value) }
        return tags
    }
}
