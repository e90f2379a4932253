import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Comparisons that are kept: what stood side by side at a moment stays readable as it was, and is looked at again on
// demand, which adds a version and changes none.
extension NativeAPI {
    static let comparisonRoutes: [Route] = [
        Route(
            .post, "/api/v1/experiments/compare", "Compare experiments, and keep the comparison",
            .change(limit: 1 << 20) { exchange, bytes throws(Refusal) in
                let fields = try exchange.object(bytes)
                guard fields.has("experiment_ids") else {
                    throw Refusal(
                        .invalid, "No experiments are named.",
                        remedy: "Send {\"experiment_ids\":[\"1\",\"2\"],\"metrics\":[\"accuracy\"]}.",
                        field: "experiment_ids")
                }
                try keep(exchange, bytes, fields)
            },
            RouteDoc(
                "comparisons", body: "ExperimentsToCompare", answers: [(201, "What was kept.", "Comparison")],
                failures: [400, 404, 409, 413, 415, 422], once: true, details: explained)),
        Route(
            .post, "/api/v1/comparisons", "Compare runs or experiments, and keep the comparison",
            .change(limit: 1 << 20) { exchange, bytes throws(Refusal) in
                try keep(exchange, bytes, try exchange.object(bytes))
            },
            RouteDoc(
                "comparisons", body: "ThingsToCompare", answers: [(201, "What was kept.", "Comparison")],
                failures: [400, 404, 409, 413, 415, 422], once: true, details: explained)),
        Route(
            .get, "/api/v1/comparisons", "List kept comparisons",
            .read { exchange throws(Refusal) in try list(exchange) },
            RouteDoc(
                "comparisons", query: [.query("project", "Only those kept in this project."), .limit, .pageToken],
                answers: [
                    (200, "Those that the caller may read, oldest first, without what they saw.", "ComparisonList")
                ],
                failures: [400, 404, 409, 422], access: .anyone)),
        Route(
            .get, "/api/v1/comparisons/{comparison}", "Show a kept comparison as it was seen",
            .read { exchange throws(Refusal) in try show(exchange) },
            RouteDoc(
                "comparisons",
                query: [
                    .query("version", "Which look at it; the newest if not given.", ["type": "integer", "minimum": 1])
                ],
                answers: [(200, "The comparison with the data of one version.", "Comparison")],
                failures: [400, 404, 422])),
        Route(
            .post, "/api/v1/comparisons/{comparison}/refresh", "Look again, and keep what is seen as the next version",
            .change { exchange, bytes throws(Refusal) in try refresh(exchange, bytes) },
            RouteDoc(
                "comparisons", answers: [(201, "With the new version.", "Comparison")], failures: [404, 409, 422],
                once: true,
                details: "Earlier versions stay as they are. \(KeptComparison.versionsMax) are kept at most.")),
        Route(
            .delete, "/api/v1/comparisons/{comparison}", "Delete a kept comparison with all its versions",
            .change { exchange, bytes throws(Refusal) in
                try exchange.change(bytes) { ledger, caller throws(Refusal) in
                    let known = try exchange.comparison(ledger.tx, by: caller, .write)
                    try ledger.deleteComparison(known.id)
                    return Answer(status: 204, body: [])
                }
            },
            RouteDoc("comparisons", answers: [(204, "It is gone.", nil)], failures: [404])),
    ]

    private static let explained =
        "\(KeptComparison.membersRange.lowerBound) to \(KeptComparison.membersRange.upperBound) are compared. It is kept in the "
        + "project of the first, whose writers may refresh it; who may read all projects in it may see it. Where a run is "
        + "deleted later, what was kept of it stays."

