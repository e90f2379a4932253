/// What is known about each 256 points of a chunk without decoding it: a million points are drawn from four thousand of
/// these.
///
///     version, crc32c, count of points, flags; first steps, last steps, smallest times, greatest times;
///     where not all is finite: finite, NaN and +inf counts; min, max, first and last as one column; sums
package struct ChunkStats: Equatable, Sendable {
    package static let blockPoints = 256

    package struct Block: Equatable, Sendable {
        package var count: Int
        package var finite: Int
        package var nan: Int
        package var positiveInfinite: Int
        package var negativeInfinite: Int { count - finite - nan - positiveInfinite }
        /// Of the finite values, as are the next four; 0 where none is finite.
        package var min: Double
        package var max: Double
        package var sum: Double
        package var first: Double
        package var last: Double
        package var stepFirst: Int64
        package var stepLast: Int64
        package var timeMin: Int64
        package var timeMax: Int64
        /// Whether steps (times) never fall within the block. If they do, the block says nothing about order on that
        /// axis and has to be decoded.
        package var stepsRise: Bool
        package var timesRise: Bool
    }

    package private(set) var count: Int
    package private(set) var blocks: [Block]

    init(
        steps: UnsafeBufferPointer<Int64>, times: UnsafeBufferPointer<Int64>, values: UnsafeBufferPointer<Double>
    ) {
        count = steps.count
        blocks = []
        blocks.reserveCapacity((count + Self.blockPoints - 1) / Self.blockPoints)
        for start in stride(from: 0, to: count, by: Self.blockPoints) {
            let range = start..<Swift.min(start + Self.blockPoints, count)
            blocks.append(
                Block(
                    steps: UnsafeBufferPointer(rebasing: steps[range]),
                    times: UnsafeBufferPointer(rebasing: times[range]),
                    values: UnsafeBufferPointer(rebasing: values[range])))
        }
    }

    func encode() -> [UInt8] {
        var writer = ByteWriter(reserving: 64 + blocks.count * 40)
        writer.begin(.statistics)
        writer.putVarint(count)
        guard !blocks.isEmpty else { return writer.sealed() }
        let allFinite = blocks.allSatisfy { $0.finite == $0.count }
        let stepsRise = blocks.allSatisfy(\.stepsRise)
        let timesRise = blocks.allSatisfy(\.timesRise)
        writer.put((allFinite ? 1 : 0) | (stepsRise ? 2 : 0) | (timesRise ? 4 : 0) as UInt8)
        if !stepsRise { PackedIntegers.encode(blocks.map { $0.stepsRise ? 1 : 0 }, into: &writer) }
        if !timesRise { PackedIntegers.encode(blocks.map { $0.timesRise ? 1 : 0 }, into: &writer) }
        PackedIntegers.encode(blocks.map(\.stepFirst), into: &writer)
        PackedIntegers.encode(blocks.map(\.stepLast), into: &writer)
        // As one column of mins and distances: the distance is small where the time itself is not.
        blocks.map(\.timeMin).withUnsafeBufferPointer { TimeColumn.encode($0, into: &writer) }
        blocks.map { $0.timeMax &- $0.timeMin }.withUnsafeBufferPointer { TimeColumn.encode($0, into: &writer) }
        if !allFinite {
            PackedIntegers.encode(blocks.map { Int64($0.finite) }, into: &writer)
            PackedIntegers.encode(blocks.map { Int64($0.nan) }, into: &writer)
            PackedIntegers.encode(blocks.map { Int64($0.positiveInfinite) }, into: &writer)
        }
        let shape = blocks.map(\.min) + blocks.map(\.max) + blocks.map(\.first) + blocks.map(\.last)
        _ = shape.withUnsafeBufferPointer {
            ValueColumn.encode($0, rawBelow: 4, mayShuffle: false, into: &writer)
        }
        _ = blocks.map(\.sum).withUnsafeBufferPointer {
            ValueColumn.encode($0, rawBelow: 4, mayShuffle: false, into: &writer)
        }
        return writer.sealed()
    }

    package static func decode(_ data: UnsafeRawBufferPointer) throws(SeriesError) -> ChunkStats {
        var reader = try ByteReader(data, opening: .statistics)
        let count = try reader.count(of: "points", most: Chunk.pointsMax)
        guard count > 0 else {
            try reader.finish()
            return ChunkStats(count: 0, blocks: [])
        }
        let blockCount = (count + blockPoints - 1) / blockPoints
        let flags = try reader.byte()
        guard flags < 8 else { throw .damaged("A statistics blob has the flags \(flags).") }
        let stepsRise = flags & 2 != 0 ? nil : try PackedIntegers.decode(&reader, count: blockCount)
        let timesRise = flags & 4 != 0 ? nil : try PackedIntegers.decode(&reader, count: blockCount)
        let stepFirst = try PackedIntegers.decode(&reader, count: blockCount)
        let stepLast = try PackedIntegers.decode(&reader, count: blockCount)
        let timeMin = try TimeColumn.decode(&reader, count: blockCount)
        let timeSpan = try TimeColumn.decode(&reader, count: blockCount)
        let counts = flags & 1 != 0 ? nil : try Counts(&reader, blockCount: blockCount)
        let shape = try ValueColumn.decode(&reader, count: blockCount * 4)
        let sums = try ValueColumn.decode(&reader, count: blockCount)
        try reader.finish()
        var blocks: [Block] = []
        blocks.reserveCapacity(blockCount)
        for index in 0..<blockCount {
            let points = Swift.min(blockPoints, count - index * blockPoints)
            let (finite, nan, infinite) = try counts?.of(index, points: points) ?? (points, 0, 0)
            blocks.append(
                Block(
                    count: points, finite: finite, nan: nan, positiveInfinite: infinite, min: shape[index],
                    max: shape[blockCount + index], sum: sums[index], first: shape[2 * blockCount + index],
                    last: shape[3 * blockCount + index], stepFirst: stepFirst[index], stepLast: stepLast[index],
                    timeMin: timeMin[index], timeMax: timeMin[index] &+ timeSpan[index],
                    stepsRise: stepsRise.map { $0[index] != 0 } ?? true,
                    timesRise: timesRise.map { $0[index] != 0 } ?? true))
        }
        return ChunkStats(count: count, blocks: blocks)
    }

    package static func decode(_ data: [UInt8]) throws(SeriesError) -> ChunkStats {
        try data.withUnsafeBufferPointer { (bytes) throws(SeriesError) in try decode(UnsafeRawBufferPointer(bytes)) }
    }

    private init(count: Int, blocks: [Block]) {
        self.count = count
        self.blocks = blocks
    }

    /// The columns that are only there when some value is not finite.
    private struct Counts {
        let finite: [Int64]
        let nan: [Int64]
        let infinite: [Int64]

        init(_ reader: inout ByteReader, blockCount: Int) throws(SeriesError) {
            finite = try PackedIntegers.decode(&reader, count: blockCount)
            nan = try PackedIntegers.decode(&reader, count: blockCount)
            infinite = try PackedIntegers.decode(&reader, count: blockCount)
        }

        func of(_ index: Int, points: Int) throws(SeriesError) -> (Int, Int, Int) {
            let all = 0...Int64(points)
            guard all.contains(finite[index]), all.contains(nan[index]), all.contains(infinite[index]),
                all.contains(finite[index] + nan[index] + infinite[index])
            else { throw .damaged("The counts of block \(index) do not add up to its \(points) points.") }
            return (Int(finite[index]), Int(nan[index]), Int(infinite[index]))
        }
    }
}

