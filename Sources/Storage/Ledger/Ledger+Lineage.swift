package import MartletDomain
import MartletJSON

// What runs used and made: versions of named artifacts, seen from both ends. A link is an item of the run and one of the
// project that has the version; it is added once and goes with the run.
extension Ledger {
    /// Says that a run used a version, or made it; false when that was known.
    @discardableResult
    package func link(
        _ key: RunKey, _ role: Lineage.Role, _ version: NamedVersion, in project: ProjectID, who: String
    ) throws(StorageError) -> Bool {
        let run = try writableRun(key)
        guard try remember(run, role, version, in: project, who: who) else { return false }
        try tx.touch(key)
        note(
            "artifact.\(role.rawValue)", .run(key, run.id), in: run.project,
            after: [("name", version.name), ("version", "\(version.version)"), ("project", "\(project)")])
        return true
    }

    @discardableResult
    func remember(
        _ run: Run, _ role: Lineage.Role, _ version: NamedVersion, in project: ProjectID, who: String
    ) throws(StorageError) -> Bool {
        let link = Lineage(run: run.id, role: role, project: project, name: version.name, version: version.version)
        guard try tx.items(of: .run(run.key), kind: role.rawValue, key: link.place).isEmpty else { return false }
        try tx.append(
            Item(
                id: 0, owner: .run(run.key), kind: role.rawValue, key: link.place, at: now, who: who, data: link.json))
        try tx.append(
            Item(
                id: 0, owner: .project(project), kind: "lineage", key: link.placeInProject, at: now, who: who,
                data: link.json))
        return true
    }
}

/// A run's use of a version of a named artifact.
package struct Lineage: Equatable, Sendable {
    package enum Role: String, Sendable, CaseIterable { case input, output }

    package var run: RunID
    package var role: Role
    package var project: ProjectID
    package var name: String
    package var version: Int

    var placeInProject: String { Lineage.place(name, version) }
    var place: String { "\(project)/\(placeInProject)" }
    static func place(_ name: String, _ version: Int) -> String { "\(version)/\(name)" }

    var json: String {
        "{\"run\":\"\(run)\",\"role\":\"\(role.rawValue)\",\"project\":\(project),\"name\":\(quoted(name)),\"version\":\(version)}"
    }

    init(run: RunID, role: Role, project: ProjectID, name: String, version: Int) {
        (self.run, self.role, self.project, self.name, self.version) = (run, role, project, name, version)
    }

    /// Nil for an item that is no link.
    init?(_ item: Item) {
        guard let value = try? JSONValue(parsing: item.data), let run = value["run"]?.string.flatMap({ RunID($0) }),
            let role = value["role"]?.string.flatMap({ Role(rawValue: $0) }), let project = value["project"]?.int64,
            let name = value["name"]?.string, let version = value["version"]?.int64
        else { return nil }
        self.init(run: run, role: role, project: ProjectID(project), name: name, version: Int(version))
    }
}

extension StoreReader {
    /// What a run used or made, oldest link first.
    package func lineage(
        of run: RunKey, _ role: Lineage.Role
    ) throws(StorageError) -> [(item: Item, link: Lineage)] {
        try items(of: .run(run), kind: role.rawValue, key: nil).compactMap { item in
            Lineage(item).map { (item, $0) }
        }
    }

    /// The runs that used or made a version, oldest link first. Runs that were deleted for good are left out.
    package func users(
        of name: String, version: Int, in project: ProjectID
    ) throws(StorageError) -> [(item: Item, link: Lineage, run: Run)] {
        var found: [(item: Item, link: Lineage, run: Run)] = []
        for item in try items(of: .project(project), kind: "lineage", key: Lineage.place(name, version)) {
            guard let link = Lineage(item), let run = try run(link.run) else { continue }
            found.append((item, link, run))
        }
        return found
    }
}
