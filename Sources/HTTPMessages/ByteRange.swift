/// What a `Range` header asks of a body whose length is known.
package enum ByteRange: Sendable, Hashable {
    /// No range, one that is not understood, or several: the whole body is always a right answer (RFC 9110, 14.2).
    case whole
    case part(Range<Int>)
    case unsatisfiable

    package init(header: String?, length: Int) {
        self = ByteRange.parse(header, length) ?? .whole
    }

    /// `If-Range` first: a range of another version than the one the client holds would join two files into one.
    package init(_ request: Request, length: Int, tag: EntityTag?) {
        if let condition = request.headers["if-range"] {
            guard let held = EntityTag(header: condition), let tag, held == tag, !tag.isWeak else {
                self = .whole
                return
            }
        }
        self.init(header: request.method == .get ? request.headers["range"] : nil, length: length)
    }

    /// For `Content-Range`.
    package static func contentRange(_ part: Range<Int>, of length: Int) -> String {
        "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(length)"
    }

    private static func parse(_ header: String?, _ length: Int) -> ByteRange? {
        guard let header, header.utf8.count <= 64 else { return nil }
        let unit = "bytes="
        guard asciiCaseInsensitiveEqual(String(header.prefix(unit.count)), unit) else { return nil }
        let text = String(header.dropFirst(unit.count)).trimmingHTTPSpace()
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }) else { return nil }
        if ends[0].isEmpty {
            guard !ends[1].isEmpty else { return nil }
            let suffix = Int(ends[1]) ?? Int.max
            if suffix == 0 || length == 0 { return .unsatisfiable }
            return .part(max(0, length - suffix)..<length)
        }
        let first = Int(ends[0]) ?? Int.max
        let last = ends[1].isEmpty ? Int.max : Int(ends[1]) ?? Int.max
        if last < first { return nil }
        if first >= length { return .unsatisfiable }
        return .part(first..<(min(last, length - 1) + 1))
    }
}
