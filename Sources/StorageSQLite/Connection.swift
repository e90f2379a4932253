import CSQLite
import MartletDomain
import MartletStorage

/// One open SQLite connection.
///
/// Opened without SQLite's mutexes: it has one owner thread at a time (the writer, or whoever holds it out of the
/// pool), and that ownership is the lock. Every statement that was lent dies with it.
///
/// It sets no `mmap_size`: a file that shrinks under a mapping kills the process instead of giving an error.
final class Connection {
    enum Mode {
        /// May write: under the write lock only, opening and closing included. SQLite checkpoints inside `COMMIT`.
        case writer
        /// Reads beside writers. Never checkpoints, not even when it is the last to close.
        case reader
        /// Reads a file that nobody can be writing: no lock, no shared memory, no log beside the file.
        case immutable
    }

    let path: String
    let mode: Mode
    /// The first failure after which nothing more may be asked of this connection: a full disk, a failed write or
    /// fsync. Kept here so that a change that swallows the error is still not acknowledged.
    private(set) var failure: StorageError?
    /// The first damaged page that was met since this was last set to nil. It ends the transaction, not the connection:
    /// what does not need that page goes on.
    var damage: StorageError?

    private let handle: OpaquePointer
    private let busyMillis: Int32
    private var isOpen = true
    private var statements: [String: Statement] = [:]
    /// Texts are written in the source, so there are about a hundred; the bound is for those made from lists.
    private static let statementsMax = 256

    init(
        path: String, mode: Mode, creates: Bool = false, busyMillis: Int32 = 5000, syncsEachCommit: Bool = true
    ) throws(StorageError) {
        var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        var name = path
        switch mode {
        case .writer: flags |= SQLITE_OPEN_READWRITE | (creates ? SQLITE_OPEN_CREATE : 0)
        // Readers of a WAL database write to its shared memory; `query_only` keeps them off the tables.
        case .reader: flags |= SQLITE_OPEN_READWRITE
        case .immutable:
            flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
            name = "file:" + escapedForURI(path) + "?immutable=1"
        }
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(name, &opened, flags, nil)
        guard code == SQLITE_OK, let opened else {
            // SQLite hands a handle back even when opening fails; it holds the message and must be closed.
            let words = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(opened)
            throw StorageError.sqlite(code, words, doing: "open", path: path)
        }
        (self.path, self.mode, self.busyMillis, handle) = (path, mode, busyMillis, opened)
        sqlite3_busy_timeout(handle, busyMillis)
        if creates { try run("PRAGMA page_size=4096") }
        if creates { try run("PRAGMA auto_vacuum=INCREMENTAL") }
        try run("PRAGMA foreign_keys=OFF")
        try run("PRAGMA temp_store=MEMORY")
        try run("PRAGMA mmap_size=0")
        try run("PRAGMA trusted_schema=OFF")
        switch mode {
        case .writer:
            try run("PRAGMA cache_size=-16384")
            try run("PRAGMA synchronous=\(syncsEachCommit ? "FULL" : "NORMAL")")
            try run("PRAGMA wal_autocheckpoint=1000")
        case .reader:
            // Each connection of the pool has its own; what falls out is still in the system's cache of files.
            try run("PRAGMA cache_size=-4096")
            try run("PRAGMA wal_autocheckpoint=0")
            try run("PRAGMA query_only=ON")
        case .immutable:
            try run("PRAGMA cache_size=-8192")
            try run("PRAGMA query_only=ON")
        }
    }

    deinit { close() }

    /// Gives the handle back. The last one to close may empty the log into the file and remove it: a checkpoint, so
    /// only a writer under the write lock asks for it.
    func close(checkpointing: Bool = false) {
        guard isOpen else { return }
        isOpen = false
        martlet_sqlite3_db_config_flag(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, checkpointing ? 0 : 1)
        for statement in statements.values { statement.finish() }
        statements = [:]
        sqlite3_close_v2(handle)
    }

    // MARK: Verbs

    /// Runs a statement for its effect.
    func run(_ sql: String, _ values: (any Bindable)?...) throws(StorageError) {
        try with(sql) { (statement) throws(StorageError) in
            try statement.bind(values)
            try statement.run()
        }
    }

    /// Runs a statement for its effect; the blob is its last parameter and is not copied.
    func run(_ sql: String, _ values: (any Bindable)?..., blob: [UInt8]) throws(StorageError) {
        try with(sql) { (statement) throws(StorageError) in
            try statement.bind(values)
            try blob.withUnsafeBufferPointer { (bytes) throws(StorageError) in
                try statement.bind(borrowed: UnsafeRawBufferPointer(bytes), at: values.count + 1)
                try statement.run()
            }
        }
    }

    /// Calls the closure with each row. The row is the statement's place and means nothing after the closure.
    func each(
        _ sql: String, _ values: (any Bindable)?..., row: (Statement) throws(StorageError) -> Void
    ) throws(StorageError) {
        try with(sql) { (statement) throws(StorageError) in
            try statement.bind(values)
            while try statement.step() { try row(statement) }
        }
    }

    /// One value for each row.
    func all<T>(
        _ sql: String, _ values: (any Bindable)?..., row: (Statement) throws(StorageError) -> T
    ) throws(StorageError) -> [T] {
        try with(sql) { (statement) throws(StorageError) in
            try statement.bind(values)
            var found: [T] = []
            while try statement.step() { found.append(try row(statement)) }
            return found
        }
    }

