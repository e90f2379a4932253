package import MartletDomain
package import MartletJSON

/// MLflow's database in a file, `mlflow.db`, of any version: what an older one has no column or table for is left out.
package final class MLflowDatabase: MLflowStore {
    package let place: String
    let database: ForeignDatabase
    let artifacts: LocalArtifacts
    private var columns: [String: Set<String>] = [:]

    /// Nil when the file is no database of MLflow's.
    package init?(_ path: String, proxied: [String] = []) throws(Refusal) {
        guard Files.isFile(path), try Files.head(path, 15) == Array("SQLite format 3".utf8) else { return nil }
        place = path
        database = try ForeignDatabase(path)
        let home = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        artifacts = LocalArtifacts(home: home, proxied: proxied + ["\(home)/mlartifacts"])
        guard try database.columns(of: "experiments").contains("experiment_id") else { return nil }
    }

    func has(_ column: String, in table: String) throws(Refusal) -> Bool {
        if columns[table] == nil { columns[table] = try database.columns(of: table) }
        return columns[table]?.contains(column) == true
    }

    func has(table: String) throws(Refusal) -> Bool {
        if columns[table] == nil { columns[table] = try database.columns(of: table) }
        return columns[table]?.isEmpty == false
    }

    /// The column, or NULL where this version has none.
    func column(_ name: String, in table: String) throws(Refusal) -> String {
        try has(name, in: table) ? "\"\(name)\"" : "NULL"
    }

    func pairs(_ sql: String, _ values: [String]) throws(Refusal) -> JSONValue {
        JSONObject.pairs(try database.all(sql, values) { ($0.text(0) ?? "", $0.text(1) ?? "") })
    }

    // MARK: Experiments

    package func experiments() throws(Refusal) -> [JSONObject] {
        let made = try column("creation_time", in: "experiments")
        let changed = try column("last_update_time", in: "experiments")
        var found: [JSONObject] = []
        try database.each(
            "SELECT experiment_id, name, artifact_location, lifecycle_stage, \(made), \(changed) FROM experiments ORDER BY 1"
        ) { row throws(Refusal) in
            let id = row.text(0) ?? ""
            found.append(
                JSONObject(fields: [
                    ("experiment_id", .string(id)), ("name", row.text(1).map { .string($0) }),
                    ("artifact_location", row.text(2).map { .string($0) }),
                    ("lifecycle_stage", row.text(3).map { .string($0) }),
                    ("creation_time", row.int(4).map { .int($0) }),
                    ("last_update_time", row.int(5).map { .int($0) }),
                    (
                        "tags",
                        try has(table: "experiment_tags")
                            ? try pairs("SELECT key, value FROM experiment_tags WHERE experiment_id = ?", [id]) : nil
                    ),
                ]))
        }
        return found
    }

    // MARK: Runs

    package func runs(of experiment: String) throws(Refusal) -> [String] {
        try database.all(
            "SELECT run_uuid FROM runs WHERE experiment_id = ? ORDER BY start_time, run_uuid", [experiment]
        ) { $0.text(0) ?? "" }
    }

    package func run(_ id: String, of experiment: String) throws(Refusal) -> JSONObject {
        var run: JSONObject?
        try database.each(
            """
            SELECT name, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri FROM runs
            WHERE run_uuid = ?
            """, [id]
        ) { row throws(Refusal) in
            run = JSONObject(fields: [
                ("run_id", .string(id)), ("run_name", row.text(0).map { .string($0) }),
                ("user_id", row.text(1).map { .string($0) }), ("status", row.text(2).map { .string($0) }),
                ("start_time", row.int(3).map { .int($0) }), ("end_time", row.int(4).map { .int($0) }),
                ("lifecycle_stage", row.text(5).map { .string($0) }), ("artifact_uri", row.text(6).map { .string($0) }),
                ("params", try pairs("SELECT key, value FROM params WHERE run_uuid = ?", [id])),
                ("tags", try pairs("SELECT key, value FROM tags WHERE run_uuid = ?", [id])),
            ])
        }
        guard var run else { throw Refusal(.notFound, "The run \(id) is gone from \(place).", remedy: "Begin again.") }
        if try has(table: "inputs") { try flow(of: id, into: &run) }
        return run
    }

    private func flow(of id: String, into run: inout JSONObject) throws(Refusal) {
        let step = try column("step", in: "inputs")
        var (datasets, models, outputs) = ([JSONValue](), [JSONValue](), [JSONValue]())
        try database.each(
            """
            SELECT i.input_uuid, d.name, d.digest, d.dataset_source_type, d.dataset_source, d.dataset_schema,
            d.dataset_profile FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id
            WHERE i.destination_id = ? AND i.source_type = 'DATASET' ORDER BY i.rowid
            """, [id]
        ) { row throws(Refusal) in
            let names = ["name", "digest", "source_type", "source", "schema", "profile"]
            let dataset = JSONObject(
                fields: names.enumerated().map { index, name in (name, row.text(index + 1).map { .string($0) }) })
            let tags = try pairs("SELECT name, value FROM input_tags WHERE input_uuid = ?", [row.text(0) ?? ""])
            datasets.append(.object(JSONObject(fields: [("dataset", .object(dataset)), ("tags", tags)])))
        }
        try database.each(
            "SELECT source_id FROM inputs WHERE destination_id = ? AND source_type = 'MODEL' ORDER BY rowid", [id]
        ) { row in models.append(.object(JSONObject(fields: [("model_id", row.text(0).map { .string($0) })]))) }
        try database.each(
            """
            SELECT destination_id, \(step) FROM inputs WHERE source_id = ? AND source_type = 'RUN_OUTPUT'
            AND destination_type = 'MODEL_OUTPUT' ORDER BY rowid
            """, [id]
        ) { row in
            outputs.append(
                .object(
                    JSONObject(fields: [
                        ("model_id", row.text(0).map { .string($0) }), ("step", .int(row.int(1) ?? 0)),
                    ])))
        }
        if !datasets.isEmpty { run["dataset_inputs"] = .array(datasets) }
        if !models.isEmpty { run["model_inputs"] = .array(models) }
        if !outputs.isEmpty { run["model_outputs"] = .array(outputs) }
    }

    package func metrics(
        of run: JSONObject, in experiment: String, _ body: (String, MetricColumns) throws(Refusal) -> Void
    ) throws(Refusal) {
        let step = try column("step", in: "metrics")
        let notNumber = try column("is_nan", in: "metrics")
        let id = run["run_id"]?.string ?? ""
        let keys = try database.all("SELECT DISTINCT key FROM metrics WHERE run_uuid = ? ORDER BY key", [id]) {
            $0.text(0) ?? ""
        }
        for key in keys {
            // Read whole before it is handed on: whoever writes to the database waits for nobody's network.
            var columns = MetricColumns()
            try database.each(
                """
                SELECT timestamp, value, \(step), \(notNumber) FROM metrics WHERE run_uuid = ? AND key = ?
                ORDER BY rowid
                """, [id, key]
            ) { row in
                let isNaN = row.int(3).map { $0 != 0 } ?? false
                columns.append(
                    step: row.int(2) ?? 0, time: row.int(0) ?? 0, value: isNaN ? .nan : row.double(1) ?? .nan)
            }
            try body(key, columns)
        }
    }

    package func stamp(of run: String, in experiment: String) -> String? { nil }

    package func mark(of run: JSONObject, in experiment: String) throws(Refusal) -> String {
        let id = run["run_id"]?.string ?? ""
        let count = try database.all("SELECT count(*) FROM metrics WHERE run_uuid = ?", [id]) { $0.int(0) ?? 0 }
        return "\(count.first ?? 0) points"
    }

    // MARK: Artifacts

    package func files(at location: String, of owner: ArtifactOwner) throws(Refusal) -> [ForeignFile]? {
        artifacts.files(at: location, beside: [])
    }

    package func fetch(_ address: String, to path: String) throws(Refusal) {
        throw Refusal(.unsupported, "\(address) is on a server, not in \(place).", remedy: "Import from the server.")
    }
}
