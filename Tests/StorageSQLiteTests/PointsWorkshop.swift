import Foundation
import MartletDomain
import MartletSeries
import MartletStorage
import Testing

@testable import MartletStorageSQLite

/// A number generator that gives the same numbers for the same seed.
struct SeededChance: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

/// Points as plain lists in order of arrival: what every read is compared with.
struct PointsModel {
    struct Key: Hashable {
        var run: RunKey
        var name: String
        var lane: LaneID
    }
    var arrived: [Key: [Point]] = [:]

    mutating func append(_ batch: PointBatch, to run: RunKey) {
        for entry in batch.entries where !entry.points.isEmpty {
            arrived[Key(run: run, name: entry.name, lane: entry.lane), default: []] += entry.points.points
        }
    }

    mutating func delete(_ name: String, of run: RunKey, in range: PointRange) {
        for key in arrived.keys where key.run == run && key.name == name {
            let rest = arrived[key]?.filter { $0.step < range.from || $0.step > range.to } ?? []
            arrived[key] = rest.isEmpty ? nil : rest
        }
    }

    func points(_ key: Key, in range: PointRange = .all) -> SeriesPoints {
        var seen: Set<Point> = []
        let kept = (arrived[key] ?? []).filter { seen.insert($0).inserted }
        let order = kept.indices.sorted { (kept[$0].step, $0) < (kept[$1].step, $1) }
        return SeriesPoints(order.map { kept[$0] }.filter { range.from <= $0.step && $0.step <= range.to })
    }
}

