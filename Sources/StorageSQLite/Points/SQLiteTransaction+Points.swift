import MartletDomain
import MartletSeries
package import MartletStorage

extension SQLiteTransaction {
    /// One insert for each journal row; nothing else of the run is written.
    func append(_ points: PreparedPoints, to run: RunKey, at: Timestamp) throws(StorageError) {
        guard points.pointCount > 0 else { return }
        try refuseOverHighMark()
        let blobs: [PreparedPoints.JournalBlob]
        if let ready = points.blobs {
            blobs = ready
        } else {
            var ids: [Int64] = []
            ids.reserveCapacity(points.batch.names.count)
            for name in points.batch.names { ids.append(try intern(name)) }
            blobs = journalBlobs(of: points.batch, ids: ids)
        }
        for blob in blobs {
            try connection.run(
                "INSERT INTO journal(run, n, at_us, data) VALUES (?, ?, ?, ?)", run, blob.pointCount, at,
                blob: blob.bytes)
            shared.gauge.add(bytes: blob.bytes.count, points: blob.pointCount)
        }
        shared.seriesNames.add(run, points.batch.names)
    }

    func seriesCount(of run: RunKey, with names: [String]) throws(StorageError) -> Int {
        if let known = shared.seriesNames.count(of: run, with: names) { return known }
        var ids = Set(try rows.document(of: run).entries.map(\.key.nameID))
        let rows = rows
        try rows.eachJournalRow(of: run, after: 0) { (row, blob) throws(StorageError) in
            guard let batch = try rows.decode(blob, row: row.seq, of: run) else { return }
            for head in batch.heads { ids.insert(head.nameID) }
        }
        shared.seriesNames.load(run, Set(try nameTexts(Array(ids))))
        return shared.seriesNames.count(of: run, with: names) ?? names.count
    }

    /// Above the high mark the journal takes nothing more until compaction has brought it under three quarters.
    private func refuseOverHighMark() throws(StorageError) {
        if shared.gauge.needsCounting { shared.gauge.counted(try journalSizes()) }
        guard shared.gauge.isOver else { return }
        throw StorageError(
            .busy, "More points are waiting to be settled than the store holds ready.",
            remedy: "Send them again in a few seconds; they are settled meanwhile.")
    }

    // MARK: Deleting

    func deletePoints(of run: RunKey, _ name: String, in range: PointRange) throws(StorageError) {
        guard range.from <= range.to, let id = try nameID(name) else { return }
        var document = try rows.document(of: run)
        try deleteFromJournal(of: run, id, in: range)
        var changed: [MetricEntry] = []
        for entry in document.entries(named: id) {
            switch try rows.home(of: run, entry.key) {
            case .chunks(let series, _):
                try deleteFromChunks(of: run, series, in: range)
                // A copy that the pack still had, from before the series left it, must not come to light.
                try deleteFromPacks(of: run, entry.key, in: .all)
            case .pack: try deleteFromPacks(of: run, entry.key, in: range)
            case .nowhere: break
            }
            changed.append(entry)
        }
        for entry in changed {
            let home = try rows.home(of: run, entry.key)
            let rest = try rows.settledPoints(of: run, entry.key, at: home)
            document[entry.key] = MetricEntry(key: entry.key, upto: home.upto, rest)
            if rest.isEmpty, case .chunks(let series, _) = home {
                try connection.run("DELETE FROM series WHERE id = ?", series)
            }
        }
        // Also where only the journal was hurt: who compacts has read those rows as they were.
        document.generation += 1
        try rows.put(document: document.encode(), of: run)
        shared.seriesNames.forget(run)
        try touch(run)
    }

    /// Rows that were passed lose the points too: with a series' last settled point goes the mark that says how far
    /// it had passed them.
    private func deleteFromJournal(of run: RunKey, _ nameID: Int64, in range: PointRange) throws(StorageError) {
        var rewritten: [(seq: Int64, batch: JournalBatch)] = []
        let rows = rows
        try rows.eachJournalRow(of: run, after: 0) { (row, blob) throws(StorageError) in
            guard let batch = try rows.decode(blob, row: row.seq, of: run),
                batch.heads.contains(where: { $0.nameID == nameID })
            else { return }
            var kept = JournalBatch()
            kept.reserveCapacity(entries: batch.heads.count, points: batch.pointCount)
            for entry in batch.entries {
                var entry = entry
                if entry.nameID == nameID { entry.points = entry.points.outside(range) }
                kept.append(entry)
            }
            if kept.pointCount < batch.pointCount { rewritten.append((row.seq, kept)) }
        }
        for (seq, batch) in rewritten {
            if batch.isEmpty {
                try connection.run("DELETE FROM journal WHERE seq = ?", seq)
            } else {
                try connection.with("UPDATE journal SET n = ?, data = ? WHERE seq = ?") {
                    (statement) throws(StorageError) in
                    try statement.bind([batch.pointCount, batch.encode(), seq])
                    try statement.run()
                }
            }
        }
        shared.gauge.recount()
    }

