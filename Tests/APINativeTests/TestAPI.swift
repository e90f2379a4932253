import Glibc
import MartletAPINative
import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletObservability
import MartletStorage
import Synchronization
import Testing

/// The native API over a store in memory, played by the rules of a server but without a socket.
final class TestAPI {
    let store: MemoryStore
    let engine: Engine
    let authority: Authority
    let api: NativeAPI
    let clock: TestClock
    /// Where the bytes of artifacts lie; removed with this.
    let folder: String

    init(_ mode: AccessMode = .open) throws {
        var template = Array("/tmp/martlet-api-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Trouble(what: "no temporary folder (errno \(errno))") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        clock = TestClock()
        store = MemoryStore(now: clock.now)
        engine = Engine(store: store, clock: clock, log: .silent, outbound: Receiver())
        authority = Authority(mode, engine: engine)
        api = NativeAPI(
            engine: engine, blobs: try FolderBlobStore(folder: folder + "/artifacts", now: clock.now),
            authority: authority, about: ServerAbout(version: "1.2.3", commit: "abcdef0"))
    }

    deinit {
        engine.stopTelling()
        engine.feed.stop()
        store.close()
        remove(folder)
    }

    struct Trouble: Error, CustomStringConvertible {
        var what: String
        var description: String { what }
    }

    // MARK: Requests

    /// Sends a request and waits for the answer. Without an answer in ten seconds the test fails.
    @discardableResult
    func send(
        _ method: MartletHTTPMessages.Method, _ target: String, headers: Headers = Headers(), body: [UInt8] = [],
        pieces: Int = .max
    ) throws -> Reply {
        let pending = try begin(method, target, headers: headers, body: body, pieces: pieces)
        return try pending.wait()
    }

    @discardableResult
    func get(_ target: String, headers: Headers = Headers()) throws -> Reply {
        try send(.get, target, headers: headers)
    }

    @discardableResult
    func post(_ target: String, _ json: JSONValue, headers: Headers = Headers()) throws -> Reply {
        try post(target, text: TestAPI.text(json), headers: headers)
    }

    @discardableResult
    func post(_ target: String, text: String, headers: Headers = Headers()) throws -> Reply {
        var headers = headers
        if headers["content-type"] == nil { headers["Content-Type"] = "application/json" }
        return try send(.post, target, headers: headers, body: Array(text.utf8))
    }

    @discardableResult
    func patch(_ target: String, _ json: JSONValue) throws -> Reply {
        try send(
            .patch, target, headers: ["Content-Type": "application/json"], body: Array(TestAPI.text(json).utf8))
    }

    @discardableResult
    func put(_ target: String, _ json: JSONValue) throws -> Reply {
        try send(.put, target, headers: ["Content-Type": "application/json"], body: Array(TestAPI.text(json).utf8))
    }

    @discardableResult
    func delete(_ target: String) throws -> Reply { try send(.delete, target) }

    /// Sends a request without waiting, as a long poll needs it. `pieces` is how large the pieces of a streamed body are.
    func begin(
        _ method: MartletHTTPMessages.Method, _ target: String, headers: Headers = Headers(), body: [UInt8] = [],
        pieces: Int = .max
    ) throws -> PendingReply {
        let pending = PendingReply()
        var headers = headers
        if headers["content-length"] == nil, !body.isEmpty { headers["Content-Length"] = "\(body.count)" }
        let head = try Request(method, target, headers: headers, id: "req-1")
        guard let plan = api.plan(head) else {
            pending.deliver(Response(.notFound))
            return pending
        }
        switch plan {
        case .respond(let response): pending.deliver(response)
        case .collect(let limit, _, let then):
            if body.count > limit {
                pending.deliver(Response(.contentTooLarge))
            } else {
                then(head, body, pending.responder())
            }
        case .stream(let sink, _): feed(sink, body, pieces, pending)
        case .upgrade: pending.deliver(Response(.upgradeRequired))
        }
        return pending
    }

    private func feed(_ sink: any BodySink, _ body: [UInt8], _ pieces: Int, _ pending: PendingReply) {
        var start = 0
        while start < body.count {
            let end = min(body.count, start + min(pieces, body.count))
            let refused = body[start..<end].withUnsafeBytes { sink.write($0) }
            if let refused { return pending.deliver(refused) }
            start = end
        }
        sink.finish(pending.responder())
    }

    /// An upload whose client goes away after the first bytes.
    func abandon(_ method: MartletHTTPMessages.Method, _ target: String, headers: Headers, after body: [UInt8]) throws {
        let plan = api.plan(try Request(method, target, headers: headers, id: "req-1"))
        guard case .stream(let sink, _)? = plan else { throw Trouble(what: "\(target) takes no stream") }
        _ = body.withUnsafeBytes { sink.write($0) }
        sink.abort()
    }

    /// Opens a WebSocket and plays the client's end of it.
    func socket(_ target: String, headers: Headers = Headers(), limit: Int = 1 << 20) throws -> TestSocket {
        var headers = headers
        headers["Upgrade"] = "websocket"
        headers["Connection"] = "Upgrade"
        let head = try Request(.get, target, headers: headers, id: "req-1")
        guard case .upgrade(let handler)? = api.plan(head) else {
            throw Trouble(what: "\(target) takes no WebSocket")
        }
        return TestSocket(handler, head, limit: limit)
    }

    static func text(_ json: JSONValue) -> String {
        var writer = JSONWriter()
        writer.value(json)
        return writer.text
    }

    // MARK: What most tests begin with

    /// A new run in an experiment of this name, made without a route: its id and its key.
    func run(in experiment: String = "Default", name: String? = nil) throws -> Run {
        try engine.changeAndWait(.local(via: "test")) { ledger throws(Refusal) in
            let home = try ledger.createExperiment(ExperimentDraft(name: experiment)).experiment
            var draft = RunDraft(experiment: home.id)
            draft.name = name
            return try ledger.createRun(draft)
        }
    }

    func end(_ run: Run, _ status: String = "finished") throws {
        _ = try engine.changeAndWait(.local(via: "test")) { ledger throws(Refusal) in
            var update = Ledger.RunUpdate()
            update.status = MartletDomain.Status(word: status)
            update.end = ledger.now
            return try ledger.updateRun(run.key, update)
        }
    }

    /// A user with a role in every project, or only where `grants` say so; the headers that name them.
    func user(_ name: String, _ role: Role?, grants: [ProjectID: Role?] = [:]) throws -> Headers {
        _ = try engine.putUser(.system, name: name, role: role, grants: grants)
        let secret = try engine.createToken(.system, for: name, label: "test").secret
        authority.forget()
        return ["Authorization": "Bearer \(secret)"]
    }
}

/// A clock that stands, but for a millisecond with each look at it.
final class TestClock: Clock {
    private let micros = Mutex<Int64>(1_705_314_600_000_000)  // 2024-01-15T10:30:00Z

