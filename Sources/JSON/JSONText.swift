import Glibc

/// A string of the document as it stands between its quotes, lent without a copy.
///
/// It points into the bytes that the scanner reads and is good for as long as they are: compare it, or take `string` from
/// it, before leaving the closure that lent the bytes. Only a scanner makes one, after it has checked every escape and
/// every UTF-8 sequence; that is why nothing here can fail.
package struct JSONText: Hashable, CustomStringConvertible {
    /// The bytes between the quotes, escapes still in place.
    package let escapedBytes: UnsafeRawBufferPointer
    /// Whether a backslash occurs, so that the bytes are not yet the text.
    package let hasEscapes: Bool

    init(escapedBytes: UnsafeRawBufferPointer, hasEscapes: Bool) {
        self.escapedBytes = escapedBytes
        self.hasEscapes = hasEscapes
    }

    /// Whether the text is exactly `name`, byte for byte; no allocation unless it has escapes.
    @inlinable
    package func `is`(_ name: StaticString) -> Bool {
        if hasEscapes { return decodedIs(name) }
        let count = name.utf8CodeUnitCount
        guard escapedBytes.count == count else { return false }
        guard let start = escapedBytes.baseAddress else { return true }
        return memcmp(start, name.utf8Start, count) == 0
    }

    /// The text as a Swift string.
    package var string: String {
        guard hasEscapes else { return String(decoding: escapedBytes, as: UTF8.self) }
        return String(unsafeUninitializedCapacity: escapedBytes.count) { decode(into: $0) }
    }

    package var description: String { string }

    /// Lends the UTF-8 bytes of the text, escapes resolved.
    package func withUTF8<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        guard hasEscapes else { return body(escapedBytes) }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: escapedBytes.count) { room in
            let count = decode(into: room)
            return body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(room)[..<count]))
        }
    }

    package static func == (a: JSONText, b: JSONText) -> Bool {
        if a.hasEscapes || b.hasEscapes { return a.withUTF8 { a in b.withUTF8 { b in same(a, b) } } }
        return same(a.escapedBytes, b.escapedBytes)
    }

    package func hash(into hasher: inout Hasher) {
        withUTF8 { hasher.combine(bytes: $0) }
    }

    /// Apart from `is`, so that the common comparison stays small enough to be inlined.
    @usableFromInline
    func decodedIs(_ name: StaticString) -> Bool {
        withUTF8 { same($0, UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)) }
    }

    /// Writes the text with its escapes resolved, and returns its length: never more than the escaped length, as the
    /// shortest escapes (`\n`, 2 bytes; `\u0000`, 6) stand for 1 and at most 3 bytes, a pair (12) for 4.
    private func decode(into room: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var written = 0
        func put(_ byte: UInt8) {
            room.initializeElement(at: written, to: byte)
            written += 1
        }
        var position = 0
        while position < escapedBytes.count {
            let byte = escapedBytes[position]
            position += 1
            guard byte == UInt8(ascii: "\\") else {
                put(byte)
                continue
            }
            let escape = escapedBytes[position]
            position += 1
            switch escape {
            case UInt8(ascii: "b"): put(0x08)
            case UInt8(ascii: "f"): put(0x0C)
            case UInt8(ascii: "n"): put(0x0A)
            case UInt8(ascii: "r"): put(0x0D)
            case UInt8(ascii: "t"): put(0x09)
            case UInt8(ascii: "u"):
                var scalar = UInt32(hexQuad(at: position))
                position += 4
                if scalar & 0xFC00 == 0xD800 {
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + UInt32(hexQuad(at: position + 2)) & 0x3FF
                    position += 6
                }
                // The scanner has refused lone surrogates, so this is always a scalar.
                for byte in UTF8.encode(Unicode.Scalar(scalar) ?? "\u{FFFD}") ?? UTF8.encodedReplacementCharacter {
                    put(byte)
                }
            default: put(escape)
            }
        }
        return written
    }

    private func hexQuad(at position: Int) -> UInt16 {
        escapedBytes[position..<position + 4].reduce(0) { $0 << 4 | UInt16(hexDigit($1) ?? 0) }
    }
}

private func same(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard a.count == b.count, let left = a.baseAddress, let right = b.baseAddress else { return a.count == b.count }
    return memcmp(left, right, a.count) == 0
}

/// The value of a hexadecimal digit in either case.
func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
