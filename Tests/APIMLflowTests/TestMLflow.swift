import Glibc
import MartletAPIMLflow
import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletObservability
import MartletStorage
import Synchronization
import Testing

/// MLflow's surface over a store in memory, played by the rules of a server but without a socket.
final class TestMLflow {
    let engine: Engine
    let api: MLflowAPI
    let authority: Authority
    /// Where the bytes of artifacts lie; removed with this.
    let folder: String
    let store: MemoryStore
    let clock = StandingClock()

    init(
        _ mode: AccessMode = .open, artifacts: ArtifactSettings = ArtifactSettings(),
        place: PublicPlace = PublicPlace()
    ) throws {
        var template = Array("/tmp/martlet-mlflow-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Trouble(what: "no temporary folder (errno \(errno))") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        store = MemoryStore(now: clock.now)
        engine = Engine(store: store, clock: clock, log: .silent)
        authority = Authority(mode, engine: engine)
        api = MLflowAPI(
            engine: engine, blobs: try FolderBlobStore(folder: folder + "/artifacts", now: clock.now),
            authority: authority, artifacts: artifacts,
            staging: try PartStaging(folder: folder + "/artifacts/parts", now: clock.now), publicPlace: place)
    }

    deinit {
        engine.feed.stop()
        store.close()
        for name in ["artifacts"] { removeTree(folder + "/" + name) }
        rmdir(folder)
    }

    struct Trouble: Error, CustomStringConvertible {
        var what: String
        var description: String { what }
    }

    // MARK: Requests

    /// A path that begins with a slash is the whole target, any other one stands below `/api/2.0/mlflow`.
    private func target(_ path: String) -> String { path.hasPrefix("/") ? path : "/api/2.0/mlflow/\(path)" }

    @discardableResult
    func post(_ path: String, _ body: JSONValue = [:], headers: Headers = Headers()) throws -> Answer {
        try send(.post, path, body, headers: headers)
    }

    @discardableResult
    func post(_ path: String, text: String) throws -> Answer { try send(.post, path, body: Array(text.utf8)) }

    @discardableResult
    func get(_ path: String, headers: Headers = Headers()) throws -> Answer {
        try send(.get, path, headers: headers)
    }

    @discardableResult
    func send(
        _ method: MartletHTTPMessages.Method, _ path: String, _ body: JSONValue, headers: Headers = Headers()
    ) throws -> Answer {
        try send(method, path, headers: headers, body: Array(TestMLflow.text(body).utf8))
    }

    /// Sends a request and waits for the answer, ten seconds at most.
    @discardableResult
    func send(
        _ method: MartletHTTPMessages.Method, _ path: String, headers: Headers = Headers(), body: [UInt8] = []
    ) throws -> Answer {
        let target = target(path)
        var headers = headers
        if !body.isEmpty, headers["content-type"] == nil { headers["Content-Type"] = "application/json" }
        let head = try Request(method, target, headers: headers, id: "req-1")
        guard let plan = api.plan(head) else { return Answer(Response(.notFound)) }
        let box = Mutex<Response?>(nil)
        switch plan {
        case .respond(let response): return Answer(response)
        case .collect(let limit, _, let then):
            guard body.count <= limit else { return Answer(Response(.contentTooLarge)) }
            let shared = Shared(box: box)
            then(head, body, Responder(requestID: "req-1") { shared.put($0) })
            for _ in 0..<10_000 {
                if let response = shared.take() { return Answer(response) }
                usleep(1000)
            }
            throw Trouble(what: "no answer came from \(target)")
        case .stream(let sink, _):
            if !body.isEmpty, let refused = body.withUnsafeBytes({ sink.write($0) }) { return Answer(refused) }
            let shared = Shared(box: box)
            sink.finish(Responder(requestID: "req-1") { shared.put($0) })
            for _ in 0..<10_000 {
                if let response = shared.take() { return Answer(response) }
                usleep(1000)
            }
            throw Trouble(what: "no answer came from \(target)")
        case .upgrade: throw Trouble(what: "\(target) takes no whole body")
        }
    }

    private final class Shared: Sendable {
        private let box: Mutex<Response?>
        init(box: consuming Mutex<Response?>) { self.box = box }
        func put(_ response: Response) { box.withLock { $0 = response } }
        func take() -> Response? { box.withLock { $0 } }
    }

    static func text(_ json: JSONValue) -> String {
        var writer = JSONWriter()
        writer.value(json)
        return writer.text
    }

    // MARK: What most tests begin with

    func experiment(_ name: String) throws -> String {
        let answer = try post("experiments/create", ["name": .string(name)])
        return try #require(answer.json["experiment_id"]?.string)
    }

    /// A run of MLflow's; the fields are added to the request.
    func run(in experiment: String = "0", _ fields: [String: JSONValue] = [:]) throws -> String {
        var body = JSONObject([.init("experiment_id", .string(experiment))])
        for (key, value) in fields { body[key] = value }
        let answer = try post("runs/create", .object(body))
        return try #require(answer.json["run"]?["info"]?["run_id"]?.string)
    }

    func data(of run: String) throws -> JSONValue {
        try #require(try get("runs/get?run_id=\(run)").json["run"]?["data"])
    }

    func tags(of run: String) throws -> [String: String] {
        var tags: [String: String] = [:]
        for tag in try data(of: run)["tags"]?.array ?? [] { tags[tag["key"]?.string ?? ""] = tag["value"]?.string }
        return tags
    }

    /// Names of the runs that a search finds, in its order.
    func names(_ filter: String = "", order: [String] = [], in experiments: [String] = ["0"]) throws -> [String] {
        let answer = try search(filter, order: order, in: experiments)
        #expect(answer.status == 200, "\(answer.text)")
        return (answer.json["runs"]?.array ?? []).compactMap { $0["info"]?["run_name"]?.string }
    }

    func search(_ filter: String, order: [String] = [], in experiments: [String] = ["0"]) throws -> Answer {
        try post(
            "runs/search",
            [
                "experiment_ids": .array(experiments.map { .string($0) }), "filter": .string(filter),
                "order_by": .array(order.map { .string($0) }),
            ])
    }

    /// The run as the rest of the product sees it.
    func view(of id: RunID) throws -> RunView? {
        try engine.read { (reader: any StoreReader) throws(Refusal) in
            guard let run = try reader.run(id) else { return nil }
            var viewer = RunViewer(reader)
            return try viewer.view(run)
        }
    }

    func user(_ name: String, _ role: Role?) throws -> String {
        _ = try engine.putUser(.system, name: name, role: role)
        let secret = try engine.createToken(.system, for: name, label: "test").secret
        authority.forget()
        return secret
    }
}

/// An answer as a client reads it.
struct Answer {
    let status: Int
    let headers: Headers
    let body: [UInt8]

    init(_ response: Response) {
        (status, headers) = (response.status.code, response.headers)
        if case .bytes(let bytes) = response.body { body = bytes } else { body = [] }
    }

    var text: String { String(decoding: body, as: UTF8.self) }
    var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
    var code: String { json["error_code"]?.string ?? "" }
    var type: String { headers["content-type"] ?? "" }
    var message: String { json["message"]?.string ?? "" }
}

/// A clock that stands, but for a millisecond with each look at it.
final class StandingClock: Clock {
    private let micros = Mutex<Int64>(1_705_314_600_000_000)  // 2024-01-15T10:30:00Z
    func pass(seconds: Int64) { micros.withLock { $0 += seconds * 1_000_000 } }
    var now: Timestamp { Timestamp(micros: monotonic) }
    var monotonic: Int64 {
        micros.withLock { micros in
            micros += 1000
            return micros
        }
    }
}

private func removeTree(_ path: String) {
    guard let stream = opendir(path) else {
        unlink(path)
        return
    }
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { removeTree(path + "/" + name) }
    }
    closedir(stream)
    rmdir(path)
}
