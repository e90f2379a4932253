import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletSearch
import MartletStorage

// Logged models by a filter. Their order may name a dataset for each of its terms, which no other search has: the filter
// is the engine's, the order is made here.
extension MLflowAPI {
    static let loggedModelSearchEndpoints: [Endpoint] = [
        .read(.post, "2.0/mlflow/logged-models/search") { call, message throws(Refusal) in
            try searchLoggedModels(call, message)
        }
    ]

    private static func searchLoggedModels(_ call: Call, _ message: Message) throws(Refusal) -> Response {
        let homes = try message.texts("experiment_ids")
        guard !homes.isEmpty else { throw .missing("experiment_ids") }
        let filter = try message.text("filter") ?? ""
        let order = try message.messages("order_by").map { term throws(Refusal) in try LoggedModelOrder(term) }
        let datasets = try message.messages("datasets").map { dataset throws(Refusal) in
            guard let name = try dataset.text("dataset_name"), !name.isEmpty else {
                throw Refusal.mlflow("`dataset_name` in the `datasets` clause must be specified.")
            }
            let digest = try dataset.text("dataset_digest") ?? ""
            return (name: name, digest: digest.isEmpty ? nil : digest)
        }
        let limit = try message.maxResults(standard: 50, atMost: 10_000)
        let place = LoggedModelPage(experiments: homes, filter: filter, order: order.map(\.text))
        let offset = try place.offset(in: try message.text("page_token") ?? "")
        var request = RegistryRequest()
        request.limitMax = .max
        request.limit = .max
        request.query = MartletSearch.Query(filter: try LoggedModelFilter.make(filter))
        let caller = try call.caller()
        let known = try experiments(homes, call)
        guard !known.isEmpty else { return .json(Call.empty) }
        let found = try call.engine.searchLoggedModels(
            request, in: known.map { "id:\($0)" }, datasets: datasets, by: caller
        ).documents.map(\.model)
        let rows = LoggedModelOrder.sorted(found, by: order)
        let (start, end) = (min(offset, rows.count), min(rows.count, offset + limit))
        let locations = try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            try rows[start..<end].map { model throws(Refusal) in try call.api.places.location(of: model, reader) }
        }
        return .json(
            try encoded { writer in
                writer.object { writer in
                    if start < end {
                        writer.array("models") { writer in
                            for (model, location) in zip(rows[start..<end], locations) {
                                writer.loggedModel(model, model.metrics, location)
                            }
                        }
                    }
                    if end < rows.count { writer.member("next_page_token", place.token(end)) }
                }
            })
    }

    private static func experiments(_ ids: [String], _ call: Call) throws(Refusal) -> [ExperimentID] {
        try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            var found: [ExperimentID] = []
            for id in ids {
                do throws(Refusal) {
                    found.append(try reader.experiment(mlflow: id, call).id)
                } catch {
                    if error.code != .notFound { throw error }
                }
            }
            return found
        }
    }
}

/// A token goes with the search that gave it, and says which part of another one differs.
private struct LoggedModelPage {
    var experiments: [String]
    var filter: String
    var order: [String]

    func token(_ offset: Int) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("offset", offset)
            writer.array("experiment_ids") { writer in for id in experiments { writer.string(id) } }
            writer.member("filter_string", filter)
            writer.array("order_by") { writer in for term in order { writer.string(term) } }
        }
        return Base64Text.encode(writer.bytes)
    }

    func offset(in token: String) throws(Refusal) -> Int {
        guard !token.isEmpty else { return 0 }
        guard let bytes = Base64Text.decode(token), let json = try? JSONValue(parsing: bytes),
            let offset = json["offset"]?.int64, offset >= 0
        else { throw .mlflow("Invalid page token, could not base64-decode") }
        func texts(_ name: String) -> [String] { (json[name]?.array ?? []).compactMap(\.string) }
        func refusal(_ what: String) -> Refusal {
            .mlflow("\(what) in the page token do not match the requested ones.")
        }
        guard texts("experiment_ids") == experiments else { throw refusal("Experiment IDs") }
        guard texts("order_by") == order else {
            throw .mlflow("Order by in the page token does not match the requested one.")
        }
        guard json["filter_string"]?.string == filter else {
            throw .mlflow("Filter string in the page token does not match the requested one.")
        }
        return Int(offset)
    }
}

/// One term of such an order.
private struct LoggedModelOrder {
    private enum Key { case attribute(String), metric(String) }

    private let key: Key
    private let isDescending: Bool
    private let dataset: String
    private let digest: String
    let text: String

    private static let attributes: [String: String] = [
        "name": "name", "model_id": "id", "model_type": "type", "status": "status", "source_run_id": "run",
        "experiment_id": "experiment", "creation_timestamp": "created", "creation_time": "created",
        "creation_timestamp_ms": "created", "last_updated_timestamp": "updated", "last_updated_time": "updated",
        "last_updated_timestamp_ms": "updated",
    ]

