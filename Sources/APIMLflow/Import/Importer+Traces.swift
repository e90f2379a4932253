import MartletDomain
import MartletEngine
import MartletJSON
import MartletStorage

// Traces of another store, with their spans and what was judged of them.
extension Importer {
    func trace(_ fields: Message) throws(Refusal) -> JSONObject {
        let home = try ledger.tx.experiment(mlflow: try fields.required("experiment_id"), call)
        let id = try fields.required("trace_id")
        let began = try (fields.moment("request_time"), fields.time("timestamp_ms"))
        let start = began.0 ?? began.1 ?? ledger.now
        let took = try (fields.duration("execution_duration"), fields.integer("execution_time_ms"))
        var trace = Trace(
            id: id, project: home.project, experiment: home.id, clientRequest: try fields.text("client_request_id"),
            requestPreview: try fields.text("request_preview"), responsePreview: try fields.text("response_preview"),
            start: start, duration: took.0 ?? took.1,
            state: try fields.traceState("state") ?? .unspecified, metadata: try fields.map("trace_metadata"),
            tags: try fields.map("tags"), created: start, updated: start)
        trace.assessments = try fields.messages("assessments").map { one throws(Refusal) in
            try MLflowAPI.assessment(one, at: start)
        }
        trace.tags[TraceKeys.artifacts] = nil
        trace.tags[TraceKeys.spansPlace] = nil
        let known = try ledger.tx.trace(id)
        _ = try ledger.dated(trace.end) { past throws(Refusal) in try past.logTrace(trace) }
        let spans = try fields.list("spans").compactMap { OpenTelemetrySpan(mlflow: $0) }
        var batch = SpanBatch(trace: id)
        for span in spans where span.isWhole { batch.add(span, SpanView(span.document)) }
        if !batch.spans.isEmpty {
            // The trace itself has said what its spans only suggest.
            (batch.metadata, batch.sums) = ([], [])
            try ledger.dated(trace.end) { past throws(Refusal) in
                try past.logSpans([batch], in: home.id) { call.api.places.spanTags(of: $0, in: home) }
            }
        }
        return JSONObject([
            .init("created", .bool(known == nil)), .init("spans", .int(Int64(batch.spans.count))),
        ])
    }
}

extension OpenTelemetrySpan {
    /// A span as MLflow's files and tables keep it, or as its server tells it: attributes may be a map of JSON texts.
    init?(mlflow json: JSONValue) {
        guard json.object != nil else { return nil }
        self.init()
        let context = json["context"]
        traceID = OpenTelemetrySpan.identity(json["trace_id"] ?? context?["trace_id"])
        spanID = OpenTelemetrySpan.identity(json["span_id"] ?? context?["span_id"])
        parentID = OpenTelemetrySpan.identity(json["parent_span_id"] ?? json["parent_id"])
        name = json["name"]?.string ?? ""
        kind = json["kind"]?.int64 ?? 0
        start = OpenTelemetrySpan.nanoseconds(json["start_time_unix_nano"] ?? json["start_time"])
        end = OpenTelemetrySpan.nanoseconds(json["end_time_unix_nano"] ?? json["end_time"])
        attributes = OpenTelemetrySpan.entries(json["attributes"], areTexts: true)
        events = (json["events"]?.array ?? []).map { event in
            var kept = JSONObject()
            kept["time_unix_nano"] = .int(
                OpenTelemetrySpan.nanoseconds(event["time_unix_nano"] ?? event["timestamp"]))
            kept["name"] = .string(event["name"]?.string ?? "")
            kept["attributes"] = .array(OpenTelemetrySpan.entries(event["attributes"], areTexts: false))
            return .object(kept)
        }
        links = json["links"]?.array ?? []
        statusMessage = json["status"]?["message"]?.string ?? json["status_message"]?.string ?? ""
        let code = json["status"]?["code"]?.string ?? json["status_code"]?.string ?? ""
        let words = ["OK": 1, "ERROR": 2]
        status = Int64(OpenTelemetrySpan.statusNames.firstIndex(of: code) ?? words[code] ?? 0)
    }

    /// Base 64, or hex with or without `0x`, as older clients wrote it.
    private static func identity(_ value: JSONValue?) -> [UInt8] {
        guard let text = value?.string, !text.isEmpty else { return [] }
        let digits = text.hasPrefix("0x") ? String(text.dropFirst(2)) : text
        if [16, 32].contains(digits.utf8.count) {
            let bytes = bytes(hex: .string(digits))
            if !bytes.isEmpty { return bytes }
        }
        return Base64Text.decode(text) ?? []
    }

    private static func nanoseconds(_ value: JSONValue?) -> Int64 {
        value?.int64 ?? value?.string.flatMap { Int64($0) } ?? 0
    }

    /// A list is in OpenTelemetry's shape already; a map holds values, or values as JSON texts.
    private static func entries(_ value: JSONValue?, areTexts: Bool) -> [JSONValue] {
        if let list = value?.array { return list }
        return (value?.object?.members ?? []).map { member in
            let inner = areTexts ? member.value.string.flatMap { try? JSONValue(parsing: $0) } : nil
            return ["key": .string(member.key), "value": wrapped(inner ?? member.value)]
        }
    }

    /// A value with the wrapping that says its type.
    private static func wrapped(_ value: JSONValue) -> JSONValue {
        switch value {
        case .null: [:]
        case .bool: ["bool_value": value]
        case .int: ["int_value": value]
        case .double: ["double_value": value]
        case .string: ["string_value": value]
        case .array(let list): ["array_value": ["values": .array(list.map(wrapped))]]
        case .object(let object):
            [
                "kvlist_value": [
                    "values": .array(
                        object.members.map { ["key": .string($0.key), "value": wrapped($0.value)] })
                ]
            ]
        }
    }
}
