import Foundation
import MartletDomain
import MartletSeries
import MartletStorage
import Testing

@testable import MartletStorageSQLite

@Suite("Damaged points are never passed over in silence")
struct PointsDamageTests {
    /// A run with a series in the journal, one in chunks and two in a pack.
    private static func shop() throws -> (PointsWorkshop, RunKey, RunKey) {
        let shop = try PointsWorkshop()
        let (run, other) = (try shop.newRun(), try shop.newRun())
        try shop.append("long", risingPoints(0..<10_000), to: run)
        try shop.append("short", risingPoints(0..<10), to: run)
        try shop.append("brief", risingPoints(0..<10), to: run)
        try shop.compactAll()
        try shop.append("waiting", risingPoints(0..<10), to: run)
        try shop.append("waiting", risingPoints(10..<20), to: run)
        try shop.append("waiting", risingPoints(0..<10), to: other)
        return (shop, run, other)
    }

    private static func flip(_ shop: PointsWorkshop, _ table: String, _ column: String, _ condition: String) throws {
        try shop.store.change(bytes: 1) { tx throws(StorageError) in
            guard
                var bytes = try tx.connection.first(
                    "SELECT \(column) FROM \(table) WHERE \(condition)", row: { $0.bytes(0) })
            else { throw StorageError(.notFound, "no such row", remedy: "") }
            bytes[bytes.count / 2] ^= 0x10
            try tx.connection.run("UPDATE \(table) SET \(column) = ? WHERE \(condition)", bytes)
        }
    }

    @Test(
        "a read throws, naming the run and the row; fsck lists it; a tolerant read leaves the row out and notes it",
        arguments: [
            ("journal", "data", "seq = (SELECT max(seq) FROM journal WHERE run = 1)", "waiting", 10),
            ("chunk", "data", "id = (SELECT min(id) FROM chunk)", "long", 10_000 - 4096),
            ("pack", "data", "run = 1", "short", 0),
            ("pack", "dir", "run = 1", "short", 0),
        ])
    func damaged(_ table: String, _ column: String, _ condition: String, _ name: String, _ rest: Int) throws {
        let (shop, run, other) = try Self.shop()
        #expect(try shop.store.fsck().isClean)
        try Self.flip(shop, table, column, condition)
        let error = #expect(throws: StorageError.self) {
            try shop.store.read { reader throws(StorageError) in try reader.points(run, name, .plain, in: .all) }
        }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("#1") == true && error?.message.contains(table) == true)
        let log = DamageLog()
        let found = try shop.store.view { view throws(StorageError) in
            try view.points(run, name, .plain, in: .all, noting: log)
        }
        #expect(found.count == rest)
        #expect(!log.findings.isEmpty)
        #expect(!(try shop.store.fsck().isClean))
        // The other run is not held up.
        _ = try? shop.store.compact()
        try shop.compactAll()
        #expect(try shop.count("SELECT count(*) FROM journal WHERE run = \(other.raw)") == 0)
    }

    @Test("what the documents say is checked against the points")
    func documents() throws {
        let (shop, run, _) = try Self.shop()
        try shop.store.change(bytes: 1) { tx throws(StorageError) in
            var document = try tx.rows.document(of: run)
            guard var entry = document.entries.first else { return }
            entry.count += 1
            document.put([entry])
            try tx.rows.put(document: document.encode(), of: run)
        }
        #expect(try shop.store.fsck().count == 1)
    }

    @Test("a document comes back as it was written, and random bytes are refused or read, never fatal")
    func coding() throws {
        var chance = SeededChance(seed: 12)
        for turn in 0..<200 {
            var document = MetricDocument()
            document.generation = Int64.random(in: 0...5, using: &chance)
            var entries: [MetricEntry] = []
            for _ in 0..<Int.random(in: 0...300, using: &chance) {
                let key = Pack.Key(
                    nameID: Int64.random(in: 1...200, using: &chance), laneID: Int64.random(in: -1...2, using: &chance))
                var points = SeriesPoints()
                for _ in 0..<Int.random(in: 1...4, using: &chance) {
                    let value: Double =
                        switch Int.random(in: 0..<5, using: &chance) {
                        case 0: Double(bitPattern: chance.next())
                        case 1: Double(Float.random(in: -1...1, using: &chance))
                        case 2: -0.0
                        case 3: .nan
                        default: Double(Int.random(in: -9999...9999, using: &chance)) / 100
                        }
                    points.append(
                        step: Int64.random(in: -5...5, using: &chance), time: Int64(bitPattern: chance.next()) >> 8,
                        value: value)
                }
                if !entries.contains(where: { $0.key == key }),
                    let entry = MetricEntry(key: key, upto: Int64(turn), points)
                {
                    entries.append(entry)
                }
            }
            document.put(entries)
            var parts = document.encode()
            let back = try Self.decode(parts)
            #expect(back == document.entries, "turn \(turn)")
            let part = Int.random(in: 0..<parts.count, using: &chance)
            parts[part][Int.random(in: 0..<parts[part].count, using: &chance)] ^=
                1 << UInt8.random(in: 0..<8, using: &chance)
            #expect(throws: SeriesDamage.self) { try Self.decode(parts) }
            // With a checksum that fits, nonsense must still not be fatal.
            var junk =
                BlobSeal.begin()
                + (0..<Int.random(in: 1...80, using: &chance)).map { _ in UInt8.random(in: 0...255, using: &chance) }
            junk[5] = UInt8.random(in: 0...40, using: &chance)
            _ = try? Self.decode([BlobSeal.sealed(junk), BlobSeal.sealed(junk)])
        }
    }

    private static func decode(_ parts: [[UInt8]]) throws -> [MetricEntry] {
        var entries: [MetricEntry] = []
        for (place, part) in parts.enumerated() {
            try part.withUnsafeBytes { bytes in
                if place == 0 { _ = try MetricHead(bytes) } else { entries += try MetricSegment(bytes).entries() }
            }
        }
        return entries
    }
}
