import MartletDomain
import MartletSeries

/// What a run's series came to as of its last compaction.
///
/// It lies in `metric_doc` as a head and segments of at most 128 series in order of (name id, lane), columnar inside:
/// one metric of a thousand is found by opening the head and one segment, for a search asks 10,000 runs for one metric.
///
///     head:     version, crc32c, generation, count of segments; the first name and lane of each
///     segment:  version, crc32c, count; columns: names, lanes, uptos, counts, NaNs, infinities, last steps and times,
///               first steps and times; last values, first values, minima, maxima, sums
///
/// `generation` counts the changes of the run's settled points. Who wants to install a change says which generation it
/// was made from, and loses if that is no longer the one in the store.
struct MetricDocument: Equatable {
    var generation: Int64 = 0
    /// In order of key.
    private(set) var entries: [MetricEntry] = []

    init() {}

    init(generation: Int64, entries: [MetricEntry]) {
        self.generation = generation
        self.entries = entries
    }

    subscript(key: Pack.Key) -> MetricEntry? {
        get {
            let place = firstPlace(of: key)
            return place < entries.count && entries[place].key == key ? entries[place] : nil
        }
        set {
            let place = firstPlace(of: key)
            let isThere = place < entries.count && entries[place].key == key
            switch (isThere, newValue) {
            case (true, let entry?): entries[place] = entry
            case (true, nil): entries.remove(at: place)
            case (false, let entry?): entries.insert(entry, at: place)
            case (false, nil): break
            }
        }
    }

    /// Puts many entries in place of those with their keys, at once.
    mutating func put(_ fresh: [MetricEntry]) {
        guard fresh.count > 8 else {
            for entry in fresh { self[entry.key] = entry }
            return
        }
        let sorted = fresh.sorted { $0.key < $1.key }
        var merged: [MetricEntry] = []
        merged.reserveCapacity(entries.count + fresh.count)
        var place = 0
        for entry in sorted {
            while place < entries.count, entries[place].key < entry.key {
                merged.append(entries[place])
                place += 1
            }
            if place < entries.count, entries[place].key == entry.key { place += 1 }
            merged.append(entry)
        }
        merged.append(contentsOf: entries[place...])
        entries = merged
    }

    /// The entries of a name, in order of lane.
    func entries(named nameID: Int64) -> ArraySlice<MetricEntry> {
        let start = firstPlace(of: Pack.Key(nameID: nameID, laneID: .min))
        var end = start
        while end < entries.count, entries[end].key.nameID == nameID { end += 1 }
        return entries[start..<end]
    }

    private func firstPlace(of key: Pack.Key) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: As bytes

    static let segmentMax = 128

    /// The head, then the segments.
    func encode() -> [[UInt8]] {
        var segments: [[UInt8]] = []
        // Even parts, not full ones and a crumb.
        let count = (entries.count + Self.segmentMax - 1) / Self.segmentMax
        var (firstNames, firstLanes): ([Int64], [Int64]) = ([], [])
        for part in 0..<count {
            let range = entries.count * part / count..<entries.count * (part + 1) / count
            firstNames.append(entries[range.lowerBound].key.nameID)
            firstLanes.append(entries[range.lowerBound].key.laneID)
            segments.append(MetricSegment.encode(entries[range]))
        }
        var head = BlobSeal.begin()
        writeVarint(UInt64(generation), into: &head)
        writeVarint(UInt64(count), into: &head)
        PackedColumn.write(firstNames, into: &head)
        PackedColumn.write(firstLanes, into: &head)
        return [BlobSeal.sealed(head)] + segments
    }
}

/// The head of a run's document, opened: borrows its memory.
struct MetricHead {
    let generation: Int64
    let count: Int
    private let names: PackedColumn
    private let lanes: PackedColumn

    init(_ blob: UnsafeRawBufferPointer) throws(SeriesDamage) {
        var reader = try BlobSeal.open(blob)
        generation = Int64(bitPattern: try reader.varint())
        let segments = try reader.varint()
        guard generation >= 0, segments < 1 << 16 else { throw SeriesDamage("it counts \(segments) segments") }
        count = Int(segments)
        names = try PackedColumn(&reader, count: count)
        lanes = try PackedColumn(&reader, count: count)
        try reader.finish()
    }

    /// The segments that may hold one of some names, given by rising ids; all of them for nil.
    func segments(named names: [Int64]?) -> [Int] {
        guard let names else { return Array(0..<count) }
        var found: [Int] = []
        for name in names {
            for segment in segments(named: name) where segment > found.last ?? -1 { found.append(segment) }
        }
        return found
    }

