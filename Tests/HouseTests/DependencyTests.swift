import Foundation
import Testing

@Suite("Every dependency has its reason and its licence") struct DependencyTests {
    let tree = SourceTree.here
    let plan: FloorPlan
    let rows: [(heading: String, cells: [String])]

    static let linkedHeading = "Linked into the binary"

    init() throws {
        plan = try FloorPlan.here()
        rows = Markdown(text: try SourceTree.here.text("docs/dependencies.md")).rows
    }

    func row(of package: String) -> (heading: String, cells: [String])? {
        rows.first { $0.cells.first == package }
    }

    /// The names of a list with one package a line, up to what follows the name.
    func names(in path: String, until end: String? = nil) throws -> [String] {
        var text = try tree.text(path)
        if let end { text = String(text.prefix(upTo: text.range(of: end)?.lowerBound ?? text.endIndex)) }
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            String(line.prefix { !$0.isWhitespace && $0 != "=" })
        }
    }

    @Test("each library of Package.swift is installed by name, and explained as linked")
    func librariesAreExplained() throws {
        let installed = try names(in: "scripts/packages.txt")
        for library in plan.libraries {
            #expect(
                installed.contains(library.debian),
                "Package.swift links \(library.debian); scripts/packages.txt does not name it. Add it there.")
            #expect(
                row(of: library.debian)?.heading == DependencyTests.linkedHeading,
                "docs/dependencies.md has no row for \(library.debian) under “\(DependencyTests.linkedHeading)”: add version, licence, reason."
            )
        }
    }

    @Test("each package that a script installs is explained")
    func installedPackagesAreExplained() throws {
        let debian = try names(in: "scripts/packages.txt")
        var python: [String] = []
        for list in DependencyTests.pythonLists { python += try names(in: list, until: "# brought along") }
        #expect(!debian.isEmpty && !python.isEmpty)
        for package in debian + python {
            guard let row = row(of: package) else {
                Issue.record("docs/dependencies.md has no row for \(package). Add one: licence and reason.")
                continue
            }
            #expect(
                row.cells.count >= 3 && !row.cells.contains(""),
                "The row for \(package) in docs/dependencies.md has an empty cell.")
        }
    }

    @Test("each Python package is pinned to one version")
    func pythonIsPinned() throws {
        for list in DependencyTests.pythonLists {
            for line in try tree.text(list).split(separator: "\n") where !line.hasPrefix("#") {
                #expect(
                    line.wholeMatch(of: /[\w.-]+==[\w.]+/) != nil,
                    "\(list) says “\(line)”. Name one version with ==, so that a run can be had again.")
            }
        }
    }

    private static let pythonLists = [
        "python/requirements-test.txt", "python/requirements-mlflow.txt", "python/requirements-mlflow2.txt",
        "python/requirements-lightning.txt", "python/requirements-browser.txt",
        "python/requirements-packaging.txt", "bench/requirements.txt", "bench/python/requirements.txt",
        "bench/web/requirements.txt",
    ]

    @Test("no library that is linked is under the GPL")
    func nothingLinkedIsGPL() {
        let linked = rows.filter { $0.heading == DependencyTests.linkedHeading }
        #expect(!linked.isEmpty)
        for row in linked where row.cells.count >= 3 {
            #expect(
                !DependencyTests.isGPL(row.cells[2]),
                "\(row.cells[0]) is under \(row.cells[2]); linking it would put Martlet under it. Find another, or write the piece."
            )
        }
    }

    /// LGPL is another licence: a shared library under it may be linked.
    static func isGPL(_ licence: String) -> Bool {
        licence.contains(/\bA?GPL/.wordBoundaryKind(.simple))
    }
}
