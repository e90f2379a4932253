/// What a pack holds and where: enough to read one series of it.
package struct PackDirectory: Equatable, Sendable {
    package struct Group: Equatable, Sendable {
        /// Which of the directory's keys.
        package var series: Range<Int>
        /// Where in the data; a store that can read a part of a blob needs only this.
        package var bytes: Range<Int>
        fileprivate var crc: UInt32
    }

    /// Sorted, each once.
    package private(set) var keys: [Pack.Key] = []
    package private(set) var groups: [Group] = []
    /// Points before each series, and at the end the count of all.
    private var starts: [Int] = [0]

    package var pointCount: Int { starts[starts.count - 1] }

    package func pointCount(at index: Int) -> Int { starts[index + 1] - starts[index] }

    package static func decode(_ blob: UnsafeRawBufferPointer) throws(SeriesError) -> PackDirectory {
        var reader = try ByteReader(blob, opening: .packDirectory)
        let seriesCount = try reader.count(of: "series", most: Pack.seriesMax)
        let pointCount = try reader.count(of: "points", most: Pack.pointsMax)
        let groupCount = try reader.count(of: "groups", most: seriesCount)
        let names = try PackedIntegers.decode(&reader, count: seriesCount)
        let lanes = try PackedIntegers.decode(&reader, count: seriesCount)
        let counts = try PackedIntegers.decode(&reader, count: seriesCount)
        let groupSeries = try PackedIntegers.decode(&reader, count: groupCount)
        let groupBytes = try PackedIntegers.decode(&reader, count: groupCount)
        var directory = PackDirectory()
        directory.keys.reserveCapacity(seriesCount)
        directory.starts.reserveCapacity(seriesCount + 1)
        for index in 0..<seriesCount {
            let key = Pack.Key(nameID: names[index], laneID: lanes[index])
            if let last = directory.keys.last, key <= last {
                throw .damaged("A pack's directory is not sorted at series \(index).")
            }
            guard counts[index] >= 1, counts[index] <= Int64(Pack.seriesPointsMax) else {
                throw .damaged("A pack's directory gives \(counts[index]) points to series \(index).")
            }
            directory.keys.append(key)
            directory.starts.append(directory.pointCount + Int(counts[index]))
        }
        var (series, byte) = (0, 0)
        for index in 0..<groupCount {
            guard groupSeries[index] >= 1, groupSeries[index] <= Int64(seriesCount - series),
                groupBytes[index] >= 1, groupBytes[index] <= Int64(Pack.dataBytesMax)
            else { throw .damaged("Group \(index) of a pack has impossible bounds.") }
            let crc = try reader.word32()
            let end = (series: series + Int(groupSeries[index]), byte: byte + Int(groupBytes[index]))
            directory.groups.append(Group(series: series..<end.series, bytes: byte..<end.byte, crc: crc))
            (series, byte) = end
        }
        try reader.finish()
        guard series == seriesCount, directory.pointCount == pointCount else {
            throw .damaged("A pack's directory does not add up to its \(seriesCount) series and \(pointCount) points.")
        }
        return directory
    }

    package static func decode(_ blob: [UInt8]) throws(SeriesError) -> PackDirectory {
        try blob.withUnsafeBufferPointer { (bytes) throws(SeriesError) in try decode(UnsafeRawBufferPointer(bytes)) }
    }

    /// Where a series stands among the keys, or nil if the pack does not have it.
    package func index(of key: Pack.Key) -> Int? {
        let index = firstIndex(in: keys.indices) { keys[$0] >= key }
        return index < keys.count && keys[index] == key ? index : nil
    }

    /// The points of one series, or nil if the pack does not have it. Decodes its group and nothing else.
    package func points(of key: Pack.Key, in data: UnsafeRawBufferPointer) throws(SeriesError) -> SeriesPoints? {
        guard let index = index(of: key) else { return nil }
        let group = groups[firstIndex(in: groups.indices) { groups[$0].series.upperBound > index }]
        return try points(of: group, in: data)[range(of: index, in: group)]
    }

    package func points(of key: Pack.Key, in data: [UInt8]) throws(SeriesError) -> SeriesPoints? {
        try data.withUnsafeBufferPointer { (bytes) throws(SeriesError) in
            try points(of: key, in: UnsafeRawBufferPointer(bytes))
        }
    }

    /// The points of all series of a group, one after another.
    func points(of group: Group, in data: UnsafeRawBufferPointer) throws(SeriesError) -> SeriesPoints {
        guard group.bytes.upperBound <= data.count else {
            throw .damaged("A pack of \(data.count) bytes ends before byte \(group.bytes.upperBound).")
        }
        let blob = UnsafeRawBufferPointer(rebasing: data[group.bytes])
        let crc = crc32c(blob)
        guard crc == group.crc else {
            throw .damaged("The checksum of a pack's bytes \(group.bytes) is \(crc), not \(group.crc).")
        }
        return try PackGroup.decode(blob, counts: group.series.map { pointCount(at: $0) })
    }

    func range(of index: Int, in group: Group) -> Range<Int> {
        let origin = starts[group.series.lowerBound]
        return starts[index] - origin..<starts[index + 1] - origin
    }

    /// The first index for which `isPast` holds, given that it holds for all behind it.
    private func firstIndex(in range: Range<Int>, where isPast: (Int) -> Bool) -> Int {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high {
            let middle = low + (high - low) / 2
            if isPast(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
