/// What a condition looks at: a field of the run, or of something that the run belongs to.
package struct Field: Hashable, Sendable {
    package var relation: Relation
    package var name: Name

    package init(_ name: Name, of relation: Relation = .run) {
        self.relation = relation
        self.name = name
    }

    package enum Relation: String, Hashable, Sendable, CaseIterable {
        case run, parent, experiment, project
    }

    package enum Name: Hashable, Sendable {
        case attribute(Attribute)
        case param(String)
        case tag(String)
        case metric(String, MetricPart)
        case dataset(DatasetPart)
        /// An attribute of a document that is no run, by its name in that document's `Vocabulary`. Runs have none.
        case other(String, FieldKind)
    }

    package static func attribute(_ attribute: Attribute) -> Field { Field(.attribute(attribute)) }
    package static func param(_ key: String) -> Field { Field(.param(key)) }
    package static func tag(_ key: String) -> Field { Field(.tag(key)) }
    package static func metric(_ key: String, _ part: MetricPart = .latest) -> Field { Field(.metric(key, part)) }
}

/// Which number of a series is meant.
///
/// `metrics.loss` and `metrics.loss.last` are one thing, the latest value. A part is the last, unquoted piece of a
/// dotted name that has a key before it, in lower case: `metrics.a.min` is the minimum of `a`, `metrics.min` is a
/// metric called `min`, and a metric called `a.min` is ``metrics.`a.min` ``. What runs have logged never changes this.
package enum MetricPart: Hashable, Sendable {
    case latest, min, max, first, mean, count
    /// The value at a step.
    case at(Int64)

    static let words: [String: MetricPart] = [
        "last": .latest, "min": .min, "max": .max, "first": .first, "mean": .mean, "count": .count,
    ]
}

package enum DatasetPart: String, Hashable, Sendable, CaseIterable {
    case name, version, digest, context
}

/// What a field holds, which decides what it may be compared with.
package enum FieldKind: Hashable, Sendable {
    /// Floating point, NaN among them.
    case number
    /// Text that compares as a number where both sides are numbers.
    case typedText
    case text
    /// A word with synonyms; see `EvaluationContext.canonical`.
    case word
    /// An id; the caller may resolve short ids through `EvaluationContext.canonical`.
    case identity
    /// Microseconds since 1970, UTC.
    case time
    /// Seconds.
    case duration
    /// `true` or `false`.
    case truth
}

extension FieldKind {
    var isText: Bool {
        switch self {
        case .typedText, .text, .word, .identity: true
        case .number, .time, .duration, .truth: false
        }
    }
}

extension Field {
    package var kind: FieldKind {
        switch name {
        case .attribute(let attribute): attribute.kind
        case .other(_, let kind): kind
        case .param, .tag, .dataset(.version): .typedText
        case .metric: .number
        case .dataset: .text
        }
    }
}
