import MartletDomain
import MartletSeries
import MartletStorage

/// One run's settled journal rows on their way into packs and chunks.
///
/// First everything is read in one snapshot, then it is encoded with no lock held, then it is installed in a few short
/// transactions. Each install writes whole series and says of each how far it has passed the journal (`upto`); the last
/// one deletes the rows that all of their series have passed. A crash between two installs leaves a store that reads
/// the same. An install proves that the run's points are still as they were read: their generation is the one expected.
struct CompactionPass {
    let run: RunKey
    let rules: CompactionRules
    private(set) var document: MetricDocument
    /// Rows up to this one are moved.
    private(set) var through: Int64 = 0
    private(set) var rowCount = 0
    private(set) var pointCount = 0
    /// True when the run has more settled rows than one pass takes.
    private(set) var hasMore = false

    private var chunked: [ChunkedSeries] = []
    private var packed: [PackRewrite] = []
    private var freePackNumber: Int64 = 0

    /// A series below this many points lies in a pack.
    static let packedPointsMax = 256
    /// New chunks are numbered with gaps, for those into which one is split by points that come late.
    static let numberStride: Int64 = 16

    /// A series in chunks and what is to come in, without duplicates.
    private struct ChunkedSeries {
        var key: Pack.Key
        /// Nil when it leaves its pack, or is new.
        var id: Int64?
        /// Merged points of the chunks that take something in, by number; numbers from `tail` on are free.
        var parts: [(number: Int64?, next: Int64?, points: SeriesPoints)] = []
        var tail: Int64 = 0
        /// All chunks, when they have to be numbered anew.
        var renumbers = false
        var entry: MetricEntry
        var total: Int
    }

    /// A pack to be written anew, with its series as they will be.
    private struct PackRewrite {
        var number: Int64?
        var series: [Pack.Series]
        /// What is known of those that change.
        var entries: [MetricEntry]
        /// The others, whose mark moves along.
        var carried: [Pack.Key]
    }

    // MARK: Reading

    /// Reads what the pass needs; nil when the run has nothing to move.
    init?(
        of share: CompactionRules.Share, in rows: PointRows, _ rules: CompactionRules, _ reason: CompactionRules.Reason,
        now: Timestamp
    ) throws(StorageError) {
        (run, self.rules) = (share.run, rules)
        document = try rows.document(of: share.run)
        var pending = PendingPoints()
        var isFull = false
        var bytes = 0
        let (run, known) = (run, document)
        var (through, rowCount, pointCount) = (Int64(0), 0, 0)
        try rows.connection.each(
            "SELECT seq, n, at_us, data FROM journal WHERE run = ? ORDER BY seq LIMIT ?", run.raw, rules.passRowsMax + 1
        ) { (row) throws(StorageError) in
            guard !isFull, rules.takes(rowOf: share, at: Timestamp(micros: row.int(2)), reason, now: now) else {
                // A later row may be older by the clock, but rows go in order.
                isFull = true
                return
            }
            guard rowCount < rules.passRowsMax else {
                isFull = true
                hasMore = true
                return
            }
            let seq = row.int(0)
            let batch: JournalBatch = try row.withBlob(3) { (blob) throws(StorageError) in
                bytes += blob.count
                return try rows.decode(blob, row: seq, of: run) ?? JournalBatch()
            }
            pending.take(batch) { key in seq > known[key]?.upto ?? 0 }
            (through, rowCount, pointCount) = (seq, rowCount + 1, pointCount + batch.pointCount)
            if pointCount >= rules.passPointsMax || bytes >= rules.passBytesMax
                || pending.longest >= rules.passSeriesPointsMax
            {
                isFull = true
                hasMore = true
            }
        }
        guard rowCount > 0 else { return nil }
        (self.through, self.rowCount, self.pointCount) = (through, rowCount, pointCount)
        try plan(pending, rows)
    }

    private mutating func plan(_ pending: PendingPoints, _ rows: PointRows) throws(StorageError) {
        var homes: [Pack.Key: Int64] = [:]
        try rows.connection.each("SELECT id, name, lane FROM series WHERE run = ?", run.raw) {
            homes[Pack.Key(nameID: $0.int(1), laneID: $0.int(2))] = $0.int(0)
        }
        var short: [(key: Pack.Key, fresh: SeriesPoints)] = []
        for key in pending.order {
            guard let points = pending[key] else { continue }
            guard let id = homes[key] else {
                short.append((key, points))
                continue
            }
            let entry = document[key]
            let fresh = try rows.fresh(points, of: run, key, after: entry)
            try addChunked(key, id, fresh, entry, rows)
        }
        try addPacked(short, homes, rows)
    }