    private static func keep(_ exchange: Exchange, _ bytes: [UInt8], _ fields: Fields) throws(Refusal) {
        let caller = try exchange.caller()
        let engine = exchange.engine
        let wanted = try ComparisonWish(fields)
        let (draft, document) = try wanted.look(engine, by: caller)
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            try caller.require(.write, on: draft.project)
            let kept = try ledger.keepComparison(draft, data: document, who: caller.principal)
            return Answer(status: 201, body: try answer(kept, kept.versions.count, document, withData: false))
        }
    }

    private static func list(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            var home: ProjectID?
            if let named = exchange.query("project"), !named.isEmpty {
                let project = try reader.resolveProject(named, for: caller)
                try caller.require(.read, on: project.id)
                home = project.id
            }
            let all = try reader.comparisons(in: home).filter { one in
                one.projects.allSatisfy { caller.may(.read, on: $0) }
            }
            let page = try exchange.page(all) { $0.card }
            return .json(
                try encoded { writer in
                    writer.list("comparisons", page) { writer, comparison in
                        writer.object { $0.comparison(comparison, version: comparison.versions.count) }
                    }
                })
        }
    }

    private static func show(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let comparison = try exchange.comparison(reader, by: caller, .read)
            let newest = comparison.versions.count
            let wanted = try exchange.integer("version").map { Int(clamping: $0) } ?? newest
            guard let document = try reader.data(of: comparison, version: wanted) else {
                throw Refusal(
                    .notFound, "The comparison has no version \(wanted); the newest is \(newest).",
                    remedy: "Ask for one from 1 to \(newest).", field: "version")
            }
            return .json(try answer(comparison, wanted, document, withData: true))
        }
    }

    private static func refresh(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let caller = try exchange.caller()
        let known = try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            try exchange.comparison(reader, by: caller, .write)
        }
        let document = try ComparisonWish(known).look(exchange.engine, by: caller).document
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            _ = try exchange.comparison(ledger.tx, by: caller, .write)
            let kept = try ledger.refreshComparison(known.id, data: document, who: caller.principal)
            return Answer(status: 201, body: try answer(kept, kept.versions.count, document, withData: false))
        }
    }

    private static func answer(
        _ comparison: KeptComparison, _ version: Int, _ document: String, withData: Bool
    ) throws(Refusal) -> [UInt8] {
        guard let seen = try? JSONValue(parsing: document), let results = seen["results"]?.object else {
            throw Refusal(
                .damaged, "What the comparison \(comparison.id) saw in version \(version) cannot be read.",
                remedy: "Run `martlet fsck` on the store.")
        }
        return try encoded { writer in
            writer.object { writer in
                writer.comparison(comparison, version: version)
                writer.object("results") { writer in
                    for member in results.members { writer.member(dynamic: member.key, member.value) }
                    writer.member("visualization_url", comparison.address)
                }
                if withData { writer.member("data", seen["data"] ?? .null) }
            }
        }
    }
}

/// What a body asks to be compared, or what a kept comparison asked when it was made.
private struct ComparisonWish {
    var kind: KeptComparison.Kind
    var view: KeptComparison.View
    var members: [String]
    var metrics: [String]
    var name: String?

    init(_ known: KeptComparison) {
        (kind, view, metrics, name) = (known.kind, known.view, known.metrics, known.name)
        members = known.members.map { "id:\($0)" }
    }

