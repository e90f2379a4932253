import CSQLite

/// A plain SQLite database for what the store is measured against: no lock beside it, nothing that the peers would not
/// do. Same library, same page size, same journal mode and the same `synchronous=FULL` as ours.
final class Database {
    private let handle: OpaquePointer
    private var statements: [String: OpaquePointer] = [:]

    init(_ path: String) throws {
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(
            path, &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let opened else { throw Complaint("cannot open \(path): \(code)") }
        handle = opened
        try run("PRAGMA page_size=4096")
        _ = try all("PRAGMA journal_mode=WAL") { _ in 0 }
        try run("PRAGMA synchronous=FULL")
        try run("PRAGMA cache_size=-65536")
    }

    deinit {
        for statement in statements.values { sqlite3_finalize(statement) }
        sqlite3_close_v2(handle)
    }

    enum Value {
        case int(Int64), double(Double), text(String)
    }

    func run(_ sql: String, _ values: [Value] = []) throws {
        _ = try all(sql, values) { _ in 0 }
    }

    /// One value for each row.
    func all<T>(_ sql: String, _ values: [Value] = [], row: (Row) throws -> T) throws -> [T] {
        var found: [T] = []
        try each(sql, values) { found.append(try row($0)) }
        return found
    }

    func each(_ sql: String, _ values: [Value] = [], row: (Row) throws -> Void) throws {
        let statement = try prepare(sql)
        defer { sqlite3_reset(statement) }
        for (place, value) in values.enumerated() {
            let index = Int32(place + 1)
            switch value {
            case .int(let value): sqlite3_bind_int64(statement, index, value)
            case .double(let value): sqlite3_bind_double(statement, index, value)
            case .text(let value):
                martlet_sqlite3_bind_text_copy(statement, index, value, UInt64(value.utf8.count))
            }
        }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: try row(Row(statement: statement))
            case SQLITE_DONE: return
            default: throw Complaint("\(sql): \(String(cString: sqlite3_errmsg(handle)))")
            }
        }
    }

    func transaction(_ body: () throws -> Void) throws {
        try run("BEGIN IMMEDIATE")
        try body()
        try run("COMMIT")
    }

    struct Row {
        let statement: OpaquePointer
        func int(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
        func double(_ column: Int32) -> Double { sqlite3_column_double(statement, column) }
        func text(_ column: Int32) -> String {
            sqlite3_column_text(statement, column).map { String(cString: $0) } ?? ""
        }
    }

    private func prepare(_ sql: String) throws -> OpaquePointer {
        if let known = statements[sql] { return known }
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard code == SQLITE_OK, let prepared else {
            throw Complaint("\(sql): \(String(cString: sqlite3_errmsg(handle)))")
        }
        statements[sql] = prepared
        return prepared
    }
}
