import MartletDomain
import MartletSeries
import MartletStorage

/// What `fsck` asks of points: every blob against its checksum and the numbers beside it, every chunk against its
/// neighbours, and what the documents say against the points themselves.
struct PointsCheck {
    let rows: PointRows
    let lastSequence: Int64

    /// What the settled points of a run come to, found by looking at each of them.
    private typealias Counted = [Pack.Key: MetricEntry]

    func journal(note: (String, String) -> Void) throws(StorageError) {
        try rows.connection.each("SELECT seq, n, data FROM journal ORDER BY seq") { (row) throws(StorageError) in
            let place = "journal \(row.int(0))"
            try row.withBlob(2) { (blob) throws(StorageError) in
                do throws(SeriesError) {
                    let count = try JournalBatch.decode(blob).pointCount
                    if count != Int(row.int(1)) {
                        note(place, "It holds \(count) points where \(row.int(1)) are said.")
                    }
                } catch {
                    note(place, error.message)
                }
            }
        }
    }

    func orphans(note: (String, String) -> Void) throws(StorageError) {
        let lost = try rows.connection.all(
            "SELECT id FROM chunk WHERE id >> 22 NOT IN (SELECT id FROM series)"
        ) { $0.int(0) }
        for id in lost { note("chunk \(id)", "It belongs to series \(id >> 22), which is not there.") }
        for table in ["journal", "series", "pack", "rich", "console", "(SELECT id >> 16 AS run FROM metric_doc)"] {
            let runs = try rows.connection.all(
                """
                SELECT DISTINCT run FROM \(table) WHERE run NOT IN (SELECT id FROM run)
                AND run NOT IN (SELECT run FROM grave)
                """
            ) { $0.int(0) }
            for run in runs { note(table, "It has rows of run #\(run), which is not there.") }
        }
    }

    func runs() throws(StorageError) -> [RunKey] {
        try rows.connection.all(
            """
            SELECT run FROM (SELECT run FROM series UNION SELECT run FROM pack UNION SELECT id >> 16 FROM metric_doc)
            WHERE run IN (SELECT id FROM run) ORDER BY run
            """
        ) { RunKey($0.int(0)) }
    }

    func settled(_ run: RunKey, note: (String, String) -> Void) throws(StorageError) {
        var counted: Counted = [:]
        try chunks(of: run, &counted, note)
        try packs(of: run, &counted, note)
        let log = DamageLog()
        let document = try PointRows(connection: rows.connection, damage: log).document(of: run)
        for finding in log.findings {
            note("metric_doc of run \(run)", finding.words)
            return
        }
        for entry in document.entries {
            let place = "metric \(entry.key.nameID) in lane \(entry.key.laneID) of run \(run)"
            guard let found = counted.removeValue(forKey: entry.key) else {
                note(place, "Its document counts \(entry.count) points; there are none.")
                continue
            }
            if !agree(entry, found) { note(place, "Its document says \(entry); its points say \(found).") }
            if entry.upto > lastSequence { note(place, "It has passed row \(entry.upto) of \(lastSequence).") }
        }
        for (key, found) in counted {
            note(
                "metric \(key.nameID) in lane \(key.laneID) of run \(run)",
                "No document tells of its \(found.count) points.")
        }
    }

    /// Sums are compared with some patience: they were not made in the same order.
    private func agree(_ a: MetricEntry, _ b: MetricEntry) -> Bool {
        var c = b
        c.sum = a.sum
        let least = [a.minimum, a.maximum].reduce(1) { max($0, $1?.magnitude ?? 0) }
        let isNear = abs(a.sum - b.sum) <= 1e-6 * least * Double(a.count) || !a.sum.isFinite
        // Zeros of both signs are alike as extremes.
        if a.minimum == c.minimum { c.minimum = a.minimum }
        if a.maximum == c.maximum { c.maximum = a.maximum }
        return a == c && isNear
    }

