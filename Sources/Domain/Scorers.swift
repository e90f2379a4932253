/// A program that judges traces, as its client wrote it down; nothing of it runs here. It has a name in its experiment and
/// every version of it that was registered.
package struct Scorer: Equatable, Sendable {
    package struct Version: Equatable, Sendable {
        /// From 1; none is given twice while the scorer lives.
        package var number: Int
        /// JSON.
        package var text: String
        package var created: Timestamp
        package init(number: Int, text: String, created: Timestamp) {
            (self.number, self.text, self.created) = (number, text, created)
        }
    }

    /// Given by the store.
    package var card: Int64
    package var id: String
    package var project: ProjectID
    package var experiment: ExperimentID
    package var name: String
    /// In order of number, and never empty.
    package var versions: [Version]
    package var lastNumber: Int
    package var created: Timestamp
    package var updated: Timestamp

    package init(
        card: Int64 = 0, id: String, project: ProjectID, experiment: ExperimentID, name: String,
        versions: [Version] = [], lastNumber: Int = 0, created: Timestamp, updated: Timestamp
    ) {
        (self.card, self.id, self.project, self.experiment) = (card, id, project, experiment)
        (self.name, self.versions, self.lastNumber) = (name, versions, lastNumber)
        (self.created, self.updated) = (created, updated)
    }
}
