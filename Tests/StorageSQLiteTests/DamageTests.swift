import Foundation
import MartletDomain
import MartletStorage
import Testing

@testable import MartletStorageSQLite

@Suite("Damage is found, named and survived") struct DamageTests {
    private static let attributes = RunAttributes(
        params: Pairs([("a", ParamValue(text: "1", kind: .number)), ("b", ParamValue(text: "x"))]),
        tags: Pairs([("t", .some("v")), ("bare", nil)]), properties: Pairs([("user", "ada")]))

    @Test("random bytes, cut and bent documents are refused or read, and never crash")
    func fuzz() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SplitMix(seed: seed)
        let whole = RunDocument.encode(
            RunDocument.Attributes(
                params: [(1, ParamValue(text: "0.5", kind: .number)), (900, ParamValue(text: "adam"))],
                tags: [(2, nil), (3, .some("")), (4, .some("x"))], properties: [(5, "ada")]))
        let summary = RunDocument.encode([(7, SummaryValue(value: .nan, time: noon))])
        let record = RecordDocument(facts: Pairs([("a", "b")]), tags: Pairs([("c", nil)])).encoded

        func read(_ bytes: [UInt8]) -> Int {
            var taken = 0
            bytes.withUnsafeBytes { bytes in
                if (try? RunDocument.attributes(bytes)) != nil { taken += 1 }
                if (try? RunDocument.summary(bytes)) != nil { taken += 1 }
                if (try? RecordDocument.decode(bytes)) != nil { taken += 1 }
            }
            return taken
        }
        for document in [whole, summary, record] {
            #expect(read(document) >= 1)
            for count in 0..<document.count { #expect(read(Array(document[..<count])) == 0, "cut at \(count)") }
            for place in document.indices {
                for bit in 0..<8 {
                    var bent = document
                    bent[place] ^= 1 << UInt8(bit)
                    #expect(read(bent) == 0, "bit \(bit) of byte \(place)")
                }
            }
        }
        let end = Date().addingTimeInterval(0.7)
        var turns = 0
        while Date() < end {
            turns += 1
            var bytes = [UInt8]()
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                // Small numbers, so that counts and lengths are now and then believable.
                bytes.append(
                    Bool.random(using: &random)
                        ? .random(in: 0...6, using: &random) : .random(in: 0...255, using: &random))
            }
            _ = read(bytes)
            // With a checksum that agrees, only the bounds stand between a decoder and its end.
            var sealed = DocumentWriter(version: 1)
            for byte in bytes { sealed.put(byte) }
            _ = read(sealed.sealed())
            var bent = [whole, summary, record].randomElement(using: &random) ?? whole
            var mended = DocumentWriter(version: 1)
            bent[.random(in: 5..<bent.count, using: &random)] = .random(in: 0...255, using: &random)
            for byte in bent[5...] { mended.put(byte) }
            _ = read(mended.sealed())
        }
        #expect(turns > 100, "seed \(seed)")
    }

    @Test("fsck names every damaged document and every dangling reference, and does not stop at the first")
    func fsck() throws {
        try withStore { store in
            let runs = try store.write { tx throws(StorageError) in
                var runs: [Run] = []
                for number in 1...4 {
                    runs.append(try tx.insert(.draft(number), attributes: Self.attributes))
                }
                return runs
            }
            #expect(try store.fsck().isClean)
            try store.change(bytes: 0) { tx throws(StorageError) in
                let connection = tx.connection
                let bent = RunDocument.id(.attributes, of: runs[0].key)
                try connection.run("UPDATE run_doc SET data = substr(data, 1, length(data) - 1) WHERE id = ?", bent)
                try connection.run("UPDATE project SET doc = x'00'")
                try connection.run("UPDATE run SET exp = 77 WHERE id = ?", runs[1].key)
                try connection.run("UPDATE run SET state = 200 WHERE id = ?", runs[2].key)
                try connection.run("DELETE FROM name WHERE text = 'bare'")
                _ = try tx.setAlias("x", space: "s", run: RunKey(1234))
                _ = try tx.insert(
                    Artifact(
                        id: 0, run: runs[3].key, path: "p", digest: Digest(String(repeating: "1", count: 64)),
                        type: "data", size: 1, at: noon))
                for (project, owner) in [(1, "experiment/77"), (1, "card/99"), (9, ""), (1, "experiment/0")] {
                    _ = try tx.insert(
                        Card(
                            kind: "model", project: ProjectID(Int64(project)), owner: owner, key: "a", created: noon,
                            updated: noon))
                }
                try connection.run("UPDATE card SET life = 200 WHERE id = 4")
            }
            let places = try store.fsck().findings.map(\.place)
            for place in [
                "run_doc 4", "project 1", "run \(runs[1].key.raw)", "run \(runs[2].key.raw)", "alias s:x", "artifact 1",
                "card 1", "card 2", "card 3", "card 4",
            ] { #expect(places.contains(place), "\(place) among \(places)") }
            // Three documents name a key that is gone; what they tell apart still can be read.
            #expect(places.filter { $0.hasPrefix("run_doc") }.count >= 4, "\(places)")
            let refused = refusal { _ = try store.look { try $0.attributes(of: runs[0].key) } }
            #expect(refused?.code == .damaged)
            #expect(refused?.message.contains("run #1") == true)
            #expect(try store.look { try $0.run(runs[3].key) } == runs[3])
        }
    }

    @Test("a change that needs a damaged page is refused, and the others of its group are not")
    func damagedPage() throws {
        try withFolder { folder in
            let victim: RunKey
            do {
                let store = try SQLiteStore.open(folder: folder)
                defer { store.close() }
                let large = ParamValue(text: String(repeating: "V", count: 20_000))
                victim = try store.write { tx throws(StorageError) in
                    try tx.insert(.draft(1), attributes: RunAttributes(params: Pairs([("large", large)]))).key
                }
            }
            let path = URL(fileURLWithPath: folder + "/martlet.db")
            var bytes = try Data(contentsOf: path)
            // A page of nothing but the value, after the number of the page where it goes on.
            let page = try #require(
                stride(from: 0, to: bytes.count, by: 4096).first { start in
                    bytes[start + 4..<start + 4096].allSatisfy { $0 == UInt8(ascii: "V") }
                })
            bytes.replaceSubrange(page..<page + 4, with: [0x7f, 0xff, 0xff, 0xff])
            try bytes.write(to: path)

            let store = try SQLiteStore.open(folder: folder)
            defer { store.close() }
            let outcomes = Outcomes<Result<Void, StorageError>>()
            store.whileWriterIsBusy {
                for name in ["a", "victim", "swallowed", "b"] {
                    store.submit(
                        .live, bytes: 0,
                        { tx throws(StorageError) in
                            if name == "victim" { _ = try tx.attributes(of: victim) }
                            if name == "swallowed" { _ = try? tx.attributes(of: victim) }
                            try tx.setSetting(name, "new")
                        }, then: { outcomes.add($0) })
                }
            }
            let codes = outcomes.wait(for: 4).map { outcome -> StorageError.Code? in
                if case .failure(let error) = outcome { error.code } else { nil }
            }
            #expect(codes == [nil, .damaged, .damaged, nil])
            try store.look { view throws in
                #expect(try view.setting("a") == "new")
                #expect(try view.setting("b") == "new")
                #expect(try view.setting("swallowed") == nil)
            }
            #expect(refusal { _ = try store.look { try $0.attributes(of: victim) } }?.code == .damaged)
            #expect(try store.look { try $0.projects().count } == 1)
            #expect(try !store.fsck().isClean)
        }
    }

    @Test("bytes that are bent anywhere in the file give errors or answers, never a crash")
    func flipped() throws {
        try withFolder { folder in
            let clean = folder + "/clean"
            do {
                let store = try SQLiteStore.open(folder: clean)
                defer { store.close() }
                try store.write { tx throws(StorageError) in
                    for number in 1...200 { _ = try tx.insert(.draft(number), attributes: Self.attributes) }
                }
            }
            let original = try Data(contentsOf: URL(fileURLWithPath: clean + "/martlet.db"))
            let seed = UInt64.random(in: .min ... .max)
            var random = SplitMix(seed: seed)
            var found = 0
            for turn in 0..<12 {
                var bytes = original
                for _ in 0..<40 {
                    let place = Int.random(in: turn.isMultiple(of: 4) ? 0..<4096 : 4096..<bytes.count, using: &random)
                    bytes[place] = .random(in: 0...255, using: &random)
                }
                let damaged = "\(folder)/\(turn)"
                try FileManager.default.createDirectory(atPath: damaged, withIntermediateDirectories: true)
                try bytes.write(to: URL(fileURLWithPath: damaged + "/martlet.db"))
                let store: SQLiteStore
                do {
                    store = try SQLiteStore.open(folder: damaged)
                } catch {
                    found += 1
                    continue
                }
                defer { store.close() }
                if let report = try? store.fsck(), report.isClean { continue }
                found += 1
                _ = try? store.read { view throws(StorageError) in
                    let runs = try view.runs(in: .standard, after: nil, limit: 1000)
                    _ = try view.documents(of: runs.map(\.key))
                }
                _ = try? store.write { tx throws(StorageError) in
                    try tx.insert(.draft(999), attributes: Self.attributes)
                }
            }
            #expect(found >= 6, "seed \(seed)")
        }
    }

    @Test("a backup is whole, is made beside writers, and overwrites nothing")
    func backup() throws {
        try withFolder { folder in
            let store = try SQLiteStore.open(folder: folder + "/store")
            defer { store.close() }
            try store.write { tx throws(StorageError) in
                for number in 1...500 { _ = try tx.insert(.draft(number), attributes: Self.attributes) }
            }
            let outcomes = Outcomes<Bool>()
            let stop = Outcomes<Bool>()
            Thread.detachNewThread {
                var number = 1000
                while stop.wait(for: 0).isEmpty {
                    number += 1
                    let next = number
                    let isKept =
                        (try? store.write { tx throws(StorageError) in
                            _ = try tx.insert(.draft(next), attributes: Self.attributes)
                        }) != nil
                    if !isKept { break }
                }
                outcomes.add(true)
            }
            try FileManager.default.createDirectory(atPath: folder + "/copy", withIntermediateDirectories: true)
            let path = folder + "/copy/martlet.db"
            try store.backup(to: path)
            stop.add(true)
            #expect(outcomes.wait(for: 1) == [true])
            #expect(refusal { try store.backup(to: path) }?.code == .conflict)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/copy") == ["martlet.db"])
            let copy = try SQLiteStore.open(folder: folder + "/copy")
            defer { copy.close() }
            #expect(copy.about.id == store.about.id)
            #expect(try copy.look { try $0.runs(in: .standard, after: nil, limit: 10_000).count } >= 500)
            #expect(try copy.fsck().isClean)
            let sizes = try store.look { try $0.sizes() }
            #expect(sizes.disk > 50_000)
        }
    }
}
