import MartletCompression
import Testing

/// SplitMix64, so that a failure can be run again.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Unpacks in pieces of the given size.
func unpack(_ bytes: [UInt8], _ coding: ContentCoding, pieces: Int = .max) throws(CompressionFault) -> [UInt8] {
    let decoder = try Decoder(coding)
    var out: [UInt8] = []
    var at = 0
    while at < bytes.count {
        let end = min(bytes.count, at + min(pieces, bytes.count))
        var fault: CompressionFault?
        bytes[at..<end].withUnsafeBytes { piece in
            do throws(CompressionFault) {
                _ = try decoder.decode(piece) {
                    out.append(contentsOf: $0); return true
                }
            } catch { fault = error }
        }
        if let fault { throw fault }
        at = end
    }
    try decoder.finish()
    return out
}

@Suite("What is packed comes back as it was, and damage is said") struct CompressionTests {
    /// Made by Python's zlib and gzip: `zlib.compress(b"a" * 20)`, the same bare, and `gzip.compress(b"hello\n", mtime=0)`.
    static let wrapped: [UInt8] = [0x78, 0x9C, 0x4B, 0x4C, 0xC4, 0x04, 0x00, 0x4F, 0xA6, 0x07, 0x95]
    static let bare: [UInt8] = [0x4B, 0x4C, 0xC4, 0x04, 0x00]
    static let hello: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0xE7, 0x02, 0x00,
        0x20, 0x30, 0x3A, 0x36, 0x06, 0x00, 0x00, 0x00,
    ]

    static func sample(_ size: Int, seed: UInt64 = 7) -> [UInt8] {
        var random = Seeded(state: seed)
        return (0..<size).map { index in index % 3 == 0 ? UInt8.random(in: 97...105, using: &random) : UInt8(index & 31)
        }
    }

    @Test("any size in pieces of any size", arguments: [ContentCoding.zstd, .gzip], [0, 1, 1000, 65_536, 300_001])
    func roundTrip(_ coding: ContentCoding, _ size: Int) throws {
        let bytes = CompressionTests.sample(size)
        let packed = try Encoder.encode(bytes, coding)
        for pieces in [1, 7, 4096, .max] where pieces > 1 || packed.count < 100_000 {
            try #expect(unpack(packed, coding, pieces: pieces) == bytes)
        }
        if size > 1000 { #expect(packed.count < bytes.count) }
    }

    @Test("what others have packed", arguments: [1, 3, .max])
    func foreign(_ pieces: Int) throws {
        let letters = [UInt8](repeating: 97, count: 20)
        try #expect(unpack(CompressionTests.wrapped, .deflate, pieces: pieces) == letters)
        try #expect(unpack(CompressionTests.bare, .deflate, pieces: pieces) == letters)
        try #expect(unpack(CompressionTests.hello, .gzip, pieces: pieces) == Array("hello\n".utf8))
    }

    @Test("streams that follow one another are one body", arguments: [ContentCoding.zstd, .gzip])
    func members(_ coding: ContentCoding) throws {
        let packed = try Encoder.encode([1, 2], coding) + Encoder.encode([3], coding)
        for pieces in [1, 5, .max] { try #expect(unpack(packed, coding, pieces: pieces) == [1, 2, 3]) }
    }

    @Test("no bytes at all are an empty body", arguments: ContentCoding.allCases)
    func empty(_ coding: ContentCoding) throws { try #expect(unpack([], coding).isEmpty) }

    @Test("a stream that ends in the middle is cut short", arguments: [ContentCoding.zstd, .gzip])
    func cut(_ coding: ContentCoding) throws {
        let packed = try Encoder.encode(CompressionTests.sample(5000), coding)
        for end in [1, 5, packed.count / 2, packed.count - 1] {
            #expect(throws: CompressionFault.cutShort) { try unpack(Array(packed[..<end]), coding) }
        }
    }

    @Test("bytes behind the end, and bytes that are none of it, are damage", arguments: ContentCoding.allCases)
    func damaged(_ coding: ContentCoding) throws {
        #expect(throws: CompressionFault.damaged) { try unpack(Array("no such stream".utf8), coding) }
        let packed = coding == .deflate ? CompressionTests.wrapped : try Encoder.encode([1, 2, 3], coding)
        #expect(throws: CompressionFault.damaged) { try unpack(packed + Array("and more".utf8), coding) }
    }

    @Test("random bytes and flipped bits never crash", arguments: ContentCoding.allCases)
    func fuzz(_ coding: ContentCoding) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Seeded(state: seed)
        let good =
            coding == .deflate ? CompressionTests.wrapped : try Encoder.encode(CompressionTests.sample(3000), coding)
        for _ in 0..<2000 {
            var bytes = good
            if Bool.random(using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0...7, using: &random)
            } else {
                bytes = (0..<Int.random(in: 0...100, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            }
            let size = (try? unpack(bytes, coding))?.count ?? 0
            #expect(size <= 1 << 20, "seed \(seed)")
        }
    }

    @Test("a reader that has had enough is not asked again")
    func stopped() throws {
        let packed = try Encoder.encode([UInt8](repeating: 0, count: 50 << 20), .gzip)
        let decoder = try Decoder(.gzip)
        var calls = 0
        try packed.withUnsafeBytes { bytes in
            try #expect(
                !decoder.decode(bytes) { _ in
                    calls += 1; return false
                })
        }
        #expect(calls == 1 && decoder.bytesOut <= 64 << 10 && decoder.bytesIn == packed.count)
    }
}
