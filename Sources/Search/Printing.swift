// The tree as text in Martlet's own language. Printing and parsing are each other's inverse: what is printed parses to
// the same tree, which a test holds for random trees.

extension Filter: CustomStringConvertible {
    /// Empty when it finds everything.
    package var description: String { root?.description ?? "" }
}

extension Query: CustomStringConvertible {
    package var description: String {
        var parts: [String] = []
        if let root = filter.root { parts.append(root.description) }
        if !order.isEmpty { parts.append("ORDER BY " + order.map(\.description).joined(separator: ", ")) }
        if let limit { parts.append("LIMIT \(limit)") }
        return parts.joined(separator: " ")
    }
}

extension OrderTerm: CustomStringConvertible {
    package var description: String { isDescending ? "\(field) DESC" : "\(field)" }
}

extension Expression: CustomStringConvertible {
    package var description: String {
        func inParentheses(_ part: Expression) -> String { part.isGroup ? "(\(part))" : part.description }
        return switch self {
        case .predicate(let predicate): predicate.description
        case .and(let parts): parts.map(inParentheses).joined(separator: " AND ")
        case .or(let parts): parts.map(inParentheses).joined(separator: " OR ")
        case .not(let part): "NOT \(inParentheses(part))"
        }
    }
}

extension Predicate: CustomStringConvertible {
    package var description: String { "\(field) \(condition)" }
}

extension Condition: CustomStringConvertible {
    package var description: String {
        func not(_ isNegated: Bool) -> String { isNegated ? "NOT " : "" }
        return switch self {
        case .compare(let comparison, let literal): "\(comparison.rawValue) \(literal)"
        case .among(let literals, let negated):
            "\(not(negated))IN (\(literals.map(\.description).joined(separator: ", ")))"
        case .between(let low, let high, let negated): "\(not(negated))BETWEEN \(low) AND \(high)"
        case .like(let pattern, let ignoringCase, let negated):
            "\(not(negated))\(ignoringCase ? "ILIKE" : "LIKE") \(Literal.quoted(pattern))"
        case .matches(let pattern, let negated): "\(not(negated))MATCHES \(Literal.quoted(pattern))"
        case .exists(let wanted): wanted ? "EXISTS" : "IS NULL"
        case .isNaN(let wanted): wanted ? "IS NAN" : "IS NOT NAN"
        }
    }
}

extension Literal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .number(let number): number.text
        case .text(let text): Literal.quoted(text)
        case .exactText(let text): "text(\(Literal.quoted(text)))"
        case .time(.fixed(let moment)): CalendarTime.print(moment)
        case .time(.fromNow(0)): "now()"
        case .time(.fromNow(let offset)):
            offset < 0 ? "ago(\(DurationText.print(-offset)))" : "now() + \(DurationText.print(offset))"
        }
    }

    static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}

extension Field: CustomStringConvertible {
    package var description: String {
        let own =
            switch name {
            case .attribute(let attribute): attribute.rawValue
            case .param(let key): "params.\(Field.spelled(key))"
            case .tag(let key): "tags.\(Field.spelled(key))"
            case .metric(let key, .latest): "metrics.\(Field.spelled(key, endsBeforePart: true))"
            case .metric(let key, let part): "metrics.\(Field.spelled(key)).\(part.word)"
            case .other(let name, _): name
            case .dataset(let part): "dataset.\(part.rawValue)"
            }
        return relation == .run ? own : "\(relation.rawValue).\(own)"
    }

    /// A key as it must be written: bare where it reads back as itself, else in backticks.
    static func spelled(_ key: String, endsBeforePart: Bool = false) -> String {
        let pieces = key.split(separator: ".", omittingEmptySubsequences: false)
        let looksLikePart =
            endsBeforePart && pieces.count > 1 && pieces.last.map { MetricPart.words[String($0)] != nil } == true
        if !looksLikePart, pieces.allSatisfy(Scanner.isPlainPiece) { return key }
        return "`" + key.split(separator: "`", omittingEmptySubsequences: false).joined(separator: "``") + "`"
    }
}

extension MetricPart {
    var word: String {
        switch self {
        case .latest: "last"
        case .min: "min"
        case .max: "max"
        case .first: "first"
        case .mean: "mean"
        case .count: "count"
        case .at(let step): "at(\(step))"
        }
    }
}
