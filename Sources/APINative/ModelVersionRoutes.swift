import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Versions of models. Wherever one is named, a number, `v3`, `latest` or an alias will do.
extension NativeAPI {
    private static let home = "/api/v1/models/{model}/versions"

    static let modelVersionRoutes: [Route] = [
        Route(
            .get, "/api/v1/model-versions", "Search the versions of all models",
            .read { exchange throws(Refusal) in try listVersions(exchange, nil) },
            RouteDoc(
                "models", query: [.project] + searchParameters,
                answers: [(200, "By name, the newest version first.", "ModelVersionList")],
                failures: [400, 404, 409, 422], access: .anyone)),
        Route(
            .get, home, "List or search a model's versions",
            .read { exchange throws(Refusal) in
                let caller = try exchange.caller()
                let model = try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
                    try exchange.model(reader, by: caller)
                }
                return try listVersions(exchange, model)
            },
            RouteDoc(
                "models", query: [.project] + searchParameters,
                answers: [(200, "The newest first.", "ModelVersionList")], failures: [400, 404, 409, 422])),
        Route(
            .post, home, "Register a version of a model",
            .change { exchange, bytes throws(Refusal) in try createVersion(exchange, bytes) },
            RouteDoc(
                "models", query: [.project], body: "NewModelVersion",
                answers: [(201, "The version.", "ModelVersion")], failures: [400, 404, 409, 413, 415, 422],
                once: true,
                details: """
                    Its files are an artifact of a run (`run_id` and `path`), or lie at any address (`source`). With a run \
                    alone, its one artifact of type model is taken. `create_model` makes the model where there is none.
                    """)),
        Route(
            .get, home + "/{version}", "Show a version, by number, alias or `latest`",
            .read { exchange throws(Refusal) in try showVersion(exchange, exchange["version"]) },
            RouteDoc(
                "models", query: [.project], answers: [(200, "The version.", "ModelVersion")], failures: [404, 409])),
        Route(
            .patch, home + "/{version}", "Change a version's description and tags",
            .change { exchange, bytes throws(Refusal) in
                let fields = try exchange.object(bytes)
                try fields.requireAny(of: ["description", "tags", "remove_tags"])
                let update = ModelUpdate(
                    description: try fields.text("description"), tags: try fields.tags(),
                    removingTags: try fields.texts("remove_tags"))
                try changeVersion(exchange, bytes) { ledger, model, number throws(Refusal) in
                    try ledger.updateModelVersion(number, of: model.name, in: model.project, update)
                }
            },
            RouteDoc(
                "models", query: [.project], body: "ModelVersionChange",
                answers: [(200, "The version.", "ModelVersion")], failures: [400, 404, 409, 415, 422])),
        Route(
            .delete, home + "/{version}", "Delete a version and its aliases",
            .change { exchange, bytes throws(Refusal) in
                try exchange.change(bytes) { ledger, caller throws(Refusal) in
                    let model = try exchange.model(ledger.tx, by: caller, .write)
                    let version = try ledger.tx.resolveModelVersion(exchange["version"], of: model)
                    _ = try ledger.deleteModelVersion(version.number, of: model.name, in: model.project)
                    return Answer(status: 204, body: [])
                }
            },
            RouteDoc(
                "models", query: [.project],
                answers: [(204, "It is deleted. Its number is not given again.", nil)], failures: [404, 409])),
        Route(
            .post, home + "/{version}/stage", "Move a version to a stage",
            .change { exchange, bytes throws(Refusal) in
                let fields = try exchange.object(bytes)
                let word = try fields.required("stage", for: "stage")
                guard let stage = ModelStage(word: word) else { throw Refusal.unknownStage(word) }
                let isArchiving = try fields.flag("archive_existing_versions") ?? false
                try changeVersion(exchange, bytes) { ledger, model, number throws(Refusal) in
                    try ledger.transition(
                        number, of: model.name, in: model.project, to: stage, archiving: isArchiving)
                }
            },
            RouteDoc(
                "models", query: [.project], body: "StageChange", answers: [(200, "The version.", "ModelVersion")],
                failures: [400, 404, 409, 415, 422])),
        Route(
            .get, home + "/{version}/download-uri", "Tell where a version's files are",
            .read { exchange throws(Refusal) in try tellSource(exchange) },
            RouteDoc(
                "models", query: [.project], answers: [(200, "The address.", "ModelSource")], failures: [404, 409])),
        Route(
            .get, "/api/v1/runs/{run}/model-versions", "List the versions that were registered from a run",
            .read { exchange throws(Refusal) in
                let caller = try exchange.caller()
                return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
                    let run = try exchange.readableRun(reader, by: caller)
                    var homes = ModelHomes(reader)
                    let found = try exchange.engine.modelVersions(of: run, reader)
                    return .json(
                        try encoded { writer throws(Refusal) in
                            writer.beginObject()
                            writer.key("model_versions")
                            writer.beginArray()
                            for (model, version) in found where caller.may(.read, on: model.project) {
                                writer.modelVersion(version, of: model, project: try homes.project(model.project))
                            }
                            writer.endArray()
                            writer.nextPage(nil)
                            writer.endObject()
                        })
                }
            },
            RouteDoc("models", answers: [(200, "Oldest first.", "ModelVersionList")], failures: [404, 409])),
    ]

    private static let searchParameters: [RouteDoc.Parameter] = [
        .query("filter", "Such as `stage = 'Production' AND tags.checked EXISTS`, or `run = '…'`."),
        .query("order_by", "Such as `created DESC`; repeated, or one comma list."), .limit, .pageToken,
    ]

    private static func listVersions(_ exchange: Exchange, _ model: RegisteredModel?) throws(Refusal) -> Response {
        let page = try exchange.engine.searchModelVersions(
            try exchange.registryRequest(), of: model, by: try exchange.caller())
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            var homes = ModelHomes(reader)
            return .json(
                try encoded { writer throws(Refusal) in
                    try writer.registryPage("model_versions", page) { writer, document throws(Refusal) in
                        let project = try homes.project(document.version.project)
                        writer.modelVersion(document.version, of: document.model, project: project)
                    }
                })
        }
    }

    static func showVersion(_ exchange: Exchange, _ text: String) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let model = try exchange.model(reader, by: caller)
            let version = try reader.resolveModelVersion(text, of: model)
            return .json(try reader.body(of: version, of: model))
        }
    }

    private static func changeVersion(
        _ exchange: Exchange, _ bytes: [UInt8],
        _ change:
            @escaping @Sendable (Ledger, RegisteredModel, Int) throws(Refusal) -> (RegisteredModel, ModelVersion)
    ) throws(Refusal) {
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let model = try exchange.model(ledger.tx, by: caller, .write)
            let version = try ledger.tx.resolveModelVersion(exchange["version"], of: model)
            let (changed, kept) = try change(ledger, model, version.number)
            return Answer(body: try ledger.tx.body(of: kept, of: changed))
        }
    }

    private static func createVersion(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let body = try NewModelVersion(try exchange.object(bytes))
        let project = exchange.query("project").flatMap { $0.isEmpty ? nil : $0 } ?? body.project
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let run = try body.findRun(ledger.tx, by: caller, exchange.engine)
            let model = try body.model(exchange["model"], in: project, of: run, by: caller, ledger)
            var draft = body.draft
            draft.user = caller.principal
            draft.run = run?.id.text ?? ""
            draft.source = try body.source(run, ledger.tx)
            let (changed, version) = try ledger.createModelVersion(of: model.name, in: model.project, draft)
            return Answer(status: 201, body: try ledger.tx.body(of: version, of: changed))
        }
    }

    private static func tellSource(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let model = try exchange.model(reader, by: caller)
            let version = try reader.resolveModelVersion(exchange["version"], of: model)
            var path: String?
            if let (run, artifact) = version.artifact {
                let segments = artifact.split(separator: "/").map { PercentCoding.encode(String($0)) }
                path = "/api/v1/runs/\(PercentCoding.encode(run))/artifacts/\(segments.joined(separator: "/"))"
            }
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        writer.member("name", model.name)
                        writer.member("version", version.number)
                        writer.member("uri", version.source)
                        writer.text("download_path", path)
                    }
                })
        }
    }
}