    /// Finds the chunks that points belong into and reads those. The points are not yet among them.
    private mutating func addChunked(
        _ key: Pack.Key, _ id: Int64, _ fresh: SeriesPoints, _ known: MetricEntry?, _ rows: PointRows
    ) throws(StorageError) {
        var entry = known
        for index in 0..<fresh.count {
            if entry == nil { entry = MetricEntry(key: key, upto: 0, fresh[index]) } else { entry?.add(fresh[index]) }
        }
        guard var entry else { return }
        entry.upto = through
        let ids = PointRows.chunkIDs(of: id)
        let chunks = try rows.connection.all(
            "SELECT id, n, min_step, max_step FROM chunk WHERE id BETWEEN ? AND ? ORDER BY id", ids.first, ids.last
        ) { (number: $0.int(0) - ids.first, count: Int($0.int(1)), from: $0.int(2), to: $0.int(3)) }
        var series = ChunkedSeries(key: key, id: id, entry: entry, total: entry.count)
        guard let last = chunks.last else {
            series.parts = fresh.isEmpty ? [] : [(nil, nil, mergeSeries(chunks: SeriesPoints(), journal: fresh))]
            chunked.append(series)
            return
        }
        series.tail = (last.number / Self.numberStride + 1) * Self.numberStride
        let sorted = mergeSeries(chunks: SeriesPoints(), journal: fresh)
        var place = 0
        for index in chunks.indices {
            // A point goes behind those of its step: into the last chunk that begins at its step or before it.
            let isLast = index == chunks.count - 1
            let end = isLast ? sorted.count : sorted.firstPlace(atOrAfter: chunks[index + 1].from)
            guard end > place else { continue }
            let added = sorted[place..<end]
            place = end
            if isLast, chunks[index].count >= Chunk.pointsMax, added.steps[0] >= chunks[index].to {
                series.parts.append((nil, nil, added))
                continue
            }
            let here = PointRows.chunkIDs(of: id).first + chunks[index].number
            let held = try rows.chunkPoints(here, of: run)
            series.parts.append(
                (
                    chunks[index].number, isLast ? nil : chunks[index + 1].number,
                    mergeSeries(chunks: held, journal: added)
                ))
        }
        let crowded = series.parts.contains { part in
            guard let number = part.number, let next = part.next else { return false }
            return (part.points.count + Chunk.pointsMax - 1) / Chunk.pointsMax > Int(next - number)
        }
        let newChunks = Int64((fresh.count + Chunk.pointsMax - 1) / Chunk.pointsMax) + 1
        if crowded || series.tail + newChunks * Self.numberStride > PointRows.chunkNumberMax {
            // No number is left between two chunks: the whole series is written anew.
            let home = PointRows.Home.chunks(series: id, upto: 0)
            let all = mergeSeries(chunks: try rows.settledPoints(of: run, key, at: home), journal: fresh)
            series.parts = [(nil, nil, all)]
            series.tail = 0
            series.renumbers = true
        }
        chunked.append(series)
    }

    private mutating func addPacked(
        _ short: [(key: Pack.Key, fresh: SeriesPoints)], _ homes: [Pack.Key: Int64], _ rows: PointRows
    ) throws(StorageError) {
        guard !short.isEmpty else { return }
        freePackNumber = try rows.freePackNumber(of: run)
        var packs: [(number: Int64, directory: PackDirectory)] = []
        try rows.eachPack(of: run) { packs.append(($0.number, $1)) }
        packs.sort { a, b in
            guard let first = a.directory.keys.first, let second = b.directory.keys.first else { return false }
            return first < second
        }
        // A new series goes where its neighbours by key are.
        var byPack: [Int: [(key: Pack.Key, fresh: SeriesPoints)]] = [:]
        for one in short {
            let place = packs.lastIndex { ($0.directory.keys.first ?? one.key) <= one.key } ?? 0
            byPack[place, default: []].append(one)
        }
        for place in byPack.keys.sorted() {
            guard let arrived = byPack[place] else { continue }
            var series: [Pack.Key: SeriesPoints] = [:]
            let number = packs.isEmpty ? nil : packs[place].number
            if let number {
                // What has left for chunks is dropped here, if a crash has kept it from being dropped before.
                for one in try rows.pack(number, of: run) where homes[one.key] == nil { series[one.key] = one.points }
            }
            var rewrite = PackRewrite(number: number, series: [], entries: [], carried: [])
            var carried = Set(series.keys)
            for (key, points) in arrived {
                carried.remove(key)
                let merged = mergeSeries(chunks: series[key] ?? SeriesPoints(), journal: points)
                guard let entry = MetricEntry(key: key, upto: through, merged) else { continue }
                if merged.count >= Self.packedPointsMax {
                    series[key] = nil
                    chunked.append(
                        ChunkedSeries(
                            key: key, id: nil, parts: [(nil, nil, merged)], entry: entry, total: merged.count))
                } else {
                    series[key] = merged
                    rewrite.entries.append(entry)
                }
            }
            rewrite.series = series.map { Pack.Series(key: $0.key, points: $0.value) }.sorted { $0.key < $1.key }
            rewrite.carried = Array(carried)
            if number != nil || !rewrite.series.isEmpty { packed.append(rewrite) }
        }
    }

