import Glibc

/// What a user keeps for all stores: settings in `config.toml`, tokens in `credentials`, both in the folder that
/// XDG_CONFIG_HOME names, else `~/.config`, under `martlet`. Lines of `key = value`; `#` begins a comment.
package struct UserFiles: Sendable {
    /// Nil where there is no home.
    let folder: String?

    package init(environment: [String: String]) {
        let config = environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 + "/.config" : nil }
        folder = (config ?? home).map { $0 + "/martlet" }
    }

    package func setting(_ name: String) -> String? {
        guard let text = folder.flatMap({ Disk.text($0 + "/config.toml") }) else { return nil }
        return UserFiles.pairs(in: text).last { $0.key == name }?.value
    }

    /// The token for a server that `login` has stored.
    package func token(for address: String) -> String? {
        guard let text = folder.flatMap({ Disk.text($0 + "/credentials") }) else { return nil }
        let wanted = UserFiles.normalized(address)
        return UserFiles.pairs(in: text).last { $0.key == wanted }?.value
    }

    /// Stores a token where nobody else may read it; nil forgets the one that was there. The path of the file.
    package func store(token: String?, for address: String) throws(ClientFailure) -> String {
        guard let folder else {
            throw ClientFailure(
                .refused, "There is no home folder to keep the token in.", remedy: "Set HOME, or use MARTLET_TOKEN.")
        }
        try Disk.makeFolder(folder, mode: 0o700)
        let path = folder + "/credentials"
        let wanted = UserFiles.normalized(address)
        var pairs = UserFiles.pairs(in: Disk.text(path) ?? "").filter { $0.key != wanted }
        if let token { pairs.append((wanted, token)) }
        let text = pairs.map { "\"\($0.key)\" = \"\($0.value)\"\n" }.joined()
        try Disk.replace(path, with: Array(text.utf8), mode: 0o600)
        return path
    }

    package static func normalized(_ address: String) -> String {
        var address = address
        while address.hasSuffix("/") { address.removeLast() }
        guard let start = address.range(of: "://") else { return address }
        let rest = address[start.upperBound...]
        let host = rest.prefix { $0 != "/" }
        return address[..<start.upperBound].lowercased() + host.lowercased() + rest[host.endIndex...]
    }

    private static func pairs(in text: String) -> [(key: String, value: String)] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let line = line.trimmed
            guard !line.hasPrefix("#"), let equals = UserFiles.equals(in: line) else { return nil }
            let key = line[..<equals].trimmed.unquoted
            let value = line[line.index(after: equals)...].trimmed.unquoted
            return key.isEmpty ? nil : (key, value)
        }
    }

    /// The first `=` outside of a quoted key.
    private static func equals(in line: Substring) -> Substring.Index? {
        guard line.first == "\"", let end = line.dropFirst().firstIndex(of: "\"") else {
            return line.firstIndex(of: "=")
        }
        return line[end...].firstIndex(of: "=")
    }
}

extension StringProtocol {
    /// Without the blanks at its ends.
    package var trimmed: Substring {
        var rest = Substring(self)
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return rest
    }
}

extension Substring {
    fileprivate var unquoted: String {
        count >= 2 && first == "\"" && last == "\"" ? String(dropFirst().dropLast()) : String(self)
    }
}

extension String {
    /// Where a short text stands in this one.
    func range(of text: String) -> Range<Index>? {
        var at = startIndex
        while at < endIndex {
            if self[at...].hasPrefix(text) { return at..<index(at, offsetBy: text.count) }
            at = index(after: at)
        }
        return nil
    }
}
