import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// The registry: models, their aliases, and which versions a search finds.
extension NativeAPI {
    static let modelRoutes: [Route] = [
        Route(
            .get, "/api/v1/models", "List or search the registered models",
            .read { exchange throws(Refusal) in try listModels(exchange) },
            RouteDoc(
                "models",
                query: [
                    .project, .query("filter", "Such as `name LIKE 'churn%' AND tags.team = 'vision'`."),
                    .query("order_by", "Such as `updated DESC`; repeated, or one comma list."), .limit, .pageToken,
                ], answers: [(200, "In order of name, if no other is asked for.", "ModelList")],
                failures: [400, 404, 409, 422], access: .anyone)),
        Route(
            .post, "/api/v1/models", "Register a name for models",
            .change { exchange, bytes throws(Refusal) in try createModel(exchange, bytes) },
            RouteDoc(
                "models", body: "NewModel", answers: [(201, "The model, without versions.", "Model")],
                failures: [400, 404, 409, 415, 422], once: true)),
        Route(
            .get, "/api/v1/models/{model}", "Show a model",
            .read { exchange throws(Refusal) in try showModel(exchange) },
            RouteDoc(
                "models", query: [.project],
                answers: [(200, "The model, and the highest version of each stage.", "Model")],
                failures: [404, 409])),
        Route(
            .patch, "/api/v1/models/{model}", "Rename or change a model",
            .change { exchange, bytes throws(Refusal) in try changeModel(exchange, bytes) },
            RouteDoc(
                "models", query: [.project], body: "ModelChange", answers: [(200, "The model.", "Model")],
                failures: [400, 404, 409, 415, 422],
                details: "Versions, aliases and tags come along with a new name.")),
        Route(
            .delete, "/api/v1/models/{model}", "Delete a model with all its versions",
            .change { exchange, bytes throws(Refusal) in
                try exchange.change(bytes) { ledger, caller throws(Refusal) in
                    let model = try exchange.model(ledger.tx, by: caller, .write)
                    try ledger.deleteModel(model.name, in: model.project)
                    return Answer(status: 204, body: [])
                }
            },
            RouteDoc(
                "models", query: [.project], answers: [(204, "It is deleted, and its name is free.", nil)],
                failures: [404, 409],
                details: "The artifacts of runs stay: a version only says where its files are.")),
        Route(
            .get, "/api/v1/models/{model}/aliases/{alias}", "Show the version that an alias stands for",
            .read { exchange throws(Refusal) in try showVersion(exchange, "@" + exchange["alias"]) },
            RouteDoc(
                "models", query: [.project], answers: [(200, "The version.", "ModelVersion")], failures: [404, 409])),
        Route(
            .put, "/api/v1/models/{model}/aliases/{alias}", "Let an alias stand for a version",
            .change { exchange, bytes throws(Refusal) in
                let fields = try exchange.object(bytes)
                guard let value = fields["version"] else {
                    throw Refusal(
                        .invalid, "The alias has no version.", remedy: "Send {\"version\":3}.", field: "version")
                }
                guard let target = value.int64.map({ "\($0)" }) ?? value.string else {
                    throw fields.wrong("version", "a version's number or alias", value)
                }
                try setModelAlias(exchange, to: target, bytes)
            },
            RouteDoc(
                "models", query: [.project], body: "AliasTarget",
                answers: [(200, "The model with its aliases.", "Model")], failures: [400, 404, 409, 415, 422],
                details: "An alias that stands for another version moves. `latest` and what looks like a version's "
                    + "number cannot be aliases.")),
        Route(
            .delete, "/api/v1/models/{model}/aliases/{alias}", "Take an alias away",
            .change { exchange, bytes throws(Refusal) in try setModelAlias(exchange, to: nil, bytes) },
            RouteDoc(
                "models", query: [.project], answers: [(200, "The model with its aliases.", "Model")],
                failures: [404, 409, 422])),
    ]

    private static func listModels(_ exchange: Exchange) throws(Refusal) -> Response {
        let page = try exchange.engine.searchModels(try exchange.registryRequest(), by: try exchange.caller())
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            var homes = ModelHomes(reader)
            return .json(
                try encoded { writer throws(Refusal) in
                    try writer.registryPage("models", page) { writer, document throws(Refusal) in
                        try writer.model(document.model, &homes)
                    }
                })
        }
    }

    private static func createModel(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        let name = try fields.required("name", or: "model_name", for: "model's name")
        let description = try fields.text("description") ?? ""
        let tags = Pairs(try fields.tags())
        var project = try fields.references("project_id", "project")
        if let text = exchange.query("project"), !text.isEmpty { project.append(("project", text)) }
        let home = project
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let project = try ledger.tx.project(of: home, for: caller)
            try caller.require(.write, on: project.id)
            let model = try ledger.createModel(name, in: project.id, description: description, tags: tags)
            return Answer(status: 201, body: try ledger.tx.body(of: model))
        }
    }

    private static func showModel(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            .json(try reader.body(of: try exchange.model(reader, by: caller)))
        }
    }

    private static func changeModel(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        try fields.requireAny(of: ["name", "description", "tags", "remove_tags"])
        let name = try fields.text("name")
        let update = ModelUpdate(
            description: try fields.text("description"), tags: try fields.tags(),
            removingTags: try fields.texts("remove_tags"))
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            var model = try exchange.model(ledger.tx, by: caller, .write)
            if let name { model = try ledger.renameModel(model.name, in: model.project, to: name) }
            model = try ledger.updateModel(model.name, in: model.project, update)
            return Answer(body: try ledger.tx.body(of: model))
        }
    }

    private static func setModelAlias(_ exchange: Exchange, to target: String?, _ bytes: [UInt8]) throws(Refusal) {
        let alias = exchange["alias"]
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            var model = try exchange.model(ledger.tx, by: caller, .write)
            var version: Int?
            if let target { version = try ledger.tx.resolveModelVersion(target, of: model).number }
            if version == nil, model.aliases[alias] == nil {
                throw Refusal.modelVersionNotFound(
                    alias, of: model.name, near: Nearness.nearest(to: alias, among: model.aliases.keys))
            }
            model = try ledger.setModelAlias(alias, of: model.name, in: model.project, version: version)
            return Answer(body: try ledger.tx.body(of: model))
        }
    }
}

