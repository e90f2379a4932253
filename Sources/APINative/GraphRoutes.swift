import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Lineage as a graph: from datasets over runs to models and their versions, looked at from any of them.
extension NativeAPI {
    static let graphRoutes: [Route] = [
        graph("/api/v1/runs/{run}/lineage", "a run", "runs") { exchange, caller, reader throws(Refusal) in
            .run(try exchange.readableRun(reader, by: caller).key)
        },
        graph("/api/v1/logged-models/{logged}/lineage", "a logged model", "models") {
            exchange, caller, reader throws(Refusal) in
            guard let model = try reader.loggedModel(exchange["logged"]), model.life == .active else {
                throw .loggedModelNotFound(exchange["logged"])
            }
            try caller.require(.read, on: model.project)
            return .loggedModel(model.id)
        },
        graph("/api/v1/models/{model}/versions/{version}/lineage", "a model's version", "models") {
            exchange, caller, reader throws(Refusal) in
            let model = try exchange.model(reader, by: caller)
            let version = try reader.resolveModelVersion(exchange["version"], of: model)
            return .version(model.project, model: model.name, number: version.number)
        },
        graph(
            "/api/v1/projects/{project}/artifacts/{artifact}/versions/{version}/lineage",
            "a version of a named artifact", "artifacts"
        ) { exchange, caller, reader throws(Refusal) in
            let project = try exchange.readableProject(reader, by: caller)
            let version = try NamedView(exchange["artifact"], in: project, reader).version(exchange["version"])
            return .artifact(project.id, name: version.name, version: version.version)
        },
        graph(
            "/api/v1/experiments/{experiment}/lineage", "a dataset of an experiment", "experiments",
            [
                .query("dataset", "Its name, as runs logged it."),
                .query("digest", "Its digest, where the name alone is several datasets."),
            ]
        ) { exchange, caller, reader throws(Refusal) in
            let experiment = try exchange.readableExperiment(reader, by: caller)
            let (name, digest) = (exchange.query("dataset") ?? "", exchange.query("digest") ?? "")
            let all = try reader.datasets(in: experiment.id)
            guard let found = all.first(where: { $0.name == name && (digest.isEmpty || $0.digest == digest) }) else {
                throw Refusal(
                    .notFound, "The experiment has no dataset “\(name.prefix(60))”.",
                    remedy: "Name one with ?dataset=NAME and, where there are several of that name, &digest=DIGEST.",
                    field: "dataset", candidates: Array(Set(all.map(\.name)).sorted().prefix(5)))
            }
            return .dataset(experiment.id, name: found.name, digest: found.digest)
        },
    ]

    private static func graph(
        _ path: String, _ what: String, _ tag: String, _ more: [RouteDoc.Parameter] = [],
        _ root: @escaping @Sendable (Exchange, Caller, any StoreReader) throws(Refusal) -> LineageNode
    ) -> Route {
        Route(
            .get, path, "Show where \(what) came from and what was made of it",
            .read { exchange throws(Refusal) in
                let caller = try exchange.caller()
                let depth = try exchange.integer("depth") ?? 3
                guard LineageGraph.depthRange.contains(Int(clamping: depth)) else {
                    throw Refusal(
                        .invalid, "The depth \(depth) is outside of 1 to \(LineageGraph.depthRange.upperBound).",
                        remedy: "Ask for fewer steps, and look on from what is found.", field: "depth")
                }
                return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
                    let node = try root(exchange, caller, reader)
                    let graph = try exchange.engine.lineage(of: node, depth: Int(depth), by: caller, reader)
                    return .json(try encoded { $0.lineage(graph) })
                }
            },
            RouteDoc(
                tag,
                query: more + [
                    .query(
                        "depth", "Steps each way.",
                        ["type": "integer", "minimum": 1, "maximum": 10, "default": 3])
                ],
                answers: [(200, "A graph from data to models; the first node is where one looks.", "LineageGraph")],
                failures: [400, 404, 409, 422],
                details:
                    "Ancestors and descendants, \(LineageGraph.nodesMax) nodes at most; `complete` is false where there is "
                    + "more, or where something lies in a project that the caller may not read."))
    }
}

extension LineageNode {
    fileprivate var kind: String {
        switch self {
        case .dataset: "dataset"
        case .run: "run"
        case .artifact: "artifact"
        case .loggedModel: "logged_model"
        case .version: "model_version"
        }
    }
}

extension JSONWriter {
    fileprivate mutating func lineage(_ graph: LineageGraph) {
        object { writer in
            writer.array("nodes") { writer in for node in graph.nodes { writer.lineageNode(node) } }
            writer.array("edges") { writer in
                for edge in graph.edges {
                    writer.object { writer in
                        writer.member("from", edge.from)
                        writer.member("to", edge.to)
                    }
                }
            }
            writer.member("complete", !graph.isCut)
        }
    }

    private mutating func lineageNode(_ node: LineageGraph.Node) {
        object { writer in
            writer.member("kind", node.node.kind)
            writer.member("name", node.name)
            writer.member("about", node.about)
            writer.member("project", node.project.slug)
            writer.member("distance", node.distance)
            switch node.node {
            case .dataset(let experiment, let name, let digest):
                writer.member("experiment_id", "\(experiment)")
                writer.member("dataset", name)
                writer.member("digest", digest)
            case .run: writer.text("run_id", node.run?.text)
            case .artifact(_, let name, let version):
                writer.member("artifact", name)
                writer.member("version", version)
            case .loggedModel(let id): writer.member("model_id", id)
            case .version(_, let model, let number):
                writer.member("model", model)
                writer.member("version", number)
            }
        }
    }
}
