package import MartletDomain
package import MartletJSON

// The registry and logged models in a database of MLflow's.
extension MLflowDatabase {
    package func registeredModels() throws(Refusal) -> [JSONObject] {
        guard try has(table: "registered_models") else { return [] }
        var models: [JSONObject] = []
        try database.each(
            "SELECT name, creation_time, last_updated_time, description FROM registered_models ORDER BY name"
        ) { row throws(Refusal) in
            let name = row.text(0) ?? ""
            models.append(
                JSONObject(fields: [
                    ("name", .string(name)), ("creation_timestamp", row.int(1).map { .int($0) }),
                    ("last_updated_timestamp", row.int(2).map { .int($0) }),
                    ("description", row.text(3).map { .string($0) }),
                    (
                        "tags",
                        try has(table: "registered_model_tags")
                            ? try pairs("SELECT key, value FROM registered_model_tags WHERE name = ?", [name]) : nil
                    ),
                    ("versions", .array(try versions(of: name))),
                ]))
        }
        return models
    }

    private func versions(of name: String) throws(Refusal) -> [JSONValue] {
        var aliases: [String: [JSONValue]] = [:]
        if try has(table: "registered_model_aliases") {
            try database.each("SELECT alias, version FROM registered_model_aliases WHERE name = ?", [name]) { row in
                aliases[row.text(1) ?? "", default: []].append(.string(row.text(0) ?? ""))
            }
        }
        let link = try column("run_link", in: "model_versions")
        let place = try column("storage_location", in: "model_versions")
        var versions: [JSONValue] = []
        try database.each(
            """
            SELECT version, creation_time, last_updated_time, description, user_id, current_stage, source, run_id,
            status, status_message, \(link), \(place) FROM model_versions WHERE name = ? ORDER BY version
            """, [name]
        ) { row throws(Refusal) in
            let number = row.text(0) ?? ""
            // What was deleted keeps its row, without what it was.
            guard row.text(5) != "Deleted_Internal" else { return }
            func text(_ column: Int) -> JSONValue? { row.text(column).map { .string($0) } }
            let tags =
                try has(table: "model_version_tags")
                ? try pairs("SELECT key, value FROM model_version_tags WHERE name = ? AND version = ?", [name, number])
                : nil
            versions.append(
                .object(
                    JSONObject(fields: [
                        ("version", .string(number)), ("creation_timestamp", row.int(1).map { .int($0) }),
                        ("last_updated_timestamp", row.int(2).map { .int($0) }), ("description", text(3)),
                        ("user_id", text(4)), ("current_stage", text(5)), ("source", text(6)), ("run_id", text(7)),
                        ("status", text(8)), ("status_message", text(9)), ("run_link", text(10)),
                        ("storage_location", text(11)), ("tags", tags), ("aliases", aliases[number].map { .array($0) }),
                    ])))
        }
        return versions
    }

    package func loggedModels(of experiment: String) throws(Refusal) -> [JSONObject] {
        guard try has(table: "logged_models") else { return [] }
        var models: [JSONObject] = []
        try database.each(
            """
            SELECT model_id, name, artifact_location, creation_timestamp_ms, last_updated_timestamp_ms, status,
            status_message, model_type, source_run_id, lifecycle_stage FROM logged_models
            WHERE experiment_id = ? ORDER BY creation_timestamp_ms, model_id
            """, [experiment]
        ) { row throws(Refusal) in
            let id = row.text(0) ?? ""
            func text(_ column: Int) -> JSONValue? { row.text(column).map { .string($0) } }
            models.append(
                JSONObject(fields: [
                    ("model_id", .string(id)), ("name", text(1)), ("artifact_uri", text(2)),
                    ("creation_timestamp_ms", row.int(3).map { .int($0) }),
                    ("last_updated_timestamp_ms", row.int(4).map { .int($0) }),
                    ("status", row.int(5).map { .int($0) }), ("status_message", text(6)), ("model_type", text(7)),
                    ("source_run_id", text(8)), ("lifecycle_stage", text(9)),
                    (
                        "params",
                        try pairs("SELECT param_key, param_value FROM logged_model_params WHERE model_id = ?", [id])
                    ),
                    ("tags", try pairs("SELECT tag_key, tag_value FROM logged_model_tags WHERE model_id = ?", [id])),
                    ("metrics", .array(try metrics(ofModel: id))),
                ]))
        }
        return models
    }

    private func metrics(ofModel id: String) throws(Refusal) -> [JSONValue] {
        try database.all(
            """
            SELECT metric_name, metric_value, metric_timestamp_ms, metric_step, run_id, dataset_name, dataset_digest
            FROM logged_model_metrics WHERE model_id = ? ORDER BY rowid
            """, [id]
        ) { row in
            .object(
                JSONObject(fields: [
                    ("key", row.text(0).map { .string($0) }), ("value", .double(row.double(1) ?? .nan)),
                    ("timestamp", .int(row.int(2) ?? 0)), ("step", .int(row.int(3) ?? 0)),
                    ("run_id", row.text(4).map { .string($0) }), ("dataset_name", row.text(5).map { .string($0) }),
                    ("dataset_digest", row.text(6).map { .string($0) }),
                ]))
        }
    }
}
