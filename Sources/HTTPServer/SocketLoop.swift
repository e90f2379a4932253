import CMicroHTTPD
import Glibc
import Synchronization

/// The one thread that owns every upgraded socket, and the last moments of refused ones.
final class SocketLoop: Sendable {
    private enum Order {
        case adopt(WebSocketPeer)
        case flush(UInt64)
        case linger(Int32)
        case closeAll(deadline: Int)
        case stop
    }

    /// Sockets that are only drained: bounded in number, time and bytes.
    private struct Lingering {
        var deadline: Int
        var bytesLeft = 16 << 20
    }

    private struct Mailbox {
        var orders: [Order] = []
        var isClosed = false
    }

    private static let lingeringMax = 512
    private static let lingerMilliseconds = 2000

    private let mailbox = Mutex(Mailbox())
    private let wakeup = martlet_eventfd()
    private let poller = martlet_epoll()
    private let pingMilliseconds: Int
    private let messageBytesMax: Int

    /// Only the loop's thread touches it.
    private struct LoopSide {
        var peers: [UInt64: WebSocketPeer] = [:]
        var lingering: [Int32: Lingering] = [:]
        var nextID: UInt64 = 1
        var closeDeadline: Int?
        var isStopping = false
    }
    private nonisolated(unsafe) var side = LoopSide()

    init(pingSeconds: Double, messageBytesMax: Int) {
        pingMilliseconds = max(50, Int(pingSeconds * 1000))
        self.messageBytesMax = messageBytesMax
    }

    deinit {
        close(poller)
        close(wakeup)
    }

    // MARK: From any thread

    func adopt(_ peer: WebSocketPeer) { post(.adopt(peer)) }

    /// Takes a socket over to read and forget what still comes, then close it.
    func linger(_ descriptor: Int32) { post(.linger(descriptor)) }

    func closeAll(graceSeconds: Double) {
        post(.closeAll(deadline: Machine.milliseconds() + Int(graceSeconds * 1000)))
    }

    /// Ends the thread; sockets that are still open are dropped.
    func stop() { post(.stop) }

    private func post(_ order: Order) {
        let (refused, wake) = mailbox.withLock { mailbox -> (Bool, Bool) in
            if mailbox.isClosed { return (true, false) }
            mailbox.orders.append(order)
            return (false, mailbox.orders.count == 1)
        }
        if refused { discard(order) }
        if wake {
            var one: UInt64 = 1
            _ = write(wakeup, &one, 8)
        }
    }

    private func discard(_ order: Order) {
        switch order {
        case .adopt(let peer): peer.drop()
        case .linger(let descriptor): close(descriptor)
        case .flush, .closeAll, .stop: break
        }
    }

    // MARK: On the loop's thread

    func run() {
        watch(wakeup, id: 0, EPOLLIN.rawValue, EPOLL_CTL_ADD)
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        var lastTick = Machine.milliseconds()
        while true {
            let isQuiet = side.peers.isEmpty && side.lingering.isEmpty && side.closeDeadline == nil
            let timeout: Int32 = isQuiet ? -1 : Int32(min(250, max(10, pingMilliseconds / 4)))
            let count = epoll_wait(poller, &events, Int32(events.count), timeout)
            for event in events.prefix(Int(max(0, count))) {
                let id = event.data.u64
                if id == 0 {
                    var value: UInt64 = 0
                    _ = read(wakeup, &value, 8)
                } else if id & SocketLoop.lingerBit != 0 {
                    drain(Int32(truncatingIfNeeded: id & 0x7FFF_FFFF))
                } else if let peer = side.peers[id] {
                    peer.receive()
                    settle(id, peer)
                }
            }
            obey()
            let now = Machine.milliseconds()
            if now - lastTick >= Int(timeout < 0 ? 0 : timeout) {
                lastTick = now
                tick(now)
            }
            if side.isStopping { return finish() }
        }
    }

    private static let lingerBit: UInt64 = 1 << 63

