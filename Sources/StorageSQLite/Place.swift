import Glibc
import MartletDomain
import MartletStorage

/// Where a store's database is opened, and how.
///
/// On a local disk that is the folder itself. On a network file system the folder keeps logbooks and artifacts, and
/// the database lies in the opener's cache as a copy that can be rebuilt. A folder that cannot be written is read in
/// place if nothing can hide in a log beside the file, else from a copy that goes when the store is closed.
struct Place: Sendable {
    let folder: String
    private(set) var database: String
    private(set) var isReadOnly = false
    private(set) var readerMode = Connection.Mode.reader
    /// The store's id where the folder knows it without a database.
    private(set) var id: String?
    private var temporary: String?

    var lock: String { database.dropLast(Schema.file.utf8.count) + "write.lock" }

    init(folder given: String, options: SQLiteStore.Options) throws(StorageError) {
        folder = given.count > 1 && given.hasSuffix("/") ? String(given.dropLast()) : given
        database = folder + "/" + Schema.file
        if !options.isReadOnly && !Files.exists(folder) { try Files.makeFolder(folder) }
        let isWritable = !options.isReadOnly && Files.isWritable(folder)
        if isWritable { _ = try Files.writeNew(folder + "/.gitignore", "*\n") }

        if case .network(let kind) = options.fileSystem(folder) {
            try moveToCache(kind, options, isWritable: isWritable)
        } else if !isWritable || (Files.exists(database) && !Files.isWritable(database)) {
            try openReadOnly(options)
        }
    }

    private mutating func moveToCache(
        _ kind: String, _ options: SQLiteStore.Options, isWritable: Bool
    ) throws(StorageError) {
        guard let cache = options.cacheFolder else {
            throw StorageError(
                .unsupported,
                "The folder \(folder) is on a network file system (\(kind)), where a database is not safe.",
                remedy: "Name a cache folder on a local disk, or choose another folder.")
        }
        if case .network(let kind) = options.fileSystem(cache) {
            throw StorageError(
                .unsupported, "The cache folder \(cache) is on a network file system (\(kind)) too.",
                remedy: "Set XDG_CACHE_HOME to a folder on a local disk.")
        }
        let name = folder + "/store.id"
        if isWritable { _ = try Files.writeNew(name, RunID.make().text + "\n") }
        guard let bytes = try Files.read(name, most: 64) else {
            throw StorageError(
                .readOnly, "The folder \(folder) holds no store, and it cannot be written.",
                remedy: "Check the path, and who owns the folder.")
        }
        guard let id = RunID(String(decoding: bytes, as: UTF8.self).prefix(32)) else {
            throw .damaged("The file \(name) does not hold the id of a store.")
        }
        self.id = id.text
        try Files.makeFolder("\(cache)/\(id.text)")
        database = "\(cache)/\(id.text)/\(Schema.file)"
    }

    private mutating func openReadOnly(_ options: SQLiteStore.Options) throws(StorageError) {
        guard Files.exists(database) else {
            throw StorageError(
                .readOnly, "The folder \(folder) holds no store, and it cannot be written.",
                remedy: "Check the path, and who owns the folder.")
        }
        isReadOnly = true
        // Where shared memory can be made beside the file, a reader sees what others write while it reads.
        if Files.isWritable(folder) && Files.isWritable(database) { return }
        readerMode = .immutable
        // An immutable file is read without its log, so rows that are only there would be hidden in silence.
        if Files.size(database + "-wal") ?? 0 == 0 && !Files.isWritable(folder) { return }
        try copyAside(options)
    }

    private mutating func copyAside(_ options: SQLiteStore.Options) throws(StorageError) {
        let copy = "\(options.temporaryFolder)/martlet-\(RunID.make().text)"
        // Nobody else may look into it: the original's rights are not known to the copy.
        guard mkdir(copy, 0o700) == 0 else {
            throw StorageError.file(errno, .makeFolder, copy).because(folder)
        }
        temporary = copy
        let held = open(lock, O_RDONLY | O_CLOEXEC)
        defer { if held >= 0 { close(held) } }
        do throws(StorageError) {
            // With the lock nobody writes in between; a reader may hold it too.
            if held >= 0 { try shareLock(held, options) }
            try Files.copy(database, to: "\(copy)/\(Schema.file)")
            if Files.size(database + "-wal") != nil {
                try Files.copy(database + "-wal", to: "\(copy)/\(Schema.file)-wal")
            }
        } catch {
            leave()
            throw error.because(folder)
        }
        database = "\(copy)/\(Schema.file)"
        readerMode = .reader
    }

    private func shareLock(_ file: Int32, _ options: SQLiteStore.Options) throws(StorageError) {
        var waited = 0.0
        while flock(file, LOCK_SH | LOCK_NB) != 0 {
            guard waited < options.lockSeconds else { throw .locked(by: "", seconds: options.lockSeconds) }
            usleep(5000)
            waited += 0.005
        }
    }

    /// Removes what was made for this opening alone.
    func leave() {
        guard let temporary else { return }
        for suffix in ["", "-wal", "-shm"] { unlink("\(temporary)/\(Schema.file)\(suffix)") }
        rmdir(temporary)
    }
}

extension StorageError {
    fileprivate func because(_ folder: String) -> StorageError {
        StorageError(
            code, "The store \(folder) cannot be written, has changes in its log, and could not be copied: \(message)",
            remedy: "Let the program that writes it close it, or give room for a copy. \(remedy)", cause: cause)
    }
}