    private func chunks(
        of run: RunKey, _ counted: inout Counted, _ note: (String, String) -> Void
    ) throws(StorageError) {
        let all = try rows.connection.all(
            "SELECT id, name, lane, upto, n FROM series WHERE run = ? ORDER BY id", run
        ) { (id: $0.int(0), key: Pack.Key(nameID: $0.int(1), laneID: $0.int(2)), upto: $0.int(3), count: $0.int(4)) }
        for series in all {
            var entry: MetricEntry?
            var before = Int64.min
            let ids = PointRows.chunkIDs(of: series.id)
            try rows.connection.each(
                """
                SELECT id, n, min_step, max_step, min_ts, max_ts, stats, data FROM chunk WHERE id BETWEEN ? AND ?
                ORDER BY id
                """, ids.first, ids.last
            ) { (row) throws(StorageError) in
                let place = "chunk \(row.int(0))"
                do throws(SeriesError) {
                    let points = try Chunk.decode(row.bytes(7))
                    let stats = try ChunkStats.decode(row.bytes(6))
                    let anew = Chunk.encode(points)
                    let summary = anew.summary
                    let said = [row.int(1), row.int(2), row.int(3), row.int(4), row.int(5)]
                    let found = [
                        Int64(summary.count), summary.stepMin, summary.stepMax, summary.timeMin, summary.timeMax,
                    ]
                    if said != found { note(place, "Its columns say \(said), its points \(found).") }
                    if try ChunkStats.decode(anew.stats) != stats { note(place, "Its statistics are not its points'.") }
                    if !points.stepsRise || points.isEmpty || summary.stepMin < before {
                        note(place, "Its points are out of order.")
                    }
                    before = max(before, summary.stepMax)
                    for index in 0..<points.count {
                        if entry == nil {
                            entry = MetricEntry(key: series.key, upto: series.upto, points[index])
                        } else {
                            entry?.add(points[index])
                        }
                    }
                } catch {
                    note(place, error.message)
                }
            }
            if Int64(entry?.count ?? 0) != series.count {
                note("series \(series.id)", "It says \(series.count) points, its chunks hold \(entry?.count ?? 0).")
            }
            if let entry { counted[series.key] = entry }
        }
    }

    private func packs(
        of run: RunKey, _ counted: inout Counted, _ note: (String, String) -> Void
    ) throws(StorageError) {
        let chunked = Set(counted.keys)
        try rows.connection.each("SELECT no, upto, dir, data FROM pack WHERE run = ? ORDER BY no", run) {
            (row) throws(StorageError) in
            let place = "pack \(row.int(0)) of run \(run)"
            do throws(SeriesError) {
                let (directory, data) = (row.bytes(2), row.bytes(3))
                let all = try directory.withUnsafeBufferPointer { (directory) throws(SeriesError) in
                    try data.withUnsafeBufferPointer { (data) throws(SeriesError) in
                        try Pack.decode(
                            directory: UnsafeRawBufferPointer(directory), data: UnsafeRawBufferPointer(data))
                    }
                }
                for series in all where !chunked.contains(series.key) {
                    if !series.points.stepsRise { note(place, "Metric \(series.key.nameID) is out of order.") }
                    guard counted[series.key] == nil else {
                        note(place, "Metric \(series.key.nameID) is in another pack too.")
                        continue
                    }
                    counted[series.key] = MetricEntry(key: series.key, upto: row.int(1), series.points)
                }
            } catch {
                note(place, error.message)
            }
        }
    }
}

extension SQLiteView {
    func checkPoints(_ report: inout StoreCheck) throws(StorageError) {
        let check = PointsCheck(
            rows: rows,
            lastSequence: try connection.integer("SELECT seq FROM sqlite_sequence WHERE name = 'journal'") ?? 0)
        var found = report
        defer { report = found }
        try check.journal { found.note($0, $1) }
        try check.orphans { found.note($0, $1) }
        for run in try check.runs() { try check.settled(run) { found.note($0, $1) } }
    }
}
