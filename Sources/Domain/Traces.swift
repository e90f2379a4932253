/// One call of a program as it was followed: what went in, what came out, how long it took. Its spans are kept beside.
package struct Trace: Equatable, Sendable {
    package enum State: String, Sendable, CaseIterable {
        case unspecified = "STATE_UNSPECIFIED"
        case ok = "OK"
        case error = "ERROR"
        case inProgress = "IN_PROGRESS"
    }

    /// Given by the store.
    package var card: Int64
    /// Made by the writer, and unique across the store.
    package var id: String
    package var project: ProjectID
    package var experiment: ExperimentID
    package var clientRequest: String?
    package var requestPreview: String?
    package var responsePreview: String?
    package var start: Timestamp
    /// Milliseconds; nil while it goes on.
    package var duration: Int64?
    package var state: State
    /// What does not change once the trace is made.
    package var metadata: Pairs<String>
    package var tags: Pairs<String>
    package var assessments: [Assessment]
    /// The ids of runs that it was linked to later.
    package var runs: [String]
    /// `name/version` of the prompts that it used.
    package var prompts: [String]
    package var spans: Int
    /// Its writer has said all of it: spans that come later change neither its times nor its state.
    package var isComplete: Bool
    package var created: Timestamp
    package var updated: Timestamp

    package init(
        card: Int64 = 0, id: String, project: ProjectID, experiment: ExperimentID, clientRequest: String? = nil,
        requestPreview: String? = nil, responsePreview: String? = nil, start: Timestamp, duration: Int64? = nil,
        state: State = .inProgress, metadata: Pairs<String> = .init(), tags: Pairs<String> = .init(),
        assessments: [Assessment] = [], runs: [String] = [], prompts: [String] = [], spans: Int = 0,
        isComplete: Bool = false, created: Timestamp, updated: Timestamp
    ) {
        (self.card, self.id, self.project, self.experiment) = (card, id, project, experiment)
        (self.clientRequest, self.requestPreview) = (clientRequest, requestPreview)
        (self.responsePreview, self.start, self.duration, self.state) = (responsePreview, start, duration, state)
        (self.metadata, self.tags, self.assessments, self.runs) = (metadata, tags, assessments, runs)
        (self.prompts, self.spans, self.isComplete) = (prompts, spans, isComplete)
        (self.created, self.updated) = (created, updated)
    }

    package var end: Timestamp { Timestamp(micros: start.micros + (duration ?? 0) * 1000) }
}

/// A judgement on a trace or one of its spans, by a person, a model or a program.
package struct Assessment: Equatable, Sendable {
    package enum Kind: String, Sendable { case feedback, expectation, issue }

    /// `a-` and 32 hex digits.
    package var id: String
    package var name: String
    package var kind: Kind
    /// JSON; empty when there is none, as when the judge failed.
    package var value: String
    /// JSON; empty when there is none.
    package var error: String
    /// JSON: who judged.
    package var source: String
    package var span: String
    package var rationale: String?
    package var metadata: Pairs<String>
    /// The id of the assessment that this one takes the place of.
    package var overrides: String
    /// False once another one took its place.
    package var isValid: Bool
    package var created: Timestamp
    package var updated: Timestamp

    package init(
        id: String, name: String, kind: Kind, value: String = "", error: String = "", source: String = "",
        span: String = "", rationale: String? = nil, metadata: Pairs<String> = .init(), overrides: String = "",
        isValid: Bool = true, created: Timestamp, updated: Timestamp
    ) {
        (self.id, self.name, self.kind, self.value, self.error) = (id, name, kind, value, error)
        (self.source, self.span, self.rationale, self.metadata) = (source, span, rationale, metadata)
        (self.overrides, self.isValid, self.created, self.updated) = (overrides, isValid, created, updated)
    }

    package static func makeID() -> String { "a-\(RunID.make())" }
}
