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

/// MLflow's surface over a store in memory, played by the rules of a server but without a socket.
final class TestMLflow {
    let store: MemoryStore
    let engine: Engine
    let api: MLflowAPI
    private let folder: String

    init(artifacts: ArtifactSettings = ArtifactSettings()) throws {
        var template = Array("/tmp/martlet-mlflow-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Trouble(what: "no temporary folder (errno \(errno))") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let clock = SteppingClock()
        store = MemoryStore(now: clock.now)
        engine = Engine(store: store, clock: clock, log: .silent)
        api = MLflowAPI(
            engine: engine, blobs: try FolderBlobStore(folder: folder + "/artifacts", now: clock.now),
            authority: Authority(.open, engine: engine), artifacts: artifacts)
    }

    deinit {
        engine.feed.stop()
        store.close()
        for name in ["artifacts/blobs", "artifacts/uploads", "artifacts/trash", "artifacts"] {
            rmdir("\(folder)/\(name)")
        }
        rmdir(folder)
    }

    struct Trouble: Error, CustomStringConvertible {
        var what: String
        var description: String { what }
    }

    struct Reply {
        var status: Int
        var type: String
        var bytes: [UInt8]
        var json: JSONValue { (try? JSONValue(parsing: bytes)) ?? .null }
        var errorCode: String? { json["error_code"]?.string }
        var message: String { json["message"]?.string ?? "" }
    }

    // MARK: Requests

    @discardableResult
    func get(_ target: String) throws -> Reply { try send(.get, target) }

    @discardableResult
    func post(_ target: String, _ json: JSONValue = [:]) throws -> Reply { try send(.post, target, json) }

    @discardableResult
    func send(_ method: MartletHTTPMessages.Method, _ target: String, _ json: JSONValue) throws -> Reply {
        var writer = JSONWriter()
        writer.value(json)
        return try send(method, target, headers: ["Content-Type": "application/json"], body: writer.bytes)
    }

    /// Sends a request below `/api` and waits for the answer, ten seconds at most.
    @discardableResult
    func send(
        _ method: MartletHTTPMessages.Method, _ target: String, headers: Headers = Headers(), body: [UInt8] = []
    ) throws -> Reply {
        let head = try Request(method, target, headers: headers, id: "req-1")
        let answer = Mutex<Response?>(nil)
        switch api.plan(head) {
        case .respond(let response)?: return reply(response)
        case .collect(_, _, let then)?:
            let answered = Answered()
            let responder = Responder(requestID: "req-1") { answered.take($0) }
            then(head, body, responder)
            for _ in 0..<10_000 where answer.withLock({ $0 == nil }) {
                if let response = answered.response { answer.withLock { $0 = response } } else { usleep(1000) }
            }
        default: throw Trouble(what: "\(target) is not served")
        }
        guard let response = answer.withLock({ $0 }) else { throw Trouble(what: "no answer came") }
        return reply(response)
    }

    private final class Answered: Sendable {
        private let held = Mutex<Response?>(nil)
        var response: Response? { held.withLock { $0 } }
        func take(_ response: Response) { held.withLock { $0 = response } }
    }

    private func reply(_ response: Response) -> Reply {
        var bytes: [UInt8] = []
        if case .bytes(let body) = response.body { bytes = body }
        return Reply(
            status: Int(response.status.code), type: response.headers["content-type"] ?? "", bytes: bytes)
    }

    // MARK: What most tests begin with

    func experiment(_ name: String) throws -> String {
        let made = try post("/api/2.0/mlflow/experiments/create", ["name": .string(name)])
        guard let id = made.json["experiment_id"]?.string else { throw Trouble(what: made.message) }
        return id
    }
}

/// A clock that stands, but for a millisecond with each look at it.
final class SteppingClock: Clock {
    private let micros = Mutex<Int64>(1_705_314_600_000_000)  // 2024-01-15T10:30:00Z

    var now: Timestamp { Timestamp(micros: monotonic) }

    var monotonic: Int64 {
        micros.withLock { micros in
            micros += 1000
            return micros
        }
    }
}
