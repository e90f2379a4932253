package enum Alignment: Hashable, Sendable { case left, right }

/// Which part of a text too long is dispensable.
package enum Truncation: Hashable, Sendable {
    case end
    /// For paths and ids, whose ends differ more than their middles.
    case middle
}

/// Makes text exactly as wide as asked.
package enum Fit {
    package static func padded(_ text: String, to width: Int, _ alignment: Alignment) -> String {
        let padding = String(repeating: " ", count: max(0, width - DisplayWidth.of(text)))
        return alignment == .left ? text + padding : padding + text
    }

    /// At most `width` columns, with `…` where something is missing.
    package static func truncated(_ text: String, to width: Int, _ truncation: Truncation = .end) -> String {
        guard width > 0 else { return "" }
        let whole = DisplayWidth.of(text)
        guard whole > width else { return text }
        switch truncation {
        case .end:
            return beginning(of: text, width: width - 1) + "…"
        case .middle:
            let front = width / 2
            return beginning(of: text, width: front) + "…" + end(of: text, width: width - 1 - front)
        }
    }

    private static func beginning(of text: String, width: Int) -> String {
        var left = width
        return String(
            text.prefix { character in
                left -= DisplayWidth.of(character)
                return left >= 0
            })
    }

    private static func end(of text: String, width: Int) -> String {
        var left = width
        var kept: [Character] = []
        for character in text.reversed() {
            left -= DisplayWidth.of(character)
            guard left >= 0 else { break }
            kept.append(character)
        }
        return String(kept.reversed())
    }
}

/// Breaks text into lines at spaces; a word wider than the line is cut.
package enum Wrap {
    package static func lines(_ text: String, width: Int) -> [String] {
        let width = max(1, width)
        var lines: [String] = []
        var line = ""
        var used = 0
        for word in text.split(separator: " ", omittingEmptySubsequences: true) {
            let size = DisplayWidth.of(String(word))
            if !line.isEmpty, used + 1 + size <= width {
                line += " " + word
                used += 1 + size
                continue
            }
            if !line.isEmpty { lines.append(line) }
            (line, used) = (String(word), size)
            while used > width {
                let (head, tail) = cut(line, width: width)
                lines.append(head)
                (line, used) = (tail, DisplayWidth.of(tail))
            }
        }
        if !line.isEmpty { lines.append(line) }
        return lines
    }

    /// At least one character goes to the front, however narrow the line: the loop above must end.
    private static func cut(_ text: String, width: Int) -> (String, String) {
        var index = text.startIndex
        var used = 0
        while index < text.endIndex {
            let size = DisplayWidth.of(text[index])
            if used + size > width, index > text.startIndex { break }
            used += size
            index = text.index(after: index)
        }
        return (String(text[..<index]), String(text[index...]))
    }
}
