import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Synchronization

// What happens, as it happens: WebSockets, server-sent events and a long poll over one feed. A frame is what the feed
// made of it, the same bytes on every door.
extension NativeAPI {
    static let streamRoutes: [Route] = [
        Route(
            .get, "/api/v1/runs/{run}/metrics/stream", "Follow a run's metrics, and push some",
            follow(.run),
            RouteDoc(
                "streams", query: [.since],
                answers: [
                    (101, "A WebSocket: frames out, metric bodies in, each acked.", nil),
                    (200, "The same frames as server-sent events, by Accept.", nil),
                ], failures: [400, 404, 409, 426])),
        Route(
            .get, "/api/v1/experiments/{experiment}/metrics/live", "Follow the metrics of an experiment's runs",
            follow(.experiment),
            RouteDoc(
                "streams", query: [.since],
                answers: [
                    (101, "A WebSocket with a frame for each step of each run.", nil),
                    (200, "The same frames as server-sent events, by Accept.", nil),
                ], failures: [400, 404, 409, 426])),
        Route(
            .get, "/api/v1/changes", "Follow all that changes",
            .head { exchange in changesPlan(exchange) },
            RouteDoc(
                "streams",
                query: [
                    .since, .query("project", "Only what happens in this project."),
                    .query("experiment", "Only what happens in this experiment."),
                    .query("run", "Only what happens to this run."),
                    .query(
                        "wait", "How many seconds to wait when nothing has happened yet, 55 at most.",
                        ["type": "integer", "minimum": 0, "maximum": 55, "default": 0]),
                ],
                answers: [(200, "What happened since, and where to go on; events by Accept.", "Changes")],
                failures: [400, 404, 409, 422], access: .anyone,
                details: "Any other answer says where the feed stood before it was read, in its header "
                    + "`Martlet-Cursor`, to a request that has one: what is shown and followed from there misses nothing."
            )),
    ]

    /// What a stream of metrics follows.
    enum Followed: Sendable { case run, experiment }

    private static func follow(_ followed: Followed) -> Handler {
        .socket(
            { exchange in MetricSocket(exchange, followed) },
            orEvents: { exchange throws(Refusal) in try events(exchange, try Following(exchange, followed)) })
    }

    private static func changesPlan(_ exchange: Exchange) -> Plan {
        if exchange.wantsEvents {
            return Handler.read { exchange throws(Refusal) in
                try events(exchange, try Following(changes: exchange))
            }.plan(exchange)
        }
        return .collect(limit: 64 << 10, on: .worker) { _, _, responder in
            exchange.attach(responder)
            do throws(Refusal) { try poll(exchange, responder) } catch { exchange.fail(error) }
        }
    }

    /// Frames as server-sent events; the id of each is its cursor, so that a browser resumes by itself.
    private static func events(_ exchange: Exchange, _ following: Following) throws(Refusal) -> Response {
        let box = SubscriptionBox()
        let stream = EventStream { _ in box.cancel() }
        // Says that the line stands, before anything happens; also what proxies wait for. An id without data is no event,
        // but where a browser resumes should the line break before the first one.
        stream.send(Array(": following\nid: \(following.since.text)\n\n".utf8))
        box.hold(
            exchange.engine.feed.subscribe(following.scope, since: following.since) { frames in
                if frames.isEmpty { stream.close() }
                for frame in frames {
                    guard let json = following.shown(frame) else { continue }
                    guard stream.send(id: frame.cursor.text, data: json) else { return false }
                }
                return true
            })
        return .events(stream)
    }

    // MARK: The long poll

    private static let pollWaitMax: Int64 = 55
    private static let pollFramesMax = 1000

    private static func poll(_ exchange: Exchange, _ responder: Responder) throws(Refusal) {
        let following = try Following(changes: exchange)
        let wait = try exchange.integer("wait") ?? 0
        guard (0...pollWaitMax).contains(wait) else {
            throw Refusal(
                .invalid, "Waiting \(wait) seconds is not possible.",
                remedy: "Wait 0 to \(pollWaitMax) seconds and ask again.",
                field: "wait")
        }
        let feed = exchange.engine.feed
        let (frames, cursor) = try feed.missed(following.scope, since: following.since, enough: pollFramesMax)
        let shown = frames.compactMap(following.shown)
        guard shown.isEmpty, wait > 0 else { return exchange.respond(changes(shown, cursor)) }
        let box = SubscriptionBox()
        responder.onCancel { box.cancel() }
        box.hold(
            feed.subscribe(following.scope, since: cursor, atMost: Int(wait)) { frames, next in
                let shown = frames.compactMap(following.shown)
                // Without frames the feed ends: whoever waits is answered before the server goes.
                if shown.isEmpty, !frames.isEmpty { return true }
                exchange.respond(changes(shown, next ?? cursor))
                return false
            } expired: {
                exchange.respond(changes([], cursor))
            })
    }

