import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Judgements on traces.
extension MLflowAPI {
    static let assessmentEndpoints: [Endpoint] = [
        .change(.post, "3.0/mlflow/traces/{trace_id}/assessments") { call, message throws(Refusal) in
            guard let given = try message.message("assessment") else { throw .missing("assessment") }
            let new = try assessment(given, at: call.engine.clock.now)
            try changeTrace(call, call["trace_id"]) { ledger, id throws(Refusal) in
                if !new.overrides.isEmpty { try requireAssessment(new.overrides, of: try ledger.tx.trace(mlflow: id)) }
                return try answer(try ledger.addAssessment(new, to: id), of: id)
            }
        },
        .read(.get, "3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}") { call, _ throws(Refusal) in
            try readTrace(call, call["trace_id"]) { _, trace throws(Refusal) in
                .json(try answer(try requireAssessment(call["assessment_id"], of: trace), of: trace.id))
            }
        },
        .change(.patch, "3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}") { call, message throws(Refusal) in
            try updateAssessment(call, message)
        },
        .change(.delete, "3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}") { call, _ throws(Refusal) in
            let assessment = call["assessment_id"]
            try changeTrace(call, call["trace_id"]) { ledger, id throws(Refusal) in
                try ledger.deleteAssessment(assessment, of: id)
                return Call.empty
            }
        },
    ]

    @discardableResult
    private static func requireAssessment(_ id: String, of trace: Trace) throws(Refusal) -> Assessment {
        guard let found = trace.assessments.first(where: { $0.id == id }) else {
            throw .mlflow("Assessment with ID '\(id)' not found for trace '\(trace.id)'", .notFound)
        }
        return found
    }

    private static func answer(_ one: Assessment, of trace: String) throws(Refusal) -> [UInt8] {
        try encoded { writer in
            writer.object { writer in
                writer.key("assessment")
                writer.assessment(one, of: trace)
            }
        }
    }

    // MARK: Reading

    static func assessment(_ message: Message, at now: Timestamp) throws(Refusal) -> Assessment {
        guard let (kind, value, error) = try value(in: message) else {
            throw .mlflow("An assessment needs a feedback, an expectation or an issue.")
        }
        var one = Assessment(
            id: try message.text("assessment_id").flatMap { $0.isEmpty ? nil : $0 } ?? Assessment.makeID(),
            name: try message.required("assessment_name"), kind: kind, value: value, error: error,
            created: try message.moment("create_time") ?? now, updated: try message.moment("last_update_time") ?? now)
        one.source = try message.message("source")?["source_type"] == nil ? "" : message["source"]?.text ?? ""
        one.span = try message.text("span_id") ?? ""
        one.rationale = try message.text("rationale")
        one.metadata = try message.map("metadata")
        one.overrides = try message.text("overrides") ?? ""
        one.isValid = try message.flag("valid") ?? true
        return one
    }

    private static func value(
        in message: Message
    ) throws(Refusal) -> (kind: Assessment.Kind, value: String, error: String)? {
        if let feedback = try message.message("feedback") {
            return (.feedback, feedback.written("value")?.text ?? "null", feedback["error"]?.text ?? "")
        }
        if let expectation = try message.message("expectation") {
            guard let inner = try expectation.message("serialized_value") else {
                return (.expectation, expectation.written("value")?.text ?? "null", "")
            }
            let text = try inner.required("value")
            guard let value = try? JSONValue(parsing: text, allowsNonFinite: true) else {
                throw .wrongValue("serialized_value", .string(text), "It must be JSON.")
            }
            return (.expectation, value.text, "")
        }
        if let issue = try message.message("issue") {
            return (.issue, JSONValue.string(try issue.required("issue_name")).text, "")
        }
        return nil
    }

    private static func updateAssessment(_ call: Call, _ message: Message) throws(Refusal) {
        guard let given = try message.message("assessment") else { throw .missing("assessment") }
        let paths = try fieldMask(message)
        let (trace, id) = (call["trace_id"], call["assessment_id"])
        let value = try value(in: given)
        let name = paths.contains("assessment_name") ? try given.required("assessment_name") : nil
        let rationale = paths.contains("rationale") ? try given.text("rationale") : nil
        let metadata = paths.contains("metadata") ? try given.map("metadata") : Pairs()
        let isValid = paths.contains("valid") ? try given.flag("valid") : nil
        let kinds = [Assessment.Kind.feedback, .expectation].filter { paths.contains($0.rawValue) }
        guard kinds.count < 2 else {
            throw .mlflow("Cannot specify both `expectation` and `feedback` parameters.")
        }
        try changeTrace(call, trace) { ledger, trace throws(Refusal) in
            let before = try requireAssessment(id, of: try ledger.tx.trace(mlflow: trace))
            if let kind = kinds.first, kind != before.kind {
                throw .mlflow(
                    kind == .expectation
                        ? "Cannot update expectation value on a Feedback assessment."
                        : "Cannot update feedback value on an Expectation assessment.")
            }
            let after = try ledger.updateAssessment(id, of: trace) { one throws(StorageError) in
                one.name = name ?? one.name
                one.rationale = rationale ?? one.rationale
                one.isValid = isValid ?? one.isValid
                for (key, value) in metadata.entries { one.metadata[key] = value }
                if !kinds.isEmpty, let value { (one.value, one.error) = (value.value, value.error) }
            }
            return try answer(after, of: trace)
        }
    }

    /// Protobuf writes a field mask as one text of names in camel case, `assessmentName,rationale`.
    private static func fieldMask(_ message: Message) throws(Refusal) -> Set<String> {
        guard let mask = message["update_mask"] else { throw .missing("update_mask") }
        var names: [String] = []
        if let text = mask.string {
            names = text.split(separator: ",").map(String.init)
        } else {
            for path in mask["paths"]?.array ?? [] { names.append(path.string ?? "") }
        }
        return Set(
            names.map { name in
                name.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : "\($1)" }
            })
    }
}
