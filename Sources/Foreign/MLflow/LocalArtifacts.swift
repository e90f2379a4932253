import MartletDomain

/// Where artifacts lie that a store on this machine tells of.
struct LocalArtifacts {
    /// What a relative location is relative to.
    let home: String
    /// What `mlflow-artifacts:` stands for: the server's `--artifacts-destination`.
    let proxied: [String]

    /// Nil when the place is none that can be read here.
    func files(at location: String, beside: [String]) -> [ForeignFile]? {
        if LocalArtifacts.isElsewhere(location) { return nil }
        let candidates = paths(of: location) + beside
        guard let folder = candidates.first(where: Files.isFolder) else {
            // No artifact was ever logged where the folder is of the right kind and not there.
            return candidates.isEmpty ? nil : []
        }
        return Files.tree(folder).map {
            ForeignFile(path: $0.path, size: $0.size, place: .path("\(folder)/\($0.path)"))
        }
    }

    /// In a bucket, say.
    private static func isElsewhere(_ location: String) -> Bool {
        location.contains("://") && !location.hasPrefix("file:") && !location.hasPrefix("mlflow-artifacts:")
    }

    private func paths(of location: String) -> [String] {
        if location.hasPrefix("file:") {
            var path = location.dropFirst(5)
            if path.hasPrefix("//") { path = path.dropFirst(2).drop { $0 != "/" } }
            let decoded = LocalArtifacts.percentDecoded(String(path))
            return [decoded.hasPrefix("/") ? decoded : "\(home)/\(decoded)"]
        }
        if location.hasPrefix("mlflow-artifacts:") {
            var path = location.dropFirst(17)
            if path.hasPrefix("//") { path = path.dropFirst(2).drop { $0 != "/" } }
            let decoded = LocalArtifacts.percentDecoded(String(path.drop { $0 == "/" }))
            return proxied.filter(Files.isFolder).map { "\($0)/\(decoded)" }
        }
        if location.isEmpty { return [] }
        return [location.hasPrefix("/") ? location : "\(home)/\(location)"]
    }

    private static func percentDecoded(_ text: String) -> String {
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
        return String(decoding: bytes, as: UTF8.self)
    }
}
