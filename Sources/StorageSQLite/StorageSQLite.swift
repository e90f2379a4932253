// Runs in one SQLite file: rows in transactions, points in a journal and in chunks.
//
// The file is shared by every process that opens the folder, so nothing that matters is kept in memory only: ids of
// names are a cache, and readers see what is committed. SQLite 3.7.0 to 3.51.2 can corrupt a database in WAL mode when
// a checkpoint overlaps a commit that starts the log anew; therefore every write transaction, checkpoint and closing
// of a connection that may write happens under one file lock (`WriteLock`).
import CSQLite
import MartletDomain
package import MartletStorage
import MartletThreads

/// A store in a folder.
package final class SQLiteStore: Store {
    package let about: StoreAbout
    /// Where the database lies: the folder itself, or the opener's cache when the folder is on a network file system.
    package let database: String
    package let isReadOnly: Bool

    let names: NameTable
    private let readers: ReaderPool
    private let watch: Watch
    /// Nil when the store is read-only.
    private let writer: Writer?
    let place: Place
    let options: Options

    init(_ place: Place, _ options: Options, format: Int, id: String, names: NameTable, writer: Writer?) {
        (self.place, self.options, self.names, self.writer) = (place, options, names, writer)
        (database, isReadOnly) = (place.database, writer == nil)
        about = StoreAbout(
            kind: "sqlite", id: id, format: format, location: place.folder,
            engine: "SQLite \(String(cString: sqlite3_libversion()))", isCopy: place.id != nil)
        readers = ReaderPool(path: place.database, mode: place.readerMode, countMax: options.readers)
        watch = Watch(path: place.database, mode: place.readerMode)
    }

    deinit { close() }

    // MARK: Reading

    package func read<T>(_ body: (any StoreReader) throws(StorageError) -> T) throws(StorageError) -> T {
        try view { (view) throws(StorageError) in try body(view) }
    }

    /// `read` for this room: the view as it is.
    func view<T>(_ body: (SQLiteView) throws(StorageError) -> T) throws(StorageError) -> T {
        try readers.read(names: names, body)
    }

    package func generation() throws(StorageError) -> Int64 { try watch.generation() }

    // MARK: Writing

    package func submit<T: Sendable>(
        _ priority: WritePriority, bytes: Int,
        _ change: @escaping @Sendable (any StoreTransaction) throws(StorageError) -> T,
        then: @escaping @Sendable (Result<T, StorageError>) -> Void
    ) {
        enqueue(priority, bytes: bytes, { (tx) throws(StorageError) in try change(tx) }, then: then)
    }

    /// `submit` for this room: the transaction as it is.
    func enqueue<T: Sendable>(
        _ priority: WritePriority, bytes: Int,
        _ change: @escaping @Sendable (SQLiteTransaction) throws(StorageError) -> T,
        then: @escaping @Sendable (Result<T, StorageError>) -> Void
    ) {
        guard let writer else {
            return then(
                .failure(
                    StorageError(
                        .readOnly, "The store \(about.location) can be read but not written.",
                        remedy: "Check who owns the folder and that the file system is not mounted read-only.")))
        }
        writer.submit(ChangeWithAnswer(bytes: bytes, change, then: then), priority)
    }

    /// A change of this room's own, waited for; whole or not at all like every other. Not on the writer's thread.
    func change<T: Sendable>(
        _ priority: WritePriority = .live, bytes: Int,
        _ body: @escaping @Sendable (SQLiteTransaction) throws(StorageError) -> T
    ) throws(StorageError) -> T {
        let waiter = Waiter<Result<T, StorageError>>()
        enqueue(priority, bytes: bytes, body) { waiter.fulfil($0) }
        return try waiter.wait().get()
    }

    package func onCommit(_ listener: @escaping @Sendable () -> Void) { writer?.onCommit(listener) }

    /// Gives up memory that only makes the next reads a little faster. The writer does so of itself when it is idle.
    package func rest() { readers.releasePages() }

    /// Readers first, so that the writer is the last to close and leaves one file without a log beside it.
    package func close() {
        names.points.compactor.stop()
        readers.close()
        watch.close()
        writer?.close()
        place.leave()
    }
}
