/// About a thousand points of neighbouring series, written one series after another.
///
///     per series: flags; steps, times and values unless the flags say where they come from
///     pool:       the values of all series that have no coding of their own, as one column
///
/// Ten doubles of full precision do not compress alone; a thousand of them share their first bytes.
enum PackGroup {
    private struct Flags: OptionSet {
        let rawValue: UInt8
        static let sameSteps = Flags(rawValue: 1)
        static let sameTimes = Flags(rawValue: 2)
        static let timesAlong = Flags(rawValue: 4)
        static let pooled = Flags(rawValue: 8)
    }

    /// The shorter of two ways: a coding for each series that has one, or all values in the pool, which is shorter when
    /// series are so short that a coding's first bytes outweigh it.
    static func encode(_ series: [SeriesPoints]) -> [UInt8] {
        let (coded, pooled) = (encode(series, poolsAll: false), encode(series, poolsAll: true))
        return coded.count <= pooled.count ? coded : pooled
    }

    private static func encode(_ series: [SeriesPoints], poolsAll: Bool) -> [UInt8] {
        var writer = ByteWriter(reserving: 8192)
        var pool: [Double] = []
        var before: SeriesPoints?
        for points in series {
            var flags: Flags = []
            var own = ByteWriter()
            if let before, before.steps == points.steps {
                flags.insert(.sameSteps)
            } else {
                PackedIntegers.encode(points.steps, into: &own)
            }
            if let before, before.times == points.times {
                flags.insert(.sameTimes)
            } else {
                flags.formUnion(encodeTimes(points.times, after: before?.times, into: &own))
            }
            var values = ByteWriter()
            let kind = points.values.withUnsafeBufferPointer {
                ValueColumn.encode($0, rawBelow: poolsAll ? .max : 2, mayShuffle: false, into: &values)
            }
            // One value, or two, are always "constant" or nothing; the pool is shorter.
            if kind == .raw || poolsAll && points.count < 3 {
                flags.insert(.pooled)
                pool.append(contentsOf: points.values)
            } else {
                own.put(values.bytes)
            }
            writer.put(flags.rawValue)
            writer.put(own.bytes)
            before = points
        }
        pool.withUnsafeBufferPointer { ValueColumn.encode($0, rawBelow: 16, into: &writer) }
        return writer.bytes
    }

    /// Writes times by themselves or as distances from those of the series before, whichever is shorter.
    private static func encodeTimes(
        _ times: [Int64], after before: [Int64]?, into writer: inout ByteWriter
    ) -> Flags {
        var plain = ByteWriter()
        times.withUnsafeBufferPointer { TimeColumn.encode($0, into: &plain) }
        if let before, before.count == times.count {
            var along = ByteWriter()
            let distances = zip(times, before).map { $0 &- $1 }
            distances.withUnsafeBufferPointer { TimeColumn.encode($0, into: &along) }
            if along.count < plain.count {
                writer.put(along.bytes)
                return .timesAlong
            }
        }
        writer.put(plain.bytes)
        return []
    }

    /// The points of series of the given counts, one after another.
    static func decode(_ blob: UnsafeRawBufferPointer, counts: [Int]) throws(SeriesError) -> SeriesPoints {
        let total = counts.reduce(0, +)
        guard total <= Pack.groupPoints + Pack.seriesPointsMax else {
            throw .tooLarge("points", UInt64(total), most: Pack.groupPoints + Pack.seriesPointsMax)
        }
        var reader = ByteReader(blob)
        var points = SeriesPoints()
        points.reserveCapacity(total)
        var pooled: [Range<Int>] = []
        var before = 0
        for count in counts {
            let start = points.count
            let rawFlags = try reader.byte()
            let flags = Flags(rawValue: rawFlags)
            guard rawFlags < 16, flags.isDisjoint(with: [.sameSteps, .sameTimes, .timesAlong]) || before == count,
                !flags.isSuperset(of: [.sameTimes, .timesAlong])
            else { throw .damaged("A series of \(count) points in a pack has the flags \(rawFlags).") }
            let above = start - count..<start
            let steps =
                flags.contains(.sameSteps)
                ? Array(points.steps[above]) : try PackedIntegers.decode(&reader, count: count)
            var times =
                flags.contains(.sameTimes)
                ? Array(points.times[above]) : try TimeColumn.decode(&reader, count: count)
            if flags.contains(.timesAlong) {
                for index in 0..<count { times[index] &+= points.times[above.lowerBound + index] }
            }
            var values: [Double]
            if flags.contains(.pooled) {
                pooled.append(start..<start + count)
                values = [Double](repeating: 0, count: count)
            } else {
                values = try ValueColumn.decode(&reader, count: count)
            }
            points.append(SeriesPoints(steps: steps, times: times, values: values))
            before = count
        }
        let pool = try ValueColumn.decode(&reader, count: pooled.reduce(0) { $0 + $1.count })
        try reader.finish()
        var at = 0
        for range in pooled {
            for index in range {
                points[index].value = pool[at]
                at += 1
            }
        }
        return points
    }
}
