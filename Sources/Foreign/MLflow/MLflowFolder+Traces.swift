package import MartletDomain
package import MartletJSON

// Traces in a folder of MLflow's: a folder each, its spans in a file among its artifacts.
extension MLflowFolder {
    package func traces(of experiment: String, _ body: (JSONObject) throws(Refusal) -> Void) throws(Refusal) {
        let root = "\(try home(of: experiment))/traces"
        for id in Files.names(in: root) where Files.isFile("\(root)/\(id)/trace_info.yaml") {
            let folder = "\(root)/\(id)"
            var trace = TraceRecord.renamed(try document("\(folder)/trace_info.yaml"))
            trace["trace_id"] = .string(id)
            trace["trace_metadata"] = TraceRecord.map(try texts(in: "\(folder)/request_metadata"))
            trace["tags"] = TraceRecord.map(try texts(in: "\(folder)/tags"))
            var assessments: [JSONValue] = []
            for file in Files.names(in: "\(folder)/assessments") where file.hasSuffix(".yaml") {
                assessments.append(.object(try document("\(folder)/assessments/\(file)")))
            }
            trace["assessments"] = .array(assessments)
            trace["spans"] = TraceRecord.spans(in: "\(folder)/artifacts/traces.json")
            try body(trace)
        }
    }
}

/// How a trace is spelled, by version of MLflow.
enum TraceRecord {
    static func renamed(_ given: JSONObject) -> JSONObject {
        var trace = JSONObject()
        for (name, olderNames) in [
            ("request_time", []), ("timestamp_ms", []), ("execution_duration", []),
            ("execution_time_ms", ["execution_duration_ms"]), ("state", ["status"]), ("client_request_id", []),
            ("request_preview", []), ("response_preview", []),
        ] {
            trace[name] = ([name] + olderNames).lazy.compactMap { given[$0] }.first
        }
        return trace
    }

    static func map(_ entries: [(key: String, value: String)]) -> JSONValue {
        .object(JSONObject(entries.map { JSONObject.Member($0.key, .string($0.value)) }))
    }

    /// Nil where there is no such file, or none that can be read.
    static func spans(in path: String) -> JSONValue? {
        guard Files.isFile(path), let bytes = try? Files.read(path) else { return nil }
        return (try? JSONValue(parsing: bytes, allowsNonFinite: true))?["spans"]
    }
}
