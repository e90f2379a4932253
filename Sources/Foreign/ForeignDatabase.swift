import CSQLite
import MartletDomain

/// Another program's SQLite database, opened for reading alone.
final class ForeignDatabase {
    private var handle: OpaquePointer?
    let path: String

    init(_ path: String) throws(Refusal) {
        self.path = path
        guard sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK else {
            let why = String(cString: sqlite3_errmsg(handle))
            sqlite3_close_v2(handle)
            throw Refusal(.io, "Cannot open \(path): \(why).", remedy: "Check the path and its permissions.")
        }
        sqlite3_busy_timeout(handle, 10_000)
    }

    deinit { sqlite3_close_v2(handle) }

    func each(
        _ sql: String, _ values: [String] = [], _ body: (Row) throws(Refusal) -> Void
    ) throws(Refusal) {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK else { throw failure(sql) }
        defer { sqlite3_finalize(statement) }
        for (index, value) in values.enumerated() {
            guard sqlite3_bind_text(statement, Int32(index + 1), value, -1, ForeignDatabase.copied) == SQLITE_OK else {
                throw failure(sql)
            }
        }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: try body(Row(statement: statement))
            case SQLITE_DONE: return
            default: throw failure(sql)
            }
        }
    }

    func all<T>(_ sql: String, _ values: [String] = [], _ body: (Row) throws(Refusal) -> T) throws(Refusal) -> [T] {
        var rows: [T] = []
        try each(sql, values) { row throws(Refusal) in rows.append(try body(row)) }
        return rows
    }

    /// The columns of a table: databases of older versions lack some. Empty where there is no such table.
    func columns(of table: String) throws(Refusal) -> Set<String> {
        Set(try all("SELECT name FROM pragma_table_info(?)", [table]) { $0.text(0) ?? "" })
    }

    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    private func failure(_ sql: String) -> Refusal {
        Refusal(
            .io, "Cannot read \(path): \(String(cString: sqlite3_errmsg(handle))).",
            remedy: "Check that it is a database of MLflow and not damaged.", cause: sql)
    }

    struct Row {
        let statement: OpaquePointer?
        func isNull(_ column: Int) -> Bool { sqlite3_column_type(statement, Int32(column)) == SQLITE_NULL }
        func int(_ column: Int) -> Int64? { isNull(column) ? nil : sqlite3_column_int64(statement, Int32(column)) }
        func double(_ column: Int) -> Double? { isNull(column) ? nil : sqlite3_column_double(statement, Int32(column)) }
        func text(_ column: Int) -> String? {
            guard let start = sqlite3_column_text(statement, Int32(column)) else { return nil }
            let count = Int(sqlite3_column_bytes(statement, Int32(column)))
            return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
        }
    }
}
