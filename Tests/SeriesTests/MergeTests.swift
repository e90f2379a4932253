import MartletSeries
import Testing

@Suite("Chunks and journal join into one series") struct MergeTests {
    /// The rule in its plainest words: the first of each kind, then a stable sort by step.
    static func plain(_ points: [Point]) -> [Point] {
        var seen = Set<Point>()
        let kept = points.filter { seen.insert($0).inserted }
        return kept.enumerated().sorted { ($0.element.step, $0.offset) < ($1.element.step, $1.offset) }.map(\.element)
    }

    @Test("duplicates go, order of arrival stays within a step, steps rise", arguments: Axis.allCases)
    func rule(_ axis: Axis) {
        for seed in 1...20 as ClosedRange<UInt64> {
            var chance = Seeded(seed)
            let all = SeriesPoints.make(chance.integer(0...300), .odd, steps: axis, times: .repeated, &chance)
            let cut = chance.integer(0...all.count)
            let merged = mergeSeries(chunks: all[0..<cut], journal: all[cut..<all.count])
            #expect(merged.points == Self.plain(all.points), "seed \(seed)")
        }
    }

    @Test("a batch that is sent twice counts once")
    func retry() {
        var chance = Seeded(11)
        let points = SeriesPoints.make(500, .mixed, &chance)
        #expect(mergeSeries(chunks: points, journal: points) == points)
        #expect(mergeSeries(chunks: points, journal: points[450..<500]) == points)
        #expect(mergeSeries(chunks: points, journal: SeriesPoints()) == points)
        #expect(mergeSeries(chunks: SeriesPoints(), journal: points) == points)
    }

    @Test("a NaN is a duplicate of itself, 0.0 none of -0.0, and a later time is another point")
    func bitForBit() {
        let points = SeriesPoints(
            steps: [1, 1, 1, 1, 1], times: [5, 5, 5, 5, 6], values: [.nan, .nan, 0.0, -0.0, 0.0])
        let merged = mergeSeries(chunks: points, journal: SeriesPoints())
        #expect(merged.points == [0, 2, 3, 4].map { points[$0] })
    }

    @Test("a hundred thousand points of one step do not take their square in time")
    func oneStep() {
        let count = 100_000
        let points = SeriesPoints(
            steps: Array(repeating: 0, count: count), times: (0..<count).map { Int64($0 / 2) },
            values: Array(repeating: 1, count: count))
        #expect(mergeSeries(chunks: points, journal: points).count == count / 2)
    }

    @Test("joining in two parts is joining at once")
    func associative() {
        var chance = Seeded(12)
        let (a, b, c) = (
            SeriesPoints.make(200, .odd, steps: .unordered, times: .repeated, &chance),
            SeriesPoints.make(200, .odd, steps: .unordered, times: .repeated, &chance),
            SeriesPoints.make(200, .odd, steps: .unordered, times: .repeated, &chance)
        )
        var tail = b
        tail.append(c)
        #expect(
            mergeSeries(chunks: mergeSeries(chunks: a, journal: b), journal: c) == mergeSeries(chunks: a, journal: tail)
        )
    }
}

@Suite("The latest point is the same wherever it is asked for") struct LatestTests {
    static let points: [Point] = {
        var points: [Point] = []
        let values = [0.0, -0.0, .nan, -.nan, .infinity, -.infinity, 1, -1, Double(bitPattern: 0x7FF8_0000_0000_0001)]
        for step in [Int64.min, 0, 1] {
            for time in [Int64.max, 0] {
                for value in values { points.append(Point(step: step, time: time, value: value)) }
            }
        }
        return points
    }()

    @Test("the order is total: one of two different points is later, never both, and later is transitive")
    func total() {
        for a in Self.points {
            for b in Self.points {
                #expect((Latest.isLater(a, than: b) ? 1 : 0) + (Latest.isLater(b, than: a) ? 1 : 0) == (a == b ? 0 : 1))
                for c in Self.points where Latest.isLater(a, than: b) && Latest.isLater(b, than: c) {
                    #expect(Latest.isLater(a, than: c))
                }
            }
        }
    }

    @Test("the step decides, then the time, then the value with a NaN as 0")
    func rule() {
        func isLater(_ a: (Int64, Int64, Double), _ b: (Int64, Int64, Double)) -> Bool {
            Latest.isLater(Point(step: a.0, time: a.1, value: a.2), than: Point(step: b.0, time: b.1, value: b.2))
        }
        #expect(isLater((2, 0, 0), (1, 9, 9)))
        #expect(isLater((1, 2, 0), (1, 1, 9)))
        #expect(isLater((1, 1, 0.5), (1, 1, .nan)))
        #expect(isLater((1, 1, .nan), (1, 1, -0.5)))
        #expect(isLater((1, 1, .infinity), (1, 1, .nan)))
        #expect(isLater((1, 1, .nan), (1, 1, 0)))
    }

    @Test("the order of asking does not matter")
    func ofMany() {
        var chance = Seeded(13)
        let expected = Latest.of(SeriesPoints(Self.points))
        for _ in 0..<20 { #expect(Latest.of(SeriesPoints(Self.points.shuffled(using: &chance))) == expected) }
        #expect(Latest.of(SeriesPoints()) == nil)
    }
}
