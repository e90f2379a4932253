import CProcessor

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78) of some bytes; pass the last answer as `seed` to go on.
package func crc32c(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
    guard hasInstruction else { return crc32cByTables(bytes, seed: seed) }
    return ~martlet_crc32c(~seed, bytes.baseAddress, bytes.count)
}

private let hasInstruction = martlet_has_crc32c() != 0

/// The same on a processor that has no instruction for it: eight bytes a turn through eight tables ("slicing by 8",
/// Kounavis and Berry, 2005), about 2 GB/s.
package func crc32cByTables(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
    guard let base = bytes.baseAddress else { return seed }
    let table = CRC32CTables.base
    var crc = ~seed
    var at = 0
    let count = bytes.count
    while at &+ 8 <= count {
        let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: at, as: UInt64.self)) ^ UInt64(crc)
        let low =
            table[Int(truncatingIfNeeded: 7 &* 256 &+ (word & 0xFF))]
            ^ table[Int(truncatingIfNeeded: 6 &* 256 &+ (word &>> 8 & 0xFF))]
            ^ table[Int(truncatingIfNeeded: 5 &* 256 &+ (word &>> 16 & 0xFF))]
            ^ table[Int(truncatingIfNeeded: 4 &* 256 &+ (word &>> 24 & 0xFF))]
        let high =
            table[Int(truncatingIfNeeded: 3 &* 256 &+ (word &>> 32 & 0xFF))]
            ^ table[Int(truncatingIfNeeded: 2 &* 256 &+ (word &>> 40 & 0xFF))]
            ^ table[Int(truncatingIfNeeded: 1 &* 256 &+ (word &>> 48 & 0xFF))]
            ^ table[Int(truncatingIfNeeded: word &>> 56)]
        crc = low ^ high
        at &+= 8
    }
    while at < count {
        let byte = base.load(fromByteOffset: at, as: UInt8.self)
        crc = table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ crc &>> 8
        at &+= 1
    }
    return ~crc
}

/// The eight tables of 256, made once and never freed or changed: `base` is safe to share because nobody writes to it.
private enum CRC32CTables {
    nonisolated(unsafe) static let base: UnsafePointer<UInt32> = {
        let table = UnsafeMutablePointer<UInt32>.allocate(capacity: 8 * 256)
        for index in 0..<256 {
            var crc = UInt32(index)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
            table[index] = crc
        }
        for index in 256..<8 * 256 {
            let crc = table[index - 256]
            table[index] = table[Int(crc & 0xFF)] ^ crc >> 8
        }
        return UnsafePointer(table)
    }()
}
