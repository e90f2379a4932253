import MartletDomain
import MartletSeries
import MartletStorage

/// The rows that hold points, as one transaction of a connection sees them: journal, chunks, packs and the documents
/// that say what they come to. Names are ids here.
///
/// A damaged blob is never skipped in silence: reads throw `damaged`, naming run and row, unless a `DamageLog` is given
/// to note it in; whoever gives one (fsck, export) shows what it says beside the answer.
struct PointRows {
    let connection: Connection
    var damage: DamageLog? = nil

    /// Where a series' settled points are.
    enum Home: Equatable {
        case nowhere
        case chunks(series: Int64, upto: Int64)
        case pack(number: Int64, upto: Int64)

        var upto: Int64 {
            switch self {
            case .nowhere: 0
            case .chunks(_, let upto), .pack(_, let upto): upto
            }
        }
    }

    // MARK: Documents

    static func documentIDs(_ run: RunKey) -> (head: Int64, last: Int64) { (run.raw << 16, run.raw << 16 | 0xFFFF) }

    func document(of run: RunKey) throws(StorageError) -> MetricDocument {
        let ids = Self.documentIDs(run)
        var document = MetricDocument()
        var entries: [MetricEntry] = []
        var (segments, found) = (0, 0)
        try connection.each("SELECT id, data FROM metric_doc WHERE id BETWEEN ? AND ? ORDER BY id", ids.head, ids.last)
        {
            (row) throws(StorageError) in
            let isHead = row.int(0) == ids.head
            try row.withBlob(1) { (blob) throws(StorageError) in
                do throws(SeriesDamage) {
                    if isHead {
                        let head = try MetricHead(blob)
                        (document.generation, segments) = (head.generation, head.count)
                    } else {
                        found += 1
                        entries += try MetricSegment(blob).entries()
                    }
                } catch {
                    try report(run, "its metrics", error.words)
                }
            }
        }
        if segments != found { try report(run, "its metrics", "\(found) of \(segments) segments are there") }
        document.put(entries)
        return document
    }

    /// Calls the closure with the place of each of many runs and its settled entries, in order of key: those of some
    /// names, given by rising ids, or all. Opens no more than it must. The runs come in order of key, as they lie.
    func eachSettled(
        of runs: some Sequence<(offset: Int, element: RunKey)>, named names: [Int64]?,
        _ body: (Int, [MetricEntry]) throws(StorageError) -> Void
    ) throws(StorageError) {
        let ordered = runs.sorted { $0.element < $1.element }
        guard let last = ordered.last else { return }
        let sql = "SELECT id, data FROM metric_doc WHERE id BETWEEN ? AND ? ORDER BY id"
        try connection.with(sql) { (statement) throws(StorageError) in
            var rows = RisingRows(statement, through: Self.documentIDs(last.element).last)
            // One array for all of them: each run mostly has as many as the one before.
            var entries: [MetricEntry] = []
            var before: RunKey?
            for (place, run) in ordered {
                // A run that is asked for twice has been read.
                if run == before {
                    try body(place, entries)
                    continue
                }
                before = run
                entries.removeAll(keepingCapacity: true)
                let ids = Self.documentIDs(run)
                func read(_ part: (UnsafeRawBufferPointer) throws(SeriesDamage) -> Void) throws(StorageError) {
                    try statement.withBlob(1) { (blob) throws(StorageError) in
                        do throws(SeriesDamage) { try part(blob) } catch { try report(run, "its metrics", error.words) }
                    }
                }
                var segments: [Int] = []
                if try rows.stand(on: ids.head, near: 1 << 16) {
                    try read { (blob) throws(SeriesDamage) in segments = try MetricHead(blob).segments(named: names) }
                }
                for segment in segments {
                    guard try rows.stand(on: ids.head + 1 + Int64(segment), near: 1) else {
                        try report(run, "its metrics", "segment \(segment) is missing")
                        continue
                    }
                    try read { (blob) throws(SeriesDamage) in
                        try MetricSegment(blob).read(named: names, into: &entries)
                    }
                }
                try body(place, entries)
            }
        }
    }

    /// What a series came to as of its last compaction.
    func entry(of run: RunKey, _ key: Pack.Key) throws(StorageError) -> MetricEntry? {
        var found: MetricEntry?
        try eachSettled(of: CollectionOfOne(run).enumerated(), named: [key.nameID]) { _, entries in
            found = entries.first { $0.key == key }
        }
        return found
    }

