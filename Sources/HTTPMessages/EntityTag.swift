/// An ETag, and the headers that ask about one.
package struct EntityTag: Sendable, Hashable {
    package let value: String
    package let isWeak: Bool

    package init(_ value: String, isWeak: Bool = false) {
        self.value = value
        self.isWeak = isWeak
    }

    /// As it stands in a header: `"abc"` or `W/"abc"`.
    package init?(header: String) {
        let trimmed = header.trimmingHTTPSpace()
        let weak = trimmed.hasPrefix("W/")
        let quoted = weak ? String(trimmed.dropFirst(2)) : trimmed
        guard quoted.utf8.count >= 2, quoted.hasPrefix("\""), quoted.hasSuffix("\"") else { return nil }
        self.init(String(quoted.dropFirst().dropLast()), isWeak: weak)
    }

    package var header: String { "\(isWeak ? "W/" : "")\"\(value)\"" }

    /// Whether `If-None-Match` holds this tag (weak comparison), so that the answer is 304.
    package func isNamed(byIfNoneMatch values: [String]) -> Bool {
        EntityTag.list(values).map { $0.contains { $0.value == value } } ?? true
    }

    /// Whether `If-Match` holds this tag (strong comparison); if not, the answer is 412.
    package func isNamed(byIfMatch values: [String]) -> Bool {
        EntityTag.list(values).map { $0.contains { $0 == self && !isWeak } } ?? true
    }

    /// The tags of a list, nil for `*`.
    private static func list(_ values: [String]) -> [EntityTag]? {
        if values.contains(where: { $0.trimmingHTTPSpace() == "*" }) { return nil }
        return values.flatMap { MediaType.splitQuoted($0, on: UInt8(ascii: ",")) }.prefix(64).compactMap {
            EntityTag(header: $0)
        }
    }
}
