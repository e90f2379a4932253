/// What counts as a number when it comes as text: decimal digits with an optional sign, fraction and exponent.
///
/// `nan`, `inf`, hexadecimal and blanks are words: a param `nan` was typed by someone, a metric that is NaN was
/// computed.
package enum NumberText {
    package static func parse(_ text: String) -> Double? {
        guard let first = text.utf8.first, first < 0x3A, isDecimal(text.utf8) else { return nil }
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }

    private static func isDecimal(_ bytes: String.UTF8View) -> Bool {
        var rest = bytes[...]
        func skipDigits() -> Int {
            var count = 0
            while let byte = rest.first, byte &- 0x30 < 10 {
                rest = rest.dropFirst()
                count += 1
            }
            return count
        }
        func skip(_ a: Unicode.Scalar, _ b: Unicode.Scalar) -> Bool {
            guard let byte = rest.first, byte == UInt8(ascii: a) || byte == UInt8(ascii: b) else { return false }
            rest = rest.dropFirst()
            return true
        }
        _ = skip("+", "-")
        var digits = skipDigits()
        if skip(".", ".") { digits += skipDigits() }
        guard digits > 0 else { return false }
        if skip("e", "E") {
            _ = skip("+", "-")
            guard skipDigits() > 0 else { return false }
        }
        return rest.isEmpty
    }

    /// From here on neighbouring integers share a Double, and their digits decide.
    static let exactBelow = 9_007_199_254_740_992.0

    /// Compares two integers of any length by their digits: negative, zero or positive; nil if one is no integer.
    static func compareIntegers(_ a: String, _ b: String) -> Int? {
        guard let a = integer(a), let b = integer(b) else { return nil }
        guard a.isNegative == b.isNegative else { return a.isNegative ? -1 : 1 }
        let size =
            a.digits.count != b.digits.count
            ? (a.digits.count < b.digits.count ? -1 : 1)
            : a.digits.elementsEqual(b.digits) ? 0 : a.digits.lexicographicallyPrecedes(b.digits) ? -1 : 1
        return a.isNegative ? -size : size
    }

    static func isInteger(_ text: String) -> Bool { integer(text) != nil }

    private static func integer(_ text: String) -> (isNegative: Bool, digits: Substring.UTF8View)? {
        var digits = Substring(text).utf8
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative || digits.first == UInt8(ascii: "+") { digits = digits.dropFirst() }
        guard !digits.isEmpty, digits.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        digits = digits.drop { $0 == 0x30 }
        return (isNegative && !digits.isEmpty, digits)
    }
}
