/// Grows a blob from front to back. Integers are little-endian; a varint holds 7 bits a byte, lowest first.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    init(reserving capacity: Int = 64) { bytes.reserveCapacity(capacity) }

    var count: Int { bytes.count }

    mutating func put(_ byte: UInt8) { bytes.append(byte) }

    mutating func put(_ word: UInt32) {
        withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(_ word: UInt64) {
        withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(_ other: UnsafeRawBufferPointer) { bytes.append(contentsOf: other) }

    mutating func put(_ other: [UInt8]) { bytes.append(contentsOf: other) }

    mutating func putVarint(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func putVarint(_ number: Int) { putVarint(UInt64(number)) }

    /// A signed number, small in bytes when it is near zero on either side.
    mutating func putZigzag(_ number: Int64) {
        putVarint(UInt64(bitPattern: number &<< 1 ^ number &>> 63))
    }

    /// Appends `count` bytes that `fill` writes; they are zero before.
    mutating func put(count: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: count))
        bytes.withUnsafeMutableBytes { buffer in
            if let base = buffer.baseAddress { fill(base + start) }
        }
    }

    /// Begins a blob: what it is, and room for the checksum that `sealed` writes.
    mutating func begin(_ blob: Blob) {
        put(blob.firstByte)
        put(UInt32(0))
    }

    /// The finished blob: its checksum covers every byte but its own four.
    consuming func sealed() -> [UInt8] {
        let crc = bytes.withUnsafeBytes { checksum(ofBlob: $0) }
        for index in 0..<4 { bytes[1 + index] = UInt8(truncatingIfNeeded: crc >> (8 * UInt32(index))) }
        return bytes
    }
}

/// The kinds of blobs. Each begins with a byte of its kind (upper half) and its version (lower half), so that a chunk
/// that was put into the wrong column is refused and not misread.
enum Blob: UInt8 {
    case chunk = 1, statistics, journalRow, packDirectory

    var name: String {
        switch self {
        case .chunk: "chunk"
        case .statistics: "statistics blob"
        case .journalRow: "journal row"
        case .packDirectory: "pack directory"
        }
    }

    static let version: UInt8 = 1
    var firstByte: UInt8 { rawValue << 4 | Self.version }
}

/// The checksum of a blob of at least 5 bytes: of its version byte, then of all that follows the checksum.
func checksum(ofBlob blob: UnsafeRawBufferPointer) -> UInt32 {
    let version = crc32c(UnsafeRawBufferPointer(rebasing: blob[0..<1]))
    return crc32c(UnsafeRawBufferPointer(rebasing: blob[5...]), seed: version)
}
