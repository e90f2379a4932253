/// Text of unknown origin in a line that a terminal will show.
///
/// Control characters could move the cursor and bidi marks could turn a line around, so both leave as `\u{…}`.
package enum LogText {
    /// The text with every control and bidi character spelt out.
    package static func escaped(_ text: String) -> String {
        var out: [UInt8] = []
        append(text, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    static func append(_ text: String, to out: inout [UInt8]) {
        if isPlain(text) {
            out += text.utf8
            return
        }
        for scalar in text.unicodeScalars {
            if isUnsafe(scalar) {
                out += Array("\\u{\(String(scalar.value, radix: 16))}".utf8)
            } else {
                out += Array(String(scalar).utf8)
            }
        }
    }

    /// As it is when it is one word, else in quotes.
    static func appendValue(_ text: String, to out: inout [UInt8]) {
        let needsQuotes = text.isEmpty || text.utf8.contains { $0 <= 0x20 || $0 == 0x22 || $0 == 0x3D || $0 == 0x5C }
        guard needsQuotes else { return append(text, to: &out) }
        out.append(0x22)
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { out.append(0x5C) }
            append(String(scalar), to: &out)
        }
        out.append(0x22)
    }

    static func appendJSON(_ text: String, to out: inout [UInt8]) {
        out.append(0x22)
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" {
                out += [0x5C, UInt8(scalar.value)]
            } else if isUnsafe(scalar) {
                // Every character that is unsafe here lies in the basic plane, so four digits are enough.
                let digits = String(scalar.value, radix: 16)
                out += Array("\\u\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)".utf8)
            } else {
                out += Array(String(scalar).utf8)
            }
        }
        out.append(0x22)
    }

    private static func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } }

    /// C0, DEL, C1, line separators, and the marks that reorder text.
    package static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }
}
