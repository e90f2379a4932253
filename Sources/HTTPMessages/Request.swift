/// The head of a request, complete before anyone acts on it.
package struct Request: Sendable {
    package enum Version: Sendable, Hashable { case http10, http11 }

    package var method: Method
    package var target: Target
    package var version: Version
    package var headers: Headers
    /// The peer's address without its port, `127.0.0.1` or `::1`; empty when there is no socket.
    package var remoteAddress: String
    package var isTLS: Bool
    /// Appears in the answer, in log lines and in error bodies.
    package var id: String

    package init(
        _ method: Method, _ target: Target, version: Version = .http11, headers: Headers = Headers(),
        remoteAddress: String = "", isTLS: Bool = false, id: String = "-"
    ) {
        self.method = method
        self.target = target
        self.version = version
        self.headers = headers
        self.remoteAddress = remoteAddress
        self.isTLS = isTLS
        self.id = id
    }

    /// For tests and internal calls.
    package init(_ method: Method, _ target: String, headers: Headers = Headers(), id: String = "-") throws(HTTPError) {
        self.init(method, try Target(target), headers: headers, id: id)
    }

    package var segments: [String] { target.segments }
    package var query: Query { target.query }
    package var contentLength: Int? { headers["content-length"].flatMap { Int($0) } }
    package var contentType: MediaType? { headers["content-type"].flatMap { MediaType($0) } }
    package var cookies: [String: String] { Cookie.parse(headers.all("cookie")) }
    package var accept: Accept { Accept(headers.all("accept")) }
}
