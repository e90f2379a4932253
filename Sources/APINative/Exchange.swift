import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletObservability
import MartletStorage
import Synchronization

/// One request on its way through a route.
final class Exchange: Sendable {
    let api: NativeAPI
    let request: Request
    let route: Route
    private let values: [String: String]
    private let responder = Mutex<Responder?>(nil)
    private let cursor = Mutex<ChangeCursor?>(nil)

    init(api: NativeAPI, request: Request, values: [String: String], route: Route) {
        (self.api, self.request, self.values, self.route) = (api, request, values, route)
    }

    var engine: Engine { api.engine }

    /// A part of the path.
    subscript(part: String) -> String { values[part] ?? "" }

    // MARK: Who asks

    func caller() throws(Refusal) -> Caller {
        var proxyUser: String?
        if case .proxy(let header, _) = api.authority.mode { proxyUser = request.headers[header] }
        return try api.authority.caller(
            Credentials(
                authorization: request.headers["authorization"], session: request.cookies[NativeAPI.sessionCookie],
                proxyUser: proxyUser, remoteAddress: request.remoteAddress),
            requestID: request.id, via: "native")
    }

    /// What makes the request count once, where its client asked for that.
    func once(_ body: [UInt8]) throws(Refusal) -> Once? {
        guard let key = request.headers["idempotency-key"] else { return nil }
        guard !key.isEmpty, key.utf8.count <= Once.keyBytesMax else {
            throw Refusal(
                .invalid, "The Idempotency-Key has \(key.utf8.count) bytes; it must have 1 to \(Once.keyBytesMax).",
                remedy: "Use a short random key.", field: "Idempotency-Key")
        }
        return Once(key: key, route: "\(request.method) \(request.target.path)", body: SHA256.digest(of: body))
    }

    // MARK: Query

    func query(_ name: String) -> String? { request.query[name] }

    func integer(_ name: String) throws(Refusal) -> Int64? {
        guard let text = query(name) else { return nil }
        guard let value = Int64(text) else {
            throw Refusal(
                .malformed, "“\(text.prefix(40))” is not a whole number.", remedy: "Send \(name)=10 or the like.",
                field: name)
        }
        return value
    }

    /// `limit`: 100 unless said, 10,000 at most.
    func limit(default standard: Int = 100) throws(Refusal) -> Int {
        guard let limit = try integer("limit") else { return standard }
        guard (1...10_000).contains(limit) else {
            throw Refusal(
                .invalid, "The limit \(limit) is outside of 1 to 10,000.",
                remedy: "Ask for fewer and follow next_page_token.", field: "limit")
        }
        return Int(limit)
    }

    /// A flag that decides whether something is lost: a word that is not understood is refused.
    func switchedOn(_ name: String) throws(Refusal) -> Bool {
        switch query(name)?.lowercased() {
        case nil, "false", "0", "no": return false
        case "true", "1", "yes": return true
        case let text?:
            throw Refusal(
                .malformed, "“\(text.prefix(40))” is neither true nor false.",
                remedy: "Send \(name)=true, or leave it out.",
                field: name)
        }
    }

    func flag(_ name: String) -> Bool {
        guard let text = query(name)?.lowercased() else { return false }
        return text.isEmpty || text == "true" || text == "1" || text == "yes"
    }

    // MARK: Body

    /// The body as JSON; an empty one is an empty object.
    func json(_ bytes: [UInt8]) throws(Refusal) -> JSONValue {
        if bytes.isEmpty { return .object(JSONObject()) }
        if let type = request.contentType?.essence, type != "application/json", !type.hasSuffix("+json"),
            type != "text/plain", type != "application/x-www-form-urlencoded"
        {
            throw Refusal(
                .unsupported, "The body is \(type.prefix(60)), not JSON.",
                remedy: "Send it with Content-Type: application/json.", field: "Content-Type")
        }
        do { return try JSONValue(parsing: bytes, allowsNonFinite: true) } catch {
            throw Refusal(malformed: error)
        }
    }

