/// A comparison that was kept: what stood side by side, as it was at a moment. Looking again adds a version; none is
/// ever changed.
package struct KeptComparison: Equatable, Sendable {
    package enum Kind: String, Sendable, CaseIterable { case runs, experiments }

    /// How its page shows it, beside the table that every one has.
    package enum View: String, Sendable, CaseIterable {
        case parallelCoordinates = "parallel_coordinates"
        case curves, table
    }

    /// One look at what is compared.
    package struct Version: Equatable, Sendable {
        package var number: Int
        package var made: Timestamp
        package var by: String
        package var bytes: Int
        package init(number: Int, made: Timestamp, by: String, bytes: Int) {
            (self.number, self.made, self.by, self.bytes) = (number, made, by, bytes)
        }
    }

    /// Given by the store.
    package var card: Int64
    package var id: String
    /// The project of the first thing in it: who may write there may look again.
    package var project: ProjectID
    /// Every project that something in it belongs to: who may read them all may see it.
    package var projects: [ProjectID]
    package var name: String
    package var kind: Kind
    package var view: View
    /// Ids of runs or experiments, in the order in which they were named.
    package var members: [String]
    /// Those that were asked for; empty means whatever the members have.
    package var metrics: [String]
    package var versions: [Version]
    package var created: Timestamp
    package var updated: Timestamp

    package init(
        card: Int64 = 0, id: String, project: ProjectID, projects: [ProjectID], name: String, kind: Kind, view: View,
        members: [String], metrics: [String], versions: [Version] = [], created: Timestamp, updated: Timestamp
    ) {
        (self.card, self.id, self.project, self.projects) = (card, id, project, projects)
        (self.name, self.kind, self.view, self.members) = (name, kind, view, members)
        (self.metrics, self.versions, self.created, self.updated) = (metrics, versions, created, updated)
    }

    package static let membersRange = 2...50
    package static let versionsMax = 50
    /// Of one version.
    package static let bytesMax = 4 << 20
    package static let perProjectMax = 1000
}
