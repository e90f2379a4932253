/// Up to 4096 points of one series, as they lie in a store: a data blob, a statistics blob and a few plain numbers.
///
///     data: version, crc32c, count, steps, times (with their unit), values
package enum Chunk {
    package static let pointsMax = 4096

    /// What the store keeps in columns beside the blobs, to skip chunks without opening them.
    package struct Summary: Equatable, Sendable {
        package var count: Int
        package var stepMin: Int64
        package var stepMax: Int64
        package var timeMin: Int64
        package var timeMax: Int64
        /// The extremes of the finite values; nil if there are none, as SQL has no NaN.
        package var valueMin: Double?
        package var valueMax: Double?
        /// The sum of the finite values. Of huge values it may be infinite, but it is never NaN.
        package var valueSum: Double
        package var finite: Int
        /// The value that arrived last, of whatever kind.
        package var valueLast: Double
    }

    package struct Encoded: Equatable, Sendable {
        package var data: [UInt8]
        package var stats: [UInt8]
        package var summary: Summary
    }

    /// Encodes some of the points, at most 4096 of them; the points keep their order.
    package static func encode(_ points: SeriesPoints, in range: Range<Int>) -> Encoded {
        precondition(range.count <= pointsMax, "a chunk holds at most \(pointsMax) points")
        precondition(range.lowerBound >= 0 && range.upperBound <= points.count, "a range beyond the points")
        return points.steps.withUnsafeBufferPointer { steps in
            points.times.withUnsafeBufferPointer { times in
                points.values.withUnsafeBufferPointer { values in
                    encode(
                        steps: UnsafeBufferPointer(rebasing: steps[range]),
                        times: UnsafeBufferPointer(rebasing: times[range]),
                        values: UnsafeBufferPointer(rebasing: values[range]))
                }
            }
        }
    }

    package static func encode(_ points: SeriesPoints) -> Encoded { encode(points, in: 0..<points.count) }

    private static func encode(
        steps: UnsafeBufferPointer<Int64>, times: UnsafeBufferPointer<Int64>, values: UnsafeBufferPointer<Double>
    ) -> Encoded {
        var writer = ByteWriter(reserving: 64 + steps.count * 6)
        writer.begin(.chunk)
        writer.putVarint(steps.count)
        PackedIntegers.encode(steps, into: &writer)
        TimeColumn.encode(times, into: &writer)
        ValueColumn.encode(values, rawBelow: 4, into: &writer)
        let stats = ChunkStats(steps: steps, times: times, values: values)
        return Encoded(
            data: writer.sealed(), stats: stats.encode(),
            summary: summary(stats, steps: steps, lastValue: values.last ?? 0))
    }

    package static func decode(_ data: UnsafeRawBufferPointer) throws(SeriesError) -> SeriesPoints {
        var reader = try ByteReader(data, opening: .chunk)
        let count = try reader.count(of: "points", most: pointsMax)
        let steps = try PackedIntegers.decode(&reader, count: count)
        let times = try TimeColumn.decode(&reader, count: count)
        let values = try ValueColumn.decode(&reader, count: count)
        try reader.finish()
        return SeriesPoints(steps: steps, times: times, values: values)
    }

    /// Appends the points of a chunk that must hold so many.
    package static func decode(
        _ data: UnsafeRawBufferPointer, count wanted: Int, into columns: inout PointColumns
    ) throws(SeriesError) {
        var reader = try ByteReader(data, opening: .chunk)
        let count = try reader.count(of: "points", most: pointsMax)
        guard count == wanted else { throw .damaged("It holds \(count) points, not \(wanted).") }
        try columns.append(count) { steps, times, values throws(SeriesError) in
            try PackedIntegers.decode(&reader, count: count, into: steps)
            try TimeColumn.decode(&reader, count: count, into: times)
            try ValueColumn.decode(&reader, count: count, into: values)
            try reader.finish()
        }
    }

    package static func decode(_ data: [UInt8]) throws(SeriesError) -> SeriesPoints {
        try data.withUnsafeBufferPointer { (bytes) throws(SeriesError) in try decode(UnsafeRawBufferPointer(bytes)) }
    }

    private static func summary(
        _ stats: ChunkStats, steps: UnsafeBufferPointer<Int64>, lastValue: Double
    ) -> Summary {
        var summary = Summary(
            count: steps.count, stepMin: steps.first ?? 0, stepMax: steps.first ?? 0, timeMin: 0, timeMax: 0,
            valueMin: nil, valueMax: nil, valueSum: 0, finite: 0, valueLast: lastValue)
        if let first = stats.blocks.first { (summary.timeMin, summary.timeMax) = (first.timeMin, first.timeMax) }
        for step in steps {
            summary.stepMin = min(summary.stepMin, step)
            summary.stepMax = max(summary.stepMax, step)
        }
        for block in stats.blocks {
            summary.timeMin = min(summary.timeMin, block.timeMin)
            summary.timeMax = max(summary.timeMax, block.timeMax)
            guard block.finite > 0 else { continue }
            summary.valueMin = min(summary.valueMin ?? block.min, block.min)
            summary.valueMax = max(summary.valueMax ?? block.max, block.max)
            summary.valueSum += block.sum
            summary.finite += block.finite
        }
        // Only sums that overflowed on both sides give a NaN, which SQL would turn into NULL.
        if summary.valueSum.isNaN { summary.valueSum = 0 }
        return summary
    }
}
