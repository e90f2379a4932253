/// Examples that a model is judged by: inputs, and what is expected of them. It belongs to a project, and experiments
/// may point to it.
package struct EvaluationDataset: Equatable, Sendable {
    /// Given by the store.
    package var card: Int64
    /// `d-` and 32 hex digits.
    package var id: String
    package var project: ProjectID
    /// Not unique.
    package var name: String
    package var tags: Pairs<String>
    package var experiments: [ExperimentID]
    /// Which fields its records have had and of which type, as JSON; empty until there was a record.
    package var schema: String
    package var records: Int
    /// When its records were last written: what its digest is made of.
    package var revised: Timestamp
    package var createdBy: String
    package var updatedBy: String
    package var created: Timestamp
    package var updated: Timestamp

    package init(
        card: Int64 = 0, id: String, project: ProjectID, name: String, tags: Pairs<String> = .init(),
        experiments: [ExperimentID] = [], schema: String = "", records: Int = 0, revised: Timestamp,
        createdBy: String = "", updatedBy: String = "", created: Timestamp, updated: Timestamp
    ) {
        (self.card, self.id, self.project, self.name, self.tags) = (card, id, project, name, tags)
        (self.experiments, self.schema, self.records, self.revised) = (experiments, schema, records, revised)
        (self.createdBy, self.updatedBy, self.created, self.updated) = (createdBy, updatedBy, created, updated)
    }
}
