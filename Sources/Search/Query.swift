/// A whole search: what to find, in which order, and how much of it.
package struct Query: Sendable {
    package var filter: Filter
    package var order: [OrderTerm]
    package var limit: Int?
    /// What is not wrong but is probably not meant, such as a metric that no run has.
    package var advice: [SearchError] = []

    package init(filter: Filter = .everything, order: [OrderTerm] = [], limit: Int? = nil) {
        self.filter = filter
        self.order = order
        self.limit = limit
    }
}

package struct OrderTerm: Hashable, Sendable {
    package var field: Field
    package var isDescending: Bool
    /// Params and tags in the order of their letters, numbers too: what other trackers' clients expect.
    package var asText: Bool

    package init(_ field: Field, descending: Bool = false, asText: Bool = false) {
        self.field = field
        isDescending = descending
        self.asText = asText
    }

    /// What the field is taken for here.
    package var kind: FieldKind { asText && field.kind == .typedText ? .text : field.kind }
}

/// The names that runs have logged, for suggestions and for questions; asked only when they are needed.
package struct KnownNames: Sendable {
    package enum Space: String, Hashable, Sendable, CaseIterable {
        case metric, param, tag

        /// How a field of this space begins.
        package var prefix: String { rawValue + "s." }
    }

    private let names: @Sendable (Space) -> [String]

    package init(_ names: @escaping @Sendable (Space) -> [String]) { self.names = names }

    package static let none = KnownNames { _ in [] }

    package func callAsFunction(_ space: Space) -> [String] { names(space) }
}
