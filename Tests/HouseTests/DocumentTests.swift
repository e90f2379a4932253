import Foundation
import Testing

@Suite("Documents tell the truth about the files") struct DocumentTests {
    let tree = SourceTree.here

    var documents: [String] {
        tree.files().filter { $0.hasSuffix(".md") }
    }

    @Test("the documents that a newcomer looks for are there")
    func documentsAreThere() throws {
        for path in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "docs/decisions.md"]
        {
            #expect(tree.exists(path), "\(path) is missing, and README.md leads there.")
        }
        let readme = try tree.text("README.md")
        for command in ["make serve", "make test"] {
            #expect(readme.contains(command), "README.md does not name `\(command)`, one of the two commands.")
        }
    }

    @Test("a link leads to a file, and to a heading in it")
    func linksResolve() throws {
        for path in documents {
            let folder = path.split(separator: "/").dropLast().joined(separator: "/")
            for link in Markdown(text: try tree.text(path)).links {
                guard !link.contains("://"), !link.hasPrefix("mailto:") else { continue }
                let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                let file = parts[0].isEmpty ? path : DocumentTests.resolve(parts[0], from: folder)
                guard tree.exists(file) else {
                    Issue.record("\(path) links to \(link), and there is no \(file). Mend the link, or write the file.")
                    continue
                }
                if parts.count == 2, file.hasSuffix(".md") {
                    let anchors = Markdown(text: try tree.text(file)).anchors
                    #expect(
                        anchors.contains(parts[1]),
                        "\(path) links to \(link); the headings of \(file) are \(anchors.sorted()).")
                }
            }
        }
    }

    @Test("the changelog has a place for what comes next")
    func changelogHasUnreleased() throws {
        #expect(
            try tree.text("CHANGELOG.md").contains(/(?m)^## \[Unreleased\]$/),
            "CHANGELOG.md has no line `## [Unreleased]`. Put it on top, with the changes that users notice under it.")
    }

    @Test("ARCHITECTURE.md has a line for every room")
    func everyRoomIsExplained() throws {
        let rows = Markdown(text: try tree.text("ARCHITECTURE.md")).rows.filter { $0.heading == "The rooms" }
        let explained = Set(rows.compactMap(\.cells.first))
        let plan = try FloorPlan.here()
        for room in plan.rooms {
            #expect(
                explained.contains(room.name),
                "ARCHITECTURE.md has no row for \(room.name) under “The rooms”. Say what it is for and what it must not do."
            )
        }
        for name in explained.subtracting(plan.rooms.map(\.name)) where !name.hasPrefix("`C") {
            Issue.record("ARCHITECTURE.md explains \(name), which Package.swift does not have. Remove the row.")
        }
    }

    @Test("every script is explained, and can be run")
    func everyScriptIsExplained() throws {
        let guide = try tree.text("CONTRIBUTING.md")
        for path in tree.files(under: "scripts") {
            #expect(guide.contains("`\(path)`"), "CONTRIBUTING.md says nothing of \(path). Give it a row in the table.")
            if try tree.text(path).hasPrefix("#!") {
                let isRunnable = FileManager.default.isExecutableFile(atPath: tree.root.path + "/" + path)
                #expect(isRunnable, "\(path) cannot be run: chmod +x \(path)")
            }
        }
    }

    /// A path as written in a document, from the root of the checkout.
    static func resolve(_ path: String, from folder: String) -> String {
        var parts = path.hasPrefix("/") ? [] : folder.split(separator: "/")
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return parts.joined(separator: "/")
    }
}
