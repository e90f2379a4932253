import Glibc
import Synchronization

/// Where log lines leave the process.
final class LogOutlet: Sendable {
    private static let queueLimit = 1 << 20

    private struct State {
        var queue: [UInt8] = []
        var dropped = 0
        var isWriting = false
        var hasThread = false
    }

    let descriptor: Int32
    private let queued: Bool
    private let state = Mutex(State())

    init(descriptor: Int32, queued: Bool) {
        self.descriptor = descriptor
        self.queued = queued
    }

    func put(_ line: [UInt8]) {
        guard queued else {
            state.withLock { _ in writeAll(line) }
            return
        }
        let startThread = state.withLock { state -> Bool in
            guard state.queue.count + line.count <= LogOutlet.queueLimit else {
                state.dropped += 1
                return false
            }
            state.queue += line
            defer { state.hasThread = true }
            return !state.hasThread
        }
        if startThread { start() }
    }

    func flush() {
        while queued, state.withLock({ !$0.queue.isEmpty || $0.isWriting }) { usleep(1000) }
    }

    /// A thread that lives as long as there is something to write and a second longer.
    private func start() {
        let pointer = Unmanaged.passRetained(self).toOpaque()
        var thread = pthread_t()
        let failed = pthread_create(
            &thread, nil,
            {
                Unmanaged<LogOutlet>.fromOpaque($0!).takeRetainedValue().drain(); return nil
            }, pointer)
        if failed == 0 {
            pthread_detach(thread)
        } else {
            Unmanaged<LogOutlet>.fromOpaque(pointer).release()
            state.withLock { $0.hasThread = false }
        }
    }

    private func drain() {
        var idleRounds = 0
        while true {
            let (lines, dropped, stop) = state.withLock { state -> ([UInt8], Int, Bool) in
                let batch = (state.queue, state.dropped)
                state.queue = []
                state.dropped = 0
                state.isWriting = !batch.0.isEmpty
                let stop = batch.0.isEmpty && idleRounds >= 100
                if stop { state.hasThread = false }
                return (batch.0, batch.1, stop)
            }
            if stop { return }
            if lines.isEmpty {
                idleRounds += 1
                usleep(10_000)
                continue
            }
            idleRounds = 0
            writeAll(lines)
            if dropped > 0 {
                writeAll(Array("(\(dropped) log lines were dropped: the log is not read fast enough)\n".utf8))
            }
            state.withLock { $0.isWriting = false }
        }
    }

    private func writeAll(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = write(descriptor, buffer.baseAddress! + done, buffer.count - done)
                if count > 0 {
                    done += count
                } else if errno == EAGAIN {
                    usleep(1000)
                } else if errno != EINTR {
                    return
                }
            }
        }
    }
}
