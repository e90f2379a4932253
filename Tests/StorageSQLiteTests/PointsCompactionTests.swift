import Foundation
import MartletDomain
import MartletSeries
import MartletStorage
import Testing

@testable import MartletStorageSQLite

@Suite("Compaction moves points and changes nothing")
struct PointsCompactionTests {
    /// Four long series, forty short ones, one that is about to leave its pack, all with late and repeated points.
    private static func fill(_ shop: PointsWorkshop, _ run: RunKey, _ model: inout PointsModel, round: Int64) throws {
        var batch = PointBatch()
        for name in ["loss", "accuracy", "f1", "lr"] {
            var points = risingPoints(round * 1500..<round * 1500 + 1500) { Double($0 * 7919 % 1_000_003) / 7 }
            points.append(step: 17, time: PointsWorkshop.noon.micros + round, value: -1)
            points.append(points[100])
            batch.append(.init(name: name, points: points))
        }
        for number in 0..<40 {
            batch.append(.init(name: "short \(number)", points: risingPoints(round * 10..<round * 10 + 10)))
        }
        batch.append(.init(name: "growing", points: risingPoints(round * 100..<round * 100 + 100)))
        try shop.append(batch, to: run)
        model.append(batch, to: run)
    }

    @Test("a crash between any two installs leaves a store that reads the same", arguments: 0..<5)
    func crash(after installs: Int) throws {
        var chance = SeededChance(seed: 7)
        let shop = try PointsWorkshop()
        shop.rules.installBytesMax = 3000
        let run = try shop.newRun()
        var model = PointsModel()
        for round in 0..<4 as Range<Int64> {
            try Self.fill(shop, run, &model, round: round)
            let stop = StorageError(.io, "The power is gone.", remedy: "Switch it on.")
            shop.store.names.points.compactor.beforeInstall = { number throws(StorageError) in
                if number >= installs { throw stop }
            }
            let error = #expect(throws: StorageError.self) { try shop.compactAll() }
            #expect(error == stop)
            try shop.reopen()
            try shop.expectEqual(model, of: [run], "stopped before install \(installs)", using: &chance)
        }
        try shop.compactAll()
        try shop.expectEqual(model, of: [run], "settled after stopping before \(installs)", using: &chance)
        #expect(try shop.count("SELECT count(*) FROM journal") == 0)
        #expect(try shop.count("SELECT count(*) FROM series") == 5)
    }

