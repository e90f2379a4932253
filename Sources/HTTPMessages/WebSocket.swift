import Synchronization

/// A message on a WebSocket.
package enum WebSocketMessage: Sendable, Hashable {
    case text(String)
    case binary([UInt8])

    package var count: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .binary(let bytes): bytes.count
        }
    }
}

/// What a route does with the WebSockets that it accepts.
///
/// The calls come from the one thread that owns all WebSockets, so none of them may block; work goes to a lane of the
/// route's own, and `send` may be called from there.
package protocol WebSocketHandler: Sendable {
    func opened(_ socket: WebSocket, _ request: Request)
    func received(_ message: WebSocketMessage, on socket: WebSocket)
    /// Called once. 1006 means that the peer vanished without a word.
    func closed(_ socket: WebSocket, code: UInt16)
}

extension WebSocketHandler {
    package func opened(_ socket: WebSocket, _ request: Request) {}
    package func received(_ message: WebSocketMessage, on socket: WebSocket) {}
    package func closed(_ socket: WebSocket, code: UInt16) {}
}

/// Our end of a WebSocket as the routes see it: a bounded queue of messages going out.
package final class WebSocket: Sendable {
    package struct Outgoing: Sendable {
        package var messages: [WebSocketMessage] = []
        package var close: (code: UInt16, reason: String)?
    }

    private struct State {
        var queued = Outgoing()
        /// Bytes of messages queued here or handed to the network and not yet sent.
        var backlog = 0
        var isOpen = true
        var wake: (@Sendable () -> Void)?
    }

    package let limit: Int
    private let state = Mutex(State())

    package init(limit: Int = 1 << 20) { self.limit = limit }

    /// Queues a message; false when the socket is closing, or is closed by this call (1008) because the peer is more
    /// than `limit` bytes behind.
    @discardableResult
    package func send(_ message: WebSocketMessage) -> Bool {
        let (accepted, wake) = state.withLock { state -> (Bool, (@Sendable () -> Void)?) in
            guard state.isOpen else { return (false, nil) }
            let fits = state.backlog == 0 || state.backlog + message.count <= limit
            if fits {
                state.backlog += message.count
                state.queued.messages.append(message)
            } else {
                state.isOpen = false
                state.queued.messages = []
                state.queued.close = (1008, "too slow")
            }
            return (fits, state.wake)
        }
        wake?()
        return accepted
    }

    package func send(_ text: String) { send(.text(text)) }

    /// Begins the closing handshake after what is queued.
    package func close(code: UInt16 = 1000, reason: String = "") {
        let wake = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.isOpen else { return nil }
            state.isOpen = false
            state.queued.close = (code, reason)
            return state.wake
        }
        wake?()
    }

    package var isOpen: Bool { state.withLock { $0.isOpen } }
    package var backlog: Int { state.withLock { $0.backlog } }

    // MARK: For the server, and for tests that play one

    package func attach(wake: @escaping @Sendable () -> Void) {
        let pending = state.withLock { state in
            state.wake = wake
            return !state.queued.messages.isEmpty || state.queued.close != nil
        }
        if pending { wake() }
    }

    package func takeOutgoing() -> Outgoing {
        state.withLock { state in
            defer { state.queued = Outgoing() }
            return state.queued
        }
    }

    /// So many bytes of messages are still with the network.
    package func sent(remaining: Int) {
        state.withLock { state in
            state.backlog = remaining + state.queued.messages.reduce(0) { $0 + $1.count }
        }
    }

    package func detached() {
        state.withLock { state in
            state.isOpen = false
            state.wake = nil
            state.queued = Outgoing()
            state.backlog = 0
        }
    }
}
