/// One accepted batch of points of one run: one row of a store's journal.
///
/// Columns over the whole batch, so that a row costs little more than its values:
///
///     version, crc32c, entries, points, which columns are there
///     name ids, lane ids, counts, flags            one number an entry; left out where all are alike
///     steps, times (with their unit), values       one number a point
///
/// Most batches log many metrics at the same steps and times. An entry whose steps and times are exactly those of the
/// entry before it says so in its flags and stores neither.
package struct JournalBatch: Equatable, Sendable {
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Logged without a step: the points belong to their series in order of arrival. Their steps are 0 here,
        /// because the writer cannot know how many points the series already has. Whoever joins the batch to its
        /// series calls `SeriesPoints.numberSteps(from:)` with that count, so that the step is the index of arrival.
        package static let withoutStep = Flags(rawValue: 1)
        /// The writer knows that these points come late, at steps that the series has passed.
        package static let late = Flags(rawValue: 2)
        /// Steps and times are those of the entry before; only inside a row.
        static let sameAxis = Flags(rawValue: 4)

        package var hasStep: Bool { !contains(.withoutStep) }
    }

    /// Some points of one series.
    package struct Entry: Equatable, Sendable {
        package var nameID: Int64
        package var laneID: Int64
        package var flags: Flags
        package var points: SeriesPoints

        package init(nameID: Int64, laneID: Int64 = 0, flags: Flags = [], points: SeriesPoints) {
            self.nameID = nameID
            self.laneID = laneID
            self.flags = flags
            self.points = points
        }
    }

    /// Where an entry's points lie in `points`.
    package struct Head: Equatable, Sendable {
        package var nameID: Int64
        package var laneID: Int64
        package var flags: Flags
        package var range: Range<Int>
    }

    /// The most points of one row: at 26 bytes for the worst point and 22 for the worst entry, a row stays under 1 MiB.
    package static let pointsMax = 16_384
    package static let bytesMax = 1 << 20

    package internal(set) var heads: [Head] = []
    /// The points of all entries, one after another.
    package internal(set) var points = SeriesPoints()

    package init() {}

    package init(entries: [Entry]) {
        for entry in entries { append(entry) }
    }

    /// The points of a batch whose entries are added after it, in order, by `addHead`.
    package init(points: SeriesPoints) { self.points = points }

    /// Says of which series the next `count` points are.
    package mutating func addHead(nameID: Int64, laneID: Int64, count: Int) {
        guard count > 0 else { return }
        let start = heads.last?.range.upperBound ?? 0
        heads.append(Head(nameID: nameID, laneID: laneID, flags: [], range: start..<start + count))
    }

    package var entries: [Entry] {
        heads.map { Entry(nameID: $0.nameID, laneID: $0.laneID, flags: $0.flags, points: points[$0.range]) }
    }

    package var pointCount: Int { points.count }
    package var isEmpty: Bool { points.isEmpty }

    package mutating func reserveCapacity(entries: Int, points count: Int) {
        heads.reserveCapacity(entries)
        points.reserveCapacity(count)
    }

    /// Adds an entry; one without points leaves no trace.
    package mutating func append(_ entry: Entry) {
        append(nameID: entry.nameID, laneID: entry.laneID, flags: entry.flags, entry.points)
    }

    package mutating func append(nameID: Int64, laneID: Int64 = 0, flags: Flags = [], _ added: SeriesPoints) {
        guard !added.isEmpty else { return }
        let start = points.count
        if flags.contains(.withoutStep) {
            for index in 0..<added.count { append(withoutStep: added[index]) }
        } else {
            points.append(added)
        }
        heads.append(
            Head(nameID: nameID, laneID: laneID, flags: flags.subtracting(.sameAxis), range: start..<points.count))
    }

    /// Adds one point: to the last entry if that is of the same series and kind, else as a new entry.
    package mutating func append(nameID: Int64, laneID: Int64 = 0, flags: Flags = [], _ point: Point) {
        let flags = flags.subtracting(.sameAxis)
        if let last = heads.last, last.nameID == nameID, last.laneID == laneID, last.flags == flags {
            heads[heads.count - 1].range = last.range.lowerBound..<points.count + 1
        } else {
            heads.append(Head(nameID: nameID, laneID: laneID, flags: flags, range: points.count..<points.count + 1))
        }
        if flags.contains(.withoutStep) { append(withoutStep: point) } else { points.append(point) }
    }

    private mutating func append(withoutStep point: Point) {
        points.append(step: 0, time: point.time, value: point.value)
    }

    /// The batch as rows of at most `pointsMax` points, each ready to encode; the order of points is kept.
    package func split() -> [JournalBatch] {
        guard pointCount > Self.pointsMax else { return isEmpty ? [] : [self] }
        var rows: [JournalBatch] = []
        var row = JournalBatch()
        for head in heads {
            var from = head.range.lowerBound
            while from < head.range.upperBound {
                let to = min(head.range.upperBound, from + Self.pointsMax - row.pointCount)
                let start = row.points.count
                row.points.append(points, in: from..<to)
                row.heads.append(
                    Head(nameID: head.nameID, laneID: head.laneID, flags: head.flags, range: start..<row.points.count))
                from = to
                if row.pointCount == Self.pointsMax {
                    rows.append(row)
                    row = JournalBatch()
                }
            }
        }
        if !row.isEmpty { rows.append(row) }
        return rows
    }
}
