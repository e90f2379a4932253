import CMicroHTTPD
import Glibc
import MartletHTTPMessages
import MartletObservability
import Synchronization

/// Looks after every connection four times a second: what is past its deadline is cut, what waits for an answer too
/// long is answered, and parked requests whose client has gone are let go.
final class Reaper: Sendable {
    private static let tickMilliseconds: Int32 = 250

    private let wakeup = martlet_eventfd()

    deinit { close(wakeup) }

    func stop() {
        var one: UInt64 = 1
        _ = write(wakeup, &one, 8)
    }

    func run(_ server: HTTPServer) {
        var tick = 0
        var halfSent: Set<ObjectIdentifier> = []
        while true {
            var polled = pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0)
            if poll(&polled, 1, Reaper.tickMilliseconds) > 0 { return }
            tick += 1
            let connections = server.snapshot()
            let now = Machine.milliseconds()
            for connection in connections { check(connection, server, now) }
            guard tick % 4 == 0 else { continue }
            for connection in connections {
                connection.exchange?.stream?.tick(heartbeatSeconds: server.limits.heartbeatSeconds)
            }
            dropVanished(connections, now)
            halfSent = dropHalfSent(connections, seenBefore: halfSent)
        }
    }

    private func check(_ connection: Connection, _ server: HTTPServer, _ now: Int) {
        let deadline = connection.deadline
        let isParked = connection.exchange?.parkedFor(now: now) != nil
        if connection.stage == .body, deadline == 0, !isParked {
            // Its sink has room again, and whether the client still sends is not known before it does.
            connection.extend(to: now + Int(server.limits.idleSeconds * 1000))
        }
        guard deadline > 0, deadline < now else { return }
        switch connection.stage {
        case .working:
            // The answer is late, not the client.
            connection.extend(to: 0)
            server.instruments.reaped.add()
            server.log.warning(
                "an answer took too long", ("id", connection.exchange?.request?.id ?? "-"),
                ("target", connection.exchange?.request?.target.raw ?? "-"))
            connection.exchange?.giveUp(Reaper.late)
        case .upgraded: break
        case .body where isParked: connection.extend(to: 0)
        case .idle, .head, .body, .answering:
            server.instruments.reaped.add()
            server.log.debug("a connection was too slow", ("remote", connection.peer))
            connection.extend(to: 0)
            connection.cut()
        }
    }

    /// MHD does not watch a suspended socket, so a client that left would hold its request until the answer comes.
    private func dropVanished(_ connections: [Connection], _ now: Int) {
        let parked = connections.compactMap { connection in
            connection.exchange.flatMap { ($0.parkedFor(now: now) ?? 0) >= 500 ? $0 : nil }
        }
        guard !parked.isEmpty else { return }
        let events = martlet_poll_peer_closed()
        var polled = parked.map { pollfd(fd: $0.connection.descriptor, events: events, revents: 0) }
        guard poll(&polled, nfds_t(polled.count), 0) > 0 else { return }
        for (exchange, entry) in zip(parked, polled) where entry.revents != 0 {
            // The socket may have changed hands since; only one that is parked still is certainly ours.
            exchange.dropIfVanished()
        }
    }

    /// A client that leaves in the middle of its body is not always noticed by MHD: when its last bytes and its end come at
    /// once, the edge-triggered event is spent on the bytes. Whoever has closed, has nothing unread, and is still in its
    /// body a second later will never complete it.
    private func dropHalfSent(
        _ connections: [Connection], seenBefore: Set<ObjectIdentifier>
    ) -> Set<ObjectIdentifier> {
        var seen: Set<ObjectIdentifier> = []
        for connection in connections where connection.stage == .body {
            guard connection.exchange?.parkedFor(now: 0) == nil else { continue }
            var entry = pollfd(fd: connection.descriptor, events: martlet_poll_peer_closed(), revents: 0)
            guard poll(&entry, 1, 0) > 0, entry.revents != 0, martlet_unread(connection.descriptor) == 0 else {
                continue
            }
            guard seenBefore.contains(ObjectIdentifier(connection)) else {
                seen.insert(ObjectIdentifier(connection))
                continue
            }
            connection.cut()
        }
        return seen
    }

    private static let late = HTTPError(
        .unavailable, "answer_too_late", "The answer took longer than this server allows.",
        remedy: "Ask for less at once, or try again later.")
}

extension Exchange {
    /// Checks again while the exchange is known to be parked, and therefore the socket to be its own.
    func dropIfVanished() {
        guard parkedFor(now: 0) != nil else { return }
        var entry = pollfd(fd: connection.descriptor, events: martlet_poll_peer_closed(), revents: 0)
        if poll(&entry, 1, 0) > 0, entry.revents != 0 { dropParked() }
    }
}
