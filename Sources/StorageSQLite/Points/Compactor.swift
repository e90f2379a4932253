import Glibc
import MartletDomain
package import MartletStorage
import MartletThreads
import Synchronization

/// What the compactions of one process have in common.
final class Compactor: Sendable {
    private struct State {
        /// Runs whose rows cannot be read. They stay as they are, and the others go on.
        var damaged: Set<RunKey> = []
        var rules = CompactionRules()
        var beforeInstall: (@Sendable (Int) throws(StorageError) -> Void)?
    }
    private let state = Mutex(State())

    private struct Life {
        var isStopping = false
        var thread: pthread_t?
    }
    private let life = Monitor(Life())

    var rules: CompactionRules {
        get { state.withLock { $0.rules } }
        set { state.withLock { $0.rules = newValue } }
    }

    /// Called in each install's transaction with its number in the pass: where a test stops it, as a crash would.
    var beforeInstall: (@Sendable (Int) throws(StorageError) -> Void)? {
        get { state.withLock { $0.beforeInstall } }
        set { state.withLock { $0.beforeInstall = newValue } }
    }

    func isDamaged(_ run: RunKey) -> Bool { state.withLock { $0.damaged.contains(run) } }
    func setDamaged(_ run: RunKey) { state.withLock { _ = $0.damaged.insert(run) } }

    // MARK: By itself

    /// Calls the round once a second until it is stopped, and again at once while there is more to do.
    func start(_ round: @escaping @Sendable () -> Bool) {
        let thread = startThread(named: "martlet-compact") { [life] in
            while life.wait(seconds: 1, for: { $0.isStopping ? true : nil }) == nil {
                while round(), !life.change({ $0.isStopping }) {}
            }
        }
        life.change { $0.thread = thread }
    }

    /// Waits for the round that is under way, unless that is who asks.
    func stop() {
        let thread = life.change { life -> pthread_t? in
            life.isStopping = true
            defer { life.thread = nil }
            return life.thread
        }
        guard let thread else { return }
        if pthread_equal(thread, pthread_self()) != 0 { pthread_detach(thread) } else { pthread_join(thread, nil) }
    }
}

extension SQLiteStore {
    /// A thread that looks once a second, when something was committed or rows were waiting, whether a run is due.
    func startCompacting() {
        let seen = Mutex<Int64?>(nil)
        names.points.compactor.start { [weak self] in
            guard let self else { return false }
            do throws(StorageError) {
                let generation = try generation()
                let isQuiet = seen.withLock { $0 == generation }
                if isQuiet && names.points.gauge.isEmpty { return false }
                seen.withLock { $0 = generation }
                return try compact(.due)
            } catch {
                // A store that is closing is no problem, nor is one that is busy: the next round tries again.
                if ![.closed, .busy, .locked].contains(error.code) { options.onProblem(error) }
                return false
            }
        }
    }
}

extension SQLiteStore {
    /// One round: a pass over the run that has the most settled points waiting, and over the next ones while those are
    /// short.
    package func compact() throws(StorageError) -> Bool { try compact(.asked) }

    /// A round for a reason; true when there is more to do for the same one.
    ///
    /// Any process may compact at any time. `compact.lock` only keeps two from doing the same work.
    func compact(_ reason: CompactionRules.Reason) throws(StorageError) -> Bool {
        let lockPath = place.database.dropLast(Schema.file.utf8.count) + "compact.lock"
        guard let lock = CompactLock(String(lockPath)) else { return true }
        defer { lock.release() }
        let (plans, hasMore) = try plans(for: reason)
        // All of them are queued before the first is waited for, so that small ones share a commit.
        let outcomes = Monitor((open: 0, refusal: StorageError?.none, isLost: false))
        let test = names.points.compactor.beforeInstall
        for var pass in plans {
            for (number, install) in pass.encode().enumerated() {
                outcomes.change { $0.open += 1 }
                enqueue(.bulk, bytes: install.byteCount) { (tx) throws(StorageError) in
                    try test?(number)
                    try install.write(to: tx)
                } then: { result in
                    outcomes.change { outcomes in
                        outcomes.open -= 1
                        guard case .failure(let error) = result else { return }
                        if error == Install.lost { outcomes.isLost = true } else { outcomes.refusal = error }
                    }
                }
            }
        }
        let end = outcomes.wait { $0.open == 0 ? $0 : nil }
        names.points.gauge.recount()
        if let refusal = end?.refusal { throw refusal }
        return hasMore || end?.isLost == true
    }

