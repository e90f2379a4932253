import MartletDomain
import MartletSeries
import MartletStorage
import Testing

@testable import MartletStorageSQLite

@Suite("What follows points: the feed, rich points, the console, deletion for good")
struct PointsFeedTests {
    @Test("a follower that reads page by page misses nothing, and compaction unseen is told as a reset")
    func pages() throws {
        let shop = try PointsWorkshop()
        let runs = try (0..<5).map { try shop.newRun("run \($0)") }
        var cursor = ChangeCursor.start
        var seen: Set<RunKey> = []
        var arrived = 0
        func follow(limit: Int) throws -> Bool {
            var wasReset = false
            for _ in 0..<100 {
                let (from, page) = (cursor, limit)
                let changes = try shop.store.read { reader throws(StorageError) in
                    try reader.changes(since: from, limit: page)
                }
                seen.formUnion(changes.runs)
                arrived += changes.arrivals.reduce(0) { $0 + $1.batch.pointCount }
                wasReset = wasReset || changes.isReset
                cursor = changes.cursor
                if !changes.hasMore { return wasReset }
            }
            Issue.record("the pages do not come to an end")
            return wasReset
        }
        for run in runs {
            for part in 0..<3 as Range<Int64> {
                try shop.append("loss", risingPoints(part * 10..<part * 10 + 10), to: run)
            }
        }
        #expect(try follow(limit: 2) == false)
        #expect(seen == Set(runs))
        #expect(arrived == 150)
        try shop.compactAll()
        // All that compaction took was seen.
        seen = []
        #expect(try follow(limit: 100) == false)
        #expect(seen == Set(runs))
        try shop.append("loss", risingPoints(30..<40), to: runs[3])
        try shop.compactAll()
        try shop.append("loss", risingPoints(40..<50), to: runs[1])
        seen = []
        #expect(try follow(limit: 1) == true)
        #expect(seen.isSuperset(of: [runs[1], runs[3]]))
        seen = []
        #expect(try follow(limit: 1) == false)
        #expect(seen.isEmpty)
    }

    @Test("the count of names is right with new names, after deletion and in a run that was loaded from rows")
    func names() throws {
        let shop = try PointsWorkshop()
        let run = try shop.newRun()
        func count(_ names: [String]) throws -> Int {
            try shop.store.write { tx throws(StorageError) in try tx.seriesCount(of: run, with: names) }
        }
        #expect(try count(["a", "b", "a"]) == 2)
        try shop.append("a", risingPoints(0..<10), to: run)
        try shop.append("a", risingPoints(0..<10), lane: LaneID(4), to: run)
        #expect(try count(["a", "b"]) == 2)
        try shop.append("b", risingPoints(0..<300), to: run)
        #expect(try count([]) == 2)
        try shop.compactAll()
        try shop.append("c", risingPoints(0..<10), to: run)
        try shop.reopen()
        #expect(try count(["c", "d"]) == 4)
        try shop.delete("a", of: run)
        #expect(try count(["c"]) == 2)
    }