    init(_ message: Message) throws(Refusal) {
        let field = try message.required("field_name")
        if field.hasPrefix("metrics.") {
            key = .metric(String(field.dropFirst(8)))
        } else if field.contains(".") {
            throw .mlflow("Invalid order by field name: \(field). Only metrics are supported.")
        } else if let name = LoggedModelOrder.attributes[field] {
            key = .attribute(name)
        } else {
            throw .mlflow("Invalid order by field name: \(field)")
        }
        isDescending = !(try message.flag("ascending") ?? true)
        dataset = try message.text("dataset_name") ?? ""
        digest = try message.text("dataset_digest") ?? ""
        text = "\(field) \(isDescending) \(dataset) \(digest)"
    }

    private func sortKey(_ model: LoggedModel) -> SortKey {
        switch key {
        case .attribute(let name): return SortKey(LoggedModelDocument(model).attribute(name), kind: .text)
        case .metric(let name):
            let fitting = model.metrics.filter {
                $0.key == name && (dataset.isEmpty || $0.dataset == dataset)
                    && (digest.isEmpty || $0.datasetDigest == digest)
            }
            guard let last = fitting.max(by: { ($0.time, $0.step) < ($1.time, $1.step) }) else { return .missing }
            return SortKey(.number(last.value), kind: .number)
        }
    }

    /// Among equals the newest first, then by id.
    static func sorted(_ models: [LoggedModel], by order: [LoggedModelOrder]) -> [LoggedModel] {
        let keyed = models.map { model in (model: model, keys: order.map { $0.sortKey(model) }) }
        return keyed.sorted { a, b in
            for (place, term) in order.enumerated() {
                let comes = a.keys[place].compare(b.keys[place], descending: term.isDescending)
                if comes != 0 { return comes < 0 }
            }
            if a.model.created != b.model.created { return a.model.created > b.model.created }
            return a.model.id < b.model.id
        }.map(\.model)
    }
}

/// Filters of logged models, on the tree that Martlet searches them with.
private enum LoggedModelFilter {
    private static let texts: [String: String] = [
        "name": "name", "model_id": "id", "model_type": "type", "status": "status", "source_run_id": "run",
    ]
    private static let times: [String: String] = [
        "creation_timestamp": "created", "creation_time": "created", "last_updated_timestamp": "updated",
        "last_updated_time": "updated",
    ]

    private static let textOperators = Clause.textOperators.union(Clause.listOperators)

    static func make(_ filter: String) throws(Refusal) -> Filter {
        let clauses: [Clause]
        do throws(Refusal) {
            clauses = try ClauseParser.clauses(filter)
        } catch {
            guard error.message.hasPrefix("Invalid clause") else { throw error }
            throw .mlflow("Invalid filter string: \(filter). \(error.message)")
        }
        var conditions: [Expression] = []
        for clause in clauses { conditions.append(.predicate(try predicate(clause))) }
        return try conditions.filter()
    }

    private static func predicate(_ clause: Clause) throws(Refusal) -> Predicate {
        switch clause.entity {
        case .metric:
            try require(clause, Clause.numberOperators)
            return Predicate(.metric(clause.key), try clause.numberCondition("metric"))
        case .parameter:
            try require(clause, textOperators)
            return Predicate(.param(clause.key), try clause.textCondition())
        case .tag:
            try require(clause, textOperators)
            return Predicate(.tag(clause.key), try clause.textCondition())
        case .attribute:
            if let name = times[clause.key] {
                try require(clause, Clause.numberOperators)
                return Predicate(.of(LoggedModelDocument.self, name), try clause.timeCondition(clause.key))
            }
            guard let name = texts[clause.key] else {
                throw .mlflow(
                    "Invalid attribute key '\(clause.key)' specified. Valid keys are \((Array(texts.keys) + Array(times.keys)).sorted())"
                )
            }
            try require(clause, textOperators)
            let meant = name == "status" ? clause.withStates : clause
            return Predicate(.of(LoggedModelDocument.self, name), try meant.textCondition())
        case .dataset:
            throw .mlflow("Invalid entity type '\(clause.writtenEntity)'. Datasets go into the field “datasets”.")
        }
    }

    private static func require(_ clause: Clause, _ allowed: Set<Clause.Operator>) throws(Refusal) {
        guard allowed.contains(clause.comparator) else {
            let valid = allowed.map(\.rawValue).sorted().joined(separator: ", ")
            throw .mlflow(
                "Invalid comparison operator '\(clause.comparator.rawValue)' for '\(clause.key)'. Valid operators are \(valid)."
            )
        }
    }
}

extension Clause {
    /// The same with our words for the states that it names: its clients say `FAILED`, its messages
    /// `LOGGED_MODEL_UPLOAD_FAILED`.
    fileprivate var withStates: Clause {
        func ours(_ word: String) -> String { LoggedModel.State(mlflow: word)?.rawValue ?? word }
        var clause = self
        switch value {
        // A pattern is compared as it stands.
        case .text(let text, let written) where comparator.comparison != nil:
            clause.value = .text(ours(text), written: written)
        case .list(let words, let written): clause.value = .list(words.map(ours), written: written)
        default: break
        }
        return clause
    }
}
