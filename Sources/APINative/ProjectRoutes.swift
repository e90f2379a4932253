import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

extension NativeAPI {
    static let projectRoutes: [Route] = [
        Route(
            .post, "/api/v1/projects", "Create a project, or get the one of that name",
            .change { exchange, bytes throws(Refusal) in try createProject(exchange, bytes) },
            RouteDoc(
                "projects", body: "NewProject",
                answers: [
                    (200, "The project of that name that was there.", "Project"), (201, "A new project.", "Project"),
                ], failures: [400, 409, 415, 422], access: .storeWrite, once: true,
                details: "The name in addresses (`slug`) is made from the name, or given as `slug`.")),
        Route(
            .get, "/api/v1/projects", "List projects",
            .read { exchange throws(Refusal) in try listProjects(exchange) },
            RouteDoc(
                "projects",
                query: [
                    .query("team", "Only those of this team."),
                    .query("tag", "Only those with this tag (`healthcare`, `stage=pilot`); repeat it for more."),
                    .query("name", "Only the one of this name."), .life, .limit, .pageToken,
                ], answers: [(200, "Projects, in order of id. All filters must hold.", "ProjectList")], failures: [422],
                access: .anyone)),
        Route(
            .get, "/api/v1/projects/{project}", "Show a project",
            .read { exchange throws(Refusal) in try showProject(exchange) },
            RouteDoc(
                "projects", answers: [(200, "The project with its counts and last activity.", "Project")],
                failures: [404, 409])),
        Route(
            .patch, "/api/v1/projects/{project}", "Change a project",
            .change { exchange, bytes throws(Refusal) in try updateProject(exchange, bytes) },
            RouteDoc(
                "projects", body: "ProjectChange", answers: [(200, "The project.", "Project")],
                failures: [400, 404, 409, 415, 422])),
        Route(
            .delete, "/api/v1/projects/{project}", "Delete a project",
            .change { exchange, bytes throws(Refusal) in try deleteProject(exchange, bytes) },
            RouteDoc(
                "projects", query: [.permanent], answers: [(204, "It is deleted.", nil)], failures: [404, 409],
                access: .admin,
                details: "Its experiments and runs go with it and come back with it. `permanent=true` cannot be undone."
            )),
        Route(
            .post, "/api/v1/projects/{project}/restore", "Bring a deleted project back",
            .change { exchange, bytes throws(Refusal) in try restoreProject(exchange, bytes) },
            RouteDoc(
                "projects", answers: [(200, "The project, with what was deleted with it.", "Project")],
                failures: [404, 409], access: .admin)),
    ]

    private static func createProject(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        var draft = ProjectDraft(title: try fields.required("name", or: "title", for: "project's name"))
        if let slug = try fields.text("slug") {
            guard Slug.make(from: slug) == slug, Int64(slug) == nil else {
                throw Refusal(
                    .invalid, "“\(slug.prefix(60))” cannot stand in an address.",
                    remedy: "Use lower-case letters, digits and single dashes, and not digits alone.", field: "slug")
            }
            draft.slug = slug
        }
        draft.description = try fields.text("description") ?? ""
        draft.team = try fields.text("team") ?? ""
        draft.tags = Pairs(try fields.tags())
        let wanted = draft
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            try caller.require(.write)
            let (project, created) = try ledger.createProject(wanted)
            return Answer(status: created ? 201 : 200, body: try body(project, ledger.tx, created: created))
        }
    }

    private static func listProjects(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let life = try exchange.lifeFilter()
        let team = exchange.query("team")
        let name = exchange.query("name")
        let tags = exchange.request.query.all("tag").map(TagFilter.init)
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let shown = try reader.projects(life).filter { project in
                caller.may(.read, on: project.id) && (team == nil || project.team == team)
                    && (name == nil || project.title == name || project.slug == name)
                    && tags.allSatisfy { $0.matches(project.tags) }
            }
            let page = try exchange.page(shown) { $0.id.raw }
            let views = try page.map { project throws(Refusal) in try reader.view(of: project) }
            return .json(try encoded { $0.list("projects", views) { $0.project($1) } })
        }
    }

    private static func showProject(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let project = try reader.resolveProject(exchange["project"], for: caller)
            try caller.require(.read, on: project.id)
            return .json(try body(project, reader))
        }
    }

    private static func updateProject(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        try fields.requireAny(of: ["name", "title", "description", "team", "tags", "remove_tags"])
        let name = try fields.text("name", or: "title")
        let description = try fields.text("description")
        let team = try fields.text("team")
        let added = try fields.tags()
        let removed = try fields.texts("remove_tags")
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let found = try ledger.tx.resolveProject(exchange["project"], for: caller)
            try caller.require(.write, on: found.id)
            var tags = found.tags
            for (key, value) in added { tags[key] = .some(value) }
            for key in removed { tags[key] = .none }
            let project = try ledger.updateProject(
                found.id, title: name, description: description, team: team, tags: tags)
            return Answer(body: try body(project, ledger.tx))
        }
    }

    private static func deleteProject(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let isPermanent = try exchange.switchedOn("permanent")
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let project = try ledger.tx.resolveProject(exchange["project"], for: caller)
            try caller.require(.admin, on: project.id)
            if isPermanent {
                try ledger.purgeProject(project.id)
            } else if project.life == .active {
                try ledger.deleteProject(project.id)
            }
            return Answer(status: 204, body: [])
        }
    }

    private static func restoreProject(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let found = try ledger.tx.resolveProject(exchange["project"], for: caller)
            try caller.require(.admin, on: found.id)
            return Answer(body: try body(try ledger.restoreProject(found.id), ledger.tx))
        }
    }

    private static func body(
        _ project: Project, _ reader: any StoreReader, created: Bool? = nil
    ) throws(Refusal) -> [UInt8] {
        let view = try reader.view(of: project)
        return try encoded { $0.project(view, created: created) }
    }
}

extension JSONWriter {
    mutating func project(_ view: ProjectView, created: Bool? = nil) {
        project(
            view.project, counts: (view.experiments, view.runs), lastActivity: view.lastActivity, created: created)
    }

    /// A list under its plural name, and where it goes on.
    mutating func list<Row>(
        _ name: StaticString, _ page: Page<Row>, _ write: (inout JSONWriter, Row) -> Void
    ) {
        object { writer in
            writer.array(name) { writer in for row in page.rows { write(&writer, row) } }
            writer.text("next_page_token", page.next)
        }
    }
}

extension RouteDoc.Parameter {
    static let life = query(
        "state", "`active`, `deleted` or `all`.",
        ["type": "string", "enum": ["active", "deleted", "all"], "default": "active"])
    static let permanent = query(
        "permanent", "`true` deletes for good; it needs the role admin.", ["type": "boolean", "default": false])
}

extension Exchange {
    func lifeFilter() throws(Refusal) -> LifeFilter {
        guard let word = query("state") else { return .active }
        guard let filter = LifeFilter(rawValue: word.lowercased()) else {
            throw Refusal(
                .invalid, "The state “\(word.prefix(40))” is not known.", remedy: "Use active, deleted or all.",
                field: "state")
        }
        return filter
    }
}
