import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// A trace as a file: what MLflow's own pages of a trace fetch, in a browser or a notebook.
extension MLflowAPI {
    static let traceFileEndpoints: [Endpoint] = ["2.0", "3.0"].map { version in
        .read(.get, "\(version)/mlflow/get-trace-artifact") { call, message throws(Refusal) in
            guard let id = try message.text("request_id"), !id.isEmpty else {
                throw .mlflow("Request must include the \"request_id\" query parameter.")
            }
            let path = try SafePath.checked(try message.text("path") ?? "")
            return try readTrace(call, id, missing: "Trace with ID '\(id)' not found.") {
                reader, trace throws(Refusal) in
                path.isEmpty ? try dataFile(of: trace, call, reader) : try attachment(path, of: trace, call, reader)
            }
        }
    }

    /// What spans say, or the file that a client sent which sends no spans.
    private static func dataFile(
        of trace: Trace, _ call: Call, _ reader: any StoreReader
    ) throws(Refusal) -> Response {
        let spans = try reader.spans(of: trace).documents
        guard !spans.isEmpty || trace.tags[TraceKeys.spansPlace] == TraceKeys.spansHere else {
            return try file("traces.json", of: trace, call, reader)
        }
        var writer = JSONWriter(capacity: 4096)
        writer.object { writer in
            writer.array("spans") { writer in for span in spans { writer.value(SpanView(span).file) } }
        }
        var response = Response(.ok, "text/plain", writer.bytes)
        response.headers["Content-Disposition"] = "attachment; filename=traces.json"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
    }

    private static func attachment(
        _ path: String, of trace: Trace, _ call: Call, _ reader: any StoreReader
    ) throws(Refusal) -> Response {
        try file("attachments/\(path)", of: trace, call, reader)
    }

    private static func file(
        _ path: String, of trace: Trace, _ call: Call, _ reader: any StoreReader
    ) throws(Refusal) -> Response {
        guard let root = trace.tags[TraceKeys.artifacts] else { throw .noArtifact(path) }
        let target = try ArtifactTarget.at(root, path: path, .read, call, reader)
        return try ArtifactContent(target, shown: path, call, reader).response(call.request)
    }
}

extension SpanView {
    /// As MLflow writes a span into a file: attributes by name, each value as JSON in a text.
    fileprivate var file: JSONValue {
        var file = JSONObject()
        for key in ["trace_id", "span_id", "parent_span_id", "name", "start_time_unix_nano", "end_time_unix_nano"] {
            file[key] = document[key] ?? .null
        }
        file["status"] = document["status"] ?? .null
        file["events"] = .array(
            (document["events"]?.array ?? []).map { event in
                [
                    "name": event["name"] ?? .null, "time_unix_nano": event["time_unix_nano"] ?? .null,
                    "attributes": SpanView.attributes(of: event),
                ]
            })
        var attributes = JSONObject()
        for member in SpanView.attributes(of: document).object?.members ?? [] {
            attributes[member.key] = .string(TracePreview.spaced(member.value))
        }
        file["attributes"] = .object(attributes)
        return .object(file)
    }
}