    private func obey() {
        let orders = mailbox.withLock { mailbox in
            defer { mailbox.orders = [] }
            return mailbox.orders
        }
        for order in orders {
            switch order {
            case .adopt(let peer): begin(peer)
            case .flush(let id): if let peer = side.peers[id] { settle(id, peer) }
            case .linger(let descriptor): beginLingering(descriptor)
            case .closeAll(let deadline):
                side.closeDeadline = deadline
                for (id, peer) in side.peers {
                    peer.goAway()
                    settle(id, peer)
                }
            case .stop: side.isStopping = true
            }
        }
    }

    private func begin(_ peer: WebSocketPeer) {
        let id = side.nextID
        side.nextID += 1
        side.peers[id] = peer
        watch(peer.descriptor, id: id, EPOLLIN.rawValue, EPOLL_CTL_ADD)
        peer.begin { [unowned self] in post(.flush(id)) }
        if side.closeDeadline != nil { peer.goAway() }
        peer.receive()
        settle(id, peer)
    }

    /// Sends what can be sent, and asks for the events that are still wanted.
    private func settle(_ id: UInt64, _ peer: WebSocketPeer) {
        peer.flush()
        if peer.isFinished {
            side.peers[id] = nil
            epoll_ctl(poller, EPOLL_CTL_DEL, peer.descriptor, nil)
            peer.drop()
            return
        }
        if peer.wantsChanged() {
            let wanted = (peer.wantsRead ? EPOLLIN.rawValue : 0) | (peer.wantsWrite ? EPOLLOUT.rawValue : 0)
            watch(peer.descriptor, id: id, wanted, EPOLL_CTL_MOD)
        }
    }

    private func tick(_ now: Int) {
        for (id, peer) in side.peers {
            peer.tick(now: now, pingMilliseconds: pingMilliseconds)
            settle(id, peer)
        }
        if let deadline = side.closeDeadline, now >= deadline {
            for (id, peer) in side.peers {
                peer.abandon()
                settle(id, peer)
            }
        }
        for (descriptor, entry) in side.lingering where now >= entry.deadline { endLingering(descriptor) }
    }

    private func finish() {
        for (id, peer) in side.peers {
            peer.abandon()
            settle(id, peer)
        }
        for descriptor in Array(side.lingering.keys) { endLingering(descriptor) }
        let rest = mailbox.withLock { mailbox in
            mailbox.isClosed = true
            defer { mailbox.orders = [] }
            return mailbox.orders
        }
        for order in rest { discard(order) }
    }

    private func watch(_ descriptor: Int32, id: UInt64, _ events: UInt32, _ operation: Int32) {
        var event = epoll_event()
        event.events = events
        event.data.u64 = id
        epoll_ctl(poller, operation, descriptor, &event)
    }

    // MARK: Lingering

    private func beginLingering(_ descriptor: Int32) {
        guard side.lingering.count < SocketLoop.lingeringMax else {
            close(descriptor)
            return
        }
        side.lingering[descriptor] = Lingering(deadline: Machine.milliseconds() + SocketLoop.lingerMilliseconds)
        watch(
            descriptor, id: SocketLoop.lingerBit | UInt64(descriptor), EPOLLIN.rawValue | EPOLLRDHUP.rawValue,
            EPOLL_CTL_ADD)
    }

    private func drain(_ descriptor: Int32) {
        guard var entry = side.lingering[descriptor] else { return }
        withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 16) { buffer in
            for _ in 0..<16 {
                let count = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
                if count < 0 && errno == EAGAIN { break }
                entry.bytesLeft -= max(0, count)
                if count <= 0 || entry.bytesLeft <= 0 {
                    endLingering(descriptor)
                    return
                }
            }
            side.lingering[descriptor] = entry
        }
    }

    private func endLingering(_ descriptor: Int32) {
        guard side.lingering.removeValue(forKey: descriptor) != nil else { return }
        epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, nil)
        close(descriptor)
    }
}
