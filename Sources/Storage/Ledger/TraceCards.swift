package import MartletDomain
package import MartletJSON

// How traces lie on cards: one for a trace, and one beside it that holds its spans, so that a search reads none of them.

extension Trace {
    package static let kind = "trace"

    var asCard: Card {
        var writer = JSONWriter()
        writer.object { writer in
            if let clientRequest { writer.member("request", clientRequest) }
            if let requestPreview { writer.member("in", requestPreview) }
            if let responsePreview { writer.member("out", responsePreview) }
            writer.member("start", start.micros)
            if let duration { writer.member("duration", duration) }
            if state != .inProgress { writer.member("state", state.rawValue) }
            writer.texts("metadata", metadata)
            writer.texts("tags", tags)
            if !assessments.isEmpty {
                writer.array("assessments") { writer in for one in assessments { one.write(to: &writer) } }
            }
            if !runs.isEmpty { writer.member("runs", runs) }
            if !prompts.isEmpty { writer.member("prompts", prompts) }
            if spans > 0 { writer.member("spans", spans) }
            if isComplete { writer.member("complete", true) }
        }
        return Card(
            id: card, kind: Self.kind, project: project, owner: Card.owner(experiment), key: id, created: created,
            updated: updated, data: writer.text)
    }

    package init(_ card: Card) throws(StorageError) {
        let fields = try CardFields(card)
        guard card.owner.hasPrefix("experiment/"), let experiment = Int64(card.owner.dropFirst(11)) else {
            throw fields.damaged("owner")
        }
        var assessments: [Assessment] = []
        for value in try fields.list("assessments") {
            guard let one = Assessment(value) else { throw fields.damaged("assessments") }
            assessments.append(one)
        }
        func words(_ name: String) throws(StorageError) -> [String] { try fields.list(name).compactMap(\.string) }
        self.init(
            card: card.id, id: card.key, project: card.project, experiment: ExperimentID(experiment),
            clientRequest: fields.value("request")?.string, requestPreview: fields.value("in")?.string,
            responsePreview: fields.value("out")?.string, start: Timestamp(micros: try fields.integer("start")),
            duration: fields.value("duration")?.int64, state: try fields.word("state", default: .inProgress),
            metadata: try fields.texts("metadata"), tags: try fields.texts("tags"), assessments: assessments,
            runs: try words("runs"), prompts: try words("prompts"), spans: Int(try fields.integer("spans")),
            isComplete: fields.value("complete")?.bool ?? false, created: card.created, updated: card.updated)
    }
}

extension Assessment {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id)
            writer.member("name", name)
            if kind != .feedback { writer.member("kind", kind.rawValue) }
            writer.some("value", value)
            writer.some("error", error)
            writer.some("source", source)
            writer.some("span", span)
            if let rationale { writer.member("rationale", rationale) }
            writer.texts("metadata", metadata)
            writer.some("overrides", overrides)
            if !isValid { writer.member("valid", false) }
            writer.member("created", created.micros)
            writer.member("updated", updated.micros)
        }
    }

    fileprivate init?(_ value: JSONValue) {
        guard let fields = value.object, let id = fields["id"]?.string, let name = fields["name"]?.string,
            let kind = Kind(rawValue: fields["kind"]?.string ?? "feedback")
        else { return nil }
        func text(_ name: String) -> String { fields[name]?.string ?? "" }
        func time(_ name: String) -> Timestamp { Timestamp(micros: fields[name]?.int64 ?? 0) }
        self.init(
            id: id, name: name, kind: kind, value: text("value"), error: text("error"), source: text("source"),
            span: text("span"), rationale: fields["rationale"]?.string,
            metadata: Pairs(
                unique: (fields["metadata"]?.object?.members ?? []).map { ($0.key, $0.value.string ?? "") }),
            overrides: text("overrides"), isValid: fields["valid"]?.bool ?? true, created: time("created"),
            updated: time("updated"))
    }
}

/// The spans of a trace as they came, by their id: documents of OpenTelemetry that nobody here changes.
package struct TraceSpans: Equatable, Sendable {
    static let kind = "trace-spans"

    package internal(set) var byID = JSONObject()
    var card: Int64 = 0

    package var documents: [JSONValue] { byID.members.map(\.value) }

    init() {}

    init(_ card: Card) throws(StorageError) {
        byID = JSONObject(try CardFields(card).members)
        self.card = card.id
    }

    func asCard(of trace: Trace, at now: Timestamp) -> Card {
        var writer = JSONWriter()
        byID.write(to: &writer)
        return Card(
            id: card, kind: Self.kind, project: trace.project, owner: Card.owner(trace.experiment), key: trace.id,
            created: trace.created, updated: now, data: writer.text)
    }
}

/// The runs that a trace was linked to before there was a trace of that id.
struct TraceLinks {
    static let kind = "trace-links"

    var card: Int64 = 0
    var runs: [String] = []

    init() {}

    init(_ card: Card) throws(StorageError) {
        runs = try CardFields(card).list("runs").compactMap(\.string)
        self.card = card.id
    }

    func asCard(of trace: String, in project: ProjectID, at now: Timestamp) -> Card {
        var writer = JSONWriter()
        writer.object { $0.member("runs", runs) }
        return Card(
            id: card, kind: Self.kind, project: project, key: trace, created: now, updated: now, data: writer.text)
    }
}
