// The points of a metric, as values and as bytes.
//
// A tracker's weight lies here: a store holds billions of (step, time, value) triples and almost nothing else. This
// room knows how they are written small (journal rows, chunks, packs), summed up (statistics for each 256 points),
// drawn (buckets with true extremes) and joined (chunks with the journal). It is pure: bytes and numbers in, bytes
// and numbers out. It opens no file, reads no clock, and believes no blob: every decoder checks a checksum, every
// bound and every count before it allocates, because a blob may come from a damaged disk.
//
// Every blob begins with a byte for its kind and version, and a CRC-32C of all other bytes.

/// One logged number.
package struct Point: Sendable {
    package var step: Int64
    /// Microseconds since 1970, UTC.
    package var time: Int64
    package var value: Double

    @inlinable package init(step: Int64, time: Int64, value: Double) {
        self.step = step
        self.time = time
        self.value = value
    }
}

extension Point: Hashable {
    /// Two points are the same only bit for bit: a NaN equals itself, and 0.0 is not -0.0.
    ///
    /// This is the equality by which a client's retry is recognised as one; IEEE's would keep every repeated NaN.
    package static func == (a: Point, b: Point) -> Bool {
        a.step == b.step && a.time == b.time && a.value.bitPattern == b.value.bitPattern
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(step)
        hasher.combine(time)
        hasher.combine(value.bitPattern)
    }
}

/// Many points, column by column, in order of arrival unless a function says otherwise.
///
/// Columns, because that is how they are stored, summed and drawn; the three arrays always have one length.
package struct SeriesPoints: Sendable {
    package private(set) var steps: [Int64]
    package private(set) var times: [Int64]
    package private(set) var values: [Double]

    package init() {
        steps = []
        times = []
        values = []
    }

    package init(steps: [Int64], times: [Int64], values: [Double]) {
        precondition(steps.count == times.count && times.count == values.count, "columns of unequal length")
        self.steps = steps
        self.times = times
        self.values = values
    }

    package init(_ points: some Sequence<Point>) {
        self.init()
        for point in points { append(point) }
    }

    // Inlinable, because called across rooms it would count every column's references up and down: a quarter of the
    // time of a batch of a thousand names.
    @inlinable package var count: Int { steps.count }
    @inlinable package var isEmpty: Bool { steps.isEmpty }
    package var points: [Point] { (0..<count).map { self[$0] } }

    package subscript(index: Int) -> Point {
        @inlinable get { Point(step: steps[index], time: times[index], value: values[index]) }
        set {
            steps[index] = newValue.step
            times[index] = newValue.time
            values[index] = newValue.value
        }
    }

    package subscript(range: Range<Int>) -> SeriesPoints {
        SeriesPoints(steps: Array(steps[range]), times: Array(times[range]), values: Array(values[range]))
    }

    package mutating func reserveCapacity(_ count: Int) {
        steps.reserveCapacity(count)
        times.reserveCapacity(count)
        values.reserveCapacity(count)
    }

    package mutating func append(_ point: Point) {
        steps.append(point.step)
        times.append(point.time)
        values.append(point.value)
    }

    package mutating func append(step: Int64, time: Int64, value: Double) {
        steps.append(step)
        times.append(time)
        values.append(value)
    }

    package mutating func append(_ other: SeriesPoints) {
        steps.append(contentsOf: other.steps)
        times.append(contentsOf: other.times)
        values.append(contentsOf: other.values)
    }

    package mutating func append(_ other: SeriesPoints, in range: Range<Int>) {
        steps.append(contentsOf: other.steps[range])
        times.append(contentsOf: other.times[range])
        values.append(contentsOf: other.values[range])
    }

    /// Numbers the points from `first` in order of arrival.
    ///
    /// For points that were logged without a step: their place in the series is only known where the series is, so the
    /// store calls this with the count of points that the series already has.
    package mutating func numberSteps(from first: Int64) {
        for index in steps.indices { steps[index] = first &+ Int64(index) }
    }
}

extension SeriesPoints: Equatable {
    /// Equal bit for bit, as `Point` is.
    package static func == (a: SeriesPoints, b: SeriesPoints) -> Bool {
        guard a.steps == b.steps, a.times == b.times else { return false }
        return zip(a.values, b.values).allSatisfy { $0.bitPattern == $1.bitPattern }
    }
}