    /// How often the settled points of a run have changed.
    func generation(of run: RunKey) throws(StorageError) -> Int64 {
        let found = try connection.first("SELECT data FROM metric_doc WHERE id = ?", Self.documentIDs(run).head) {
            (row) throws(StorageError) in
            try row.withBlob(0) { (blob) throws(StorageError) in
                do throws(SeriesDamage) {
                    return try MetricHead(blob).generation
                } catch {
                    try report(run, "its metrics", error.words)
                    return 0
                }
            }
        }
        return found ?? 0
    }

    /// Writes a document, as `MetricDocument.encode` gave it.
    func put(document: [[UInt8]], of run: RunKey) throws(StorageError) {
        let ids = Self.documentIDs(run)
        for (place, part) in document.enumerated() {
            try connection.run(
                "INSERT INTO metric_doc(id, data) VALUES(?, ?) ON CONFLICT(id) DO UPDATE SET data = excluded.data",
                ids.head + Int64(place), blob: part)
        }
        try connection.run(
            "DELETE FROM metric_doc WHERE id BETWEEN ? AND ?", ids.head + Int64(document.count), ids.last)
    }

    // MARK: Journal

    struct JournalRow {
        var seq: Int64
        var count: Int
        var at: Int64
    }

    /// Lends each journal row of a run after `seq`, in order of arrival.
    func eachJournalRow(
        of run: RunKey, after seq: Int64, through last: Int64 = .max,
        _ body: (JournalRow, UnsafeRawBufferPointer) throws(StorageError) -> Void
    ) throws(StorageError) {
        try connection.each(
            "SELECT seq, n, at_us, data FROM journal WHERE run = ? AND seq > ? AND seq <= ? ORDER BY seq",
            run.raw, seq, last
        ) { (row) throws(StorageError) in
            let head = JournalRow(seq: row.int(0), count: Int(clamping: row.int(1)), at: row.int(2))
            try row.withBlob(3) { (blob) throws(StorageError) in try body(head, blob) }
        }
    }

    func decode(
        _ blob: UnsafeRawBufferPointer, row: Int64, of run: RunKey
    ) throws(StorageError) -> JournalBatch? {
        do throws(SeriesError) {
            return try JournalBatch.decode(blob)
        } catch {
            try report(run, "journal row \(row)", error.message)
            return nil
        }
    }

    /// A series' points in the journal, in order of arrival.
    func journalPoints(of run: RunKey, _ key: Pack.Key, after seq: Int64) throws(StorageError) -> SeriesPoints {
        var points = SeriesPoints()
        try eachJournalRow(of: run, after: seq) { (row, blob) throws(StorageError) in
            do throws(SeriesError) {
                try JournalBatch.append(pointsOf: key.nameID, laneID: key.laneID, in: blob, to: &points)
            } catch {
                try report(run, "journal row \(row.seq)", error.message)
            }
        }
        return points
    }

    // MARK: Chunks and packs

    func home(of run: RunKey, _ key: Pack.Key) throws(StorageError) -> Home {
        let chunked: Home? = try connection.first(
            "SELECT id, upto FROM series WHERE run = ? AND name = ? AND lane = ?", run.raw, key.nameID, key.laneID
        ) { (row) throws(StorageError) in .chunks(series: row.int(0), upto: row.int(1)) }
        if let chunked { return chunked }
        var home = Home.nowhere
        try eachPack(of: run) { (pack, directory) throws(StorageError) in
            if directory.index(of: key) != nil { home = .pack(number: pack.number, upto: pack.upto) }
        }
        return home
    }

    struct PackRow {
        var number: Int64
        var upto: Int64
    }

    func eachPack(
        of run: RunKey, _ body: (PackRow, PackDirectory) throws(StorageError) -> Void
    ) throws(StorageError) {
        try connection.each("SELECT no, upto, dir FROM pack WHERE run = ? ORDER BY no", run.raw) {
            (row) throws(StorageError) in
            let pack = PackRow(number: row.int(0), upto: row.int(1))
            let directory: PackDirectory? = try row.withBlob(2) { (blob) throws(StorageError) in
                do throws(SeriesError) {
                    return try PackDirectory.decode(blob)
                } catch {
                    try report(run, "the directory of pack \(pack.number)", error.message)
                    return nil
                }
            }
            if let directory { try body(pack, directory) }
        }
    }

    /// All series of a pack.
    func pack(_ number: Int64, of run: RunKey) throws(StorageError) -> [Pack.Series] {
        let found: [Pack.Series]? = try connection.first(
            "SELECT dir, data FROM pack WHERE run = ? AND no = ?", run.raw, number
        ) { (row) throws(StorageError) in
            let directory = row.bytes(0)
            return try row.withBlob(1) { (data) throws(StorageError) in
                do throws(SeriesError) {
                    return try directory.withUnsafeBufferPointer { (directory) throws(SeriesError) in
                        try Pack.decode(directory: UnsafeRawBufferPointer(directory), data: data)
                    }
                } catch {
                    try report(run, "pack \(number)", error.message)
                    return []
                }
            }
        }
        return found ?? []
    }