extension RouteDoc.Parameter {
    static let project = query(
        "project", "The project, by id, slug or name; else the default one, or wherever the name is unique.")
}

extension Exchange {
    /// The model that the address names.
    func model(
        _ reader: any StoreReader, by caller: Caller, _ needed: Role = .read
    ) throws(Refusal) -> RegisteredModel {
        let project = query("project").flatMap { $0.isEmpty ? nil : $0 }
        return try reader.resolveModel(self["model"], in: project, by: caller, needed)
    }

    /// What a query asks of models, versions or logged models.
    func registryRequest() throws(Refusal) -> RegistryRequest {
        var request = RegistryRequest()
        request.project = query("project").flatMap { $0.isEmpty ? nil : $0 }
        request.filter = query("filter") ?? ""
        request.orderBy = self.request.query.all("order_by")
        if query("limit") != nil { request.limit = try limit() }
        request.pageToken = query("page_token")
        return request
    }
}

/// Projects by id, each looked up once for an answer.
struct ModelHomes {
    let reader: any StoreReader
    private var known: [ProjectID: Project] = [:]
    init(_ reader: any StoreReader) { self.reader = reader }

    mutating func project(_ id: ProjectID) throws(Refusal) -> Project? {
        if let found = known[id] { return found }
        let found = try reader.project(id)
        known[id] = found
        return found
    }
}

extension StoreReader {
    /// A model by itself: with the highest version of each stage.
    func body(of model: RegisteredModel) throws(Refusal) -> [UInt8] {
        var homes = ModelHomes(self)
        let latest = try latestVersions(of: model)
        return try encoded { writer throws(Refusal) in try writer.model(model, latest: latest, &homes) }
    }
}

extension JSONWriter {
    mutating func registryPage<Document>(
        _ name: StaticString, _ page: RegistryPage<Document>,
        _ write: (inout JSONWriter, Document) throws(Refusal) -> Void
    ) throws(Refusal) {
        beginObject()
        key(name)
        beginArray()
        for document in page.documents { try write(&self, document) }
        endArray()
        nextPage(page.nextPageToken)
        member("total", page.total)
        endObject()
    }

    mutating func model(
        _ model: RegisteredModel, latest: [ModelVersion]? = nil, _ homes: inout ModelHomes
    ) throws(Refusal) {
        let project = try homes.project(model.project)
        let count = try homes.reader.cardCount(ModelVersion.kind, owner: Card.owner(card: model.id))
        beginObject()
        member("name", model.name)
        member("model_name", model.name)
        member("project_id", "\(model.project)")
        text("project", project?.slug)
        member("description", model.description)
        tags(model.tags)
        object("aliases") { writer in
            for (alias, version) in model.aliases.entries { writer.member(dynamic: alias, version) }
        }
        member("version_count", count)
        if let latest {
            array("latest_versions") { writer in
                for version in latest { writer.modelVersion(version, of: model, project: project) }
            }
        }
        time("created_at", model.created)
        time("updated_at", model.updated)
        endObject()
    }

    mutating func modelVersion(_ version: ModelVersion, of model: RegisteredModel, project: Project?) {
        object { writer in
            writer.member("name", model.name)
            writer.member("model_name", model.name)
            writer.member("version", version.number)
            writer.member("project_id", "\(version.project)")
            writer.text("project", project?.slug)
            writer.member("stage", version.stage.rawValue)
            writer.member("status", version.state.rawValue)
            writer.text("status_message", version.stateMessage.isEmpty ? nil : version.stateMessage)
            writer.member("description", version.description)
            writer.member("source", version.source)
            writer.text("run_id", version.run.isEmpty ? nil : version.run)
            writer.text("artifact_path", version.artifact?.path)
            writer.text("run_link", version.runLink.isEmpty ? nil : version.runLink)
            writer.text("logged_model_id", version.loggedModel.isEmpty ? nil : version.loggedModel)
            writer.text("user", version.user.isEmpty ? nil : version.user)
            writer.array("aliases") { writer in for alias in model.aliases(of: version.number) { writer.string(alias) }
            }
            writer.tags(version.tags)
            writer.stored("metadata", version.metadata)
            writer.time("created_at", version.created)
            writer.time("updated_at", version.updated)
        }
    }
}
