// Threads: the few things that wait. The rooms above the surfaces are synchronous (see docs/decisions.md), so a thread
// that waits for a commit, a feed that waits for news and a job that waits for its hour share these instead of each
// wrapping POSIX once more.
import Glibc
import Synchronization

/// Wakes one waiting thread. Rung while nobody waits, it wakes the next wait at once; rung twice, it still wakes one.
///
/// It waits by the monotonic clock, which a semaphore cannot: a thread must not sleep for a year because somebody set the
/// machine's date back by one.
package final class Bell: @unchecked Sendable {
    // Both must not move: they live on the heap until deinit. `isRung` is read and written under the lock only.
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var isRung = false

    package init() {
        lock = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(lock)
        condition.deallocate()
        lock.deallocate()
    }

    package func ring() {
        pthread_mutex_lock(lock)
        isRung = true
        pthread_cond_signal(condition)
        pthread_mutex_unlock(lock)
    }

    package func wait() {
        pthread_mutex_lock(lock)
        while !isRung { pthread_cond_wait(condition, lock) }
        isRung = false
        pthread_mutex_unlock(lock)
    }

    /// Waits at most so long.
    package func wait(milliseconds: Int) {
        var until = timespec()
        clock_gettime(CLOCK_MONOTONIC, &until)
        until.tv_nsec += milliseconds % 1000 * 1_000_000
        until.tv_sec += milliseconds / 1000 + until.tv_nsec / 1_000_000_000
        until.tv_nsec %= 1_000_000_000
        pthread_mutex_lock(lock)
        while !isRung, pthread_cond_timedwait(condition, lock, &until) != ETIMEDOUT {}
        isRung = false
        pthread_mutex_unlock(lock)
    }
}

/// A value that one thread waits for and another one brings.
package final class Waiter<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let bell = Bell()

    package init() {}

    package func fulfil(_ value: Value) {
        self.value.withLock { $0 = value }
        bell.ring()
    }

    package func wait() -> Value {
        while true {
            bell.wait()
            if let value = value.withLock({ $0 }) { return value }
        }
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
