import CMicroHTTPD
import Glibc
import MartletHTTPMessages

// Answers that MHD cannot give, because it is in the middle of a body or has never seen the connection: written to the
// socket as bytes, and the last thing that is said on it.
extension HTTPServer {
    /// A whole answer after which the connection is closed, and the length of its body.
    static func lastWords(_ response: Response, requestID: String) -> (bytes: [UInt8], length: Int) {
        let reason = MHD_get_reason_phrase_for(UInt32(response.status.code)).map { String(cString: $0) } ?? ""
        var head = "HTTP/1.1 \(response.status.code) \(reason)\r\n"
        for field in response.headers where !field.value.utf8.contains(where: { $0 < 0x20 }) {
            head += "\(field.name): \(field.value)\r\n"
        }
        var body: [UInt8] = []
        if case .bytes(let bytes) = response.body { body = bytes }
        head += "X-Request-ID: \(requestID)\r\nContent-Length: \(body.count)\r\nConnection: close\r\n\r\n"
        return (Array(head.utf8) + body, body.count)
    }

    /// Whether the first byte is a letter, as that of every method; a TLS handshake begins with 22. What has not come yet
    /// is MHD's to wait for.
    static func speaksPlainly(_ socket: Int32) -> Bool {
        var first: UInt8 = 0
        guard recv(socket, &first, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) == 1 else { return false }
        return (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first & 0xDF)
    }

    /// To a client that spoke http where https is spoken: it can read nothing but the plain text of an answer.
    func say(_ error: HTTPError, on socket: Int32) {
        let id = requestIDs.id(for: [:])
        let (bytes, _) = HTTPServer.lastWords(.failure(error, requestID: id), requestID: id)
        _ = send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
    }

    static let speaksHTTPS = HTTPError(
        .badRequest, "https_expected", "This port speaks https, and the request came as plain http.",
        remedy: "Begin the address with https://.")
}

/// Bytes inside of a connection's TLS, which belongs to GnuTLS and not to us.
///
/// MHD hands out the session and not the function; the library is in the process, because MHD stands on it, so it is
/// found by name instead of being linked a second time.
enum SecureWords {
    private typealias Send =
        @convention(c) (
            _ session: UnsafeMutableRawPointer, _ bytes: UnsafeRawPointer, _ count: Int
        ) -> Int

    private static let send: Send? = dlsym(nil, "gnutls_record_send").map { unsafeBitCast($0, to: Send.self) }

    /// On the connection's event thread, while MHD sends nothing.
    static func send(_ bytes: [UInt8], _ connection: OpaquePointer) {
        guard let send, let session = martlet_mhd_tls_session(connection) else { return }
        bytes.withUnsafeBytes { buffer in
            var done = 0
            // A record holds less than an answer may be long. Where the client's window is full it is not reading, and
            // would not read this.
            while done < buffer.count, let base = buffer.baseAddress {
                let count = send(session, base + done, buffer.count - done)
                guard count > 0 else { return }
                done += count
            }
        }
    }
}
