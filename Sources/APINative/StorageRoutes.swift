import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Where the bytes are, level by level: what a treemap is drawn from.
extension NativeAPI {
    static let storageRoutes: [Route] = [
        Route(
            .get, "/api/v1/storage", "Show where the bytes are",
            .slowRead { exchange throws(Refusal) in try storage(exchange) },
            RouteDoc(
                "about",
                query: [
                    .query("project", "Its experiments."), .query("experiment", "Its runs, the largest first."),
                    .query("run", "Its kinds."),
                    .query(
                        "fresh", "Count now, instead of showing a count of the last minute.",
                        ["type": "boolean", "default": false]),
                    .query(
                        "limit", "Children at most; the others are summed up in `rest`.",
                        ["type": "integer", "minimum": 1, "maximum": 10000, "default": 200]),
                ],
                answers: [(200, "One level, the largest first.", "StorageLevel")], failures: [400, 404, 409, 422],
                access: .anyone,
                details:
                    "The whole store without a parameter, as far as the caller may read it. Bytes are the lengths of files: "
                    + "of a run's rows in the database their content. A file that several runs refer to is stored once, and "
                    + "counted with the first of them. A count reads every table once and is kept for a minute."))
    ]

    private static func storage(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let limit = try exchange.limit(default: 200)
        let map = try exchange.engine.storageMap(isFresh: try exchange.switchedOn("fresh"))
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            func named(_ name: String) -> String? { exchange.query(name).flatMap { $0.isEmpty ? nil : $0 } }
            var level: StorageLevel
            if let text = named("run") {
                let run = try exchange.engine.readable(text, by: caller, reader)
                level = try StorageLevel(of: run, in: map, reader)
            } else if let text = named("experiment") {
                let experiment = try reader.resolveExperiment(text, for: caller)
                try caller.require(.read, on: experiment.project)
                level = try StorageLevel(of: experiment, in: map, limit: limit, reader)
            } else if let text = named("project") {
                let project = try reader.resolveProject(text, for: caller)
                try caller.require(.read, on: project.id)
                level = try StorageLevel(of: project, in: map, reader)
            } else {
                level = try StorageLevel(of: map, for: caller, reader)
            }
            level.cut(to: limit)
            let found = level
            return .json(try encoded { $0.storage(found, map) })
        }
    }
}

/// One level of the map, with names.
private struct StorageLevel {
    struct Node {
        /// `project`, `experiment`, `run`; or the word for something that has no address.
        var kind: String
        var id: String?
        var name: String
        var part: StorageMap.Part
        var extra: Int64 = 0
        var bytes: Int64 { part.total + extra }
    }

    var own: Node
    var trail: [Node] = []
    var children: [Node] = []
    var rest: (count: Int, bytes: Int64) = (0, 0)

    mutating func cut(to limit: Int) {
        children.sort { ($1.bytes, $0.name) < ($0.bytes, $1.name) }
        for node in children.dropFirst(limit) { rest = (rest.count + 1, rest.bytes + node.bytes) }
        children = Array(children.prefix(limit))
    }

    private static func node(_ project: Project, _ map: StorageMap) -> Node {
        Node(kind: "project", id: project.slug, name: project.title, part: map.projects[project.id] ?? .init())
    }

    private static func node(_ experiment: Experiment, _ map: StorageMap) -> Node {
        Node(
            kind: "experiment", id: "\(experiment.id)", name: experiment.name,
            part: map.experiments[experiment.id] ?? .init())
    }

    private static func other(_ kind: String, _ name: String, _ bytes: Int64) -> Node {
        Node(kind: kind, id: nil, name: name, part: .init(), extra: bytes)
    }

