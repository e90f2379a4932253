import MartletDomain

/// Reads MLflow's filters and orders. MLflow cuts them up with a lexer for SQL; this takes the same texts and gives the
/// same refusals where its clients can see them.
struct ClauseParser {
    private let text: [Character]
    private var at = 0
    /// Where the condition began that is being read.
    private var clauseStart = 0

    private static let bytesMax = 64 * 1024

    private init(_ text: String) throws(Refusal) {
        guard text.utf8.count <= ClauseParser.bytesMax else {
            throw .mlflow("The filter has \(text.utf8.count) bytes; the limit is \(ClauseParser.bytesMax).")
        }
        self.text = Array(text)
    }

    /// The conditions of a filter, joined by AND; one AND too many at the end is passed over.
    static func clauses(
        _ filter: String, entities: [String: Clause.Entity] = Clause.entities
    ) throws(Refusal) -> [Clause] {
        var parser = try ClauseParser(filter)
        var clauses: [Clause] = []
        parser.skipBlanks()
        while !parser.atEnd {
            clauses.append(try parser.clause(entities))
            parser.skipBlanks()
            guard !parser.atEnd else { break }
            guard parser.take(keyword: "AND") else { throw parser.strayClause() }
            parser.skipBlanks()
        }
        return clauses
    }

    /// A term of an order: a field, and whether it runs down. `key` of an entity that is not known is the whole field.
    static func orderTerm(_ text: String) throws(Refusal) -> (entity: String?, key: String, isDescending: Bool) {
        func unreadable() -> Refusal { .mlflow("Invalid order_by clause '\(text)'. Could not be parsed.") }
        var parser = try ClauseParser(text)
        parser.skipBlanks()
        guard let field = try? parser.field() else { throw unreadable() }
        parser.skipBlanks()
        var isDescending = false
        if !parser.atEnd {
            let word = parser.word().lowercased()
            parser.skipBlanks()
            guard parser.atEnd, !word.isEmpty else { throw unreadable() }
            guard word == "asc" || word == "desc" else {
                throw .mlflow("Invalid ordering key in order_by clause '\(text)'.")
            }
            isDescending = word == "desc"
        }
        return (field.entity, field.key, isDescending)
    }

    // MARK: Pieces

    private var atEnd: Bool { at == text.count }
    private var next: Character? { at < text.count ? text[at] : nil }

    private mutating func skipBlanks() { while let character = next, character.isWhitespace { at += 1 } }

