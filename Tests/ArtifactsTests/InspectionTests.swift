import Foundation
import MartletArtifacts
import MartletDomain
import Testing

@Suite("What fsck and du see") struct InspectionTests {
    let scratch = Scratch()
    let rows = Rows()

    func findings(_ store: FolderBlobStore, reading: Bool, hours: Double = 25) throws -> [BlobInspection.Finding] {
        var found: [BlobInspection.Finding] = []
        let count = try BlobInspection(blobs: store, records: rows)
            .run(now: someDay.adding(hours: hours), reading: reading) { found.append($0) }
        #expect(count == 6)
        return found
    }

    @Test("rows without a file, files without a row, wrong sizes, and damage where every byte is read")
    func bothDirections() throws {
        let store = try FolderBlobStore(folder: scratch.path, now: someDay)
        let sound = try store.put("abc").digest
        let damaged = try store.put("def").digest
        let short = try store.put("ghi").digest
        let unknown = try store.put("jkl").digest
        let young = try store.put("mno", now: someDay.adding(hours: 5)).digest
        let missing = SHA256.digest(of: "pqr")
        for digest in [sound, damaged, short, missing] { rows.add(digest) }
        scratch.write("dex", to: "\(damaged.text.prefix(2))/\(damaged.text.dropFirst(2))")
        scratch.write("g", to: "\(short.text.prefix(2))/\(short.text.dropFirst(2))")

        func row(_ digest: Digest) -> Blob { Blob(digest: digest, size: 3, seen: someDay) }
        func key(_ finding: BlobInspection.Finding) -> String { "\(finding)" }
        let quick: [BlobInspection.Finding] = [
            .missing(row(missing)), .wrongSize(row(short), found: 1),
            .unknown(StoredBlob(digest: unknown, size: 3, modified: someDay)),
        ]
        let whole = quick + [.damaged(row(damaged), found: SHA256.digest(of: "dex"))]
        #expect(try findings(store, reading: false).map(key).sorted() == quick.map(key).sorted())
        #expect(try findings(store, reading: true).map(key).sorted() == whole.map(key).sorted())
        #expect(
            try findings(store, reading: false, hours: 30).contains(
                .unknown(StoredBlob(digest: young, size: 3, modified: someDay.adding(hours: 5)))))
    }

    @Test("du counts what du counts: blocks, holes as holes, a hard link once, links not followed")
    func du() throws {
        scratch.makeFolder("a")
        scratch.makeFolder("a/b")
        scratch.write([UInt8](repeating: 1, count: 100_000), to: "a/b/big")
        scratch.write("x", to: "a/small")
        link(scratch.path + "/a/b/big", scratch.path + "/a/again")
        symlink("/usr", scratch.path + "/a/usr")
        truncate(scratch.path + "/a/small", 50_000_000)
        let usage = try DiskUsage(of: scratch.path)
        let du = Process()
        du.executableURL = URL(fileURLWithPath: "/usr/bin/du")
        du.arguments = ["-s", "--block-size=1", scratch.path]
        let pipe = Pipe()
        du.standardOutput = pipe
        try du.run()
        let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        du.waitUntilExit()
        #expect("\(usage.bytesOnDisk)" == said.prefix { $0.isNumber })
        #expect(usage.bytesOnDisk < 1_000_000)
        #expect(usage.folders == 3)
        #expect(refusal { () throws(Refusal) in try DiskUsage(of: scratch.path + "/nothing") }?.code == .notFound)
    }
}
