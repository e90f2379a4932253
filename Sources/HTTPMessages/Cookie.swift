/// Cookies, read and written.
package enum Cookie {
    /// The first value under each name; at most 64 of them.
    package static func parse(_ values: [String]) -> [String: String] {
        var cookies: [String: String] = [:]
        for piece in values.flatMap({ $0.utf8.split(separator: UInt8(ascii: ";")) }).prefix(64) {
            guard let equals = piece.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = String(Substring(piece[..<equals])).trimmingHTTPSpace()
            let value = String(Substring(piece[piece.index(after: equals)...])).trimmingHTTPSpace()
            if !name.isEmpty, cookies[name] == nil { cookies[name] = MediaType.unquoted(value) }
        }
        return cookies
    }

    /// A `Set-Cookie` value that scripts cannot read and other sites cannot send.
    package static func session(_ name: String, _ value: String, maxAgeSeconds: Int, secure: Bool) -> String {
        "\(name)=\(value); Path=/; Max-Age=\(maxAgeSeconds); HttpOnly; SameSite=Strict\(secure ? "; Secure" : "")"
    }
}
