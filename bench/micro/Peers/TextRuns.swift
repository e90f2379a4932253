/// MLflow's tables of runs, and the SQL that its server sends for a search: a join for each condition, then params,
/// metrics and tags of the page. Filled run by run, as a server fills it.
final class TextRuns {
    private let database: Database
    private static let valued = [("params", "VARCHAR(8000)"), ("latest_metrics", "FLOAT"), ("tags", "VARCHAR(5000)")]

    init(_ path: String, _ catalogue: Catalogue) throws {
        database = try Database(path)
        try database.run("PRAGMA synchronous=OFF")
        try database.run(
            """
            CREATE TABLE runs(run_uuid VARCHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(250), status VARCHAR(9),
            start_time BIGINT, end_time BIGINT, lifecycle_stage VARCHAR(20), artifact_uri VARCHAR(200),
            experiment_id INTEGER)
            """)
        for (table, type) in Self.valued {
            try database.run(
                """
                CREATE TABLE \(table)(key VARCHAR(250) NOT NULL, value \(type) NOT NULL, run_uuid VARCHAR(32) NOT NULL,
                \(table == "latest_metrics" ? "timestamp BIGINT, step BIGINT NOT NULL DEFAULT 0, is_nan BOOLEAN NOT NULL DEFAULT 0," : "")
                PRIMARY KEY(key, run_uuid))
                """)
        }
        try database.run("PRAGMA cache_size=-524288")
        for (table, _) in Self.valued {
            try database.run("CREATE INDEX index_\(table)_run_uuid ON \(table)(run_uuid)")
        }
        try database.transaction {
            for run in 0..<catalogue.runs { try insert(run, catalogue) }
        }
        // MLflow does not ask for it, and without it the mixed search takes 19 s instead of a quarter of one.
        try database.run("ANALYZE")
    }

    private func insert(_ run: Int, _ catalogue: Catalogue) throws {
        let id = TextRows.id(run + 1)
        let start = catalogue.start(run) / 1000
        try database.run(
            "INSERT INTO runs VALUES (?, ?, 'FINISHED', ?, ?, 'active', '', 0)",
            [.text(id), .text("run_\(run)"), .int(start), .int(start + 60_000)])
        func put(_ table: String, _ key: String, _ value: Database.Value) throws {
            try database.run(
                "INSERT INTO \(table)(key, value, run_uuid) VALUES (?, ?, ?)", [.text(key), value, .text(id)])
        }
        for (key, name) in catalogue.paramNames.enumerated() {
            try put("params", name, .text(catalogue.param(key, run)))
        }
        for (key, name) in catalogue.metricNames.enumerated() {
            try put("latest_metrics", name, .double(catalogue.metric(key, run)))
        }
        for (key, name) in catalogue.tagNames.enumerated() { try put("tags", name, .text(catalogue.tag(key, run))) }
    }

    /// `metrics.m1 > 0.5 AND params.p1 = '3' ORDER BY metrics.m2 DESC`, a page of `limit` runs in full.
    func mixedSearch(limit: Int) throws -> Int {
        try page(
            """
            SELECT DISTINCT runs.run_uuid, runs.start_time, o.value FROM runs
            JOIN (SELECT run_uuid FROM latest_metrics WHERE key = 'm1' AND value > 0.5) AS a ON runs.run_uuid = a.run_uuid
            JOIN (SELECT run_uuid FROM params WHERE key = 'p1' AND value = '3') AS b ON runs.run_uuid = b.run_uuid
            LEFT OUTER JOIN (SELECT run_uuid, value, is_nan FROM latest_metrics WHERE key = 'm2') AS o
            ON runs.run_uuid = o.run_uuid WHERE runs.experiment_id = 0 AND runs.lifecycle_stage = 'active'
            ORDER BY CASE WHEN o.is_nan = 1 THEN 1 WHEN o.value IS NULL THEN 2 ELSE 0 END, o.value DESC,
            runs.start_time DESC, runs.run_uuid LIMIT \(limit)
            """)
    }

    /// The newest runs in full, nothing filtered.
    func newest(limit: Int) throws -> Int {
        try page(
            """
            SELECT runs.run_uuid, runs.start_time FROM runs WHERE runs.experiment_id = 0
            AND runs.lifecycle_stage = 'active' ORDER BY runs.start_time DESC, runs.run_uuid LIMIT \(limit)
            """)
    }

    /// The cells of a page: the query's runs, then a SELECT for each table and 500 of them, as its library does.
    private func page(_ sql: String) throws -> Int {
        let ids = try database.all(sql) { $0.text(0) }
        var cells = 0
        for start in stride(from: 0, to: ids.count, by: 500) {
            let part = ids[start..<min(start + 500, ids.count)]
            let marks = part.map { _ in "?" }.joined(separator: ", ")
            for (table, _) in Self.valued {
                let isNumber = table == "latest_metrics"
                try database.each(
                    "SELECT key, value, run_uuid FROM \(table) WHERE run_uuid IN (\(marks))", part.map { .text($0) }
                ) { row in
                    // Made into values, as the store's answer is.
                    cells += row.text(0).isEmpty || row.text(2).isEmpty ? 0 : 1
                    if isNumber { _ = row.double(1) } else { _ = row.text(1) }
                }
            }
        }
        return cells
    }
}