    private func deleteFromChunks(of run: RunKey, _ series: Int64, in range: PointRange) throws(StorageError) {
        let ids = PointRows.chunkIDs(of: series)
        try connection.run(
            "DELETE FROM chunk WHERE id BETWEEN ? AND ? AND min_step >= ? AND max_step <= ?", ids.first, ids.last,
            range.from, range.to)
        var rest: [(id: Int64, points: SeriesPoints)] = []
        let rows = rows
        try connection.each(
            "SELECT id, data FROM chunk WHERE id BETWEEN ? AND ? AND max_step >= ? AND min_step <= ?", ids.first,
            ids.last, range.from, range.to
        ) { (row) throws(StorageError) in
            guard let points = try rows.chunk(row.int(0), of: run, row, column: 1) else { return }
            rest.append((row.int(0), points.outside(range)))
        }
        for (id, points) in rest {
            if points.isEmpty {
                try connection.run("DELETE FROM chunk WHERE id = ?", id)
            } else {
                try rows.put(Chunk.encode(points), at: id)
            }
        }
        let left = try connection.integer("SELECT sum(n) FROM chunk WHERE id BETWEEN ? AND ?", ids.first, ids.last)
        try connection.run("UPDATE series SET n = ? WHERE id = ?", left ?? 0, series)
    }

    private func deleteFromPacks(of run: RunKey, _ key: Pack.Key, in range: PointRange) throws(StorageError) {
        var holders: [PointRows.PackRow] = []
        try rows.eachPack(of: run) { if $1.index(of: key) != nil { holders.append($0) } }
        for holder in holders {
            var series = try rows.pack(holder.number, of: run)
            for place in series.indices where series[place].key == key {
                series[place].points = series[place].points.outside(range)
            }
            try connection.run("DELETE FROM pack WHERE run = ? AND no = ?", run, holder.number)
            // Fewer points may still need more room than before, if only by a hair.
            var number = holder.number
            for pack in Pack.encode(series) {
                try rows.put(pack, of: run, number: number, upto: holder.upto)
                number = try rows.freePackNumber(of: run)
            }
        }
    }
}

/// Journal rows for a batch whose names have ids, one for each entry.
func journalBlobs(of batch: PointBatch, ids: [Int64]) -> [PreparedPoints.JournalBlob] {
    precondition(ids.count == batch.names.count, "an id for each entry")
    var row = JournalBatch(points: batch.points)
    for index in ids.indices {
        row.addHead(nameID: ids[index], laneID: batch.lanes[index].raw, count: batch.counts[index])
    }
    return row.split().map { .init(pointCount: $0.pointCount, bytes: $0.encode()) }
}

extension PointRows {
    func put(_ chunk: Chunk.Encoded, at id: Int64) throws(StorageError) {
        try connection.with(
            """
            INSERT INTO chunk(id, n, min_step, max_step, min_ts, max_ts, stats, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT(id) DO UPDATE SET n = excluded.n, min_step = excluded.min_step, max_step = excluded.max_step,
            min_ts = excluded.min_ts, max_ts = excluded.max_ts, stats = excluded.stats, data = excluded.data
            """
        ) { (statement) throws(StorageError) in
            let summary = chunk.summary
            try statement.bind([
                id, summary.count, summary.stepMin, summary.stepMax, summary.timeMin, summary.timeMax, chunk.stats,
            ])
            try chunk.data.withUnsafeBufferPointer { (data) throws(StorageError) in
                try statement.bind(borrowed: UnsafeRawBufferPointer(data), at: 8)
                try statement.run()
            }
        }
    }

    func put(_ pack: Pack.Encoded, of run: RunKey, number: Int64, upto: Int64) throws(StorageError) {
        try connection.run(
            "INSERT INTO pack(run, no, upto, dir, data) VALUES (?, ?, ?, ?, ?)", run.raw, number, upto,
            pack.directory, blob: pack.data)
    }

    func freePackNumber(of run: RunKey) throws(StorageError) -> Int64 {
        (try connection.integer("SELECT max(no) FROM pack WHERE run = ?", run.raw) ?? -1) + 1
    }
}

extension SeriesPoints {
    /// Those with a step outside of the range, in their order.
    func outside(_ range: PointRange) -> SeriesPoints {
        var kept = SeriesPoints()
        for index in 0..<count where steps[index] < range.from || steps[index] > range.to { kept.append(self[index]) }
        return kept
    }
}

extension SQLiteStore {
    /// The blob is made here, on the caller's thread, if every name has its id already.
    package func prepare(_ points: PointBatch) -> PreparedPoints {
        guard let known = names.list(points.names) else { return PreparedPoints(batch: points, blobs: nil) }
        var batch = points
        batch.share(known.names)
        return PreparedPoints(batch: batch, blobs: journalBlobs(of: batch, ids: known.ids))
    }
}
