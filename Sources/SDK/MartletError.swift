import MartletClient

/// Why something was not read: a code to branch on, a sentence for the reader, what to do about it.
public struct MartletError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: Hashable, Sendable {
        private enum Raw: Hashable, Sendable { case notFound, invalid, refused }
        private let raw: Raw
        private init(_ raw: Raw) { self.raw = raw }
        public static let notFound = Code(.notFound)
        /// The question is wrong.
        public static let invalid = Code(.invalid)
        /// The store said no, or could not be reached.
        public static let refused = Code(.refused)
    }

    public let code: Code
    public let message: String
    public let remedy: String?

    init(_ code: Code, _ message: String, remedy: String? = nil) {
        (self.code, self.message, self.remedy) = (code, message, remedy)
    }

    init(_ failure: ClientFailure) {
        switch failure.kind {
        case .notFound: code = .notFound
        case .usage: code = .invalid
        default: code = .refused
        }
        (message, remedy) = (failure.message, failure.remedy)
    }

    public var description: String { remedy.map { "\(message) \($0)" } ?? message }
}
