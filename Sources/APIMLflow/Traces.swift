import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Traces as clients from 3.0 on speak of them.
extension MLflowAPI {
    static let traceEndpoints: [Endpoint] = [
        .change(.post, "3.0/mlflow/traces") { call, message throws(Refusal) in try startTrace(call, message) },
        .read(.get, "3.0/mlflow/traces/get") { call, message throws(Refusal) in
            let id = try message.required("trace_id")
            let isPartial = try message.flag("allow_partial") ?? false
            return try readTrace(call, id, missing: "Trace with ID \(id) is not found.") {
                reader, trace throws(Refusal) in
                guard let spans = try wholeSpans(of: trace, reader, allowPartial: isPartial) else {
                    throw .mlflow(
                        "Trace with ID \(id) is not fully exported yet, please try again later.", .notFound)
                }
                return .json(
                    try encoded { writer in
                        writer.object { writer in
                            writer.key("trace")
                            writer.trace(trace, spans: spans)
                        }
                    })
            }
        },
        .read(.get, "3.0/mlflow/traces/batchGet") { call, message throws(Refusal) in
            let ids = try message.texts("trace_ids")
            guard !ids.isEmpty else { throw .missing("trace_ids") }
            return try readTraces(call, ids) { reader, traces throws(Refusal) in
                var whole: [(Trace, [JSONValue])] = []
                for trace in traces {
                    guard let spans = try wholeSpans(of: trace, reader, allowPartial: false), !spans.isEmpty else {
                        continue
                    }
                    whole.append((trace, spans))
                }
                return list("traces", whole) { writer, trace in writer.trace(trace.0, spans: trace.1) }
            }
        },
        .read(.post, "3.0/mlflow/traces/batchGetInfos") { call, message throws(Refusal) in
            let ids = try message.texts("trace_ids")
            guard !ids.isEmpty else { throw .missing("trace_ids") }
            return try readTraces(call, ids) { _, traces throws(Refusal) in
                list("trace_infos", traces) { writer, trace in writer.traceInfo(trace) }
            }
        },
        .read(.get, "3.0/mlflow/traces/{trace_id}") { call, _ throws(Refusal) in
            try readTrace(call, call["trace_id"]) { _, trace throws(Refusal) in .json(try traceBody(trace)) }
        },
    ]

    static let traceChangeEndpoints: [Endpoint] = ["2.0", "3.0"].flatMap { version -> [Endpoint] in
        [
            .change(.patch, "\(version)/mlflow/traces/{trace_id}/tags") { call, message throws(Refusal) in
                let key = try message.required("key")
                try Names.check(tag: key)
                let value = Names.cut(try message.text("value") ?? "", to: Names.tagMax)
                try changeTrace(call, call["trace_id"]) { ledger, id throws(Refusal) in
                    _ = try ledger.updateTrace(id, tags: [(key, value)])
                    return Call.empty
                }
            },
            .change(.delete, "\(version)/mlflow/traces/{trace_id}/tags") { call, message throws(Refusal) in
                let key = try message.required("key")
                try changeTrace(call, call["trace_id"]) { ledger, id throws(Refusal) in
                    guard try ledger.tx.trace(id)?.tags[key] != nil else {
                        throw .mlflow("No trace tag with key '\(key)' for trace with ID '\(id)'", .notFound)
                    }
                    _ = try ledger.updateTrace(id, removingTags: [key])
                    return Call.empty
                }
            },
            .change(.post, "\(version)/mlflow/traces/delete-traces") { call, message throws(Refusal) in
                try deleteTraces(call, message)
            },
            .change(.post, "\(version)/mlflow/traces/link-to-run") { call, message throws(Refusal) in
                let ids = try message.texts("trace_ids")
                guard !ids.isEmpty else { throw .missing("trace_ids") }
                let run = try message.required("run_id")
                guard ids.count <= linksMax else {
                    throw .mlflow(
                        "Cannot link more than \(linksMax) traces to a run in a single request. Provided \(ids.count) traces."
                    )
                }
                try call.change(bytes: 4096) { ledger, caller throws(Refusal) in
                    let project = try call.writableProject(ledger, caller)
                    for id in ids {
                        if let trace = try ledger.tx.trace(id) { try caller.require(.write, on: trace.project) }
                    }
                    try ledger.linkTraces(ids, toRun: run, in: project)
                    return Call.empty
                }
            },
            .change(.post, "\(version)/mlflow/traces/link-prompts") { call, message throws(Refusal) in
                let prompts = try message.messages("prompt_versions").map { prompt throws(Refusal) in
                    "\(try prompt.required("name"))/\(try prompt.required("version"))"
                }
                try changeTrace(call, try message.required("trace_id")) { ledger, id throws(Refusal) in
                    try ledger.linkPrompts(prompts, toTrace: id)
                    return Call.empty
                }
            },
        ]
    }

    private static let linksMax = 100

    // MARK: Pieces