/// A store in a folder of its own, removed with the folder.
final class PointsWorkshop {
    let folder: String
    private(set) var store: SQLiteStore
    private(set) var others: [SQLiteStore] = []
    var rules = CompactionRules() {
        didSet { for store in [store] + others { store.names.points.compactor.rules = rules } }
    }
    static let noon = Timestamp(micros: 1_768_478_400_000_000)

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "martlet-points-\(UUID())").path
        store = try Self.open(folder)
    }

    static func open(_ folder: String) throws -> SQLiteStore {
        var options = SQLiteStore.Options()
        // Everything that was logged at noon is settled a minute later.
        options.now = { noon.adding(seconds: 60) }
        options.compactsByItself = false
        return try SQLiteStore.open(folder: folder, options: options)
    }

    func reopen() throws {
        store.close()
        for other in others { other.close() }
        others = []
        store = try Self.open(folder)
        store.names.points.compactor.rules = rules
    }

    /// A second store on the same folder, as another process would have.
    func another() throws -> SQLiteStore {
        let other = try Self.open(folder)
        other.names.points.compactor.rules = rules
        others.append(other)
        return other
    }

    func remove() {
        store.close()
        for other in others { other.close() }
        try? FileManager.default.removeItem(atPath: folder)
    }

    deinit { remove() }

    func newRun(_ name: String = "run") throws -> RunKey {
        let now = Self.noon
        return try store.write { tx throws(StorageError) in
            try Ledger(tx, now: now, limits: .standard).createRun(RunDraft(experiment: .standard)).key
        }
    }

    func append(_ batch: PointBatch, to run: RunKey, at: Timestamp = noon, ready: Bool = true) throws {
        let prepared = ready ? store.prepare(batch) : PreparedPoints(batch: batch, blobs: nil)
        try store.write { tx throws(StorageError) in try tx.append(prepared, to: run, at: at) }
    }

    func append(_ name: String, _ points: SeriesPoints, lane: LaneID = .plain, to run: RunKey) throws {
        try append(PointBatch(entries: [.init(name: name, lane: lane, points: points)]), to: run)
    }

    func delete(_ name: String, of run: RunKey, in range: PointRange = .all) throws {
        try store.write { tx throws(StorageError) in try tx.deletePoints(of: run, name, in: range) }
    }

    func compactAll() throws {
        for _ in 0..<10_000 where try !store.compact() { return }
        Issue.record("compaction does not come to an end")
    }

    func count(_ sql: String) throws -> Int64 {
        try store.view { view throws(StorageError) in try view.connection.integer(sql) ?? 0 }
    }

    /// Every way of reading agrees with the model.
    func expectEqual(
        _ model: PointsModel, of runs: [RunKey], _ comment: String, using chance: inout SeededChance,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for run in runs {
            let keys = model.arrived.keys.filter { $0.run == run }
                .sorted { $0.name == $1.name ? $0.lane < $1.lane : precedes($0.name, $1.name) }
            let states = try store.read { reader throws(StorageError) in try reader.series(of: run, named: nil) }
            #expect(states.map(\.name) == keys.map(\.name), "\(comment)", sourceLocation: sourceLocation)
            #expect(states.map(\.lane) == keys.map(\.lane), "\(comment)", sourceLocation: sourceLocation)
            for (key, state) in zip(keys, states) {
                let all = model.points(key)
                expect(state, all, "\(key) \(comment)", sourceLocation)
                let read = try store.read { reader throws(StorageError) in
                    try reader.points(run, key.name, key.lane, in: .all)
                }
                #expect(read == all, "all of \(key) \(comment)", sourceLocation: sourceLocation)
                guard let low = all.steps.first, let high = all.steps.last else { continue }
                let from = Int64.random(in: low - 1...high + 1, using: &chance)
                let range = PointRange(from: from, to: Int64.random(in: from...high + 2, using: &chance))
                let part = try store.read { reader throws(StorageError) in
                    try reader.points(run, key.name, key.lane, in: range)
                }
                #expect(
                    part == model.points(key, in: range), "\(range) of \(key) \(comment)",
                    sourceLocation: sourceLocation)
                try expectBuckets(key, all, comment, sourceLocation)
            }
        }
        let names = Set(model.arrived.keys.map(\.name)).sorted()
        for asked in names.map({ [$0] }) + [Array(names.prefix(3)), names + ["none"]] {
            let column = try store.read { reader throws(StorageError) in
                var column = [[SeriesState]](repeating: [], count: runs.count)
                try reader.eachSeries(of: runs, named: asked) { column[$0] = $1 }
                return column
            }
            for (run, series) in zip(runs, column) {
                let direct = try store.read { reader throws(StorageError) in try reader.series(of: run, named: asked) }
                #expect(series == direct, "one pass \(asked) \(comment)", sourceLocation: sourceLocation)
            }
        }
        let check = try store.fsck()
        #expect(check.findings.map(\.description) == [], "fsck \(comment)", sourceLocation: sourceLocation)
    }

    private func expect(
        _ state: SeriesState, _ points: SeriesPoints, _ comment: String, _ sourceLocation: SourceLocation
    ) {
        guard var wanted = SeriesState(describing: points, name: state.name, lane: state.lane) else { return }
        let patience = 1e-9 * Double(points.count) * max(1, abs(wanted.maximum ?? 0), abs(wanted.minimum ?? 0))
        #expect(abs(state.sum - wanted.sum) <= patience, "sum of \(comment)", sourceLocation: sourceLocation)
        wanted.sum = state.sum
        #expect(state == wanted, "\(comment)", sourceLocation: sourceLocation)
    }

    private func expectBuckets(
        _ key: PointsModel.Key, _ points: SeriesPoints, _ comment: String, _ sourceLocation: SourceLocation
    ) throws {
        for axis in [Buckets.Axis.step, .time, .relative(to: Self.noon.micros)] {
            for count in [1, 7, 10_000] {
                let found = try store.read { reader throws(StorageError) in
                    try reader.buckets(key.run, key.name, key.lane, axis: axis, from: nil, to: nil, count: count)
                }
                let wanted = points.buckets(axis: axis, from: nil, to: nil, count: count)
                let place = "\(count) buckets by \(axis) of \(key) \(comment)"
                #expect(found.map(\.count).reduce(0, +) == points.count, "\(place)", sourceLocation: sourceLocation)
                #expect(
                    found.compactMap(\.min).min() == wanted.compactMap(\.min).min()
                        && found.compactMap(\.max).max() == wanted.compactMap(\.max).max(), "\(place)",
                    sourceLocation: sourceLocation)
                // Whole blocks of 256 may lie in a neighbour's bucket, so crowded ones are not compared one by one.
                if wanted.allSatisfy({ $0.count < 100 }) {
                    #expect(
                        found.map(\.from) == wanted.map(\.from) && found.map(\.count) == wanted.map(\.count)
                            && found.map(\.first) == wanted.map(\.first) && found.map(\.last) == wanted.map(\.last),
                        "\(place)", sourceLocation: sourceLocation)
                }
            }
        }
    }
}

/// Points with consecutive steps, a second apart.
func risingPoints(_ steps: Range<Int64>, _ value: (Int64) -> Double = { Double($0) }) -> SeriesPoints {
    SeriesPoints(
        steps.map { Point(step: $0, time: PointsWorkshop.noon.micros + $0 * 1_000_000, value: value($0)) })
}
