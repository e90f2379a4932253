import MartletSeries
import Testing

@Suite("A journal row keeps a batch whole") struct JournalBatchTests {
    static func batch(keys: Int, each: Int, _ shape: Shape, shared: Bool, _ chance: inout Seeded) -> JournalBatch {
        let axis = SeriesPoints.make(each, .zeros, &chance)
        return JournalBatch(
            entries: (0..<keys).map { key in
                var points = SeriesPoints.make(each, shape, &chance)
                if shared { points = SeriesPoints(steps: axis.steps, times: axis.times, values: points.values) }
                return JournalBatch.Entry(nameID: Int64(key * 3 + 7), laneID: Int64(key % 2), points: points)
            })
    }

    @Test("every entry comes back, whether steps are shared or not", arguments: Shape.allCases, [true, false])
    func comesBack(_ shape: Shape, _ shared: Bool) throws {
        var chance = Seeded(5)
        for (keys, each) in [(0, 0), (1, 1), (1, 1000), (50, 20), (1000, 1), (3, 2)] {
            let batch = Self.batch(keys: keys, each: each, shape, shared: shared, &chance)
            let row = batch.encode()
            #expect(try JournalBatch.decode(row) == batch)
            let count = try row.withUnsafeBytes { try JournalBatch.pointCount($0) }
            #expect(count == keys * each)
        }
    }

    @Test("a row with one point stays below 40 bytes")
    func onePoint() {
        var batch = JournalBatch()
        batch.append(nameID: 70_000, Point(step: 1_000_000, time: 1_763_600_000_123_456, value: 0.1))
        #expect(batch.encode().count <= 34)
    }

    @Test("flags come back, and points without a step have step 0 until the store numbers them")
    func withoutStep() throws {
        var batch = JournalBatch()
        batch.append(nameID: 1, flags: .withoutStep, Point(step: 99, time: 10, value: 1))
        batch.append(nameID: 1, flags: .withoutStep, Point(step: 98, time: 11, value: 2))
        batch.append(nameID: 1, flags: .late, Point(step: 5, time: 12, value: 3))
        var entries = try JournalBatch.decode(batch.encode()).entries
        #expect(entries.map(\.flags) == [.withoutStep, .late])
        #expect(!entries[0].flags.hasStep)
        #expect(entries[0].points.steps == [0, 0])
        #expect(entries[1].points.steps == [5])
        entries[0].points.numberSteps(from: 40)
        #expect(entries[0].points.steps == [40, 41])
    }

    @Test("entries that share only steps, only times or only a length keep their own")
    func almostShared() throws {
        let axes: [(steps: [Int64], times: [Int64])] = [
            ([1, 2], [5, 6]), ([1, 2], [5, 7]), ([1, 3], [5, 7]), ([1, 3], [5, 7]), ([1], [5]),
        ]
        var batch = JournalBatch()
        for (index, axis) in axes.enumerated() {
            let values = axis.steps.map { Double($0) }
            batch.append(nameID: Int64(index), SeriesPoints(steps: axis.steps, times: axis.times, values: values))
        }
        #expect(try JournalBatch.decode(batch.encode()).entries == batch.entries)
        let series = batch.entries.map { Pack.Series(key: Pack.Key(nameID: $0.nameID), points: $0.points) }
        #expect(try Pack.decode(Pack.encode(series)[0]) == series)
    }

    @Test("one series is read without the others")
    func onlyOne() throws {
        var chance = Seeded(6)
        let batch = Self.batch(keys: 50, each: 20, .mixed, shared: true, &chance)
        let row = batch.encode()
        try row.withUnsafeBytes { row in
            var (present, absent) = (SeriesPoints([Point(step: -1, time: 0, value: 0)]), SeriesPoints())
            try JournalBatch.append(pointsOf: 10, laneID: 1, in: row, to: &present)
            try JournalBatch.append(pointsOf: 10, laneID: 0, in: row, to: &absent)
            #expect(present[1..<present.count] == batch.entries[1].points, "appended to what was there")
            #expect(absent.isEmpty)
        }
    }

    @Test("the latest point of each entry is that of the one comparison")
    func latest() throws {
        var chance = Seeded(7)
        let batch = Self.batch(keys: 20, each: 30, .odd, shared: false, &chance)
        var found: [Point] = []
        try batch.encode().withUnsafeBytes { row in
            try JournalBatch.forEachLatest(row) { _, point in found.append(point) }
        }
        #expect(found == batch.entries.map { $0.points.points.max { Latest.isLater($1, than: $0) }! })
    }

    @Test("a batch over the limit is split in order, and every row is under 1 MiB at its worst")
    func split() throws {
        var chance = Seeded(8)
        let points = SeriesPoints.make(40_000, .bits, steps: .extreme, times: .extreme, &chance)
        let batch = JournalBatch(entries: [.init(nameID: 4, points: points)])
        let rows = batch.split()
        #expect(rows.count == 3)
        var back = SeriesPoints()
        for row in rows {
            let blob = row.encode()
            #expect(blob.count <= JournalBatch.bytesMax)
            back.append(try JournalBatch.decode(blob).points)
        }
        #expect(back == points)
    }
}
