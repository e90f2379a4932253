import MartletDomain
import MartletJSON
import MartletStorage

/// MLflow's keys of a trace's metadata and tags.
enum TraceKeys {
    static let name = "mlflow.traceName"
    static let run = "mlflow.sourceRun"
    static let session = "mlflow.trace.session"
    static let user = "mlflow.trace.user"
    static let usage = "mlflow.trace.tokenUsage"
    static let cost = "mlflow.trace.cost"
    static let size = "mlflow.trace.sizeStats"
    /// A tag that we make from the fact.
    static let complete = "mlflow.trace.infoFinalized"
    static let artifacts = "mlflow.artifactLocation"
    static let spansPlace = "mlflow.trace.spansLocation"
    static let spansHere = "TRACKING_STORE"
}

extension Trace {
    var shownMetadata: [(key: String, value: String)] {
        metadata.entries + (isComplete && metadata[TraceKeys.complete] == nil ? [(TraceKeys.complete, "true")] : [])
    }

    /// How many spans its writer said that there are.
    var spansExpected: Int {
        guard let text = metadata[TraceKeys.size], let stats = try? JSONValue(parsing: text) else { return 0 }
        return Int(clamping: stats["num_spans"]?.int64 ?? 0)
    }

    static func durationText(_ millis: Int64) -> String {
        let (whole, rest) = millis.magnitude.quotientAndRemainder(dividingBy: 1000)
        let digits = String(rest)
        let fraction = rest == 0 ? "" : "." + String(repeating: "0", count: 3 - digits.utf8.count) + digits
        return "\(millis < 0 ? "-" : "")\(whole)\(fraction)s"
    }
}

extension Message {
    /// A moment in protobuf's spelling, which is RFC 3339.
    func moment(_ name: String) throws(Refusal) -> Timestamp? {
        guard let text = try text(name) else { return nil }
        guard let moment = Timestamp(iso: text) else {
            throw .wrongValue(name, .string(text), "It must be a time such as 2025-04-15T08:49:18.699Z.")
        }
        return moment
    }

    /// Milliseconds of a span of time in protobuf's spelling, `1.5s`.
    func duration(_ name: String) throws(Refusal) -> Int64? {
        guard let text = try text(name) else { return nil }
        guard text.hasSuffix("s"), let seconds = Double(text.dropLast()), seconds.magnitude < 1e12 else {
            throw .wrongValue(name, .string(text), "It must be a number of seconds such as 1.5s.")
        }
        return Int64((seconds * 1000).rounded())
    }

    /// A JSON object of texts.
    func map(_ name: String) throws(Refusal) -> Pairs<String> {
        guard let value = self[name] else { return Pairs() }
        guard let object = value.object else { throw .wrongType(name, value) }
        var map = Pairs<String>()
        for member in object.members {
            guard let text = member.value.string else { throw .wrongType("\(name).\(member.key)", member.value) }
            map[member.key] = text
        }
        return map
    }

    func traceState(_ name: String) throws(Refusal) -> Trace.State? {
        guard let value = self[name] else { return nil }
        let order: [Trace.State] = [.unspecified, .ok, .error, .inProgress]
        if let number = value.int64, order.indices.contains(Int(clamping: number)) { return order[Int(number)] }
        guard let text = value.string else { throw .wrongType(name, value) }
        if text == "TRACE_STATUS_UNSPECIFIED" { return .unspecified }
        guard let state = Trace.State(rawValue: text) else {
            throw .wrongValue(name, value, "It must be OK, ERROR or IN_PROGRESS.")
        }
        return state
    }
}

extension JSONWriter {
    mutating func map(_ key: StaticString, _ entries: [(key: String, value: String)]) {
        guard !entries.isEmpty else { return }
        object(key) { writer in
            for (key, value) in entries { writer.member(dynamic: key, value) }
        }
    }

    mutating func traceInfo(_ trace: Trace) {
        object { writer in
            writer.member("trace_id", trace.id)
            if let request = trace.clientRequest { writer.member("client_request_id", request) }
            writer.object("trace_location") { writer in
                writer.member("type", "MLFLOW_EXPERIMENT")
                writer.object("mlflow_experiment") { $0.member("experiment_id", "\(trace.experiment)") }
            }
            if let preview = trace.requestPreview { writer.member("request_preview", preview) }
            if let preview = trace.responsePreview { writer.member("response_preview", preview) }
            writer.member("request_time", Timestamp(millis: trace.start.millis).iso)
            if let duration = trace.duration { writer.member("execution_duration", Trace.durationText(duration)) }
            writer.member("state", trace.state.rawValue)
            writer.map("trace_metadata", trace.shownMetadata)
            if !trace.assessments.isEmpty {
                writer.array("assessments") { writer in
                    for one in trace.assessments { writer.assessment(one, of: trace.id) }
                }
            }
            writer.map("tags", trace.tags.entries)
        }
    }

    /// As clients before 3.0 know it.
    mutating func traceInfoV2(_ trace: Trace) {
        object { writer in
            writer.member("request_id", trace.id)
            writer.member("experiment_id", "\(trace.experiment)")
            writer.member("timestamp_ms", trace.start.millis)
            if let duration = trace.duration { writer.member("execution_time_ms", duration) }
            writer.member("status", trace.state == .unspecified ? "TRACE_STATUS_UNSPECIFIED" : trace.state.rawValue)
            writer.tags("request_metadata", trace.shownMetadata)
            writer.tags("tags", trace.tags.entries)
        }
    }

    mutating func trace(_ trace: Trace, spans: [JSONValue]) {
        object { writer in
            writer.key("trace_info")
            writer.traceInfo(trace)
            if !spans.isEmpty { writer.member("spans", spans) }
        }
    }

    mutating func assessment(_ one: Assessment, of trace: String) {
        object { writer in
            writer.member("assessment_id", one.id)
            writer.member("assessment_name", one.name)
            writer.member("trace_id", trace)
            if !one.span.isEmpty { writer.member("span_id", one.span) }
            if !one.source.isEmpty {
                writer.key("source")
                writer.raw(one.source.utf8)
            }
            writer.member("create_time", one.created.iso)
            writer.member("last_update_time", one.updated.iso)
            writer.key(dynamic: one.kind.rawValue)
            writer.object { writer in
                if !one.value.isEmpty {
                    switch one.kind {
                    case .feedback:
                        writer.key("value")
                        writer.raw(one.value.utf8)
                    case .expectation:
                        // Lists and objects travel as JSON inside a text.
                        if let value = try? JSONValue(parsing: one.value), value.array != nil || value.object != nil {
                            writer.object("serialized_value") { writer in
                                writer.member("serialization_format", "JSON_FORMAT")
                                writer.member("value", one.value)
                            }
                        } else {
                            writer.key("value")
                            writer.raw(one.value.utf8)
                        }
                    case .issue:
                        writer.key("issue_name")
                        writer.raw(one.value.utf8)
                    }
                }
                if !one.error.isEmpty {
                    writer.key("error")
                    writer.raw(one.error.utf8)
                }
            }
            if let rationale = one.rationale { writer.member("rationale", rationale) }
            writer.map("metadata", one.metadata.entries)
            if !one.overrides.isEmpty { writer.member("overrides", one.overrides) }
            writer.member("valid", one.isValid)
        }
    }
}
