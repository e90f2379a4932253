import MartletSeries
import Testing

@Suite("A pack keeps many short series") struct PackTests {
    static func series(_ count: Int, each: Int, _ shape: Shape, shared: Bool, _ chance: inout Seeded) -> [Pack.Series] {
        let axis = SeriesPoints.make(each, .zeros, times: .milliseconds, &chance)
        return (0..<count).map { index in
            var points = SeriesPoints.make(each, shape, times: .milliseconds, &chance)
            if shared { points = SeriesPoints(steps: axis.steps, times: axis.times, values: points.values) }
            return Pack.Series(key: Pack.Key(nameID: Int64(index / 2), laneID: Int64(index % 2)), points: points)
        }
    }

    @Test("every series comes back bit for bit, alone and together", arguments: Shape.allCases, [true, false])
    func comesBack(_ shape: Shape, _ shared: Bool) throws {
        var chance = Seeded(14)
        for (count, each) in [(1, 1), (300, 1), (200, 10), (20, 255), (3, 2000)] {
            let series = Self.series(count, each: each, shape, shared: shared, &chance)
            let packs = Pack.encode(series.shuffled(using: &chance))
            var all: [Pack.Series] = []
            for pack in packs {
                #expect(pack.data.count <= Pack.dataBytesMax)
                all += try Pack.decode(pack)
            }
            #expect(all == series)
            let pack = packs[0]
            let directory = try PackDirectory.decode(pack.directory)
            #expect(directory.keys.count == pack.seriesCount)
            #expect(directory.pointCount == pack.pointCount)
            for index in stride(from: 0, to: pack.seriesCount, by: 17) {
                #expect(try directory.points(of: series[index].key, in: pack.data) == series[index].points)
            }
            #expect(try directory.points(of: Pack.Key(nameID: 1 << 40), in: pack.data) == nil)
        }
    }

    @Test("series of unlike lengths share what they can")
    func unlikeLengths() throws {
        var chance = Seeded(15)
        let series = (0..<500).map { index in
            Pack.Series(
                key: Pack.Key(nameID: Int64(index)),
                points: .make(chance.integer(1...30), .mixed, steps: .extreme, times: .extreme, &chance))
        }
        var all: [Pack.Series] = []
        for pack in Pack.encode(series) { all += try Pack.decode(pack) }
        #expect(all == series)
    }

    @Test(
        "1,500 series of ten points take at most 8 bytes a point", arguments: [Shape.loss, .accuracy, .mixed, .noise])
    func small(_ shape: Shape) {
        var chance = Seeded(16)
        let packs = Pack.encode(Self.series(1500, each: 10, shape, shared: true, &chance))
        #expect(packs.map { $0.directory.count + $0.data.count }.reduce(0, +) <= 8 * 15_000)
    }

    @Test("metrics logged one after another store how far they are behind each other, not their times")
    func timesAlong() {
        var chance = Seeded(25)
        let base = SeriesPoints.make(10, .zeros, times: .milliseconds, &chance)
        let series = (0..<1000).map { index in
            let times = base.times.map { $0 + Int64(index * 2000 + chance.integer(0...3) * 1000) }
            return Pack.Series(
                key: Pack.Key(nameID: Int64(index)),
                points: SeriesPoints(steps: base.steps, times: times, values: base.values))
        }
        // Flags, one byte of a value that is always 0, and about eight of distances.
        #expect(Pack.encode(series).map(\.data.count).reduce(0, +) <= 11 * 1000)
    }

    @Test("what does not fit in 1 MiB goes into the next pack, in order of key")
    func severalPacks() throws {
        var chance = Seeded(17)
        let series = Self.series(600, each: 300, .bits, shared: false, &chance)
        let packs = Pack.encode(series)
        #expect(packs.count > 1)
        for (a, b) in zip(packs, packs.dropFirst()) { #expect(a.keys.upperBound < b.keys.lowerBound) }
        #expect(packs.allSatisfy { $0.data.count <= Pack.dataBytesMax })
    }

    @Test("parts of one series are put together in their order; nothing makes no pack")
    func parts() throws {
        let key = Pack.Key(nameID: 1)
        let parts = [[5, 6], [], [1]].map { steps in
            Pack.Series(key: key, points: SeriesPoints(steps.map { Point(step: $0, time: 0, value: 1) }))
        }
        #expect(try Pack.decode(Pack.encode(parts)[0]).map(\.points.steps) == [[5, 6, 1]])
        #expect(Pack.encode([]).isEmpty)
        #expect(Pack.encode([parts[1]]).isEmpty)
    }
}
