import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Synchronization

/// A WebSocket that tells of points as they arrive and, for a run, takes points that are pushed.
///
/// Whatever touches the store is done on the workbench, in the order in which it came. A body that is wrong is answered
/// with `{"error":…}` and the socket stays: a slip in one point must not cost the stream.
final class MetricSocket: WebSocketHandler {
    private let exchange: Exchange
    private let followed: NativeAPI.Followed
    private let mailbox: Mailbox
    private let subscription = SubscriptionBox()

    init(_ exchange: Exchange, _ followed: NativeAPI.Followed) {
        (self.exchange, self.followed) = (exchange, followed)
        mailbox = Mailbox(exchange.api.workbench)
    }

    func opened(_ socket: WebSocket, _ request: Request) {
        _ = mailbox.add(bytes: 0) { [self] done in
            do throws(Refusal) { try follow(socket) } catch {
                socket.send(frame(of: error))
                socket.close(code: MetricSocket.code(error), reason: String(error.message.prefix(60)))
            }
            done()
        }
    }

    func received(_ message: WebSocketMessage, on socket: WebSocket) {
        let bytes: [UInt8] =
            switch message {
            case .text(let text): Array(text.utf8)
            case .binary(let bytes): bytes
            }
        let accepted = mailbox.add(bytes: bytes.count) { [self] done in
            do throws(Refusal) { try log(bytes, socket, done) } catch {
                socket.send(frame(of: error))
                done()
            }
        }
        if !accepted {
            socket.send(
                frame(
                    of: Refusal(
                        .busy, "Too much was pushed that is not logged yet; this message was not taken.",
                        remedy: "Wait for acks before pushing more.")))
        }
    }

    func closed(_ socket: WebSocket, code: UInt16) {
        subscription.cancel()
    }

    private func follow(_ socket: WebSocket) throws(Refusal) {
        let following = try Following(exchange, followed)
        subscription.hold(
            exchange.engine.feed.subscribe(following.scope, since: following.since) { frames in
                if frames.isEmpty { socket.close(code: 1001, reason: "the server stops") }
                for frame in frames {
                    guard let json = following.shown(frame) else { continue }
                    guard socket.send(.text(String(decoding: json, as: UTF8.self))) else { return false }
                }
                return true
            })
    }

    private func log(_ bytes: [UInt8], _ socket: WebSocket, _ done: @escaping @Sendable () -> Void) throws(Refusal) {
        guard followed == .run else {
            throw Refusal(
                .unsupported, "This stream only tells; it takes no points.",
                remedy: "Push to /api/v1/runs/{run}/metrics/stream or POST to /api/v1/runs/{run}/metrics.")
        }
        // Asked each time: rights may be taken away while a socket is open.
        let caller = try exchange.caller()
        let input = try MetricBody.read(bytes, now: exchange.engine.clock.now, stepInside: true)
        let run = try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            try exchange.readableRun(reader, by: caller)
        }
        try caller.require(.write, on: run.project)
        let log = exchange.engine.prepare(input)
        exchange.engine.change(caller, bytes: input.bytes) { ledger throws(Refusal) in
            try log(ledger, run.key, .plain)
        } then: { [self] result in
            switch result {
            case .success(let isLate):
                var writer = JSONWriter()
                writer.object { writer in
                    writer.member("ack", input.count)
                    if isLate { writer.member("late", true) }
                }
                socket.send(writer.text)
            case .failure(let error): socket.send(frame(of: error))
            }
            done()
        }
    }

    private func frame(of error: Refusal) -> String {
        guard case .bytes(let bytes) = exchange.failure(error).body else { return "{\"error\":{}}" }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Codes of our own that end like the status that the same request would have got.
    private static func code(_ error: Refusal) -> UInt16 { UInt16(4000 + Failure.status(error).code) }
}
