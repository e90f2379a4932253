import MartletDomain
import MartletSeries
import MartletStorage

/// One series of a million points: read whole, and in as many buckets as a chart has pixels.
enum Curves {
    static let name = "loss"

    static func run(_ settings: Settings, _ report: inout Report) throws {
        let count = min(1_000_000, settings.points)
        let points = Kind.loss.points(count)
        let batches = stride(from: 0, to: count, by: 1000).map { start in
            PointBatch(entries: [.init(name: name, points: points[start..<min(start + 1000, count)])])
        }
        try withFolder(settings, "curves") { folder in
            let store = try OpenStore(folder + "/store")
            defer { store.store.close() }
            let run = try store.makeRuns(1)[0]
            try store.append(batches, to: run, inFlight: 64)
            let pending = try (0..<settings.rounds).map { _ in try whole(store, run, count) }
            report.add("curves.in_journal", pending.map { $0 * 1000 })
            try store.compactAll()

            let rows = try IntegerRows(folder + "/rows.db")
            try rows.write(batches, run: 1, grouped: 1000)
            var (ours, theirs, bucketed, grouped): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
            for round in 0...settings.rounds {
                let one = try whole(store, run, count)
                let other = try timed { try selected(rows, count) }.seconds
                let buckets = try timed { try bucket(store, run, count) }.seconds
                let groups = try timed { try group(rows, count) }.seconds
                // The first round fills the page caches of both.
                guard round > 0 else { continue }
                ours.append(one)
                theirs.append(other)
                bucketed.append(buckets)
                grouped.append(groups)
            }
            report.add(
                "curves.decode_over_rows", ratio: theirs, over: ours,
                note: "\(short(median(ours) * 1000)) ms against \(short(median(theirs) * 1000)) ms")
            report.add("curves.buckets_over_sql", ratio: grouped, over: bucketed)
            report.add("curves.buckets_ms", bucketed.map { $0 * 1000 })
        }
    }

    private static func whole(_ store: OpenStore, _ run: RunKey, _ count: Int) throws -> Double {
        let (seconds, points) = try timed {
            try store.store.read { (reader) throws(StorageError) in
                try reader.points(run, name, .plain, in: .all)
            }
        }
        guard points.count == count else { throw Complaint("\(points.count) points came back of \(count).") }
        return seconds
    }

    private static func bucket(_ store: OpenStore, _ run: RunKey, _ count: Int) throws {
        let buckets = try store.store.read { (reader) throws(StorageError) in
            try reader.buckets(run, name, .plain, axis: .step, from: nil, to: nil, count: 1000)
        }
        guard buckets.reduce(0, { $0 + $1.count }) == count else { throw Complaint("Buckets have lost points.") }
    }

    private static func selected(_ rows: IntegerRows, _ count: Int) throws -> Int {
        var points = SeriesPoints()
        try rows.database.each("SELECT step, ts, value FROM metric WHERE run = 1 AND key = 0 ORDER BY step, ts") {
            points.append(step: $0.int(0), time: $0.int(1), value: $0.double(2))
        }
        guard points.count == count else { throw Complaint("\(points.count) rows came back of \(count).") }
        return points.count
    }

    private static func group(_ rows: IntegerRows, _ count: Int) throws -> Int {
        try rows.database.all(
            """
            SELECT step * 1000 / ?, count(*), min(value), max(value), avg(value) FROM metric
            WHERE run = 1 AND key = 0 GROUP BY 1
            """, [.int(Int64(count))]
        ) { $0.double(2) }.count
    }
}
