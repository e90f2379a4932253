import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Spans come as OpenTelemetry's exporters send them, with MLflow's header that names the experiment.
extension MLflowAPI {
    static let spanEndpoints: [Endpoint] = [
        Endpoint(.post, "v1/traces", .change { call, bytes throws(Refusal) in try takeSpans(call, bytes) })
    ]

    private static func takeSpans(_ call: Call, _ bytes: [UInt8]) throws(Refusal) {
        func refuse(_ message: String, _ status: MartletHTTPMessages.Status) {
            call.respond(MLflowFailure.response("INVALID_PARAMETER_VALUE", message, status))
        }
        guard let experiment = call.request.headers["x-mlflow-experiment-id"], !experiment.isEmpty else {
            return refuse("The header x-mlflow-experiment-id is missing: it names the experiment.", .unprocessable)
        }
        let read: [OpenTelemetrySpan]?
        switch call.request.contentType?.essence {
        case "application/x-protobuf": read = try OpenTelemetrySpan.read(protobuf: bytes)
        case "application/json": read = try OpenTelemetrySpan.read(json: bytes)
        case let other:
            return refuse(
                "Invalid Content-Type: \(other ?? "none"). Expected: application/x-protobuf or application/json",
                .badRequest)
        }
        guard let spans = read else {
            return refuse("Invalid OpenTelemetry format - no spans found", .badRequest)
        }
        guard spans.allSatisfy(\.isWhole) else {
            return refuse(
                "Cannot convert OpenTelemetry span to MLflow span: a span has no trace_id or span_id.",
                .unprocessable)
        }
        let batches = spanBatches(spans)
        let caller = try call.caller()
        call.engine.change(caller, bytes: bytes.count) { ledger throws(Refusal) in
            let home = try ledger.tx.experiment(mlflow: experiment, call)
            try caller.require(.write, on: home.project)
            for batch in batches {
                if let known = try ledger.tx.trace(batch.trace) { try caller.require(.write, on: known.project) }
            }
            try ledger.logSpans(batches, in: home.id) { call.api.places.spanTags(of: $0, in: home) }
            return true
        } then: { result in
            switch result {
            // An empty `ExportTraceServiceResponse`: everything was taken.
            case .success: call.respond(Response(.ok, "application/x-protobuf", []))
            case .failure(let error): call.fail(error)
            }
        }
    }

    /// By trace, in the order in which they came.
    static func spanBatches(_ spans: [OpenTelemetrySpan]) -> [SpanBatch] {
        var batches: [SpanBatch] = []
        var places: [String: Int] = [:]
        for span in spans {
            let view = SpanView(span.document)
            let trace =
                view.attribute("mlflow.traceRequestId")?.string ?? "tr-\(OpenTelemetrySpan.hex(span.traceID))"
            let place = places[trace] ?? batches.count
            if place == batches.count {
                batches.append(SpanBatch(trace: trace))
                places[trace] = place
            }
            batches[place].add(span, view)
        }
        return batches
    }
}

extension ArtifactPlaces {
    /// What MLflow's clients look at to find the spans of a trace.
    func spanTags(of trace: Trace, in home: Experiment) -> [(key: String, value: String)] {
        [
            (TraceKeys.artifacts, location(ofTrace: trace.id, in: home)),
            (TraceKeys.spansPlace, TraceKeys.spansHere),
        ]
    }
}

extension SpanBatch {
    mutating func add(_ span: OpenTelemetrySpan, _ view: SpanView) {
        spans.append((OpenTelemetrySpan.hex(span.spanID), view.document))
        start = min(start, Timestamp(micros: span.start / 1000))
        if span.end != 0 {
            let ended = Timestamp(micros: span.end / 1000)
            end = end.map { max($0, ended) } ?? ended
        }
        if view.isRoot {
            state = view.status == "ERROR" ? .error : .ok
            // The second name is the one of OpenInference, which writes JSON as a text.
            if let inputs = view.attribute("mlflow.spanInputs") ?? view.attribute("input.value") {
                requestPreview = TracePreview.text(inputs, role: "user")
            }
            if let outputs = view.attribute("mlflow.spanOutputs") ?? view.attribute("output.value") {
                responsePreview = TracePreview.text(outputs, role: "assistant")
            }
        }
        for (key, source) in [(TraceKeys.session, "session.id"), (TraceKeys.user, "user.id")] {
            guard let text = view.attribute(source)?.string, !metadata.contains(where: { $0.key == key }) else {
                continue
            }
            metadata.append((key, text))
        }
        for (key, source) in [(TraceKeys.usage, "mlflow.chat.tokenUsage"), (TraceKeys.cost, "mlflow.llm.cost")] {
            guard let value = view.attribute(source) else { continue }
            // Some writers send the numbers as JSON inside a text.
            let object = value.object ?? value.string.flatMap { (try? JSONValue(parsing: $0))?.object }
            let numbers = (object?.members ?? []).filter { $0.value.double != nil }
            if !numbers.isEmpty { sums.append((key, numbers.map { ($0.key, $0.value) })) }
        }
    }
}
