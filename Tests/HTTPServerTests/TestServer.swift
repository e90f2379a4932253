import Glibc
import MartletHTTPMessages
import MartletHTTPServer
import Synchronization
import Testing

/// Plans by the first segment of the path.
struct Routes: RequestHandler {
    var plans: [String: @Sendable (Request) -> Plan] = [:]

    func handle(_ head: Request) -> Plan {
        if let plan = plans[head.segments.first ?? ""] { return plan(head) }
        return .respond(.text("nothing here", status: .notFound))
    }

    /// What most tests need.
    static let usual = Routes(plans: [
        "hello": { _ in .respond(.text("hello")) },
        // Says how the target was understood.
        "segments": { head in .respond(.text(head.segments.joined(separator: "|"))) },
        "query": { head in .respond(.text(head.query.items.map { "\($0.name)=\($0.value)" }.joined(separator: "|"))) },
        "echo": { _ in
            .collect(limit: 1 << 20, on: .event) { _, body, responder in
                responder.respond(Response(.ok, ContentType.bytes, body))
            }
        },
        "work": { _ in
            .collect(limit: 1000, on: .worker) { _, body, responder in
                responder.respond(Response(.ok, ContentType.bytes, body))
            }
        },
        "small": { _ in
            .collect(limit: 100, on: .event) { _, body, responder in responder.respond(.text("\(body.count)")) }
        },
    ])
}

/// Runs a server for the length of a closure. A server that cannot stop would hang the test, which is the point.
func withServer<T>(
    _ routes: Routes = .usual, host: String = "127.0.0.1", limits: ServerLimits = ServerLimits(),
    change: (inout ServerOptions) -> Void = { _ in }, _ body: (Int, HTTPServer) throws -> T
) throws -> T {
    var options = ServerOptions(host: host)
    options.limits = limits
    change(&options)
    let server = HTTPServer(options, handler: routes)
    let port = try server.start()
    defer { server.stop(deadlineSeconds: 1) }
    return try body(port, server)
}

/// A value that tests set on one thread and await on another.
final class Box<Value: Sendable>: Sendable {
    private let cell: Mutex<Value>

    init(_ value: Value) { cell = Mutex(value) }

    var value: Value { cell.withLock { $0 } }
    func set(_ value: Value) { cell.withLock { $0 = value } }
    func change(_ body: @Sendable (inout Value) -> Void) { cell.withLock { body(&$0) } }

    /// Whether it becomes true within the time; ten seconds are forever here.
    func becomes(within seconds: Double = 10, _ isRight: (Value) -> Bool) -> Bool {
        for _ in 0..<Int(seconds * 200) {
            if isRight(value) { return true }
            usleep(5000)
        }
        return isRight(value)
    }
}

func milliseconds() -> Int {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
}

/// SplitMix64, so that a failure can be run again.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