    static func chunkIDs(of series: Int64) -> (first: Int64, last: Int64) {
        (series << 22, series << 22 | chunkNumberMax)
    }
    static let chunkNumberMax: Int64 = (1 << 22) - 1

    /// The settled points of a series with a step in the range, in order of step and arrival.
    func settledPoints(
        of run: RunKey, _ key: Pack.Key, at home: Home, in range: PointRange = .all
    ) throws(StorageError) -> SeriesPoints {
        switch home {
        case .nowhere: return SeriesPoints()
        case .chunks(let series, _):
            return try chunkedPoints(of: series, of: run, in: range)
        case .pack(let number, _):
            let found: SeriesPoints?? = try connection.first(
                "SELECT dir, data FROM pack WHERE run = ? AND no = ?", run.raw, number
            ) { (row) throws(StorageError) -> SeriesPoints? in
                let directory = row.bytes(0)
                return try row.withBlob(1) { (data) throws(StorageError) -> SeriesPoints? in
                    do throws(SeriesError) {
                        return try PackDirectory.decode(directory).points(of: key, in: data)
                    } catch {
                        try report(run, "pack \(number)", error.message)
                        return nil
                    }
                }
            }
            guard let found = found ?? nil else { return SeriesPoints() }
            let places = found.places(in: range)
            return places.count == found.count ? found : found[places]
        }
    }

    func chunk(
        _ id: Int64, of run: RunKey, _ row: Statement, column: Int
    ) throws(StorageError) -> SeriesPoints? {
        try row.withBlob(column) { (data) throws(StorageError) in
            do throws(SeriesError) {
                return try Chunk.decode(data)
            } catch {
                try report(run, "chunk \(id)", error.message)
                return nil
            }
        }
    }

    /// Chunks go straight into the columns that are answered: they are as long as all of them together.
    private func chunkedPoints(
        of series: Int64, of run: RunKey, in range: PointRange
    ) throws(StorageError) -> SeriesPoints {
        let ids = Self.chunkIDs(of: series)
        let those = "FROM chunk WHERE id BETWEEN ? AND ? AND max_step >= ? AND min_step <= ?"
        let count = try connection.first(
            "SELECT total(max(0, min(n, \(Chunk.pointsMax)))) \(those)", ids.first, ids.last, range.from, range.to
        ) { (row) throws(StorageError) in Int(row.double(0)) }
        return try SeriesPoints(room: count ?? 0) { (columns: inout PointColumns) throws(StorageError) in
            try connection.each(
                "SELECT id, min_step, max_step, n, data \(those) ORDER BY id", ids.first, ids.last, range.from, range.to
            ) { (row) throws(StorageError) in
                let isWhole = row.int(1) >= range.from && row.int(2) <= range.to
                try row.withBlob(4) { (data) throws(StorageError) in
                    do throws(SeriesError) {
                        try Chunk.decode(data, count: Int(row.int(3)), into: &columns)
                        if !isWhole { columns.keepLast(Int(row.int(3)), in: range.from...range.to) }
                    } catch {
                        try report(run, "chunk \(row.int(0))", error.message)
                    }
                }
            }
        }
    }

    // MARK: Damage

    /// Notes the damage, or throws it where nobody asked for notes.
    func report(_ run: RunKey, _ what: String, _ words: String) throws(StorageError) {
        guard let damage else {
            throw StorageError(
                .damaged, "Points of run \(run) cannot be read: \(what) is damaged.",
                remedy: "Run `martlet fsck` to see what is hurt; `martlet export` writes what can still be read.",
                cause: words)
        }
        damage.note(run, what, words)
    }
}

/// What could not be read, where a reader asked to go on.
final class DamageLog {
    struct Finding: Equatable {
        var run: RunKey
        /// Which row: `journal row 12`, `chunk 4194304`, `pack 0`.
        var place: String
        var words: String
    }
    private(set) var findings: [Finding] = []

    func note(_ run: RunKey, _ place: String, _ words: String) {
        findings.append(Finding(run: run, place: place, words: words))
    }
}

extension SeriesPoints {
    /// Where the points of a range lie, the steps rising.
    func places(in range: PointRange) -> Range<Int> {
        let start = firstPlace(atOrAfter: range.from)
        return start..<max(start, range.to == .max ? count : firstPlace(atOrAfter: range.to + 1))
    }

    /// The first place whose step is no less than this one, the steps rising.
    func firstPlace(atOrAfter step: Int64) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if steps[middle] >= step { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
