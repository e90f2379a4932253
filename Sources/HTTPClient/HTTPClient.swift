// HTTPClient: requests to another server, over libcurl. Synchronous, because a command line waits for the answer anyway;
// connections are kept and reused.

import CCurl
import MartletHTTPMessages
import Synchronization

/// Sends requests to http and https addresses.
///
/// May be used from many threads at once; each request in progress has a curl handle of its own, taken from a pool, so
/// that its connection and TLS session are used again.
package final class HTTPClient: Sendable {
    package struct Settings: Sendable {
        package var connectSeconds = 10.0
        /// The whole exchange; nil waits as long as bytes keep moving.
        package var totalSeconds: Double? = 60
        /// A transfer that moves less than a byte a second for so long is given up.
        package var stallSeconds = 60
        /// An answer kept in memory may not be larger.
        package var bodyBytesMax = 256 << 20
        package var redirectsMax = 5
        package var userAgent = "martlet"
        /// A PEM file of extra authorities, for servers with certificates of their own. Curl goes on to trust the folder
        /// of the system's.
        package var certificateAuthorities: String?

        package init() {}
    }

    /// Curl's handle. Used by one request at a time: the pool hands it to one caller and gets it back.
    struct Handle: @unchecked Sendable { let curl: OpaquePointer }

    private static let pooledMax = 8
    private static let globalReady: Void = { _ = curl_global_init(Int(CURL_GLOBAL_ALL)) }()

    let settings: Settings
    private let pool = Mutex<[Handle]>([])

    package init(_ settings: Settings = Settings()) {
        self.settings = settings
        HTTPClient.globalReady
    }

    deinit {
        for handle in pool.withLock({ $0 }) { curl_easy_cleanup(UnsafeMutableRawPointer(handle.curl)) }
    }

    /// Sends a request and waits for the whole answer. An answer of any status is an answer; only a failure to get one
    /// throws.
    package func send(_ request: ClientRequest) throws(ClientError) -> ClientResponse {
        var url = try CheckedURL(request.url)
        var request = request
        for _ in 0...settings.redirectsMax {
            let response = try exchange(request, url)
            guard let next = try url.redirect(response) else { return response }
            // 303, and by old custom 301 and 302 after a POST, continue as GET without a body (RFC 9110, 15.4).
            let becomesGet = response.status.code == 303 || response.status.code <= 302 && request.method == .post
            if becomesGet && request.method != .head {
                request.method = .get
                request.body = .none
            }
            url = next
        }
        throw ClientError(
            .protocolViolation, "\(url.host) redirects more than \(settings.redirectsMax) times.",
            remedy: "Give the final address.")
    }

    private func exchange(_ request: ClientRequest, _ url: CheckedURL) throws(ClientError) -> ClientResponse {
        guard let handle = pool.withLock({ $0.popLast() }) ?? curl_easy_init().map({ Handle(curl: OpaquePointer($0)) })
        else { throw ClientError(.noConnection, "There is no memory for a connection.", remedy: "Free some memory.") }
        defer {
            curl_easy_reset(UnsafeMutableRawPointer(handle.curl))
            let keep = pool.withLock { pool in
                guard pool.count < HTTPClient.pooledMax else { return false }
                pool.append(handle)
                return true
            }
            if !keep { curl_easy_cleanup(UnsafeMutableRawPointer(handle.curl)) }
        }
        let transfer = try Transfer(request, url, settings)
        return try transfer.perform(UnsafeMutableRawPointer(handle.curl))
    }
}
