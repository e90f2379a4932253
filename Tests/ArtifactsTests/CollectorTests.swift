import MartletArtifacts
import MartletDomain
import Synchronization
import Testing

@Suite("The collector takes what nothing refers to") struct CollectorTests {
    let scratch = Scratch()
    let rows = Rows()
    let store: FolderBlobStore
    let collector: Collector

    init() throws {
        store = try FolderBlobStore(folder: scratch.path, now: someDay)
        collector = Collector(blobs: store, records: rows, batch: 2)
    }

    func run(_ hours: Double) throws(Refusal) -> CollectionReport {
        try collector.run(now: someDay.adding(hours: hours))
    }

    func stored(_ text: String, row: Bool = true, referenced: Bool = false) throws(Refusal) -> Digest {
        let digest = try store.put(text).digest
        if row { rows.add(digest, referenced: referenced) }
        return digest
    }

    @Test("a day, an hour's notice, a day in the trash, then it is gone; what is referred to stays")
    func wholeLife() throws {
        let gone = try stored("old")
        let kept = try stored("new", referenced: true)
        #expect(try run(23).marked == 0)
        #expect(try run(24).marked == 1)
        #expect(rows.row(gone)?.state == .dying)
        #expect(try run(24.5) == seen(2))
        let taken = try run(25)
        #expect(taken.discarded == 1 && taken.discardedBytes == 3)
        #expect(rows.row(gone) == nil)
        #expect(try !store.contains(gone))
        #expect(scratch.names("trash") == [gone.text])
        #expect(try run(48.9).erased.files == 0)
        #expect(try run(49.1).erased.files == 1)
        #expect(scratch.names("trash").isEmpty)
        #expect(try store.text(kept) == "new")
        #expect(rows.row(kept)?.state == .live)
    }

    @Test("many blobs go in several transactions, and a store at rest needs none")
    func batches() throws {
        for number in 0..<7 { _ = try stored("b\(number)") }
        #expect(try run(24).marked == 7)
        #expect(rows.state.withLock { $0.transactions } == 4)
        #expect(try run(25).discarded == 7)
        #expect(try run(26) == CollectionReport())
        #expect(rows.state.withLock { $0.transactions } == 8)
    }

    @Test("a file that never got a row goes the same way")
    func orphan() throws {
        let digest = try stored("abc", row: false)
        #expect(try run(24).marked == 1)
        #expect(rows.row(digest)?.state == .dying)
        #expect(try run(25).discarded == 1)
        #expect(rows.row(digest) == nil)
    }

    @Test("a row whose file is gone and that nothing refers to is removed")
    func rowWithoutFile() throws {
        let digest = SHA256.digest(of: "lost")
        rows.add(digest)
        #expect(try run(24).marked == 1)
        #expect(try run(25).discarded == 1)
        #expect(rows.row(digest) == nil)
    }

    @Test("a reference that comes at the last moment wins", arguments: [24, 25] as [Double])
    func lastMoment(hours: Double) throws {
        let digest = try stored("abc")
        if hours == 25 { #expect(try run(24).marked == 1) }
        let rows = rows
        rows.state.withLock { $0.beforeNext = { rows.state.withLock { _ = $0.references.insert(digest) } } }
        let report = try run(hours)
        #expect(report.marked == 0 && report.discarded == 0)
        #expect(rows.row(digest)?.state == .live)
        #expect(try store.text(digest) == "abc")
    }

    @Test("bytes that are uploaded again while they are dying live on")
    func uploadedAgain() throws {
        let digest = try stored("abc")
        #expect(try run(24).marked == 1)
        #expect(try !store.put("abc", now: someDay.adding(hours: 24.5)).isNew)
        #expect(try run(25).revived == 1)
        #expect(rows.row(digest) == Blob(digest: digest, size: 3, seen: someDay.adding(hours: 25)))
    }

    @Test("an open logbook that began before a blob keeps it")
    func logbook() throws {
        let digest = try stored("abc")
        rows.state.withLock { $0.logbook = someDay.adding(hours: -1) }
        #expect(try run(1000) == seen(1))
        rows.state.withLock { $0.logbook = nil }
        #expect(try run(1000).marked == 1)
        rows.state.withLock { $0.logbook = someDay.adding(hours: -1) }
        #expect(try run(1002) == seen(1))
        #expect(try store.contains(digest))
    }

    @Test("a commit that fails after the file was moved loses nothing that is referred to, and is made good")
    func failedCommit() throws {
        let digest = try stored("abc")
        #expect(try run(24).marked == 1)
        rows.state.withLock { $0.failsNextCommit = true }
        #expect(refusal { () throws(Refusal) in try run(25) }?.code == .io)
        #expect(rows.row(digest)?.state == .dying)
        #expect(try !store.contains(digest))
        var admitted = false
        try rows.change { change throws(Refusal) in
            admitted = try change.admit(digest, now: someDay.adding(hours: 26), in: store)
        }
        #expect(admitted)
        #expect(rows.row(digest) == Blob(digest: digest, size: 3, seen: someDay.adding(hours: 26)))
        #expect(try store.text(digest) == "abc")
    }

    @Test("whoever adds a reference makes the row live, takes back a discarded file, or must upload again")
    func admit() throws {
        func admit(_ digest: Digest, _ hours: Double) throws -> Bool {
            var admitted = false
            try rows.change { change throws(Refusal) in
                admitted = try change.admit(digest, now: someDay.adding(hours: hours), in: store)
            }
            return admitted
        }
        let fresh = try stored("abc", row: false)
        #expect(try admit(fresh, 0))
        #expect(try admit(fresh, 2))
        #expect(rows.row(fresh) == Blob(digest: fresh, size: 3, seen: someDay.adding(hours: 2)))
        #expect(try run(26).marked == 1)
        #expect(try admit(fresh, 26.5))
        #expect(rows.row(fresh)?.state == .live)
        #expect(try run(50.5).marked == 1)
        #expect(try run(51.5).discarded == 1)
        #expect(try admit(fresh, 52))
        #expect(try store.text(fresh) == "abc")
        #expect(try !admit(SHA256.digest(of: "never"), 0))
        #expect(rows.row(SHA256.digest(of: "never")) == nil)
    }

    @Test(
        "whatever happens in whatever order, a blob with a reference can be read", arguments: [31, 32, 33] as [UInt64])
    func anyHistory(seed: UInt64) throws {
        var chance = Seeded(seed)
        var hours = 0.0
        for step in 0..<400 {
            hours += Double.random(in: 0...8, using: &chance)
            let now = someDay.adding(hours: hours)
            let text = "blob \(Int.random(in: 0..<6, using: &chance))"
            let digest = SHA256.digest(of: text)
            switch Int.random(in: 0...4, using: &chance) {
            case 0: try store.put(text, now: now)
            case 1:
                try rows.change { change throws(Refusal) in
                    guard try change.admit(digest, now: now, in: store) else { return }
                    rows.state.withLock { _ = $0.references.insert(digest) }
                }
            case 2: rows.state.withLock { _ = $0.references.remove(digest) }
            case 3:
                rows.state.withLock { $0.failsNextCommit = true }
                _ = try? collector.run(now: now)
                rows.state.withLock { $0.failsNextCommit = false }
            default: _ = try collector.run(now: now)
            }
            for digest in rows.state.withLock({ $0.references }) {
                #expect(try store.contains(digest), "seed \(seed), step \(step)")
                #expect(rows.row(digest)?.state == .live, "seed \(seed), step \(step)")
            }
        }
    }

    func seen(_ count: Int) -> CollectionReport {
        var report = CollectionReport()
        report.seen = count
        return report
    }
}
