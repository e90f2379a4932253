extension NativeParser {
    /// Reads a field name: an attribute, or a prefix and a key, behind a relation if there is one.
    mutating func field(
        _ what: String = "a condition", after previous: String? = nil
    ) throws(SearchError) -> Field {
        if sentence == nil, scanner.isFigure { throw valueFirst }
        let path: Scanner.Path
        switch scanner.path(joinsPrefix: sentence != nil) {
        case .path(let found): path = found
        case .broken(let place):
            throw fail(
                .syntax, "A name is missing or not closed", at: place,
                remedy: "Put an odd name in backticks: metrics.`a b`; a backtick inside it is doubled.")
        case .none:
            if let mark = scanner.next, mark == UInt8(ascii: "'") || mark == UInt8(ascii: "\"") || scanner.isFigure {
                throw valueFirst
            }
            if let place = scanner.sign("!") {
                throw fail(.syntax, "“!” is not part of the language", at: place, suggestion: "NOT", remedy: "")
            }
            throw expected(what, after: previous)
        }
        if let vocabulary { return try self.field(in: vocabulary, path) }
        return try resolve(path)
    }

    private var valueFirst: SearchError {
        fail(
            .syntax, "A condition begins with a field, not with a value,", at: scanner.here,
            remedy: "Turn it round: metrics.acc > 0.9, not 0.9 < metrics.acc.")
    }

    private mutating func resolve(_ path: Scanner.Path) throws(SearchError) -> Field {
        var pieces = path.pieces[...]
        var relation = Field.Relation.run
        if pieces.count > 1, let first = pieces.first, !first.isQuoted,
            let found = Field.Relation(rawValue: first.text.lowercased())
        {
            relation = found
            pieces = pieces.dropFirst()
        }
        guard let first = pieces.first else { throw expected("a field") }
        let rest = pieces.dropFirst()
        let prefix = first.isQuoted ? "" : first.text.lowercased()
        guard !rest.isEmpty else {
            if let field = Attribute.field(spelled: first.text), relation == .run || field.relation == .run {
                return try onRelation(relation, field, path)
            }
            if relation == .run, let field = try sentenceField(path) { return field }
            if Self.prefixes[prefix] != nil {
                throw fail(
                    .unknownField, "\(SearchError.quoted(first.text)) needs a key", at: path.place,
                    remedy: "Write \(prefix).name.")
            }
            throw unknownAttribute(path, relation: relation)
        }
        switch Self.prefixes[prefix] {
        case .attribute:
            guard rest.count == 1, let piece = rest.first, let field = Attribute.field(spelled: piece.text) else {
                throw unknownAttribute(path, relation: relation)
            }
            return try onRelation(relation, field, path)
        case .dataset:
            guard rest.count == 1, let piece = rest.first, let part = DatasetPart(rawValue: piece.text.lowercased())
            else {
                throw fail(
                    .unknownField, "Unknown field \(SearchError.quoted(scanner.string(path.place)))", at: path.place,
                    remedy: "A dataset has \(DatasetPart.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            return try onRelation(relation, Field(.dataset(part)), path)
        case .key(let space): return try onRelation(relation, keyed(space, rest, relation, path), path)
        case nil:
            if relation != .run, Field.Relation(rawValue: prefix) != nil {
                throw fail(
                    .unknownField, "Relations go one step, unlike \(SearchError.quoted(scanner.string(path.place)))",
                    at: path.place, remedy: "Write parent.name or experiment.name.")
            }
            if relation == .run, let field = try sentenceField(path) { return field }
            throw unknownAttribute(path, relation: relation)
        }
    }

    /// The field that a key names, its part split off: the last piece, unquoted, with a key before it.
    private mutating func keyed(
        _ space: KnownNames.Space, _ pieces: ArraySlice<Scanner.Path.Piece>, _ relation: Field.Relation,
        _ path: Scanner.Path
    ) throws(SearchError) -> Field {
        let whole = pieces.map(\.text).joined(separator: ".")
        var key = whole
        var field = space == .param ? Field.param(key) : .tag(key)
        if space == .metric {
            var part = MetricPart.latest
            if pieces.count > 1, let last = pieces.last, !last.isQuoted {
                let found: MetricPart?
                if last.text == "at", scanner.position == last.place.upperBound, scanner.sign("(") != nil {
                    found = .at(try step())
                } else {
                    found = MetricPart.words[last.text]
                }
                if let found {
                    part = found
                    key = pieces.dropLast().map(\.text).joined(separator: ".")
                }
            }
            field = .metric(key, part)
        }
        if relation == .run { mentions.append(Mention(space: space, key: key, whole: whole, place: path.place)) }
        return field
    }

    private mutating func step() throws(SearchError) -> Int64 {
        let start = scanner.position
        let isNegative = scanner.sign("-") != nil
        guard case .number(let digits, let place)? = scanner.figure() else { throw expected("a step") }
        guard let step = Int64((isNegative ? "-" : "") + digits) else {
            throw fail(
                .wrongValue, "A step is a whole number, not \(digits),", at: start..<place.upperBound,
                remedy: "Write metrics.loss.at(100).")
        }
        guard scanner.sign(")") != nil else { throw expected("“)” after the step") }
        return step
    }

    private func onRelation(
        _ relation: Field.Relation, _ field: Field, _ path: Scanner.Path
    ) throws(SearchError) -> Field {
        guard relation != .run else { return field }
        let exists =
            switch field.name {
            case .attribute(let attribute): attribute.exists(on: relation)
            case .tag: true
            case .other: false
            case .param, .metric, .dataset: relation == .parent
            }
        guard exists, field.relation == .run else {
            let has = Attribute.allCases.filter { $0.exists(on: relation) }.map(\.rawValue).joined(separator: ", ")
            let written = SearchError.quoted(scanner.string(path.place))
            let what =
                relation == .parent ? "A parent has no field" : "\(relation.rawValue.capitalizedFirst)s have no field"
            throw fail(
                .unknownField, "\(what) \(written)", at: path.place,
                remedy: relation == .parent ? "Relations go one step: parent.name." : "They have \(has) and tags.")
        }
        return Field(field.name, of: relation)
    }

    private func unknownAttribute(_ path: Scanner.Path, relation: Field.Relation) -> SearchError {
        let pieces = relation == .run ? path.pieces[...] : path.pieces.dropFirst()
        let written = pieces.map(\.text).joined(separator: ".")
        let front = relation == .run ? "" : relation.rawValue + "."
        var candidates: [String] = []
        if relation == .run {
            for space in KnownNames.Space.allCases where names(space).contains(written) {
                candidates.append(space.prefix + Field.spelled(written, endsBeforePart: space == .metric))
            }
        }
        if candidates.isEmpty, pieces.count > 1, let first = pieces.first {
            let key = pieces.dropFirst().map { Field.spelled($0.text) }.joined(separator: ".")
            candidates = NameSuggestion.nearest(to: first.text, among: Self.prefixes.keys.sorted()).map {
                "\($0).\(key)"
            }
        }
        if candidates.isEmpty {
            candidates = NameSuggestion.nearest(
                to: written, among: Attribute.allCases.filter { $0.exists(on: relation) }.map(\.rawValue))
        }
        if candidates.isEmpty, relation == .run {
            candidates = NameSuggestion.nearest(to: written, among: Attribute.otherSpellings)
        }
        if candidates.isEmpty, relation == .run {
            for space in KnownNames.Space.allCases {
                let known = names(space)
                let near = NameSuggestion.nearest(to: written, among: known)
                let likely = near.isEmpty ? NameResolution.likely(written, in: space, known) : nil
                candidates += (near + [likely].compactMap(\.self)).map {
                    space.prefix + Field.spelled($0, endsBeforePart: space == .metric)
                }
            }
        }
        if candidates.isEmpty, relation != .project, relation != .experiment {
            candidates = ["metrics.", "params."].map { $0 + Field.spelled(written) }
        }
        candidates = candidates.prefix(3).map { front + $0 }
        var error = fail(
            .unknownField, "Unknown attribute \(SearchError.quoted(front + written))", at: path.place,
            remedy: "Metrics, params and tags have a prefix: metrics.loss, params.lr, tags.team.")
        if let first = candidates.first {
            error.message += " Did you mean \(NameSuggestion.list(candidates))?"
            error.suggestion = first
        }
        return error
    }

    /// In a sentence, the metric, param or tag that a bare name stands for.
    private func sentenceField(_ path: Scanner.Path) throws(SearchError) -> Field? {
        guard let sentence else { return nil }
        return try sentenceField(path.pieces.map(\.text).joined(separator: "."), at: path.place, in: sentence)
    }

    private enum Prefix {
        case attribute, dataset
        case key(KnownNames.Space)
    }

    private static let prefixes: [String: Prefix] = [
        "metrics": .key(.metric), "metric": .key(.metric), "params": .key(.param), "param": .key(.param),
        "parameters": .key(.param), "parameter": .key(.param), "tags": .key(.tag), "tag": .key(.tag),
        "dataset": .dataset, "datasets": .dataset, "attributes": .attribute, "attribute": .attribute,
        "attr": .attribute,
    ]
}

extension Scanner {
    /// Whether a number could begin here.
    var isFigure: Bool {
        guard let next else { return false }
        return next &- 0x30 < 10 || next == UInt8(ascii: "-") || next == UInt8(ascii: ".")
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
