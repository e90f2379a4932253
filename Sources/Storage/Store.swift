// What every store promises: rows in transactions, points that are never lost, a cursor over all that changes.
//
// A store keeps; it does not decide. The rules of the product (a param does not change, a short number is never
// given twice, a deleted parent takes its children along) are written once, in `Ledger`, over the verbs of
// `StoreTransaction`. The in-memory store beside this file is the reference: the others must answer as it does.
package import MartletDomain
package import MartletSeries
import MartletThreads

/// One open store.
///
/// Synchronous on purpose: reads run on the caller's thread, writes are queued to one writer thread that commits all
/// that has gathered at once and then calls back. No reader waits for a writer.
package protocol Store: AnyObject, Sendable {
    var about: StoreAbout { get }

    /// Runs the closure over one consistent view. Blocks while no reader of the pool is free.
    func read<T>(_ body: (any StoreReader) throws(StorageError) -> T) throws(StorageError) -> T

    /// Queues a change. Changes that are queued together are committed together, each whole or not at all; `then` is
    /// called on the writer's thread once the change is on disk, or with the reason why it is not.
    ///
    /// A change may be run more than once before it is committed; only its last run counts.
    ///
    /// `bytes` is about how much the change holds, for the queue's limit: above it `then` gets `.busy` at once.
    func submit<T: Sendable>(
        _ priority: WritePriority, bytes: Int,
        _ change: @escaping @Sendable (any StoreTransaction) throws(StorageError) -> T,
        then: @escaping @Sendable (Result<T, StorageError>) -> Void)

    /// Names become ids here, outside every lock, where all of them are known already; the blob is made on the
    /// caller's thread instead of the writer's.
    func prepare(_ points: PointBatch) -> PreparedPoints

    /// A number that differs whenever anything was committed since, by this process or another one. Cheap.
    func generation() throws(StorageError) -> Int64

    /// Called on the writer's thread after each commit of this process.
    func onCommit(_ listener: @escaping @Sendable () -> Void)

    /// One round of moving settled points from the journal into packs and chunks; true when there is more to do.
    func compact() throws(StorageError) -> Bool

    /// Finishes what is queued, then lets go of the files.
    func close()
}

extension Store {
    /// A change that the caller waits for: the command line, tests, start-up. Never on a thread that serves requests.
    package func write<T: Sendable>(
        _ priority: WritePriority = .live, bytes: Int = 256,
        _ change: @escaping @Sendable (any StoreTransaction) throws(StorageError) -> T
    ) throws(StorageError) -> T {
        let waiter = Waiter<Result<T, StorageError>>()
        submit(priority, bytes: bytes, change) { waiter.fulfil($0) }
        return try waiter.wait().get()
    }
}

package enum WritePriority: Sendable {
    /// A client is waiting.
    case live
    /// Adoption, import, sync: takes at most 1 MiB of a group and waits instead of being refused.
    case bulk
}

package struct StoreAbout: Sendable {
    /// `memory`, `sqlite`, `postgres`.
    package var kind: String
    package var id: String
    package var format: Int
    package var location: String
    /// Of the library underneath, for `doctor`.
    package var engine: String
    /// The rows are a copy that can be rebuilt from the logbooks beside the artifacts, as on a network file system: those
    /// are then the truth, and are never moved or deleted.
    package var isCopy: Bool

    package init(
        kind: String, id: String, format: Int, location: String, engine: String, isCopy: Bool = false
    ) {
        (self.kind, self.id, self.format, self.location, self.engine) = (kind, id, format, location, engine)
        self.isCopy = isCopy
    }
}

// MARK: - Points on their way in

/// A batch that is ready for the writer. `blobs` holds journal rows made ahead, nil when a name is new to the store.
package struct PreparedPoints: Sendable {
    package var batch: PointBatch
    package var blobs: [JournalBlob]?
    /// Of the batch: lanes may still change, points do not.
    package let pointCount: Int
    package init(batch: PointBatch, blobs: [JournalBlob]?) {
        (self.batch, self.blobs, pointCount) = (batch, blobs, batch.pointCount)
    }

    package struct JournalBlob: Sendable {
        package var pointCount: Int
        package var bytes: [UInt8]
        package init(pointCount: Int, bytes: [UInt8]) { (self.pointCount, self.bytes) = (pointCount, bytes) }
    }
}

