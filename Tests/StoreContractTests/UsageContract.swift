import MartletDomain
import MartletStorage
import Testing

@Suite("Every store knows where its bytes are") struct UsageContract {
    private func digest(_ pair: String) throws -> Digest { try #require(Digest(String(repeating: pair, count: 32))) }

    @Test(
        "each file counts once, with the run that had it first; what nobody has is told apart",
        arguments: StoreUnderTest.available)
    func files(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let (first, second) = (try store.newRun("first"), try store.newRun("second"))
            let (shared, own, named, lost) = (try digest("aa"), try digest("bb"), try digest("cc"), try digest("dd"))
            try store.change { ledger in
                for (digest, size) in [(shared, 1000), (own, 200), (named, 30), (lost, 4)] {
                    try ledger.tx.put(Blob(digest: digest, size: Int64(size), seen: noon))
                }
                for (run, path, digest, size) in [
                    (first, "a.bin", shared, 1000), (second, "b.bin", shared, 1000), (second, "c.bin", own, 200),
                ] {
                    _ = try ledger.addArtifact(
                        Artifact(
                            id: 0, run: run.key, path: path, digest: digest, type: "model", size: Int64(size), at: noon)
                    )
                }
                _ = try ledger.publish(
                    "model", in: .standard, digest: named, size: 30, type: "model", from: nil, metadata: "{}",
                    aliases: [])
            }
            func check(_ expected: [RunKey: Int64], unclaimed: Int64) throws {
                let usage = try store.see { try $0.usage() }
                #expect(Dictionary(uniqueKeysWithValues: usage.runs.map { ($0.run, $0.bytes.artifacts) }) == expected)
                #expect(usage.projects == [.standard: 30])
                #expect(usage.unclaimed == unclaimed)
            }
            try check([first.key: 1000, second.key: 200], unclaimed: 4)
            // The second run has the file still.
            try store.change { _ = try $0.deleteArtifacts(of: first.key, path: "a.bin") }
            try check([first.key: 0, second.key: 1200], unclaimed: 4)
            try store.change { try $0.purgeRun(second.key) }
            try check([first.key: 0], unclaimed: 1204)
        }
    }

    @Test("points, console and records count with their run", arguments: StoreUnderTest.available)
    func rows(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let (busy, idle) = (try store.newRun("busy"), try store.newRun("idle"))
            try store.log(busy, "loss", (0..<1000).map { (Int64($0), Double($0).squareRoot()) })
            try store.change { ledger in
                try ledger.logConsole(
                    [ConsoleChunk(stream: "stdout", number: 0, at: noon, text: Array("hello".utf8))], to: busy.key,
                    who: "t")
                _ = try ledger.addNote("Looks good.", to: .run(busy.key), who: "t")
            }
            func bytes(of run: Run) throws -> RunBytes {
                let usage = try store.see { try $0.usage() }
                #expect(usage.inDatabase == usage.runs.reduce(0) { $0 + $1.bytes.total - $1.bytes.artifacts })
                #expect(usage.database >= usage.inDatabase || kind == .memory)
                return try #require(usage.runs.first { $0.run == run.key }).bytes
            }
            let before = try bytes(of: busy)
            #expect(before.points + before.journal >= 1000 && (1...30).contains(before.console))
            #expect(before.record > "Looks good.".utf8.count)
            #expect(try bytes(of: idle).points + bytes(of: idle).journal + bytes(of: idle).console == 0)
            while try store.compact() {}
            let after = try bytes(of: busy)
            #expect(after.journal == 0 && after.points > 0 && after.points < 24_001)
        }
    }
}
