import Glibc
import MartletThreads
import Synchronization

/// Two threads for what WebSockets ask for. The one thread that owns all sockets must not wait for a disk, and a lane of
/// the server is only lent for a request; so pushed points and the first look at a run are done here.
final class Workbench: Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var threads = 0
        var idle = 0
    }

    private static let threadsMax = 2
    private let state = Monitor(State())

    /// Does a piece of work soon, beside others.
    func add(_ work: @escaping @Sendable () -> Void) {
        let mustStart = state.change { state in
            state.waiting.append(work)
            guard state.idle < state.waiting.count, state.threads < Workbench.threadsMax else { return false }
            state.threads += 1
            return true
        }
        if mustStart { start() }
    }

    private func start() {
        let body = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let made = pthread_create(
            &thread, nil,
            { raw in
                if let raw { Unmanaged<Workbench>.fromOpaque(raw).takeRetainedValue().run() }
                return nil
            }, body.toOpaque())
        if made == 0 {
            pthread_detach(thread)
        } else {
            body.release()
            state.change { $0.threads -= 1 }
        }
    }

    /// A thread that finds nothing for ten seconds ends; the next piece of work starts another one.
    private func run() {
        while true {
            state.change { $0.idle += 1 }
            let found = state.wait(seconds: 10) { state -> (@Sendable () -> Void)? in
                guard !state.waiting.isEmpty else { return nil }
                // In one step with taking it: who adds the next piece must not count on this thread any more.
                state.idle -= 1
                return state.waiting.removeFirst()
            }
            if let found {
                found()
                continue
            }
            let isOver = state.change { state in
                state.idle -= 1
                guard state.waiting.isEmpty else { return false }
                state.threads -= 1
                return true
            }
            if isOver { return }
        }
    }
}

/// Work of one socket, done in order and never twice at once, and only so much of it at a time.
final class Mailbox: Sendable {
    private struct State {
        var waiting: [(bytes: Int, work: @Sendable (_ done: @escaping @Sendable () -> Void) -> Void)] = []
        var bytes = 0
        var isBusy = false
    }

    private let workbench: Workbench
    private let bytesMax: Int
    private let state = Mutex(State())

    init(_ workbench: Workbench, bytesMax: Int = 8 << 20) { (self.workbench, self.bytesMax) = (workbench, bytesMax) }

    /// False when too much waits already. `work` calls what it is given when it is done, from any thread.
    func add(bytes: Int, _ work: @escaping @Sendable (_ done: @escaping @Sendable () -> Void) -> Void) -> Bool {
        let (accepted, mustStart) = state.withLock { state -> (Bool, Bool) in
            guard state.waiting.isEmpty || state.bytes + bytes <= bytesMax else { return (false, false) }
            state.waiting.append((bytes, work))
            state.bytes += bytes
            defer { state.isBusy = true }
            return (true, !state.isBusy)
        }
        if mustStart { next() }
        return accepted
    }

    func removeAll() {
        state.withLock { state in
            state.waiting.removeAll()
            state.bytes = 0
        }
    }

    private func next() {
        let work = state.withLock { state -> (@Sendable (_ done: @escaping @Sendable () -> Void) -> Void)? in
            guard !state.waiting.isEmpty else {
                state.isBusy = false
                return nil
            }
            let first = state.waiting.removeFirst()
            state.bytes -= first.bytes
            return first.work
        }
        guard let work else { return }
        workbench.add { [self] in work { self.next() } }
    }
}
