/// Turns a series of any length into at most `count` buckets along an axis, with its true extremes, NaN and gaps.
///
/// Points may come in any order and mixture: whole blocks of 256 from a chunk's statistics, and single points from
/// chunks that had to be decoded and from the journal. Where a bucket is wide enough for 256 points, a block goes
/// into the bucket of its middle, so the edge between two buckets lies up to 128 points beside the even share; every
/// count, extreme and range is that of the points that are in the bucket. A narrower bucket refuses blocks that cross
/// its edges, and the answer is exact.
package struct Buckets: Sendable {
    package enum Axis: Equatable, Sendable {
        case step
        /// Microseconds since 1970.
        case time
        /// Microseconds since a moment, mostly the run's start.
        case relative(to: Int64)
    }

    package let axis: Axis
    package let from: Int64
    package let to: Int64
    private var slots: [Bucket]
    /// The width of the range less one, since the whole of Int64 is 2^64 wide.
    private let reach: UInt64
    private let origin: Int64

    package static let countMax = 65_536

    /// Buckets from `from` to `to`, both inside; a `count` outside of 1...65,536 is taken as the nearest. An empty
    /// range (`from` > `to`) takes no points.
    package init(axis: Axis, from: Int64, to: Int64, count: Int) {
        self.axis = axis
        self.from = from
        self.to = to
        reach = from <= to ? UInt64(bitPattern: to &- from) : 0
        slots = Array(repeating: .empty, count: min(max(count, 1), Self.countMax))
        if case .relative(let start) = axis { origin = start } else { origin = 0 }
    }

    /// The buckets that hold points, in order.
    package var buckets: [Bucket] { slots.filter { $0.count > 0 } }

    /// How wide a bucket's share is, rounded up.
    private var share: UInt64 { (reach / UInt64(slots.count)) &+ 1 }

    package mutating func add(_ points: SeriesPoints) { add(points, in: 0..<points.count) }

    package mutating func add(_ points: SeriesPoints, in range: Range<Int>) {
        guard from <= to else { return }
        let places = axis == .step ? points.steps : points.times
        places.withUnsafeBufferPointer { places in
            points.values.withUnsafeBufferPointer { values in
                // Neighbours mostly share a bucket, whose bounds are kept, so that the division is rare.
                var slot = 0
                var (low, high) = bounds(of: 0)
                for index in range {
                    let place = places[index] &- origin
                    guard place >= from, place <= to else { continue }
                    let offset = UInt64(bitPattern: place &- from)
                    if offset < low || offset > high {
                        slot = self.slot(of: offset)
                        (low, high) = bounds(of: slot)
                    }
                    slots[slot].add(values[index], at: place)
                }
            }
        }
    }

    /// Adds 256 points from their statistics; false, and nothing added, if they have to be decoded and added one by
    /// one: they cross the range's ends, or a bucket is narrower than they are, or they are out of order on this
    /// axis.
    package mutating func add(_ block: ChunkStats.Block) -> Bool {
        guard from <= to, block.count > 0 else { return true }
        guard axis == .step ? block.stepsRise : block.timesRise else { return false }
        let low = (axis == .step ? block.stepFirst : block.timeMin) &- origin
        let high = (axis == .step ? block.stepLast : block.timeMax) &- origin
        guard low <= high else { return false }
        if high < from || low > to { return true }
        guard low >= from, high <= to else { return false }
        let (first, last) = (UInt64(bitPattern: low &- from), UInt64(bitPattern: high &- from))
        let middle = slot(of: first + (last - first) / 2)
        let (start, end) = bounds(of: middle)
        guard first >= start && last <= end || last - first < share else { return false }
        slots[middle].add(block, from: low, to: high)
        return true
    }

    /// Adds a chunk from its statistics, and decodes it only if some block has to be.
    package mutating func add(
        _ stats: ChunkStats, decode: () throws(SeriesError) -> SeriesPoints
    ) throws(SeriesError) {
        var points: SeriesPoints?
        for (index, block) in stats.blocks.enumerated() where !add(block) {
            let decoded: SeriesPoints
            if let points { decoded = points } else { decoded = try decode() }
            guard decoded.count == stats.count else {
                throw .damaged("A chunk holds \(decoded.count) points, its statistics \(stats.count).")
            }
            points = decoded
            let start = index * ChunkStats.blockPoints
            add(decoded, in: start..<start + block.count)
        }
    }

    /// Takes in the buckets of points that arrived later, over the same axis and range.
    package mutating func merge(_ other: Buckets) {
        precondition(
            axis == other.axis && from == other.from && to == other.to && slots.count == other.slots.count,
            "only buckets of one shape can be merged")
        for index in slots.indices where other.slots[index].count > 0 { slots[index].merge(other.slots[index]) }
    }

    /// Which bucket a place lies in, by its distance from `from`: floor(offset x count / width).
    private func slot(of offset: UInt64) -> Int {
        let count = UInt64(slots.count)
        let (product, overflow) = offset.multipliedReportingOverflow(by: count)
        if !overflow, reach < .max { return Int(product / (reach + 1)) }
        return Int(UInt128(offset) * UInt128(count) / (UInt128(reach) + 1))
    }

    /// The least and the greatest distance from `from` that lie in a bucket; nothing if it is narrower than one.
    private func bounds(of slot: Int) -> (UInt64, UInt64) {
        if reach < .max >> 18 {
            // Of a range of ordinary size no product is wider than a word, whose division is ten times as fast.
            let (width, count, slot) = (reach + 1, UInt64(slots.count), UInt64(slot))
            let low = (slot * width + count - 1) / count
            let next = ((slot + 1) * width + count - 1) / count
            return next > low ? (low, next - 1) : (1, 0)
        }
        let (width, count) = (UInt128(reach) + 1, UInt128(slots.count))
        let low = (UInt128(slot) * width + count - 1) / count
        let next = (UInt128(slot + 1) * width + count - 1) / count
        return next > low ? (UInt64(low), UInt64(next - 1)) : (1, 0)
    }
}
