/// What one client may cost. Every number is a setting of the operator's.
package struct ServerLimits: Sendable {
    /// Memory for a request line and its headers; beyond it 414 or 431. Bodies are received in pieces of about half of it.
    package var headBytes = 32 * 1024
    package var headersMax = 128
    package var connections = 4096
    /// From the first byte (or the connection) to the end of the headers.
    package var headerSeconds = 15.0
    /// Quiet time on a kept connection, and between two bytes that a client takes from us.
    package var idleSeconds = 75.0
    /// A body must come at this rate after a grace of `headerSeconds`, and an answer be taken at it.
    package var bytesPerSecondMin = 1024
    /// From the whole request to the answer; then the client gets 503. Streams are not bound by it.
    package var answerSeconds = 300.0
    /// A body that nobody wants is read and thrown away up to this size, so that the connection can be kept.
    package var discardBytes = 64 * 1024
    /// A packed body that is collected may unpack to so much, whatever its route allows, and any packed body to so many
    /// times its size.
    package var unpackedBytes = 64 << 20
    package var unpackedRatio = 100
    package var webSocketMessageBytes = 1 << 20
    package var pingSeconds = 20.0
    /// How often an event stream says something, in seconds.
    package var heartbeatSeconds = 15
    /// Jobs waiting for a worker; beyond it 503.
    package var queuedJobs = 4096

    package init() {}
}

/// Where and how a server listens.
package struct ServerOptions: Sendable {
    /// An address, or a name that resolves to some; each of them is bound.
    package var host = "127.0.0.1"
    /// 0 takes a free one.
    package var port = 0
    package var eventThreads: Int
    package var workerThreads: Int
    package var slowThreads = 2
    package var backlog = 1024
    /// PEM files.
    package var tls: (certificate: String, key: String)?
    package var accessLog = true
    package var limits = ServerLimits()

    package init(host: String = "127.0.0.1", port: Int = 0) {
        self.host = host
        self.port = port
        let cores = Machine.cores
        eventThreads = cores
        workerThreads = max(4, 2 * cores)
    }
}

/// Why a server did not start.
package struct ServerError: Error, Hashable, Sendable, CustomStringConvertible {
    package let code: String
    package let message: String
    package let remedy: String

    package init(_ code: String, _ message: String, remedy: String) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    package var description: String { "\(message) \(remedy)" }
}
