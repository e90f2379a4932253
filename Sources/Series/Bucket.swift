/// What one pixel column of a chart shows: how many points fall into it and between which values.
package struct Bucket: Equatable, Sendable {
    /// The least and the greatest place on the axis of the points in it: their real range, not the bucket's share.
    package var from: Int64
    package var to: Int64
    /// All points, NaN and infinities included.
    package var count: Int
    package var nan: Int
    package var inf: Int
    /// The first and last finite value along the axis; of equal places the first and the last that arrived.
    package var first: Double? { finite > 0 ? firstValue : nil }
    package var last: Double? { finite > 0 ? lastValue : nil }
    /// The exact extremes of the finite values.
    package var min: Double? { finite > 0 ? minValue : nil }
    package var max: Double? { finite > 0 ? maxValue : nil }
    /// The mean of the finite values. Where their sum is too great for a double, the extreme on that side.
    package var mean: Double? {
        guard finite > 0 else { return nil }
        let mean = sum / Double(finite)
        // Sums of huge values of both signs may be NaN; half of the extremes cannot overflow.
        return mean.isNaN ? minValue / 2 + maxValue / 2 : Swift.min(Swift.max(mean, minValue), maxValue)
    }
    package var finite: Int { count - nan - inf }

    private(set) var sum = 0.0
    private var firstValue = 0.0
    private var lastValue = 0.0
    private var minValue = Double.infinity
    private var maxValue = -Double.infinity
    /// Where the first and the last finite value lie.
    private var firstAt = Int64.max
    private var lastAt = Int64.min

    static let empty = Bucket(from: .max, to: .min, count: 0, nan: 0, inf: 0)

    private init(from: Int64, to: Int64, count: Int, nan: Int, inf: Int) {
        self.from = from
        self.to = to
        self.count = count
        self.nan = nan
        self.inf = inf
    }

    @inline(__always)
    mutating func add(_ value: Double, at place: Int64) {
        from = place < from ? place : from
        to = place > to ? place : to
        count &+= 1
        guard value.isFinite else {
            if value.isNaN { nan &+= 1 } else { inf &+= 1 }
            return
        }
        sum += value
        minValue = value < minValue ? value : minValue
        maxValue = value > maxValue ? value : maxValue
        if place < firstAt || finite == 1 { (firstValue, firstAt) = (value, place) }
        if place >= lastAt { (lastValue, lastAt) = (value, place) }
    }

    mutating func add(_ block: ChunkStats.Block, from low: Int64, to high: Int64) {
        from = Swift.min(from, low)
        to = Swift.max(to, high)
        let isFirst = finite == 0
        count += block.count
        nan += block.nan
        inf += block.count - block.finite - block.nan
        guard block.finite > 0 else { return }
        sum += block.sum
        minValue = Swift.min(minValue, block.min)
        maxValue = Swift.max(maxValue, block.max)
        if low < firstAt || isFirst { (firstValue, firstAt) = (block.first, low) }
        if high >= lastAt { (lastValue, lastAt) = (block.last, high) }
    }

    /// Takes in a bucket of points that arrived later, of the same series or of another one.
    package mutating func merge(_ other: Bucket) {
        let isFirst = finite == 0
        from = Swift.min(from, other.from)
        to = Swift.max(to, other.to)
        count += other.count
        nan += other.nan
        inf += other.inf
        guard other.finite > 0 else { return }
        sum += other.sum
        minValue = Swift.min(minValue, other.minValue)
        maxValue = Swift.max(maxValue, other.maxValue)
        if other.firstAt < firstAt || isFirst { (firstValue, firstAt) = (other.firstValue, other.firstAt) }
        if other.lastAt >= lastAt { (lastValue, lastAt) = (other.lastValue, other.lastAt) }
    }
}
