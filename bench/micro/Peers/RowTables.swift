import MartletSeries
import MartletStorage

/// Points as rows, as the trackers keep them that we are measured against.
protocol RowTables {
    func write(_ batch: PointBatch, run: Int) throws
    var database: Database { get }
}

extension RowTables {
    /// Batches in transactions of `grouped` each.
    func write(_ batches: [PointBatch], run: Int, grouped: Int) throws {
        for start in stride(from: 0, to: batches.count, by: grouped) {
            try database.transaction {
                for batch in batches[start..<min(start + grouped, batches.count)] { try write(batch, run: run) }
            }
        }
    }
}

/// MLflow's own tables: text keys, the run's id in every row, a table of latest values beside it. It gets one upsert a
/// key and batch, where MLflow reads the latest values first.
final class TextRows: RowTables {
    let database: Database

    init(_ path: String) throws {
        database = try Database(path)
        try database.run(
            """
            CREATE TABLE metrics(key VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL,
            run_uuid VARCHAR(32) NOT NULL, step BIGINT NOT NULL DEFAULT 0, is_nan BOOLEAN NOT NULL DEFAULT 0,
            PRIMARY KEY(key, timestamp, step, run_uuid, value, is_nan))
            """)
        try database.run("CREATE INDEX index_metrics_run_uuid ON metrics(run_uuid)")
        try database.run(
            """
            CREATE TABLE latest_metrics(key VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT,
            step BIGINT NOT NULL, is_nan BOOLEAN NOT NULL, run_uuid VARCHAR(32) NOT NULL, PRIMARY KEY(key, run_uuid))
            """)
        try database.run("CREATE INDEX index_latest_metrics_run_uuid ON latest_metrics(run_uuid)")
    }

    static func id(_ run: Int) -> String {
        let digits = String(UInt64(run) &* 0x9E37_79B9_7F4A_7C15, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }

    func write(_ batch: PointBatch, run: Int) throws {
        let id = Self.id(run)
        let points = batch.points
        var start = 0
        for (key, name) in batch.names.enumerated() {
            defer { start += batch.counts[key] }
            for index in start..<start + batch.counts[key] {
                try database.run(
                    "INSERT OR IGNORE INTO metrics(key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)",
                    [
                        .text(name), .double(points.values[index]), .int(points.times[index] / 1000), .text(id),
                        .int(points.steps[index]),
                    ])
            }
            let last = start + batch.counts[key] - 1
            try database.run(
                """
                INSERT INTO latest_metrics(key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, 0, ?)
                ON CONFLICT(key, run_uuid) DO UPDATE SET value = excluded.value, timestamp = excluded.timestamp,
                step = excluded.step WHERE (excluded.step, excluded.timestamp) >= (step, timestamp)
                """,
                [
                    .text(name), .double(points.values[last]), .int(points.times[last] / 1000),
                    .int(points.steps[last]), .text(id),
                ])
        }
    }
}

/// The same as lean as rows get: integer ids, clustered by series, and no table of latest values to keep.
final class IntegerRows: RowTables {
    let database: Database

    init(_ path: String) throws {
        database = try Database(path)
        try database.run(
            """
            CREATE TABLE metric(run INTEGER, key INTEGER, step INTEGER, ts INTEGER, value REAL,
            PRIMARY KEY(run, key, step, ts, value)) WITHOUT ROWID
            """)
    }

    func write(_ batch: PointBatch, run: Int) throws {
        let points = batch.points
        var start = 0
        for (key, count) in batch.counts.enumerated() {
            defer { start += count }
            for index in start..<start + count {
                try database.run(
                    "INSERT OR IGNORE INTO metric(run, key, step, ts, value) VALUES (?, ?, ?, ?, ?)",
                    [
                        .int(Int64(run)), .int(Int64(key)), .int(points.steps[index]), .int(points.times[index]),
                        .double(points.values[index]),
                    ])
            }
        }
    }
}
