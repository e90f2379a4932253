import MartletDomain
import MartletSeries
import MartletStorage

/// Grows a document from front to back: a version, a checksum over all that follows, then varints and columns.
struct DocumentWriter {
    private var bytes: [UInt8]

    init(version: UInt8) {
        bytes = [version, 0, 0, 0, 0]
    }

    mutating func put(_ byte: UInt8) { bytes.append(byte) }

    /// Seven bits a byte, lowest first.
    mutating func put(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func put(_ count: Int) { put(UInt64(count)) }

    /// Small in bytes when near zero on either side.
    mutating func put(signed number: Int64) { put(UInt64(bitPattern: number &<< 1 ^ number &>> 63)) }

    mutating func put(_ value: Double) {
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(utf8 text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func put(text: String) {
        put(text.utf8.count)
        put(utf8: text)
    }

    consuming func sealed() -> [UInt8] {
        let crc = bytes.withUnsafeBytes { documentChecksum($0) }
        for place in 0..<4 { bytes[1 + place] = UInt8(truncatingIfNeeded: crc >> (8 * UInt32(place))) }
        return bytes
    }
}

/// Of the version, then of all behind the checksum.
private func documentChecksum(_ document: UnsafeRawBufferPointer) -> UInt32 {
    let version = crc32c(UnsafeRawBufferPointer(rebasing: document[0..<1]))
    return crc32c(UnsafeRawBufferPointer(rebasing: document[5...]), seed: version)
}

/// Reads a document and never past its end. It borrows the bytes.
struct DocumentReader {
    private let bytes: UnsafeRawBufferPointer
    private var at = 5
    private let name: String

    init(_ bytes: UnsafeRawBufferPointer, version: UInt8, _ name: String) throws(StorageError) {
        (self.bytes, self.name) = (bytes, name)
        guard bytes.count >= 5 else { throw .damaged("A \(name) has only \(bytes.count) bytes.") }
        guard bytes[0] == version else { throw .damaged("A \(name) has version \(bytes[0]), not \(version).") }
        let stored = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
        guard stored == documentChecksum(bytes) else {
            throw .damaged("The checksum of a \(name) of \(bytes.count) bytes does not agree.")
        }
    }

    var remaining: Int { bytes.count - at }
    var truncated: StorageError { .damaged("A \(name) ends too early, after byte \(at).") }

    mutating func byte() throws(StorageError) -> UInt8 {
        guard remaining > 0 else { throw truncated }
        defer { at += 1 }
        return bytes[at]
    }

    mutating func number() throws(StorageError) -> UInt64 {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = UInt64(try byte())
            guard shift < 63 || next <= 1 else { throw .damaged("A number in a \(name) has more than 64 bits.") }
            number |= (next & 0x7f) << shift
            if next < 0x80 { return number }
            shift += 7
        }
    }

    /// How many of something, each of which takes a byte at least: refused before room is made for them.
    mutating func count() throws(StorageError) -> Int {
        let number = try number()
        guard number <= UInt64(remaining) else { throw truncated }
        return Int(number)
    }

    mutating func signed() throws(StorageError) -> Int64 {
        let number = try number()
        return Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
    }

    mutating func double() throws(StorageError) -> Double {
        let word = try slice(8).loadUnaligned(as: UInt64.self)
        return Double(bitPattern: UInt64(littleEndian: word))
    }

    mutating func slice(_ count: Int) throws(StorageError) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= remaining else { throw truncated }
        defer { at += count }
        return UnsafeRawBufferPointer(rebasing: bytes[at..<at + count])
    }

    mutating func text(_ count: Int) throws(StorageError) -> String {
        String(decoding: try slice(count), as: UTF8.self)
    }

    mutating func text() throws(StorageError) -> String {
        let count = try count()
        return try text(count)
    }

    func finish() throws(StorageError) {
        guard remaining == 0 else { throw .damaged("A \(name) has \(remaining) bytes too many.") }
    }
}
