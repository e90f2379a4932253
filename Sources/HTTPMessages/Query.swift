/// The decoded items of a query string or of a form body, in order, names repeated as they came.
package struct Query: Sendable, Hashable {
    package struct Item: Sendable, Hashable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package var items: [Item]

    package init(_ items: [Item] = []) { self.items = items }

    /// Reads `a=1&b=2`. Nothing is refused but bytes that are not UTF-8: a raw `>` or quote is what curl sends.
    package init(_ raw: some Collection<UInt8>) throws(HTTPError) {
        items = []
        guard !raw.isEmpty else { return }
        for piece in raw.split(separator: UInt8(ascii: "&")) {
            let equals = piece.firstIndex(of: UInt8(ascii: "="))
            let name = PercentCoding.decodeComponent(piece[..<(equals ?? piece.endIndex)])
            let value = equals.map { PercentCoding.decodeComponent(piece[piece.index(after: $0)...]) } ?? ""
            guard let name, let value else {
                throw HTTPError(
                    .badRequest, "bad_query", "The query has an item that is not UTF-8.",
                    remedy: "Percent-encode the UTF-8 bytes of each name and value.")
            }
            items.append(Item(name, value))
        }
    }

    /// The first value under a name.
    package subscript(name: String) -> String? { items.first { $0.name == name }?.value }

    package func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }
}
