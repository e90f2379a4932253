import Glibc
import MartletDomain
import MartletStorage
import MartletThreads
import Synchronization

/// The one thread of a store that writes.
///
/// It takes all that is queued, at most 64 changes or 4 MiB, and commits it at once: the next group gathers while
/// this one is on its way to the disk, so that one fsync serves many and no timer is needed.
final class Writer: Sendable {
    struct Limits {
        var groupCount = 64
        var groupBytes = 4 << 20
        /// What bulk changes take of a group; one of them always goes along, so that they never wait for ever.
        var groupBulkBytes = 1 << 20
        var liveQueueBytes = 8 << 20
        var bulkQueueBytes = 4 << 20
        /// After so long without work the log is emptied into the file.
        var idleSeconds = 2.0
        /// No change is counted as less, which also bounds how many can be queued.
        var changeBytesMin = 256
        /// Without, what was acknowledged last may be gone after a power cut; the file stays whole.
        var syncsEachCommit = true
    }

    private struct Queue {
        var live: [Change] = []
        var bulk: [Change] = []
        var liveBytes = 0
        var bulkBytes = 0
        var isClosing = false
        var isBusy = false
    }

    private let queue = Monitor(Queue())
    private let limits: Limits
    private let names: NameTable
    private let lock: WriteLock
    private let path: String
    private let listeners = Mutex<[@Sendable () -> Void]>([])
    private let thread = Mutex<pthread_t?>(nil)

    /// Takes the connection over; it is used by the writer's thread only from here on.
    init(
        _ connection: sending Connection, lock: WriteLock, names: NameTable, limits: Limits = Limits()
    ) throws(StorageError) {
        (self.lock, self.names, self.limits, path) = (lock, names, limits, connection.path)
        let desk = Desk(connection, syncsEachCommit: limits.syncsEachCommit)
        let started = startThread(named: "martlet-writer") { self.work(at: desk) }
        guard let started else {
            throw StorageError(.busy, "The system gives no thread for the store's writer.", remedy: "Try again later.")
        }
        thread.withLock { $0 = started }
    }

    /// What only the writer's thread touches, handed over when the thread starts.
    private final class Desk: @unchecked Sendable {
        /// Nil after a failure, until it is opened anew.
        var connection: Connection?
        var needsCheckpoint = true
        private let syncsEachCommit: Bool
        init(_ connection: Connection, syncsEachCommit: Bool) {
            (self.connection, self.syncsEachCommit) = (connection, syncsEachCommit)
        }

        func connected(to path: String) throws(StorageError) -> Connection {
            if let connection { return connection }
            let fresh = try Connection(path: path, mode: .writer, syncsEachCommit: syncsEachCommit)
            connection = fresh
            return fresh
        }
    }

    private var isOwnThread: Bool { thread.withLock { $0.map { pthread_equal($0, pthread_self()) != 0 } ?? false } }

    func onCommit(_ listener: @escaping @Sendable () -> Void) { listeners.withLock { $0.append(listener) } }

    // MARK: In

    func submit(_ change: Change, _ priority: WritePriority) {
        if let refusal = priority == .live ? enqueueLive(change) : enqueueBulk(change) { change.finish(refusal) }
    }

    private func enqueueLive(_ change: Change) -> StorageError? {
        let bytes = max(change.bytes, limits.changeBytesMin)
        return queue.change { queue -> StorageError? in
            if queue.isClosing { return .closed }
            if !queue.live.isEmpty && queue.liveBytes + bytes > limits.liveQueueBytes {
                return StorageError(
                    .busy, "\(queue.liveBytes >> 10) KiB are waiting to be written; the limit is reached.",
                    remedy: "Send it again a little later.")
            }
            queue.live.append(change)
            queue.liveBytes += bytes
            return nil
        }
    }

    /// Waits for room, except on the writer's own thread, which is the one that makes it.
    private func enqueueBulk(_ change: Change) -> StorageError? {
        let bytes = max(change.bytes, limits.changeBytesMin)
        let mayWait = !isOwnThread
        let isClosed = queue.wait { (queue: inout Queue) -> Bool? in
            if queue.isClosing { return true }
            if mayWait && !queue.bulk.isEmpty && queue.bulkBytes + bytes > limits.bulkQueueBytes { return nil }
            queue.bulk.append(change)
            queue.bulkBytes += bytes
            return false
        }
        // Whoever waits for work waits for the same bell.
        queue.change { _ in }
        return isClosed == true ? .closed : nil
    }

    /// Finishes what is queued, empties the log, closes. Whoever comes later is refused.
    func close() {
        queue.change { $0.isClosing = true }
        let joined = thread.withLock { thread -> pthread_t? in
            defer { thread = nil }
            return thread
        }
        guard let joined else { return }
        // A callback that drops the last reference to a store closes it from the writer's own thread.
        if pthread_equal(joined, pthread_self()) != 0 { pthread_detach(joined) } else { pthread_join(joined, nil) }
    }