    /// The passes of one round, read in one snapshot and not encoded yet, and whether others are due after them.
    func plans(
        for reason: CompactionRules.Reason
    ) throws(StorageError) -> (plans: [CompactionPass], hasMore: Bool) {
        let now = options.now()
        let memory = names.points
        let rules = memory.compactor.rules
        return try view { (view) throws(StorageError) -> ([CompactionPass], Bool) in
            let shares = try view.rows.journalShares()
            memory.gauge.counted(shares.reduce((0, 0)) { ($0.0 + $1.bytes, $0.1 + $1.points) })
            let reason = memory.gauge.isOver ? .full : reason
            let due = rules.due(shares.filter { !memory.compactor.isDamaged($0.run) }, reason, now: now)
            var plans: [CompactionPass] = []
            var (points, taken) = (0, 0)
            for share in due where points < rules.roundPointsMax {
                taken += 1
                do throws(StorageError) {
                    let pass = try CompactionPass(of: share, in: view.rows, rules, reason, now: now)
                    guard let pass else { continue }
                    points += pass.pointCount
                    plans.append(pass)
                } catch {
                    // Said once, by whoever met it; the run's rows stay where they are and the others go on.
                    guard error.code == .damaged else { throw error }
                    memory.compactor.setDamaged(share.run)
                    throw error
                }
            }
            return (plans, taken < due.count || plans.contains { $0.hasMore })
        }
    }

    /// Gives free pages back to the file system. They are reused anyway; this is for who needs the disk.
    func releaseFreePages() throws(StorageError) {
        try change(.bulk, bytes: 1 << 20) { (tx) throws(StorageError) in
            try tx.connection.run("PRAGMA incremental_vacuum")
        }
    }
}

extension PointRows {
    /// What waits in the journal, run by run. Runs that were deleted for good are not compacted any more.
    func journalShares() throws(StorageError) -> [CompactionRules.Share] {
        try connection.all(
            """
            SELECT journal.run, count(*), sum(journal.n), sum(length(journal.data)), min(journal.at_us),
            max(journal.at_us), run.end_us IS NOT NULL FROM journal JOIN run ON run.id = journal.run
            GROUP BY journal.run
            """
        ) { (row) throws(StorageError) in
            CompactionRules.Share(
                run: RunKey(row.int(0)), rows: Int(row.int(1)), points: row.int(2), bytes: row.int(3),
                oldest: row.time(4), newest: row.time(5), hasEnded: row.int(6) != 0)
        }
    }
}

extension SQLiteView {
    /// What the journal holds, for the high mark and for `du`.
    func journalSizes() throws(StorageError) -> (bytes: Int64, points: Int64) {
        try connection.first("SELECT ifnull(sum(length(data)), 0), ifnull(sum(n), 0) FROM journal") {
            ($0.int(0), $0.int(1))
        } ?? (0, 0)
    }
}

/// A lock file that says that somebody is compacting; never waited for.
private struct CompactLock {
    private let descriptor: Int32

    init?(_ path: String) {
        descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        // Where the lock cannot be had at all, compaction goes on without: it is not what makes it safe.
        guard descriptor >= 0 else { return }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            Glibc.close(descriptor)
            return nil
        }
    }

    func release() { if descriptor >= 0 { Glibc.close(descriptor) } }
}