    init(of map: StorageMap, for caller: Caller, _ reader: any StoreReader) throws(Refusal) {
        var whole = Node(kind: "store", id: nil, name: "All projects", part: .init())
        for project in try reader.projects() where caller.may(.read, on: project.id) {
            let node = StorageLevel.node(project, map)
            children.append(node)
            whole.part.bytes += node.part.bytes
            whole.part.runs += node.part.runs
            whole.part.unowned += node.part.unowned
        }
        // What belongs to all of the store is for those who may see all of it.
        if caller.role != nil {
            children += [
                StorageLevel.other("database", "Indexes, audit trail, free pages", map.shared),
                StorageLevel.other("beside", "Logbooks and other files", map.beside),
                StorageLevel.other("unclaimed", "Files that nothing refers to", map.unclaimed),
            ]
            whole.extra = map.shared + map.beside + map.unclaimed
        }
        children.removeAll { $0.bytes == 0 && $0.part.runs == 0 }
        own = whole
    }

    init(of project: Project, in map: StorageMap, _ reader: any StoreReader) throws(Refusal) {
        own = StorageLevel.node(project, map)
        for experiment in try reader.experiments(in: project.id) where map.experiments[experiment.id] != nil {
            children.append(StorageLevel.node(experiment, map))
        }
        if own.part.unowned > 0 {
            children.append(StorageLevel.other("files", "Named artifacts and models of no run", own.part.unowned))
        }
    }

    init(of experiment: Experiment, in map: StorageMap, limit: Int, _ reader: any StoreReader) throws(Refusal) {
        own = StorageLevel.node(experiment, map)
        if let project = try reader.project(experiment.project) { trail = [StorageLevel.node(project, map)] }
        let all = map.runs(in: experiment.id)
        let shown = all.prefix(limit)
        let bytes = Dictionary(uniqueKeysWithValues: shown.map { ($0.run, $0.bytes) })
        // One that was deleted for good since the count is not shown.
        for run in try reader.runs(shown.map(\.run)) {
            children.append(
                Node(
                    kind: "run", id: run.id.text, name: run.name,
                    part: .init(bytes: bytes[run.key] ?? RunBytes(), runs: 1)))
        }
        for run in all.dropFirst(limit) { rest = (rest.count + 1, rest.bytes + run.bytes.total) }
    }

    init(of run: Run, in map: StorageMap, _ reader: any StoreReader) throws(Refusal) {
        let bytes = map.runs(in: run.experiment).first { $0.run == run.key }?.bytes ?? RunBytes()
        own = Node(kind: "run", id: run.id.text, name: run.name, part: .init(bytes: bytes, runs: 1))
        if let project = try reader.project(run.project) { trail.append(StorageLevel.node(project, map)) }
        if let experiment = try reader.experiment(run.experiment) {
            trail.append(StorageLevel.node(experiment, map))
        }
        for (word, bytes) in bytes.kinds where bytes > 0 {
            children.append(StorageLevel.other("kind", word, bytes))
        }
    }
}

extension RunBytes {
    fileprivate var kinds: [(String, Int64)] {
        [
            ("points", points), ("journal", journal), ("record", record), ("console", console), ("media", media),
            ("artifacts", artifacts),
        ]
    }
}

extension JSONWriter {
    fileprivate mutating func storage(_ level: StorageLevel, _ map: StorageMap) {
        object { writer in
            writer.key("level")
            writer.node(level.own)
            writer.array("trail") { writer in for node in level.trail { writer.node(node) } }
            writer.array("children") { writer in for node in level.children { writer.node(node) } }
            writer.object("rest") { writer in
                writer.member("count", level.rest.count)
                writer.member("bytes", level.rest.bytes)
            }
            writer.time("counted_at", map.at)
            writer.member("seconds", map.seconds)
        }
    }

    fileprivate mutating func node(_ node: StorageLevel.Node) {
        object { writer in
            writer.member("kind", node.kind)
            writer.text("id", node.id)
            writer.member("name", node.name)
            writer.member("bytes", node.bytes)
            writer.member("run_count", node.part.runs)
            writer.object("kinds") { writer in
                for (word, bytes) in node.part.bytes.kinds { writer.member(dynamic: word, bytes) }
            }
        }
    }
}
