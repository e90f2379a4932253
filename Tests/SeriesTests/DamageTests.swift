import MartletSeries
import Testing

@Suite("No bytes can crash a decoder") struct DamageTests {
    /// Gives changed bytes a right checksum, so that what is behind it is tried too.
    static func reseal(_ blob: inout [UInt8]) {
        guard blob.count >= 5 else { return }
        let crc = blob.withUnsafeBytes { bytes in
            crc32c(
                UnsafeRawBufferPointer(rebasing: bytes[5...]),
                seed: crc32c(UnsafeRawBufferPointer(rebasing: bytes[0..<1])))
        }
        for index in 0..<4 { blob[1 + index] = UInt8(truncatingIfNeeded: crc >> (8 * index)) }
    }

    static func blobs(_ chance: inout Seeded) -> [[UInt8]] {
        var blobs: [[UInt8]] = []
        for shape in Shape.allCases {
            for count in [0, 1, 3, 70, 300] {
                let points = SeriesPoints.make(count, shape, times: .milliseconds, &chance)
                let chunk = Chunk.encode(points)
                blobs += [chunk.data, chunk.stats]
                blobs.append(JournalBatch(entries: [.init(nameID: 3, points: points)]).encode())
            }
            blobs.append(JournalBatchTests.batch(keys: 9, each: 5, shape, shared: true, &chance).encode())
            let pack = Pack.encode(PackTests.series(20, each: 5, shape, shared: true, &chance))[0]
            blobs.append(pack.directory)
        }
        return blobs
    }

    /// Runs every decoder over the bytes; true if one of them took them.
    @discardableResult
    static func decodeAll(_ blob: [UInt8]) -> Bool {
        var taken = false
        if let points = try? Chunk.decode(blob) { taken = points.count <= Chunk.pointsMax }
        if let stats = try? ChunkStats.decode(blob) {
            var buckets = Buckets(axis: .step, from: 0, to: 100, count: 10)
            for block in stats.blocks { _ = buckets.add(block) }
            taken = true
        }
        if let batch = try? JournalBatch.decode(blob) { taken = batch.heads.allSatisfy { !$0.range.isEmpty } }
        blob.withUnsafeBytes { bytes in
            var points = SeriesPoints()
            try? JournalBatch.append(pointsOf: 3, in: bytes, to: &points)
            _ = try? JournalBatch.pointCount(bytes)
        }
        if let directory = try? PackDirectory.decode(blob) {
            taken = true
            for key in directory.keys { _ = try? directory.points(of: key, in: blob) }
        }
        return taken
    }

    @Test("every single flipped bit is noticed")
    func flips() {
        var chance = Seeded(18)
        for blob in Self.blobs(&chance) {
            #expect(Self.decodeAll(blob))
            for _ in 0..<4 {
                var flipped = blob
                flipped[chance.integer(0...blob.count - 1)] ^= 1 << UInt8(chance.integer(0...7))
                #expect(!Self.decodeAll(flipped))
            }
        }
    }

    @Test("every truncation is noticed, even one with a right checksum")
    func truncations() {
        var chance = Seeded(19)
        for blob in Self.blobs(&chance) {
            for _ in 0..<4 {
                var cut = Array(blob.prefix(chance.integer(0...blob.count - 1)))
                #expect(!Self.decodeAll(cut))
                Self.reseal(&cut)
                #expect(!Self.decodeAll(cut))
            }
        }
    }

    @Test("bytes that are left over are noticed")
    func leftOver() {
        var chance = Seeded(26)
        for var blob in Self.blobs(&chance) {
            blob.append(0)
            Self.reseal(&blob)
            #expect(!Self.decodeAll(blob))
        }
    }

    @Test("damage behind a right checksum throws or gives some points, and never more than a blob may hold")
    func resealed() {
        var chance = Seeded(20)
        for blob in Self.blobs(&chance) where blob.count > 6 {
            for _ in 0..<40 {
                var damaged = blob
                for _ in 0..<chance.integer(1...6) {
                    let end = chance.integer(0...1) == 0 ? min(30, blob.count - 1) : blob.count - 1
                    damaged[chance.integer(5...end)] = UInt8(truncatingIfNeeded: chance.next())
                }
                Self.reseal(&damaged)
                Self.decodeAll(damaged)
            }
        }
    }

