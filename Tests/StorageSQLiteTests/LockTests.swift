import Foundation
import MartletDomain
import MartletStorage
import Testing

@testable import MartletStorageSQLite

@Suite("Processes that share a store wait for one another") struct LockTests {
    @Test("two stores on one folder write at once, and no change is lost or doubled")
    func twoStores() throws {
        try withFolder { folder in
            let stores = try (0..<2).map { _ in try SQLiteStore.open(folder: folder) }
            defer { for store in stores { store.close() } }
            let outcomes = Outcomes<Result<Int, StorageError>>()
            inParallel(8) { producer in
                let store = stores[producer % 2]
                for turn in 0..<25 {
                    store.submit(
                        .live, bytes: 0,
                        { tx throws(StorageError) in
                            // Read, then write: wrong unless the transactions come one after the other.
                            guard var experiment = try tx.experiment(.standard) else {
                                throw StorageError(.notFound, "Gone.", remedy: "None.")
                            }
                            let number = experiment.nextNumber
                            let tags = RunAttributes(tags: Pairs([("tag \(producer) \(turn)", nil), ("same", nil)]))
                            _ = try tx.insert(.draft(number), attributes: tags)
                            experiment.nextNumber += 1
                            try tx.update(experiment)
                            return number
                        }, then: { outcomes.add($0) })
                }
            }
            let found = outcomes.wait(for: 200)
            #expect(Set(found.compactMap { try? $0.get() }) == Set(1...200))
            for store in stores {
                try store.look { view throws in
                    let runs = try view.runs(in: .standard, after: nil, limit: 1000)
                    #expect(runs.count == 200)
                    let tags = try Set(runs.flatMap { try view.attributes(of: $0.key).tags.keys })
                    #expect(tags.count == 201)
                }
            }
            #expect(try stores[0].fsck().findings == [])
        }
    }

    @Test("each store sees what the other has committed, and its generation says so")
    func seen() throws {
        try withFolder { folder in
            let a = try SQLiteStore.open(folder: folder)
            let b = try SQLiteStore.open(folder: folder)
            defer {
                a.close()
                b.close()
            }
            #expect(a.about.id == b.about.id)
            let before = try b.generation()
            try a.write { tx throws(StorageError) in try tx.setSetting("k", "v") }
            #expect(try b.generation() != before)
            #expect(try b.look { try $0.setting("k") } == "v")
        }
    }

    @Test("who waits too long is told which process holds the lock, and goes on when it is free")
    func named() throws {
        var options = SQLiteStore.Options()
        options.lockSeconds = 0.3
        try withStore(options) { store in
            let other = try WriteLock(path: store.place.lock, command: "martlet import", seconds: 1)
            try other.acquire()
            let refused = refusal { try store.write { tx throws(StorageError) in try tx.setSetting("a", "b") } }
            #expect(refused?.code == .locked)
            #expect(refused?.message.contains("process \(getpid()) (martlet import)") == true)
            // Reading needs no lock.
            #expect(try store.look { try $0.setting("a") } == nil)
            // The thread that still waits in the kernel gives back what nobody wants any more.
            other.release()
            for _ in 0..<3 { try store.write { tx throws(StorageError) in try tx.setSetting("a", "c") } }
            #expect(try store.look { try $0.setting("a") } == "c")
            try other.acquire()
            other.release()
        }
    }

    @Test("a lock that comes free in time is taken at once")
    func handedOver() throws {
        try withStore { store in
            let other = try WriteLock(path: store.place.lock, command: "test", seconds: 1)
            try other.acquire()
            let outcomes = Outcomes<Bool>()
            store.submit(
                .live, bytes: 0, { tx throws(StorageError) in try tx.setSetting("a", "b") },
                then: { outcomes.add((try? $0.get()) != nil) })
            #expect(outcomes.wait(for: 1, seconds: 0.1).isEmpty)
            other.release()
            #expect(outcomes.wait(for: 1, seconds: 2) == [true])
        }
    }
}
