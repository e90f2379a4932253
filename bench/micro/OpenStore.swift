import MartletDomain
import MartletStorage
import MartletStorageSQLite
import Synchronization

/// A store under measurement, with its clock in our hands: compaction waits until rows have settled, and we do not.
final class OpenStore: Sendable {
    let store: any Store
    let folder: String
    private let offset: SharedOffset

    init(_ folder: String) throws {
        let ahead = SharedOffset()
        var options = SQLiteStore.Options()
        let wall = options.now
        options.now = { wall().adding(seconds: Double(ahead.seconds.load(ordering: .relaxed))) }
        self.folder = folder
        self.offset = ahead
        store = try SQLiteStore.open(folder: folder, options: options)
    }

    private final class SharedOffset: Sendable {
        let seconds = Atomic<Int64>(0)
    }

    /// An hour passes, so that everything has settled.
    func letSettle() { offset.seconds.add(3600, ordering: .relaxed) }

    /// Runs in one transaction; their keys.
    func makeRuns(
        _ count: Int, in experiment: ExperimentID = .standard,
        _ draft: @escaping @Sendable (Int, inout RunDraft) -> Void = { _, _ in }
    ) throws -> [RunKey] {
        let now = Timestamp(micros: Material.start)
        return try store.write { (tx) throws(StorageError) in
            let ledger = Ledger(tx, now: now)
            var keys: [RunKey] = []
            for number in 0..<count {
                var one = RunDraft(experiment: experiment)
                draft(number, &one)
                keys.append(try ledger.createRun(one).key)
            }
            return keys
        }
    }

    func makeExperiment(_ name: String) throws -> ExperimentID {
        let now = Timestamp(micros: Material.start)
        return try store.write { (tx) throws(StorageError) in
            try Ledger(tx, now: now).createExperiment(ExperimentDraft(name: name)).experiment.id
        }
    }

    /// Batches by way of the store alone: prepared here, queued, at most `inFlight` of them not yet on disk.
    func append(_ batches: [PointBatch], to run: RunKey, inFlight: Int) throws {
        try submit(batches, inFlight: inFlight) { prepared, tx throws(StorageError) in
            try tx.append(prepared, to: run, at: Timestamp(micros: Material.start))
        }
    }

    /// The same with the product's rules: limits, the run's state, what is told to followers.
    func log(_ batches: [PointBatch], to run: RunKey, inFlight: Int) throws {
        try submit(batches, inFlight: inFlight) { prepared, tx throws(StorageError) in
            try Ledger(tx, now: Timestamp(micros: Material.start)).logPoints(prepared, to: run)
        }
    }

    private func submit(
        _ batches: [PointBatch], inFlight: Int,
        _ change: @escaping @Sendable (PreparedPoints, any StoreTransaction) throws(StorageError) -> Void
    ) throws {
        let window = Window(inFlight)
        for batch in batches {
            window.enter()
            let prepared = store.prepare(batch)
            let bytes = prepared.blobs?.reduce(256) { $0 + $1.bytes.count } ?? batch.pointCount * 24
            store.submit(.live, bytes: bytes) { (tx) throws(StorageError) in
                try change(prepared, tx)
            } then: { result in
                window.leave(result)
            }
        }
        try window.drain()
    }

    /// Until nothing settled is left in the journal.
    func compactAll() throws {
        letSettle()
        while try store.compact() {}
    }

    /// Bytes of pages that hold something: the file keeps freed pages to use them again.
    func usedBytes() throws -> Double {
        let database = try Database(folder + "/martlet.db")
        let pages = try database.all("PRAGMA page_count") { $0.int(0) }[0]
        let free = try database.all("PRAGMA freelist_count") { $0.int(0) }[0]
        return Double((pages - free) * 4096)
    }
}
