import MartletDomain
import MartletJSON

/// One column of a `points` line, in any of the forms in which a writer may give it.
///
/// A JSON list is for people and for small programs. A text such as `f8:AAAAAAAA8D8=` holds the numbers as they lie in
/// memory (little-endian, in Base64): exact, half as long as digits, and twenty times as cheap for an interpreter to
/// write. `{"from":0,"by":1}` counts.
enum LogbookColumn {
    /// The longest that a line's columns may be.
    static let rowsMax = 1 << 20

    static func integers(_ value: JSONValue, count: Int, name: String) throws(Refusal) -> [Int64] {
        switch value {
        case .object(let object):
            guard let from = object["from"]?.int64, let by = object["by"]?.int64 ?? (object["by"] == nil ? 1 : nil)
            else { throw wrong(name, "counts, but not from a whole number by a whole number") }
            return (0..<Int64(count)).map { from &+ $0 &* by }
        case .array(let elements):
            try check(elements.count, count, name)
            var numbers: [Int64] = []
            numbers.reserveCapacity(count)
            for element in elements {
                guard let number = element.int64 else { throw wrong(name, "holds something that is not a whole number") }
                numbers.append(number)
            }
            return numbers
        case .string(let text):
            let (form, bytes) = try packed(text, name)
            switch form {
            case "i8":
                try check(bytes.count, count * 8, name)
                return (0..<count).map { Int64(bitPattern: bytes.littleEndian(at: $0 * 8, UInt64.self)) }
            case "i4":
                try check(bytes.count, count * 4, name)
                return (0..<count).map { Int64(Int32(bitPattern: bytes.littleEndian(at: $0 * 4, UInt32.self))) }
            default: throw wrong(name, "is packed as “\(form)”, not as i8 or i4")
            }
        default: throw wrong(name, "is neither a list, a packed text nor a count")
        }
    }

    static func numbers(_ value: JSONValue, count: Int, name: String) throws(Refusal) -> [Double] {
        switch value {
        case .array(let elements):
            try check(elements.count, count, name)
            var numbers: [Double] = []
            numbers.reserveCapacity(count)
            for element in elements {
                guard let number = FlatMetrics.number(element) else {
                    throw wrong(name, "holds something that is not a number")
                }
                numbers.append(number)
            }
            return numbers
        case .string(let text):
            let (form, bytes) = try packed(text, name)
            switch form {
            case "f8":
                try check(bytes.count, count * 8, name)
                return (0..<count).map { Double(bitPattern: bytes.littleEndian(at: $0 * 8, UInt64.self)) }
            case "f4":
                try check(bytes.count, count * 4, name)
                return (0..<count).map { Double(Float(bitPattern: bytes.littleEndian(at: $0 * 4, UInt32.self))) }
            case "i8", "i4": return try integers(value, count: count, name: name).map(Double.init)
            default: throw wrong(name, "is packed as “\(form)”, not as f8, f4, i8 or i4")
            }
        default: throw wrong(name, "is neither a list nor a packed text")
        }
    }

    private static func packed(_ text: String, _ name: String) throws(Refusal) -> (form: String, bytes: [UInt8]) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 3, bytes[2] == UInt8(ascii: ":"), let decoded = base64(bytes[3...]) else {
            throw wrong(name, "is a text, but not “f8:” and Base64")
        }
        return (String(decoding: bytes[..<2], as: UTF8.self), decoded)
    }

    private static func check(_ found: Int, _ expected: Int, _ name: String) throws(Refusal) {
        guard found == expected else { throw wrong(name, "has \(found) of \(expected)") }
    }

    private static func wrong(_ name: String, _ what: String) -> Refusal {
        Refusal(
            .invalid, "The column “\(name.prefix(100))” \(what).",
            remedy: "Send as many numbers as “n” says: a list, or “f8:” (steps: “i8:”) and Base64.", field: name)
    }

    // MARK: - Base64

    /// Nil when it is not Base64 of RFC 4648 with its padding.
    static func base64(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count.isMultiple(of: 4) else { return nil }
        let padding = text.suffix(2).count { $0 == UInt8(ascii: "=") }
        if text.isEmpty { return [] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var at = text.startIndex
        let end = text.endIndex
        while at < end {
            let isLast = at + 4 == end
            var word: UInt32 = 0
            for index in at..<at + 4 {
                let digit = values[Int(text[index])]
                if digit == 255 {
                    guard isLast, index >= end - padding else { return nil }
                    word <<= 6
                } else {
                    word = word << 6 | UInt32(digit)
                }
            }
            bytes.append(UInt8(truncatingIfNeeded: word >> 16))
            bytes.append(UInt8(truncatingIfNeeded: word >> 8))
            bytes.append(UInt8(truncatingIfNeeded: word))
            at += 4
        }
        bytes.removeLast(padding)
        return bytes
    }

    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 255, count: 256)
        for (index, digit) in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.enumerated() {
            table[Int(digit)] = UInt8(index)
        }
        return table
    }()
}

extension [UInt8] {
    fileprivate func littleEndian<Word: FixedWidthInteger>(at offset: Int, _: Word.Type) -> Word {
        withUnsafeBytes { Word(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Word.self)) }
    }
}
