import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Facts: structured records on a run, by kind, that reports are made of. The latest of a kind counts; earlier ones stay.
extension NativeAPI {
    static let factRoutes: [Route] = [
        Route(
            .post, "/api/v1/runs/{run}/facts/{kind}", "Record a fact",
            .change { exchange, bytes throws(Refusal) in try putFact(exchange, bytes) },
            RouteDoc(
                "notes and facts", body: "Fact", answers: [(201, "The fact.", "RecordedFact")],
                failures: [400, 404, 409, 415, 422], once: true,
                details: "Kinds that reports know: "
                    + Schemas.factKinds.map { "`\($0)`" }.joined(separator: ", ")
                    + "; each has a schema of its own (`Fact_dataset` …). Other kinds are kept as they are.")),
        Route(
            .get, "/api/v1/runs/{run}/facts", "List a run's facts",
            .read { exchange throws(Refusal) in try listFacts(exchange) },
            RouteDoc(
                "notes and facts", query: [.limit, .pageToken],
                answers: [(200, "The latest fact of each kind.", "FactList")], failures: [404, 409, 422])),
        Route(
            .get, "/api/v1/runs/{run}/facts/{kind}", "Show a fact with its history",
            .read { exchange throws(Refusal) in try showFact(exchange) },
            RouteDoc(
                "notes and facts", answers: [(200, "The fact and those before it.", "RecordedFact")],
                failures: [404, 409])),
    ]

    private static func putFact(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let kind = exchange["kind"]
        let data = try exchange.json(bytes)
        guard !bytes.isEmpty, data != .null else {
            throw Refusal(.invalid, "The fact is empty.", remedy: "Send its data as JSON.", field: kind)
        }
        guard data.object != nil || data.array != nil else {
            throw Refusal(
                .invalid, "The fact is neither an object nor a list.", remedy: "Send its data in braces or brackets.",
                field: kind)
        }
        try Fact.check(kind, data)
        let json = String(decoding: try encoded { $0.value(data) }, as: UTF8.self)
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let run = try exchange.engine.writable(exchange["run"], by: caller, ledger)
            let item = try ledger.put(kind: "fact", key: kind, data: json, on: .run(run.key), who: caller.principal)
            return Answer(status: 201, body: try encoded { $0.fact(item) })
        }
    }

    private static func listFacts(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let run = try exchange.engine.readable(exchange["run"], by: caller, reader)
            var latest: [String: Item] = [:]
            var first: [String: Int64] = [:]
            for item in try reader.items(of: .run(run.key), kind: "fact", key: nil) {
                latest[item.key] = item
                if first[item.key] == nil { first[item.key] = item.id }
            }
            let rows = latest.values.map { ($0, first[$0.key] ?? $0.id) }.sorted { $0.1 < $1.1 }
            let page = try exchange.page(rows) { $0.1 }
            return .json(try encoded { $0.list("facts", page) { $0.fact($1.0) } })
        }
    }

    private static func showFact(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let kind = exchange["kind"]
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let run = try exchange.engine.readable(exchange["run"], by: caller, reader)
            let items = try reader.items(of: .run(run.key), kind: "fact", key: kind)
            guard let last = items.last else {
                let known = Set(try reader.items(of: .run(run.key), kind: "fact", key: nil).map(\.key))
                throw Refusal(
                    .notFound, "Run \(run.shortID) has no fact “\(kind.prefix(100))”.",
                    remedy: "Record it with POST, or list the facts with GET /api/v1/runs/\(run.id)/facts.",
                    field: "kind", candidates: Nearness.nearest(to: kind, among: Array(known)))
            }
            return .json(try encoded { $0.fact(last, history: items.dropLast()) })
        }
    }
}

/// What can be checked of a fact before anyone builds a report on it.
enum Fact {
    static func check(_ kind: String, _ data: JSONValue) throws(Refusal) {
        guard !kind.isEmpty, kind.utf8.count <= 60,
            kind.utf8.allSatisfy({ ($0 >= 97 && $0 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == 95 || $0 == 45 })
        else {
            throw Refusal(
                .invalid, "“\(kind.prefix(60))” cannot be the kind of a fact.",
                remedy: "Use lower-case letters, digits, “_” and “-”, 60 at most.", field: "kind")
        }
        if kind == "confusion_matrix" { try checkMatrix(data) }
    }

    /// As many rows and columns as labels.
    private static func checkMatrix(_ data: JSONValue) throws(Refusal) {
        guard let labels = data["labels"]?.array, let matrix = data["matrix"]?.array, !labels.isEmpty else {
            throw Refusal(
                .invalid, "A confusion matrix has “labels” and “matrix”.",
                remedy: "Send {\"labels\":[\"ham\",\"spam\"],\"matrix\":[[90,2],[3,45]]}.", field: "matrix")
        }
        for (index, row) in matrix.enumerated() {
            guard let cells = row.array, cells.count == labels.count, cells.allSatisfy({ $0.double != nil }) else {
                throw Refusal(
                    .invalid, "Row \(index + 1) of the matrix has not \(labels.count) numbers, one for each label.",
                    remedy: "Send a square matrix: rows are what is true, columns what was predicted.", field: "matrix")
            }
        }
        guard matrix.count == labels.count else {
            throw Refusal(
                .invalid, "The matrix has \(matrix.count) rows for \(labels.count) labels.",
                remedy: "Send a row for each label.", field: "matrix")
        }
    }
}

extension JSONWriter {
    fileprivate mutating func fact(_ item: Item, history: ArraySlice<Item>? = nil) {
        object { writer in
            writer.member("kind", item.key)
            writer.stored("data", item.data)
            writer.time("at", item.at)
            writer.member("author", item.who)
            if let history {
                writer.array("history") { writer in for earlier in history { writer.fact(earlier) } }
            }
        }
    }
}