/// What a request says of a new version, under the names that the documents use for it.
struct NewModelVersion: Sendable {
    var draft: ModelVersionDraft
    var project: String?
    private var run: String?
    /// Said in passing, among the metadata: followed where there is such a run, and kept as it is where not.
    private var runInMetadata: String?
    private var path: String?
    private var createsModel: Bool

    init(_ fields: Fields) throws(Refusal) {
        var place = try fields.text("source", or: "uri")
        if place == nil { place = try fields.text("model_path") }
        draft = ModelVersionDraft(source: place ?? "")
        run = try fields.text("run_id", or: "run")
        path = try fields.text("path", or: "artifact_path")
        createsModel = try fields.flag("create_model") ?? false
        project = try fields.references("project_id", "project").first?.text
        draft.description = try fields.text("description") ?? ""
        draft.runLink = try fields.text("run_link") ?? ""
        draft.loggedModel = try fields.text("logged_model_id") ?? ""
        draft.tags = Pairs(try fields.tags())
        draft.aliases = try fields.texts("aliases")
        var metadata = JSONObject()
        if let value = fields["metadata"] {
            guard let object = value.object else { throw fields.wrong("metadata", "an object", value) }
            metadata = object
        }
        for name in ["artifacts", "metrics", "parameters", "params"] where metadata[name] == nil {
            if let value = fields[name] { metadata[name == "params" ? "parameters" : name] = value }
        }
        runInMetadata = metadata["run_id"]?.string
        draft.metadata = String(decoding: try encoded { $0.value(metadata) }, as: UTF8.self)
    }

