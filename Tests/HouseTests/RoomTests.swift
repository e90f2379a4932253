import Foundation
import Testing

@Suite("Rooms look only where Package.swift lets them") struct RoomTests {
    let tree = SourceTree.here
    let plan: FloorPlan

    /// Modules that come with the toolchain and every room may use. FoundationNetworking is not among them: outgoing
    /// HTTP has one door, HTTPClient.
    let toolchain: Set = ["Foundation", "FoundationEssentials", "Glibc", "Synchronization", "Dispatch"]
    /// Called for each point or each byte; Foundation there costs more than the work itself.
    let hotRooms: Set = ["JSON", "Series", "Search", "Domain"]
    let roomsThatReadTheEnvironment: Set = ["Server", "CLI", "SDK"]

    init() throws {
        plan = try FloorPlan.here()
    }

    func sources(of room: String) throws -> [(path: String, source: SwiftSource)] {
        try tree.files(under: "Sources/\(room)", ending: ".swift").map { ($0, SwiftSource(text: try tree.text($0))) }
    }

    /// Rooms of the plan that are there; the plan may be ahead of the house.
    var rooms: [FloorPlan.Room] {
        plan.rooms.filter { tree.exists("Sources/\($0.name)") }
    }

    @Test("doors lead up the list of Package.swift")
    func doorsLeadUp() {
        for door in plan.doorsThatDoNotLeadUp() {
            Issue.record(
                """
                In Package.swift, \(door.from) needs \(door.to), which does not stand above it. Move what both need into a \
                room above them, or let \(door.to) hand it in as a closure or protocol.
                """)
        }
    }

    @Test("every folder of Sources and Tests is in Package.swift")
    func everyFolderIsInThePlan() {
        let sources = Set(plan.libraries.map(\.name) + plan.rooms.map(\.name) + plan.carried)
        for folder in tree.folders(in: "Sources") where !sources.contains(folder) {
            Issue.record(
                "Sources/\(folder) is in no list of Package.swift, so nothing builds it: add it, or remove it.")
        }
        let suites = Set(
            plan.suites + [
                "EndToEndTests", "ClientTests", "CompatibilityTests", "GuideTests", "BrowserTests", "PackagingTests",
            ])
        for folder in tree.folders(in: "Tests") where !suites.contains(folder) {
            Issue.record("Tests/\(folder) is in no list of Package.swift, so nothing runs it: add it, or remove it.")
        }
    }

    @Test("a room imports only what it says it needs")
    func importsAreDeclared() throws {
        for room in rooms {
            let open = Set(room.needs.map(plan.module(of:))).union(toolchain)
            for (path, source) in try sources(of: room.name) {
                for module in source.imports where !open.contains(module) {
                    Issue.record(
                        """
                        \(path) imports \(module), and there is no such door: \(room.name) needs [\(room.needs.joined(separator: ", "))] \
                        in Package.swift. Let Engine or a composition root bring the two together, or open the door there.
                        """)
                }
            }
        }
    }

    @Test("hot rooms do without Foundation")
    func hotRoomsDoWithoutFoundation() throws {
        for room in hotRooms.sorted() {
            for (path, source) in try sources(of: room) {
                for module in source.imports where module.hasPrefix("Foundation") {
                    Issue.record(
                        """
                        \(path) imports \(module). \(room) is called for each point or byte: use the standard library, or take \
                        the value as an argument from a room that may.
                        """)
                }
            }
        }
    }

    @Test("only the composition roots read the environment")
    func onlyRootsReadTheEnvironment() throws {
        for room in rooms where !roomsThatReadTheEnvironment.contains(room.name) {
            for (path, source) in try sources(of: room.name) where source.readsEnvironment {
                Issue.record(
                    """
                    \(path) reads the environment. Take the setting as an argument; Server and CLI read it, so that every \
                    setting can be listed and tested.
                    """)
            }
        }
    }

    @Test("every room says what it is for, at the top of its main file")
    func everyRoomSaysWhatItIsFor() throws {
        for room in rooms {
            let files = tree.files(under: "Sources/\(room.name)", ending: ".swift")
            guard !files.isEmpty else {
                Issue.record("Sources/\(room.name) has no Swift file. An empty room is not made in advance: remove it.")
                continue
            }
            let openings = try files.map { SwiftSource(text: try tree.text($0)).opening }
            #expect(
                openings.contains { $0.count >= 60 },
                "No file of Sources/\(room.name) says what the room is for. Begin its main file with `//` lines: what the room is for, and what it leaves to others."
            )
        }
    }

    @Test("a C library is one module map and one header, and no Swift")
    func librariesHoldNoSwift() {
        for library in plan.libraries {
            let files = tree.files(under: "Sources/\(library.name)").map { $0.split(separator: "/").last ?? "" }
            #expect(
                files == ["module.modulemap", "shim.h"],
                "Sources/\(library.name) holds \(files). Swift that wraps \(library.name) belongs to the room that needs it."
            )
        }
    }

    @Test("the build fetches no package")
    func theBuildFetchesNothing() throws {
        #expect(
            try !SwiftSource(text: tree.text("Package.swift")).code.contains(".package("),
            "Package.swift names a package to fetch. Use a library that Debian ships, or write the piece that is needed."
        )
    }
}

extension SwiftSource {
    var readsEnvironment: Bool {
        // Simple boundaries, because by Unicode's rules the dot of `a.b` is inside a word.
        code.contains(
            /\b(?:secure_)?getenv\b|\bProcessInfo\b[\w.]*\.environment\b|\benviron\b/.wordBoundaryKind(.simple))
    }
}
