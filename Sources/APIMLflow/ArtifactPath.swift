import MartletDomain

/// A path as MLflow's clients name it: beneath an artifact root, and never a way out of it.
enum SafePath {
    /// The path in its plain form, empty for the root. What it would become when it were unescaped, once or more
    /// often, must be harmless too; its name is what it says after the one unescaping of HTTP.
    static func checked(_ path: String) throws(Refusal) -> String {
        guard !path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { throw invalid }
        var text = path
        for _ in 0..<10 {
            guard isHarmless(text) else { throw invalid }
            // What is no text may stand in a name: clients of MLflow 2 write `%` between the parts of an image's.
            let decoded = String(decoding: ArtifactLocation.percentBytes(text), as: UTF8.self)
            if decoded == text { return plain(path) }
            text = decoded
        }
        throw invalid
    }

    static let invalid = Refusal.mlflow("Invalid path")

    /// Without `.` and empty steps.
    private static func plain(_ path: String) -> String {
        path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    private static func isHarmless(_ text: String) -> Bool {
        let bytes = text.utf8
        if bytes.first == UInt8(ascii: "/") || text.lowercased().hasPrefix("file:") { return false }
        // `#` would end a path in a URL.
        if bytes.contains(where: { $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: "\\") || $0 == 0 }) { return false }
        let head = Array(bytes.prefix(3))
        if head.count == 3, head[1] == UInt8(ascii: ":"), head[2] == UInt8(ascii: "/") { return false }
        return !text.split(separator: "/").contains("..")
    }

    static func join(_ folder: String, _ path: String) -> String {
        folder.isEmpty ? path : path.isEmpty ? folder : "\(folder)/\(path)"
    }
}