    func findRun(_ reader: any StoreReader, by caller: Caller, _ engine: Engine) throws(Refusal) -> Run? {
        if let run { return try engine.readable(run, by: caller, reader) }
        guard let runInMetadata else { return nil }
        do throws(Refusal) {
            return try engine.readable(runInMetadata, by: caller, reader)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    /// The model of that name; with `create_model` a new one, in the run's project if no other is named.
    func model(
        _ name: String, in project: String?, of run: Run?, by caller: Caller, _ ledger: Ledger
    ) throws(Refusal) -> RegisteredModel {
        if project == nil, let run, let near = try ledger.tx.model(named: name, in: run.project) {
            try caller.require(.write, on: near.project)
            return near
        }
        do throws(Refusal) {
            return try ledger.tx.resolveModel(name, in: project, by: caller, .write)
        } catch {
            guard error.code == .notFound else { throw error }
            guard createsModel else {
                var refusal = error
                refusal.remedy = "Make it with POST /api/v1/models, or send “create_model”: true."
                throw refusal
            }
        }
        var home = run?.project ?? .standard
        if let project { home = try ledger.tx.resolveProject(project, for: caller).id }
        try caller.require(.write, on: home)
        return try ledger.createModel(name, in: home)
    }

    func source(_ run: Run?, _ reader: any StoreReader) throws(Refusal) -> String {
        if let path {
            guard let run else {
                throw Refusal(
                    .invalid, "The path “\(path.prefix(80))” belongs to no run.", remedy: "Send “run_id” with it.",
                    field: "run_id")
            }
            return try Engine.source(of: path, in: run, reader)
        }
        guard draft.source.isEmpty, let run else { return draft.source }
        var models: Set<String> = []
        for artifact in try reader.artifacts(of: run.key) where artifact.life == .active && artifact.type == "model" {
            models.insert(artifact.path)
        }
        guard models.count < 2 else {
            throw Refusal(
                .invalid, "Run \(run.shortID) has \(models.count) artifacts of type model.",
                remedy: "Say which: send “path”.", field: "path", candidates: Array(models.sorted().prefix(6)))
        }
        return models.first.map { "runs:/\(run.id)/\($0)" } ?? "runs:/\(run.id)"
    }
}

extension StoreReader {
    func body(of version: ModelVersion, of model: RegisteredModel) throws(Refusal) -> [UInt8] {
        let project = try project(model.project)
        return try encoded { $0.modelVersion(version, of: model, project: project) }
    }
}

extension Refusal {
    static func unknownStage(_ word: String) -> Refusal {
        let words = ModelStage.allCases.map(\.rawValue)
        return Refusal(
            .invalid, "“\(word.prefix(40))” is no stage.", remedy: "Use one of \(words.joined(separator: ", ")).",
            field: "stage", candidates: Nearness.nearest(to: word, among: words))
    }
}
