import MartletSeries
import Testing

@Suite("Buckets show what is there") struct BucketsTests {
    /// What a bucket must say, from its points in order of arrival.
    struct Truth {
        var places: [Int64] = []
        var values: [Double] = []

        func check(_ bucket: Bucket, _ note: String) {
            let finite = values.filter(\.isFinite)
            #expect(bucket.from == places.min(), "\(note)")
            #expect(bucket.to == places.max(), "\(note)")
            #expect(bucket.count == values.count, "\(note)")
            #expect(bucket.nan == values.count { $0.isNaN }, "\(note)")
            #expect(bucket.inf == values.count { $0.isInfinite }, "\(note)")
            #expect(bucket.min == finite.min(), "\(note)")
            #expect(bucket.max == finite.max(), "\(note)")
            // Along the axis: stable, so that of equal places the first and the last that arrived count.
            let order = places.indices.filter { values[$0].isFinite }.sorted { (places[$0], $0) < (places[$1], $1) }
            #expect(bucket.first == order.first.map { values[$0] }, "\(note)")
            #expect(bucket.last == order.last.map { values[$0] }, "\(note)")
            guard let mean = bucket.mean else {
                #expect(finite.isEmpty, "\(note)")
                return
            }
            let size = finite.reduce(0) { $0 + abs($1) } / Double(finite.count)
            #expect(abs(mean - finite.reduce(0, +) / Double(finite.count)) <= 1e-12 * size, "\(note)")
        }
    }

    @Test(
        "bucket for bucket, the answer from points is that of counting by hand",
        arguments: [Shape.loss, .mixed, .fewOdd, .nanPayloads], Axis.allCases)
    func fromPoints(_ shape: Shape, _ axis: Axis) {
        for seed in 1...6 as ClosedRange<UInt64> {
            var chance = Seeded(seed)
            let points = SeriesPoints.make(chance.integer(0...700), shape, steps: axis, times: .jitter, &chance)
            let count = chance.integer(1...60)
            let (from, to) = (Int64(chance.integer(-900...100)), Int64(chance.integer(100...7000)))
            var buckets = Buckets(axis: .step, from: from, to: to, count: count)
            buckets.add(points)
            var truths: [Int64: Truth] = [:]
            for point in points.points where (from...to).contains(point.step) {
                truths[(point.step - from) * Int64(count) / (to - from + 1), default: Truth()].places.append(point.step)
                truths[(point.step - from) * Int64(count) / (to - from + 1)]?.values.append(point.value)
            }
            let found = buckets.buckets
            #expect(found.count == truths.count, "seed \(seed)")
            for (bucket, truth) in zip(found, truths.sorted { $0.key < $1.key }) {
                truth.value.check(bucket, "seed \(seed)")
            }
        }
    }

