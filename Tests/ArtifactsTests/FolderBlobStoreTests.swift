import Glibc
import MartletArtifacts
import MartletDomain
import Synchronization
import Testing

@Suite("A folder keeps blobs") struct FolderBlobStoreTests {
    let scratch = Scratch()
    var folder: String { scratch.path + "/made/for/us" }

    func store() throws(Refusal) -> FolderBlobStore { try FolderBlobStore(folder: folder, now: someDay) }

    @Test("bytes lie under their digest, in a folder that is made with its parents, and come back the same")
    func roundTrip() throws {
        let store = try store()
        let blob = try store.put("abc")
        #expect(blob.digest.text == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(blob.size == 3 && blob.isNew)
        #expect(
            scratch.names("made/for/us/ba") == ["7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"])
        #expect(try store.text(blob.digest) == "abc")
        #expect(scratch.names("made/for/us/tmp").isEmpty)
    }

    @Test("an empty file is a blob like any other")
    func empty() throws {
        let store = try store()
        let blob = try store.put("")
        #expect(blob.digest.text == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(try store.open(blob.digest).size == 0)
        #expect(try store.text(blob.digest) == "")
    }

    @Test("however an upload is cut into pieces, it is the same blob", arguments: [1, 2, 3] as [UInt64])
    func pieces(seed: UInt64) throws {
        var chance = Seeded(seed)
        let store = try store()
        let bytes = (0..<Int.random(in: 1...900_000, using: &chance)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let upload = try store.begin(
            expecting: ExpectedBlob(digest: SHA256.digest(of: bytes), size: Int64(bytes.count)))
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = [1, 100, 5000, 262_144, 600_000].randomElement(using: &chance) ?? 1
            try upload.write(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        let blob = try upload.finish(now: someDay)
        let file = try store.open(blob.digest)
        #expect(try file.read(0..<file.size) == bytes, "seed \(seed)")
        #expect(try store.verify(blob.digest) == .sound(size: Int64(bytes.count)), "seed \(seed)")
    }

    @Test("a range gives its bytes, and nothing from behind the end")
    func ranges() throws {
        let store = try store()
        let file = try store.open(try store.put("0123456789").digest)
        #expect(try file.read(2..<5) == Array("234".utf8))
        #expect(try file.read(8..<50) == Array("89".utf8))
        #expect(try file.read(10..<11) == [])
        #expect(try file.read(40..<50) == [])
        var byte: UInt8 = 0
        #expect(try withUnsafeMutableBytes(of: &byte) { try file.read(at: -1, into: $0) } == 0)
        let own = try #require(try file.duplicateDescriptor())
        defer { close(own) }
        var text = [UInt8](repeating: 0, count: 4)
        #expect(pread(own, &text, 4, 6) == 4)
        #expect(text == Array("6789".utf8))
    }

    @Test("the same bytes again are not stored again, and say that they are in use as of now")
    func dedupe() throws {
        let store = try store()
        let first = try store.put("same")
        let again = try store.put("same", now: someDay.adding(hours: 30))
        #expect(again == FinishedBlob.like(first, isNew: false))
        #expect(try store.find(first.digest)?.modified == someDay.adding(hours: 30))
        #expect(try store.usage().files == 1)
        #expect(scratch.names("made/for/us/tmp").isEmpty)
    }

    @Test(
        "a blob's time is the one that was given, before 1970 too",
        arguments: [-1, -1_000_001, 0, 1_763_600_000_123_456])
    func modified(micros: Int64) throws {
        let store = try store()
        let digest = try store.put("x", now: Timestamp(micros: micros)).digest
        #expect(try store.find(digest)?.modified == Timestamp(micros: micros))
    }

    @Test("uploads of the same bytes at the same time give one file, and one of them is the first")
    func concurrent() throws {
        let store = try store()
        let firsts = Mutex(0)
        let failures = Mutex<[Refusal]>([])
        inParallel(8) { _ in
            for round in 0..<10 {
                do throws(Refusal) {
                    let upload = try store.begin()
                    try upload.write([UInt8](repeating: UInt8(round), count: 10_000))
                    if try upload.finish(now: someDay).isNew { firsts.withLock { $0 += 1 } }
                } catch { failures.withLock { $0.append(error) } }
            }
        }
        #expect(failures.withLock { $0 } == [])
        #expect(firsts.withLock { $0 } == 10)
        #expect(try store.usage().files == 10)
        #expect(
            try store.list(after: nil, limit: 100).allSatisfy { try store.verify($0.digest) == .sound(size: 10_000) })
        #expect(scratch.names("made/for/us/tmp").isEmpty)
    }

    @Test("what was announced is checked, and the refusal names both")
    func expectations() throws {
        let store = try store()
        let wrong = SHA256.digest(of: "other")
        let digest = refusal { () throws(Refusal) in try store.put("abc", expecting: ExpectedBlob(digest: wrong)) }
        #expect(digest?.code == .invalid)
        #expect(digest?.message.contains(wrong.text) == true)
        #expect(digest?.message.contains("ba7816bf") == true)
        let short = refusal { () throws(Refusal) in try store.put("abc", expecting: ExpectedBlob(size: 5)) }
        #expect(short?.code == .invalid)
        #expect(short?.message == "5 bytes were announced and 3 have come.")
        let upload = try store.begin(expecting: ExpectedBlob(size: 2))
        #expect(refusal { () throws(Refusal) in try upload.write(Array("abc".utf8)) }?.code == .invalid)
        #expect(scratch.names("made/for/us/tmp").isEmpty, "a refused upload leaves nothing, before it is let go too")
        #expect(refusal { () throws(Refusal) in try upload.finish(now: someDay) }?.code == .closed)
        #expect(try store.usage() == BlobUsage())
        #expect(try store.put("abc", expecting: ExpectedBlob(digest: SHA256.digest(of: "abc"), size: 3)).isNew)
    }

    @Test("an upload that is aborted or let go leaves nothing")
    func abort() throws {
        let store = try store()
        let upload = try store.begin()
        try upload.write([UInt8](repeating: 1, count: 300_000))
        #expect(scratch.names("made/for/us/tmp").count == 1)
        upload.abort()
        #expect(scratch.names("made/for/us/tmp").isEmpty)
        #expect(refusal { () throws(Refusal) in try upload.write([1]) }?.code == .closed)
        do {
            let forgotten = try store.begin()
            try forgotten.write([1])
            #expect(scratch.names("made/for/us/tmp").count == 1)
        }
        #expect(scratch.names("made/for/us/tmp").isEmpty)
        #expect(try store.usage().files == 0)
    }

    @Test("an upload that a crash left is no blob, and is gone a day later when the folder is opened")
    func leftovers() throws {
        _ = try store()
        scratch.makeFolder("made/for/us/tmp")
        for name in ["old", "young"] { scratch.write("half a fi", to: "made/for/us/tmp/" + name) }
        scratch.setModified("made/for/us/tmp/old", someDay.adding(hours: -25))
        scratch.setModified("made/for/us/tmp/young", someDay.adding(hours: -23))
        let store = try store()
        #expect(scratch.names("made/for/us/tmp") == ["young"])
        #expect(try store.usage().files == 0)
        #expect(try store.list(after: nil, limit: 10).isEmpty)
    }

    @Test("damage is found by reading, and bytes that come again heal it, whatever its size")
    func damage() throws {
        let store = try store()
        let digest = try store.put("precious").digest
        let place = "made/for/us/\(digest.text.prefix(2))/\(digest.text.dropFirst(2))"
        scratch.write("preciouz", to: place)
        #expect(try store.verify(digest) == .damaged(found: SHA256.digest(of: "preciouz"), size: 8))
        #expect(try !store.put("precious").isNew)
        #expect(try store.verify(digest) == .sound(size: 8))
        #expect(scratch.names("made/for/us/tmp").isEmpty)
        scratch.write("pre", to: place)
        #expect(try store.put("precious").isNew)
        #expect(try store.verify(digest) == .sound(size: 8))
        #expect(try store.verify(SHA256.digest(of: "never")) == .missing)
    }

    @Test("what is not there is said to be not there")
    func missing() throws {
        let store = try store()
        let digest = SHA256.digest(of: "never")
        #expect(try store.find(digest) == nil)
        #expect(try !store.contains(digest))
        #expect(try store.size(digest) == nil)
        #expect(try !store.touch(digest, now: someDay))
        #expect(try !store.discard(digest, now: someDay))
        #expect(try !store.rescue(digest, now: someDay))
        let refusal = refusal { () throws(Refusal) in try store.open(digest) }
        #expect(refusal?.code == .notFound)
        #expect(refusal?.message.contains(digest.text) == true)
    }

    @Test("a link in a blob's place is not followed")
    func links() throws {
        let store = try store()
        let digest = try store.put("abc").digest
        let place = "\(folder)/\(digest.text.prefix(2))/\(digest.text.dropFirst(2))"
        scratch.write("secret", to: "secret")
        unlink(place)
        #expect(symlink(scratch.path + "/secret", place) == 0)
        #expect(refusal { () throws(Refusal) in try store.open(digest) }?.code == .damaged)
        #expect(try !store.contains(digest))
        #expect(try store.usage().files == 0)
    }

    @Test("a link in place of one of the store's folders is not followed, for reading or writing")
    func linkedFolders() throws {
        let store = try store()
        let digest = try store.put("abc").digest
        let letters = "\(folder)/\(digest.text.prefix(2))"
        #expect(rename(letters, scratch.path + "/elsewhere") == 0)
        #expect(symlink(scratch.path + "/elsewhere", letters) == 0)
        for refused in [
            refusal { () throws(Refusal) in try store.open(digest) },
            refusal { () throws(Refusal) in try store.find(digest) },
            refusal { () throws(Refusal) in try store.put("abc") },
            refusal { () throws(Refusal) in try store.touch(digest, now: someDay) },
            refusal { () throws(Refusal) in try store.discard(digest, now: someDay) },
            refusal { () throws(Refusal) in try store.list(after: nil, limit: 1) },
            refusal { () throws(Refusal) in try store.usage() },
        ] {
            #expect(refused?.code == .damaged)
            #expect(refused?.message.contains(letters) == true)
        }
        #expect(scratch.names("elsewhere").count == 1)
        #expect(scratch.names("made/for/us/tmp").isEmpty)
    }

    @Test("a list goes on where the last one ended, and meets every blob once, in order", arguments: [1, 3, 7, 500])
    func list(limit: Int) throws {
        let store = try store()
        let stored = try (0..<60).map { try store.put("blob \($0)").digest }
        scratch.write("a stranger", to: "made/for/us/\(stored[0].text.prefix(2))/notes.txt")
        scratch.makeFolder("made/for/us/xy")
        var met: [Digest] = []
        while true {
            let page = try store.list(after: met.last, limit: limit)
            #expect(page.count <= limit)
            met += page.map(\.digest)
            if page.count < limit { break }
        }
        #expect(met == stored.sorted())
    }

    @Test("usage is what lies on disk")
    func usage() throws {
        let store = try store()
        for size in [0, 1, 5000, 70_000] { try store.put(String(repeating: "\(size % 7)", count: size)) }
        let usage = try store.usage()
        #expect(usage.files == 4)
        #expect(usage.bytes == 75_001)
        #expect(usage.bytesOnDisk >= 75_001 && usage.bytesOnDisk % 512 == 0 && usage.bytesOnDisk < 120_000)
    }

    @Test("a discarded blob is out of sight, comes back when rescued, and is erased in time")
    func trash() throws {
        let store = try store()
        let digest = try store.put("abc").digest
        #expect(try store.discard(digest, now: someDay.adding(hours: 50)))
        #expect(try !store.contains(digest))
        #expect(try store.usage().files == 0)
        #expect(try store.eraseDiscarded(before: someDay.adding(hours: 50)).files == 0)
        #expect(try store.rescue(digest, now: someDay.adding(hours: 51)))
        #expect(try store.text(digest) == "abc")
        #expect(try store.find(digest)?.modified == someDay.adding(hours: 51))
        #expect(try store.discard(digest, now: someDay.adding(hours: 52)))
        let erased = try store.eraseDiscarded(before: someDay.adding(hours: 53))
        #expect(erased.files == 1 && erased.bytes == 3)
        #expect(try !store.rescue(digest, now: someDay))
    }
}

extension FinishedBlob {
    static func like(_ other: FinishedBlob, isNew: Bool) -> FinishedBlob {
        var copy = other
        copy.isNew = isNew
        return copy
    }
}

/// Runs the body on threads of its own and waits for all of them.
func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let threads = (0..<count).map { number -> pthread_t in
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Job { body(number) })
        pthread_create(
            &thread, nil,
            { raw in
                if let raw { Unmanaged<Job>.fromOpaque(raw).takeRetainedValue().run() }
                return nil
            }, box.toOpaque())
        return thread
    }
    for thread in threads { pthread_join(thread, nil) }
}

private final class Job: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
