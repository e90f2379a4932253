/// What a request asks for, taken from the raw request line.
///
/// Routing happens on the raw text: it is split on `/` first and each segment is decoded once afterwards, so that `%2F`
/// stays inside its segment. NUL, `.` and `..` segments, escaped or not, are refused: no honest client sends them.
package struct Target: Sendable, Hashable {
    /// As it came, `/api/v1/runs?limit=5`.
    package let raw: String
    /// The raw text before `?`.
    package let path: String
    /// Decoded segments; `/` has none, and a trailing slash adds none.
    package let segments: [String]
    package let hasTrailingSlash: Bool
    package let query: Query

    package init(_ raw: String) throws(HTTPError) {
        self.raw = raw
        if raw == "*" {
            (path, segments, hasTrailingSlash, query) = ("*", [], false, Query())
            return
        }
        let bytes = raw.utf8
        var start = bytes.startIndex
        if bytes.first != UInt8(ascii: "/") {
            // The absolute form, as sent to a proxy: servers must accept it (RFC 9112, 3.2.2).
            guard let authority = Target.authorityStart(raw) else {
                throw Target.refused(raw, "does not begin with “/”")
            }
            start =
                bytes[authority...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? bytes.endIndex
        }
        let rest = bytes[start...]
        let mark = rest.firstIndex(of: UInt8(ascii: "?"))
        let rawPath = rest[..<(mark ?? rest.endIndex)]
        if rest.contains(UInt8(ascii: "#")) { throw Target.refused(raw, "has a fragment") }
        // In a query a raw space is kept, as people type it; in a path nobody can tell where the target ends.
        if rawPath.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
            throw Target.refused(raw, "has a space or control character in its path")
        }
        path = rawPath.isEmpty ? "/" : String(Substring(rawPath))
        var parts: [String] = []
        for piece in rawPath.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst() {
            guard let segment = PercentCoding.decodeSegment(piece) else {
                throw Target.refused(raw, "has a broken escape or is not UTF-8")
            }
            if Target.isDangerous(segment) { throw Target.refused(raw, "has a NUL, “.” or “..” segment") }
            parts.append(segment)
        }
        hasTrailingSlash = parts.last == ""
        if hasTrailingSlash { parts.removeLast() }
        segments = parts
        query = try Query(mark.map { rest[rest.index(after: $0)...] } ?? rest[rest.endIndex...])
    }

    private static func isDangerous(_ segment: String) -> Bool {
        if segment == "." || segment == ".." || segment.utf8.contains(0) { return true }
        guard segment.utf8.contains(UInt8(ascii: "/")) else { return false }
        return segment.utf8.split(separator: UInt8(ascii: "/")).contains {
            $0.elementsEqual([0x2E]) || $0.elementsEqual([0x2E, 0x2E])
        }
    }

    private static func authorityStart(_ raw: String) -> String.Index? {
        for scheme in ["http://", "https://"] where raw.utf8.count > scheme.utf8.count {
            let end = raw.utf8.index(raw.utf8.startIndex, offsetBy: scheme.utf8.count)
            if asciiCaseInsensitiveEqual(String(raw[..<end]), scheme) { return end }
        }
        return nil
    }

    private static func refused(_ raw: String, _ why: String) -> HTTPError {
        HTTPError(
            .badRequest, "bad_target", "The request target “\(raw.prefix(200))” \(why).",
            remedy: "Send an absolute path and percent-encode each segment.")
    }
}
