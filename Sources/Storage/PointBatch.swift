package import MartletDomain
package import MartletSeries

/// Points of one run as they are accepted: by name, before names are ids.
///
/// In columns, because a batch may be a thousand names with one point each: as many small arrays would cost more than
/// all else that happens to it.
package struct PointBatch: Sendable {
    /// Some points of one series.
    package struct Entry: Sendable {
        package var name: String
        package var lane: LaneID
        package var points: SeriesPoints
        package init(name: String, lane: LaneID = .plain, points: SeriesPoints) {
            (self.name, self.lane, self.points) = (name, lane, points)
        }
    }

    /// One for each entry, as `lanes` and `counts` are.
    package private(set) var names: [String] = []
    package private(set) var lanes: [LaneID] = []
    /// How many points belong to each entry.
    package private(set) var counts: [Int] = []
    /// The points of all entries, one after another.
    package private(set) var points = SeriesPoints()

    package init(entries: [Entry] = []) {
        for entry in entries { append(entry) }
    }

    fileprivate init(names: [String], lane: LaneID, counts: [Int], points: SeriesPoints) {
        (self.names, self.counts, self.points) = (names, counts, points)
        lanes = Array(repeating: lane, count: names.count)
    }

    package var isEmpty: Bool { names.isEmpty }
    package var pointCount: Int { points.count }

    package var entries: [Entry] {
        var start = 0
        return names.indices.map { index in
            defer { start += counts[index] }
            return Entry(name: names[index], lane: lanes[index], points: points[start..<start + counts[index]])
        }
    }

    package mutating func append(_ entry: Entry) { append(entry.name, lane: entry.lane, entry.points) }

    package mutating func append(_ name: String, lane: LaneID = .plain, _ added: SeriesPoints) {
        names.append(name)
        lanes.append(lane)
        counts.append(added.count)
        if added.count == 1 { points.append(added[0]) } else { points.append(added) }
    }

    /// Puts what was logged plainly into another lane.
    package mutating func movePlain(to lane: LaneID) {
        for index in lanes.indices where lanes[index] == .plain { lanes[index] = lane }
    }

    /// Takes another list of the same names in place of its own: two batches that share one are seen to have the same
    /// names without a look at them.
    package mutating func share(_ equalNames: [String]) { names = equalNames }
}

/// Gathers points as they come and lays those of one name side by side, in their order.
package struct PointCollector: Sendable {
    private let lane: LaneID
    private var places: [String: Int] = [:]
    private var names: [String] = []
    private var counts: [Int] = []
    private var points = SeriesPoints()
    /// Of each point the place of its name.
    private var owners: [Int] = []
    private var next = 0

    package init(lane: LaneID = .plain) { self.lane = lane }

    package var isEmpty: Bool { owners.isEmpty }
    package var nameCount: Int { names.count }
    package var pointCount: Int { owners.count }

    package mutating func add(_ name: String, _ point: Point) {
        let place = place(of: name)
        counts[place] += 1
        owners.append(place)
        points.append(point)
    }

    /// Names mostly come in the order in which they came before.
    private mutating func place(of name: String) -> Int {
        let found: Int
        if next < names.count, names[next] == name {
            found = next
        } else if let known = places[name] {
            found = known
        } else {
            found = names.count
            places[name] = found
            names.append(name)
            counts.append(0)
        }
        next = found + 1 == names.count ? 0 : found + 1
        return found
    }

    package var batch: PointBatch {
        PointBatch(names: names, lane: lane, counts: counts, points: inOrder)
    }

    private var inOrder: SeriesPoints {
        guard zip(owners, owners.dropFirst()).contains(where: { $0 > $1 }) else { return points }
        var free: [Int] = []
        var end = 0
        for count in counts {
            free.append(end)
            end += count
        }
        var order = [Int](repeating: 0, count: owners.count)
        for (index, owner) in owners.enumerated() {
            order[free[owner]] = index
            free[owner] += 1
        }
        return SeriesPoints(
            steps: order.map { points.steps[$0] }, times: order.map { points.times[$0] },
            values: order.map { points.values[$0] })
    }
}
