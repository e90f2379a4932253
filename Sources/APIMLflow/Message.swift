import MartletDomain
import MartletHTTPMessages
import MartletJSON

/// The fields of a request: a body's, or for GET those of the query. What does not fit its field is refused by name,
/// where MLflow goes on with half of the message.
struct Message: Sendable {
    private let fields: JSONObject
    /// Fields that came as text and may stand for a number.
    private let query: Query?

    init(_ request: Request, _ bytes: [UInt8]) throws(Refusal) {
        if bytes.isEmpty && (request.method.isSafe || !request.query.items.isEmpty) {
            fields = JSONObject(request.query.items.map { JSONObject.Member($0.name, .string($0.value)) })
            query = request.query
        } else {
            fields = try Message.object(request, bytes)
            query = nil
        }
    }

    init(_ fields: JSONObject) { (self.fields, query) = (fields, nil) }

    static func requireJSON(_ request: Request) throws(Refusal) {
        guard let type = request.contentType?.essence, type != "application/json" else { return }
        throw .mlflow("Bad Request. Content-Type must be one of ['application/json'].")
    }

    /// What is not JSON counts as nothing, as it does in MLflow: the first field that is required says so.
    private static func object(_ request: Request, _ bytes: [UInt8]) throws(Refusal) -> JSONObject {
        try requireJSON(request)
        guard let value = try? JSONValue(parsing: bytes, allowsNonFinite: true) else { return JSONObject() }
        if let text = value.string, let inner = try? JSONValue(parsing: text, allowsNonFinite: true) {
            return inner.object ?? JSONObject()
        }
        return value.object ?? JSONObject()
    }

    subscript(name: String) -> JSONValue? {
        guard let value = fields[name], !value.isNull else { return nil }
        return value
    }

    /// A field whose null is a value too.
    func written(_ name: String) -> JSONValue? { fields[name] }

    func has(_ name: String) -> Bool { self[name] != nil }

    func text(_ name: String) throws(Refusal) -> String? {
        guard let value = self[name] else { return nil }
        guard let text = value.string else { throw .wrongType(name, value) }
        return text
    }

    /// There, and not empty.
    func required(_ name: String) throws(Refusal) -> String {
        guard let text = try text(name), !text.isEmpty else { throw .missing(name) }
        return text
    }

    /// A run is named by `run_id`, or by `run_uuid` as the oldest clients do.
    func runID() throws(Refusal) -> String {
        if let id = try text("run_id"), !id.isEmpty { return id }
        if let id = try text("run_uuid"), !id.isEmpty { return id }
        throw .missing("run_id")
    }

    func integer(_ name: String) throws(Refusal) -> Int64? {
        guard let value = self[name] else { return nil }
        if let number = value.int64 ?? value.string.flatMap({ Int64($0) }) { return number }
        if query != nil, value.string?.isEmpty == true { return nil }
        throw .wrongType(name, value)
    }

    func flag(_ name: String) throws(Refusal) -> Bool? {
        guard let value = self[name] else { return nil }
        if let flag = value.bool { return flag }
        switch value.string?.lowercased() {
        case "true": return true
        case "false": return false
        case let text?: throw .mlflow("Invalid boolean value: \(text), must be 'true' or 'false'.")
        case nil: throw .wrongType(name, value)
        }
    }

    /// A repeated field; in a query one value is a list of one.
    func list(_ name: String) throws(Refusal) -> [JSONValue] {
        if let query { return query.all(name).map { .string($0) } }
        guard let value = self[name] else { return [] }
        guard let list = value.array else { throw .wrongType(name, value) }
        return list
    }

    func texts(_ name: String) throws(Refusal) -> [String] {
        var texts: [String] = []
        for value in try list(name) {
            // Ids are texts, and people write them as numbers.
            guard let text = value.string ?? value.int64.map(String.init) else { throw .wrongType(name, value) }
            texts.append(text)
        }
        return texts
    }

    func messages(_ name: String) throws(Refusal) -> [Message] {
        var messages: [Message] = []
        for value in try list(name) {
            guard let object = value.object else { throw .wrongType(name, value) }
            messages.append(Message(object))
        }
        return messages
    }

    func message(_ name: String) throws(Refusal) -> Message? {
        guard let value = self[name] else { return nil }
        guard let object = value.object else { throw .wrongType(name, value) }
        return Message(object)
    }

    /// `[{"key": …, "value": …}]`. A value that is left out is empty.
    func pairs(_ name: String) throws(Refusal) -> [(key: String, value: String)] {
        var pairs: [(key: String, value: String)] = []
        for (index, pair) in try messages(name).enumerated() {
            guard let key = try pair.text("key"), !key.isEmpty else { throw .missing("\(name)[\(index)].key") }
            pairs.append((key, try pair.text("value") ?? ""))
        }
        return pairs
    }

    /// `ACTIVE_ONLY`, `DELETED_ONLY` or `ALL`, by name or by number.
    func view(_ name: String) throws(Refusal) -> ViewType? {
        guard let value = self[name] else { return nil }
        if let number = value.int64 ?? value.string.flatMap({ Int64($0) }) {
            if let view = ViewType(number: number) { return view }
        } else if let text = value.string, let view = ViewType(rawValue: text) {
            return view
        }
        throw .wrongType(name, value)
    }

    /// How many at most, checked against what MLflow lets through.
    func maxResults(standard: Int, atMost limit: Int) throws(Refusal) -> Int {
        guard let number = try integer("max_results") else { return standard }
        guard number > 0 else {
            throw .mlflow(
                "Invalid value \(number) for parameter 'max_results' supplied. It must be a positive integer")
        }
        guard number <= limit else {
            throw .mlflow(
                "Invalid value \(number) for parameter 'max_results' supplied. It must be at most \(limit)")
        }
        return Int(number)
    }
}

enum ViewType: String, Sendable {
    case active = "ACTIVE_ONLY"
    case deleted = "DELETED_ONLY"
    case all = "ALL"

    init?(number: Int64) {
        switch number {
        case 1: self = .active
        case 2: self = .deleted
        case 3: self = .all
        default: return nil
        }
    }
}
