// Where and why: everything here runs once, on the way out, and is kept out of the code that reads.

extension JSONScanner {
    /// An error at the scanner's place, for a caller that refuses a valid document for its own reason.
    @inline(never)
    package func error(_ code: JSONError.Code, _ message: String, remedy: String) -> JSONError {
        error(code, message, remedy: remedy, at: position)
    }

    @inline(never)
    func error(_ code: JSONError.Code, _ message: String, remedy: String, at offset: Int) -> JSONError {
        var line = 1
        var column = 1
        for byte in bytes[..<offset] {
            if byte == 0x0A {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return JSONError(code: code, message: message, remedy: remedy, offset: offset, line: line, column: column)
    }

    /// The byte at the scanner's place cannot stand there.
    @inline(never)
    func unexpected(_ wanted: String) -> JSONError {
        guard position < count else {
            return error(
                .unexpectedEnd, "The document ends where \(wanted) should stand",
                remedy: "Send the whole document; it may have been cut off.")
        }
        if position == 0, bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            return error(
                .unexpectedByte, "The document starts with a byte order mark", remedy: "Save it as UTF-8 without one.")
        }
        return error(
            .unexpectedByte, "Found \(byteName(at: position)) where \(wanted) should stand", remedy: advice())
    }

    /// The next value is valid as far as one can see, but of another kind; or it is no value at all.
    @inline(never)
    mutating func wrongKind(wanted: JSONKind) throws(JSONError) -> JSONError {
        let found = try peek()
        return error(
            .wrongKind, "Found \(found.named) where \(wanted.named) should stand", remedy: "Send \(wanted.named) here.")
    }

    /// The likely slip behind an unexpected byte.
    private func advice() -> String {
        switch bytes[position] {
        case UInt8(ascii: "'"): "Use double quotes."
        case UInt8(ascii: "}"), UInt8(ascii: "]"): "Look for a trailing comma or a missing value."
        case UInt8(ascii: "N"), UInt8(ascii: "I"): "Write numbers that are not finite as strings, such as \"NaN\"."
        case UInt8(ascii: "/"), UInt8(ascii: "#"): "JSON has no comments; take them out."
        case UInt8(ascii: "T"), UInt8(ascii: "F"): "Write true and false in lower case."
        default: "Send JSON as RFC 8259 describes it."
        }
    }

    /// A byte as a reader would name it.
    func byteName(at offset: Int) -> String {
        let byte = bytes[offset]
        if (0x21...0x7E).contains(byte) { return "“\(Character(Unicode.Scalar(byte)))”" }
        let digits = String(byte, radix: 16, uppercase: true)
        return "the byte 0x\(digits.count == 1 ? "0" : "")\(digits)"
    }

    /// Enough of a client's text to recognise it, and no more: a message must not grow with the body.
    static func excerpt(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(60)
        return String(String.UnicodeScalarView(shown)) + (shown.endIndex == text.unicodeScalars.endIndex ? "" : "…")
    }
}

extension JSONKind {
    /// With its article, for sentences.
    var named: String {
        switch self {
        case .object: "an object"
        case .array: "an array"
        case .string: "a string"
        case .number: "a number"
        case .bool: "true or false"
        case .null: "null"
        }
    }
}
