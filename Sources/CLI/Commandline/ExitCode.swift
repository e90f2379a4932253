package import MartletClient

/// What a shell script learns from us. Few, and fixed: scripts branch on them.
package struct ExitCode: Hashable, Sendable {
    package let rawValue: Int32
    private init(_ rawValue: Int32) { self.rawValue = rawValue }

    package static let good = ExitCode(0)
    /// The question was understood and the answer is no: a gate failed, a check found a fault, a list has open items.
    package static let no = ExitCode(1)
    /// The command line itself is wrong; nothing was done.
    package static let usage = ExitCode(2)
    package static let notFound = ExitCode(3)
    /// The other side said no, or could not be reached; trying again later may help.
    package static let refused = ExitCode(4)
}

/// An error that can speak for itself on the command line. Rooms below have errors of their own; the command
/// that calls them maps each once.
package protocol ExplainedError: Error {
    var message: String { get }
    var remedy: String? { get }
    var exitCode: ExitCode { get }
}

/// A command that could not do what it was asked: what became of its questions to the store.
package typealias CommandFailure = ClientFailure

extension ClientFailure: ExplainedError {
    package var exitCode: ExitCode {
        switch kind {
        case .usage: .usage
        case .notFound: .notFound
        case .refused: .refused
        }
    }
}

/// The command line cannot be understood.
package struct UsageError: ExplainedError, Equatable {
    package var message: String
    /// The command that was reached before it went wrong, as its path: `martlet runs list`.
    package var command: String
    /// Something better than the pointer to `--help`, when we know it.
    package var hint: String?
    package var exitCode: ExitCode { .usage }

    package var remedy: String? {
        let help = "See: \(command) --help"
        return hint.map { "\($0)\n\(help)" } ?? help
    }

    package init(_ message: String, command: String, hint: String? = nil) {
        (self.message, self.command, self.hint) = (message, command, hint)
    }
}
