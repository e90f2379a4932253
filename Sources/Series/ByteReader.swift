/// Reads a blob from front to back and never past its end: whatever is missing throws.
///
/// It borrows the memory; the caller keeps it alive for as long as the reader is used.
struct ByteReader {
    private let base: UnsafeRawPointer
    private(set) var at: Int
    let end: Int

    init(_ bytes: UnsafeRawBufferPointer) {
        // An empty buffer may have no address; any will do, because nothing is read from it.
        base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 8).unsafelyUnwrapped
        at = 0
        end = bytes.count
    }

    /// Opens a blob: checks its length, kind, version and checksum, and stands behind them.
    init(_ bytes: UnsafeRawBufferPointer, opening blob: Blob) throws(SeriesError) {
        self.init(bytes)
        try expect(blob)
        let stored = try word32()
        let computed = checksum(ofBlob: bytes)
        guard stored == computed else {
            throw .damaged("The checksum of this \(blob.name) of \(bytes.count) bytes is \(computed), not \(stored).")
        }
    }

    /// Reads a blob's first byte.
    mutating func expect(_ blob: Blob) throws(SeriesError) {
        let first = try byte()
        guard first >> 4 == blob.rawValue else {
            throw .damaged("These \(end) bytes are not a \(blob.name): they begin with \(first).")
        }
        guard first == blob.firstByte else { throw .unknownVersion(first & 15, of: blob.name) }
    }

    var remaining: Int { end - at }

    mutating func byte() throws(SeriesError) -> UInt8 {
        guard at < end else { throw .truncated(at: at) }
        defer { at += 1 }
        return base.load(fromByteOffset: at, as: UInt8.self)
    }

    mutating func word32() throws(SeriesError) -> UInt32 {
        UInt32(littleEndian: try bytes(4).loadUnaligned(as: UInt32.self))
    }

    mutating func word64() throws(SeriesError) -> UInt64 {
        UInt64(littleEndian: try bytes(8).loadUnaligned(as: UInt64.self))
    }

    mutating func bytes(_ count: Int) throws(SeriesError) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= remaining else { throw .truncated(at: at) }
        defer { at += count }
        return UnsafeRawBufferPointer(start: base + at, count: count)
    }

    mutating func varint() throws(SeriesError) -> UInt64 {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = UInt64(try byte())
            guard shift < 63 || next <= 1 else { throw .damaged("A number at byte \(at - 1) has more than 64 bits.") }
            number |= (next & 0x7F) &<< shift
            if next < 0x80 { return number }
            shift += 7
        }
    }

    mutating func zigzag() throws(SeriesError) -> Int64 {
        let number = try varint()
        return Int64(bitPattern: number &>> 1) ^ -Int64(bitPattern: number & 1)
    }

    /// A count, refused before anything is allocated for it if it is more than `most`.
    mutating func count(of what: String, most: Int) throws(SeriesError) -> Int {
        let number = try varint()
        guard number <= UInt64(most) else { throw .tooLarge(what, number, most: most) }
        return Int(number)
    }

    /// Says that the blob ends here: trailing bytes mean that it is not what was written.
    func finish() throws(SeriesError) {
        guard remaining == 0 else { throw .damaged("\(remaining) bytes are left over after byte \(at).") }
    }

    /// What lies ahead, without moving: a fast path may load whole words from it.
    var ahead: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base + at, count: remaining) }
}

extension SeriesError {
    static func truncated(at offset: Int) -> SeriesError { .damaged("The blob ends too early, after byte \(offset).") }
}
