import MartletDomain
import MartletSeries
import MartletStorage
import Testing

@testable import MartletStorageSQLite

@Suite("Points read the same whatever was done to their rows")
struct PointsHistoryTests {
    private static let lanes: [LaneID] = [.plain, LaneID(3), .unstepped]

    /// A batch as clients send them: mostly onward, sometimes late, repeated or odd.
    private static func batch(
        _ model: PointsModel, _ run: RunKey, _ clock: inout Int64, using chance: inout SeededChance
    ) -> PointBatch {
        var batch = PointBatch()
        let isLong = Int.random(in: 0..<6, using: &chance) == 0
        for _ in 0..<(isLong ? 1 : Int.random(in: 1...12, using: &chance)) {
            let name =
                isLong ? "long\(Int.random(in: 0..<2, using: &chance))" : "m\(Int.random(in: 0..<14, using: &chance))"
            let lane = Int.random(in: 0..<5, using: &chance) < 4 ? .plain : lanes.randomElement(using: &chance)!
            let known = model.arrived[.init(run: run, name: name, lane: lane)] ?? []
            let last = known.map(\.step).max() ?? 0
            var points = SeriesPoints()
            for index
                in 0..<(isLong ? Int.random(in: 1...3000, using: &chance) : Int.random(in: 1...40, using: &chance))
            {
                clock += Int64.random(in: 0...2000, using: &chance)
                var point = Point(
                    step: last + 1 + Int64(index), time: PointsWorkshop.noon.micros + clock,
                    value: (Double.random(in: -1...1, using: &chance) * 1000).rounded() / 1000)
                if lane == .unstepped { point.step = 0 }
                switch Int.random(in: 0..<60, using: &chance) {
                case 0: point.value = .nan
                case 1: point.value = Bool.random(using: &chance) ? .infinity : -.infinity
                case 2: point.value = -0.0
                case 3, 4: if let old = known.randomElement(using: &chance) { point = old }
                case 5: if lane != .unstepped, last > 0 { point.step = Int64.random(in: 0...last, using: &chance) }
                case 6: if !points.isEmpty { point = points[points.count - 1] }
                default: break
                }
                points.append(point)
            }
            batch.append(.init(name: name, lane: lane, points: points))
        }
        return batch
    }

    @Test("random histories of batches, compactions, deletions and reopening", arguments: 1...4 as ClosedRange<UInt64>)
    func histories(seed: UInt64) throws {
        var chance = SeededChance(seed: seed)
        let shop = try PointsWorkshop()
        // Small passes and installs, so that a short history meets their edges.
        shop.rules.passRowsMax = [3, 7, 4096][Int(seed % 3)]
        shop.rules.installBytesMax = [2000, 20_000, 2 << 20][Int(seed / 2 % 3)]
        let runs = [try shop.newRun("a"), try shop.newRun("b")]
        var model = PointsModel()
        var clock: Int64 = 0
        for turn in 0..<60 {
            let run = runs.randomElement(using: &chance)!
            switch Int.random(in: 0..<20, using: &chance) {
            case 0..<12:
                let batch = Self.batch(model, run, &clock, using: &chance)
                try shop.append(batch, to: run, ready: Bool.random(using: &chance))
                model.append(batch, to: run)
            case 12..<16: _ = try shop.store.compact()
            case 16: try shop.compactAll()
            case 17:
                let name = model.arrived.keys.filter { $0.run == run }.map(\.name).sorted().randomElement(
                    using: &chance)
                guard let name else { continue }
                let from = Int64.random(in: 0...3000, using: &chance)
                let range = Bool.random(using: &chance) ? PointRange(from: from, to: from + 200) : .all
                try shop.delete(name, of: run, in: range)
                model.delete(name, of: run, in: range)
            case 18: try shop.reopen()
            default: try shop.expectEqual(model, of: runs, "seed \(seed), turn \(turn)", using: &chance)
            }
        }
        try shop.expectEqual(model, of: runs, "seed \(seed), end", using: &chance)
        try shop.compactAll()
        #expect(try shop.count("SELECT count(*) FROM journal") == 0)
        try shop.reopen()
        try shop.expectEqual(model, of: runs, "seed \(seed), all settled", using: &chance)
    }
}
