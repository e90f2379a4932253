import MartletArtifacts
import MartletDomain
import MartletHTTPMessages

/// Where a page ended: the key of its last row, sealed with the question that it answers, so that a damaged token or one
/// of another list is refused instead of giving a page of something else.
struct PageToken<Key: LosslessStringConvertible> {
    var place: Key
    init(place: Key) { self.place = place }

    func text(for question: String) -> String {
        let place = place.description
        return PageSeal.make(place, question) + PercentCoding.encode(place)
    }

    init(_ text: String, for question: String) throws(Refusal) {
        let rest = PercentCoding.decodeSegment(text.dropFirst(PageSeal.length).utf8)
        guard let rest, let place = Key(rest), PageSeal.make(rest, question) == text.prefix(PageSeal.length) else {
            throw Refusal(
                .invalid, "The page_token “\(text.prefix(60))” is damaged or belongs to another list.",
                remedy: "Send the next_page_token of the last answer with the same parameters, or none.",
                field: "page_token")
        }
        self.place = place
    }
}

private enum PageSeal {
    static let length = 10

    static func make(_ place: String, _ question: String) -> String {
        String(SHA256.digest(of: "page\u{1F}\(place)\u{1F}\(question)").text.prefix(length))
    }
}

/// A part of a list and where the rest begins.
struct Page<Row> {
    var rows: [Row]
    var next: String?

    func map<Other>(_ change: (Row) throws(Refusal) -> Other) throws(Refusal) -> Page<Other> {
        var others: [Other] = []
        for row in rows { others.append(try change(row)) }
        return Page<Other>(rows: others, next: next)
    }
}

extension Exchange {
    /// The page of a whole list that the request asks for. The list is in the order of its keys, each of which stays
    /// with its row: so nothing is shown twice or passed over when rows are added between two pages.
    func page<Row, Key: Comparable & LosslessStringConvertible>(
        _ all: [Row], key: (Row) -> Key
    ) throws(Refusal) -> Page<Row> {
        let limit = try limit()
        let after = try placeInList(Key.self)
        let rest = after.map { after in all.filter { key($0) > after } } ?? all
        return page(Array(rest.prefix(limit)), hasMore: rest.count > limit, key: key)
    }

    /// A page whose rows are found already.
    func page<Row, Key: LosslessStringConvertible>(
        _ rows: [Row], hasMore: Bool, key: (Row) -> Key
    ) -> Page<Row> {
        guard hasMore, let last = rows.last else { return Page(rows: rows, next: nil) }
        return Page(rows: rows, next: PageToken(place: key(last)).text(for: question))
    }

    /// The key of the last row that the client has seen.
    func placeInList<Key: LosslessStringConvertible>(_ key: Key.Type) throws(Refusal) -> Key? {
        guard let text = query("page_token"), !text.isEmpty else { return nil }
        return try PageToken<Key>(text, for: question).place
    }

    /// What is asked, whatever the page: the address and all of the query but the paging itself.
    private var question: String {
        let items = request.query.items.filter { $0.name != "limit" && $0.name != "page_token" }
            .map { "\($0.name)=\($0.value)" }.sorted()
        return ([request.target.path] + items).joined(separator: "\u{1F}")
    }
}
