/// A small document with a name, replaced whole when it changes: a model of the registry, one of its versions, a saved
/// view. `Item` is its opposite, which is appended and never changed.
package struct Card: Equatable, Sendable {
    /// Given by the store, and never given twice.
    package var id: Int64
    /// `model`, `model-version`, `logged-model` …
    package var kind: String
    package var project: ProjectID
    /// What it belongs to: `experiment/3`, `card/17`; empty for what belongs to the project alone.
    package var owner: String
    /// Its name, unique among the cards of its kind, project and owner.
    package var key: String
    package var life: Life
    package var created: Timestamp
    package var updated: Timestamp
    /// JSON.
    package var data: String
    /// The content that the card stands for, which the collector keeps for as long as the card is there.
    package var digest: Digest?

    package init(
        id: Int64 = 0, kind: String, project: ProjectID, owner: String = "", key: String, life: Life = .active,
        created: Timestamp, updated: Timestamp, data: String = "{}", digest: Digest? = nil
    ) {
        (self.id, self.kind, self.project, self.owner, self.key) = (id, kind, project, owner, key)
        (self.life, self.created, self.updated, self.data, self.digest) = (life, created, updated, data, digest)
    }

    /// What hangs on an experiment goes with it when it is deleted for good.
    package static func owner(_ experiment: ExperimentID) -> String { "experiment/\(experiment)" }
    package static func owner(card id: Int64) -> String { "card/\(id)" }
}
