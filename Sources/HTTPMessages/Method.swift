/// A request's verb. A struct, so that a verb nobody has heard of is still a value and can be answered with 405.
package struct Method: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    package static let get = Method(rawValue: "GET")
    package static let head = Method(rawValue: "HEAD")
    package static let post = Method(rawValue: "POST")
    package static let put = Method(rawValue: "PUT")
    package static let patch = Method(rawValue: "PATCH")
    package static let delete = Method(rawValue: "DELETE")
    package static let options = Method(rawValue: "OPTIONS")

    /// GET, HEAD and OPTIONS promise to change nothing.
    package var isSafe: Bool { self == .get || self == .head || self == .options }
    package var description: String { rawValue }
}
