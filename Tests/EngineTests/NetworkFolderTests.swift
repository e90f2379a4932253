import Foundation
import MartletDomain
import MartletEngine
import MartletSeries
import MartletStorage
import MartletStorageSQLite
import Testing

/// The kind of the file system is given by hand: what is promised holds on whatever `statfs` calls a network.
@Suite("On a network file system the logbooks are the truth, and the database is a copy") struct NetworkFolderTests {
    private struct Machine {
        let stage: Stage
        let store: SQLiteStore
        let adopter: LogbookAdopter
        let keeper: LogbookKeeper

        /// One of several that have the folder mounted, each with a cache of its own.
        init(_ name: String, on shared: String) throws {
            var options = SQLiteStore.Options()
            options.fileSystem = { $0.hasPrefix(shared + "/store") ? .network("NFS") : .local }
            options.cacheFolder = shared + "/cache-" + name
            store = try SQLiteStore.open(folder: shared + "/store", options: options)
            stage = Stage(store: store)
            adopter = LogbookAdopter(folder: shared + "/store/logbooks", engine: stage.engine)
            keeper = LogbookKeeper(folder: shared + "/store/logbooks", engine: stage.engine)
        }

        func run() throws -> Run? { try stage.see { try $0.run(RunID(Logbook.id)!) } }
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        try Logbook.withFolder { folder in
            try FileManager.default.createDirectory(
                atPath: folder + "/store/logbooks/live", withIntermediateDirectories: true)
            try body(folder)
        }
    }

    private static let lines = [
        Logbook.line(1, "run", ",\"experiment\":\"risk\""),
        Logbook.line(2, "metrics", ",\"step\":1,\"m\":{\"loss\":0.5}"),
    ]

    @Test("files are taken in where they lie, on every machine, and never moved or deleted")
    func stays() throws {
        try withFolder { folder in
            let path = folder + "/store/logbooks/live/w1.jsonl"
            try Logbook.write(Self.lines, to: path)
            for name in ["one", "two"] {
                let machine = try Machine(name, on: folder)
                defer { machine.store.close() }
                machine.adopter.catchUp()
                machine.stage.clock.advance(seconds: 100 * 86_400)
                machine.adopter.catchUp()
                try machine.stage.engine.remember(.backup, adoptions: 100)
                #expect(try machine.keeper.sweep(days: 0) == .init())
                let run = try #require(try machine.run())
                #expect(try machine.stage.see { try $0.curve(of: run, "loss") }.values == [0.5])
                #expect(FileManager.default.fileExists(atPath: path))
                #expect(!FileManager.default.fileExists(atPath: folder + "/store/martlet.db"))
            }
        }
    }

    @Test("a writer has ended when its file has not grown for a while, and comes back by growing")
    func silence() throws {
        try withFolder { folder in
            let path = folder + "/store/logbooks/live/w1.jsonl"
            try Logbook.write(Self.lines, to: path)
            let machine = try Machine("one", on: folder)
            defer { machine.store.close() }
            // The lock is free all the time: over a network that says nothing.
            machine.adopter.catchUp()
            #expect(try machine.run()?.status.state == .running)
            machine.stage.clock.advance(seconds: Double(LogbookAdopter.silenceSeconds) - 1)
            try Logbook.write([Logbook.line(3, "beat")], to: path)
            machine.adopter.catchUp()
            machine.stage.clock.advance(seconds: Double(LogbookAdopter.silenceSeconds) - 1)
            machine.adopter.catchUp()
            #expect(try machine.run()?.status.state == .running)
            machine.stage.clock.advance(seconds: 1)
            machine.adopter.catchUp()
            #expect(try machine.run()?.status.state == .lost)
            try Logbook.write([Logbook.line(4, "beat")], to: path)
            machine.adopter.catchUp()
            #expect(try machine.run()?.status.state == .running)
        }
    }

    @Test("what a local store had put away is part of what a new cache is made of, and is not deleted")
    func archives() throws {
        try withFolder { folder in
            let live = folder + "/store/logbooks/live/w1.jsonl"
            try Logbook.write(Self.lines, to: live)
            LogbookAdopter(folder: folder + "/store/logbooks", engine: Stage().engine).catchUp()
            #expect(!FileManager.default.fileExists(atPath: live))
            let machine = try Machine("one", on: folder)
            defer { machine.store.close() }
            #expect(try machine.keeper.takeInUnknown() == 1)
            #expect(try machine.run() != nil)
            try machine.stage.engine.remember(.fsck, adoptions: 100)
            machine.stage.clock.advance(seconds: 100 * 86_400)
            #expect(try machine.keeper.survey().kept == [.source: 1])
            #expect(try machine.keeper.sweep(days: 0) == .init())
        }
    }
}
