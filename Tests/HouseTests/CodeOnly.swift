/// Leaves comments and the content of string literals out of a Swift file. On bytes, because the tests read every file of
/// the house, and in a debug build characters would take seconds.
enum CodeOnly {
    static func bytes(of text: [UInt8]) -> [UInt8] {
        var kept: [UInt8] = []
        kept.reserveCapacity(text.count)
        var at = 0
        while at < text.count {
            if starts("//", text, at) {
                while at < text.count, text[at] != newline { at += 1 }
            } else if starts("/*", text, at) {
                at = endOfBlockComment(text, at)
            } else if starts("\"\"\"", text, at) {
                at = endOfLongString(text, at)
                kept += [quote, quote]
            } else if text[at] == quote {
                at = endOfString(text, at)
                kept += [quote, quote]
            } else {
                kept.append(text[at])
                at += 1
            }
        }
        return kept
    }

    private static let newline = UInt8(ascii: "\n")
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    private static func starts(_ sign: StaticString, _ text: [UInt8], _ at: Int) -> Bool {
        guard at + sign.utf8CodeUnitCount <= text.count, text[at] == sign.utf8Start[0] else { return false }
        return (1..<sign.utf8CodeUnitCount).allSatisfy { text[at + $0] == sign.utf8Start[$0] }
    }

    private static func endOfBlockComment(_ text: [UInt8], _ start: Int) -> Int {
        var at = start
        var depth = 0
        while at < text.count {
            if starts("/*", text, at) {
                depth += 1
                at += 2
            } else if starts("*/", text, at) {
                depth -= 1
                at += 2
                if depth == 0 { return at }
            } else {
                at += 1
            }
        }
        return at
    }

    private static func endOfLongString(_ text: [UInt8], _ start: Int) -> Int {
        var at = start + 3
        while at < text.count {
            if starts("\"\"\"", text, at) { return at + 3 }
            at += text[at] == backslash ? 2 : 1
        }
        return text.count
    }

    /// A string ends at its quote, or at the end of the line at the latest, so that a quote in a regex literal hides no
    /// more than the rest of its line.
    private static func endOfString(_ text: [UInt8], _ start: Int) -> Int {
        var at = start + 1
        while at < text.count, text[at] != newline {
            if text[at] == quote { return at + 1 }
            at += text[at] == backslash ? 2 : 1
        }
        return min(at, text.count)
    }
}
