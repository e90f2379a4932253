import MartletDomain
import MartletSeries
import MartletStorage

extension SQLiteView {
    /// Points that arrived are told as they are in the journal. What compaction took from there unseen is told as a
    /// reset: then `runs` names every run that changed since, whatever the limit, and the follower reads those anew.
    func changes(since cursor: ChangeCursor, limit: Int) throws(StorageError) -> ChangeSet {
        let limit = max(1, limit)
        let now = try self.cursor()
        let compacted = try connection.integer("SELECT v FROM meta WHERE k = 'compacted_seq'") ?? 0
        let isReset = cursor.sequence < compacted
        let through = isReset ? now.revision : try lastRevision(after: cursor.revision, limit: limit, of: now.revision)
        var changes = ChangeSet(isReset: isReset, cursor: ChangeCursor(revision: through, sequence: now.sequence))
        changes.projects = try changed("project", "id", cursor.revision, through).map(ProjectID.init)
        changes.experiments = try changed("experiment", "id", cursor.revision, through).map(ExperimentID.init)
        var runs = Set(try changed("run", "id", cursor.revision, through))
        runs.formUnion(try changed("grave", "run", cursor.revision, through))
        changes.cards = try changed("card", "id", cursor.revision, through)
        if isReset {
            let waiting = try connection.all("SELECT DISTINCT run FROM journal WHERE seq > ?", cursor.sequence) {
                $0.int(0)
            }
            runs.formUnion(waiting)
        } else {
            changes.hasMore = through < now.revision
            try addArrivals(to: &changes, after: cursor.sequence, limit: limit)
        }
        changes.runs = runs.sorted().map(RunKey.init)
        return changes
    }

    /// Rows written in one transaction have one revision and are told together: the last revision of a page of rows.
    private func lastRevision(after revision: Int64, limit: Int, of newest: Int64) throws(StorageError) -> Int64 {
        let last = try connection.integer(
            """
            SELECT rev FROM (SELECT rev FROM project WHERE rev > ?1 UNION ALL SELECT rev FROM experiment WHERE rev > ?1
            UNION ALL SELECT rev FROM run WHERE rev > ?1 UNION ALL SELECT rev FROM grave WHERE rev > ?1
            UNION ALL SELECT rev FROM card WHERE rev > ?1)
            ORDER BY rev LIMIT 1 OFFSET ?2
            """, revision, limit - 1)
        return last ?? newest
    }

    private func changed(
        _ table: String, _ column: String, _ from: Int64, _ through: Int64
    ) throws(StorageError) -> [Int64] {
        try connection.all(
            "SELECT \(column) FROM \(table) WHERE rev > ? AND rev <= ? ORDER BY \(column)", from, through
        ) { $0.int(0) }
    }

    /// About so many points go into one answer, however many rows were asked for.
    private static var arrivalPointsMax: Int { 1 << 18 }

    private func addArrivals(
        to changes: inout ChangeSet, after sequence: Int64, limit: Int
    ) throws(StorageError) {
        var batches: [(seq: Int64, run: RunKey, at: Timestamp, batch: JournalBatch)] = []
        var points = 0
        var hasMore = false
        let rows = rows
        try connection.with(
            """
            SELECT seq, run, at_us, data, run IN (SELECT id FROM run) FROM journal WHERE seq > ? ORDER BY seq LIMIT ?
            """
        ) { (statement) throws(StorageError) in
            try statement.bind([sequence, limit + 1])
            while try statement.step() {
                if batches.count == limit || points >= Self.arrivalPointsMax {
                    hasMore = true
                    break
                }
                let (seq, run) = (statement.int(0), RunKey(statement.int(1)))
                let isThere = statement.int(4) != 0
                let batch: JournalBatch = try statement.withBlob(3) { (blob) throws(StorageError) in
                    isThere ? try rows.decode(blob, row: seq, of: run) ?? JournalBatch() : JournalBatch()
                }
                points += batch.pointCount
                batches.append((seq, run, statement.time(2), batch))
            }
        }
        if hasMore, let last = batches.last {
            changes.hasMore = true
            changes.cursor.sequence = last.seq
        }
        let ids = Set(batches.lazy.flatMap { $0.batch.heads.lazy.map(\.nameID) }).sorted()
        let texts = Dictionary(uniqueKeysWithValues: zip(ids, try nameTexts(ids)))
        for (_, run, at, batch) in batches where !batch.isEmpty {
            var arrived = PointBatch()
            for entry in batch.entries {
                arrived.append(texts[entry.nameID] ?? "", lane: LaneID(entry.laneID), entry.points)
            }
            changes.arrivals.append(.init(run: run, at: at, batch: arrived))
        }
    }
}
