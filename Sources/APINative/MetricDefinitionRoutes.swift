import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// What metrics mean in an experiment: the goal, the summary rule, the unit. A definition is for every name that fits its
// pattern; the latest counts, and earlier ones stay readable.
extension NativeAPI {
    static let metricDefinitionRoutes: [Route] = [
        Route(
            .get, "/api/v1/experiments/{experiment}/metrics", "List an experiment's metric definitions",
            .read { exchange throws(Refusal) in try listDefinitions(exchange) },
            RouteDoc(
                "experiments",
                query: [
                    .query(
                        "name", "A metric's name, repeated for several, up to 1,000.",
                        ["type": "array", "items": ["type": "string"]]), .limit, .pageToken,
                ],
                answers: [(200, "The latest definition of each pattern.", "MetricDefinitionList")],
                failures: [404, 409, 422],
                details: "With names: for each of them, in this order and on one page, the definition that fits best, "
                    + "its goal guessed from the name where none does.")),
        Route(
            .put, "/api/v1/experiments/{experiment}/metrics/{glob…}", "Say what metrics mean",
            .change { exchange, bytes throws(Refusal) in try putDefinition(exchange, bytes) },
            RouteDoc(
                "experiments", body: "MetricMeaning", isBodyRequired: false,
                answers: [(200, "The definition.", "MetricDefinition")],
                failures: [400, 404, 409, 415, 422],
                details: "`glob` is a metric's name or a pattern with `*` and `?` (`val/*`).")),
        Route(
            .get, "/api/v1/experiments/{experiment}/metrics/{glob…}", "Show what a metric means",
            .read { exchange throws(Refusal) in try showDefinition(exchange) },
            RouteDoc(
                "experiments", answers: [(200, "The definition, with those before it.", "MetricDefinition")],
                failures: [404, 409],
                details: "The definition of this very pattern, else the one that fits the name best. "
                    + "Where none fits, the goal is guessed from the name, and `guessed` says so.")),
    ]

    private static func listDefinitions(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let experiment = try reader.resolveExperiment(exchange["experiment"], for: caller)
            try caller.require(.read, on: experiment.project)
            var latest: [String: Item] = [:]
            var first: [String: Int64] = [:]
            for item in try reader.items(of: .experiment(experiment.id), kind: "metric", key: nil) {
                latest[item.key] = item
                if first[item.key] == nil { first[item.key] = item.id }
            }
            let rows = latest.values.map { ($0, first[$0.key] ?? $0.id) }.sorted { $0.1 < $1.1 }
            // Looked at whether or not there is more than one page: what cannot be meant is told.
            let page = try exchange.page(rows) { $0.1 }
            let names = exchange.request.query.all("name").filter { !$0.isEmpty }
            guard names.isEmpty else { return try meanings(of: names, latest) }
            return .json(try encoded { $0.list("metrics", page) { $0.definition($1.0, history: nil) } })
        }
    }

    private static func meanings(of names: [String], _ latest: [String: Item]) throws(Refusal) -> Response {
        guard names.count <= 1000 else {
            throw Refusal(
                .invalid, "\(names.count) names are more than one answer holds.",
                remedy: "Ask for up to 1,000 names at once.", field: "name")
        }
        let patterns = Array(latest.keys)
        return .json(
            try encoded { writer in
                writer.object { writer in
                    writer.array("metrics") { writer in
                        for name in names {
                            if let item = Glob.best(of: patterns, for: name).flatMap({ latest[$0] }) {
                                writer.definition(item, history: nil, for: name)
                            } else {
                                writer.guess(for: name)
                            }
                        }
                    }
                    writer.nextPage(nil)
                }
            })
    }

    private static func putDefinition(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let glob = exchange["glob"]
        let definition = try MetricDefinition(glob: glob, try exchange.json(bytes))
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let experiment = try ledger.tx.resolveExperiment(exchange["experiment"], for: caller)
            try caller.require(.write, on: experiment.project)
            let owner = Item.Owner.experiment(experiment.id)
            let known = try ledger.tx.items(of: owner, kind: "metric", key: glob).last
            let item =
                if let known, known.data == definition.json { known } else {
                    try ledger.put(
                        kind: "metric", key: glob, data: definition.json, on: owner, who: caller.principal)
                }
            return Answer(body: try encoded { $0.definition(item, history: nil) })
        }
    }

    private static func showDefinition(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let name = exchange["glob"]
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let experiment = try reader.resolveExperiment(exchange["experiment"], for: caller)
            try caller.require(.read, on: experiment.project)
            let owner = Item.Owner.experiment(experiment.id)
            var history = try reader.items(of: owner, kind: "metric", key: name)
            if history.isEmpty, let fitting = try reader.metricDefinition(for: name, in: experiment.id) {
                history = try reader.items(of: owner, kind: "metric", key: fitting.glob)
            }
            if let last = history.last {
                return .json(try encoded { $0.definition(last, history: history.dropLast()) })
            }
            return .json(try encoded { $0.guess(for: name) })
        }
    }
}

extension JSONWriter {
    fileprivate mutating func guess(for name: String) {
        object { writer in
            writer.member("name", name)
            writer.member("metric", name)
            writer.text("goal", Goal.guess(for: name)?.rawValue)
            writer.member("guessed", true)
        }
    }

    fileprivate mutating func definition(_ item: Item, history: ArraySlice<Item>?, for name: String? = nil) {
        let definition = MetricDefinition(glob: item.key, json: item.data)
        object { writer in
            if let name { writer.member("name", name) }
            writer.member("metric", item.key)
            let goal = definition.goal ?? name.flatMap(Goal.guess)
            writer.text("goal", goal?.rawValue)
            writer.text("summary", definition.summary)
            writer.text("step_metric", definition.stepMetric)
            writer.text("unit", definition.unit)
            writer.member("hidden", definition.isHidden)
            writer.member("guessed", definition.goal == nil && name != nil)
            writer.time("updated_at", item.at)
            writer.member("author", item.who)
            if let history {
                writer.array("history") { writer in
                    for earlier in history { writer.definition(earlier, history: nil) }
                }
            }
        }
    }
}
