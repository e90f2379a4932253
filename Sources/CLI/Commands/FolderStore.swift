import MartletArtifacts
import MartletClient
import MartletDomain
import MartletEngine
import MartletJSON
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

    var keeper: LogbookKeeper { LogbookKeeper(folder: path + "/logbooks", engine: engine) }

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

    /// Which adopted logbooks are in what is about to be proved.
    func adoptions() throws(Refusal) -> Int64 { try engine.read { reader throws(Refusal) in try reader.adoptions() } }

    /// What was proved counts even where it cannot be written down; adopted logbooks then wait for the next time.
    func remember(_ proof: StoreProof, adoptions: Int64, _ terminal: any Terminal) {
        guard adoptions > 0, !store.isReadOnly else { return }
        do throws(Refusal) { try engine.remember(proof, adoptions: adoptions) } catch {
            terminal.line(
                "Adopted logbooks wait for the next \(proof.rawValue): \(Escape.text(error.message))", to: .error)
        }
    }

    /// What is kept of adopted logbooks and why, in a line; nil where there are none.
    func keptLogbooks() throws(Refusal) -> KeptLogbooks? {
        let survey = try keeper.survey()
        guard survey.files > 0 else { return nil }
        return KeptLogbooks(
            survey: survey, days: try engine.read { reader throws(Refusal) in try reader.logbookDays() })
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
                try folder(parsed, terminal), cacheFolder: StorePlace.cacheFolder(terminal.environment), now: now())
            defer { store.close() }
            return try run(store, parsed, terminal)
        }
    }
}

/// Adopted logbooks as `du` and `doctor` tell of them.
struct KeptLogbooks {
    var survey: LogbookKeeper.Survey
    var days: Int

    /// `3 adopted, 1.2 MB: 2 until they are 30 days old, 1 until a backup or a clean fsck`.
    var text: String {
        let reasons = AdoptedLogbook.Reason.allCases.compactMap { reason in
            survey.kept[reason].map { "\(NumberText.grouped($0)) \(words(for: reason))" }
        }
        let due = survey.files - survey.kept.values.reduce(0, +)
        let all = reasons + (due > 0 ? ["\(NumberText.grouped(due)) until the next sweep"] : [])
        return "\(NumberText.grouped(survey.files)) adopted, \(NumberText.bytes(survey.bytes)): "
            + all.joined(separator: ", ")
    }

    /// By reason, for programs.
    var json: JSONValue {
        .object(
            JSONObject(
                AdoptedLogbook.Reason.allCases.map { .init($0.rawValue, .int(Int64(survey.kept[$0] ?? 0))) }))
    }

    private func words(for reason: AdoptedLogbook.Reason) -> String {
        switch reason {
        case .source: "for good, since the database is rebuilt from them"
        case .age: "until \(days) days old"
        case .proof: "until a backup or a clean fsck"
        case .unknown: "not known to this database and still to be taken in"
        case .changed: "changed since, and kept"
        case .locked: "held by a program"
        }
    }
}
