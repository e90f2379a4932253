import MartletDomain
import MartletSeries
import MartletStorage

extension SQLiteView {
    var rows: PointRows { PointRows(connection: connection) }

    func series(of run: RunKey, named: [String]?) throws(StorageError) -> [SeriesState] {
        guard try hasRun(run) else { return [] }
        var ids: Set<Int64>?
        if let named {
            ids = []
            for name in named { if let id = try nameID(name) { ids?.insert(id) } }
            if ids?.isEmpty == true { return [] }
        }
        var shelf = SeriesShelf(self)
        return try shelf.states(of: try rows.entries(of: run, named: ids))
    }

    func points(
        _ run: RunKey, _ name: String, _ lane: LaneID, in range: PointRange
    ) throws(StorageError) -> SeriesPoints {
        try points(run, name, lane, in: range, noting: nil)
    }

    /// As `points`, but what is damaged is left out and noted, so that an export can mark the gap and go on.
    func points(
        _ run: RunKey, _ name: String, _ lane: LaneID, in range: PointRange, noting damage: DamageLog?
    ) throws(StorageError) -> SeriesPoints {
        guard range.from <= range.to, try hasRun(run), let id = try nameID(name) else { return SeriesPoints() }
        let rows = PointRows(connection: connection, damage: damage)
        let key = Pack.Key(nameID: id, laneID: lane.raw)
        let home = try rows.home(of: run, key)
        let settled = try rows.settledPoints(of: run, key, at: home, in: range)
        let pending = try rows.journalPoints(of: run, key, after: home.upto)
        guard !pending.isEmpty else { return settled }
        let joined = mergeSeries(chunks: settled, journal: pending.within(range))
        return joined
    }

    func buckets(
        _ run: RunKey, _ name: String, _ lane: LaneID, axis: Buckets.Axis, from: Int64?, to: Int64?, count: Int
    ) throws(StorageError) -> [Bucket] {
        guard try hasRun(run), let id = try nameID(name) else { return [] }
        let rows = rows
        let key = Pack.Key(nameID: id, laneID: lane.raw)
        let home = try rows.home(of: run, key)
        let arrived = try rows.journalPoints(of: run, key, after: home.upto)
        guard case .chunks(let series, _) = home else {
            let settled = try rows.settledPoints(of: run, key, at: home)
            return mergeSeries(chunks: settled, journal: arrived)
                .buckets(axis: axis, from: from, to: to, count: count)
        }
        let pending = try rows.fresh(arrived, of: run, key, after: try rows.entry(of: run, key))
        guard let ends = try rows.ends(of: series, pending, axis: axis) else { return [] }
        let (low, high) = (from ?? ends.low, to ?? ends.high)
        guard low <= high else { return [] }
        var buckets = Buckets(axis: axis, from: low, to: high, count: count)
        try rows.add(chunksOf: series, of: run, to: &buckets)
        buckets.add(pending)
        return buckets.buckets
    }

    func eachSeries(
        of runs: [RunKey], named: [String]?, _ body: (Int, [SeriesState]) throws(StorageError) -> Void
    ) throws(StorageError) {
        guard !runs.isEmpty else { return }
        let ids = try named.map { (names) throws(StorageError) in
            var ids: Set<Int64> = []
            for name in names { if let id = try nameID(name) { ids.insert(id) } }
            return ids.sorted()
        }
        let rows = rows
        let waiting = try rows.runsInJournal(of: runs)
        var shelf = SeriesShelf(self)
        let settled = runs.enumerated().lazy.filter { !waiting.contains($0.element) }
        try rows.eachSettled(of: settled, named: ids) { (place, entries) throws(StorageError) in
            try body(place, try shelf.states(of: entries))
        }
        for (place, run) in runs.enumerated() where waiting.contains(run) {
            try body(place, try shelf.states(of: try rows.entries(of: run, named: ids.map(Set.init))))
        }
    }
}

/// Makes series out of entries, in order of name, then lane. A run mostly has the series that the run before it had:
/// their names are then neither looked up nor sorted again.
private struct SeriesShelf {
    private let view: SQLiteView
    private var keys: [Pack.Key] = []
    /// In order.
    private var names: [String] = []
    private var places: [Int] = []

    init(_ view: SQLiteView) { self.view = view }

