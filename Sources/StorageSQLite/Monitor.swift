import CSQLite
import Glibc

/// A lock around a state, and a bell for those who wait until the state is as they need it.
///
/// `Mutex` has no bell, and the threads here are few and long-lived, so this is POSIX's own pair. The state is touched
/// under the lock only, which is what makes it safe to share.
final class Monitor<State>: @unchecked Sendable {
    private var state: State
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let bell: UnsafeMutablePointer<pthread_cond_t>

    init(_ state: State) {
        self.state = state
        // Neither may move, so they live on the heap until deinit.
        lock = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        bell = .allocate(capacity: 1)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // A clock that someone sets must not end a wait.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(bell, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(bell)
        lock.deinitialize(count: 1)
        pthread_mutex_destroy(lock)
        bell.deallocate()
        lock.deallocate()
    }

    /// Changes the state and wakes everyone who waits for it.
    func change<R>(_ body: (inout State) -> R) -> R {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        let result = body(&state)
        pthread_cond_broadcast(bell)
        return result
    }

    /// Waits until the closure has an answer, or for so long.
    func wait<R>(seconds: Double? = nil, for answer: (inout State) -> R?) -> R? {
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

/// Starts a thread that takes no signals: those are for whoever has the process.
///
/// Nil when the system gives no thread.
func startThread(named name: String, _ body: @escaping @Sendable () -> Void) -> pthread_t? {
    final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
    }
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(name, body))
    let code = pthread_create(
        &thread, nil,
        { context in
            let start = Unmanaged<Start>.fromOpaque(context!).takeRetainedValue()
            martlet_name_thread(start.name)
            start.body()
            return nil
        }, start.toOpaque())
    guard code == 0 else {
        start.release()
        return nil
    }
    return thread
}