    @Test("random bytes with a right version and checksum are survived")
    func random() {
        var chance = Seeded(21)
        for _ in 0..<8000 {
            var blob = (0..<chance.integer(0...120)).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
            Self.decodeAll(blob)
            if blob.count >= 8 {
                blob[0] = UInt8(chance.integer(1...4)) << 4 | 1
                for index in 5..<8 { blob[index] &= 15 }
                Self.reseal(&blob)
                Self.decodeAll(blob)
            }
        }
    }

    @Test("a pack's damaged group throws or gives some points, even with a right checksum")
    func groups() {
        var chance = Seeded(22)
        for shape in Shape.allCases {
            let series = PackTests.series(40, each: 6, shape, shared: false, &chance)
            let pack = Pack.encode(series)[0]
            for _ in 0..<100 {
                var (directory, data) = (pack.directory, pack.data)
                for _ in 0..<chance.integer(1...4) {
                    data[chance.integer(0...data.count - 1)] = UInt8(truncatingIfNeeded: chance.next())
                }
                if data != pack.data { #expect(throws: SeriesError.self) { try Self.decode(directory, data) } }
                // One group: its checksum is the directory's last four bytes.
                let crc = data.withUnsafeBytes { crc32c($0) }
                for index in 0..<4 {
                    directory[directory.count - 4 + index] = UInt8(truncatingIfNeeded: crc >> (8 * index))
                }
                Self.reseal(&directory)
                _ = try? Self.decode(directory, data)
            }
            #expect(throws: SeriesError.self) { try Self.decode(pack.directory, Array(pack.data.dropLast())) }
            #expect(throws: SeriesError.self) { try Self.decode(pack.directory, pack.data + [0]) }
        }
    }

    static func decode(_ directory: [UInt8], _ data: [UInt8]) throws -> [Pack.Series] {
        try directory.withUnsafeBytes { directory in
            try data.withUnsafeBytes { try Pack.decode(directory: directory, data: $0) }
        }
    }

    @Test("an error says what is wrong and what to do; a newer version is not called damage")
    func messages() {
        var blob = Chunk.encode(SeriesPoints(steps: [1], times: [2], values: [3])).data
        blob[0] += 1
        let newer = #expect(throws: SeriesError.self) { try Chunk.decode(blob) }
        #expect(newer?.code == .unknownVersion)
        #expect(newer?.message == "This chunk has version 2; this program reads version 1.")
        blob[0] = 0x31
        let other = #expect(throws: SeriesError.self) { try Chunk.decode(blob) }
        #expect(other?.code == .damaged)
        let short = #expect(throws: SeriesError.self) { try Chunk.decode([1, 2]) }
        #expect(short?.code == .damaged)
        #expect(short?.remedy.isEmpty == false)
        let many = #expect(throws: SeriesError.self) {
            var blob: [UInt8] = [0x11, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0x7F]
            Self.reseal(&blob)
            return try Chunk.decode(blob)
        }
        #expect(many?.code == .tooLarge)
    }
}

@Suite("CRC-32C") struct CRC32CTests {
    /// From RFC 3720, appendix B.4, and the check value of the polynomial's catalogue entry.
    static let published: [([UInt8], UInt32)] = [
        (Array("123456789".utf8), 0xE306_9283),
        ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
        ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
        (Array(0...31), 0x46DD_794E),
        (Array((0...31).reversed()), 0x113F_DB5C),
        ([], 0),
    ]

    @Test("the published vectors", arguments: published)
    func vectors(_ bytes: [UInt8], _ expected: UInt32) {
        #expect(bytes.withUnsafeBytes { crc32c($0) } == expected)
    }

    @Test("the processor's instruction and the tables agree, whatever the length and wherever it begins")
    func twoWays() {
        var chance = Seeded(24)
        let bytes = (0..<200).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
        bytes.withUnsafeBytes { all in
            for start in 0..<16 {
                for end in start...all.count {
                    let part = UnsafeRawBufferPointer(rebasing: all[start..<end])
                    #expect(crc32c(part, seed: 7) == crc32cByTables(part, seed: 7))
                }
            }
        }
    }

    @Test("in parts it is what it is at once, wherever the parts begin")
    func parts() {
        var chance = Seeded(23)
        let bytes = (0..<100).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
        bytes.withUnsafeBytes { all in
            for cut in 0...100 {
                let head = crc32c(UnsafeRawBufferPointer(rebasing: all[0..<cut]))
                #expect(crc32c(UnsafeRawBufferPointer(rebasing: all[cut...]), seed: head) == crc32c(all))
            }
        }
    }
}
