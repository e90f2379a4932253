import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Who changed what and when, and the proof that no line of it was changed since.
extension NativeAPI {
    static let auditRoutes: [Route] = [
        Route(
            .get, "/api/v1/audit", "Read the audit trail",
            .read { exchange throws(Refusal) in try listAudit(exchange) },
            RouteDoc(
                "access",
                query: [
                    .query("project", "Only that of this project: id, slug or name."),
                    .query("before", "Only entries with a smaller number.", ["type": "integer"]), .limit, .pageToken,
                ], answers: [(200, "Entries, newest first.", "AuditList")], failures: [400, 404, 422], access: .admin,
                details: "For admins of the project; without `project`, for admins of the store.")),
        Route(
            .get, "/api/v1/audit/verify", "Check that the audit trail is whole",
            .slowRead { exchange throws(Refusal) in try verifyAudit(exchange) },
            RouteDoc(
                "access", query: [.query("project", "Only that of this project: id, slug or name.")],
                answers: [(200, "Whether every entry follows from the one before it.", "AuditVerdict")],
                failures: [404], access: .admin,
                details: "Each entry's hash covers the one before it in its project.")),
    ]

    private static func listAudit(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let limit = try exchange.limit()
        var before = try exchange.integer("before")
        if let place = try exchange.placeInList(Int64.self) { before = min(place, before ?? place) }
        let below = before
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let project = try auditedProject(exchange, reader, caller)
            let found = try reader.audit(project?.id, before: below, limit: limit + 1)
            let page = exchange.page(Array(found.prefix(limit)), hasMore: found.count > limit) { $0.number }
            return .json(try encoded { $0.list("entries", page) { $0.auditEntry($1) } })
        }
    }

    private static func verifyAudit(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let projects = try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            if let project = try auditedProject(exchange, reader, caller) { return [project] }
            return try reader.projects()
        }
        var broken: [(project: ProjectID, entry: Int64)] = []
        for project in projects {
            broken += try exchange.engine.brokenAuditEntries(in: project.id).map { (project.id, $0) }
        }
        return .json(
            try encoded { writer in
                writer.object { writer in
                    writer.member("whole", broken.isEmpty)
                    writer.array("projects") { writer in for project in projects { writer.string(project.slug) } }
                    writer.array("broken") { writer in
                        for (project, entry) in broken {
                            writer.object { writer in
                                writer.member("project_id", "\(project)")
                                writer.member("number", entry)
                            }
                        }
                    }
                }
            })
    }

    /// The project that is asked about; nil for all of them.
    private static func auditedProject(
        _ exchange: Exchange, _ reader: any StoreReader, _ caller: Caller
    ) throws(Refusal) -> Project? {
        guard let text = exchange.query("project"), !text.isEmpty else {
            try caller.require(.admin)
            return nil
        }
        let project = try reader.resolveProject(text, for: caller)
        try caller.require(.admin, on: project.id)
        return project
    }
}

extension JSONWriter {
    fileprivate mutating func auditEntry(_ entry: AuditEntry) {
        object { writer in
            writer.member("number", entry.number)
            writer.time("at", entry.at)
            writer.member("project_id", "\(entry.project)")
            writer.member("who", entry.who)
            writer.member("via", entry.via)
            writer.member("request_id", entry.request)
            writer.member("action", entry.action)
            writer.member("subject", entry.subject)
            writer.stored("detail", entry.detail.isEmpty ? "{}" : entry.detail)
            writer.member("hash", entry.hash.text)
        }
    }
}
