// Martlet's own search language: text → tree.
//
//   query     := [or] ["ORDER" "BY" order] ["LIMIT" n]
//   or        := and ("OR" and)*
//   and       := not ("AND" not)*
//   not       := "NOT" not | "(" or ")" | condition
//   condition := field ( sign value | ["NOT"] "IN" "(" value ("," value)* ")" | ["NOT"] ("LIKE"|"ILIKE") text
//              | ["NOT"] "MATCHES" text | "=~" text | "!~" text | ["NOT"] "BETWEEN" value "AND" value
//              | ["NOT"] "EXISTS" | "IS" ["NOT"] ("NULL"|"NAN") )
//   sign      := "=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">="
//   order     := field ["ASC"|"DESC"] ("," field ["ASC"|"DESC"])*
//
// Keywords are read in any case. NOT binds closer than AND, AND closer than OR.

extension Query {
    /// Reads a whole query, ORDER BY and LIMIT included, and an order and a limit that came beside it.
    ///
    /// `names` are asked only for advice and suggestions; what a query means never depends on them.
    package static func parse(
        _ text: String, orderBy: [String] = [], limit: Int? = nil, names: KnownNames = .none,
        of vocabulary: Vocabulary? = nil
    ) throws(SearchError) -> Query {
        var parser = try NativeParser(text, names: names, vocabulary: vocabulary)
        var query = try parser.query()
        let terms = try orderTerms(orderBy, names: names, of: vocabulary)
        if !terms.isEmpty {
            guard query.order.isEmpty else {
                throw SearchError(
                    .syntax, "The order is given twice, in ORDER BY and beside the filter.", remedy: "Keep one of them."
                )
            }
            query.order = terms
        }
        if let limit {
            guard (1...SearchLimits.rows).contains(limit) else { throw .badLimit("\(limit)", column: nil) }
            query.limit = min(limit, query.limit ?? limit)
        }
        return query
    }

    /// Reads an order: `["metrics.f1 DESC", "start_time"]` or the same as one comma list.
    package static func orderTerms(
        _ orderBy: [String], names: KnownNames = .none, of vocabulary: Vocabulary? = nil
    ) throws(SearchError) -> [OrderTerm] {
        var terms: [OrderTerm] = []
        for text in orderBy {
            var parser = try NativeParser(text, names: names, vocabulary: vocabulary)
            if parser.scanner.atEnd { continue }
            terms += try parser.order()
            try parser.expectEnd("“,” or the end")
            guard terms.count <= SearchLimits.orderTerms else { throw .longOrder(column: nil) }
        }
        return terms
    }
}

/// One text being read.
struct NativeParser {
    var scanner: Scanner
    let names: KnownNames
    /// Set when a whole sentence is read: bare names of metrics and params, words without quotes, commas for AND.
    let sentence: SentenceNames?
    /// Set when the documents are no runs.
    let vocabulary: Vocabulary?
    var mentions: [Mention] = []
    private var terms = 0
    private var depth = 0
    var regexes = 0

    /// A key that the text names, and where.
    struct Mention {
        var space: KnownNames.Space
        var key: String
        /// The name as written, part included, in case that was the key.
        var whole: String
        var place: Scanner.Place
    }

    init(
        _ text: String, names: KnownNames, sentence: SentenceNames? = nil, vocabulary: Vocabulary? = nil
    ) throws(SearchError) {
        guard text.utf8.count <= SearchLimits.textBytes else {
            throw SearchError(
                .limit, "The filter has \(text.utf8.count) bytes, more than \(SearchLimits.textBytes).",
                remedy: "Search in parts.")
        }
        scanner = Scanner(text)
        self.names = names
        self.sentence = sentence
        self.vocabulary = vocabulary
    }

    mutating func query() throws(SearchError) -> Query {
        var query = Query()
        if !scanner.atEnd, !scanner.isKeyword("ORDER"), !scanner.isKeyword("LIMIT") {
            query.filter = try Filter(expression())
        }
        if let place = scanner.keyword("ORDER") {
            guard scanner.keyword("BY") != nil else {
                throw fail(.syntax, "ORDER without BY", at: place, remedy: "Write ORDER BY and a field.")
            }
            query.order = try order()
        }
        if scanner.keyword("LIMIT") != nil {
            let start = scanner.position
            guard case .number(let digits, let place)? = scanner.figure() else {
                scanner.rewind(to: start)
                throw expected("a number of rows after LIMIT")
            }
            guard let rows = Int(digits), (1...SearchLimits.rows).contains(rows) else {
                throw .badLimit(digits, column: column(place.lowerBound), length: digits.count)
            }
            query.limit = rows
        }
        try expectEnd(
            query.limit != nil
                ? "the end" : query.order.isEmpty ? "AND, OR, ORDER BY, LIMIT or the end" : "“,”, LIMIT or the end")
        query.advice = advice()
        return query
    }

    mutating func order() throws(SearchError) -> [OrderTerm] {
        var terms: [OrderTerm] = []
        repeat {
            guard terms.count < SearchLimits.orderTerms else {
                throw .longOrder(column: column(scanner.position))
            }
            let field = try field("a field to order by")
            let isDescending = scanner.keyword("DESC") != nil
            if !isDescending { _ = scanner.keyword("ASC") }
            if let place = scanner.keyword("NULLS") {
                throw fail(
                    .syntax, "NULLS is not part of the language", at: place,
                    remedy: "NaN and missing values come last, whichever way the order runs.")
            }
            terms.append(OrderTerm(field, descending: isDescending))
        } while scanner.sign(",") != nil
        return terms
    }

