import Glibc
import MartletDomain

/// A place for artifacts as a client names it. It is recorded and told to clients; this server opens nothing there.
enum ArtifactLocation {
    private static let lengthMax = 2048

    static func checked(_ location: String) throws(Refusal) -> String {
        guard !location.isEmpty else { return "" }
        let query = location.firstIndex(of: "?").map { location[$0...] } ?? ""
        guard !location.contains("#"), !location.split(separator: "?")[0].contains(";") else {
            throw .mlflow("'artifact_location' URL can't include fragments or params.")
        }
        guard !isUpward(query: String(query)) else { throw .mlflow("Invalid query string: \(query.dropFirst())") }
        guard !location.hasPrefix("runs:/") else {
            throw .mlflow("Artifact location cannot be a runs:/ URI. Given: '\(location)'")
        }
        guard location.unicodeScalars.count <= lengthMax else {
            throw .mlflow("'artifact_location' exceeds the maximum length of \(lengthMax) characters")
        }
        guard !hasUpwardStep(String(location.split(separator: "?")[0])) else {
            throw .mlflow("Invalid artifact location: '\(location)'. It must not contain '..'.")
        }
        return absolute(location)
    }

    /// `..` as a step of a path, however often it was escaped.
    static func hasUpwardStep(_ path: String) -> Bool {
        var text = path
        for _ in 0..<10 {
            if text.split(whereSeparator: { $0 == "/" || $0 == "\\" }).contains("..") { return true }
            guard let decoded = percentDecoded(text), decoded != text else { return false }
            text = decoded
        }
        return true
    }

    /// A query has no steps of its own: two dots in it are refused wherever they stand.
    private static func isUpward(query: String) -> Bool {
        var text = query
        for _ in 0..<10 {
            if text.contains("..") { return true }
            guard let decoded = percentDecoded(text), decoded != text else { return false }
            text = decoded
        }
        return true
    }

    /// A path without a scheme means this machine's, and is told as an absolute one.
    private static func absolute(_ location: String) -> String {
        let isFile = location.hasPrefix("file:")
        let path = isFile ? String(location.dropFirst(5)) : location
        guard isFile || scheme(of: location) == nil, !path.hasPrefix("/") else { return location }
        guard let raw = getcwd(nil, 0) else { return location }
        defer { free(raw) }
        let folder = String(cString: raw)
        return isFile ? "file://\(folder)/\(path)" : "\(folder)/\(path)"
    }

    static func scheme(of uri: String) -> String? {
        guard let colon = uri.firstIndex(of: ":"), let first = uri.first, first.isLetter else { return nil }
        let scheme = uri[..<colon]
        let isScheme = scheme.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
        return isScheme ? scheme.lowercased() : nil
    }

    /// Nil for what is not UTF-8 once it is unescaped.
    static func percentDecoded(_ text: String) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        return String(validating: percentBytes(text), as: UTF8.self)
    }

    static func percentBytes(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "%"), digits.count == 2, let value = UInt8(String(Substring(digits)), radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
