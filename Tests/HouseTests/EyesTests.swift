import Testing

@Suite("The house rules see what they look for") struct EyesTests {
    @Test("an import is seen in each of its spellings, and not in a comment or a string")
    func imports() {
        let source = SwiftSource(
            text: """
                // import Hidden1
                package import MartletDomain
                @testable import MartletJSON
                @_spi(Tests) public import MartletSearch
                    import struct Foundation.Data
                import Glibc // import Hidden2
                /* import Hidden3 /* nested */
                import Hidden4 */
                let text = \"""
                import Hidden5
                \"""
                let important = 1
                """)
        #expect(source.imports == ["MartletDomain", "MartletJSON", "MartletSearch", "Foundation", "Glibc"])
    }

    @Test(
        "a look at the environment is seen",
        arguments: [
            "let a = ProcessInfo.processInfo.environment[key]", "getenv(name)", "Glibc.secure_getenv(name)",
            "var e = environ",
        ])
    func environmentSeen(_ code: String) {
        #expect(SwiftSource(text: code).readsEnvironment)
    }

    @Test(
        "other words are not taken for a look at the environment",
        arguments: [
            "// getenv(name)", "let s = \"getenv\"", "run.environment.python", "let environment = 1", "my_getenv()",
        ])
    func environmentNotSeen(_ code: String) {
        #expect(!SwiftSource(text: code).readsEnvironment)
    }

    @Test("the opening of a file is its first comment, whole, and no later one")
    func opening() {
        #expect(SwiftSource(text: "// What it is\n/// for.\nimport A\n// later").opening == "What it is for.")
        #expect(SwiftSource(text: "import A\n// later").opening == "")
    }

    @Test("a door that leads down, home or nowhere is seen")
    func doors() {
        let plan = FloorPlan(
            """
            Library(name: "CZ", pkgConfig: "z", debian: "z-dev"),
            Room(name: "A"),
            Room(name: "B", needs: ["A", "CZ"]),
            Room(
                name: "C",
                needs: [
                    "B", "C", "D",
                    "Nowhere",
                ]),
            Room(name: "D", needs: ["C"], isProgram: true),
            ("ATests", ["A"]),
            """)
        #expect(plan.doorsThatDoNotLeadUp().map(\.to) == ["C", "D", "Nowhere"])
        #expect(plan.rooms.map(\.isProgram) == [false, false, false, true])
        #expect(plan.suites == ["ATests"])
        #expect(["A", "CZ", "D"].map(plan.module(of:)) == ["MartletA", "CZ", "D"])
    }

    @Test("Package.swift is read whole")
    func manifestIsReadWhole() throws {
        let text = try SourceTree.here.text("Package.swift")
        let plan = FloorPlan(text)
        #expect(plan.rooms.count == text.ranges(of: "    Room(").count)
        #expect(plan.libraries.count == text.ranges(of: "    Library(").count)
        #expect(plan.suites.contains("HouseTests"))
        #expect(plan.rooms.contains { $0.needs.count > 5 })
    }

    @Test("a leftover mark is seen as a word, and not inside one")
    func leftovers() {
        let mark = WordTests.leftovers[0]
        #expect(WordTests.leftovers(in: "// \(mark): later") == [mark])
        #expect(WordTests.leftovers(in: "\(mark)") == [mark])
        #expect(WordTests.leftovers(in: "let \(mark)S = 1; a_\(mark)").isEmpty)
    }

    @Test(
        "a name that says nothing is seen", arguments: ["StringUtils", "RunManager", "helpers", "test_utils", "Common"])
    func vague(_ name: String) {
        #expect(WordTests.isVague(name))
    }

    @Test("a name that says something passes", arguments: ["RunStore", "Managed", "Utility", "commonPrefix"])
    func notVague(_ name: String) {
        #expect(!WordTests.isVague(name))
    }

    @Test("only types that a file brings into being are its own")
    func declaredTypes() {
        let source = SwiftSource(text: "extension FileManager {}\nfinal class A {}\nlet f: FileManager\nactor B {}")
        #expect(source.declaredTypes == ["A", "B"])
    }

    @Test("links, headings and rows of a document are read, and examples in code are not")
    func markdown() {
        let document = Markdown(
            text: """
                # The `first` heading, really

                See [a](docs/a.md#part) and ![b](b.png "title"), not `[c](c.md)`.

                ```
                [d](d.md)
                # no heading
                | no | row |
                ```

                | name | licence |
                |---|---|
                | one | MIT |
                """)
        #expect(document.links == ["docs/a.md#part", "b.png"])
        #expect(document.anchors == ["the-first-heading-really"])
        #expect(document.rows.map(\.cells) == [["one", "MIT"]])
        #expect(document.rows.map(\.heading) == ["The `first` heading, really"])
        #expect(DocumentTests.resolve("../LICENSE", from: "docs") == "LICENSE")
        #expect(DocumentTests.resolve("a/./b.md", from: "docs") == "docs/a/b.md")
    }

    @Test("GPL is told from LGPL")
    func licences() {
        #expect(DependencyTests.isGPL("GPL-3.0-or-later"))
        #expect(DependencyTests.isGPL("MIT or AGPL-3.0"))
        #expect(DependencyTests.isGPL("GPL-2+"))
        #expect(!DependencyTests.isGPL("LGPL-2.1-or-later"))
    }
}