    // MARK: The thread

    private func work(at desk: Desk) {
        while true {
            let group = queue.wait(seconds: desk.needsCheckpoint ? limits.idleSeconds : nil) { take(&$0) }
            guard let group else {
                // Nobody came: time to tidy up.
                desk.needsCheckpoint = false
                if let connection = desk.connection {
                    try? lock.with { () throws(StorageError) in connection.checkpoint() }
                    connection.releasePages()
                }
                continue
            }
            if group.isEmpty { break }
            // Whoever waits for room in the queue may go on.
            queue.change { _ in }
            commit(group, at: desk)
        }
        guard let connection = desk.connection else { return }
        // Without the lock it is closed all the same, and the log stays as it is: the next to open finds it.
        try? lock.with { () throws(StorageError) in
            connection.checkpoint()
            connection.close(checkpointing: true)
        }
        connection.close()
    }

    /// The next group; empty when there is no more to do ever, nil when there is nothing now.
    private func take(_ queue: inout Queue) -> [Change]? {
        if queue.live.isEmpty && queue.bulk.isEmpty { return queue.isClosing ? [] : nil }
        var group: [Change] = []
        var bytes = 0
        let bulkFirst = queue.bulk.first.map { min(max($0.bytes, limits.changeBytesMin), limits.groupBulkBytes) } ?? 0
        let liveCountMax = limits.groupCount - (queue.bulk.isEmpty ? 0 : 1)
        for change in queue.live {
            let size = max(change.bytes, limits.changeBytesMin)
            guard group.count < liveCountMax, group.isEmpty || bytes + size <= limits.groupBytes - bulkFirst
            else { break }
            group.append(change)
            bytes += size
        }
        queue.live.removeFirst(group.count)
        queue.liveBytes -= bytes

        var bulkCount = 0
        var bulkBytes = 0
        for change in queue.bulk {
            let size = max(change.bytes, limits.changeBytesMin)
            guard group.count < limits.groupCount,
                bulkCount == 0 || (bulkBytes + size <= limits.groupBulkBytes && bytes + size <= limits.groupBytes)
            else { break }
            group.append(change)
            bulkCount += 1
            bulkBytes += size
            bytes += size
        }
        queue.bulk.removeFirst(bulkCount)
        queue.bulkBytes -= bulkBytes
        return group
    }

    private func commit(_ group: [Change], at desk: Desk) {
        var outcomes: [StorageError?] = []
        var hasWritten = false
        do throws(StorageError) {
            try lock.acquire()
            defer { lock.release() }
            let connection = try desk.connected(to: path)
            do throws(StorageError) {
                let before = connection.totalChanges
                let transaction = SQLiteTransaction(connection, names: names)
                outcomes = try apply(group, in: transaction)
                hasWritten = connection.totalChanges != before
                transaction.committed()
            } catch {
                // Closed while the lock is still ours. A failed fsync is not asked again: what it left in the cache is
                // unknown, and a fresh connection reads from the disk what is really there.
                connection.rollback()
                if connection.failure != nil {
                    connection.close()
                    desk.connection = nil
                }
                throw error
            }
        } catch {
            for change in group { change.finish(error) }
            return
        }
        if hasWritten {
            desk.needsCheckpoint = true
            for listener in listeners.withLock({ $0 }) { listener() }
        }
        for (change, refusal) in zip(group, outcomes) { change.finish(refusal) }
    }

    /// One transaction for all who may be in it.
    private func apply(_ group: [Change], in transaction: SQLiteTransaction) throws(StorageError) -> [StorageError?] {
        var damage: [Int: StorageError] = [:]
        while true {
            if let outcomes = try attempt(group, without: &damage, in: transaction) { return outcomes }
            transaction.connection.rollback()
            transaction.began()
        }
    }

    /// A savepoint for each change, so that one that is refused leaves the others whole. Nil when one has met a damaged
    /// page: SQLite does not commit after that, so the others begin again without it.
    private func attempt(
        _ group: [Change], without damage: inout [Int: StorageError], in transaction: SQLiteTransaction
    ) throws(StorageError) -> [StorageError?]? {
        let connection = transaction.connection
        try connection.run("BEGIN IMMEDIATE")
        var outcomes: [StorageError?] = []
        for (place, change) in group.enumerated() {
            if let known = damage[place] {
                outcomes.append(known)
                continue
            }
            let mark = transaction.mark
            connection.damage = nil
            do throws(StorageError) {
                try connection.savepoint { () throws(StorageError) in try change.apply(transaction) }
                outcomes.append(nil)
            } catch {
                transaction.forget(since: mark)
                outcomes.append(error)
            }
            // Both also when the change has swallowed it.
            if let failure = connection.failure { throw failure }
            if let met = connection.damage {
                damage[place] = met
                return nil
            }
        }
        try connection.run("COMMIT")
        return outcomes
    }
}