    @Test(
        "from statistics, every bucket is true of the points in its range, and edges move by 128 points at most",
        arguments: [Shape.loss, .counter, .noise, .nanPayloads, .fewOdd])
    func fromStatistics(_ shape: Shape) throws {
        for seed in 1...2 as ClosedRange<UInt64> {
            var chance = Seeded(seed)
            let points = SeriesPoints.make(chance.integer(9_000...13_000), shape, times: .jitter, &chance)
            for (axis, places) in [(Buckets.Axis.step, points.steps), (.time, points.times)] {
                // From wide buckets, answered by statistics alone, to narrow ones, where all is decoded.
                for count in [1, 7, 20, 90, 500] {
                    let (from, to) = (places[100], places[points.count - 77])
                    var buckets = Buckets(axis: axis, from: from, to: to, count: count)
                    var decoded = 0
                    for start in stride(from: 0, to: points.count, by: Chunk.pointsMax) {
                        let chunk = Chunk.encode(points, in: start..<min(start + Chunk.pointsMax, points.count))
                        try buckets.add(try ChunkStats.decode(chunk.stats)) { () throws(SeriesError) in
                            decoded += 1
                            return try Chunk.decode(chunk.data)
                        }
                    }
                    let note = "seed \(seed), \(count) buckets by \(axis)"
                    if axis == .step, count <= 20 { #expect(decoded == 2, "only the ends are decoded; \(note)") }
                    let found = buckets.buckets
                    #expect(found.map(\.count).reduce(0, +) == points.count - 100 - 76, "\(note)")
                    var next = 100
                    for (index, bucket) in found.enumerated() {
                        // Places rise, so a bucket's points are neighbours, and no point may be left between two
                        // buckets.
                        let end = places[next...].firstIndex { $0 > bucket.to } ?? places.count
                        let inside = next..<end
                        next = end
                        Truth(places: inside.map { places[$0] }, values: inside.map { points.values[$0] })
                            .check(bucket, note)
                        if axis == .step, index > 0 {
                            let edge = from + Int64(index) * (to - from + 1) / Int64(count)
                            #expect(abs(bucket.from - edge) <= 129 * 10, "\(note)")
                        }
                    }
                }
            }
        }
    }

    @Test("a block out of order is decoded, not believed")
    func outOfOrder() throws {
        var chance = Seeded(9)
        let points = SeriesPoints.make(1000, .loss, steps: .unordered, &chance)
        var exact = Buckets(axis: .step, from: -1000, to: 1000, count: 2)
        exact.add(points)
        var buckets = Buckets(axis: .step, from: -1000, to: 1000, count: 2)
        let chunk = Chunk.encode(points)
        try buckets.add(try ChunkStats.decode(chunk.stats)) { () throws(SeriesError) in try Chunk.decode(chunk.data) }
        #expect(buckets.buckets == exact.buckets)
    }

    @Test("relative time counts from the given moment")
    func relative() {
        var buckets = Buckets(axis: .relative(to: 1_000_000), from: 0, to: 999, count: 10)
        buckets.add(SeriesPoints(steps: [1, 2, 3], times: [999_999, 1_000_000, 1_000_999], values: [1, 2, 3]))
        #expect(buckets.buckets.map(\.from) == [0, 999])
        #expect(buckets.buckets.map(\.mean) == [2, 3])
    }

    @Test("the whole of Int64 can be asked for, and an empty range takes nothing")
    func extremes() {
        let points = SeriesPoints(steps: [.min, -1, 0, .max], times: [0, 0, 0, 0], values: [1, 2, 3, 4])
        for count in [1, 2, 3, 1000, Buckets.countMax] {
            var all = Buckets(axis: .step, from: .min, to: .max, count: count)
            all.add(points)
            #expect(all.buckets.map(\.count).reduce(0, +) == 4)
            #expect(all.buckets.first?.first == 1)
            #expect(all.buckets.last?.last == 4)
        }
        var empty = Buckets(axis: .step, from: 1, to: 0, count: 10)
        empty.add(points)
        #expect(empty.buckets.isEmpty)
    }

    @Test("a bucket without a finite value has no extremes and no mean; huge values keep the mean within them")
    func oddValues() {
        var buckets = Buckets(axis: .step, from: 0, to: 3, count: 2)
        let huge = Double.greatestFiniteMagnitude
        buckets.add(SeriesPoints(steps: [0, 1, 2, 3], times: [0, 0, 0, 0], values: [.nan, -.infinity, huge, huge]))
        let (odd, great) = (buckets.buckets[0], buckets.buckets[1])
        #expect((odd.count, odd.nan, odd.inf) == (2, 1, 1))
        #expect(odd.min == nil && odd.max == nil && odd.mean == nil && odd.first == nil && odd.last == nil)
        #expect(great.mean == huge)
    }

    @Test("buckets of two parts merge into the buckets of the whole")
    func merge() {
        var chance = Seeded(10)
        let points = SeriesPoints.make(2000, .fewOdd, steps: .unordered, &chance)
        var whole = Buckets(axis: .step, from: -900, to: 900, count: 33)
        whole.add(points)
        var first = Buckets(axis: .step, from: -900, to: 900, count: 33)
        var second = first
        first.add(points, in: 0..<1234)
        second.add(points, in: 1234..<2000)
        first.merge(second)
        for (a, b) in zip(first.buckets, whole.buckets) {
            #expect((a.from, a.to, a.count, a.nan, a.inf) == (b.from, b.to, b.count, b.nan, b.inf))
            #expect((a.first, a.last, a.min, a.max) == (b.first, b.last, b.min, b.max))
            #expect(abs((a.mean ?? 0) - (b.mean ?? 0)) < 1e-12)
        }
    }
}
