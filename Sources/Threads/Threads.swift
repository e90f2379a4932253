// Threads: the few things that wait. The rooms above the surfaces are synchronous (see docs/decisions.md), so a thread
// that waits for a commit, a feed that waits for news and a job that waits for its hour share these instead of each
// wrapping POSIX once more.
import Glibc
import Synchronization

/// Wakes one waiting thread. Rung while nobody waits, it wakes the next wait at once; rung twice, it still wakes one.
package final class Bell: Sendable {
    private let isRung = Monitor(false)

    package init() {}

    package func ring() { isRung.change { $0 = true } }

    package func wait() { _ = isRung.wait(for: Bell.heard) }

    /// Waits at most so long.
    package func wait(milliseconds: Int) { _ = isRung.wait(seconds: Double(milliseconds) / 1000, for: Bell.heard) }

    private static func heard(_ isRung: inout Bool) -> Void? {
        guard isRung else { return nil }
        isRung = false
        return ()
    }
}

/// A value that one thread waits for and another one brings.
package final class Waiter<Value: Sendable>: Sendable {
    private let value = Monitor<Value?>(nil)

    package init() {}

    package func fulfil(_ value: Value) { self.value.change { $0 = value } }

    package func wait() -> Value {
        guard let value = value.wait(for: { $0 }) else { preconditionFailure("a wait without end ends with a value") }
        return value
    }
}

/// A thread that does something, waits as long as it said, and does it again until it is stopped.
package final class BackgroundThread: Sendable {
    private struct State {
        var thread: pthread_t?
        var isStopped = false
    }
    private let state = Mutex(State())
    private let bell = Bell()

    private final class Body: Sendable {
        let work: @Sendable (Int) -> Int
        let owner: BackgroundThread
        init(_ work: @escaping @Sendable (Int) -> Int, _ owner: BackgroundThread) {
            (self.work, self.owner) = (work, owner)
        }
    }

    package init() {}

    package var isStopped: Bool { state.withLock { $0.isStopped } }

    /// `work` gets the number of the round and gives the milliseconds until the next one.
    package func start(_ work: @escaping @Sendable (Int) -> Int) {
        let box = Unmanaged.passRetained(Body(work, self))
        var thread = pthread_t()
        let made = pthread_create(
            &thread, nil,
            { raw in
                guard let raw else { return nil }
                let body = Unmanaged<Body>.fromOpaque(raw).takeRetainedValue()
                var round = 0
                while !body.owner.isStopped {
                    let pause = body.work(round)
                    round += 1
                    body.owner.bell.wait(milliseconds: pause)
                }
                return nil
            }, box.toOpaque())
        guard made == 0 else { return box.release() }
        state.withLock { $0.thread = thread }
    }

    /// Ends the pause.
    package func wake() { bell.ring() }

    /// Waits until the round in progress is over.
    package func stop() {
        let thread = state.withLock { state in
            state.isStopped = true
            return state.thread.take()
        }
        bell.ring()
        if let thread { pthread_join(thread, nil) }
    }
}
