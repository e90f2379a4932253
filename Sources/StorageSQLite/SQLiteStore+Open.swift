import Glibc
package import MartletDomain
package import MartletStorage

extension SQLiteStore {
    package struct Options: Sendable {
        /// How many readers may read at once.
        package var readers = 8
        /// How long to wait for another process that writes.
        package var lockSeconds = 5.0
        /// Settles points by itself when that is due, on a thread of its own. A process that only logs leaves it to others.
        package var compactsByItself = false
        /// Told of what goes wrong where nobody waits for an answer: in compaction by itself.
        package var onProblem: @Sendable (StorageError) -> Void = { _ in }
        /// Never write, even where one could.
        package var isReadOnly = false
        /// Where the database goes when the folder is on a network file system: `<cache>/<store id>/`.
        package var cacheFolder: String?
        /// Where a copy for reading goes when there is no other way.
        package var temporaryFolder = "/tmp"
        /// What `write.lock` says of this process to others who wait.
        package var command = Options.ownCommand
        package var fileSystem: @Sendable (String) -> FileSystem = FileSystem.of(folder:)
        package var now: @Sendable () -> Timestamp = Options.wallClock
        var writer = Writer.Limits()
        /// Whether a commit is on the disk before it is acknowledged. Without, a power cut may take what was acknowledged
        /// last; a crash of the process takes nothing, and the file stays whole.
        package var syncsEachCommit: Bool {
            get { writer.syncsEachCommit }
            set { writer.syncsEachCommit = newValue }
        }

        package init() {}

        /// The program and its verb; what follows may hold secrets.
        private static var ownCommand: String {
            let words = CommandLine.arguments.prefix(2)
            let program = words.first?.split(separator: "/").last.map(String.init) ?? "martlet"
            guard let verb = words.dropFirst().first, !verb.hasPrefix("-"), !verb.contains("/") else { return program }
            return "\(program) \(verb)"
        }

        private static let wallClock: @Sendable () -> Timestamp = {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Timestamp(micros: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
        }
    }

    /// Opens the store in a folder, making both if they are not there.
    package static func open(folder: String, options: Options = Options()) throws(StorageError) -> SQLiteStore {
        try open(folder: folder, options: options, migrations: .standard)
    }

    static func open(
        folder: String, options: Options, migrations: Migrations
    ) throws(StorageError) -> SQLiteStore {
        let place = try Place(folder: folder, options: options)
        do throws(StorageError) {
            return place.isReadOnly
                ? try openForReading(place, options, migrations)
                : try openForWriting(place, options, migrations)
        } catch {
            place.leave()
            throw error
        }
    }

    private static func openForWriting(
        _ place: Place, _ options: Options, _ migrations: Migrations
    ) throws(StorageError) -> SQLiteStore {
        let lock = try WriteLock(path: place.lock, command: options.command, seconds: options.lockSeconds)
        let id: String
        let connection: Connection
        try lock.acquire()
        do {
            defer { lock.release() }
            connection = try Connection(
                path: place.database, mode: .writer, creates: true, syncsEachCommit: options.syncsEachCommit)
            do throws(StorageError) {
                id = try prepare(connection, place, options, migrations)
            } catch {
                connection.close()
                throw error
            }
        }
        let names = NameTable()
        let writer = try Writer(connection, lock: lock, names: names, limits: options.writer)
        let store = SQLiteStore(place, options, format: migrations.format, id: id, names: names, writer: writer)
        if options.compactsByItself { store.startCompacting() }
        return store
    }

    /// Under the lock: from whatever is there to a store of this format. Gives its id.
    private static func prepare(
        _ connection: Connection, _ place: Place, _ options: Options, _ migrations: Migrations
    ) throws(StorageError) -> String {
        let state = try Schema.state(of: connection)
        if case .format(let found) = state, found > migrations.format {
            throw Schema.refuseNewer(found, than: migrations.format)
        }
        let journal = try connection.first("PRAGMA journal_mode=WAL") { $0.text(0) }
        guard journal == "wal" else {
            throw StorageError(
                .unsupported, "The file system under \(place.database) cannot keep a write-ahead log.",
                remedy: "Choose a folder on a local disk.", cause: "journal_mode is \(journal ?? "nothing")")
        }
        switch state {
        case .empty:
            try Schema.create(
                in: connection, id: place.id ?? RunID.make().text, now: options.now(), format: migrations.format)
        case .format(let found) where found < migrations.format:
            try Schema.migrate(connection, from: found, by: migrations, now: options.now())
        case .format: break
        }
        return try id(of: connection)
    }

    private static func openForReading(
        _ place: Place, _ options: Options, _ migrations: Migrations
    ) throws(StorageError) -> SQLiteStore {
        let connection = try Connection(path: place.database, mode: place.readerMode)
        defer { connection.close() }
        switch try Schema.state(of: connection) {
        case .empty:
            throw StorageError(
                .notFound, "The database in \(place.folder) is empty.", remedy: "Open it once where it can be written.")
        case .format(let found) where found > migrations.format:
            throw Schema.refuseNewer(found, than: migrations.format)
        case .format(let found) where found < migrations.format:
            throw StorageError(
                .readOnly,
                "This store has format \(found) and would have to be brought to \(migrations.format), but it cannot be written.",
                remedy: "Open it once where it can be written.")
        case .format: break
        }
        return SQLiteStore(
            place, options, format: migrations.format, id: try id(of: connection), names: NameTable(), writer: nil)
    }

    private static func id(of connection: Connection) throws(StorageError) -> String {
        guard let id = try connection.first("SELECT v FROM meta WHERE k = 'store'", row: { $0.text(0) }) else {
            throw .damaged("The store \(connection.path) has lost its id.")
        }
        return id
    }
}