    /// The body as a JSON object.
    func object(_ bytes: [UInt8]) throws(Refusal) -> Fields {
        guard let object = try json(bytes).object else {
            throw Refusal(.malformed, "The body is not a JSON object.", remedy: "Send an object in braces.")
        }
        return Fields(object)
    }

    // MARK: Answers

    func attach(_ responder: Responder) { self.responder.withLock { $0 = responder } }

    var pending: Responder? { responder.withLock { $0 } }

    func respond(_ response: Response) {
        let responder = responder.withLock { $0.take() }
        var response = response
        if response.status.code < 300, let cursor = cursor.withLock({ $0 }) {
            response.headers[Exchange.cursorHeader] = cursor.text
        }
        responder?.respond(response)
    }

    /// Asked for by a client, and given back with the answer: where the feed of changes stood before the answer was read.
    /// A stream from there on misses nothing of what came after it.
    static let cursorHeader = "Martlet-Cursor"

    /// Looks where the feed stands, if the client wants to know. Called before anything is read for the answer.
    func markCursor() {
        guard request.headers.contains("martlet-cursor") else { return }
        let found = try? engine.read { (reader: any StoreReader) throws(Refusal) in try reader.cursor() }
        cursor.withLock { $0 = found }
    }

    func fail(_ error: Refusal) { respond(failure(error)) }

    func failure(_ error: Refusal) -> Response {
        if let cause = error.cause {
            engine.log.warning("\(error.message) \(cause)", ("request", request.id))
        }
        return Failure.response(error, requestID: request.id)
    }

    /// A change whose answer is made inside its transaction, so that it can be given again.
    func change(
        _ bytes: [UInt8] = [], size: Int? = nil,
        _ body: @escaping @Sendable (Ledger, Caller) throws(Refusal) -> Answer
    ) throws(Refusal) {
        let caller = try caller()
        engine.answer(caller, once: try once(bytes), bytes: size ?? bytes.count + 512) { ledger throws(Refusal) in
            try body(ledger, caller)
        } then: { [self] result in
            switch result {
            case .success(let answer):
                var response = Response.json(answer.body, status: Status(answer.status))
                if answer.status == 204 { response = Response(.noContent) }
                if answer.isRepeat { response.headers.add("Idempotent-Replay", "true") }
                respond(response)
            case .failure(let error): fail(error)
            }
        }
    }
}

/// Members of a body, read with errors that name them.
struct Fields {
    let object: JSONObject
    init(_ object: JSONObject) { self.object = object }

    subscript(name: String) -> JSONValue? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    func has(_ name: String) -> Bool { object[name] != nil }

    func text(_ name: String) throws(Refusal) -> String? {
        guard let value = self[name] else { return nil }
        guard let text = value.string else { throw wrong(name, "a text", value) }
        return text
    }

    /// The same thing under two names (conflict C1 and its like): one may be there, or both if they agree.
    func text(_ name: String, or other: String) throws(Refusal) -> String? {
        let first = try text(name)
        let second = try text(other)
        if let first, let second, first != second {
            throw Refusal(
                .invalid, "“\(name)” is “\(first)” and “\(other)” is “\(second)”: they name the same thing.",
                remedy: "Send one of them.", field: name)
        }
        return first ?? second
    }

    func integer(_ name: String) throws(Refusal) -> Int64? {
        guard let value = self[name] else { return nil }
        guard let number = value.int64 else { throw wrong(name, "a whole number", value) }
        return number
    }

    func time(_ name: String) throws(Refusal) -> Timestamp? {
        guard let value = self[name] else { return nil }
        if let millis = value.int64 { return Timestamp(millis: millis) }
        if let millis = value.double, millis.magnitude < 9e15 { return Timestamp(micros: Int64(millis * 1000)) }
        if let text = value.string {
            if let time = Timestamp(iso: text) { return time }
            if let millis = Int64(text) { return Timestamp(millis: millis) }
        }
        throw wrong(name, "a time (ISO 8601 or epoch milliseconds)", value)
    }

    func wrong(_ name: String, _ wanted: String, _ value: JSONValue) -> Refusal {
        Refusal(
            .invalid, "“\(name)” must be \(wanted), not \(value.kind.rawValue).", remedy: "Correct the field.",
            field: name)
    }
}
