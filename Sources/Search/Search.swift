// Search: what a person or program asks of the runs, as a typed tree, and what that tree means.
//
// Text becomes a `Query` (a `Filter`, an order, a limit) through a dialect's parser: `Query.parse` reads Martlet's own
// language, other surfaces write their own parser onto the same tree. `CompiledFilter` and `SortOrder` define what a
// query means, one document at a time. An index may answer faster, leaf by leaf, but it asks the same
// `CompiledPredicate`, so the two cannot differ. This room knows no SQL, no store and no clock: `now` is an argument.

/// How much one search may ask for. Every refusal names its limit.
package enum SearchLimits {
    package static let textBytes = 64 * 1024
    package static let questionBytes = 4 * 1024
    /// Parentheses and NOTs around one condition.
    package static let depth = 100
    /// Conditions in one filter.
    package static let terms = 1000
    /// Values in one IN list.
    package static let listValues = 10_000
    /// Bytes of one pattern of LIKE, ILIKE or MATCHES.
    package static let patternBytes = 1024
    /// Regular expressions in one filter: each takes up to megabytes of machine code.
    package static let regexes = 32
    /// Ways through one text that a regular expression may try.
    package static let matchSteps: UInt32 = 100_000
    /// Rows of one answer.
    package static let rows = 10_000
    package static let orderTerms = 20
    /// Unknown names that an answer remarks on.
    package static let advice = 3
}
