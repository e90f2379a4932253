import MartletDomain
import MartletSearch
import MartletStorage

/// The runs of one experiment in columns, as they stood at a cursor. A value: a search works on its own copy.
struct RunTable: Sendable {
    let experiment: ExperimentID
    var rows = RunRows()
    var columns = RunColumns()
    /// Rows that may have summary values; nil until every row was looked at.
    var summaryRows: Bits?
    var cursor: ChangeCursor
    /// The store's generation before the transaction that the table was last read in.
    var generation: Int64

    /// Reads the rows of an experiment; columns come when they are asked for.
    init(
        _ experiment: ExperimentID, _ reader: any StoreReader, generation: Int64, _ deadline: SearchDeadline
    ) throws(Refusal) {
        self.experiment = experiment
        self.generation = generation
        cursor = try reader.cursor()
        var after: RunKey?
        while true {
            try deadline.check()
            let page = try reader.runs(in: experiment, after: after, limit: 5000)
            for run in page { _ = rows.put(run, ancestors: try reader.forkAncestors(of: run)) }
            guard page.count == 5000, let last = page.last else { return }
            after = last.key
        }
    }

    /// Whether this table has seen all that a reader at `other` sees.
    func isUpToDate(with other: ChangeCursor) -> Bool {
        cursor.revision >= other.revision && cursor.sequence >= other.sequence
    }

    /// Takes in what changed. False when that would be more work than reading everything again.
    mutating func follow(_ changes: PulledChanges, _ reader: any StoreReader) throws(Refusal) -> Bool {
        guard !changes.isTooMuch else { return false }
        var changed: Set<Int> = []
        for run in changes.runs where run.experiment == experiment {
            guard let row = rows.put(run, ancestors: try reader.forkAncestors(of: run)) else { return false }
            changed.insert(row)
        }
        columns.grow(to: rows.count)
        for key in changes.buried {
            guard let row = rows.row(of: key) else { continue }
            rows.bury(row)
            changed.insert(row)
        }
        let metrics = columns.metrics
        var stale: [String: Set<Int>] = [:]
        if !metrics.isEmpty {
            for arrival in changes.arrivals {
                guard let row = rows.row(of: arrival.run), !changed.contains(row) else { continue }
                for entry in arrival.batch.entries {
                    guard let parts = metrics[entry.name] else { continue }
                    if !take(entry, parts, at: row) { stale[entry.name, default: []].insert(row) }
                }
            }
        }
        // A fork shows points of the runs it comes from, which may have changed where it did not.
        for (row, ancestors) in rows.forks where !changed.contains(row) {
            if ancestors.contains(where: { changes.touched.contains($0) }) { changed.insert(row) }
        }
        try reload(changed.sorted(), reader)
        for (name, rows) in stale { try reload(metric: name, rows.subtracting(changed).sorted(), reader) }
        for key in columns.keys where columns.values[key]?.isWorn ?? false { columns.drop(key) }
        cursor = changes.cursor
        return true
    }

    private mutating func take(_ entry: PointBatch.Entry, _ parts: [MetricPart], at row: Int) -> Bool {
        let key = ColumnKey.numbers(.metric(entry.name, .latest))
        guard entry.lane == .plain, parts == [.latest] else {
            columns.numbers[key]?.forget(row)
            return false
        }
        return columns.numbers[key]?.take(entry.points, at: row) ?? true
    }

    var bytes: Int { rows.bytes + columns.keys.reduce(0) { $0 + columns.bytes(of: $1) } }
}

/// What changed since a cursor, read once for all tables that stand there.
struct PulledChanges {
    private(set) var runs: [Run] = []
    /// Runs that were purged.
    private(set) var buried: [RunKey] = []
    /// All runs of which anything changed.
    private(set) var touched: Set<RunKey> = []
    private(set) var arrivals: [ChangeSet.Arrival] = []
    private(set) var cursor: ChangeCursor
    /// So much changed that a table is better read from the start.
    private(set) var isTooMuch = false

    private static let roundsMax = 8
    private static let arrivalsMax = 2000

    init(since cursor: ChangeCursor, _ reader: any StoreReader) throws(Refusal) {
        self.cursor = cursor
        var changed: Set<RunKey> = []
        for _ in 0..<PulledChanges.roundsMax {
            let set = try reader.changes(since: self.cursor, limit: PulledChanges.arrivalsMax)
            changed.formUnion(set.runs)
            arrivals += set.arrivals
            self.cursor = set.cursor
            if !set.hasMore {
                runs = try reader.runs(changed.sorted())
                buried = Array(changed.subtracting(runs.map(\.key)))
                touched = changed.union(arrivals.map(\.run))
                return
            }
        }
        isTooMuch = true
    }
}

/// When a search gives up.
struct SearchDeadline: Sendable {
    var instant: ContinuousClock.Instant?
    static let none = SearchDeadline()

    func check() throws(Refusal) {
        guard let instant, ContinuousClock.now >= instant else { return }
        throw Refusal(
            .tooSlow, "The search took longer than it may.",
            remedy: "Narrow it by experiment or time, or put a simpler condition beside the pattern.")
    }
}