    // MARK: Conditions and what joins them

    mutating func expression() throws(SearchError) -> Expression {
        var parts = [try conjunction()]
        while true {
            if let place = scanner.sign("||") { throw wrongSign("||", "OR", at: place) }
            guard scanner.keyword("OR") != nil else { return .any(parts) }
            parts.append(try conjunction(after: "OR"))
        }
    }

    private mutating func conjunction(after previous: String? = nil) throws(SearchError) -> Expression {
        var parts = [try negation(after: previous)]
        while true {
            if let place = scanner.sign("&&") { throw wrongSign("&&", "AND", at: place) }
            guard scanner.keyword("AND") != nil || (sentence != nil && scanner.sign(",") != nil) else {
                return .all(parts)
            }
            parts.append(try negation(after: "AND"))
        }
    }

    private mutating func negation(after previous: String?) throws(SearchError) -> Expression {
        if let place = scanner.keyword("NOT") {
            try enter(place)
            defer { depth -= 1 }
            return .not(try negation(after: "NOT"))
        }
        if let open = scanner.sign("(") {
            try enter(open)
            defer { depth -= 1 }
            let inner = try expression()
            guard scanner.sign(")") != nil else {
                if scanner.atEnd {
                    throw fail(
                        .syntax, "The parenthesis is not closed that opens", at: open, remedy: "Add “)” where it ends.")
                }
                throw expected("AND, OR or “)”")
            }
            return inner
        }
        let start = scanner.position
        terms += 1
        guard terms <= SearchLimits.terms else { throw .tooManyTerms(column: column(start)) }
        return .predicate(try predicate(after: previous))
    }

    private mutating func enter(_ place: Scanner.Place) throws(SearchError) {
        depth += 1
        guard depth <= SearchLimits.depth else { throw .tooDeep(column: column(place.lowerBound)) }
    }

    private func wrongSign(_ written: String, _ meant: String, at place: Scanner.Place) -> SearchError {
        fail(.syntax, "“\(written)” is not part of the language", at: place, suggestion: meant, remedy: "")
    }

    // MARK: Errors and places

    /// Columns count characters, as a person does, not bytes.
    func column(_ byte: Int) -> Int { scanner.string(0..<byte).count + 1 }

    func fail(
        _ code: SearchError.Code, _ what: String, at place: Scanner.Place, suggestion: String? = nil, remedy: String
    ) -> SearchError {
        let column = column(place.lowerBound)
        let hint = suggestion.map { " Did you mean \(SearchError.quoted($0))?" } ?? ""
        return SearchError(
            code, "\(what) at column \(column).\(hint)", column: column, length: scanner.string(place).count,
            suggestion: suggestion, remedy: remedy)
    }

    func expected(_ what: String, after previous: String? = nil) -> SearchError {
        let wanted = "Expected \(what)\(previous.map { " after \($0)" } ?? "")"
        let (found, place) = scanner.unexpected
        if found.isEmpty {
            return fail(.syntax, "\(wanted), but the text ends", at: place, remedy: "")
        }
        let isCurly = found.first.map { "‘’‚“”„«»".contains($0) } ?? false
        return fail(
            .syntax, "\(wanted), found \(SearchError.quoted(found))", at: place,
            remedy: isCurly ? "Quotes must be straight: ' or \"." : "")
    }

    func expectEnd(_ what: String) throws(SearchError) {
        if !scanner.atEnd { throw expected(what) }
    }

    private func advice() -> [SearchError] {
        var known: [KnownNames.Space: Set<String>] = [:]
        var advice: [SearchError] = []
        for mention in mentions {
            guard advice.count < SearchLimits.advice else { break }
            let names = known[mention.space] ?? Set(names(mention.space))
            known[mention.space] = names
            guard !names.isEmpty, !names.contains(mention.key) else { continue }
            let nearest =
                names.contains(mention.whole)
                ? mention.whole
                : NameSuggestion.nearest(to: mention.key, among: names).first
                    ?? NameResolution.likely(mention.key, in: mention.space, names)
            advice.append(
                fail(
                    .unknownName, "Unknown \(mention.space.rawValue) \(SearchError.quoted(mention.key))",
                    at: mention.place,
                    suggestion: nearest.map {
                        mention.space.prefix + Field.spelled($0, endsBeforePart: mention.space == .metric)
                    }, remedy: "No run of this search has it."))
        }
        return advice
    }
}

extension SearchError {
    static func badLimit(_ value: String, column: Int?, length: Int = 1) -> SearchError {
        SearchError(
            .limit, "LIMIT \(value) is not between 1 and \(SearchLimits.rows).", column: column, length: length,
            remedy: "Ask for the next page to see more.")
    }

    static func longOrder(column: Int?) -> SearchError {
        SearchError(
            .limit, "The order has more than \(SearchLimits.orderTerms) fields.", column: column,
            remedy: "Leave out those that seldom decide.")
    }
}