    mutating func states(of entries: [MetricEntry]) throws(StorageError) -> [SeriesState] {
        if !entries.elementsEqual(keys, by: { $0.key == $1 }) {
            keys = entries.map(\.key)
            let texts = try view.nameTexts(keys.map(\.nameID))
            places = keys.indices.sorted {
                texts[$0] == texts[$1] ? keys[$0].laneID < keys[$1].laneID : precedes(texts[$0], texts[$1])
            }
            names = places.map { texts[$0] }
        }
        return places.indices.map { entries[places[$0]].state(named: names[$0]) }
    }
}

extension PointRows {
    /// Those of some runs that have rows in the journal.
    func runsInJournal(of runs: [RunKey]) throws(StorageError) -> Set<RunKey> {
        let found = try connection.leap("SELECT run FROM journal WHERE run >= ? ORDER BY run LIMIT 1", runs.map(\.raw))
        return Set(found.map(RunKey.init))
    }

    /// The least and the greatest place on an axis of a chunked series and its pending points.
    func ends(
        of series: Int64, _ pending: SeriesPoints, axis: Buckets.Axis
    ) throws(StorageError) -> (low: Int64, high: Int64)? {
        let ids = Self.chunkIDs(of: series)
        let columns = axis == .step ? "min(min_step), max(max_step)" : "min(min_ts), max(max_ts)"
        var (low, high) = (Int64.max, Int64.min)
        try connection.each(
            "SELECT \(columns) FROM chunk WHERE id BETWEEN ? AND ?", ids.first, ids.last
        ) { (row) throws(StorageError) in
            guard !row.isNull(0) else { return }
            (low, high) = (row.int(0), row.int(1))
        }
        for place in axis == .step ? pending.steps : pending.times { (low, high) = (min(low, place), max(high, place)) }
        guard low <= high else { return nil }
        if case .relative(let start) = axis { return (low &- start, high &- start) }
        return (low, high)
    }

    /// Adds chunks from their statistics, and decodes those whose blocks are wider than a bucket.
    func add(chunksOf series: Int64, of run: RunKey, to buckets: inout Buckets) throws(StorageError) {
        let ids = Self.chunkIDs(of: series)
        let (least, greatest) = buckets.axis == .step ? ("min_step", "max_step") : ("min_ts", "max_ts")
        var (low, high) = (buckets.from, buckets.to)
        if case .relative(let start) = buckets.axis {
            // Held at the ends: a wider range only lends chunks that add nothing.
            low = start.addingReportingOverflow(low).overflow ? .min : start + low
            high = start.addingReportingOverflow(high).overflow ? .max : start + high
        }
        var filling = buckets
        // Without the data: SQLite reads every column that is named, 17 kB of pages for each chunk.
        try connection.each(
            """
            SELECT id, stats FROM chunk WHERE id BETWEEN ? AND ? AND \(greatest) >= ? AND \(least) <= ?
            ORDER BY id
            """, ids.first, ids.last, low, high
        ) { (row) throws(StorageError) in
            try add(chunk: row.int(0), of: run, row, to: &filling)
        }
        buckets = filling
    }

    private func add(chunk id: Int64, of run: RunKey, _ row: Statement, to buckets: inout Buckets) throws(StorageError)
    {
        let place = "chunk \(id)"
        let known: ChunkStats? = try row.withBlob(1) { (blob) throws(StorageError) in
            do throws(SeriesError) {
                return try ChunkStats.decode(blob)
            } catch {
                try report(run, place, error.message)
                return nil
            }
        }
        guard let stats = known else { return }
        var points: SeriesPoints?
        for (index, block) in stats.blocks.enumerated() {
            // A short block would go into one bucket too, though the bucket may hold little else.
            if block.count == ChunkStats.blockPoints && buckets.add(block) { continue }
            if points == nil {
                let found = try connection.first("SELECT data FROM chunk WHERE id = ?", id) {
                    (row) throws(StorageError) in try chunk(id, of: run, row, column: 0)
                }
                points = found ?? nil
            }
            guard let points else { return }
            guard points.count == stats.count else {
                return try report(run, place, "its statistics are not those of its points")
            }
            let start = index * ChunkStats.blockPoints
            buckets.add(points, in: start..<start + block.count)
        }
    }
}

extension SeriesPoints {
    /// Those with a step in the range, in their order.
    func within(_ range: PointRange) -> SeriesPoints {
        if range.from == .min && range.to == .max { return self }
        var kept = SeriesPoints()
        for index in 0..<count where range.from <= steps[index] && steps[index] <= range.to { kept.append(self[index]) }
        return kept
    }
}
