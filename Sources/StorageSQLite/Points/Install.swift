import MartletDomain
import MartletSeries
import MartletStorage

/// One short transaction of a compaction: blobs that are ready, and what must still be true when they go in.
struct Install: Sendable {
    struct NumberedChunk: Sendable {
        var number: Int64
        var chunk: Chunk.Encoded
    }

    struct SeriesWrite: Sendable {
        var key: Pack.Key
        /// Nil for a series that is new here.
        var id: Int64?
        var upto: Int64
        var total: Int
        /// Its chunks are numbered anew: those that it has go first.
        var replacesAll: Bool
        var chunks: [NumberedChunk] = []

        var byteCount: Int { chunks.reduce(64) { $0 + $1.chunk.data.count + $1.chunk.stats.count + 64 } }
    }

    struct NumberedPack: Sendable {
        var number: Int64
        var pack: Pack.Encoded
    }

    struct PackSwap: Sendable {
        var old: Int64?
        var fresh: [NumberedPack]
        var upto: Int64
    }

    struct JournalRows: Sendable {
        var through: Int64
        var rowCount: Int
    }

    let run: RunKey
    /// The generation of the run's points that this was made from.
    var expected: Int64 = 0
    var series: [SeriesWrite] = []
    var packs: [PackSwap] = []
    var deletes: JournalRows?
    /// The run's document as it will be.
    var document: [[UInt8]] = []

    init(run: RunKey) { self.run = run }

    var isEmpty: Bool { series.isEmpty && packs.isEmpty }
    var byteCount: Int {
        series.reduce(0) { $0 + $1.byteCount } + document.reduce(0) { $0 + $1.count }
            + packs.reduce(0) { $0 + $1.fresh.reduce(0) { $0 + $1.pack.data.count + $1.pack.directory.count } }
    }

    /// Writes it all, or throws `lost` with nothing written that would be kept.
    func write(to tx: SQLiteTransaction) throws(StorageError) {
        let rows = tx.rows
        guard try tx.hasRun(run), try rows.generation(of: run) == expected else { throw Self.lost }
        for one in series {
            let id: Int64
            if let known = one.id {
                try tx.connection.run(
                    "UPDATE series SET upto = ?, n = ? WHERE id = ?", one.upto, one.total, known)
                guard tx.connection.changes == 1 else { throw Self.lost }
                id = known
            } else {
                try tx.connection.run(
                    "INSERT INTO series(run, name, lane, upto, n) VALUES (?, ?, ?, ?, ?)", run.raw, one.key.nameID,
                    one.key.laneID, one.upto, one.total)
                id = tx.connection.lastInsertID
            }
            let ids = PointRows.chunkIDs(of: id)
            if one.replacesAll {
                try tx.connection.run("DELETE FROM chunk WHERE id BETWEEN ? AND ?", ids.first, ids.last)
            }
            for chunk in one.chunks { try rows.put(chunk.chunk, at: ids.first + chunk.number) }
        }
        for swap in packs {
            if let old = swap.old {
                try tx.connection.run("DELETE FROM pack WHERE run = ? AND no = ?", run.raw, old)
                guard tx.connection.changes == 1 else { throw Self.lost }
            }
            for one in swap.fresh { try rows.put(one.pack, of: run, number: one.number, upto: swap.upto) }
        }
        try rows.put(document: document, of: run)
        guard let deletes else { return }
        try tx.connection.run("DELETE FROM journal WHERE run = ? AND seq <= ?", run.raw, deletes.through)
        guard tx.connection.changes == deletes.rowCount else { throw Self.lost }
        try tx.connection.run(
            """
            INSERT INTO meta(k, v) VALUES('compacted_seq', ?) ON CONFLICT(k) DO UPDATE SET v = max(v, excluded.v)
            """, deletes.through)
        // Who follows by the journal alone has missed what is gone from it, and is told by the run.
        try tx.touch(run)
    }

    /// Someone else compacted, or deleted points, since this was read. Nothing is wrong; the next round reads again.
    static let lost = StorageError(
        .conflict, "Another process has changed the run's points first.", remedy: "Compact again.")
}