    /// The segments that may hold a name, whatever the lane.
    private func segments(named nameID: Int64) -> Range<Int> {
        // One that begins with the name may have its first lanes at the end of the one before.
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if names[middle] < nameID { low = middle + 1 } else { high = middle }
        }
        var end = low
        while end < count, names[end] == nameID { end += 1 }
        return max(0, low - 1)..<end
    }
}

/// Up to 128 series of a run's document, opened but not decoded: borrows its memory.
struct MetricSegment {
    let count: Int
    private let names: PackedColumn
    private let lanes: PackedColumn
    private let uptos: PackedColumn
    private let counts: PackedColumn
    private let nans: PackedColumn
    private let infinities: PackedColumn
    private let lastSteps: PackedColumn
    private let lastTimes: PackedColumn
    private let firstSteps: PackedColumn
    private let firstTimes: PackedColumn
    private let lastValues: TaggedValues
    private let firstValues: TaggedValues
    private let minima: TaggedValues
    private let maxima: TaggedValues
    private let sums: TaggedValues

    init(_ blob: UnsafeRawBufferPointer) throws(SeriesDamage) {
        var reader = try BlobSeal.open(blob)
        let series = try reader.varint()
        guard series <= UInt64(MetricDocument.segmentMax) else { throw SeriesDamage("it counts \(series) series") }
        count = Int(series)
        names = try PackedColumn(&reader, count: count)
        lanes = try PackedColumn(&reader, count: count)
        uptos = try PackedColumn(&reader, count: count)
        counts = try PackedColumn(&reader, count: count)
        nans = try PackedColumn(&reader, count: count)
        infinities = try PackedColumn(&reader, count: count)
        lastSteps = try PackedColumn(&reader, count: count)
        lastTimes = try PackedColumn(&reader, count: count)
        firstSteps = try PackedColumn(&reader, count: count)
        firstTimes = try PackedColumn(&reader, count: count)
        lastValues = try TaggedValues(&reader, count: count)
        firstValues = try TaggedValues(&reader, count: count)
        minima = try TaggedValues(&reader, count: count)
        maxima = try TaggedValues(&reader, count: count)
        sums = try TaggedValues(&reader, count: count)
        try reader.finish()
    }

    static func encode(_ entries: ArraySlice<MetricEntry>) -> [UInt8] {
        var out = BlobSeal.begin()
        out.reserveCapacity(64 + entries.count * 32)
        writeVarint(UInt64(entries.count), into: &out)
        PackedColumn.write(entries.map(\.key.nameID), into: &out)
        PackedColumn.write(entries.map(\.key.laneID), into: &out)
        PackedColumn.write(entries.map(\.upto), into: &out)
        PackedColumn.write(entries.map { Int64($0.count) }, into: &out)
        PackedColumn.write(entries.map { Int64($0.nan) }, into: &out)
        PackedColumn.write(entries.map { Int64($0.infinite) }, into: &out)
        PackedColumn.write(entries.map(\.last.step), into: &out)
        PackedColumn.write(entries.map(\.last.time), into: &out)
        PackedColumn.write(entries.map(\.first.step), into: &out)
        PackedColumn.write(entries.map(\.first.time), into: &out)
        for column in 0..<5 {
            var (tags, bytes): ([UInt8], [UInt8]) = ([], [])
            for entry in entries {
                let values: [Double?] = [
                    entry.last.value, entry.first.value, entry.minimum, entry.maximum, entry.sum,
                ]
                ValueTag.write(values[column], knowing: values[0..<column], tags: &tags, bytes: &bytes)
            }
            TaggedValues.write(tags: tags, bytes: bytes, into: &out)
        }
        return BlobSeal.sealed(out)
    }

    func key(at index: Int) -> Pack.Key { Pack.Key(nameID: names[index], laneID: lanes[index]) }

    /// Adds the entries of some names, given by rising ids, or all.
    func read(named names: [Int64]?, into found: inout [MetricEntry]) throws(SeriesDamage) {
        guard let names else { return try readAll(into: &found) }
        var start = 0
        var (ahead, next) = (Offsets(), 0)
        for name in names {
            let places = places(named: name, from: start)
            for place in places {
                // Who asks for many names mostly asks for neighbours, whose bytes follow one another.
                if place != next { ahead = offsets(of: place) }
                found.append(try entry(at: place, &ahead))
                next = place + 1
            }
            start = places.upperBound
        }
    }

