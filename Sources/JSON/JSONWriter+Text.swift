// How text becomes bytes: quoted, and escaped where it must be.
extension JSONWriter {
    /// Lends room for some bytes; the closure answers how many it wrote.
    @inline(__always)
    mutating func put(atMost room: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
        bytes.append(addingCapacity: room) { out in
            out.withUnsafeMutableBufferPointer { buffer, count in
                guard let start = buffer.baseAddress else { return }
                count += write(start + count)
            }
        }
    }

    /// What must come between, plain characters in quotes, and perhaps one more.
    @inline(__always)
    mutating func quote(_ plain: UnsafeBufferPointer<UInt8>, then end: UInt8? = nil) {
        if isPretty { separate() }
        let isNext = last == .value && !isPretty
        put(atMost: plain.count + 4) { out in
            var out = out
            let start = out
            if isNext {
                out.pointee = UInt8(ascii: ",")
                out += 1
            }
            out.pointee = UInt8(ascii: "\"")
            out += 1
            if let text = plain.baseAddress { out.update(from: text, count: plain.count) }
            out += plain.count
            out.pointee = UInt8(ascii: "\"")
            out += 1
            if let end {
                out.pointee = end
                out += 1
            }
            return out - start
        }
    }

    mutating func quote(escaping text: String, then end: UInt8? = nil) {
        var text = text
        text.withUTF8 { utf8 in
            if isPlain(utf8) { return quote(utf8, then: end) }
            separate()
            bytes.append(UInt8(ascii: "\""))
            appendEscaped(utf8)
            bytes.append(UInt8(ascii: "\""))
            if let end { bytes.append(end) }
        }
    }

    /// Whether nothing is to be escaped; eight bytes are looked at together.
    private func isPlain(_ utf8: UnsafeBufferPointer<UInt8>) -> Bool {
        guard !escapesLessThan, let start = UnsafeRawPointer(utf8.baseAddress) else { return utf8.isEmpty }
        var place = 0
        while place + 8 <= utf8.count {
            if Self.mayNeedEscape(start.loadUnaligned(fromByteOffset: place, as: UInt64.self)) { return false }
            place += 8
        }
        while place < utf8.count {
            if needsEscape(utf8[place]) { return false }
            place += 1
        }
        return true
    }

    /// Whether one of eight bytes is a quote, a backslash or below a space. A borrow from a byte below can only make
    /// it true too often.
    @inline(__always)
    private static func mayNeedEscape(_ word: UInt64) -> Bool {
        let (ones, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        let quotes = word ^ (ones &* 0x22)
        let slashes = word ^ (ones &* 0x5C)
        let low = (word &- ones &* 0x20) | (quotes &- ones) | (slashes &- ones)
        // A byte of 0x80 or more, as in every character beyond ASCII, is none of them.
        return low & ~word & highs != 0
    }

    /// Copies plain stretches whole, and escapes what stands between them.
    private mutating func appendEscaped(_ utf8: UnsafeBufferPointer<UInt8>) {
        var plainStart = 0
        for (i, byte) in utf8.enumerated() where needsEscape(byte) {
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[plainStart..<i]))
            plainStart = i + 1
            appendEscape(byte)
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[plainStart...]))
    }

    @inline(__always)
    private func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
            || byte == UInt8(ascii: "<") && escapesLessThan
    }

    private mutating func appendEscape(_ byte: UInt8) {
        let short: StaticString? =
            switch byte {
            case UInt8(ascii: "\""): "\\\""
            case UInt8(ascii: "\\"): "\\\\"
            case 0x08: "\\b"
            case 0x09: "\\t"
            case 0x0A: "\\n"
            case 0x0C: "\\f"
            case 0x0D: "\\r"
            default: nil
            }
        if let short {
            bytes.append(contentsOf: UnsafeBufferPointer(start: short.utf8Start, count: short.utf8CodeUnitCount))
            return
        }
        bytes.append(contentsOf: "\\u00".utf8)
        for digit in [byte >> 4, byte & 0xF] {
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10)
        }
    }
}