    @Test("rich points keep kind and order, the console numbers its pieces, both can be taken away")
    func richAndConsole() throws {
        let shop = try PointsWorkshop()
        let run = try shop.newRun()
        let sha = String(repeating: "ab", count: 32)
        func point(_ key: String, _ step: Int64, _ data: String) -> RichPoint {
            RichPoint(key: key, step: step, time: PointsWorkshop.noon, kind: "image", data: data)
        }
        let points = [
            point("pictures", 2, "{\"blob\":\"\(sha)\"}"), point("pictures", 1, "{}"), point("a", 9, "{}"),
            point("pictures", 1, "{\"n\":2}"),
        ]
        try shop.store.write { tx throws(StorageError) in try tx.append(points, to: run) }
        func rich(_ key: String?, limit: Int = 100) throws -> [RichPoint] {
            try shop.store.read { reader throws(StorageError) in
                try reader.rich(run, key: key, from: .min, to: .max, limit: limit)
            }
        }
        #expect(try rich(nil) == [points[2], points[1], points[3], points[0]])
        #expect(try rich("pictures", limit: 1) == [points[1]])
        let digest = try #require(Digest(sha))
        #expect(try shop.store.read { reader throws(StorageError) in try reader.isReferenced(digest) })
        try shop.store.write { tx throws(StorageError) in
            try tx.deleteRich(of: run, key: "pictures", from: 2, to: 5)
        }
        #expect(try rich("pictures").count == 2)
        #expect(!(try shop.store.read { reader throws(StorageError) in try reader.isReferenced(digest) }))

        let text = Array(repeating: UInt8(ascii: "x"), count: 100_000)
        for part in 0..<3 {
            let chunks = ["stdout", "stderr", "stdout"].map {
                ConsoleChunk(stream: $0, number: 99, at: PointsWorkshop.noon, text: part == 1 ? [] : text)
            }
            try shop.store.write { tx throws(StorageError) in try tx.append(chunks, to: run) }
        }
        func console(_ stream: String?, after: Int64) throws -> [ConsoleChunk] {
            try shop.store.read { reader throws(StorageError) in
                try reader.console(run, stream: stream, after: after, limit: 100)
            }
        }
        #expect(try console("stdout", after: 0).map(\.number) == [1, 3, 4, 6, 7, 9])
        #expect(try console("stderr", after: 2).map(\.number) == [5, 8])
        #expect(try console(nil, after: 2).map(\.number) == [3, 4, 5, 6, 7, 8, 9])
        #expect(try console("stderr", after: 0).map(\.text) == [text, [], text])
        #expect(try shop.count("SELECT sum(length(data)) FROM console") < 1000)
    }

    @Test("a buried run's rows go in steps, and none is left")
    func purge() throws {
        let shop = try PointsWorkshop()
        let (run, other) = (try shop.newRun(), try shop.newRun())
        for key in [run, other] {
            try shop.append("long", risingPoints(0..<60_000) { Double($0 &* 6_364_136_223_846_793_005) }, to: key)
            try shop.append("short", risingPoints(0..<10), to: key)
        }
        try shop.compactAll()
        for part in 0..<200 as Range<Int64> {
            try shop.append(
                "waiting", risingPoints(part * 3000..<part * 3000 + 3000) { Double($0 &* 6_364_136_223_846_793_005) },
                to: run)
        }
        let now = PointsWorkshop.noon
        try shop.store.write { tx throws(StorageError) in try Ledger(tx, now: now).purgeRun(run) }
        let hidden = try shop.store.read { reader throws(StorageError) in try reader.series(of: run, named: nil) }
        #expect(hidden.isEmpty)
        var steps = 0
        func step() throws -> Bool { try shop.store.write { tx throws(StorageError) in try tx.purgeStep() } }
        while try step() {
            steps += 1
            if steps == 1 { try shop.reopen() }
            guard steps < 1000 else { break }
        }
        #expect(steps >= 2)
        for table in ["journal", "series", "pack", "rich", "console", "lane"] {
            #expect(try shop.count("SELECT count(*) FROM \(table) WHERE run = \(run.raw)") == 0, "\(table)")
        }
        #expect(try shop.count("SELECT count(DISTINCT id >> 16) FROM metric_doc") == 1)
        #expect(try shop.count("SELECT count(DISTINCT id >> 22) FROM chunk") == 1)
        let kept = try shop.store.read { reader throws(StorageError) in try reader.series(of: other, named: nil) }
        #expect(kept.map(\.count) == [60_000, 10])
        #expect(try shop.store.fsck().findings == [])
    }

    @Test("deleting a metric gives its pages back, in every lane")
    func deletion() throws {
        let shop = try PointsWorkshop()
        let run = try shop.newRun()
        for lane in [LaneID.plain, LaneID(5)] {
            try shop.append("long", risingPoints(0..<30_000) { Double($0).squareRoot() }, lane: lane, to: run)
        }
        try shop.compactAll()
        let before = try shop.count("SELECT freelist_count FROM pragma_freelist_count")
        try shop.delete("long", of: run)
        #expect(try shop.count("SELECT count(*) FROM chunk") == 0)
        #expect(try shop.count("SELECT count(*) FROM series") == 0)
        #expect(try shop.count("SELECT freelist_count FROM pragma_freelist_count") > before + 20)
        // The same points again are new ones.
        try shop.append("long", risingPoints(0..<300), to: run)
        try shop.compactAll()
        let states = try shop.store.read { reader throws(StorageError) in try reader.series(of: run, named: ["long"]) }
        #expect(states.map(\.count) == [300])
    }
}
