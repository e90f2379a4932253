import MartletDomain
import MartletSeries
import MartletStorage

/// What is known of one series as of its last compaction, without its points.
///
/// Journal rows up to `upto` are in its chunks or its pack; what lies in later rows comes on top.
struct MetricEntry: Equatable {
    var key: Pack.Key
    var upto: Int64
    var count: Int
    var nan: Int
    var infinite: Int
    /// By `Latest`.
    var last: Point
    /// The least step, and the first to arrive among those.
    var first: Point
    /// Of the finite values.
    var minimum: Double?
    var maximum: Double?
    var sum: Double

    /// The entry of one point.
    init(key: Pack.Key, upto: Int64, _ point: Point) {
        (self.key, self.upto, count, nan, infinite) = (key, upto, 0, 0, 0)
        (last, first, sum) = (point, point, 0)
        add(point)
    }

    /// The entry of a series in order of step and arrival, without duplicates; nil when it is empty.
    init?(key: Pack.Key, upto: Int64, _ points: SeriesPoints) {
        guard !points.isEmpty else { return nil }
        self.init(key: key, upto: upto, points[0])
        for index in 1..<points.count { add(points[index]) }
    }

    init(
        key: Pack.Key, upto: Int64, count: Int, nan: Int, infinite: Int, last: Point, first: Point, minimum: Double?,
        maximum: Double?, sum: Double
    ) {
        (self.key, self.upto, self.count, self.nan, self.infinite) = (key, upto, count, nan, infinite)
        (self.last, self.first, self.minimum, self.maximum, self.sum) = (last, first, minimum, maximum, sum)
    }

    /// Takes in a point that arrived after all others and is not one of them.
    mutating func add(_ point: Point) {
        count += 1
        if Latest.isLater(point, than: last) { last = point }
        if point.step < first.step { first = point }
        if point.value.isNaN {
            nan += 1
        } else if point.value.isInfinite {
            infinite += 1
        } else {
            minimum = minimum.map { $0 < point.value ? $0 : point.value } ?? point.value
            maximum = maximum.map { $0 > point.value ? $0 : point.value } ?? point.value
            sum += point.value
        }
    }

    /// Whether a point may be one that the series already has: duplicates have equal step and time.
    func mayHold(_ point: Point) -> Bool {
        point.step < last.step || point.step == last.step && point.time <= last.time
    }

    func state(named name: String) -> SeriesState {
        SeriesState(
            name: name, lane: LaneID(key.laneID), count: count, nan: nan, infinite: infinite, last: last, first: first,
            minimum: minimum, maximum: maximum, sum: sum, minStep: first.step, maxStep: last.step)
    }

    static func == (a: MetricEntry, b: MetricEntry) -> Bool {
        a.key == b.key && a.upto == b.upto && a.count == b.count && a.nan == b.nan && a.infinite == b.infinite
            && a.last == b.last && a.first == b.first && a.minimum?.bitPattern == b.minimum?.bitPattern
            && a.maximum?.bitPattern == b.maximum?.bitPattern && a.sum.bitPattern == b.sum.bitPattern
    }
}
