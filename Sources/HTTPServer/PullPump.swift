import MartletHTTPMessages
import Synchronization

/// Keeps a little of a pulled body ready ahead of the client, made on a worker thread.
final class PullPump: StreamBody {
    private static let aheadBytes = 512 * 1024

    private struct State {
        var queue = ByteQueue()
        var isPumping = false
        var isComplete = false
        var hasFailed = false
        var readerWaits = false
        var wake: (@Sendable () -> Void)?
    }

    private let source: any ChunkSource
    private let pool: WorkerPool
    private let state = Mutex(State())

    init(_ source: any ChunkSource, pool: WorkerPool) {
        self.source = source
        self.pool = pool
    }

    func attach(wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }

    func read(into target: UnsafeMutableRawBufferPointer) -> EventStream.Piece {
        let (piece, pump) = state.withLock { state -> (EventStream.Piece, Bool) in
            if state.hasFailed { return (.failed, false) }
            let count = state.queue.read(into: target)
            let pump = !state.isComplete && !state.isPumping && state.queue.count < PullPump.aheadBytes / 2
            if pump { state.isPumping = true }
            if count > 0 { return (.bytes(count), pump) }
            if state.isComplete { return (.end, false) }
            state.readerWaits = true
            return (.nothingYet, pump)
        }
        if pump, !pool.submit(always: true, { [self] in self.pump() }) { disconnected() }
        return piece
    }

    func disconnected() {
        state.withLock { state in
            state.hasFailed = true
            state.queue.removeAll()
            state.wake = nil
        }
    }

    func wrapUp() {}
    func tick(heartbeatSeconds: Int) {}

    private func pump() {
        while true {
            let chunk = Result { try source.next() }
            let (wake, goOn) = state.withLock { state -> ((@Sendable () -> Void)?, Bool) in
                switch chunk {
                case .success(let bytes?): state.queue.append(bytes)
                case .success(nil): state.isComplete = true
                case .failure: state.hasFailed = true
                }
                let goOn = !state.isComplete && !state.hasFailed && state.queue.count < PullPump.aheadBytes
                if !goOn { state.isPumping = false }
                let due = state.readerWaits && (!state.queue.isEmpty || !goOn)
                if due { state.readerWaits = false }
                return (due ? state.wake : nil, goOn)
            }
            wake?()
            if !goOn { return }
        }
    }
}
