import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// The records of a dataset for evaluation: a JSON list inside a text, both ways.
extension MLflowAPI {
    static let evaluationRecordEndpoints: [Endpoint] = [
        .change(.post, "3.0/mlflow/datasets/{dataset_id}/records") { call, message throws(Refusal) in
            let text = try message.required("records")
            let records = try evaluationRecords(text)
            try changeEvaluationDataset(call, bytes: text.utf8.count) { ledger, id, project throws(Refusal) in
                let counts = try ledger.upsertEvaluationRecords(records, of: id, in: project)
                return try encoded { writer in
                    writer.object { writer in
                        writer.member("inserted_count", counts.inserted)
                        writer.member("updated_count", counts.updated)
                    }
                }
            }
        },
        .read(.get, "3.0/mlflow/datasets/{dataset_id}/records") { call, message throws(Refusal) in
            let limit = Int(clamping: try message.integer("max_results") ?? 0)
            let after = try message.text("page_token") ?? ""
            return try readEvaluationDataset(call) { reader, dataset throws(Refusal) in
                try listEvaluationRecords(reader, dataset, limit: limit <= 0 ? 1000 : min(limit, 10_000), after: after)
            }
        },
        .change(.delete, "3.0/mlflow/datasets/{dataset_id}/records") { call, message throws(Refusal) in
            let ids = try message.texts("dataset_record_ids")
            try changeEvaluationDataset(call) { ledger, id, project throws(Refusal) in
                let deleted = try ledger.deleteEvaluationRecords(ids, of: id, in: project)
                return try encoded { writer in writer.object { $0.member("deleted_count", deleted) } }
            }
        },
    ]

    /// A page goes on after the record at which the last one ended, so that it stays right while records are added.
    private static func listEvaluationRecords(
        _ reader: any StoreReader, _ dataset: EvaluationDataset, limit: Int, after token: String
    ) throws(Refusal) -> Response {
        let place = token.isEmpty ? 0 : Base64Text.decode(token).flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
        guard let place else { throw .mlflow("Invalid page token '\(token)'") }
        var records = try reader.evaluationRecords(of: dataset, after: place, limit: limit + 1)
        let hasMore = records.count > limit
        if hasMore { records.removeLast() }
        var list = JSONWriter()
        list.array { list in for record in records { list.evaluationRecord(record, of: dataset) } }
        return .json(
            try encoded { writer in
                writer.object { writer in
                    writer.member("records", list.text)
                    if hasMore, let last = records.last {
                        writer.member("next_page_token", Base64Text.encode(Array("\(last.card)".utf8)))
                    }
                }
            })
    }

    private static let sources = ["UNSPECIFIED", "TRACE", "HUMAN", "DOCUMENT", "CODE"]

    private static func evaluationRecords(_ text: String) throws(Refusal) -> [EvaluationRecordDraft] {
        guard let list = (try? JSONValue(parsing: text, allowsNonFinite: true))?.array else {
            throw .wrongValue("records", .string(String(text.prefix(100))), "It must be a JSON list.")
        }
        var records: [EvaluationRecordDraft] = []
        for (index, value) in list.enumerated() {
            guard let fields = value.object else { throw .wrongType("records[\(index)]", value) }
            func object(_ name: String) throws(Refusal) -> JSONObject? {
                guard let value = fields[name], !value.isNull else { return nil }
                guard let object = value.object else { throw .wrongType("records[\(index)].\(name)", value) }
                return object
            }
            var record = EvaluationRecordDraft(inputs: try object("inputs") ?? JSONObject())
            record.outputs = fields["outputs"]
            record.expectations = try object("expectations")
            record.tags = try object("tags")
            record.user = record.tags?[RunTags.user]?.string
            if var source = try object("source") {
                let kind = (source["source_type"]?.string ?? "").uppercased()
                guard sources.contains(kind) else {
                    throw .mlflow(
                        "Invalid dataset record source type: \(kind). Valid source types: [\(sources.map { "'\($0)'" }.joined(separator: ", "))]"
                    )
                }
                source["source_type"] = .string(kind)
                if source["source_data"]?.object == nil { source["source_data"] = .object(JSONObject()) }
                record.source = source
            }
            records.append(record)
        }
        return records
    }
}

extension JSONWriter {
    fileprivate mutating func evaluationRecord(_ record: EvaluationRecord, of dataset: EvaluationDataset) {
        object { writer in
            writer.member("dataset_record_id", record.id)
            writer.member("dataset_id", dataset.id)
            writer.member("inputs", record.inputs)
            if let outputs = record.outputs { writer.member("outputs", outputs) }
            if let expectations = record.expectations { writer.member("expectations", expectations) }
            writer.member("tags", record.tags)
            if let source = record.source {
                writer.member("source", source)
                let kind = source["source_type"]?.string ?? ""
                if let id = source["source_data"]?[kind == "TRACE" ? "trace_id" : "source_id"]?.string {
                    writer.member("source_id", id)
                }
                writer.member("source_type", kind)
            }
            writer.member("created_time", record.created.millis)
            writer.member("last_update_time", record.updated.millis)
            if !record.createdBy.isEmpty { writer.member("created_by", record.createdBy) }
            if !record.updatedBy.isEmpty { writer.member("last_updated_by", record.updatedBy) }
        }
    }
}
