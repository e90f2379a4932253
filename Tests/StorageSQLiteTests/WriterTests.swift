import Foundation
import MartletDomain
import MartletStorage
import Testing

@testable import MartletStorageSQLite

@Suite("Changes are committed in groups, each whole or not at all") struct WriterTests {
    @Test("one refused change leaves the others of its group whole, and takes its names back")
    func refusedInGroup() throws {
        try withStore { store in
            let outcomes = Outcomes<(Int, Result<Int64, StorageError>)>()
            store.whileWriterIsBusy {
                for number in 1...9 {
                    store.submit(
                        .live, bytes: 10,
                        { tx throws(StorageError) in
                            let key = number == 5 ? "taken back" : "kept"
                            let tags = RunAttributes(tags: Pairs([(key, .some("x")), ("of \(number)", nil)]))
                            let run = try tx.insert(.draft(number), attributes: tags)
                            guard number != 5 else {
                                throw StorageError(.invalid, "Five is refused.", remedy: "Use another.")
                            }
                            return try tx.cursor().revision * 1000 + run.key.raw
                        }, then: { outcomes.add((number, $0)) })
                }
            }
            let found = outcomes.wait(for: 9)
            #expect(found.map(\.0) == Array(1...9))
            for (number, outcome) in found {
                switch outcome {
                case .success: #expect(number != 5)
                case .failure(let error): #expect(number == 5 && error.code == .invalid)
                }
            }
            let revisions = Set(found.compactMap { try? $0.1.get() / 1000 })
            #expect(revisions == [2], "one group is one transaction and one revision")
            try store.look { view throws in
                let runs = try view.runs(in: .standard, after: nil, limit: 100)
                #expect(runs.map(\.number) == [1, 2, 3, 4, 6, 7, 8, 9])
                for run in runs {
                    #expect(try view.attributes(of: run.key).tags.keys.sorted() == ["kept", "of \(run.number)"])
                }
            }
            // Its ids are given anew, and mean what they mean in the file.
            let again = try store.write { tx throws(StorageError) in
                try tx.insert(.draft(50), attributes: RunAttributes(tags: Pairs([("another", nil), ("kept", nil)])))
            }
            #expect(try store.look { try $0.attributes(of: again.key).tags.keys } == ["kept", "another"])
            #expect(store.names.id(of: "taken back") == nil)
            let stored = try store.view { view throws(StorageError) in try view.storedNameID("another") }
            #expect(store.names.id(of: "another") == stored)
            #expect(try store.fsck().findings == [])
        }
    }

