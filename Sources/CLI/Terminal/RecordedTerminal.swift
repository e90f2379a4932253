internal import Synchronization

/// A terminal that only remembers: for tests, and for a command whose text another command wants.
package final class RecordedTerminal: Terminal {
    package let environment: [String: String]
    private let columns: Int?
    private let texts = Mutex<[TerminalStream: String]>([:])

    /// With columns it is a window, without it is a pipe.
    package init(columns: Int? = nil, environment: [String: String] = [:]) {
        (self.columns, self.environment) = (columns, environment)
    }

    package func isTerminal(_ stream: TerminalStream) -> Bool { columns != nil }
    package func windowColumns(_ stream: TerminalStream) -> Int? { columns }

    package func write(_ text: String, to stream: TerminalStream) {
        texts.withLock { $0[stream, default: ""] += text }
    }

    package var output: String { texts.withLock { $0[.output] ?? "" } }
    package var errors: String { texts.withLock { $0[.error] ?? "" } }
}
