import Glibc

/// A compiled pattern of LIKE or ILIKE.
///
/// The pattern is cut at its `%` into runs; each run is looked for from where the one before it ended, the first and
/// the last are tied to the ends. At worst that costs the length of the text times that of the pattern, never more.
struct LikePattern: Sendable {
    private enum Piece: Equatable {
        case byte(UInt8)
        case oneCharacter
    }

    private struct Run {
        var pieces: [Piece]
        /// The same as bytes, when there is no `_` among them.
        var bytes: [UInt8]?
    }

    private let runs: [Run]
    /// What stands between two `%` where that is the whole pattern, as it mostly is: a text has it or not.
    let infix: [UInt8]?
    let ignoresCase: Bool
    private let isASCII: Bool

    init(_ pattern: String, ignoringCase: Bool) {
        var runs: [[Piece]] = [[]]
        var isEscaped = false
        for scalar in (ignoringCase ? pattern.lowercased() : pattern).unicodeScalars {
            switch scalar {
            case "%" where !isEscaped: runs.append([])
            case "_" where !isEscaped: runs[runs.count - 1].append(.oneCharacter)
            case "\\" where !isEscaped:
                isEscaped = true
                continue
            default: runs[runs.count - 1] += UTF8.encode(scalar).map { $0.map(Piece.byte) } ?? []
            }
            isEscaped = false
        }
        if isEscaped { runs[runs.count - 1].append(.byte(UInt8(ascii: "\\"))) }
        self.runs = runs.map { pieces in
            let bytes = pieces.compactMap { if case .byte(let byte) = $0 { byte } else { nil } }
            return Run(pieces: pieces, bytes: bytes.count == pieces.count ? bytes : nil)
        }
        let ends = [self.runs.first, self.runs.last].allSatisfy { $0?.pieces.isEmpty ?? false }
        infix = self.runs.count == 3 && ends ? self.runs[1].bytes : nil
        ignoresCase = ignoringCase
        isASCII = pattern.utf8.allSatisfy { $0 < 0x80 }
    }

    func matches(_ text: String) -> Bool {
        guard ignoresCase else {
            // Looked at where it lies: a copy's reference would be counted in memory that is not in the cache yet.
            if let found = text.utf8.withContiguousStorageIfAvailable(matches) { return found }
            var text = text
            return text.withUTF8(matches)
        }
        var text = text
        if !isASCII || !text.utf8.allSatisfy({ $0 < 0x80 }) {
            text = text.lowercased()
            return text.withUTF8(matches)
        }
        return text.withUTF8 { bytes in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytes.count) { lowered in
                for (index, byte) in bytes.enumerated() {
                    lowered.initializeElement(at: index, to: byte &- 0x41 < 26 ? byte | 0x20 : byte)
                }
                return matches(UnsafeBufferPointer(lowered))
            }
        }
    }

    private func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        if let infix { return Self.find(infix, in: text, from: 0) != nil }
        guard var position = Self.match(runs[0].pieces, in: text, at: 0) else { return false }
        guard runs.count > 1 else { return position == text.count }
        for run in runs.dropFirst().dropLast() {
            guard let end = Self.find(run, in: text, from: position) else { return false }
            position = end
        }
        guard let start = Self.matchBackwards(runs[runs.count - 1].pieces, in: text) else { return false }
        return start >= position
    }

    /// Where the run ends when it stands at `position`.
    private static func match(_ pieces: [Piece], in text: UnsafeBufferPointer<UInt8>, at position: Int) -> Int? {
        var position = position
        for piece in pieces {
            guard position < text.count else { return nil }
            switch piece {
            case .byte(let byte):
                guard text[position] == byte else { return nil }
                position += 1
            case .oneCharacter:
                position += 1
                while position < text.count, isContinuation(text[position]) { position += 1 }
            }
        }
        return position
    }

    /// Where the run begins when it stands at the very end.
    private static func matchBackwards(_ pieces: [Piece], in text: UnsafeBufferPointer<UInt8>) -> Int? {
        var position = text.count
        for piece in pieces.reversed() {
            guard position > 0 else { return nil }
            position -= 1
            switch piece {
            case .byte(let byte):
                guard text[position] == byte else { return nil }
            case .oneCharacter:
                while position > 0, isContinuation(text[position]) { position -= 1 }
            }
        }
        return position
    }

    /// Where the leftmost occurrence from `start` on ends.
    private static func find(_ run: Run, in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        if let bytes = run.bytes { return find(bytes, in: text, from: start) }
        var position = start
        while position < text.count {
            if let end = match(run.pieces, in: text, at: position) { return end }
            position += 1
            while position < text.count, isContinuation(text[position]) { position += 1 }
        }
        return nil
    }

    private static func find(_ bytes: [UInt8], in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        guard let first = bytes.first else { return start }
        guard let base = text.baseAddress, text.count >= bytes.count else { return nil }
        var position = start
        while position <= text.count - bytes.count,
            let found = memchr(base + position, Int32(first), text.count - bytes.count - position + 1)
        {
            position = UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found))
            if memcmp(found, bytes, bytes.count) == 0 { return position + bytes.count }
            position += 1
        }
        return nil
    }

    private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
}