    @Test("a change that swallows a full disk is not acknowledged, nor is anything else of its group")
    func full() throws {
        try withStore { store in
            _ = try store.write { tx throws(StorageError) in try tx.insert(.draft(1), attributes: RunAttributes()) }
            let outcomes = Outcomes<Result<Void, StorageError>>()
            store.whileWriterIsBusy {
                store.enqueue(
                    .live, bytes: 0,
                    { tx throws(StorageError) in
                        _ = try tx.insert(.draft(2), attributes: RunAttributes())
                        // The same answer as from a disk without room.
                        let pages = try tx.connection.integer("PRAGMA page_count") ?? 0
                        try tx.connection.run("PRAGMA max_page_count=\(pages)")
                    }, then: { outcomes.add($0) })
                store.submit(
                    .live, bytes: 0,
                    { tx throws(StorageError) in
                        try? tx.setSetting("large", String(repeating: "x", count: 1 << 20))
                    }, then: { outcomes.add($0) })
                store.submit(
                    .live, bytes: 0, { tx throws(StorageError) in try tx.setSetting("small", "x") },
                    then: { outcomes.add($0) })
            }
            let found = outcomes.wait(for: 3)
            #expect(found.count == 3)
            for outcome in found { #expect(throws: StorageError.self) { try outcome.get() } }
            for outcome in found { if case .failure(let error) = outcome { #expect(error.code == .full) } }
            try store.look { view throws in
                #expect(try view.runs(in: .standard, after: nil, limit: 9).map(\.number) == [1])
                #expect(try view.setting("small") == nil)
            }
            // A fresh connection, and on we go.
            try store.write { tx throws(StorageError) in try tx.setSetting("small", "x") }
            #expect(try store.look { try $0.setting("small") } == "x")
            #expect(try store.fsck().findings == [])
        }
    }

    @Test(
        "on a disk that is really full nothing is acknowledged, and it goes on when there is room again",
        .enabled(if: SmallDisk.isAvailable))
    func fullDisk() throws {
        let disk = try SmallDisk(kilobytes: 1400)
        defer { disk.unmount() }
        let store = try SQLiteStore.open(folder: disk.path)
        defer { store.close() }
        var acknowledged = 0
        var refused: StorageError?
        for number in 0..<400 where refused == nil {
            do {
                try store.write { tx throws(StorageError) in
                    try tx.setSetting("\(number)", String(repeating: "x", count: 8000))
                }
                acknowledged += 1
            } catch { refused = error }
        }
        #expect(refused?.code == .full)
        #expect(acknowledged > 10)
        #expect(
            refusal {
                try store.write { tx throws(StorageError) in
                    try tx.setSetting("b", String(repeating: "x", count: 100_000))
                }
            }?.code == .full)
        try store.look { view throws in
            for number in 0..<acknowledged { #expect(try view.setting("\(number)")?.utf8.count == 8000) }
            #expect(try view.setting("\(acknowledged)") == nil)
        }
        let size = try #require(Files.size(store.database))
        #expect(size > 0)
        try disk.grow(kilobytes: 8000)
        try store.write { tx throws(StorageError) in try tx.setSetting("after", "x") }
        #expect(try store.look { try $0.setting("after") } == "x")
        #expect(try store.fsck().findings == [])
    }

    @Test("over 8 MiB of waiting changes a client is refused at once; bulk waits for room instead")
    func limits() throws {
        var options = SQLiteStore.Options()
        options.writer.liveQueueBytes = 10_000
        options.writer.bulkQueueBytes = 10_000
        try withStore(options) { store in
            let outcomes = Outcomes<Result<Void, StorageError>>()
            let bulk = Outcomes<Bool>()
            store.whileWriterIsBusy {
                store.submit(.live, bytes: 9_000, { _ in }, then: { outcomes.add($0) })
                store.submit(.live, bytes: 2_000, { _ in }, then: { outcomes.add($0) })
                let first = outcomes.wait(for: 1)
                #expect(first.count == 1)
                if case .failure(let error)? = first.first {
                    #expect(error.code == .busy)
                } else {
                    Issue.record("taken")
                }
                Thread.detachNewThread {
                    for _ in 0..<3 { store.submit(.bulk, bytes: 9_000, { _ in }, then: { _ in }) }
                    bulk.add(true)
                }
                #expect(bulk.wait(for: 1, seconds: 0.2).isEmpty, "the second bulk change waits")
            }
            #expect(outcomes.wait(for: 1).count == 2)
            #expect(bulk.wait(for: 1) == [true])
        }
    }

    @Test("a bulk change is never kept waiting for ever by live ones, and takes little of their group")
    func fairness() throws {
        try withStore { store in
            let order = Outcomes<String>()
            store.whileWriterIsBusy {
                for number in 0..<200 {
                    store.submit(.live, bytes: 0, { _ in }, then: { _ in order.add("live \(number)") })
                }
                for number in 0..<3 {
                    store.submit(.bulk, bytes: 1 << 20, { _ in }, then: { _ in order.add("bulk \(number)") })
                }
            }
            let found = order.wait(for: 203)
            #expect(found.count == 203)
            #expect(found.firstIndex(of: "bulk 0") == 63, "in the first group, behind those who wait")
            #expect(found.firstIndex(of: "bulk 1") == 127)
            #expect(found.filter { $0.hasPrefix("live") } == (0..<200).map { "live \($0)" })
        }
    }

    @Test("closing finishes what is queued, refuses what comes later, and leaves one file without a log")
    func closing() throws {
        try withFolder { folder in
            let store = try SQLiteStore.open(folder: folder)
            let outcomes = Outcomes<Bool>()
            store.whileWriterIsBusy {
                for number in 0..<100 {
                    store.submit(
                        .live, bytes: 0, { tx throws(StorageError) in try tx.setSetting("\(number)", "x") },
                        then: { outcomes.add((try? $0.get()) != nil) })
                }
            }
            store.close()
            store.close()
            #expect(outcomes.wait(for: 100) == Array(repeating: true, count: 100))
            #expect(
                refusal { try store.write { tx throws(StorageError) in try tx.setSetting("a", "b") } }?.code == .closed)
            #expect(
                refusal { _ = try store.read { view throws(StorageError) in try view.projects() } }?.code == .closed)
            #expect(refusal { _ = try store.generation() }?.code == .closed)
            let left = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            #expect(left == [".gitignore", "martlet.db", "write.lock"])
            #expect(try String(contentsOfFile: folder + "/.gitignore", encoding: .utf8) == "*\n")
            let again = try SQLiteStore.open(folder: folder)
            defer { again.close() }
            #expect(try again.look { try $0.setting("99") } == "x")
            #expect(again.about.id == store.about.id)
        }
    }

    @Test("listeners hear of a commit before its change is answered, and the generation has moved by then")
    func listeners() throws {
        try withStore { store in
            let events = Outcomes<String>()
            store.onCommit { events.add("commit") }
            let before = try store.generation()
            #expect(try store.generation() == before)
            store.submit(
                .live, bytes: 0, { tx throws(StorageError) in try tx.setSetting("a", "b") },
                then: { _ in events.add((try? store.generation()) != before ? "answer" : "stale") })
            #expect(events.wait(for: 2) == ["commit", "answer"])
            let after = try store.generation()
            _ = try? store.write { _ throws(StorageError) in throw StorageError(.invalid, "No.", remedy: "None.") }
            #expect(try store.generation() == after, "nothing was written")
        }
    }

    @Test("a reader sees one moment, however much is committed while it reads")
    func snapshot() throws {
        try withStore { store in
            try store.look { view throws in
                #expect(try view.setting("a") == nil)
                try store.write { tx throws(StorageError) in try tx.setSetting("a", "b") }
                #expect(try view.setting("a") == nil)
            }
            #expect(try store.look { try $0.setting("a") } == "b")
        }
    }

    @Test("more readers than connections take turns")
    func readers() throws {
        var options = SQLiteStore.Options()
        options.readers = 2
        try withStore(options) { store in
            let outcomes = Outcomes<Bool>()
            inParallel(16) { _ in
                for _ in 0..<20 {
                    outcomes.add((try? store.read { view throws(StorageError) in try view.projects().count }) == 1)
                }
            }
            #expect(outcomes.wait(for: 320).allSatisfy { $0 })
        }
    }
}