    private static func changes(_ frames: [[UInt8]], _ cursor: ChangeCursor) -> Response {
        var writer = JSONWriter()
        writer.object { writer in
            writer.array("changes") { writer in for frame in frames { writer.raw(frame) } }
            writer.member("cursor", cursor.text)
        }
        return .json(writer.bytes)
    }
}

extension RouteDoc.Parameter {
    static let since = query(
        "since", "The `seq` of the last frame that was seen; left out, only what happens from now on.")
}

/// What someone may follow and from where: found and allowed before anything is told.
struct Following: Sendable {
    var scope: FeedScope
    var since: ChangeCursor
    private let caller: Caller
    /// Streams of metrics tell of points alone (and of resets); the feed of changes tells everything.
    private let onlyMetrics: Bool

    init(_ exchange: Exchange, _ followed: NativeAPI.Followed) throws(Refusal) {
        let caller = try exchange.caller()
        let (scope, now) = try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            switch followed {
            case .run: (FeedScope.run(try exchange.readableRun(reader, by: caller).key), try reader.cursor())
            case .experiment:
                (FeedScope.experiment(try exchange.readableExperiment(reader, by: caller).id), try reader.cursor())
            }
        }
        (self.caller, self.scope, onlyMetrics) = (caller, scope, true)
        since = try Following.since(exchange) ?? now
    }

    init(changes exchange: Exchange) throws(Refusal) {
        let caller = try exchange.caller()
        let (scope, now) = try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            (try Following.scope(exchange, reader, caller), try reader.cursor())
        }
        (self.caller, self.scope, onlyMetrics) = (caller, scope, false)
        since = try Following.since(exchange) ?? now
    }

    private static func scope(
        _ exchange: Exchange, _ reader: any StoreReader, _ caller: Caller
    ) throws(Refusal) -> FeedScope {
        if let text = exchange.query("run"), !text.isEmpty {
            return .run(try exchange.engine.readable(text, in: exchange.query("experiment"), by: caller, reader).key)
        }
        var home: ProjectID?
        if let text = exchange.query("project"), !text.isEmpty {
            let project = try reader.resolveProject(text, for: caller)
            try caller.require(.read, on: project.id)
            home = project.id
        }
        if let text = exchange.query("experiment"), !text.isEmpty {
            let experiment = try reader.resolveExperiment(text, in: home, for: caller)
            try caller.require(.read, on: experiment.project)
            return .experiment(experiment.id)
        }
        return home.map(FeedScope.project) ?? .store
    }

    private static func since(_ exchange: Exchange) throws(Refusal) -> ChangeCursor? {
        guard let text = exchange.request.headers["last-event-id"] ?? exchange.query("since"), !text.isEmpty else {
            return nil
        }
        if text == "0" { return .start }
        guard let cursor = ChangeCursor(text) else {
            throw Refusal(
                .malformed, "“\(text.prefix(40))” is no cursor.",
                remedy: "Send the “seq” of the last frame as it came, or 0 for everything.", field: "since")
        }
        return cursor
    }

    /// A frame as this follower may see it; nil where it may not, or does not care.
    func shown(_ frame: FeedFrame) -> [UInt8]? {
        if frame.kind == .reset { return mayReadAll ? frame.json : Following.blank(frame.cursor) }
        if onlyMetrics && frame.kind != .metrics { return nil }
        if scope == .store, !mayReadAll {
            guard let project = frame.project, caller.may(.read, on: project) else { return nil }
        }
        return frame.json
    }

    private var mayReadAll: Bool { caller.role != nil }

    /// A reset names every run that it concerns; whoever may not see all of them is told to read again what they can.
    private static func blank(_ cursor: ChangeCursor) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("reset", true)
            writer.member("cursor", cursor.text)
            writer.member("seq", cursor.text)
            writer.array("runs") { _ in }
        }
        return writer.bytes
    }
}

/// Holds a subscription that may have to be cancelled before it has been made.
final class SubscriptionBox: Sendable {
    private struct State {
        var subscription: ChangeFeed.Subscription?
        var isCancelled = false
    }
    private let state = Mutex(State())

    func hold(_ subscription: ChangeFeed.Subscription) {
        let isLate = state.withLock { state in
            state.subscription = subscription
            return state.isCancelled
        }
        if isLate { subscription.cancel() }
    }

    func cancel() {
        let subscription = state.withLock { state in
            state.isCancelled = true
            return state.subscription.take()
        }
        subscription?.cancel()
    }
}
