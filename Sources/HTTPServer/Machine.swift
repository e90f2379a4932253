import CMicroHTTPD
import Glibc

/// The few facts about the machine that a server needs.
enum Machine {
    static let cores = Int(martlet_cores())

    /// Milliseconds of a clock that never goes back.
    static func milliseconds() -> Int {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
    }

    static func microseconds() -> Int {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return now.tv_sec * 1_000_000 + now.tv_nsec / 1000
    }

    static func words(_ error: Int32) -> String { strerror(error).map { String(cString: $0) } ?? "error \(error)" }

    /// Starts a named thread that runs `body` and is joined by the returned value. Nil when the system has none left.
    static func thread(_ name: String, _ body: @escaping @Sendable () -> Void) -> pthread_t? {
        final class Box {
            let name: String
            let body: @Sendable () -> Void
            init(_ name: String, _ body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
        }
        let box = Unmanaged.passRetained(Box(name, body)).toOpaque()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        // Address space only: pages come when they are touched.
        pthread_attr_setstacksize(&attributes, 4 << 20)
        var thread = pthread_t()
        let failed = pthread_create(
            &thread, &attributes,
            { pointer in
                let box = Unmanaged<Box>.fromOpaque(pointer!).takeRetainedValue()
                martlet_name_thread(box.name)
                box.body()
                return nil
            }, box)
        if failed == 0 { return thread }
        Unmanaged<Box>.fromOpaque(box).release()
        return nil
    }
}
