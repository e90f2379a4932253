import CMalloc
import Glibc
import MartletThreads
import Synchronization

/// Gives memory back to the system that the process has freed.
///
/// GNU's allocator keeps what is freed in arenas, up to eight for each core, and hands out each thread's own first: after
/// a load a server of a dozen threads holds twice the memory that it uses. Two measures, neither of which a request pays
/// for: no more arenas than cores, and a sweep in the first second in which nothing happens. Until then it is kept: a
/// million points are 24 MB, and the system took longer to lend them page by page than it took to decode them.
package final class FreedMemory: Sendable {
    private let worker = BackgroundThread()
    private let marks = Mutex(Marks())

    /// Before threads are started: an arena that is there stays.
    package static func setRules() {
        let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        _ = mallopt(M_ARENA_MAX, Int32(clamping: max(2, cores)))
        // The largest that it takes; what is larger is mapped for itself and given back at once.
        _ = mallopt(M_MMAP_THRESHOLD, 32 << 20)
        _ = mallopt(M_TRIM_THRESHOLD, 64 << 20)
    }

    /// `rest` gives up before a sweep what need not be kept.
    func start(rest: @escaping @Sendable () -> Void) {
        worker.start { [self] _ in
            marks.withLock { $0.lookAgain(rest) }
            return 1000
        }
    }

    func stop() { worker.stop() }

    /// How long the process had worked, in seconds, at the last look and after the last sweep.
    private struct Marks {
        private var look = 0.0
        private var sweep = 0.0

        mutating func lookAgain(_ rest: () -> Void) {
            let now = Marks.worked()
            defer { look = now }
            guard now - look < 0.01, now - sweep > 0.1 else { return }
            rest()
            _ = malloc_trim(0)
            sweep = Marks.worked()
        }

        private static func worked() -> Double {
            var now = timespec()
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now)
            return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
        }
    }
}