    init(_ fields: Fields) throws(Refusal) {
        let runs = try ComparisonWish.ids(fields, "run_ids")
        let experiments = try ComparisonWish.ids(fields, "experiment_ids")
        guard runs.isEmpty != experiments.isEmpty else {
            throw Refusal(
                .invalid, runs.isEmpty ? "Nothing is named to compare." : "Both runs and experiments are named.",
                remedy: "Send run_ids or experiment_ids, a list of \(KeptComparison.membersRange.lowerBound) to "
                    + "\(KeptComparison.membersRange.upperBound).", field: "experiment_ids")
        }
        (kind, members) = runs.isEmpty ? (.experiments, experiments) : (.runs, runs)
        // Before each of them is looked up.
        guard members.count <= KeptComparison.membersRange.upperBound else {
            throw Refusal(
                .invalid, "\(members.count) \(kind.rawValue) are named.",
                remedy: "Name \(KeptComparison.membersRange.upperBound) at most.",
                field: kind == .runs ? "run_ids" : "experiment_ids")
        }
        let possible = ComparisonWish.views(of: kind)
        let word = try fields.text("visualization") ?? possible[0].rawValue
        guard let view = KeptComparison.View(rawValue: word), possible.contains(view) else {
            throw Refusal(
                .invalid, "There is no visualization “\(word.prefix(60))” of \(kind.rawValue).",
                remedy: "Known are \(possible.map(\.rawValue).joined(separator: ", ")).", field: "visualization",
                candidates: possible.map(\.rawValue))
        }
        self.view = view
        var seen: Set<String> = []
        metrics = try fields.textList("metrics").filter { seen.insert($0).inserted }
        guard metrics.count <= ComparisonSubject.runMetricsMax else {
            throw Refusal(
                .invalid, "\(metrics.count) metrics are named.",
                remedy: "Name \(ComparisonSubject.runMetricsMax) at most.", field: "metrics")
        }
        name = try fields.text("name")
    }

    /// The first is what is shown when none is named.
    static func views(of kind: KeptComparison.Kind) -> [KeptComparison.View] {
        kind == .runs ? [.curves, .table] : [.parallelCoordinates, .table]
    }

    private static func ids(_ fields: Fields, _ name: String) throws(Refusal) -> [String] {
        guard let value = fields[name] else { return [] }
        guard let list = value.array else { throw fields.wrong(name, "a list of ids", value) }
        var ids: [String] = []
        for element in list {
            if let number = element.int64 {
                ids.append("id:\(number)")
            } else if let text = element.string {
                ids.append(text)
            } else {
                throw fields.wrong(name, "a list of ids", element)
            }
        }
        return ids
    }

    func look(_ engine: Engine, by caller: Caller) throws(Refusal) -> (draft: KeptComparison, document: String) {
        let (subject, standard) = try engine.read { (reader: any StoreReader) throws(Refusal) in
            let subject = try ComparisonSubject(
                kind: kind, view: view, members: members, metrics: metrics, by: caller, engine, reader)
            return (subject, try subject.name(reader))
        }
        try caller.require(.write, on: subject.projects[0])
        let now = engine.clock.now
        let draft = KeptComparison(
            id: UniqueID.make(), project: subject.projects[0], projects: subject.projects, name: name ?? standard,
            kind: kind, view: view, members: subject.members, metrics: metrics, created: now, updated: now)
        return (draft, try subject.freeze(engine, by: caller))
    }
}

extension KeptComparison {
    fileprivate var address: String { "/visualizations/\(id)" }
}

extension Exchange {
    /// The comparison that the address names, for a caller who may read all that is in it.
    fileprivate func comparison(
        _ reader: any StoreReader, by caller: Caller, _ role: Role
    ) throws(Refusal) -> KeptComparison {
        guard let known = try reader.comparison(self["comparison"]) else {
            throw .comparisonNotFound(self["comparison"])
        }
        try caller.require(role, on: known.project)
        for project in known.projects { try caller.require(.read, on: project) }
        return known
    }
}

extension JSONWriter {
    fileprivate mutating func comparison(_ comparison: KeptComparison, version: Int) {
        member("id", comparison.id)
        member("comparison_id", comparison.id)
        member("name", comparison.name)
        member("kind", comparison.kind.rawValue)
        member("visualization", comparison.view.rawValue)
        member("visualization_url", comparison.address)
        member("project_id", "\(comparison.project)")
        member("members", comparison.members)
        member("metrics", comparison.metrics)
        member("version", version)
        array("versions") { writer in
            for version in comparison.versions {
                writer.object { writer in
                    writer.member("version", version.number)
                    writer.time("created_at", version.made)
                    writer.member("author", version.by)
                    writer.member("size_bytes", version.bytes)
                }
            }
        }
        time("created_at", comparison.created)
        time("updated_at", comparison.updated)
    }
}
