import MartletSeries
import Testing

@Suite("A chunk gives back what it was given") struct ChunkTests {
    static let counts = [0, 1, 2, 3, 5, 8, 63, 64, 65, 127, 128, 129, 130, 255, 256, 257, 1000, 4095, 4096]

    @Test("every value comes back bit for bit", arguments: Shape.allCases)
    func valuesComeBack(_ shape: Shape) throws {
        var chance = Seeded(1)
        for count in Self.counts {
            let points = SeriesPoints.make(count, shape, &chance)
            #expect(try Chunk.decode(Chunk.encode(points).data) == points, "\(count) points")
        }
    }

    @Test("every step and time comes back, Int64's ends too", arguments: Axis.allCases)
    func axesComeBack(_ axis: Axis) throws {
        var chance = Seeded(2)
        for count in Self.counts {
            let points = SeriesPoints.make(count, .accuracy, steps: axis, times: axis, &chance)
            #expect(try Chunk.decode(Chunk.encode(points).data) == points, "\(count) points")
        }
    }

    @Test("a part of a series is encoded as if it were alone")
    func partOfSeries() throws {
        var chance = Seeded(3)
        let points = SeriesPoints.make(9000, .loss, &chance)
        let chunk = Chunk.encode(points, in: 4096..<8192)
        #expect(try Chunk.decode(chunk.data) == points[4096..<8192])
        #expect(chunk.summary.count == 4096)
    }

    @Test("chunks are decoded one behind the other into columns that have room for them, and no further")
    func intoColumns() throws {
        var chance = Seeded(4)
        let points = SeriesPoints.make(5000, .mixed, steps: .jitter, times: .jitter, &chance)
        let (first, second) = (Chunk.encode(points, in: 0..<4096).data, Chunk.encode(points, in: 4096..<5000).data)
        func decode(_ data: [UInt8], _ count: Int, _ columns: inout PointColumns) throws(SeriesError) {
            try data.withUnsafeBufferPointer { (bytes) throws(SeriesError) in
                try Chunk.decode(UnsafeRawBufferPointer(bytes), count: count, into: &columns)
            }
        }
        let both = try SeriesPoints(room: 5000) { (columns: inout PointColumns) throws(SeriesError) in
            try decode(first, 4096, &columns)
            try decode(second, 904, &columns)
        }
        #expect(both == points)
        let some = try SeriesPoints(room: 4500) { (columns: inout PointColumns) throws(SeriesError) in
            #expect(throws: SeriesError.self) { try decode(second, 905, &columns) }
            try decode(first, 4096, &columns)
            #expect(throws: SeriesError.self) { try decode(second, 904, &columns) }
        }
        #expect(some == points[0..<4096], "what did not fit, or was of another length, left nothing behind")
        #expect(throws: SeriesError.self) {
            try SeriesPoints(room: 10) { (columns: inout PointColumns) throws(SeriesError) in
                try decode(first, 4096, &columns)
            }
        }
    }

    @Test("the summary counts finite values only, and keeps the last of any kind")
    func summary() {
        let chunk = Chunk.encode(
            SeriesPoints(steps: [3, 1, 2, 9], times: [5, 4, 7, 6], values: [2, .nan, -1.5, .infinity]))
        let summary = chunk.summary
        #expect(summary.count == 4)
        #expect(summary.finite == 2)
        #expect(summary.stepMin == 1)
        #expect(summary.stepMax == 9)
        #expect(summary.timeMin == 4)
        #expect(summary.timeMax == 7)
        #expect(summary.valueMin == -1.5)
        #expect(summary.valueMax == 2)
        #expect(summary.valueSum == 0.5)
        #expect(summary.valueLast == .infinity)
    }

    @Test("without a finite value there are no extremes")
    func noFiniteValue() {
        let summary = Chunk.encode(SeriesPoints(steps: [0, 1], times: [0, 0], values: [.nan, -.infinity])).summary
        #expect(summary.valueMin == nil)
        #expect(summary.valueMax == nil)
        #expect(summary.finite == 0)
    }

    @Test(
        "values are small in the shapes that training code logs",
        arguments: [
            (Shape.loss, 3.0), (.lossAroundZero, 3.6), (.accuracy, 1.8), (.counter, 0.05), (.zeros, 0.05), (.cosine, 4),
        ])
    func small(_ shape: Shape, _ most: Double) {
        var chance = Seeded(4)
        let chunk = Chunk.encode(.make(4096, shape, steps: .even, times: .even, &chance))
        #expect(Double(chunk.data.count) / 4096 < most)
        #expect(Double(chunk.stats.count) / 4096 < 0.2)
    }

    @Test("times in milliseconds take 10 bits less than in microseconds, in seconds 20 less")
    func coarseTimes() {
        var chance = Seeded(24)
        let seconds = SeriesPoints.make(4096, .zeros, times: .seconds, &chance)
        func bits(_ factor: Int64, plus rest: Int64) -> Int {
            let times = seconds.times.map { $0 / factor + rest }
            let chunk = Chunk.encode(SeriesPoints(steps: seconds.steps, times: times, values: seconds.values))
            return chunk.data.count * 8 / 4096
        }
        // The same times, moved so that only the smaller unit holds them.
        #expect(bits(1, plus: 0) + 20 <= bits(1, plus: 1) + 1)
        #expect(bits(1, plus: 1000) + 10 <= bits(1, plus: 1) + 1)
    }
}
