import Foundation
import MartletDomain
import MartletSeries
import MartletStorage
import Testing

@testable import MartletStorageSQLite

@Suite("A store opens, or says in words why not") struct OpeningTests {
    private func makeStore(_ folder: String) throws -> Run {
        let store = try SQLiteStore.open(folder: folder)
        defer { store.close() }
        return try store.write { tx throws(StorageError) in
            try tx.insert(.draft(1, name: "kept"), attributes: RunAttributes(tags: Pairs([("a", "b")])))
        }
    }

    @Test("a commit is synced before it is acknowledged, unless that was given up aloud", arguments: [true, false])
    func durability(_ isFull: Bool) throws {
        try withFolder { folder in
            var options = SQLiteStore.Options()
            #expect(options.syncsEachCommit)
            options.syncsEachCommit = isFull
            let store = try SQLiteStore.open(folder: folder, options: options)
            defer { store.close() }
            let level = try store.write { tx throws(StorageError) in
                try (tx as? SQLiteTransaction)?.connection.integer("PRAGMA synchronous")
            }
            #expect(level == (isFull ? 2 : 1))
        }
    }

    @Test("the folder is made where it is missing, parents and all")
    func made() throws {
        try withFolder { folder in
            let store = try SQLiteStore.open(folder: folder + "/a/b/.martlet/")
            store.close()
            #expect(FileManager.default.fileExists(atPath: folder + "/a/b/.martlet/martlet.db"))
        }
    }

    @Test("a newer format is refused in a sentence, and nothing is changed")
    func newer() throws {
        try withFolder { folder in
            _ = try makeStore(folder)
            let path = folder + "/martlet.db"
            do {
                let connection = try Connection(path: path, mode: .writer)
                try connection.run("UPDATE meta SET v = 99 WHERE k = 'format'")
                connection.close(checkpointing: true)
            }
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            let refused = refusal { _ = try SQLiteStore.open(folder: folder) }
            #expect(refused?.code == .newerFormat)
            #expect(refused?.message == "This store has format 99; this program knows formats up to \(Schema.format).")
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        }
    }

