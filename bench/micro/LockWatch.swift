import Foundation
import Synchronization

/// How long a file's lock is held, as everybody else meets it: the kernel's list of locks, read over and over.
final class LockWatch: Sendable {
    static let pauseMicros: UInt32 = 100
    private let inode: String
    private let isStopping = Atomic(false)
    private let holds = Mutex<[Double]>([])
    private let ended = DispatchSemaphore(value: 0)

    init(_ path: String) throws {
        var facts = stat()
        guard stat(path, &facts) == 0 else { throw Complaint("There is no \(path) to watch.") }
        inode = ":\(facts.st_ino) "
    }

    func start() {
        Thread { [self] in
            var heldSince: Double?
            while !isStopping.load(ordering: .relaxed) {
                let now = wallSeconds()
                let isHeld = isHeld()
                if isHeld, heldSince == nil { heldSince = now }
                if !isHeld, let start = heldSince {
                    holds.withLock { $0.append(now - start) }
                    heldSince = nil
                }
                usleep(Self.pauseMicros)
            }
            // Whoever stops the watch does so because the last holder is done.
            if let start = heldSince { holds.withLock { $0.append(wallSeconds() - start) } }
            ended.signal()
        }.start()
    }

    /// In seconds.
    func stop() -> [Double] {
        isStopping.store(true, ordering: .relaxed)
        ended.wait()
        return holds.withLock { $0 }
    }

    private func isHeld() -> Bool {
        // Proc files have no size and must be read until they end; there are a few dozen locks at most.
        let file = open("/proc/locks", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 14)
        let count = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
        guard count > 0 else { return false }
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").contains {
            $0.contains("FLOCK") && !$0.contains("->") && $0.contains(inode)
        }
    }
}
