import Glibc
import Synchronization

/// What the server knows of one TCP connection beside what MHD keeps to itself: its socket and its deadline.
///
/// MHD times out neither a header that drips nor a suspended request, so the reaper looks here. Owned by MHD's
/// connection, from its start until just before the socket is closed.
final class Connection: Sendable {
    /// Where a kept or young connection stands, for the stop and for the reaper's log line.
    enum Stage: Int, AtomicRepresentable { case idle, head, body, working, answering, upgraded }

    let descriptor: Int32
    let peer: String
    /// Milliseconds on the monotonic clock; 0 is never.
    private let deadlineCell = Atomic<Int>(0)
    private let stageCell = Atomic<Stage>(.idle)
    private let isClosed = Mutex(false)
    /// The rest of a refused body is read for a moment after the close, or the reset would destroy our answer on its way.
    private let lingers = Atomic<Bool>(false)
    /// The request in progress, for the reaper. Set by the event thread.
    private let current = Mutex<Exchange?>(nil)

    init(descriptor: Int32, peer: String) {
        self.descriptor = descriptor
        self.peer = peer
    }

    var stage: Stage { stageCell.load(ordering: .relaxed) }
    var deadline: Int { deadlineCell.load(ordering: .relaxed) }
    var exchange: Exchange? { current.withLock { $0 } }

    func enter(_ stage: Stage, deadline: Int) {
        stageCell.store(stage, ordering: .relaxed)
        deadlineCell.store(deadline, ordering: .relaxed)
    }

    func extend(to deadline: Int) { deadlineCell.store(deadline, ordering: .relaxed) }

    func begin(_ exchange: Exchange) { current.withLock { $0 = exchange } }
    func end(_ exchange: Exchange) { current.withLock { if $0 === exchange { $0 = nil } } }

    func lingerAfterClose() { lingers.store(true, ordering: .relaxed) }

    /// Breaks the connection; MHD notices and lets go of it. The lock keeps the descriptor from being closed, and given
    /// to somebody else, meanwhile.
    func cut() {
        isClosed.withLock { closed in
            if !closed { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    /// The socket is about to be closed. Returns a duplicate to drain where one is wanted.
    func closing() -> Int32? {
        isClosed.withLock { $0 = true }
        guard lingers.load(ordering: .relaxed) else { return nil }
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        return copy >= 0 ? copy : nil
    }
}
