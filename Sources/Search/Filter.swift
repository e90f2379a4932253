/// What to look for: a tree of conditions, or everything.
package struct Filter: Hashable, Sendable {
    /// Nil finds every run.
    package let root: Expression?

    package static let everything = Filter()
    private init() { root = nil }

    /// Refuses a tree beyond the limits, so that no later step needs to fear its size.
    package init(_ root: Expression) throws(SearchError) {
        let terms = root.termCount
        guard terms <= SearchLimits.terms else { throw .tooManyTerms(column: nil) }
        guard root.depth <= SearchLimits.depth else { throw .tooDeep(column: nil) }
        self.root = root
        var regexes = 0
        for leaf in leaves {
            switch leaf.condition {
            case .among(let literals, _) where literals.count > SearchLimits.listValues: throw .longList(column: nil)
            case .like(let pattern, _, _) where pattern.utf8.count > SearchLimits.patternBytes,
                .matches(let pattern, _) where pattern.utf8.count > SearchLimits.patternBytes:
                throw .longPattern(pattern, column: nil)
            case .matches: regexes += 1
            default: break
            }
        }
        guard regexes <= SearchLimits.regexes else { throw .tooManyRegexes(column: nil) }
    }

    /// The conditions in the order in which they stand.
    package var leaves: [Predicate] {
        var found: [Predicate] = []
        root?.collect(into: &found)
        return found
    }

    /// Both at once, for a caller that narrows a person's filter to what that person may see.
    package func and(_ other: Filter) throws(SearchError) -> Filter {
        guard let root else { return other }
        guard let otherRoot = other.root else { return self }
        return try Filter(.all([root, otherRoot]))
    }
}

/// A tree of conditions. Build AND and OR with `all` and `any`, which keep them flat and never empty.
package indirect enum Expression: Hashable, Sendable {
    case predicate(Predicate)
    case and([Expression])
    case or([Expression])
    case not(Expression)

    package static func all(_ parts: [Expression]) -> Expression {
        precondition(!parts.isEmpty, "AND of nothing")
        var flat: [Expression] = []
        for part in parts {
            if case .and(let inner) = part { flat += inner } else { flat.append(part) }
        }
        return flat.count == 1 ? flat[0] : .and(flat)
    }

    package static func any(_ parts: [Expression]) -> Expression {
        precondition(!parts.isEmpty, "OR of nothing")
        var flat: [Expression] = []
        for part in parts {
            if case .or(let inner) = part { flat += inner } else { flat.append(part) }
        }
        return flat.count == 1 ? flat[0] : .or(flat)
    }

    fileprivate func collect(into found: inout [Predicate]) {
        switch self {
        case .predicate(let predicate): found.append(predicate)
        case .and(let parts), .or(let parts): for part in parts { part.collect(into: &found) }
        case .not(let part): part.collect(into: &found)
        }
    }

    var termCount: Int {
        switch self {
        case .predicate: 1
        case .and(let parts), .or(let parts): parts.reduce(0) { $0 + $1.termCount }
        case .not(let part): part.termCount
        }
    }

    /// The parentheses and NOTs around the innermost condition when the tree is written down.
    var depth: Int {
        switch self {
        case .predicate: 0
        case .and(let parts), .or(let parts): parts.reduce(0) { max($0, $1.depth + ($1.isGroup ? 1 : 0)) }
        case .not(let part): 1 + part.depth + (part.isGroup ? 1 : 0)
        }
    }

    var isGroup: Bool {
        switch self {
        case .and, .or: true
        case .predicate, .not: false
        }
    }
}

extension SearchError {
    static func tooManyTerms(column: Int?) -> SearchError {
        SearchError(
            .limit, "The filter has more than \(SearchLimits.terms) conditions.", column: column,
            remedy: "Use IN for a list of values, or search in parts.")
    }

    static func tooDeep(column: Int?) -> SearchError {
        SearchError(
            .limit, "The filter is nested more than \(SearchLimits.depth) deep.", column: column,
            remedy: "Take out parentheses that are not needed.")
    }

    static func longList(column: Int?) -> SearchError {
        SearchError(
            .limit, "The list has more than \(SearchLimits.listValues) values.", column: column,
            remedy: "Search in parts, or by a tag that the runs share.")
    }

    static func longPattern(_ pattern: String, column: Int?) -> SearchError {
        SearchError(
            .limit, "The pattern has \(pattern.utf8.count) bytes, more than \(SearchLimits.patternBytes).",
            column: column, length: pattern.count + 2, remedy: "Look for a shorter piece of it.")
    }

    static func tooManyRegexes(column: Int?) -> SearchError {
        SearchError(
            .limit, "The filter has more than \(SearchLimits.regexes) regular expressions.", column: column,
            remedy: "Join them with “|”, or use LIKE.")
    }
}