    /// The places of a name's entries, none of which lies before `start`.
    private func places(named nameID: Int64, from start: Int) -> Range<Int> {
        var (low, high) = (start, count)
        // Who asks for many names asks for all that are there, one after another.
        if start < count, names[start] >= nameID { high = start }
        while low < high {
            let middle = (low + high) / 2
            if names[middle] < nameID { low = middle + 1 } else { high = middle }
        }
        var end = low
        while end < count, names[end] == nameID { end += 1 }
        return low..<end
    }

    func entries() throws(SeriesDamage) -> [MetricEntry] {
        var all: [MetricEntry] = []
        try readAll(into: &all)
        return all
    }

    private func readAll(into found: inout [MetricEntry]) throws(SeriesDamage) {
        found.reserveCapacity(found.count + count)
        var ahead = Offsets()
        for index in 0..<count {
            if index > 0, !(key(at: index - 1) < key(at: index)) {
                throw SeriesDamage("entry \(index) is out of order")
            }
            found.append(try entry(at: index, &ahead))
        }
    }

    private func offsets(of index: Int) -> Offsets {
        Offsets(
            last: lastValues.offset(of: index), first: firstValues.offset(of: index), minimum: minima.offset(of: index),
            maximum: maxima.offset(of: index), sum: sums.offset(of: index))
    }

    /// Where an entry's bytes begin in each column of values; behind them begin those of the next.
    private struct Offsets {
        var last = 0
        var first = 0
        var minimum = 0
        var maximum = 0
        var sum = 0
    }

    private func entry(at index: Int, _ offsets: inout Offsets) throws(SeriesDamage) -> MetricEntry {
        guard let last = try lastValues.value(at: index, &offsets.last, knowing: (nil, nil, nil, nil)) else {
            throw SeriesDamage("entry \(index) has no value")
        }
        guard let first = try firstValues.value(at: index, &offsets.first, knowing: (last, nil, nil, nil)) else {
            throw SeriesDamage("entry \(index) has no first value")
        }
        let minimum = try minima.value(at: index, &offsets.minimum, knowing: (last, first, nil, nil))
        let maximum = try maxima.value(at: index, &offsets.maximum, knowing: (last, first, minimum, nil))
        let sum = try sums.value(at: index, &offsets.sum, knowing: (last, first, minimum, maximum))
        let (points, nan, infinite) = (counts[index], nans[index], infinities[index])
        guard points > 0, nan >= 0, infinite >= 0, nan <= points, infinite <= points - nan, let sum else {
            throw SeriesDamage("the counts of entry \(index) do not add up")
        }
        return MetricEntry(
            key: key(at: index), upto: uptos[index], count: Int(points), nan: Int(nan), infinite: Int(infinite),
            last: Point(step: lastSteps[index], time: lastTimes[index], value: last),
            first: Point(step: firstSteps[index], time: firstTimes[index], value: first), minimum: minimum,
            maximum: maximum, sum: sum)
    }
}

/// The frame of a document's parts: a version byte and a CRC-32C of all other bytes, as the blobs of points have it.
enum BlobSeal {
    private static let version: UInt8 = 1

    static func begin() -> [UInt8] { [version, 0, 0, 0, 0] }

    static func sealed(_ bytes: [UInt8]) -> [UInt8] {
        var out = bytes
        let crc = out.withUnsafeBytes { checksum($0) }
        for index in 0..<4 { out[1 + index] = UInt8(truncatingIfNeeded: crc >> (8 * UInt32(index))) }
        return out
    }

    static func open(_ blob: UnsafeRawBufferPointer) throws(SeriesDamage) -> ColumnReader {
        guard blob.count >= 6 else { throw SeriesDamage("it has only \(blob.count) bytes") }
        guard blob[0] == version else {
            throw SeriesDamage("it has version \(blob[0]), and this program reads version \(version)")
        }
        let stored = UInt32(littleEndian: blob.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
        guard stored == checksum(blob) else { throw SeriesDamage("its checksum is wrong") }
        var reader = ColumnReader(blob)
        _ = try reader.bytes(5)
        return reader
    }

    private static func checksum(_ blob: UnsafeRawBufferPointer) -> UInt32 {
        crc32c(
            UnsafeRawBufferPointer(rebasing: blob[5...]), seed: crc32c(UnsafeRawBufferPointer(rebasing: blob[0..<1])))
    }
}
