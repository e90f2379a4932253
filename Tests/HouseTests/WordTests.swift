import Foundation
import Testing

@Suite("Names say what a thing does, and nothing is left half done") struct WordTests {
    let tree = SourceTree.here

    /// Built from pieces, so that this file does not find itself.
    static let leftovers = [
        "TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "unimple" + "mented", "not imple" + "mented",
    ]
    static let vagueEndings = ["Util", "Helper", "Manager", "Misc", "Common"].flatMap { [$0, $0 + "s"] }

    @Test("no mark says that something is left to do")
    func nothingIsLeftToDo() throws {
        for path in tree.files() {
            guard let text = tree.textIfAny(path), WordTests.leftovers.contains(where: text.contains) else { continue }
            for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                for mark in WordTests.leftovers(in: line) {
                    Issue.record(
                        "\(path):\(number + 1) says “\(mark)”. Finish it, or open an issue and say here what holds now."
                    )
                }
            }
        }
    }

    @Test("no merge was left half done")
    func nothingIsLeftToMerge() throws {
        // Seven of each, as git writes them; built, so that this file does not find itself.
        let marks = ["<", ">"].map { String(repeating: $0, count: 7) + " " }
        for path in tree.files() {
            guard let text = tree.textIfAny(path) else { continue }
            for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            where marks.contains(where: line.hasPrefix) {
                Issue.record("\(path):\(number + 1) is a mark of a merge. Choose what holds, and take the marks away.")
            }
        }
    }

    @Test("no file is larger than 1 MiB")
    func noFileIsLarge() throws {
        for path in tree.files() {
            let size = try tree.size(of: path)
            #expect(
                size <= 1 << 20,
                "\(path) has \(size) bytes. Make it when it is needed, from a seed or a script; a repository only grows."
            )
        }
    }

    @Test("no file and no type has a name that says nothing")
    func namesSaySomething() throws {
        for path in tree.files() where path.hasSuffix(".swift") || path.hasSuffix(".py") {
            for part in path.split(separator: "/") {
                let name = String(part.prefix { $0 != "." })
                #expect(
                    !WordTests.isVague(name), "\(path): “\(name)” could hold anything. Name it for what it does.")
            }
        }
        for path in tree.files() where path.hasSuffix(".swift") {
            for type in SwiftSource(text: try tree.text(path)).declaredTypes where WordTests.isVague(type) {
                Issue.record("\(path) declares \(type), which could hold anything. Name it for what it does.")
            }
        }
    }

    static func leftovers(in line: Substring) -> [String] {
        leftovers.filter { mark in
            line.ranges(of: mark).contains { range in
                let before = range.lowerBound == line.startIndex ? " " : line[line.index(before: range.lowerBound)]
                let after = range.upperBound == line.endIndex ? " " : line[range.upperBound]
                return !before.isLetter && !after.isLetter && before != "_" && after != "_"
            }
        }
    }

    static func isVague(_ name: String) -> Bool {
        vagueEndings.contains { name.hasSuffix($0) || name == $0.lowercased() || name.hasSuffix("_" + $0.lowercased()) }
    }
}

extension SwiftSource {
    /// Types that the file brings into being; an extension of someone else's type is none of ours.
    var declaredTypes: [String] {
        code.matches(of: /\b(?:struct|class|enum|actor|protocol|typealias)\s+([A-Z]\w*)/.wordBoundaryKind(.simple)).map
        { String($0.1) }
    }
}
