package import Glibc

/// A lock around a state, and a bell for those who wait until the state is as they need it.
///
/// `Mutex` has no bell, and the threads here are few and long-lived, so this is POSIX's own pair. The state is touched
/// under the lock only, which is what makes it safe to share.
package final class Monitor<State>: @unchecked Sendable {
    @usableFromInline var state: State
    @usableFromInline let lock: UnsafeMutablePointer<pthread_mutex_t>
    @usableFromInline let bell: UnsafeMutablePointer<pthread_cond_t>

    package init(_ state: State) {
        self.state = state
        // Neither may move, so they live on the heap until deinit.
        lock = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        bell = .allocate(capacity: 1)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // A clock that someone sets must not end a wait, nor make it last for a year.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(bell, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(bell)
        pthread_mutex_destroy(lock)
        bell.deallocate()
        lock.deallocate()
    }

    /// Changes the state and wakes everyone who waits for it.
    @inlinable package func change<R>(_ body: (inout State) -> R) -> R {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        let result = body(&state)
        pthread_cond_broadcast(bell)
        return result
    }

    /// Waits until the closure has an answer, or for so long.
    @inlinable package func wait<R>(seconds: Double? = nil, for answer: (inout State) -> R?) -> R? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        var deadline = timespec()
        if let seconds {
            clock_gettime(CLOCK_MONOTONIC, &deadline)
            let nanos = Int(seconds * 1e9) + deadline.tv_nsec
            deadline.tv_sec += nanos / 1_000_000_000
            deadline.tv_nsec = nanos % 1_000_000_000
        }
        while true {
            if let found = answer(&state) { return found }
            let code =
                seconds == nil ? pthread_cond_wait(bell, lock) : pthread_cond_timedwait(bell, lock, &deadline)
            if code == ETIMEDOUT { return answer(&state) }
        }
    }
}