    /// The first row's value, nil without one.
    func first<T>(
        _ sql: String, _ values: (any Bindable)?..., row: (Statement) throws(StorageError) -> T
    ) throws(StorageError) -> T? {
        try with(sql) { (statement) throws(StorageError) in
            try statement.bind(values)
            return try statement.step() ? try row(statement) : nil
        }
    }

    /// The integer of a statement that gives one, nil where there is no row or it is NULL.
    func integer(_ sql: String, _ values: (any Bindable)?...) throws(StorageError) -> Int64? {
        try with(sql) { (statement) throws(StorageError) in
            try statement.bind(values)
            return try statement.step() ? statement.optionalInt(0) : nil
        }
    }

    /// Those of some numbers that a statement finds, which answers the least number there is from a given one on.
    ///
    /// Each look leads to the next number that is there, and past all that were asked for before it: few looks where few
    /// are there, and where few are asked for.
    func leap(_ sql: String, _ wanted: [Int64]) throws(StorageError) -> [Int64] {
        try with(sql) { (statement) throws(StorageError) in
            var found: [Int64] = []
            var next = Int64.min
            for number in wanted.sorted() where number >= next {
                statement.reset()
                try statement.bind([number])
                guard try statement.step() else { break }
                next = statement.int(0)
                if next == number {
                    found.append(number)
                    next += 1
                }
            }
            return found
        }
    }

    /// Lends a prepared statement, reset and without bindings. One that is being stepped further up the stack is
    /// not lent twice: a second one is prepared beside it.
    func with<T>(_ sql: String, _ body: (Statement) throws(StorageError) -> T) throws(StorageError) -> T {
        let statement = try prepare(sql)
        statement.isLent = true
        defer {
            statement.reset()
            statement.isLent = false
        }
        return try body(statement)
    }

    private func prepare(_ sql: String) throws(StorageError) -> Statement {
        if let known = statements[sql], !known.isLent { return known }
        precondition(isOpen, "a connection is not used after it was closed")
        var sql = sql
        var prepared: OpaquePointer?
        let code = sql.withUTF8 { text in
            text.withMemoryRebound(to: CChar.self) {
                sqlite3_prepare_v3(
                    handle, $0.baseAddress, Int32($0.count), UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
            }
        }
        guard code == SQLITE_OK, let prepared else { throw refuse(code, doing: sql) }
        let statement = Statement(prepared, of: self, sql)
        if statements[sql] == nil {
            if statements.count >= Self.statementsMax { statements = statements.filter { $0.value.isLent } }
            statements[sql] = statement
        }
        return statement
    }

    // MARK: Transactions

    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }
    /// Rows changed by the last statement.
    var changes: Int { Int(sqlite3_changes64(handle)) }
    /// Rows changed since the connection was opened, those rolled back included.
    var totalChanges: Int64 { sqlite3_total_changes64(handle) }
    var lastInsertID: Int64 { sqlite3_last_insert_rowid(handle) }

    /// Undoes what an open transaction did. After a failure SQLite may have done so itself.
    func rollback() {
        guard isOpen, isInTransaction else { return }
        try? run("ROLLBACK")
    }

    /// Runs the body in a savepoint: whole, or not at all.
    func savepoint<T>(_ body: () throws(StorageError) -> T) throws(StorageError) -> T {
        try run("SAVEPOINT change")
        do throws(StorageError) {
            let value = try body()
            try run("RELEASE change")
            return value
        } catch {
            // A failed write has already undone the whole transaction, and then there is no savepoint to go back to.
            if isInTransaction && failure == nil {
                try run("ROLLBACK TO change")
                try run("RELEASE change")
            }
            throw error
        }
    }

    /// Gives up the pages that are kept for the next statement; they are still in the system's cache of files.
    func releasePages() { sqlite3_db_release_memory(handle) }

    /// Moves the log into the file and empties it, unless somebody is reading: then as far as it goes. Under the lock.
    func checkpoint() {
        guard isOpen, mode == .writer, !isInTransaction else { return }
        // Without the time-out: everybody else waits for the lock meanwhile.
        sqlite3_busy_timeout(handle, 0)
        sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        sqlite3_busy_timeout(handle, busyMillis)
    }

    /// The error for a result code, remembering those that end the connection.
    func refuse(_ code: Int32, doing: String) -> StorageError {
        let error = StorageError.sqlite(code, String(cString: sqlite3_errmsg(handle)), doing: doing, path: path)
        if endsConnection(code) { failure = failure ?? error }
        if error.code == .damaged { damage = damage ?? error }
        return error
    }
}

private func endsConnection(_ code: Int32) -> Bool {
    switch code & 0xff {
    case SQLITE_FULL, SQLITE_IOERR, SQLITE_NOTADB, SQLITE_NOMEM, SQLITE_CANTOPEN: true
    default: false
    }
}

/// A path inside a `file:` URI: everything that has a meaning there is written as `%xx`.
private func escapedForURI(_ path: String) -> String {
    var out = ""
    for byte in path.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            out.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            let digits = String(byte, radix: 16)
            out += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
        }
    }
    return out
}
