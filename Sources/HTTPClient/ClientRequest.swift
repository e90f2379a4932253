package import MartletHTTPMessages

/// A request to another server.
package struct ClientRequest: Sendable {
    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Read from the file while it is sent.
        case file(path: String)
    }

    package enum Destination: Sendable {
        case memory
        /// The body of a 2xx answer goes into this file, which is created or emptied; other bodies stay in memory.
        case file(path: String)
    }

    package var method: Method
    package var url: String
    package var headers: Headers
    package var body: Body
    package var destination = Destination.memory
    /// Bytes done and bytes in all (0 while unknown), of the upload if there is one, else of the download. False stops.
    package var progress: (@Sendable (_ done: Int, _ total: Int) -> Bool)?
    /// In place of the client's own limit.
    package var totalSeconds: Double?
    /// The one address to connect to, whatever the host's name leads to, by no proxy and by a connection of its own; an
    /// IPv6 address in brackets. The host is still who the certificate must speak of.
    package var onlyAddress: String?

    package init(_ method: Method, _ url: String, headers: Headers = Headers(), body: Body = .none) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// Another server's answer.
package struct ClientResponse: Sendable {
    package var status: Status
    package var headers: Headers
    /// Empty when the body went into a file.
    package var body: [UInt8]

    package init(status: Status, headers: Headers, body: [UInt8]) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }
}

/// Why there is no answer.
package struct ClientError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        case badURL, forbidden, unreachable, noConnection, timeout, cancelled, tls, tooLarge, file, protocolViolation
        /// TLS works, and the server's certificate is not one to believe.
        case untrusted
    }

    package let code: Code
    package let message: String
    package let remedy: String

    package init(_ code: Code, _ message: String, remedy: String) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    package var description: String { "\(message) \(remedy)" }
}
