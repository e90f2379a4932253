/// A question in words, as a person asks it at the command line.
///
/// `best val_accuracy where algorithm=Ridge`, `All runs where test_acc > 0.83`, `Compare run_02 vs run_03`: a few
/// fixed sentences, with the filter language behind `where`. There names need no prefix, words need no quotes, and a
/// comma is AND.
package struct Question: Sendable {
    package enum Kind: Hashable, Sendable {
        /// The best run by one metric; without a mode the metric's own goal decides.
        case best(metric: Field, mode: Mode?, filter: Filter)
        case all(filter: Filter, order: [OrderTerm], limit: Int?)
        /// Ids as written, at least two.
        case compare([String])
    }

    package enum Mode: String, Hashable, Sendable {
        case max, min
    }

    /// A name that was not written out, and what it was taken for: the answer must say so.
    package struct Taken: Hashable, Sendable {
        package var asked: String
        package var field: Field
    }

    package var kind: Kind
    package var taken: [Taken]

    package static func parse(_ text: String, names: KnownNames) throws(SearchError) -> Question {
        guard text.utf8.count <= SearchLimits.questionBytes else {
            throw SearchError(
                .limit, "The question has \(text.utf8.count) bytes, more than \(SearchLimits.questionBytes).",
                remedy: "A filter may be longer.")
        }
        let sentence = SentenceNames(names)
        var end = text[...]
        while let last = end.last, last.isWhitespace || "?.!".contains(last) { end.removeLast() }
        var parser = try NativeParser(String(end), names: names, sentence: sentence)
        let kind = try parser.question(sentence)
        return Question(kind: kind, taken: sentence.taken.map { Taken(asked: $0.asked, field: $0.field) })
    }
}

extension NativeParser {
    fileprivate mutating func question(_ sentence: SentenceNames) throws(SearchError) -> Question.Kind {
        skip(["WHICH", "WHAT", "IS", "ARE", "SHOW", "ME", "FIND", "GIVE", "LIST", "GET", "THE"])
        if scanner.keyword("COMPARE") != nil { return .compare(try ids()) }
        let start = scanner.position
        let saysAll = skip(["ALL", "EVERY"])
        let saysRuns = skip(["RUNS", "RUN"])
        let has = skip(["HAS", "HAVE", "HAD"])
        skip(["THE"])
        let modes: [(words: [String], mode: Question.Mode?)] = [
            (["BEST"], nil), (["HIGHEST", "MAXIMUM", "MAX", "LARGEST", "GREATEST"], .max),
            (["LOWEST", "MINIMUM", "MIN", "SMALLEST", "LEAST"], .min),
        ]
        for (words, mode) in modes where skip(words) { return try best(mode, sentence) }
        guard saysAll || saysRuns, !has else {
            scanner.rewind(to: start)
            var error = expected("“best”, “all runs” or “compare”")
            error.remedy =
                "Ask “best val_accuracy where algorithm=Ridge”, “all runs where test_acc > 0.83” or "
                + "“compare run_02 vs run_03”."
            throw error
        }
        if !scanner.atEnd, !scanner.isKeyword("ORDER"), !scanner.isKeyword("LIMIT") {
            try skipWhere()
            if scanner.atEnd { throw expected("a condition", after: "“where”") }
        }
        let query = try query()
        return .all(filter: query.filter, order: query.order, limit: query.limit)
    }

    private mutating func best(
        _ mode: Question.Mode?, _ sentence: SentenceNames
    ) throws(SearchError) -> Question.Kind {
        if skip(["RUN", "RUNS"]) { skip(["BY", "FOR", "ON", "IN"]) }
        let start = scanner.position
        guard !scanner.atEnd else { throw expected("a metric") }
        let metric: Field
        var ahead = scanner
        if case .path(let path) = ahead.path(joinsPrefix: true), path.pieces.count == 1 {
            scanner = ahead
            metric = try sentenceField(path.pieces[0].text, at: path.place, in: sentence, spaces: [.metric])
        } else {
            metric = try field()
        }
        guard case .metric = metric.name, metric.relation == .run else {
            throw fail(
                .wrongValue, "Best needs a metric, not \(metric),", at: start..<scanner.lastPlaceEnd(after: start),
                remedy: "Write metrics.name.")
        }
        skip(["RUN", "RUNS"])
        guard !scanner.atEnd else { return .best(metric: metric, mode: mode, filter: .everything) }
        try skipWhere()
        let filter = try Filter(expression())
        try expectEnd("AND, OR or the end")
        return .best(metric: metric, mode: mode, filter: filter)
    }

    private mutating func skipWhere() throws(SearchError) {
        guard skip(["WHERE", "WITH", "WHEN", "IF", "FOR", "WHOSE", "THAT"]) else { throw expected("“where”") }
        skip(["HAVE", "HAS"])
    }

    private mutating func ids() throws(SearchError) -> [String] {
        let between: Set<String> = ["run", "runs", "the", "versus", "vs", "with", "and", "to", "against"]
        var ids: [String] = []
        repeat {
            if let (text, _) = try quotedText() {
                ids.append(text)
            } else if let word = scanner.word(joinedBy: Scanner.joints + ".") {
                if !between.contains(word.text.lowercased()) { ids.append(word.text) }
            } else if scanner.sign(",") == nil, scanner.sign(".") == nil {
                throw expected("a run", after: ids.last.map { SearchError.quoted($0) } ?? "“compare”")
            }
        } while !scanner.atEnd
        guard ids.count > 1 else { throw expected("two runs to compare") }
        return ids
    }

    @discardableResult
    private mutating func skip(_ words: [String]) -> Bool {
        var found = false
        while let _ = words.first(where: { scanner.keyword($0) != nil }) { found = true }
        return found
    }
}
