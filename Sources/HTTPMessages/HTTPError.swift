/// A request that cannot be understood or accepted, with the status that says so.
package struct HTTPError: Error, Hashable, Sendable, CustomStringConvertible {
    package let status: Status
    /// A word to branch on, `bad_target`.
    package let code: String
    package let message: String
    package let remedy: String

    package init(_ status: Status, _ code: String, _ message: String, remedy: String) {
        self.status = status
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    package var description: String { "\(message) \(remedy)" }
}
