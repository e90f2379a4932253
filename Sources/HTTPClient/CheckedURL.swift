import CCurl
import MartletHTTPMessages

/// An http or https address, taken apart by curl's own parser, so that what is checked is what is opened.
package struct CheckedURL {
    package let text: String
    package let scheme: String
    /// An IPv6 address in its brackets.
    package let host: String
    package let port: String
    /// A user or a password stands before the host.
    package let hasCredentials: Bool

    package init(_ text: String) throws(ClientError) {
        try self.init(text, relativeTo: nil)
    }

    /// Where a redirect leads; nil when the answer is none. Another host, or from https to http, is refused: the
    /// request may carry a token.
    func redirect(_ response: ClientResponse) throws(ClientError) -> CheckedURL? {
        guard [301, 302, 303, 307, 308].contains(response.status.code), let location = response.headers["location"]
        else {
            return nil
        }
        let next = try CheckedURL(location, relativeTo: text)
        guard next.host == host, next.port == port, next.scheme == scheme else {
            throw ClientError(
                .protocolViolation, "\(host) redirects to \(next.scheme)://\(next.host):\(next.port).",
                remedy: "If that is right, give that address yourself.")
        }
        return next
    }

    private init(_ text: String, relativeTo base: String?) throws(ClientError) {
        guard let url = curl_url() else {
            throw ClientError(.badURL, "There is no memory for an address.", remedy: "Free some memory.")
        }
        defer { curl_url_cleanup(url) }
        if let base { curl_url_set(url, CURLUPART_URL, base, 0) }
        let isRead = curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK
        let part = { (part: CURLUPart) -> String? in
            var value: UnsafeMutablePointer<CChar>?
            guard curl_url_get(url, part, &value, UInt32(CURLU_DEFAULT_PORT)) == CURLUE_OK, let value else {
                return nil
            }
            defer { curl_free(value) }
            return String(cString: value)
        }
        guard isRead, let scheme = part(CURLUPART_SCHEME), let host = part(CURLUPART_HOST),
            let port = part(CURLUPART_PORT),
            let whole = part(CURLUPART_URL)
        else {
            throw ClientError(
                .badURL, "“\(text)” is not an address.", remedy: "Give one such as http://127.0.0.1:8003.")
        }
        guard scheme == "http" || scheme == "https" else {
            throw ClientError(
                .badURL, "“\(text)” is neither http nor https.",
                remedy: "Give an address that begins with http:// or https://.")
        }
        (self.text, self.scheme, self.host, self.port) = (whole, scheme, host.lowercased(), port)
        hasCredentials = part(CURLUPART_USER) != nil || part(CURLUPART_PASSWORD) != nil
    }
}