    var now: Timestamp { Timestamp(micros: monotonic) }

    var monotonic: Int64 {
        micros.withLock { micros in
            micros += 1000
            return micros
        }
    }

    func advance(seconds: Double) { micros.withLock { $0 += Int64(seconds * 1e6) } }
}

/// Waits until something holds, looking every millisecond, ten seconds at most; says whether it came to hold.
func eventually(within seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    var waited = 0.0
    while waited < seconds {
        if try condition() { return true }
        usleep(1000)
        waited += 0.001
    }
    return try condition()
}

/// An answer that may not be there yet.
final class PendingReply: Sendable {
    private struct State {
        var response: Response?
        var responder: Responder?
    }
    private let state = Mutex(State())

    fileprivate func deliver(_ response: Response) {
        state.withLock { if $0.response == nil { $0.response = response } }
    }

    fileprivate func responder() -> Responder {
        let responder = Responder(requestID: "req-1") { [weak self] response in self?.deliver(response) }
        hold(responder)
        return responder
    }

    /// The server keeps a responder that it may have to cancel, but must not keep it from noticing a dropped request.
    private func hold(_ responder: Responder) { weakResponder.withLock { $0 = WeakResponder(responder) } }
    private let weakResponder = Mutex(WeakResponder(nil))

    private struct WeakResponder: Sendable {
        weak let responder: Responder?
        init(_ responder: Responder?) { self.responder = responder }
    }

    var isThere: Bool { state.withLock { $0.response != nil } }

    /// The client goes away.
    func cancel() { weakResponder.withLock { $0.responder }?.cancel() }

    func wait() throws -> Reply {
        guard eventually({ isThere }), let response = state.withLock({ $0.response }) else {
            throw TestAPI.Trouble(what: "no answer came")
        }
        return Reply(response)
    }
}

/// An answer as a client reads it.
struct Reply {
    let response: Response
    let status: Int
    let headers: Headers
    let body: [UInt8]
    /// Set where the body goes on: server-sent events.
    let events: EventStream?

    init(_ response: Response) {
        self.response = response
        status = response.status.code
        headers = response.headers
        switch response.body {
        case .none: (body, events) = ([], nil)
        case .bytes(let bytes): (body, events) = (bytes, nil)
        case .file(let file, let offset, let length):
            events = nil
            body = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
                count = max(0, pread(file.descriptor, buffer.baseAddress, length, off_t(offset)))
            }
        case .pull(let source, _):
            var all: [UInt8] = []
            while let piece = try? source.next() { all += piece }
            (body, events) = (all, nil)
        case .events(let stream): (body, events) = ([], stream)
        }
    }

