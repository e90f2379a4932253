/// What a filter looks at: a run, wherever it is kept.
package protocol SearchDocument {
    func value(of field: Field) -> SearchValue
}

/// What a document has in one field.
package enum SearchValue: Hashable, Sendable {
    case missing
    /// A key without a value: a tag from a list.
    case flag
    /// A metric, a count, a duration in seconds; NaN and the infinities as they are.
    case number(Double)
    /// Microseconds since 1970, UTC.
    case time(Int64)
    /// In a param or tag it counts as a number when `NumberText` says so.
    case text(String)
    /// A param whose number the document already knows, as `NumberText` reads it.
    case typedText(String, Double?)
    /// Several at once (a run's datasets): a condition holds when it holds for one of them, an order takes the first.
    case several([SearchValue])
}

/// What a search needs to know of the world.
package struct EvaluationContext: Sendable {
    /// Microseconds since 1970; the only `now` that a search has.
    package var now: Int64
    /// When the whole search gives up; nil for never.
    package var deadline: ContinuousClock.Instant?
    /// The one spelling of a word with synonyms (`done` → `finished`) or of an id (`run_03` → the full one).
    ///
    /// Asked for the values in the filter of `state`, `status`, `life` and `id`, and for the documents' own states,
    /// statuses and lives, so asking twice must change nothing. A word that it does not know comes back as it is.
    package var canonical: @Sendable (Field, String) -> String

    package init(
        now: Int64, deadline: ContinuousClock.Instant? = nil,
        canonical: @escaping @Sendable (Field, String) -> String = { $1 }
    ) {
        self.now = now
        self.deadline = deadline
        self.canonical = canonical
    }
}

extension SearchError {
    static let deadlinePassed = SearchError(
        .deadline, "The search took longer than it may.",
        remedy: "Narrow it by experiment or time, or put a simpler condition beside the pattern.")
}
