import Glibc
import Synchronization

/// A fixed number of threads and a bounded queue before them, for what may block.
package final class WorkerPool: Sendable {
    package typealias Job = @Sendable () -> Void

    private struct State {
        var jobs: [Job] = []
        var head = 0
        var isStopping = false
        var threads: [pthread_t] = []

        var waiting: Int { jobs.count - head }
    }

    private let state = Mutex(State())
    private let queueMax: Int
    /// One post for each job, and one for each thread at the end. Heap memory, because a semaphore must not move.
    private nonisolated(unsafe) let semaphore: UnsafeMutablePointer<sem_t>

    package init(name: String, threads: Int, queueMax: Int) {
        self.queueMax = queueMax
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
        let started = (0..<threads).compactMap { _ in Machine.thread(name) { [self] in work() } }
        state.withLock { $0.threads = started }
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    /// Queues a job; false when the queue is full or the pool stops. `always` passes by the queue's limit, for the next
    /// piece of work that was admitted before.
    @discardableResult
    package func submit(always: Bool = false, _ job: @escaping Job) -> Bool {
        let accepted = state.withLock { state in
            guard !state.isStopping, !state.threads.isEmpty, always || state.waiting < queueMax else { return false }
            state.jobs.append(job)
            return true
        }
        if accepted { sem_post(semaphore) }
        return accepted
    }

    package var waiting: Int { state.withLock { $0.waiting } }

    /// Lets running jobs finish, drops the waiting ones, joins the threads.
    package func stop() {
        let threads = state.withLock { state in
            state.isStopping = true
            state.jobs = []
            state.head = 0
            defer { state.threads = [] }
            return state.threads
        }
        for _ in threads { sem_post(semaphore) }
        for thread in threads { pthread_join(thread, nil) }
    }

    private func work() {
        while true {
            while sem_wait(semaphore) != 0 {}
            let (job, stop) = state.withLock { state -> (Job?, Bool) in
                guard state.head < state.jobs.count else { return (nil, state.isStopping) }
                let job = state.jobs[state.head]
                state.jobs[state.head] = {}
                state.head += 1
                if state.head == state.jobs.count || state.head > 256 {
                    state.jobs.removeFirst(state.head)
                    state.head = 0
                }
                return (job, false)
            }
            if stop { return }
            job?()
        }
    }
}