    // MARK: Encoding

    /// The installs of this pass, in order. Touches no file.
    mutating func encode() -> [Install] {
        var installs: [Install] = []
        var install = Install(run: run)
        var bytes = 0
        func close() {
            guard !install.isEmpty else { return }
            installs.append(install)
            install = Install(run: run)
            bytes = 0
        }
        var fresh: [[MetricEntry]] = []
        var entries: [MetricEntry] = []
        func note(_ size: Int, _ changed: [MetricEntry], _ add: (inout Install) -> Void) {
            if bytes > 0 && bytes + size > rules.installBytesMax {
                close()
                fresh.append(entries)
                entries = []
            }
            add(&install)
            bytes += size
            entries += changed
        }
        for series in chunked {
            let written = Self.encode(series)
            note(written.byteCount, [series.entry]) { $0.series.append(written) }
        }
        for rewrite in packed {
            let packs = Pack.encode(rewrite.series)
            var settled = rewrite.entries
            for key in rewrite.carried {
                guard var entry = document[key] else { continue }
                entry.upto = through
                settled.append(entry)
            }
            var numbered: [Install.NumberedPack] = []
            for (place, pack) in packs.enumerated() {
                var number = freePackNumber
                if place == 0, let own = rewrite.number { number = own } else { freePackNumber += 1 }
                numbered.append(.init(number: number, pack: pack))
            }
            let size = packs.reduce(0) { $0 + $1.data.count + $1.directory.count }
            let done = Install.PackSwap(old: rewrite.number, fresh: numbered, upto: through)
            note(size, settled) { $0.packs.append(done) }
        }
        if !install.isEmpty || installs.isEmpty {
            // A pass whose series have all passed their rows only takes the rows away.
            installs.append(install)
            fresh.append(entries)
        }
        installs[installs.count - 1].deletes = .init(through: through, rowCount: rowCount)
        chunked = []
        packed = []
        for place in installs.indices {
            installs[place].expected = document.generation
            document.generation += 1
            document.put(fresh[place])
            installs[place].document = document.encode()
        }
        return installs
    }

    private static func encode(_ series: ChunkedSeries) -> Install.SeriesWrite {
        var written = Install.SeriesWrite(
            key: series.key, id: series.id, upto: series.entry.upto, total: series.total, replacesAll: series.renumbers)
        var tail = series.tail
        for part in series.parts {
            let isMiddle = part.next != nil
            var ranges: [Range<Int>] = []
            if isMiddle, part.points.count > Chunk.pointsMax {
                // Halves, not a full one and a crumb: the next late point finds room in both.
                let pieces = (part.points.count + Chunk.pointsMax - 1) / Chunk.pointsMax
                for piece in 0..<pieces {
                    ranges.append(part.points.count * piece / pieces..<part.points.count * (piece + 1) / pieces)
                }
            } else {
                for start in stride(from: 0, to: part.points.count, by: Chunk.pointsMax) {
                    ranges.append(start..<min(start + Chunk.pointsMax, part.points.count))
                }
            }
            let gap = part.number.flatMap { number in part.next.map { $0 - number } } ?? 0
            for (place, range) in ranges.enumerated() {
                let number: Int64
                if let own = part.number, place == 0 {
                    number = own
                } else if isMiddle, let own = part.number {
                    number = own + gap * Int64(place) / Int64(ranges.count)
                } else {
                    number = tail
                    tail += numberStride
                }
                written.chunks.append(.init(number: number, chunk: Chunk.encode(part.points, in: range)))
            }
        }
        return written
    }
}

extension PointRows {
    func chunkPoints(_ id: Int64, of run: RunKey) throws(StorageError) -> SeriesPoints {
        let found: SeriesPoints?? = try connection.first("SELECT data FROM chunk WHERE id = ?", id) {
            (row) throws(StorageError) in try chunk(id, of: run, row, column: 0)
        }
        return (found ?? nil) ?? SeriesPoints()
    }
}