    private static func isWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_"
    }

    private mutating func word() -> String {
        let start = at
        while let character = next, ClauseParser.isWord(character) { at += 1 }
        return String(text[start..<at])
    }

    private mutating func take(keyword: String) -> Bool {
        let end = at + keyword.count
        guard end <= text.count, String(text[at..<end]).uppercased() == keyword,
            end == text.count || !ClauseParser.isWord(text[end])
        else { return false }
        at = end
        return true
    }

    /// Text between quotes of one kind, which ends at the next of them: there is no escape.
    private mutating func quoted() throws(Refusal) -> String? {
        guard let mark = next, mark == "'" || mark == "\"" || mark == "`" else { return nil }
        guard let end = text[(at + 1)...].firstIndex(of: mark) else { throw strayClause() }
        defer { at = end + 1 }
        return String(text[(at + 1)..<end])
    }

    /// The first dot alone separates; the key after it may be quoted and hold anything.
    private mutating func field() throws(Refusal) -> (entity: String?, key: String) {
        if let whole = try quoted() {
            guard next == "." else { return (nil, whole) }
            at += 1
            return (whole, try key())
        }
        let first = word()
        guard !first.isEmpty else { throw strayClause() }
        guard next == "." else { return (nil, first) }
        at += 1
        return (first, try key())
    }

    private mutating func key() throws(Refusal) -> String {
        if let quoted = try quoted() { return quoted }
        let start = at
        while let character = next, ClauseParser.isWord(character) || character == "." || character == "/" { at += 1 }
        guard at > start else { throw strayClause() }
        let written = String(text[start..<at])
        // The last part of a longer key may be quoted alone, as in span.attributes.`a b`.
        if written.hasSuffix("."), next == "`", let rest = try quoted() { return written + rest }
        return written
    }

    private mutating func clause(_ entities: [String: Clause.Entity]) throws(Refusal) -> Clause {
        clauseStart = at
        let (written, key) = try field()
        skipBlanks()
        guard let comparator = comparator() else {
            at = clauseStart
            throw strayClause()
        }
        skipBlanks()
        let value = Clause.nullOperators.contains(comparator) ? .nothing : try value()
        guard let written else {
            return Clause(
                entity: .attribute, writtenEntity: "attribute", key: key, comparator: comparator, value: value)
        }
        guard let entity = entities[written] else {
            throw .mlflow(
                "Invalid entity type '\(written)'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"
            )
        }
        return Clause(entity: entity, writtenEntity: written, key: key, comparator: comparator, value: value)
    }

    private mutating func comparator() -> Clause.Operator? {
        for sign in ["!=", "<=", ">=", "=", "<", ">"] {
            let end = at + sign.count
            guard end <= text.count, String(text[at..<end]) == sign else { continue }
            at = end
            return Clause.Operator(rawValue: sign)
        }
        if take(keyword: "LIKE") { return .like }
        if take(keyword: "ILIKE") { return .ilike }
        if take(keyword: "RLIKE") { return .rlike }
        if take(keyword: "IN") { return .among }
        let start = at
        if take(keyword: "NOT") {
            skipBlanks()
            if take(keyword: "IN") { return .notAmong }
        } else if take(keyword: "IS") {
            skipBlanks()
            if take(keyword: "NULL") { return .isNull }
            if take(keyword: "NOT") {
                skipBlanks()
                if take(keyword: "NULL") { return .isNotNull }
            }
        }
        at = start
        return nil
    }

    private mutating func value() throws(Refusal) -> Clause.Value {
        let start = at
        if next == "(" { return try list() }
        if next == "'" || next == "\"" {
            guard let content = try quoted() else { throw strayClause() }
            return .text(content, written: String(text[start..<at]))
        }
        while let character = next, !character.isWhitespace, character != ")", character != "," { at += 1 }
        let written = String(text[start..<at])
        guard !written.isEmpty else { throw strayClause(from: clauseStart) }
        if Double(written) != nil, written.first?.isLetter == false { return .number(written) }
        // Words of SQL are no names that somebody forgot to quote.
        guard !["true", "false", "null"].contains(written.lowercased()) else {
            at = start
            throw strayClause()
        }
        return .word(written)
    }

    private mutating func list() throws(Refusal) -> Clause.Value {
        let start = at
        guard text[at...].contains(")") else { throw strayClause() }
        at += 1
        var values: [String] = []
        func wrong() -> Refusal {
            .mlflow(
                "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: \(String(text[start...]))"
            )
        }
        while true {
            skipBlanks()
            if next == ")" { break }
            guard next != "," else {
                throw .mlflow(
                    "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list \(String(text[start...]))"
                )
            }
            guard next == "'" || next == "\"", let value = try quoted() else { throw wrong() }
            values.append(value)
            skipBlanks()
            if next == "," { at += 1 } else if next != ")" { throw wrong() }
        }
        at += 1
        guard !values.isEmpty else {
            throw .mlflow(
                "While parsing a list in the query, expected a non-empty list of string values, but got empty list")
        }
        return .list(values, written: String(text[start..<at]))
    }

    private func strayClause() -> Refusal {
        var end = at
        while end < text.count, !text[end].isWhitespace { end += 1 }
        return .mlflow("Invalid clause(s) in filter string: '\(String(text[at..<end]))'")
    }

    private func strayClause(from start: Int) -> Refusal {
        .mlflow("Invalid clause(s) in filter string: '\(String(text[start..<at]))'")
    }
}
