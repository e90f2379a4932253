package import MartletDomain

/// What could not be done with a store, in a sentence for whoever asked.
package struct ClientFailure: Error, Equatable {
    package enum Kind: Sendable {
        /// The question itself is wrong; nothing was done.
        case usage
        case notFound
        /// The other side said no, or could not be reached; trying again later may help.
        case refused
    }

    package var kind: Kind
    package var message: String
    package var remedy: String?

    package init(_ kind: Kind, _ message: String, remedy: String? = nil) {
        (self.kind, self.message, self.remedy) = (kind, message, remedy)
    }

    package init(_ refusal: Refusal) {
        let kind: Kind =
            switch refusal.code {
            case .notFound, .purged: .notFound
            case .invalid, .malformed: .usage
            default: .refused
            }
        self.init(kind, refusal.message, remedy: refusal.remedy.isEmpty ? nil : refusal.remedy)
    }

    package static func noStore(_ path: String) -> ClientFailure {
        ClientFailure(
            .notFound, "There is no store at \(path) yet.",
            remedy: "Log a first run, or name another store with --uri FOLDER or --uri http://HOST:PORT.")
    }
}