extension ChunkStats.Block {
    /// The statistics of at least one point.
    init(
        steps: UnsafeBufferPointer<Int64>, times: UnsafeBufferPointer<Int64>, values: UnsafeBufferPointer<Double>
    ) {
        let count = values.count
        var stepsRise = true
        var timesRise = true
        var (timeMin, timeMax) = (times[0], times[0])
        for index in 1..<Swift.max(count, 1) {
            stepsRise = stepsRise && steps[index] >= steps[index &- 1]
            let time = times[index]
            timesRise = timesRise && time >= times[index &- 1]
            timeMin = time < timeMin ? time : timeMin
            timeMax = time > timeMax ? time : timeMax
        }
        self.init(
            count: count, finite: 0, nan: 0, positiveInfinite: 0, min: 0, max: 0, sum: 0, first: 0, last: 0,
            stepFirst: steps[0], stepLast: steps[count - 1], timeMin: timeMin, timeMax: timeMax, stepsRise: stepsRise,
            timesRise: timesRise)
        sumUp(values)
    }

    private mutating func sumUp(_ values: UnsafeBufferPointer<Double>) {
        // v - v is 0 for what is finite and NaN for what is not, so one sum tells whether the short way is right.
        var odd = 0.0
        var (even, uneven) = (0.0, 0.0)
        var (low, high) = (values[0], values[0])
        var index = 0
        while index &+ 1 < values.count {
            let (a, b) = (values[index], values[index &+ 1])
            odd += (a - a) + (b - b)
            even += a
            uneven += b
            let smaller = a < b ? a : b
            let larger = a < b ? b : a
            low = smaller < low ? smaller : low
            high = larger > high ? larger : high
            index &+= 2
        }
        if index < values.count {
            let a = values[index]
            odd += a - a
            even += a
            low = a < low ? a : low
            high = a > high ? a : high
        }
        if odd == 0 {
            (finite, min, max, sum) = (values.count, low, high, even + uneven)
            (first, last) = (values[0], values[values.count - 1])
            return
        }
        for value in values {
            if value.isFinite {
                if finite == 0 { (min, max, first) = (value, value, value) }
                min = value < min ? value : min
                max = value > max ? value : max
                sum += value
                last = value
                finite += 1
            } else if value.isNaN {
                nan += 1
            } else if value > 0 {
                positiveInfinite += 1
            }
        }
    }
}