    @Test("an older format is brought up to date after a copy was made")
    func older() throws {
        try withFolder { folder in
            let run = try makeStore(folder)
            let now = Schema.format
            let migrations = Migrations(
                format: now + 2,
                steps: [
                    now: { (connection) throws(StorageError) in
                        try connection.run("ALTER TABLE run ADD COLUMN colour TEXT")
                    },
                    now + 1: { (connection) throws(StorageError) in
                        try connection.run("UPDATE run SET colour = 'red'")
                    },
                ])
            let store = try SQLiteStore.open(folder: folder, options: .init(), migrations: migrations)
            #expect(store.about.format == now + 2)
            #expect(try store.look { try $0.run(run.id)?.name } == "kept")
            let colour = try store.view { view throws(StorageError) in
                try view.connection.first("SELECT colour FROM run") { $0.text(0) }
            }
            #expect(colour == "red")
            store.close()
            let copies = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
                $0.hasPrefix("martlet.db.format-\(now).")
            }
            #expect(copies.count == 1)
            let copy = try Connection(path: "\(folder)/\(copies[0])", mode: .immutable)
            #expect(try Schema.state(of: copy) == .format(now))
            #expect(refusal { _ = try SQLiteStore.open(folder: folder) }?.code == .newerFormat)
        }
    }

    @Test("a store of the first format is brought to this one with all that is in it, and takes cards")
    func firstFormat() throws {
        try withFolder { folder in
            try FormatOne.make(in: folder)
            let first = Migrations(format: 1, steps: [:])
            let old = try SQLiteStore.open(folder: folder, options: .init(), migrations: first)
            var points = SeriesPoints()
            for step in 0..<400 { points.append(Point(step: Int64(step), time: noon.micros, value: Double(step) / 8)) }
            let batch = old.prepare(PointBatch(entries: [.init(name: "loss", points: points)]))
            let run = try old.write { tx throws(StorageError) in
                let run = try tx.insert(
                    .draft(1, name: "kept"),
                    attributes: RunAttributes(params: Pairs([("lr", ParamValue(text: "0.10"))])))
                try tx.append(batch, to: run.key, at: noon)
                try tx.append(
                    Item(id: 0, owner: .run(run.key), kind: "note", key: "1", at: noon, who: "ada", data: "{}"))
                return run
            }
            while try old.compact() {}
            old.close()

            let store = try SQLiteStore.open(folder: folder)
            defer { store.close() }
            #expect(store.about.format == Schema.format)
            #expect(store.about.id == "6d6172746c6574000000000000000001")
            try store.look { view throws in
                #expect(try view.run(run.id) == run)
                #expect(try view.attributes(of: run.key).params["lr"]?.text == "0.10")
                #expect(try view.points(run.key, "loss", .plain, in: .all).count == 400)
                #expect(try view.items(of: .run(run.key), kind: nil, key: nil).map(\.who) == ["ada"])
                #expect(try view.cardCount("model", owner: nil) == 0)
            }
            let card = try store.write { tx throws(StorageError) in
                try tx.insert(Card(kind: "model", project: .standard, key: "digits", created: noon, updated: noon))
            }
            #expect(try store.look { try $0.card(card.id) } == card)
            #expect(try store.fsck().isClean)
            // A new store has the same tables as one that was brought here.
            try withStore { fresh in
                func tables(_ store: SQLiteStore) throws -> [String] {
                    try store.view { view throws(StorageError) in
                        try view.connection.all("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name") {
                            $0.text(0)
                        }
                    }
                }
                let (brought, made) = (try tables(store), try tables(fresh))
                #expect(brought == made)
            }
        }
    }

    @Test("a step that fails leaves the store as it was, in its old format")
    func failingStep() throws {
        try withFolder { folder in
            let run = try makeStore(folder)
            let now = Schema.format
            let migrations = Migrations(
                format: now + 1,
                steps: [
                    now: { (connection) throws(StorageError) in
                        try connection.run("DELETE FROM run")
                        throw StorageError(.invalid, "The step fails.", remedy: "None.")
                    }
                ])
            let refused = refusal {
                _ = try SQLiteStore.open(folder: folder, options: .init(), migrations: migrations)
            }
            #expect(refused?.message.contains("from format \(now) to \(now + 1)") == true)
            let missing = refusal {
                _ = try SQLiteStore.open(
                    folder: folder, options: .init(), migrations: Migrations(format: now + 1, steps: [:]))
            }
            #expect(missing?.code == .unsupported)
            let store = try SQLiteStore.open(folder: folder)
            defer { store.close() }
            #expect(try store.look { try $0.run(run.id)?.name } == "kept")
        }
    }

    @Test("a file that is no database, a foreign database and an empty file are told apart")
    func foreign() throws {
        try withFolder { folder in
            let path = folder + "/martlet.db"
            try Data(repeating: 0x41, count: 5000).write(to: URL(fileURLWithPath: path))
            let text = refusal { _ = try SQLiteStore.open(folder: folder) }
            #expect(text?.code == .damaged)
            #expect(text?.message.contains("not a database") == true)

            try FileManager.default.removeItem(atPath: path)
            let other = try Connection(path: path, mode: .writer, creates: true)
            try other.run("CREATE TABLE songs(id INTEGER PRIMARY KEY)")
            other.close()
            #expect(refusal { _ = try SQLiteStore.open(folder: folder) }?.code == .invalid)

            try FileManager.default.removeItem(atPath: path)
            try Data().write(to: URL(fileURLWithPath: path))
            let store = try SQLiteStore.open(folder: folder)
            defer { store.close() }
            #expect(try store.look { try $0.projects().count } == 1)
        }
    }

    @Test(
        "on a read-only disk a closed store is read in place, and a change is refused in words",
        .enabled(if: LockableFolder.isAvailable))
    func readOnly() throws {
        let disk = try LockableFolder()
        defer { disk.remove() }
        let run = try makeStore(disk.path)
        try disk.makeReadOnly()
        let store = try SQLiteStore.open(folder: disk.path)
        defer { store.close() }
        #expect(store.isReadOnly)
        #expect(store.database == disk.path + "/martlet.db")
        #expect(try store.look { try $0.run(run.id)?.name } == "kept")
        #expect(try store.generation() == store.generation())
        #expect(
            refusal { try store.write { tx throws(StorageError) in try tx.setSetting("a", "b") } }?.code == .readOnly)
        #expect(try store.fsck().isClean)
    }

    @Test(
        "on a read-only disk what is only in the log is read too, from a copy that goes with the store",
        .enabled(if: LockableFolder.isAvailable))
    func readOnlyWithLog() throws {
        let disk = try LockableFolder()
        defer { disk.remove() }
        try withFolder { folder in
            let run = try makeStore(folder)
            let store = try SQLiteStore.open(folder: folder)
            try store.write { tx throws(StorageError) in try tx.setSetting("only", "in the log") }
            for name in ["martlet.db", "martlet.db-wal"] {
                try FileManager.default.copyItem(atPath: "\(folder)/\(name)", toPath: "\(disk.path)/\(name)")
            }
            store.close()
            try disk.makeReadOnly()
            var options = SQLiteStore.Options()
            options.temporaryFolder = folder
            let reader = try SQLiteStore.open(folder: disk.path, options: options)
            #expect(try reader.look { try $0.setting("only") } == "in the log")
            #expect(try reader.look { try $0.run(run.id)?.name } == "kept")
            #expect(reader.about.location == disk.path)
            reader.close()
            #expect(!FileManager.default.fileExists(atPath: reader.database))
            options.temporaryFolder = folder + "/missing"
            let refused = refusal { _ = try SQLiteStore.open(folder: disk.path, options: options) }
            #expect(refused?.message.contains("could not be copied") == true)
        }
    }

    @Test("who asks for reading alone reads beside a writer and changes nothing")
    func askedReadOnly() throws {
        try withFolder { folder in
            var options = SQLiteStore.Options()
            options.isReadOnly = true
            #expect(refusal { _ = try SQLiteStore.open(folder: folder + "/none", options: options) }?.code == .readOnly)
            #expect(!FileManager.default.fileExists(atPath: folder + "/none"))
            let writer = try SQLiteStore.open(folder: folder)
            defer { writer.close() }
            let reader = try SQLiteStore.open(folder: folder, options: options)
            defer { reader.close() }
            try writer.write { tx throws(StorageError) in try tx.setSetting("a", "b") }
            #expect(try reader.look { try $0.setting("a") } == "b")
            #expect(
                refusal { try reader.write { tx throws(StorageError) in try tx.setSetting("a", "c") } }?.code
                    == .readOnly)
        }
    }

    @Test("on a network file system the database lies in the cache, under the id that the folder keeps")
    func network() throws {
        try withFolder { folder in
            var options = SQLiteStore.Options()
            let shared = folder + "/shared"
            options.fileSystem = { $0.hasPrefix(shared) ? .network("NFS") : .local }
            let refused = refusal { _ = try SQLiteStore.open(folder: shared, options: options) }
            #expect(refused?.code == .unsupported)
            #expect(refused?.message.contains("NFS") == true)
            options.cacheFolder = shared + "/cache"
            #expect(refusal { _ = try SQLiteStore.open(folder: shared, options: options) }?.code == .unsupported)
            options.cacheFolder = folder + "/cache/martlet"
            let store = try SQLiteStore.open(folder: shared, options: options)
            let id = store.about.id
            #expect(store.database == "\(folder)/cache/martlet/\(id)/martlet.db")
            #expect(store.about.location == shared)
            try store.write { tx throws(StorageError) in try tx.setSetting("a", "b") }
            store.close()
            #expect(!FileManager.default.fileExists(atPath: shared + "/martlet.db"))
            let again = try SQLiteStore.open(folder: shared, options: options)
            defer { again.close() }
            #expect(again.about.id == id)
            #expect(try again.look { try $0.setting("a") } == "b")
            #expect(FileSystem.of(folder: "/tmp") == .local)
        }
    }
}
