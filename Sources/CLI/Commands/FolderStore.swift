import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletObservability
import MartletStorage
import MartletStorageSQLite

/// A store's folder as the commands see it that work on files, not through the API.
struct FolderStore {
    let path: String
    let store: SQLiteStore
    let blobs: FolderBlobStore
    let engine: Engine

    var records: StoreBlobRecords { StoreBlobRecords(store: store, logbooks: path + "/logbooks") }

    /// Only what is there is opened: a check must not make a store.
    static func open(_ path: String, cacheFolder: String?, now: Timestamp) throws -> FolderStore {
        guard Disk.exists(path + "/martlet.db") || Disk.isFolder(path + "/logbooks") else {
            throw CommandFailure.noStore(path)
        }
        var options = SQLiteStore.Options()
        options.cacheFolder = cacheFolder
        let store = try SQLiteStore.open(folder: path, options: options)
        do throws(Refusal) {
            return FolderStore(
                path: path, store: store, blobs: try FolderBlobStore(folder: path + "/artifacts", now: now),
                engine: Engine(store: store, log: .silent))
        } catch {
            store.close()
            throw CommandFailure(error)
        }
    }

    func close() {
        engine.feed.stop()
        store.close()
    }
}

extension World {
    /// A command on the folder of a store. The folder is given as an argument, or is the store that is meant.
    func folderCommand(
        _ name: String, _ summary: String, discussion: String = "", arguments: [Argument] = [],
        options: [Option] = [], examples: [Example],
        run: @escaping @Sendable (FolderStore, Parsed, any Terminal) throws -> ExitCode
    ) -> Command {
        plainCommand(
            name, summary, discussion: discussion, arguments: arguments, options: options, examples: examples
        ) { parsed, terminal in
            let store = try FolderStore.open(
                try folder(parsed, terminal), cacheFolder: World.cacheFolder(terminal.environment), now: now())
            defer { store.close() }
            return try run(store, parsed, terminal)
        }
    }

    /// Where the database of a store on a network file system goes.
    package static func cacheFolder(_ environment: [String: String]) -> String? {
        let said = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return (said ?? environment["HOME"].map { $0 + "/.cache" }).map { $0 + "/martlet" }
    }
}
