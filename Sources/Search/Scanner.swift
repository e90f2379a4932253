/// Cuts a filter's text into tokens, one at a time, because what `-` and `.` mean depends on where they stand: inside
/// `metrics.val-acc` they belong to the name, in `now()-7d` they do not. The parser says which it expects.
struct Scanner {
    let text: String
    let bytes: [UInt8]
    private(set) var position = 0

    /// Byte offsets, turned into columns only when an error needs them.
    typealias Place = Range<Int>

    init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
        skipBlanks()
    }

    var atEnd: Bool { position == bytes.count }
    var next: UInt8? { position < bytes.count ? bytes[position] : nil }
    var here: Place { position..<min(position + 1, bytes.count) }

    mutating func rewind(to earlier: Int) { position = earlier }

    private func byte(_ ahead: Int) -> UInt8? {
        position + ahead < bytes.count ? bytes[position + ahead] : nil
    }

    private mutating func skipBlanks() {
        while let byte = next {
            if byte == 0x20 || (0x09...0x0D).contains(byte) {
                position += 1
            } else if byte == 0xC2, self.byte(1) == 0xA0 {
                position += 2  // the no-break space that comes with copied text
            } else {
                return
            }
        }
    }

    private mutating func take(through end: Int) -> Place {
        defer {
            position = end
            skipBlanks()
        }
        return position..<end
    }

    func string(_ place: Place) -> String { String(decoding: bytes[place], as: UTF8.self) }
}

// MARK: Signs and words

extension Scanner {
    /// The longest of the language's signs that stands here.
    mutating func sign(_ wanted: String) -> Place? {
        guard bytes[position...].starts(with: wanted.utf8) else { return nil }
        return take(through: position + wanted.utf8.count)
    }

    /// A keyword in any case, standing alone.
    mutating func keyword(_ wanted: String) -> Place? {
        let end = position + wanted.utf8.count
        guard end <= bytes.count, end == bytes.count || !Self.isWord(bytes[end]),
            zip(bytes[position..<end], wanted.utf8).allSatisfy({ $0 == $1 || ($0 & 0xDF == $1 && $0 >= 0x61) })
        else { return nil }
        return take(through: end)
    }

    func isKeyword(_ wanted: String) -> Bool {
        var ahead = self
        return ahead.keyword(wanted) != nil
    }

    /// Letters, digits and underscores; with `extra` also those signs, when a letter or digit follows them.
    mutating func word(joinedBy extra: String = "") -> (text: String, place: Place)? {
        let end = wordEnd(from: position, joinedBy: extra)
        guard end > position else { return nil }
        let place = take(through: end)
        return (string(place), place)
    }

    private func wordEnd(from start: Int, joinedBy extra: String) -> Int {
        var end = start
        while end < bytes.count {
            if Self.isWord(bytes[end]) && bytes[end] < 0x80 {
                end += 1
            } else if let width = letterWidth(at: end) {
                end += width
            } else if end > start, extra.utf8.contains(bytes[end]), end + 1 < bytes.count,
                Self.isWord(bytes[end + 1]) && (bytes[end + 1] < 0x80 || letterWidth(at: end + 1) != nil)
            {
                end += 1
            } else {
                break
            }
        }
        return end
    }

    /// The bytes of a letter or digit beyond ASCII; nil for signs, blanks and marks.
    private func letterWidth(at index: Int) -> Int? {
        guard bytes[index] >= 0xC2 else { return nil }
        let width = bytes[index] < 0xE0 ? 2 : bytes[index] < 0xF0 ? 3 : 4
        guard index + width <= bytes.count,
            let scalar = String(decoding: bytes[index..<index + width], as: UTF8.self).unicodeScalars.first
        else { return nil }
        let properties = scalar.properties
        return properties.isAlphabetic || properties.numericType != nil || properties.generalCategory == .nonspacingMark
            ? width : nil
    }

    /// Bytes beyond ASCII count as part of a word, so that no keyword ends in the middle of one.
    private static func isWord(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    /// What stands here up to the next blank, for an error to show.
    var unexpected: (text: String, place: Place) {
        var end = position
        while end < bytes.count, Self.isWord(bytes[end]) { end += 1 }
        if end == position, end < bytes.count { end += 1 }
        return (string(position..<end), position..<end)
    }
}

// MARK: Quoted text

extension Scanner {
    enum Quoted {
        case text(String, Place)
        /// There is no closing quote.
        case open(Place)
    }

    /// Text between two of `mark`; a doubled mark stands for one.
    mutating func quoted(_ mark: Unicode.Scalar) -> Quoted? {
        let mark = UInt8(ascii: mark)
        guard next == mark else { return nil }
        var content: [UInt8] = []
        var index = position + 1
        while index < bytes.count {
            if bytes[index] != mark {
                content.append(bytes[index])
                index += 1
            } else if index + 1 < bytes.count, bytes[index + 1] == mark {
                content.append(mark)
                index += 2
            } else {
                return .text(String(decoding: content, as: UTF8.self), take(through: index + 1))
            }
        }
        return .open(position..<bytes.count)
    }
}

// MARK: Names of fields

extension Scanner {
    /// A dotted name; pieces in backticks may hold anything.
    struct Path {
        struct Piece {
            var text: String
            var isQuoted: Bool
            var place: Place
        }
        var pieces: [Piece]
        var place: Place { pieces[0].place.lowerBound..<pieces[pieces.count - 1].place.upperBound }
    }

