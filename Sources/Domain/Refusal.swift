/// Why something was not done: a code to branch on, a sentence for the reader, what to do about it.
///
/// One type from the store to the surfaces, so that nothing is lost on the way and each surface maps it once.
package struct Refusal: Error, Equatable, Sendable, CustomStringConvertible {
    package struct Code: Hashable, Sendable {
        private enum Raw: Hashable {
            case notFound, conflict, ambiguous, invalid, malformed, limit, tooLarge, busy, locked, full, readOnly
            case damaged, newerFormat, io, purged, outOfOrder, closed, unsupported, unauthenticated, forbidden
            case tooSlow
        }
        private let raw: Raw
        private init(_ raw: Raw) { self.raw = raw }
        package static let notFound = Code(.notFound)
        package static let conflict = Code(.conflict)
        /// An id that more than one thing answers to; `candidates` names them.
        package static let ambiguous = Code(.ambiguous)
        /// Understood, and wrong.
        package static let invalid = Code(.invalid)
        /// Not understood.
        package static let malformed = Code(.malformed)
        package static let limit = Code(.limit)
        package static let tooLarge = Code(.tooLarge)
        /// Too much is queued, or the journal is over its high mark: come again later.
        package static let busy = Code(.busy)
        /// Another process holds the lock.
        package static let locked = Code(.locked)
        package static let full = Code(.full)
        package static let readOnly = Code(.readOnly)
        package static let damaged = Code(.damaged)
        package static let newerFormat = Code(.newerFormat)
        package static let io = Code(.io)
        /// The id was deleted for good.
        package static let purged = Code(.purged)
        /// A logbook's line came before its predecessor; `expected` says which one is next.
        package static let outOfOrder = Code(.outOfOrder)
        package static let closed = Code(.closed)
        package static let unsupported = Code(.unsupported)
        package static let unauthenticated = Code(.unauthenticated)
        package static let forbidden = Code(.forbidden)
        /// A search ran into its deadline.
        package static let tooSlow = Code(.tooSlow)

        package var word: String { "\(raw)" }
    }

    package var code: Code
    package var message: String
    package var remedy: String
    /// The field of a request that is at fault, where there is one.
    package var field: String?
    /// What the layer below said; for the log alone.
    package var cause: String?
    package var expected: Int64?
    /// What may have been meant: ids, names.
    package var candidates: [String]
    /// Where in a filter, from 1.
    package var column: Int?

    package init(
        _ code: Code, _ message: String, remedy: String, field: String? = nil, cause: String? = nil,
        expected: Int64? = nil, candidates: [String] = [], column: Int? = nil
    ) {
        (self.code, self.message, self.remedy) = (code, message, remedy)
        (self.field, self.cause, self.expected) = (field, cause, expected)
        (self.candidates, self.column) = (candidates, column)
    }

    package var description: String { cause.map { "\(message) (\($0))" } ?? message }
}