    /// A trace that the caller may read, of the project that it sees.
    static func readTrace(
        _ call: Call, _ id: String, missing: String? = nil,
        _ body: (any StoreReader, Trace) throws(Refusal) -> Response
    ) throws(Refusal) -> Response {
        let caller = try call.caller()
        return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            if let missing, try reader.trace(id) == nil { throw .mlflow(missing, .notFound) }
            let trace = try reader.trace(mlflow: id)
            try caller.require(.read, on: trace.project)
            return try body(reader, trace)
        }
    }

    /// In the order of the ids; those that are not there are left out.
    private static func readTraces(
        _ call: Call, _ ids: [String], _ body: (any StoreReader, [Trace]) throws(Refusal) -> Response
    ) throws(Refusal) -> Response {
        let caller = try call.caller()
        return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            var traces: [Trace] = []
            var seen: Set<String> = []
            for id in ids where seen.insert(id).inserted {
                guard let trace = try reader.trace(id) else { continue }
                try caller.require(.read, on: trace.project)
                traces.append(trace)
            }
            return try body(reader, traces)
        }
    }

    static func changeTrace(
        _ call: Call, _ id: String, bytes: Int = 1024,
        _ body: @escaping @Sendable (Ledger, String) throws(Refusal) -> [UInt8]
    ) throws(Refusal) {
        try call.change(bytes: bytes) { ledger, caller throws(Refusal) in
            let trace = try ledger.tx.trace(mlflow: id)
            try caller.require(.write, on: trace.project)
            return try body(ledger, id)
        }
    }

    /// The root first, then in order of start; nil while fewer are here than the trace's writer said.
    private static func wholeSpans(
        of trace: Trace, _ reader: any StoreReader, allowPartial: Bool
    ) throws(Refusal) -> [JSONValue]? {
        let spans = try reader.spans(of: trace).documents
        guard allowPartial || spans.count >= trace.spansExpected else { return nil }
        func place(_ span: JSONValue) -> (Int, Int64) {
            (span["parent_span_id"] == nil ? 0 : 1, span["start_time_unix_nano"]?.int64 ?? 0)
        }
        return spans.sorted { place($0) < place($1) }
    }

    private static func traceBody(_ trace: Trace) throws(Refusal) -> [UInt8] {
        try encoded { writer in
            writer.object { writer in
                writer.key("trace")
                writer.trace(trace, spans: [])
            }
        }
    }

    static func list<Row>(
        _ key: StaticString, _ rows: [Row], next: String? = nil, _ write: (inout JSONWriter, Row) -> Void
    ) -> Response {
        var writer = JSONWriter(capacity: 1024)
        writer.object { writer in
            if !rows.isEmpty {
                writer.array(key) { writer in for row in rows { write(&writer, row) } }
            }
            if let next { writer.member("next_page_token", next) }
        }
        return .json(writer.bytes)
    }

    // MARK: Start

    private static func startTrace(_ call: Call, _ message: Message) throws(Refusal) {
        guard let info = try message.message("trace")?.message("trace_info") else { throw .missing("trace") }
        let id = try info.required("trace_id")
        let experiment =
            try info.message("trace_location")?.message("mlflow_experiment")?.text("experiment_id") ?? ""
        let start = try info.moment("request_time") ?? Timestamp(micros: 0)
        let duration = try info.duration("execution_duration")
        let state = try info.traceState("state") ?? .unspecified
        let (metadata, tags) = (try info.map("trace_metadata"), try info.map("tags"))
        let assessments = try info.messages("assessments").map { one throws(Refusal) in
            try assessment(one, at: call.engine.clock.now)
        }
        let texts = (
            request: try info.text("client_request_id"), input: try info.text("request_preview"),
            output: try info.text("response_preview")
        )
        try call.change(bytes: 4096) { ledger, caller throws(Refusal) in
            let home = try ledger.writableExperiment(experiment, call, caller)
            var trace = Trace(
                id: id, project: home.project, experiment: home.id, clientRequest: texts.request,
                requestPreview: texts.input, responsePreview: texts.output, start: start, duration: duration,
                state: state, metadata: metadata, tags: tags, assessments: assessments, created: ledger.now,
                updated: ledger.now)
            trace.tags[TraceKeys.artifacts] = call.api.places.location(ofTrace: id, in: home)
            return try traceBody(try ledger.logTrace(trace))
        }
    }

    // MARK: Delete

    private static func deleteTraces(_ call: Call, _ message: Message) throws(Refusal) {
        let experiment = try message.required("experiment_id")
        let (latest, most) = (try message.integer("max_timestamp_millis"), try message.integer("max_traces"))
        let ids = try message.texts("request_ids")
        if latest == nil, ids.isEmpty {
            throw .mlflow("Either `max_timestamp_millis` or `trace_ids` must be specified.")
        }
        if let latest, latest != 0, !ids.isEmpty {
            throw .mlflow("Only one of `max_timestamp_millis` and `trace_ids` can be specified.")
        }
        if !ids.isEmpty, most != nil {
            throw .mlflow("`max_traces` can't be specified if `trace_ids` is specified.")
        }
        if let most, most <= 0 {
            throw .mlflow("`max_traces` must be a positive integer, received \(most).")
        }
        try call.change { ledger, caller throws(Refusal) in
            let home = try ledger.writableExperiment(experiment, call, caller)
            var wanted = ids
            if let latest {
                let old = try ledger.tx.traces(in: home.id).filter { $0.start.millis <= latest }
                    .sorted { $0.start < $1.start }
                wanted = old.prefix(most.map { Int(clamping: $0) } ?? .max).map(\.id)
            }
            let deleted = try ledger.deleteTraces(wanted, in: home.id)
            return try encoded { writer in writer.object { $0.member("traces_deleted", deleted) } }
        }
    }
}

extension StoreReader {
    func trace(mlflow id: String) throws(Refusal) -> Trace {
        guard let trace = try trace(id) else { throw .mlflow("Trace with ID '\(id)' not found.", .notFound) }
        return trace
    }
}

extension ArtifactPlaces {
    func location(ofTrace id: String, in experiment: Experiment) -> String {
        ArtifactPlaces.join(location(of: experiment), "traces/\(id)/artifacts")
    }
}
