/// One condition on one field: a leaf of the tree.
package struct Predicate: Hashable, Sendable {
    package var field: Field
    package var condition: Condition

    package init(_ field: Field, _ condition: Condition) {
        self.field = field
        self.condition = condition
    }
}

package enum Comparison: String, Hashable, Sendable, CaseIterable {
    case equal = "="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
}

/// The operator and its operand in one, so that a list cannot stand beside `<`.
///
/// The negated forms are not the same as NOT around the plain ones: they ask for a value that is there and differs,
/// while NOT turns any verdict round, that on a missing key included.
package enum Condition: Hashable, Sendable {
    case compare(Comparison, Literal)
    case among([Literal], negated: Bool)
    case between(Literal, Literal, negated: Bool)
    /// `%` any text, `_` one character, a backslash takes the next character as it is.
    case like(String, ignoringCase: Bool, negated: Bool)
    /// A regular expression found anywhere in the text.
    case matches(String, negated: Bool)
    /// EXISTS and IS NOT NULL, or with false IS NULL.
    case exists(Bool)
    case isNaN(Bool)
}

/// A value in a filter, of the type that its field asks for.
package enum Literal: Hashable, Sendable {
    case number(NumberLiteral)
    /// Quoted text, which beside typed text still compares as a number when it is one.
    case text(String)
    /// Text that is never taken for a number: `text('1.10')` is not `1.1`.
    case exactText(String)
    case time(TimeValue)
}

/// A number with its spelling, because 64-bit seeds do not fit a Double.
package struct NumberLiteral: Hashable, Sendable {
    package let value: Double
    package let text: String

    /// Nil for NaN: nothing compares with it.
    package init?(_ value: Double) {
        guard !value.isNaN else { return nil }
        self.value = value
        text = value == .infinity ? "inf" : value == -.infinity ? "-inf" : "\(value)"
    }

    /// Nil when the text is not a number that fits a Double.
    package init?(_ text: String) {
        guard let value = NumberText.parse(text) else { return nil }
        self.value = value
        self.text = text
    }
}

/// A moment, fixed or counted from the moment of the search; microseconds.
package enum TimeValue: Hashable, Sendable {
    case fixed(Int64)
    case fromNow(Int64)

    package func moment(now: Int64) -> Int64 {
        switch self {
        case .fixed(let moment): moment
        case .fromNow(let offset): now.addingReportingOverflow(offset).overflow ? now : now + offset
        }
    }
}
