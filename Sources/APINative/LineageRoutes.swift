import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Where an artifact came from and what was made of it: inputs and outputs of runs.
extension NativeAPI {
    static let lineageRoutes: [Route] =
        Lineage.Role.allCases.flatMap { role in
            let (list, what): (StaticString, String) = role == .input ? ("inputs", "used") : ("outputs", "made")
            return [
                Route(
                    .post, "/api/v1/runs/{run}/\(list)", "Say that a run \(what) a version of a named artifact",
                    .change { exchange, bytes throws(Refusal) in try link(exchange, bytes, role) },
                    RouteDoc(
                        "artifacts", body: role == .input ? "NewInput" : "NewOutput",
                        answers: [(200, "That was known.", "LinkedVersion"), (201, "The link.", "LinkedVersion")],
                        failures: [400, 404, 409, 415, 422], once: true,
                        details: "`artifact` is `name:alias`, `name:3`, or a name with `version` beside it.")),
                Route(
                    .get, "/api/v1/runs/{run}/\(list)", "List the versions of named artifacts that a run \(what)",
                    .read { exchange throws(Refusal) in try listLinks(exchange, role, list) },
                    RouteDoc(
                        "artifacts", query: [.limit, .pageToken],
                        answers: [
                            (
                                200, "In the order in which they were \(what).",
                                role == .input ? "InputList" : "OutputList"
                            )
                        ],
                        failures: [404, 409, 422])),
            ]
        } + [
            Route(
                .get, "/api/v1/projects/{project}/artifacts/{artifact}/versions/{version}/runs",
                "List the runs that made or used a version",
                .read { exchange throws(Refusal) in try listUsers(exchange) },
                RouteDoc(
                    "artifacts", query: [.limit, .pageToken],
                    answers: [(200, "Those that the caller may read, in order.", "VersionUserList")],
                    failures: [404, 409, 422]))
        ]

    private static func link(_ exchange: Exchange, _ bytes: [UInt8], _ role: Lineage.Role) throws(Refusal) {
        let fields = try exchange.object(bytes)
        guard let text = try fields.text("artifact", or: "name"), !text.isEmpty else {
            throw Refusal(
                .invalid, "The body names no artifact.", remedy: "Send {\"artifact\":\"name:alias\"}.",
                field: "artifact")
        }
        var name = text
        var wanted = fields["version"]?.int64.map { "\($0)" }
        if wanted == nil { wanted = try fields.text("version") }
        if wanted == nil, let colon = text.lastIndex(of: ":") {
            (name, wanted) = (String(text[..<colon]), String(text[text.index(after: colon)...]))
        }
        let home = try fields.text("project")
        let (named, version) = (name, wanted ?? "latest")
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let run = try exchange.writableRun(ledger, by: caller)
            var project = run.project
            if let home { project = try ledger.tx.resolveProject(home, for: caller).id }
            try caller.require(.read, on: project)
            guard let owner = try ledger.tx.project(project) else { throw Refusal.namedArtifactNotFound(named) }
            let view = try NamedView(named, in: owner, ledger.tx)
            let found = try view.version(version)
            let isNew = try ledger.link(run.key, role, found, in: project, who: caller.principal)
            return Answer(
                status: isNew ? 201 : 200,
                body: try encoded { $0.linked(found, view, run: run.id, role, at: nil) })
        }
    }

    private static func listLinks(
        _ exchange: Exchange, _ role: Lineage.Role, _ list: StaticString
    ) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let run = try exchange.readableRun(reader, by: caller)
            let links = try reader.lineage(of: run.key, role).filter { caller.may(.read, on: $0.link.project) }
            let page = try exchange.page(links) { $0.item.id }
            var rows: [(version: NamedVersion, view: NamedView, at: Timestamp)] = []
            for (item, link) in page.rows {
                // A project that was deleted for good took its versions along.
                guard let project = try reader.project(link.project),
                    let view = try? NamedView(link.name, in: project, reader),
                    let version = view.versions.first(where: { $0.version == link.version })
                else { continue }
                rows.append((version, view, item.at))
            }
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        writer.array(list) { writer in
                            for row in rows { writer.linked(row.version, row.view, run: run.id, role, at: row.at) }
                        }
                        writer.nextPage(page.next)
                    }
                })
        }
    }

    private static func listUsers(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let project = try exchange.readableProject(reader, by: caller)
            let version = try NamedView(exchange["artifact"], in: project, reader).version(exchange["version"])
            let users = try reader.users(of: version.name, version: version.version, in: project.id)
                .filter { caller.may(.read, on: $0.run.project) }
            let page = try exchange.page(users) { $0.item.id }
            var homes: [ExperimentID: String] = [:]
            for user in page.rows { homes[user.run.experiment] = try reader.experiment(user.run.experiment)?.name }
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        writer.array("runs") { writer in
                            for user in page.rows {
                                writer.object { writer in
                                    writer.member("run_id", user.run.id.text)
                                    writer.member("short_id", user.run.shortID)
                                    writer.member("run_name", user.run.name)
                                    writer.member("experiment_id", "\(user.run.experiment)")
                                    writer.member("experiment", homes[user.run.experiment] ?? "")
                                    writer.member("role", user.link.role.rawValue)
                                    writer.time("linked_at", user.item.at)
                                }
                            }
                        }
                        writer.nextPage(page.next)
                    }
                })
        }
    }
}

extension JSONWriter {
    fileprivate mutating func linked(
        _ version: NamedVersion, _ view: NamedView, run: RunID, _ role: Lineage.Role, at: Timestamp?
    ) {
        object { writer in
            writer.member("run_id", run.text)
            writer.member("role", role.rawValue)
            writer.member("project", view.project.slug)
            if let at { writer.time("linked_at", at) }
            writer.key("artifact")
            writer.version(version, view)
        }
    }
}
