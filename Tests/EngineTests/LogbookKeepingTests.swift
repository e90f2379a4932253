import Foundation
import MartletDomain
import MartletEngine
import MartletSeries
import MartletStorage
import Testing

@Suite("Adopted logbooks are kept as a second copy, and not for ever") struct LogbookKeepingTests {
    /// A store that has taken in one file of the writer `w1`.
    private struct Shelf {
        let stage: Stage
        let folder: String
        var keeper: LogbookKeeper { LogbookKeeper(folder: folder, engine: stage.engine) }
        var archive: String { folder + "/done/2026-01/w1.jsonl.gz" }
        var isThere: Bool { FileManager.default.fileExists(atPath: archive) }

        func pass(days: Double) { stage.clock.advance(seconds: days * 86_400) }
        /// What `backup` and `fsck` do when all went well.
        func prove(_ proof: StoreProof) throws {
            let adoptions = try stage.see { try $0.adoptions() }
            try stage.engine.remember(proof, adoptions: adoptions)
        }
        func adopt() { LogbookAdopter(folder: folder, engine: stage.engine).catchUp() }
    }

    private static let lines = [
        Logbook.line(1, "run", ",\"experiment\":\"risk\""),
        Logbook.line(2, "metrics", ",\"step\":1,\"m\":{\"loss\":0.5}"),
        Logbook.line(3, "state", ",\"status\":\"done\""),
    ]

    private func withShelf(_ body: (Shelf) throws -> Void) throws {
        try Logbook.withFolder { folder in
            try Logbook.write(Self.lines, to: folder + "/live/w1.jsonl")
            let shelf = Shelf(stage: Stage(), folder: folder)
            shelf.adopt()
            try body(shelf)
        }
    }

    @Test("one goes when its days are over and the store was proved whole since", arguments: StoreProof.allCases)
    func goes(_ proof: StoreProof) throws {
        try withShelf { shelf in
            #expect(try shelf.keeper.survey().kept == [.age: 1])
            try shelf.prove(proof)
            shelf.pass(days: 29.9)
            #expect(try shelf.keeper.sweep() == .init() && shelf.isThere)
            shelf.pass(days: 0.2)
            let sweep = try shelf.keeper.sweep()
            #expect(sweep.deleted == 1 && sweep.deletedBytes > 0 && !shelf.isThere)
            #expect(try shelf.keeper.survey() == .init())
        }
    }

    @Test("without a proof it stays, however old; one from before its adoption is none")
    func unproved() throws {
        try Logbook.withFolder { folder in
            let shelf = Shelf(stage: Stage(), folder: folder)
            try shelf.prove(.backup)
            try Logbook.write(Self.lines, to: folder + "/live/w1.jsonl")
            shelf.adopt()
            shelf.pass(days: 1000)
            #expect(try shelf.keeper.survey().kept == [.proof: 1])
            #expect(try shelf.keeper.sweep() == .init() && shelf.isThere)
            try shelf.prove(.fsck)
            #expect(try shelf.keeper.sweep().deleted == 1)
        }
    }

    @Test("a backup that began before the adoption and ended after it proves nothing of it")
    func overlapping() throws {
        try Logbook.withFolder { folder in
            let shelf = Shelf(stage: Stage(), folder: folder)
            let before = try shelf.stage.see { try $0.adoptions() }
            try Logbook.write(Self.lines, to: folder + "/live/w1.jsonl")
            shelf.adopt()
            try shelf.stage.engine.remember(.backup, adoptions: before)
            shelf.pass(days: 31)
            #expect(try shelf.keeper.survey().kept == [.proof: 1])
        }
    }

    @Test("of no days, it goes at the first proof")
    func noDays() throws {
        try withShelf { shelf in
            #expect(try shelf.keeper.sweep(days: 0) == .init() && shelf.isThere)
            try shelf.prove(.backup)
            // Who sweeps next knows the days that the server was told.
            #expect(try shelf.keeper.sweep().deleted == 1)
        }
    }

    @Test("a clock that was set back keeps it for longer and never makes a proof of an older backup")
    func clockBack() throws {
        try Logbook.withFolder { folder in
            let shelf = Shelf(stage: Stage(), folder: folder)
            try shelf.prove(.backup)
            shelf.stage.clock.set(Timestamp(iso: "2025-01-15T12:00:00Z")!)
            try Logbook.write(Self.lines, to: folder + "/live/w1.jsonl")
            shelf.adopt()
            shelf.stage.clock.set(Timestamp(iso: "2026-01-15T12:00:00Z")!)
            #expect(try shelf.keeper.survey().kept == [.proof: 1])
            try shelf.prove(.backup)
            shelf.stage.clock.set(Timestamp(iso: "2024-01-15T12:00:00Z")!)
            #expect(try shelf.keeper.survey().kept == [.age: 1])
        }
    }

    @Test("what is not as it was put away stays, and so does what somebody holds")
    func changedAndHeld() throws {
        try withShelf { shelf in
            try shelf.prove(.backup)
            shelf.pass(days: 31)
            let file = open(shelf.archive, O_WRONLY | O_APPEND)
            #expect(flock(file, LOCK_EX) == 0)
            #expect(try shelf.keeper.survey().kept == [.locked: 1])
            #expect(try shelf.keeper.sweep() == .init() && shelf.isThere)
            #expect(write(file, "more", 4) == 4)
            close(file)
            #expect(try shelf.keeper.survey().kept == [.changed: 1])
            #expect(try shelf.keeper.sweep() == .init() && shelf.isThere)
        }
    }

    @Test("a growing file, and what else lies there, is never touched")
    func others() throws {
        try withShelf { shelf in
            let live = shelf.folder + "/live/w2.jsonl"
            try Logbook.write([Logbook.line(1, "beat", writer: "w2")], to: live)
            let own = shelf.folder + "/done/2026-01/notes.txt"
            try "mine".write(toFile: own, atomically: true, encoding: .utf8)
            try shelf.prove(.backup)
            shelf.pass(days: 31)
            #expect(try shelf.keeper.sweep().deleted == 1)
            #expect(FileManager.default.fileExists(atPath: live) && FileManager.default.fileExists(atPath: own))
        }
    }

    @Test("a database that does not know an archive takes it in again before any day counts")
    func otherDatabase() throws {
        try withShelf { shelf in
            let other = Shelf(stage: Stage(), folder: shelf.folder)
            try other.prove(.backup)
            other.pass(days: 1000)
            #expect(try other.keeper.survey().kept == [.unknown: 1])
            #expect(try other.keeper.sweep() == .init() && other.isThere)
            #expect(try other.keeper.takeInUnknown() == 1)
            let run = try #require(try other.stage.see { try $0.run(RunID(Logbook.id)!) })
            #expect(try other.stage.see { try $0.curve(of: run, "loss") }.values == [0.5] && run.status.word == "done")
            #expect(try other.keeper.survey().kept == [.age: 1])
            #expect(try other.keeper.takeInUnknown() == 0)
        }
    }

    @Test("an archive that cannot be read stays, and does not stop the others")
    func damaged() throws {
        try withShelf { shelf in
            let bad = shelf.folder + "/done/2026-01/a.jsonl.gz"
            try Data(contentsOf: URL(filePath: shelf.archive)).dropLast(3).write(to: URL(filePath: bad))
            let other = Shelf(stage: Stage(), folder: shelf.folder)
            #expect(try other.keeper.takeInUnknown() == 1)
            #expect(try other.keeper.survey().kept == [.unknown: 1, .age: 1])
        }
    }
}
