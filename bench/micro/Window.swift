import Glibc
import MartletStorage
import Synchronization

/// Lets so many through at once, as clients that wait for their answer do.
final class Window: @unchecked Sendable {
    // A semaphore is thread-safe by its nature; it lives on the heap because it must not move.
    private let places: UnsafeMutablePointer<sem_t>
    private let count: Int
    private let refusal = Mutex<StorageError?>(nil)

    init(_ count: Int) {
        self.count = count
        places = .allocate(capacity: 1)
        sem_init(places, 0, UInt32(count))
    }

    deinit {
        sem_destroy(places)
        places.deallocate()
    }

    func enter() { while sem_wait(places) != 0 {} }

    func leave<T>(_ result: Result<T, StorageError>) {
        if case .failure(let error) = result { refusal.withLock { $0 = error } }
        sem_post(places)
    }

    /// Waits for everyone, and throws what went wrong for any of them.
    func drain() throws {
        for _ in 0..<count { enter() }
        if let error = refusal.withLock({ $0 }) { throw error }
    }
}