// MARK: - What a reader gives back

/// One series as it stands, without its points.
package struct SeriesState: Equatable, Sendable {
    package var name: String
    package var lane: LaneID
    package var count: Int
    package var nan: Int
    package var infinite: Int
    /// By the one comparison of `Latest`.
    package var last: Point
    /// The earliest: least (step, arrival).
    package var first: Point
    /// Over finite values; nil where there is none.
    package var minimum: Double?
    package var maximum: Double?
    package var sum: Double
    package var minStep: Int64
    package var maxStep: Int64

    @inlinable package init(
        name: String, lane: LaneID, count: Int, nan: Int, infinite: Int, last: Point, first: Point,
        minimum: Double?, maximum: Double?, sum: Double, minStep: Int64, maxStep: Int64
    ) {
        (self.name, self.lane, self.count, self.nan, self.infinite) = (name, lane, count, nan, infinite)
        (self.last, self.first, self.minimum, self.maximum) = (last, first, minimum, maximum)
        (self.sum, self.minStep, self.maxStep) = (sum, minStep, maxStep)
    }

    package var finite: Int { count - nan - infinite }
    package var mean: Double? { finite > 0 ? sum / Double(finite) : nil }
}

/// Which points of a series: steps from and to (both included), and from which one in arrival order.
package struct PointRange: Sendable {
    package var from: Int64
    package var to: Int64
    package init(from: Int64 = .min, to: Int64 = .max) { (self.from, self.to) = (from, to) }
    package static let all = PointRange()
}

/// A place in the order of changes. Opaque to everyone but the store that gave it.
package struct ChangeCursor: Equatable, Sendable {
    package var revision: Int64
    package var sequence: Int64
    package init(revision: Int64, sequence: Int64) { (self.revision, self.sequence) = (revision, sequence) }
    package static let start = ChangeCursor(revision: 0, sequence: 0)

    package var text: String { "\(revision).\(sequence)" }
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let revision = Int64(parts[0]), let sequence = Int64(parts[1]), revision >= 0,
            sequence >= 0
        else { return nil }
        self.init(revision: revision, sequence: sequence)
    }
}

/// What has changed since a cursor. Delivery is at least once; applying it twice must be harmless.
package struct ChangeSet: Sendable {
    /// Points that arrived, in order, while they are still in the journal.
    package struct Arrival: Sendable {
        package var run: RunKey
        package var at: Timestamp
        package var batch: PointBatch
        package init(run: RunKey, at: Timestamp, batch: PointBatch) {
            (self.run, self.at, self.batch) = (run, at, batch)
        }
    }

    package var projects: [ProjectID]
    package var experiments: [ExperimentID]
    /// Runs whose row, documents, items or artifacts were written.
    package var runs: [RunKey]
    /// Cards that were made or replaced. One that was removed cannot be named any more.
    package var cards: [Int64]
    package var arrivals: [Arrival]
    /// True when points between the two cursors were compacted before they were seen; `runs` then names their runs.
    package var isReset: Bool
    package var cursor: ChangeCursor
    /// There is more after `cursor`.
    package var hasMore: Bool

    package init(
        projects: [ProjectID] = [], experiments: [ExperimentID] = [], runs: [RunKey] = [], cards: [Int64] = [],
        arrivals: [Arrival] = [], isReset: Bool = false, cursor: ChangeCursor, hasMore: Bool = false
    ) {
        self.cards = cards
        (self.projects, self.experiments, self.runs, self.arrivals) = (projects, experiments, runs, arrivals)
        (self.isReset, self.cursor, self.hasMore) = (isReset, cursor, hasMore)
    }
}

/// How much is kept, for limits and for `du`. `disk` is what the files take, as the file system says.
package struct StoreSizes: Equatable, Sendable {
    package var disk: Int64
    package var journalBytes: Int64
    package var journalPoints: Int64
    package var freeBytes: Int64
    package init(disk: Int64, journalBytes: Int64, journalPoints: Int64, freeBytes: Int64) {
        (self.disk, self.journalBytes) = (disk, journalBytes)
        (self.journalPoints, self.freeBytes) = (journalPoints, freeBytes)
    }
}
