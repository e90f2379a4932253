import Synchronization

/// A body that any thread may add to until it is closed: server-sent events from the change feed.
///
/// Nothing here blocks. A client that falls more than `limit` bytes behind is cut off, and comes back with its last
/// cursor; memory stays bounded whatever the client does.
package final class EventStream: Sendable {
    package enum End: Sendable, Hashable {
        /// Closed by us.
        case finished
        /// The client went away.
        case disconnected
        /// The client was too slow.
        case overrun
    }

    /// What a reader finds: `failed` means that the body cannot be completed and the connection must be cut.
    package enum Piece: Sendable, Hashable { case bytes(Int), nothingYet, end, failed }

    private struct State {
        var queue = ByteQueue()
        var end: End?
        var readerWaits = false
        var wake: (@Sendable () -> Void)?
        var onClose: (@Sendable (End) -> Void)?
        var quietTicks = 0
    }

    package let limit: Int
    private let state: Mutex<State>

    /// `onClose` is called once, from whichever thread notices the end; it must not block.
    package init(limit: Int = 1 << 20, onClose: @escaping @Sendable (End) -> Void = { _ in }) {
        self.limit = limit
        state = Mutex(State(onClose: onClose))
    }

    /// Queues bytes; false when the stream is over, now or since before.
    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
        let (accepted, wake, onClose) = state.withLock {
            state -> (Bool, (@Sendable () -> Void)?, (@Sendable (End) -> Void)?) in
            guard state.end == nil else { return (false, nil, nil) }
            state.quietTicks = 0
            let fits = state.queue.count + bytes.count <= limit
            if fits {
                state.queue.append(bytes)
            } else {
                state.end = .overrun
                state.queue.removeAll()
            }
            let wake = state.readerWaits ? state.wake : nil
            state.readerWaits = false
            return (fits, wake, fits ? nil : state.onClose.take())
        }
        wake?()
        onClose?(.overrun)
        return accepted
    }

    /// One event in the wire format of EventSource; line ends inside `data` are kept.
    @discardableResult
    package func send(event: String? = nil, id: String? = nil, data: [UInt8]) -> Bool {
        send(EventStream.encode(event: event, id: id, data: data))
    }

    /// The bytes of one event, to be encoded once and shared by many streams.
    package static func encode(event: String? = nil, id: String? = nil, data: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(data.count + 32)
        for (name, value) in [("id", id), ("event", event)] {
            guard let value else { continue }
            out += Array("\(name): ".utf8) + value.utf8.filter { $0 >= 0x20 } + [0x0A]
        }
        // A lone carriage return ends a line too, and must not begin a field of its own choosing.
        let start = Array("data: ".utf8)
        out += start
        var previous: UInt8 = 0
        for byte in data {
            if byte == 0x0D || byte == 0x0A {
                if byte == 0x0D || previous != 0x0D {
                    out.append(0x0A)
                    out += start
                }
            } else {
                out.append(byte)
            }
            previous = byte
        }
        out += [0x0A, 0x0A]
        return out
    }

    /// Ends the body after what is queued.
    package func close() { finish(.finished) }

    package var isOpen: Bool { state.withLock { $0.end == nil } }
    /// Bytes that the client has not taken yet.
    package var backlog: Int { state.withLock { $0.queue.count } }

    // MARK: For the server

    /// Says how to call the reader when it has found nothing and waits.
    package func attach(wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }

    package func read(into target: UnsafeMutableRawBufferPointer) -> Piece {
        state.withLock { state in
            let count = state.queue.read(into: target)
            if count > 0 { return .bytes(count) }
            if let end = state.end { return end == .finished ? .end : .failed }
            state.readerWaits = true
            return .nothingYet
        }
    }

    /// The peer is gone; nothing that is queued matters any more.
    package func disconnected() { finish(.disconnected) }

    /// Called about once a second: after `every` quiet ones a comment goes out, so that proxies keep the line open and a
    /// dead peer is noticed.
    package func tick(every: Int) {
        let due = state.withLock { state in
            guard state.end == nil else { return false }
            state.quietTicks += 1
            return state.quietTicks >= every && state.queue.isEmpty
        }
        if due { send(Array(": \n\n".utf8)) }
    }

    private func finish(_ end: End) {
        let (wake, onClose) = state.withLock { state -> ((@Sendable () -> Void)?, (@Sendable (End) -> Void)?) in
            if end == .disconnected {
                state.queue.removeAll()
                state.wake = nil
            }
            guard state.end == nil else { return (nil, nil) }
            state.end = end
            let wake = state.readerWaits ? state.wake : nil
            state.readerWaits = false
            return (wake, state.onClose.take())
        }
        wake?()
        onClose?(end)
    }
}
