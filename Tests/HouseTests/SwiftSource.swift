import Foundation

/// One Swift file, as far as the house rules need to read it.
struct SwiftSource {
    let text: String
    /// The text with comments and the content of string literals left out.
    let code: String

    init(text: String) {
        self.text = text
        code = String(decoding: CodeOnly.bytes(of: Array(text.utf8)), as: UTF8.self)
    }

    /// The modules that the file imports, `import struct Foundation.Data` being an import of Foundation.
    var imports: [String] {
        code.split(separator: "\n").filter { $0.contains("import ") }.compactMap { line in
            let words = line.split(whereSeparator: \.isWhitespace).drop {
                $0.hasPrefix("@") || Self.accessLevels.contains($0)
            }
            guard words.first == "import" else { return nil }
            return words.dropFirst().first { !Self.kinds.contains($0) }.map { String($0.prefix { $0 != "." }) }
        }
    }

    private static let accessLevels: Set<Substring> = ["public", "package", "internal", "private", "fileprivate"]
    private static let kinds: Set<Substring> = [
        "struct", "class", "enum", "protocol", "typealias", "func", "var", "let", "actor",
    ]

    /// The comment before the first line of code, without its slashes.
    var opening: String {
        var lines: [Substring] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.hasPrefix("//") else { break }
            lines.append(line.drop { $0 == "/" })
        }
        return lines.joined().trimmingCharacters(in: .whitespaces)
    }
}
