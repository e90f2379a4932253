import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON

/// One address and method: what it does, and what is said of it.
struct Route: Sendable {
    var method: Method
    /// `/api/v1/runs/{run}/metrics`; a part in braces takes any one segment, one ending in `…}` all that are left.
    var path: String
    var summary: String
    var handler: Handler
    var doc: RouteDoc

    init(_ method: Method, _ path: String, _ summary: String, _ handler: Handler, _ doc: RouteDoc = RouteDoc()) {
        (self.method, self.path, self.summary, self.handler, self.doc) = (method, path, summary, handler, doc)
    }
}

/// How a route is carried out.
enum Handler: Sendable {
    /// Reads only: on a worker, answered at once.
    case read(@Sendable (Exchange) throws(Refusal) -> Response)
    /// The same for what takes seconds.
    case slowRead(@Sendable (Exchange) throws(Refusal) -> Response)
    /// Takes a body and changes something: parsed on a worker, answered through the exchange when it is on disk.
    case change(limit: Int = 8 << 20, @Sendable (Exchange, [UInt8]) throws(Refusal) -> Void)
    /// An upload in constant memory.
    case upload(@Sendable (Exchange) -> any BodySink)
    /// A WebSocket; for who asks for server-sent events instead, an answer that goes on.
    case socket(
        @Sendable (Exchange) -> any WebSocketHandler,
        orEvents: (@Sendable (Exchange) throws(Refusal) -> Response)? = nil)
    /// Decided by the head alone, without blocking.
    case head(@Sendable (Exchange) -> Plan)

    func plan(_ exchange: Exchange) -> Plan {
        switch self {
        case .read(let body): return Handler.answer(exchange, on: .worker, body)
        case .slowRead(let body): return Handler.answer(exchange, on: .slow, body)
        case .change(let limit, let body):
            return .collect(limit: limit, on: .worker) { _, bytes, responder in
                exchange.attach(responder)
                exchange.markCursor()
                do throws(Refusal) { try body(exchange, bytes) } catch { exchange.fail(error) }
            }
        case .upload(let make): return .stream(to: make(exchange), on: .worker)
        case .socket(let make, let events):
            if let events, exchange.wantsEvents, !exchange.request.headers.contains("upgrade") {
                return Handler.answer(exchange, on: .worker, events)
            }
            return .upgrade(make(exchange))
        case .head(let decide): return decide(exchange)
        }
    }

    private static func answer(
        _ exchange: Exchange, on lane: MartletHTTPMessages.Lane,
        _ body: @escaping @Sendable (Exchange) throws(Refusal) -> Response
    ) -> Plan {
        .collect(limit: 64 << 10, on: lane) { _, _, responder in
            exchange.attach(responder)
            exchange.markCursor()
            do throws(Refusal) { exchange.respond(try body(exchange)) } catch { exchange.fail(error) }
        }
    }
}

/// Finds the route of a request. Literal parts win over parts in braces, so `/runs/search` is never a run.
struct RouteTable: Sendable {
    let routes: [Route]
    private let templates: [[Part]]

    private enum Part: Sendable, Equatable {
        case literal(String)
        case one(String)
        case rest(String)
    }

    enum Outcome {
        case found(Route, [String: String])
        case wrongMethod([String])
        case notFound
    }

    init(_ routes: [Route]) {
        self.routes = routes
        templates = routes.map { route in
            route.path.split(separator: "/").map { part in
                guard part.hasPrefix("{") else { return .literal(String(part)) }
                let name = part.dropFirst().dropLast()
                return name.hasSuffix("…") ? .rest(String(name.dropLast())) : .one(String(name))
            }
        }
    }

    func find(_ request: Request) -> Outcome {
        let segments = request.segments
        var best: (index: Int, values: [String: String], rank: String)?
        var allowed: (rank: String, methods: Set<String>) = ("", [])
        for (index, template) in templates.enumerated() {
            guard let (values, rank) = match(template, segments) else { continue }
            let method = routes[index].method
            if method == request.method || (request.method == .head && method == .get) {
                if best == nil || rank < best!.rank { best = (index, values, rank) }
            } else if allowed.methods.isEmpty || rank < allowed.rank {
                allowed = (rank, [method.rawValue])
            } else if rank == allowed.rank {
                allowed.methods.insert(method.rawValue)
            }
        }
        if let best { return .found(routes[best.index], best.values) }
        // Only those of the address itself: `/runs/search` could be a run's, but is not offered as one.
        return allowed.methods.isEmpty ? .notFound : .wrongMethod(allowed.methods.sorted())
    }

    /// The values of the parts in braces, and a rank that sorts literal matches first.
    private func match(_ template: [Part], _ segments: [String]) -> ([String: String], String)? {
        var values: [String: String] = [:]
        var rank = ""
        for (index, part) in template.enumerated() {
            switch part {
            case .rest(let name):
                guard index < segments.count else { return nil }
                values[name] = segments[index...].joined(separator: "/")
                return (values, rank + "2")
            case .one(let name):
                guard index < segments.count, !segments[index].isEmpty else { return nil }
                values[name] = segments[index]
                rank += "1"
            case .literal(let text):
                guard index < segments.count, segments[index] == text else { return nil }
                rank += "0"
            }
        }
        return segments.count == template.count ? (values, rank) : nil
    }
}
