import CSQLite
import MartletDomain
import MartletStorage

/// A prepared statement, lent by its connection: bound from 1, read from column 0.
///
/// Text is copied both ways. A blob is copied unless it is lent (`bind(borrowed:)`, `withBlob`): a borrowed pointer
/// must live until the statement was run, a lent column until the next step.
final class Statement {
    var isLent = false
    private var handle: OpaquePointer?
    private unowned let connection: Connection
    private let sql: String

    init(_ handle: OpaquePointer, of connection: Connection, _ sql: String) {
        (self.handle, self.connection, self.sql) = (handle, connection, sql)
    }

    deinit { finish() }

    func finish() {
        sqlite3_finalize(handle)
        handle = nil
    }

    // MARK: Going in

    func bind(_ values: [(any Bindable)?]) throws(StorageError) {
        for (place, value) in values.enumerated() {
            if let value { try value.bind(to: self, at: place + 1) } else { try bindNull(at: place + 1) }
        }
    }

    func bindNull(at place: Int) throws(StorageError) { try check(sqlite3_bind_null(handle, Int32(place))) }

    func bind(_ value: Int64, at place: Int) throws(StorageError) {
        try check(sqlite3_bind_int64(handle, Int32(place), value))
    }

    /// SQLite turns a NaN into NULL: only finite values belong into columns.
    func bind(_ value: Double, at place: Int) throws(StorageError) {
        try check(sqlite3_bind_double(handle, Int32(place), value))
    }

    func bind(_ value: String, at place: Int) throws(StorageError) {
        var value = value
        try check(
            value.withUTF8 { text in
                text.withMemoryRebound(to: CChar.self) {
                    // An empty buffer may have no address, and no address would mean NULL.
                    martlet_sqlite3_bind_text_copy(handle, Int32(place), $0.baseAddress ?? emptyText, UInt64($0.count))
                }
            })
    }

    func bind(copying bytes: UnsafeRawBufferPointer, at place: Int) throws(StorageError) {
        guard let base = bytes.baseAddress else { return try check(sqlite3_bind_zeroblob(handle, Int32(place), 0)) }
        try check(martlet_sqlite3_bind_blob_copy(handle, Int32(place), base, UInt64(bytes.count)))
    }

    /// The bytes are read when the statement runs, and must still be there.
    func bind(borrowed bytes: UnsafeRawBufferPointer, at place: Int) throws(StorageError) {
        guard let base = bytes.baseAddress else { return try check(sqlite3_bind_zeroblob(handle, Int32(place), 0)) }
        try check(martlet_sqlite3_bind_blob_static(handle, Int32(place), base, UInt64(bytes.count)))
    }

    // MARK: Going on

    /// True when there is a row to read.
    func step() throws(StorageError) -> Bool {
        let code = sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw connection.refuse(code, doing: sql)
        }
    }

    /// To the end, whatever it gives; then ready to be bound anew.
    func run() throws(StorageError) {
        while try step() {}
        sqlite3_reset(handle)
    }

    func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    // MARK: Coming out

    func isNull(_ column: Int) -> Bool { sqlite3_column_type(handle, Int32(column)) == SQLITE_NULL }
    func int(_ column: Int) -> Int64 { sqlite3_column_int64(handle, Int32(column)) }
    func optionalInt(_ column: Int) -> Int64? { isNull(column) ? nil : int(column) }
    func double(_ column: Int) -> Double { sqlite3_column_double(handle, Int32(column)) }
    func optionalDouble(_ column: Int) -> Double? { isNull(column) ? nil : double(column) }

    func text(_ column: Int) -> String {
        guard let start = sqlite3_column_text(handle, Int32(column)) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, Int32(column)))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }

    /// Lends a blob; empty for NULL.
    func withBlob<T>(
        _ column: Int, _ body: (UnsafeRawBufferPointer) throws(StorageError) -> T
    ) throws(StorageError) -> T {
        let start = sqlite3_column_blob(handle, Int32(column))
        let count = Int(sqlite3_column_bytes(handle, Int32(column)))
        return try body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
    }

    func bytes(_ column: Int) -> [UInt8] {
        guard let start = sqlite3_column_blob(handle, Int32(column)) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, Int32(column)))))
    }

    private func check(_ code: Int32) throws(StorageError) {
        guard code == SQLITE_OK else { throw connection.refuse(code, doing: sql) }
    }
}

nonisolated(unsafe) private let emptyText: UnsafePointer<CChar> = {
    // Never freed and never written: a place to point at.
    let text = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    text.initialize(to: 0)
    return UnsafePointer(text)
}()

/// What may stand for a `?`.
protocol Bindable {
    func bind(to statement: Statement, at place: Int) throws(StorageError)
}

extension Int64: Bindable {
    func bind(to statement: Statement, at place: Int) throws(StorageError) { try statement.bind(self, at: place) }
}
extension Int: Bindable {
    func bind(to statement: Statement, at place: Int) throws(StorageError) {
        try statement.bind(Int64(self), at: place)
    }
}
extension Bool: Bindable {
    func bind(to statement: Statement, at place: Int) throws(StorageError) {
        try statement.bind(Int64(self ? 1 : 0), at: place)
    }
}
extension Double: Bindable {
    func bind(to statement: Statement, at place: Int) throws(StorageError) { try statement.bind(self, at: place) }
}
extension String: Bindable {
    func bind(to statement: Statement, at place: Int) throws(StorageError) { try statement.bind(self, at: place) }
}
extension [UInt8]: Bindable {
    func bind(to statement: Statement, at place: Int) throws(StorageError) {
        try withUnsafeBufferPointer { (bytes) throws(StorageError) in
            try statement.bind(copying: UnsafeRawBufferPointer(bytes), at: place)
        }
    }
}
