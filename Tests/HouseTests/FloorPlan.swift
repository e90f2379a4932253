import Foundation

/// What Package.swift says: the C libraries, the rooms in their order with their doors, and the suites.
///
/// Read from its text, because the package itself cannot be asked while it runs its tests.
struct FloorPlan {
    struct Library {
        var name: String
        var debian: String
    }

    struct Room {
        var name: String
        var needs: [String]
        var isProgram: Bool
    }

    var libraries: [Library]
    var rooms: [Room]
    var suites: [String]
    /// C targets that hold something of ours.
    var carried: [String]

    init(_ manifest: String) {
        libraries = manifest.matches(
            of: /Library\(\s*name: "(\w+)",(?:\s*pkgConfig: (?:"[^"]*"|nil),)?\s*debian: "([^"]+)"\s*\)/
        ).map { Library(name: String($0.1), debian: String($0.2)) }
        rooms = manifest.matches(
            of: /Room\(\s*name: "(\w+)"(?:,\s*needs: \[([^\]]*)\])?(?:,\s*isProgram: (true|false))?\s*\)/
        ).map { match in
            Room(
                name: String(match.1),
                needs: (match.2 ?? "").matches(of: /"(\w+)"/).map { String($0.1) },
                isProgram: match.3 == "true")
        }
        carried = manifest.matches(of: /Target\.target\(name: "(C\w+)"/).map { String($0.1) }
        suites = manifest.matches(of: /"(\w+Tests)"/).map { String($0.1) }
    }

    static func here() throws -> FloorPlan {
        FloorPlan(try SourceTree.here.text("Package.swift"))
    }

    /// The module of a room or library, as an import names it. The SDK is what others import: the product's own name.
    func module(of name: String) -> String {
        if name == "SDK" { return "Martlet" }
        return libraries.contains { $0.name == name } || carried.contains(name)
            || rooms.contains { $0.name == name && $0.isProgram }
            ? name : "Martlet" + name
    }

    /// Doors that do not lead up: to a room further down, to the room itself, or to nowhere.
    func doorsThatDoNotLeadUp() -> [(from: String, to: String)] {
        var above = Set(libraries.map(\.name) + carried)
        var wrong: [(from: String, to: String)] = []
        for room in rooms {
            wrong += room.needs.filter { !above.contains($0) }.map { (room.name, $0) }
            above.insert(room.name)
        }
        return wrong
    }
}
