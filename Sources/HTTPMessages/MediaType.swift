/// A media type with its parameters, `multipart/form-data; boundary=x`.
package struct MediaType: Sendable, Hashable {
    /// Lower case, without parameters: `text/plain`.
    package let essence: String
    /// Names in lower case.
    package let parameters: [String: String]

    package init?(_ text: String) {
        var pieces = MediaType.splitQuoted(text, on: UInt8(ascii: ";"))
        let essence = pieces.removeFirst().trimmingHTTPSpace().asciiLowercased()
        let halves = essence.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard halves.count == 2, halves.allSatisfy({ !$0.isEmpty }) else { return nil }
        self.essence = essence
        var parameters: [String: String] = [:]
        for piece in pieces {
            guard let (name, value) = MediaType.parameter(piece) else { continue }
            if parameters[name] == nil { parameters[name] = value }
        }
        self.parameters = parameters
    }

    package var type: String { String(essence.prefix { $0 != "/" }) }

    /// `name=value` or `name="va\"lue"`.
    static func parameter(_ piece: String) -> (String, String)? {
        guard let equals = piece.utf8.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        let name = String(piece[..<equals]).trimmingHTTPSpace().asciiLowercased()
        let raw = String(piece[piece.utf8.index(after: equals)...]).trimmingHTTPSpace()
        return (name, unquoted(raw))
    }

    static func unquoted(_ raw: String) -> String {
        let bytes = Array(raw.utf8)
        guard bytes.count >= 2, bytes.first == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\"") else { return raw }
        var out: [UInt8] = []
        var escaped = false
        for byte in bytes[1..<(bytes.count - 1)] {
            if !escaped && byte == UInt8(ascii: "\\") {
                escaped = true
            } else {
                out.append(byte)
                escaped = false
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Splits where the separator stands outside double quotes.
    static func splitQuoted(_ text: String, on separator: UInt8) -> [String] {
        var pieces: [String] = []
        var piece: [UInt8] = []
        var quoted = false
        var escaped = false
        for byte in text.utf8 {
            if byte == separator && !quoted {
                pieces.append(String(decoding: piece, as: UTF8.self))
                piece = []
                continue
            }
            if escaped {
                escaped = false
            } else if quoted && byte == UInt8(ascii: "\\") {
                escaped = true
            } else if byte == UInt8(ascii: "\"") {
                quoted.toggle()
            }
            piece.append(byte)
        }
        return pieces + [String(decoding: piece, as: UTF8.self)]
    }
}

extension String {
    func asciiLowercased() -> String { String(decoding: utf8.map(asciiLower), as: UTF8.self) }
}

/// Content types as they are sent.
package enum ContentType {
    package static let json = "application/json"
    package static let ndjson = "application/x-ndjson"
    package static let text = "text/plain; charset=utf-8"
    package static let html = "text/html; charset=utf-8"
    package static let css = "text/css; charset=utf-8"
    package static let javascript = "text/javascript; charset=utf-8"
    package static let csv = "text/csv; charset=utf-8"
    package static let svg = "image/svg+xml"
    package static let png = "image/png"
    package static let pdf = "application/pdf"
    package static let eventStream = "text/event-stream"
    package static let bytes = "application/octet-stream"
    package static let form = "application/x-www-form-urlencoded"
    package static let prometheus = "text/plain; version=0.0.4; charset=utf-8"
}
