import Glibc
import MartletDomain
import MartletStorage
import MartletThreads

/// The one lock under which anybody writes: `flock` on `write.lock` beside the database.
///
/// It belongs to an open description, so it also keeps threads of one process apart, each with a descriptor of its
/// own, and the kernel drops it when a process dies. Its owner is one thread at a time.
///
/// When the lock is held by another, a thread of ours waits for it in the kernel's queue, because a lock that is only
/// tried now and then is never free at the right moment while a busy writer takes it again at once.
final class WriteLock: Sendable {
    private enum State {
        case free
        /// A thread waits in the kernel. The caller may have given up meanwhile; `wanted` says whether it has.
        case waiting(wanted: Bool)
        case held
        case failed(Int32)
    }

    let path: String
    private let descriptor: Int32
    private let line: [UInt8]
    private let seconds: Double
    private let state: Monitor<State>

    init(path: String, command: String, seconds: Double = 5) throws(StorageError) {
        // Never inherited: a child that kept it would hold the lock for as long as it lives.
        descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .file(errno, .open, path) }
        (self.path, self.seconds) = (path, seconds)
        // One write of one length leaves nothing of a longer line before it.
        let text = String("\(getpid()) \(command)".prefix(119))
        let bytes = Array(text.utf8.prefix(119))
        line = bytes + Array(repeating: UInt8(ascii: " "), count: 119 - bytes.count) + [UInt8(ascii: "\n")]
        state = Monitor(.free)
    }

    deinit { Glibc.close(descriptor) }

    func acquire() throws(StorageError) {
        let isOurs = state.change { state in
            guard case .free = state, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return false }
            state = .held
            return true
        }
        if !isOurs { try wait() }
        _ = line.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    func release() {
        state.change { state in
            flock(descriptor, LOCK_UN)
            state = .free
        }
    }

    /// Runs the body under the lock.
    func with<T>(_ body: () throws(StorageError) -> T) throws(StorageError) -> T {
        try acquire()
        defer { release() }
        return try body()
    }

    private func wait() throws(StorageError) {
        let needsThread = state.change { state in
            if case .waiting = state {
                state = .waiting(wanted: true)
                return false
            }
            state = .waiting(wanted: true)
            return true
        }
        if needsThread {
            guard let thread = startThread(named: "martlet-lock", { self.waitInKernel() }) else {
                state.change { $0 = .free }
                throw StorageError(
                    .busy, "The system gives no thread to wait for the store's lock.", remedy: "Try again later.")
            }
            pthread_detach(thread)
        }
        let code = state.wait(seconds: seconds) { state -> Int32? in
            switch state {
            case .held: return 0
            case .failed(let code):
                state = .free
                return code
            default: return nil
            }
        }
        if code == 0 { return }
        if let code { throw .file(code, .lock, path) }
        // Between the time-out and this line the lock may have come after all.
        let cameLate = state.change { state in
            if case .held = state { return true }
            state = .waiting(wanted: false)
            return false
        }
        if !cameLate { throw .locked(by: holder, seconds: seconds) }
    }

    private func waitInKernel() {
        while flock(descriptor, LOCK_EX) != 0 {
            let code = errno
            if code != EINTR { return state.change { $0 = .failed(code) } }
        }
        state.change { state in
            if case .waiting(wanted: false) = state {
                flock(descriptor, LOCK_UN)
                state = .free
            } else {
                state = .held
            }
        }
    }

    /// What whoever holds the lock wrote about itself.
    private var holder: String {
        var bytes = [UInt8](repeating: 0, count: 120)
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return "" }
        var text = Substring(String(decoding: bytes[..<count], as: UTF8.self))
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}

extension StorageError {
    static func locked(by holder: String, seconds: Double) -> StorageError {
        let parts = holder.split(separator: " ", maxSplits: 1)
        let who = parts.count == 2 ? "process \(parts[0]) (\(parts[1]))" : "another process"
        return StorageError(
            .locked, "The store has been held by \(who) for over \(Int(seconds)) seconds.",
            remedy: "Try again; if that process hangs, stop it: nothing that was acknowledged is lost.")
    }

    /// A system call on a file that did not work.
    static func file(_ code: Int32, _ verb: FileTrouble.Verb, _ path: String) -> StorageError {
        FileTrouble(verb: verb, path: path).refusal(code)
    }
}
