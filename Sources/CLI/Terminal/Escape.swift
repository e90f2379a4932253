/// Makes text that strangers wrote safe to show: a run's name must not move the cursor, recolour the window or reorder
/// the line it stands in.
package enum Escape {
    /// Control characters as `\n`, `\t` and `\u{1b}`; likewise marks that turn the direction of text and characters
    /// that nobody sees. Joiners inside emoji and scripts stay.
    package static func text(_ text: String) -> String {
        guard needed(text) else { return text }
        var safe = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": safe += "\\n"
            case "\r": safe += "\\r"
            case "\t": safe += "\\t"
            default:
                if isUnsafe(scalar) {
                    safe += "\\u{\(String(scalar.value, radix: 16))}"
                } else {
                    safe.unicodeScalars.append(scalar)
                }
            }
        }
        return safe
    }

    private static func needed(_ text: String) -> Bool {
        // Almost every name is printable ASCII: one pass over bytes settles it.
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return false }
        return text.unicodeScalars.contains(where: isUnsafe)
    }

    static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0: true  // C0, delete, C1
        case 0xAD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F: true  // soft hyphen, marks, zero-width space
        case 0x2028...0x202E, 0x2060...0x206F: true  // line separators, embeddings, overrides, isolates
        case 0xFEFF, 0xFFF9...0xFFFB: true
        case 0xE0000...0xE0FFF: scalar.value < 0xE0100 || scalar.value > 0xE01EF  // tags; variation selectors are fine
        default: false
        }
    }
}
