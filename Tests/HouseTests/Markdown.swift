import Foundation

/// A document, as far as the house rules need to read it.
struct Markdown {
    var text: String

    /// Where its links lead, in prose; what stands in code is an example.
    var links: [String] {
        prose.matches(of: /\]\(([^)\s]+)(?:\s+"[^"]*")?\)/).map { String($0.1) }
    }

    /// The names by which headings are linked to, as the usual renderers make them.
    var anchors: Set<String> {
        Set(
            withoutFences.split(separator: "\n").filter { $0.hasPrefix("#") }.map { line in
                let title = line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces).lowercased()
                return String(
                    title.replacing(" ", with: "-").filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" })
            })
    }

    /// The rows of its tables, cell by cell, with the heading that each stands under. Title and ruler rows are left out.
    var rows: [(heading: String, cells: [String])] {
        var heading = ""
        var found: [(heading: String, cells: [String])] = []
        for line in withoutFences.split(separator: "\n") {
            if line.hasPrefix("#") {
                heading = line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces)
            } else if line.hasPrefix("|---") {
                found.removeLast()
            } else if line.hasPrefix("|") {
                let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
                found.append((heading, cells.map { $0.trimmingCharacters(in: .whitespaces) }))
            }
        }
        return found
    }

    private var withoutFences: String {
        var isFenced = false
        return text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
            if line.hasPrefix("```") { isFenced.toggle() }
            return !isFenced && !line.hasPrefix("```")
        }.joined(separator: "\n")
    }

    private var prose: String {
        withoutFences.replacing(/`[^`\n]*`/, with: "")
    }
}
