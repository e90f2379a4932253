extension JournalBatch {
    private struct Columns: OptionSet {
        let rawValue: UInt8
        static let lanes = Columns(rawValue: 1)
        static let counts = Columns(rawValue: 2)
        static let flags = Columns(rawValue: 4)
        static let all: Columns = [.lanes, .counts, .flags]
    }

    /// The row's blob. A batch of more than `pointsMax` points is `split()` first.
    package func encode() -> [UInt8] {
        precondition(pointCount <= Self.pointsMax, "a journal row holds at most \(Self.pointsMax) points")
        var writer = ByteWriter(reserving: 64 + heads.count * 4 + pointCount * 10)
        writer.begin(.journalRow)
        writer.putVarint(heads.count)
        writer.putVarint(pointCount)
        let flags = storedFlags()
        var columns: Columns = []
        if heads.contains(where: { $0.laneID != 0 }) { columns.insert(.lanes) }
        if heads.contains(where: { $0.range.count != 1 }) { columns.insert(.counts) }
        if flags.contains(where: { $0 != 0 }) { columns.insert(.flags) }
        writer.put(columns.rawValue)
        PackedIntegers.encode(heads.map(\.nameID), into: &writer)
        if columns.contains(.lanes) { PackedIntegers.encode(heads.map(\.laneID), into: &writer) }
        if columns.contains(.counts) { PackedIntegers.encode(heads.map { Int64($0.range.count) }, into: &writer) }
        if columns.contains(.flags) { PackedIntegers.encode(flags, into: &writer) }
        encodeAxes(flags, into: &writer)
        // Values of a thousand metrics side by side: what zstd would save is not worth its time in a row that is soon
        // compacted.
        let isMixed = pointCount < heads.count * 4
        points.values.withUnsafeBufferPointer {
            _ = ValueColumn.encode($0, rawBelow: 64, mayShuffle: !isMixed, into: &writer)
        }
        return writer.sealed()
    }

    /// Each entry's flags, with `sameAxis` where steps and times repeat those of the entry before.
    private func storedFlags() -> [Int64] {
        points.steps.withUnsafeBufferPointer { steps in
            points.times.withUnsafeBufferPointer { times in
                var before = 0..<0
                return heads.map { head in
                    defer { before = head.range }
                    guard before.count == head.range.count else { return Int64(head.flags.rawValue) }
                    let distance = head.range.count
                    let isSame = head.range.allSatisfy {
                        times[$0] == times[$0 - distance] && steps[$0] == steps[$0 - distance]
                    }
                    return Int64((isSame ? head.flags.union(.sameAxis) : head.flags).rawValue)
                }
            }
        }
    }

    private func encodeAxes(_ flags: [Int64], into writer: inout ByteWriter) {
        let isShared = flags.contains { $0 & Int64(Flags.sameAxis.rawValue) != 0 }
        guard isShared else {
            points.steps.withUnsafeBufferPointer { PackedIntegers.encode($0, into: &writer) }
            points.times.withUnsafeBufferPointer { TimeColumn.encode($0, into: &writer) }
            return
        }
        var steps: [Int64] = []
        var times: [Int64] = []
        steps.reserveCapacity(pointCount)
        times.reserveCapacity(pointCount)
        for (head, flag) in zip(heads, flags) where flag & Int64(Flags.sameAxis.rawValue) == 0 {
            for index in head.range {
                steps.append(points.steps[index])
                times.append(points.times[index])
            }
        }
        PackedIntegers.encode(steps, into: &writer)
        times.withUnsafeBufferPointer { TimeColumn.encode($0, into: &writer) }
    }

    package static func decode(_ row: UnsafeRawBufferPointer) throws(SeriesError) -> JournalBatch {
        var reader = try open(row)
        let directory = try Directory(&reader)
        var batch = JournalBatch()
        batch.heads = directory.heads
        batch.points = try directory.points(&reader)
        for index in batch.heads.indices { batch.heads[index].flags.subtract(.sameAxis) }
        return batch
    }

    package static func decode(_ row: [UInt8]) throws(SeriesError) -> JournalBatch {
        try row.withUnsafeBufferPointer { (bytes) throws(SeriesError) in try decode(UnsafeRawBufferPointer(bytes)) }
    }

    /// Appends the points of one series, in order; a row without any is known by its directory and not decoded further.
    package static func append(
        pointsOf nameID: Int64, laneID: Int64 = 0, in row: UnsafeRawBufferPointer, to points: inout SeriesPoints
    ) throws(SeriesError) {
        var reader = try open(row)
        let directory = try Directory(&reader)
        guard directory.heads.contains(where: { $0.nameID == nameID && $0.laneID == laneID }) else { return }
        let all = try directory.points(&reader)
        for head in directory.heads where head.nameID == nameID && head.laneID == laneID {
            points.append(all, in: head.range)
        }
    }

    /// Calls `body` with the latest point of each entry: enough to rebuild a run's latest values after a start.
    ///
    /// Of an entry without steps the latest point is the one that arrived last; its step is 0, since only the store
    /// knows the series' count.
    package static func forEachLatest(
        _ row: UnsafeRawBufferPointer, _ body: (Head, Point) -> Void
    ) throws(SeriesError) {
        let batch = try decode(row)
        for head in batch.heads {
            if head.flags.hasStep {
                if let latest = Latest.of(batch.points, in: head.range) { body(head, latest) }
            } else {
                body(head, batch.points[head.range.upperBound - 1])
            }
        }
    }

    /// How many points a row holds, from its first bytes. The checksum is not looked at.
    package static func pointCount(_ row: UnsafeRawBufferPointer) throws(SeriesError) -> Int {
        var reader = ByteReader(row)
        try reader.expect(.journalRow)
        _ = try reader.word32()
        _ = try reader.count(of: "entries", most: pointsMax)
        return try reader.count(of: "points", most: pointsMax)
    }

    private static func open(_ row: UnsafeRawBufferPointer) throws(SeriesError) -> ByteReader {
        guard row.count <= bytesMax else { throw .tooLarge("bytes", UInt64(row.count), most: bytesMax) }
        return try ByteReader(row, opening: .journalRow)
    }

    /// The columns that say whose points follow.
    private struct Directory {
        var heads: [Head] = []
        var pointCount: Int
        var axisCount = 0

        init(_ reader: inout ByteReader) throws(SeriesError) {
            let entryCount = try reader.count(of: "entries", most: JournalBatch.pointsMax)
            pointCount = try reader.count(of: "points", most: JournalBatch.pointsMax)
            let rawColumns = try reader.byte()
            let columns = Columns(rawValue: rawColumns)
            guard columns.isSubset(of: .all) else { throw .damaged("A journal row has the columns \(rawColumns).") }
            let names = try PackedIntegers.decode(&reader, count: entryCount)
            let lanes = columns.contains(.lanes) ? try PackedIntegers.decode(&reader, count: entryCount) : nil
            let counts = columns.contains(.counts) ? try PackedIntegers.decode(&reader, count: entryCount) : nil
            let flags = columns.contains(.flags) ? try PackedIntegers.decode(&reader, count: entryCount) : nil
            heads.reserveCapacity(entryCount)
            var start = 0
            for index in 0..<entryCount {
                let count = counts?[index] ?? 1
                guard count >= 1, count <= Int64(pointCount - start) else {
                    throw .damaged("Entry \(index) says that it has \(count) of \(pointCount - start) points left.")
                }
                let rawFlags = flags?[index] ?? 0
                guard (0...7).contains(rawFlags) else { throw .damaged("Entry \(index) has the flags \(rawFlags).") }
                let head = Head(
                    nameID: names[index], laneID: lanes?[index] ?? 0, flags: Flags(rawValue: UInt8(rawFlags)),
                    range: start..<start + Int(count))
                if !head.flags.contains(.sameAxis) {
                    axisCount += head.range.count
                } else if heads.last?.range.count != head.range.count {
                    throw .damaged("Entry \(index) shares the steps of an entry that is not as long.")
                }
                heads.append(head)
                start += Int(count)
            }
            guard start == pointCount else {
                throw .damaged("A journal row of \(pointCount) points has entries for \(start).")
            }
        }

        func points(_ reader: inout ByteReader) throws(SeriesError) -> SeriesPoints {
            let steps = spread(try PackedIntegers.decode(&reader, count: axisCount))
            let times = spread(try TimeColumn.decode(&reader, count: axisCount))
            let values = try ValueColumn.decode(&reader, count: pointCount)
            try reader.finish()
            return SeriesPoints(steps: steps, times: times, values: values)
        }

        /// Gives each entry that shares an axis its own copy.
        private func spread(_ stored: [Int64]) -> [Int64] {
            guard stored.count < pointCount else { return stored }
            return [Int64](unsafeUninitializedCapacity: pointCount) { buffer, initialized in
                guard let target = buffer.baseAddress else { return }
                stored.withUnsafeBufferPointer { source in
                    guard let source = source.baseAddress else { return }
                    var from = 0
                    for head in heads {
                        let size = head.range.count
                        if head.flags.contains(.sameAxis) {
                            from -= size
                        }
                        (target + head.range.lowerBound).initialize(from: source + from, count: size)
                        from += size
                    }
                }
                initialized = pointCount
            }
        }
    }
}
