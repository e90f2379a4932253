extension JSONScanner {
    /// Reads a string and lends it as it stands: no allocation.
    package mutating func text() throws(JSONError) -> JSONText {
        guard nextByte() == UInt8(ascii: "\"") else { throw try wrongKind(wanted: .string) }
        position += 1
        return try textBody()
    }

    /// Reads a string.
    package mutating func string() throws(JSONError) -> String { try text().string }

    /// Reads the rest of a string whose opening quote was read.
    ///
    /// Eight bytes at a time: one subtraction finds the first byte that is not plain (a quote, a backslash, a control
    /// character, or part of a longer UTF-8 sequence).
    mutating func textBody() throws(JSONError) -> JSONText {
        let start = position
        var hasEscapes = false
        while true {
            while position + 8 <= count {
                let found = notPlain(bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self).littleEndian)
                position += found.trailingZeroBitCount / 8
                if found != 0 { break }
            }
            guard position < count else {
                throw error(
                    .unexpectedEnd, "A string has no closing quote",
                    remedy: "Send the whole document; it may have been cut off.")
            }
            switch bytes[position] {
            case UInt8(ascii: "\""):
                let text = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
                position += 1
                return JSONText(escapedBytes: text, hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try passEscape()
            case ..<0x20:
                throw error(
                    .controlCharacter, "A string holds the control character \(byteName(at: position)) as it is",
                    remedy: "Escape it, as \\n or \\u00XX.")
            case 0x80...: try passSequence()
            default: position += 1
            }
        }
    }

    /// Passes over one escape, or a pair of them that make one character.
    private mutating func passEscape() throws(JSONError) {
        let start = position
        position += 1
        guard position < count else { throw unexpected("an escape") }
        switch bytes[position] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            position += 1
            let unit = try hexQuad()
            guard unit & 0xF800 == 0xD800 else { return }
            guard unit & 0x0400 == 0, position + 1 < count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            else { throw loneSurrogate(unit, at: start) }
            position += 2
            guard try hexQuad() & 0xFC00 == 0xDC00 else { throw loneSurrogate(unit, at: start) }
        default:
            throw error(
                .invalidEscape, "A backslash is followed by \(byteName(at: position))",
                remedy: "Write a backslash as \\\\.", at: start)
        }
    }

    private mutating func hexQuad() throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard position < count else { throw unexpected("a hexadecimal digit") }
            guard let digit = hexDigit(bytes[position]) else {
                throw error(
                    .invalidEscape, "Found \(byteName(at: position)) where a hexadecimal digit should stand",
                    remedy: "Write four of them after \\u.")
            }
            unit = unit << 4 | UInt16(digit)
            position += 1
        }
        return unit
    }

    private func loneSurrogate(_ unit: UInt16, at offset: Int) -> JSONError {
        error(
            .loneSurrogate, "\\u\(String(unit, radix: 16)) is half of a surrogate pair and stands alone",
            remedy: "Send both halves, high then low, or the character as UTF-8.", at: offset)
    }

    /// Passes over one UTF-8 sequence of two to four bytes. The second byte's range is what shuts out overlong forms,
    /// surrogates and code points past U+10FFFF (Unicode 16, table 3-7).
    private mutating func passSequence() throws(JSONError) {
        let lead = bytes[position]
        let second: ClosedRange<UInt8>
        let length: Int
        switch lead {
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw invalidUTF8()
        }
        guard position + length <= count, second.contains(bytes[position + 1]) else { throw invalidUTF8() }
        for i in 2..<max(length, 2) where bytes[position + i] & 0xC0 != 0x80 { throw invalidUTF8() }
        position += length
    }

    private func invalidUTF8() -> JSONError {
        error(
            .invalidUTF8, "A string holds \(byteName(at: position)), which starts no valid UTF-8 sequence",
            remedy: "Encode the document as UTF-8.")
    }
}

/// Marks the bytes of eight that end a plain stretch of a string. Only the lowest mark is exact: a borrow can raise false
/// ones above a true one.
@inline(__always)
private func notPlain(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
    let backslashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
    let low = (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | (word &- ones &* 0x20) & ~word
    return (low | word) & (ones &* 0x80)
}
