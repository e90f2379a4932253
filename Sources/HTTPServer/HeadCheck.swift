import MartletHTTPMessages

/// The rules that keep two parsers from reading one request differently, which is how requests are smuggled past a
/// proxy. MHD lets most of these through.
enum HeadCheck {
    /// What is wrong with a head; after such an answer the connection is closed, since nobody knows where it continues.
    static func fault(in headers: Headers, version: Request.Version, limits: ServerLimits) -> HTTPError? {
        if headers.count > limits.headersMax {
            return HTTPError(
                .headersTooLarge, "too_many_headers", "The request has \(headers.count) header fields.",
                remedy: "Send at most \(limits.headersMax).")
        }
        var hosts = 0
        var lengths = 0
        var encodings = 0
        for field in headers {
            if !isToken(field.name) || field.value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) {
                return refused("The header “\(field.name.prefix(80))” has a character that no header may have.")
            }
            switch field.name.utf8.count {
            case 4 where asciiCaseInsensitiveEqual(field.name, "host"): hosts += 1
            case 14 where asciiCaseInsensitiveEqual(field.name, "content-length"):
                lengths += 1
                let isNumber = !field.value.isEmpty && field.value.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
                if !isNumber || Int(field.value) == nil {
                    return refused("The Content-Length “\(field.value.prefix(40))” is not a number.")
                }
            case 17 where asciiCaseInsensitiveEqual(field.name, "transfer-encoding"):
                encodings += 1
                if !asciiCaseInsensitiveEqual(field.value, "chunked") {
                    return refused("The Transfer-Encoding “\(field.value.prefix(40))” is not supported.")
                }
            default: break
            }
        }
        if hosts > 1 || hosts == 0 && version == .http11 {
            return refused(hosts == 0 ? "The Host header is missing." : "There is more than one Host header.")
        }
        if lengths > 1 { return refused("There is more than one Content-Length header.") }
        if encodings > 1 || encodings == 1 && lengths == 1 {
            return refused("Content-Length and Transfer-Encoding contradict each other.")
        }
        if encodings == 1 && version == .http10 { return refused("HTTP/1.0 has no Transfer-Encoding.") }
        return nil
    }

    private static func refused(_ message: String) -> HTTPError {
        HTTPError(.badRequest, "bad_request", message, remedy: "Use an ordinary HTTP/1.1 client.")
    }

    private static func isToken(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
                    UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
                    UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
                    true
                default: false
                }
            }
    }
}
