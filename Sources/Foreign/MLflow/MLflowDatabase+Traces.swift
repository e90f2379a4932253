package import MartletDomain
package import MartletJSON

// Traces in a database of MLflow's.
extension MLflowDatabase {
    package func traces(of experiment: String, _ body: (JSONObject) throws(Refusal) -> Void) throws(Refusal) {
        guard try has(table: "trace_info") else { return }
        let optional = try ["client_request_id", "request_preview", "response_preview"].map { name throws(Refusal) in
            try column(name, in: "trace_info")
        }.joined(separator: ", ")
        let ids = try database.all(
            "SELECT request_id FROM trace_info WHERE experiment_id = ? ORDER BY timestamp_ms, request_id", [experiment]
        ) { $0.text(0) ?? "" }
        for id in ids {
            var trace: JSONObject = ["trace_id": .string(id)]
            try database.each(
                "SELECT timestamp_ms, execution_time_ms, status, \(optional) FROM trace_info WHERE request_id = ?", [id]
            ) { row in
                trace["timestamp_ms"] = row.int(0).map { .int($0) }
                trace["execution_time_ms"] = row.int(1).map { .int($0) }
                let words = ["state", "client_request_id", "request_preview", "response_preview"]
                for (index, name) in words.enumerated() { trace[name] = row.text(index + 2).map { .string($0) } }
            }
            trace["trace_metadata"] = try map("SELECT key, value FROM trace_request_metadata WHERE request_id = ?", id)
            trace["tags"] = try map("SELECT key, value FROM trace_tags WHERE request_id = ?", id)
            try promoted(id, into: &trace)
            if try has(table: "assessments") { trace["assessments"] = .array(try assessments(of: id)) }
            trace["spans"] = try spans(of: id, trace["tags"]?["mlflow.artifactLocation"]?.string ?? "", experiment)
            try body(trace)
        }
    }

    /// The newest versions keep some tags and metadata in columns of their own, and tell them as tags and metadata.
    private func promoted(_ id: String, into trace: inout JSONObject) throws(Refusal) {
        guard try has("trace_name", in: "trace_info") else { return }
        var tags = trace["tags"]?.object ?? [:]
        var metadata = trace["trace_metadata"]?.object ?? [:]
        try database.each("SELECT trace_name, session_id FROM trace_info WHERE request_id = ?", [id]) { row in
            if let name = row.text(0) { tags["mlflow.traceName"] = .string(name) }
            if let session = row.text(1) { metadata["mlflow.trace.session"] = .string(session) }
        }
        let tokens = [
            "input_tokens", "output_tokens", "total_tokens", "cache_read_input_tokens", "cache_creation_input_tokens",
            "cache_creation_input_tokens_above_1hr",
        ]
        for (key, columns) in [
            ("mlflow.trace.tokenUsage", tokens), ("mlflow.trace.cost", ["input_cost", "output_cost", "total_cost"]),
        ] {
            var numbers = JSONObject()
            for name in columns where try has(name, in: "trace_info") {
                try database.each("SELECT \(name) FROM trace_info WHERE request_id = ?", [id]) { row in
                    guard !row.isNull(0) else { return }
                    numbers[name] =
                        key.hasSuffix("cost") ? row.double(0).map { .double($0) } : row.int(0).map { .int($0) }
                }
            }
            if !numbers.isEmpty { metadata[key] = .string(JSONValue.object(numbers).text) }
        }
        (trace["tags"], trace["trace_metadata"]) = (.object(tags), .object(metadata))
    }

    private func map(_ sql: String, _ id: String) throws(Refusal) -> JSONValue {
        TraceRecord.map(try database.all(sql, [id]) { ($0.text(0) ?? "", $0.text(1) ?? "") })
    }

    /// From their table, or from the file that older versions wrote.
    private func spans(of id: String, _ location: String, _ experiment: String) throws(Refusal) -> JSONValue? {
        if try has(table: "spans") {
            let rows = try database.all(
                "SELECT content FROM spans WHERE trace_id = ? ORDER BY start_time_unix_nano", [id]
            ) { row in row.text(0).flatMap { try? JSONValue(parsing: $0, allowsNonFinite: true) } ?? .null }
            if !rows.isEmpty { return .array(rows) }
        }
        let files = try files(at: location, of: ArtifactOwner(.trace, id, of: experiment))
        guard case .path(let path)? = files?.first(where: { $0.path == "traces.json" })?.place else { return nil }
        return TraceRecord.spans(in: path)
    }

    private func assessments(of id: String) throws(Refusal) -> [JSONValue] {
        try database.all(
            """
            SELECT assessment_id, name, assessment_type, value, error, created_timestamp, last_updated_timestamp,
            source_type, source_id, span_id, rationale, overrides, valid, assessment_metadata FROM assessments
            WHERE trace_id = ? ORDER BY created_timestamp
            """, [id]
        ) { row in
            func text(_ column: Int) -> JSONValue? { row.text(column).map { .string($0) } }
            func json(_ column: Int) -> JSONValue? { row.text(column).flatMap { try? JSONValue(parsing: $0) } }
            func moment(_ column: Int) -> JSONValue? { row.int(column).map { .string(Timestamp(millis: $0).iso) } }
            var one: JSONObject = [
                "source": .object(JSONObject(fields: [("source_type", text(7)), ("source_id", text(8))]))
            ]
            for (name, column) in [
                ("assessment_id", 0), ("assessment_name", 1), ("span_id", 9), ("rationale", 10), ("overrides", 11),
            ] { one[name] = text(column) }
            one["create_time"] = moment(5)
            one["last_update_time"] = moment(6)
            one["valid"] = row.int(12).map { .bool($0 != 0) }
            one["metadata"] = json(13)
            let kind = row.text(2) == "expectation" ? "expectation" : row.text(2) == "issue" ? "issue" : "feedback"
            one[kind] =
                kind == "issue"
                ? ["issue_name": text(1) ?? ""]
                : .object(JSONObject(fields: [("value", json(3) ?? text(3)), ("error", json(4))]))
            return .object(one)
        }
    }
}
