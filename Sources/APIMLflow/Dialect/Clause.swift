import MartletDomain
import MartletSearch

/// One condition of MLflow's filter language, as read: what it looks at, how, and against what.
///
///     filter := [ clause { AND clause } ]          no OR, no NOT, no parentheses around conditions
///     clause := [entity "."] key operator value
///
/// The five searches of the protocol share the words and differ in which entities, keys and operators they take, so a
/// search checks that for itself and gives the tree of `Search` its leaves.
struct Clause: Equatable {
    enum Entity: String { case metric, parameter, tag, attribute, dataset }

    enum Operator: String {
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case like = "LIKE"
        case ilike = "ILIKE"
        case rlike = "RLIKE"
        case among = "IN"
        case notAmong = "NOT IN"
        case isNull = "IS NULL"
        case isNotNull = "IS NOT NULL"

        var comparison: Comparison? { Comparison(rawValue: rawValue) }
    }

    enum Value: Equatable {
        /// Without its quotes, and as it was written.
        case text(String, written: String)
        case number(String)
        case list([String], written: String)
        /// A word without quotes, which no field takes.
        case word(String)
        case nothing
    }

    var entity: Entity
    /// As it was written; what it means is for the search to say.
    var writtenEntity: String
    var key: String
    var comparator: Operator
    var value: Value

    static let numberOperators: Set<Operator> = [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual]
    static let textOperators: Set<Operator> = [.equal, .notEqual, .like, .ilike]
    static let listOperators: Set<Operator> = [.among, .notAmong]
    static let nullOperators: Set<Operator> = [.isNull, .isNotNull]

    /// The entities that a run's field may begin with; a key alone is an attribute.
    static let entities: [String: Entity] = [
        "metric": .metric, "metrics": .metric,
        "parameter": .parameter, "parameters": .parameter, "param": .parameter, "params": .parameter,
        "tag": .tag, "tags": .tag,
        "attribute": .attribute, "attributes": .attribute, "attr": .attribute, "run": .attribute,
        "dataset": .dataset, "datasets": .dataset,
    ]

    func require(_ allowed: Set<Operator>) throws(Refusal) {
        guard !allowed.contains(comparator) else { return }
        if Clause.nullOperators.contains(comparator) {
            throw .mlflow(
                "IS NULL / IS NOT NULL is only supported for tags and params, not for '\(entity.rawValue)' '\(key)'")
        }
        let valid = allowed.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")
        throw .mlflow("Invalid comparator '\(comparator.rawValue)' not one of '{\(valid)}'")
    }

    // MARK: Leaves

    /// A text compared as text, never as the number that it may spell.
    func textCondition() throws(Refusal) -> Condition {
        switch (comparator, value) {
        case (.isNull, _): return .exists(false)
        case (.isNotNull, _): return .exists(true)
        case (.among, .list(let values, _)): return .among(values.map { .exactText($0) }, negated: false)
        case (.notAmong, .list(let values, _)): return .among(values.map { .exactText($0) }, negated: true)
        case (.like, .text(let pattern, _)): return Clause.like(pattern, ignoringCase: false)
        case (.ilike, .text(let pattern, _)): return Clause.like(pattern, ignoringCase: true)
        case (.rlike, .text(let pattern, _)): return .matches(pattern, negated: false)
        case (_, .text(let text, _)):
            if let comparison = comparator.comparison { return .compare(comparison, .exactText(text)) }
        case (_, .word(let word)): throw Clause.unquoted(word)
        case (_, .number(let number)):
            throw .mlflow(
                "Expected a quoted string value for \(entity.rawValue) (e.g. 'my-value'). Got value \(number)")
        default: break
        }
        throw .mlflow("Invalid comparison clause for \(entity.rawValue) '\(key)'")
    }

    /// MLflow's LIKE has no escape: a backslash is a backslash.
    private static func like(_ pattern: String, ignoringCase: Bool) -> Condition {
        var escaped = ""
        for character in pattern {
            if character == "\\" { escaped += "\\" }
            escaped.append(character)
        }
        return .like(escaped, ignoringCase: ignoringCase, negated: false)
    }

    static func unquoted(_ word: String) -> Refusal {
        .mlflow(
            "Parameter value is either not quoted or unidentified quote types used for string value \(word). Use either single or double quotes."
        )
    }

    func numberCondition(_ what: String) throws(Refusal) -> Condition {
        guard let comparison = comparator.comparison, case .number(let text) = value,
            let number = NumberLiteral(text)
        else { throw notANumber(what) }
        return .compare(comparison, .number(number))
    }

    /// A moment in milliseconds. The store keeps microseconds, so equal means within that millisecond.
    func timeCondition(_ what: String) throws(Refusal) -> Condition {
        guard let comparison = comparator.comparison, case .number(let text) = value,
            let millis = Int64(text) ?? Double(text).flatMap({ Int64(exactly: $0.rounded(.down)) })
        else { throw notANumber(what) }
        let begin = Literal.time(.fixed(Timestamp(millis: millis).micros))
        let next = Literal.time(.fixed(Timestamp(millis: millis == .max ? .max : millis + 1).micros))
        let last = Literal.time(.fixed(Timestamp(millis: millis).micros + 999))
        switch comparison {
        case .equal: return .between(begin, last, negated: false)
        case .notEqual: return .between(begin, last, negated: true)
        case .less: return .compare(.less, begin)
        case .lessOrEqual: return .compare(.less, next)
        case .greater: return .compare(.greaterOrEqual, next)
        case .greaterOrEqual: return .compare(.greaterOrEqual, begin)
        }
    }

    private func notANumber(_ what: String) -> Refusal {
        let found =
            switch value {
            case .text(_, let written), .number(let written), .list(_, let written), .word(let written): written
            case .nothing: "nothing"
            }
        return .mlflow("Expected numeric value type for \(what). Found \(found)")
    }
}

extension [Expression] {
    /// The conditions as one filter: all of them must hold.
    func filter() throws(Refusal) -> Filter {
        guard !isEmpty else { return .everything }
        do throws(SearchError) {
            return try Filter(.all(self))
        } catch {
            throw .mlflow(error.description)
        }
    }
}