    @Test("an install that was made from what is no longer there is not written")
    func lost() throws {
        var chance = SeededChance(seed: 8)
        let shop = try PointsWorkshop()
        let other = try shop.another()
        let run = try shop.newRun()
        var model = PointsModel()
        try Self.fill(shop, run, &model, round: 0)
        var plans = try other.plans(for: .asked).plans
        try shop.compactAll()
        for install in plans[0].encode() {
            let error = #expect(throws: StorageError.self) {
                try other.change(bytes: 1) { tx throws(StorageError) in try install.write(to: tx) }
            }
            #expect(error == Install.lost)
        }
        try Self.fill(shop, run, &model, round: 1)
        plans = try other.plans(for: .asked).plans
        try shop.delete("loss", of: run, in: PointRange(from: 10, to: 20))
        model.delete("loss", of: run, in: PointRange(from: 10, to: 20))
        for install in plans[0].encode() {
            #expect(throws: Install.lost) {
                try other.change(bytes: 1) { tx throws(StorageError) in try install.write(to: tx) }
            }
        }
        try shop.expectEqual(model, of: [run], "after two lost installs", using: &chance)
    }

    @Test("two stores on one folder log and compact at once, and every point is there once")
    func together() throws {
        let shop = try PointsWorkshop()
        let stores = [shop.store, try shop.another()]
        let run = try shop.newRun()
        DispatchQueue.concurrentPerform(iterations: 4) { worker in
            let store = stores[worker % 2]
            for round in 0..<25 as Range<Int64> {
                do {
                    if worker < 2 {
                        let batch = PointBatch(entries: [
                            .init(name: "m\(worker)", points: risingPoints(round * 40..<round * 40 + 40)),
                            .init(
                                name: "both", points: risingPoints(round * 40..<round * 40 + 40) { _ in Double(worker) }
                            ),
                        ])
                        let ready = store.prepare(batch)
                        try store.write { tx throws(StorageError) in
                            try tx.append(ready, to: run, at: PointsWorkshop.noon)
                        }
                    } else {
                        _ = try store.compact()
                    }
                } catch {
                    Issue.record(error)
                }
            }
        }
        try shop.compactAll()
        let states = try shop.store.read { reader throws(StorageError) in try reader.series(of: run, named: nil) }
        #expect(states.map(\.name) == ["both", "m0", "m1"])
        #expect(states.map(\.count) == [2000, 1000, 1000])
        #expect(try shop.store.fsck().findings == [])
    }

    @Test("a series below 256 points lies in a pack, and leaves it for chunks")
    func packs() throws {
        let shop = try PointsWorkshop()
        let run = try shop.newRun()
        try shop.append("a", risingPoints(0..<255), to: run)
        try shop.append("b", risingPoints(0..<10), to: run)
        try shop.compactAll()
        #expect(try shop.count("SELECT count(*) FROM chunk") == 0)
        #expect(try shop.count("SELECT count(*) FROM pack") == 1)
        // A repeat does not count.
        try shop.append("a", risingPoints(0..<10), to: run)
        try shop.compactAll()
        #expect(try shop.count("SELECT count(*) FROM chunk") == 0)
        try shop.append("a", risingPoints(255..<256), to: run)
        try shop.compactAll()
        #expect(try shop.count("SELECT sum(n) FROM chunk") == 256)
        #expect(try shop.count("SELECT count(*) FROM pack") == 1)
        try shop.append("b", risingPoints(10..<300), to: run)
        try shop.compactAll()
        #expect(try shop.count("SELECT count(*) FROM pack") == 0)
    }

    @Test("late points rewrite the chunks that they overlap, and no others")
    func late() throws {
        var chance = SeededChance(seed: 9)
        let shop = try PointsWorkshop()
        let run = try shop.newRun()
        var model = PointsModel()
        func log(_ points: SeriesPoints) throws {
            let batch = PointBatch(entries: [.init(name: "loss", points: points)])
            try shop.append(batch, to: run)
            model.append(batch, to: run)
        }
        try log(risingPoints(0..<20_000))
        try shop.compactAll()
        func chunks() throws -> [Int64: [UInt8]] {
            try shop.store.view { view throws(StorageError) in
                var found: [Int64: [UInt8]] = [:]
                try view.connection.each("SELECT id, data FROM chunk") { found[$0.int(0)] = $0.bytes(1) }
                return found
            }
        }
        let before = try chunks()
        // A hundred times into the second chunk: it is split, and split again.
        for turn in 0..<100 as Range<Int64> {
            try log(
                SeriesPoints(
                    (0..<100).map { Point(step: 5000 + $0, time: turn, value: Double(turn) * 100 + Double($0)) }))
            if turn % 10 == 0 { try shop.compactAll() }
        }
        try shop.compactAll()
        let after = try chunks()
        let kept = before.filter { after[$0.key] == $0.value }
        #expect(before.count == 5 && kept.count == 4)
        #expect(after.count > 6)
        try shop.expectEqual(model, of: [run], "late points", using: &chance)
    }

    @Test("numbers between two chunks run out, and the series is numbered anew")
    func crowded() throws {
        let shop = try PointsWorkshop()
        let run = try shop.newRun()
        var model = PointsModel()
        var batch = PointBatch(entries: [.init(name: "loss", points: risingPoints(0..<8192))])
        try shop.append(batch, to: run)
        model.append(batch, to: run)
        try shop.compactAll()
        // At one step: always the same chunk.
        for turn in 0..<6 as Range<Int64> {
            let late = SeriesPoints((0..<16_000).map { Point(step: 100, time: turn * 16_000 + $0, value: 1) })
            batch = PointBatch(entries: [.init(name: "loss", points: late)])
            try shop.append(batch, to: run)
            model.append(batch, to: run)
            try shop.compactAll()
        }
        let read = try shop.store.read { reader throws(StorageError) in
            try reader.points(run, "loss", .plain, in: .all)
        }
        #expect(read == model.points(.init(run: run, name: "loss", lane: .plain)))
        #expect(try shop.store.fsck().findings == [])
    }

    @Test("rows younger than ten seconds stay, unless their run has ended")
    func young() throws {
        let shop = try PointsWorkshop()
        let run = try shop.newRun()
        let young = PointsWorkshop.noon.adding(seconds: 55)
        let batch = PointBatch(entries: [.init(name: "loss", points: risingPoints(0..<10))])
        try shop.append(batch, to: run)
        try shop.append(batch, to: run, at: young)
        try shop.compactAll()
        #expect(try shop.count("SELECT count(*) FROM journal") == 1)
        try shop.store.write { tx throws(StorageError) in
            guard var ended = try tx.run(run) else { return }
            ended.end = young
            try tx.update(ended)
        }
        try shop.compactAll()
        #expect(try shop.count("SELECT count(*) FROM journal") == 0)
    }

    @Test("over the high mark points are refused until compaction has made room")
    func highMark() throws {
        let shop = try PointsWorkshop()
        let run = try shop.newRun()
        shop.store.names.points.gauge.limits.points = 1000
        let batch = PointBatch(entries: [.init(name: "loss", points: risingPoints(0..<600))])
        try shop.append(batch, to: run)
        try shop.append(batch, to: run)
        let error = #expect(throws: StorageError.self) { try shop.append(batch, to: run) }
        #expect(error?.code == .busy)
        try shop.compactAll()
        try shop.append(batch, to: run)
    }

    @Test("a store that compacts by itself does so, and closes in the middle of it")
    func byItself() throws {
        let shop = try PointsWorkshop()
        let run = try shop.newRun()
        try shop.append("loss", risingPoints(0..<1000), to: run)
        var options = SQLiteStore.Options()
        options.now = { PointsWorkshop.noon.adding(seconds: 120) }
        options.compactsByItself = true
        let busy = try SQLiteStore.open(folder: shop.folder, options: options)
        for _ in 0..<100 where try shop.count("SELECT count(*) FROM journal") > 0 { usleep(100_000) }
        #expect(try shop.count("SELECT count(*) FROM journal") == 0)
        try shop.append("loss", risingPoints(1000..<1200), to: run)
        busy.close()
        try shop.compactAll()
        #expect(try shop.count("SELECT sum(n) FROM chunk") == 1200)
    }

    @Test("1,500 series of ten points take at most 8 bytes a point")
    func shortSeries() throws {
        var chance = SeededChance(seed: 11)
        let shop = try PointsWorkshop()
        func used() throws -> Int64 {
            try shop.count(
                "SELECT (SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM pragma_freelist_count)"
            ) * 4096
        }
        // The names, which a store has once.
        let first = try shop.newRun()
        func row(_ step: Int64) -> PointBatch {
            PointBatch(
                entries: (0..<1500).map { number in
                    let value: Double =
                        switch number % 4 {
                        case 0: Double(Float.random(in: 0...2, using: &chance))
                        case 1: (Double.random(in: 0...1, using: &chance) * 10_000).rounded() / 10_000
                        case 2: Double(step * 64)
                        default: 0.001 * (1 + Double(step).squareRoot())
                        }
                    let time =
                        PointsWorkshop.noon.micros + step * 60_000_000 + Int64.random(in: 0...6, using: &chance) * 1000
                    return .init(
                        name: "metric \(number)", points: SeriesPoints([Point(step: step, time: time, value: value)]))
                })
        }
        try shop.append(row(0), to: first)
        try shop.compactAll()
        let before = try used()
        for _ in 0..<2 {
            let run = try shop.newRun()
            for step in 0..<10 as Range<Int64> { try shop.append(row(step), to: run) }
        }
        try shop.compactAll()
        let bytes = Double(try used() - before) / 30_000
        print("short series: \(bytes) bytes a point")
        #expect(bytes <= 8)
    }
}