    var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as JSON; null when it is none, so that what a test expects of it fails.
    var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }

    subscript(key: String) -> JSONValue { json[key] ?? .null }

    /// A part of `error`.
    func error(_ key: String) -> String? { json["error"]?[key]?.string }
}

/// The client's end of a WebSocket.
final class TestSocket {
    let socket: WebSocket
    private let handler: any WebSocketHandler
    private var frames: [JSONValue] = []
    private(set) var closed: (code: UInt16, reason: String)?

    init(_ handler: any WebSocketHandler, _ request: Request, limit: Int) {
        self.handler = handler
        socket = WebSocket(limit: limit)
        handler.opened(socket, request)
    }

    func send(_ text: String) { handler.received(.text(text), on: socket) }

    /// Goes away as a client does that was cut off.
    func vanish() {
        handler.closed(socket, code: 1006)
        socket.detached()
    }

    private func take() {
        let outgoing = socket.takeOutgoing()
        for message in outgoing.messages {
            switch message {
            case .text(let text): frames.append((try? JSONValue(parsing: text)) ?? .null)
            case .binary: frames.append(.null)
            }
        }
        socket.sent(remaining: 0)
        if let close = outgoing.close { closed = close }
    }

    /// The next frame that fits, those before it thrown away; nil when none comes in time.
    func next(within seconds: Double = 10, where fits: (JSONValue) -> Bool = { _ in true }) -> JSONValue? {
        var found: JSONValue?
        _ = eventually(within: seconds) {
            take()
            while found == nil, !frames.isEmpty {
                let frame = frames.removeFirst()
                if fits(frame) { found = frame }
            }
            return found != nil
        }
        return found
    }

    /// Waits for our end to close.
    func close() -> UInt16? {
        _ = eventually {
            take()
            return closed != nil
        }
        return closed?.code
    }
}

/// The client's end of a stream of server-sent events.
final class TestEvents {
    struct Event: Equatable {
        var id: String?
        var json: JSONValue
    }

    let stream: EventStream
    private var text = ""

    init(_ stream: EventStream) { self.stream = stream }

    /// The next event that fits; nil when none comes in time or the stream ends.
    func next(within seconds: Double = 10, where fits: (JSONValue) -> Bool = { _ in true }) -> Event? {
        var found: Event?
        _ = eventually(within: seconds) {
            let isOver = !read()
            while found == nil, let end = text.range(ofBlankLine: ()) {
                let block = text[..<end.lowerBound]
                text = String(text[end.upperBound...])
                let event = TestEvents.parse(block)
                if let event, fits(event.json) { found = event }
            }
            return found != nil || isOver
        }
        return found
    }

    /// False at the end.
    private func read() -> Bool {
        var room = [UInt8](repeating: 0, count: 65_536)
        while true {
            switch room.withUnsafeMutableBytes({ stream.read(into: $0) }) {
            case .bytes(let count): text += String(decoding: room[..<count], as: UTF8.self)
            case .nothingYet: return true
            case .end, .failed: return false
            }
        }
    }

    private static func parse(_ block: Substring) -> Event? {
        var id: String?
        var data = ""
        for line in block.split(separator: "\n") {
            if line.hasPrefix("id: ") { id = String(line.dropFirst(4)) }
            if line.hasPrefix("data: ") { data += line.dropFirst(6) }
        }
        guard !data.isEmpty else { return nil }
        return Event(id: id, json: (try? JSONValue(parsing: data)) ?? .null)
    }
}

extension String {
    fileprivate func range(ofBlankLine: Void) -> Range<String.Index>? {
        var previous: Character?
        for index in indices {
            if self[index] == "\n", previous == "\n" { return self.index(before: index)..<self.index(after: index) }
            previous = self[index]
        }
        return nil
    }
}

/// Removes a folder and what is in it.
private func remove(_ folder: String) {
    if let listing = opendir(folder) {
        defer { closedir(listing) }
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            let path = folder + "/" + name
            if unlink(path) != 0 { remove(path) }
        }
    }
    rmdir(folder)
}

/// Whoever is told something by a webhook: takes all of it.
private struct Receiver: Outbound {
    func check(_ url: String) throws(Refusal) {
        guard url.contains("10.0.0.1") else { return }
        throw Refusal(.invalid, "10.0.0.1 is no public address.", remedy: "Name another one.", field: "url")
    }

    func post(
        _ url: String, headers: [(name: String, value: String)], body: [UInt8], goesOn: @escaping @Sendable () -> Bool
    ) throws(OutboundFailure) -> OutboundAnswer {
        OutboundAnswer(status: 202, body: Array("taken".utf8))
    }
}
