/// Many short series of one run: a directory, and a data blob of at most 1 MiB.
///
/// Runs with 1,500 metrics of ten points each are the normal case, and a chunk row each would cost far more than the
/// points. In a pack they lie sorted by (name id, lane id) in groups of about a thousand points. A group has its own
/// checksum in the directory, so one series is read by looking at the directory and decoding one group.
///
///     directory: version, crc32c, series, points, groups; name ids, lane ids, counts; per group: series, bytes, crc32c
///     group:     per series: coding, steps, times, values; then the pool of values that only compress together
///
/// Metrics are mostly logged together, so steps and times are stored only where they differ from those of the series
/// before, and times that run along at a small distance are stored as that distance.
package enum Pack {
    package struct Key: Comparable, Hashable, Sendable {
        package var nameID: Int64
        package var laneID: Int64

        package init(nameID: Int64, laneID: Int64 = 0) {
            self.nameID = nameID
            self.laneID = laneID
        }

        package static func < (a: Key, b: Key) -> Bool {
            a.nameID != b.nameID ? a.nameID < b.nameID : a.laneID < b.laneID
        }
    }

    package struct Series: Equatable, Sendable {
        package var key: Key
        package var points: SeriesPoints

        package init(key: Key, points: SeriesPoints) {
            self.key = key
            self.points = points
        }
    }

    package struct Encoded: Equatable, Sendable {
        package var directory: [UInt8]
        package var data: [UInt8]
        package var keys: ClosedRange<Key>
        package var seriesCount: Int
        package var pointCount: Int
    }

    package static let dataBytesMax = 1 << 20
    /// A series leaves the pack for chunks long before this.
    package static let seriesPointsMax = Chunk.pointsMax
    package static let pointsMax = 1 << 18
    package static let seriesMax = 1 << 16
    static let groupPoints = 1024
    static let groupSeries = 256

    /// Packs the series, each of at most `seriesPointsMax` points, into as few packs as hold them, in order of key.
    package static func encode(_ series: [Series]) -> [Encoded] {
        var packs: [Encoded] = []
        var pack = Builder()
        var group: [Series] = []
        var groupCount = 0
        func close() {
            guard !group.isEmpty else { return }
            let blob = PackGroup.encode(group.map(\.points))
            if !pack.hasRoom(bytes: blob.count, series: group.count, points: groupCount) {
                packs.append(pack.encode())
                pack = Builder()
            }
            pack.append(group, points: groupCount, blob: blob)
            group = []
            groupCount = 0
        }
        for one in joined(series) {
            precondition(one.points.count <= seriesPointsMax, "a packed series holds at most \(seriesPointsMax) points")
            if groupCount + one.points.count > groupPoints || group.count == groupSeries { close() }
            group.append(one)
            groupCount += one.points.count
        }
        close()
        if !pack.keys.isEmpty { packs.append(pack.encode()) }
        return packs
    }

    /// Sorted by key, without empty series; parts of one series are put together in the order in which they came.
    private static func joined(_ series: [Series]) -> [Series] {
        var joined: [Series] = []
        joined.reserveCapacity(series.count)
        let order = series.indices.sorted {
            series[$0].key != series[$1].key ? series[$0].key < series[$1].key : $0 < $1
        }
        for index in order where !series[index].points.isEmpty {
            if joined.last?.key == series[index].key {
                joined[joined.count - 1].points.append(series[index].points)
            } else {
                joined.append(series[index])
            }
        }
        return joined
    }

    /// All series of a pack, in order of key.
    package static func decode(
        directory: UnsafeRawBufferPointer, data: UnsafeRawBufferPointer
    ) throws(SeriesError) -> [Series] {
        let directory = try PackDirectory.decode(directory)
        var all: [Series] = []
        all.reserveCapacity(directory.keys.count)
        for group in directory.groups {
            let points = try directory.points(of: group, in: data)
            for index in group.series {
                let range = directory.range(of: index, in: group)
                all.append(Series(key: directory.keys[index], points: points[range]))
            }
        }
        guard directory.groups.last?.bytes.upperBound ?? 0 == data.count else {
            throw .damaged("A pack of \(data.count) bytes has a directory for another length.")
        }
        return all
    }

    package static func decode(_ pack: Encoded) throws(SeriesError) -> [Series] {
        try pack.directory.withUnsafeBufferPointer { (directory) throws(SeriesError) in
            try pack.data.withUnsafeBufferPointer { (data) throws(SeriesError) in
                try decode(directory: UnsafeRawBufferPointer(directory), data: UnsafeRawBufferPointer(data))
            }
        }
    }

    private struct Builder {
        var keys: [Key] = []
        var counts: [Int64] = []
        var groupSeries: [Int64] = []
        var groupBytes: [Int64] = []
        var crcs: [UInt32] = []
        var data: [UInt8] = []
        var points = 0

        func hasRoom(bytes: Int, series: Int, points added: Int) -> Bool {
            keys.isEmpty
                || data.count + bytes <= dataBytesMax && keys.count + series <= seriesMax && points + added <= pointsMax
        }

        mutating func append(_ group: [Series], points added: Int, blob: [UInt8]) {
            keys.append(contentsOf: group.map(\.key))
            counts.append(contentsOf: group.map { Int64($0.points.count) })
            groupSeries.append(Int64(group.count))
            groupBytes.append(Int64(blob.count))
            crcs.append(blob.withUnsafeBytes { crc32c($0) })
            data.append(contentsOf: blob)
            points += added
        }

        func encode() -> Encoded {
            var writer = ByteWriter()
            writer.begin(.packDirectory)
            writer.putVarint(keys.count)
            writer.putVarint(points)
            writer.putVarint(crcs.count)
            PackedIntegers.encode(keys.map(\.nameID), into: &writer)
            PackedIntegers.encode(keys.map(\.laneID), into: &writer)
            PackedIntegers.encode(counts, into: &writer)
            PackedIntegers.encode(groupSeries, into: &writer)
            PackedIntegers.encode(groupBytes, into: &writer)
            for crc in crcs { writer.put(crc) }
            return Encoded(
                directory: writer.sealed(), data: data, keys: keys[0]...keys[keys.count - 1], seriesCount: keys.count,
                pointCount: points)
        }
    }
}
