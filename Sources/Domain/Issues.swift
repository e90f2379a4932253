/// Something that goes wrong in an experiment's traces, as a person or a program found it. Traces are tied to it by
/// assessments of the kind `issue` that bear its id.
package struct Issue: Equatable, Sendable {
    package enum State: String, Sendable, CaseIterable { case pending, rejected, resolved }

    /// From the least on.
    package enum Severity: String, Sendable, CaseIterable {
        case none = "not_an_issue"
        case low, medium, high
    }

    /// Given by the store.
    package var card: Int64
    /// `iss-` and 32 hex digits.
    package var id: String
    package var project: ProjectID
    package var experiment: ExperimentID
    package var name: String
    package var description: String
    package var state: State
    package var severity: Severity?
    package var rootCauses: [String]
    package var categories: [String]
    /// The id of the run that found it; empty where none did.
    package var sourceRun: String
    package var createdBy: String
    package var created: Timestamp
    package var updated: Timestamp

    package init(
        card: Int64 = 0, id: String, project: ProjectID, experiment: ExperimentID, name: String, description: String,
        state: State = .pending, severity: Severity? = nil, rootCauses: [String] = [], categories: [String] = [],
        sourceRun: String = "", createdBy: String = "", created: Timestamp, updated: Timestamp
    ) {
        (self.card, self.id, self.project, self.experiment) = (card, id, project, experiment)
        (self.name, self.description, self.state, self.severity) = (name, description, state, severity)
        (self.rootCauses, self.categories, self.sourceRun) = (rootCauses, categories, sourceRun)
        (self.createdBy, self.created, self.updated) = (createdBy, created, updated)
    }
}