    enum PathResult {
        case path(Path)
        /// Nothing that could begin a name.
        case none
        /// A dot with no name after it, or a backtick that does not close.
        case broken(Place)
    }

    /// Signs that join the words of a key, when a letter or digit follows: `train/loss`, `val-acc`, `recall@10`.
    static let joints = "/-:@"

    /// A prefix has no joints, so that `now-7d` is not a name of its own, unless the caller reads whole sentences.
    mutating func path(joinsPrefix: Bool = false) -> PathResult {
        var pieces: [Path.Piece] = []
        repeat {
            let start = position
            switch quoted("`") {
            case .text(let text, let place):
                guard !text.isEmpty else { return .broken(place) }
                pieces.append(Path.Piece(text: text, isQuoted: true, place: place))
            case .open(let place): return .broken(place)
            case nil:
                let end = wordEnd(from: start, joinedBy: pieces.isEmpty && !joinsPrefix ? "" : Self.joints)
                guard end > start else { return pieces.isEmpty ? .none : .broken(start - 1..<start) }
                let place = take(through: end)
                pieces.append(Path.Piece(text: string(place), isQuoted: false, place: place))
            }
        } while pieces[pieces.count - 1].place.upperBound == position && next == UInt8(ascii: ".") && advance()
        return .path(Path(pieces: pieces))
    }

    private mutating func advance() -> Bool {
        position += 1
        return true
    }

    /// Whether a piece of a key reads back as itself without backticks.
    static func isPlainPiece(_ piece: Substring) -> Bool {
        guard !piece.isEmpty, piece.utf8.allSatisfy({ $0 < 0x80 }) else { return false }
        let scanner = Scanner(String(piece))
        return scanner.position == 0 && scanner.wordEnd(from: 0, joinedBy: joints) == scanner.bytes.count
    }
}

// MARK: Numbers, lengths of time, dates

extension Scanner {
    enum Figure {
        case number(String, Place)
        case duration(Int64, Place)
        case moment(Int64, Place)
        case broken(Place)
    }

    /// A number, `7d` or `1h30m`, or a bare date such as `2025-01-31T10:00Z`; unsigned.
    mutating func figure() -> Figure? {
        guard let first = next, isDigit(first) || (first == UInt8(ascii: ".") && byte(1).map(isDigit) == true) else {
            return nil
        }
        if let end = dateEnd() {
            let place = take(through: end)
            return CalendarTime.parse(string(place)).map { .moment($0, place) } ?? .broken(place)
        }
        let start = position
        let end = numberEnd(from: position)
        guard end < bytes.count, Self.isWord(bytes[end]) || bytes[end] == UInt8(ascii: ".") else {
            let place = take(through: end)
            return .number(string(place), place)
        }
        guard let (total, durationEnd) = duration(from: start) else {
            var wrongEnd = end
            while wrongEnd < bytes.count, Self.isWord(bytes[wrongEnd]) || bytes[wrongEnd] == UInt8(ascii: ".") {
                wrongEnd += 1
            }
            return .broken(take(through: wrongEnd))
        }
        return .duration(total, take(through: durationEnd))
    }

    private func duration(from start: Int) -> (Int64, end: Int)? {
        var total: Int64 = 0
        var end = start
        while end < bytes.count, isDigit(bytes[end]) || bytes[end] == UInt8(ascii: ".") {
            let unitStart = numberEnd(from: end)
            var unitEnd = unitStart
            while unitEnd < bytes.count, (bytes[unitEnd] | 0x20) &- 0x61 < 26 { unitEnd += 1 }
            guard let part = DurationText.microseconds(string(end..<unitStart), unit: string(unitStart..<unitEnd))
            else { return nil }
            total += part
            guard total <= DurationText.longest else { return nil }
            end = unitEnd
        }
        return end < bytes.count && Self.isWord(bytes[end]) ? nil : (total, end)
    }

    private func numberEnd(from start: Int) -> Int {
        var end = start
        while end < bytes.count, isDigit(bytes[end]) { end += 1 }
        if end < bytes.count, bytes[end] == UInt8(ascii: ".") {
            end += 1
            while end < bytes.count, isDigit(bytes[end]) { end += 1 }
        }
        if end < bytes.count, bytes[end] | 0x20 == UInt8(ascii: "e") {
            var exponent = end + 1
            if exponent < bytes.count, bytes[exponent] == UInt8(ascii: "-") || bytes[exponent] == UInt8(ascii: "+") {
                exponent += 1
            }
            if exponent < bytes.count, isDigit(bytes[exponent]) {
                while exponent < bytes.count, isDigit(bytes[exponent]) { exponent += 1 }
                end = exponent
            }
        }
        return end
    }

    /// The end of what begins with four digits, a dash, two digits, a dash and two digits.
    private func dateEnd() -> Int? {
        for (offset, isDash) in [false, false, false, false, true, false, false, true, false, false].enumerated() {
            guard let byte = byte(offset), isDash ? byte == UInt8(ascii: "-") : isDigit(byte) else { return nil }
        }
        var end = position + 10
        guard end < bytes.count, bytes[end] | 0x20 == UInt8(ascii: "t") else {
            return end < bytes.count && Self.isWord(bytes[end]) ? nil : end
        }
        while end < bytes.count, Self.isWord(bytes[end]) || ":.+-".utf8.contains(bytes[end]) { end += 1 }
        return end
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}
