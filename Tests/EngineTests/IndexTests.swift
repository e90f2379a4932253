import MartletDomain
import MartletObservability
import MartletSearch
import MartletSeries
import MartletStorage
import Testing

@testable import MartletEngine

@Suite("The run index is only a cache")
struct IndexTests {
    private let local = Caller.local(via: "test")

    private func table(
        _ index: RunIndex, _ store: any Store, _ experiment: ExperimentID, _ keys: [ColumnKey]
    ) throws(Refusal) -> RunTable {
        let generation = try store.generation()
        return try store.read { reader throws(Refusal) in
            try index.table(of: experiment, with: keys, SearchView(reader, generation: generation, deadline: .none))
        }
    }

    @Test("columns come when they are asked for, and go when there is no room for them")
    func budget() throws {
        var dice = SearchDice(state: 7)
        var world = try IndexWorld()
        for _ in 0..<200 { world.change(&dice) }
        let store = world.engine.store
        let index = RunIndex(store: store, memoryBudget: 0)
        let loss = ColumnKey.numbers(.metric("loss", .latest))
        let model = ColumnKey.values(.param("model"))
        let first = try table(index, store, world.experiments[0], [loss])
        #expect(first.columns.keys == [loss])
        #expect(index.bytes > 0)
        index.trim()
        #expect(index.bytes == 0)
        let second = try table(index, store, world.experiments[0], [loss, model])
        #expect(Set(second.columns.keys) == [loss, model])
        for row in 0..<first.rows.count {
            let (a, b) = (first.columns.numbers[loss], second.columns.numbers[loss])
            #expect(a?.cells.value(at: row)?.bitPattern == b?.cells.value(at: row)?.bitPattern)
        }
    }

    @Test("least lately asked for goes first")
    func leastLately() throws {
        let store = MemoryStore(now: searchNoon)
        let engine = Engine(store: store, clock: StoppedClock(), log: .silent)
        try engine.changeAndWait(local) { ledger throws(Refusal) in
            for number in 0..<500 {
                var draft = RunDraft(experiment: .standard)
                draft.attributes.params["old"] = ParamValue(text: "a long enough text \(number)")
                draft.attributes.params["new"] = ParamValue(text: "another long text \(number)")
                _ = try ledger.createRun(draft)
            }
        }
        let (old, new) = (ColumnKey.values(.param("old")), ColumnKey.values(.param("new")))
        let unbounded = RunIndex(store: store)
        _ = try table(unbounded, store, .standard, [old])
        let room = unbounded.bytes
        let index = RunIndex(store: store, memoryBudget: room + room / 4)
        _ = try table(index, store, .standard, [old])
        _ = try table(index, store, .standard, [new])
        index.trim()
        #expect(try table(index, store, .standard, []).columns.keys == [new])
    }

    @Test("after more changes than it would follow it reads everything again")
    func tooMuch() throws {
        let store = MemoryStore(now: searchNoon)
        let engine = Engine(store: store, clock: StoppedClock(), log: .silent)
        let run = try engine.changeAndWait(local) { ledger throws(Refusal) in
            try ledger.createRun(RunDraft(experiment: .standard))
        }
        var request = SearchRequest()
        request.filter = "metrics.loss = 20000"
        #expect(try engine.search(request, by: local).total == 0)
        try store.write { tx throws(Refusal) in
            for step in 1...20_000 {
                let points = SeriesPoints([Point(step: Int64(step), time: 0, value: Double(step))])
                try tx.append(
                    PreparedPoints(batch: PointBatch(entries: [.init(name: "loss", points: points)]), blobs: nil),
                    to: run.key, at: searchNoon)
            }
        }
        #expect(try engine.search(request, by: local).total == 1)
    }

    @Test("searches beside one another and beside a writer each see what was written before they began")
    func together() async throws {
        let store = MemoryStore(now: searchNoon)
        let engine = Engine(store: store, clock: StoppedClock(), log: .silent)
        let caller = local
        await withTaskGroup(of: String?.self) { group in
            group.addTask {
                for number in 0..<150 {
                    let points = store.prepare(
                        PointBatch(entries: [
                            .init(
                                name: "loss",
                                points: SeriesPoints([Point(step: 1, time: 0, value: Double(number))]))
                        ]))
                    let made: Void? = try? engine.changeAndWait(caller) { ledger throws(Refusal) in
                        let run = try ledger.createRun(RunDraft(experiment: .standard))
                        try ledger.logPoints(points, to: run.key)
                    }
                    if made == nil { return "run \(number) was not written" }
                }
                return nil
            }
            for _ in 0..<3 {
                group.addTask {
                    var request = SearchRequest()
                    request.filter = "metrics.loss >= 0 ORDER BY metrics.loss"
                    request.limit = 1000
                    for _ in 0..<60 {
                        do {
                            let before = try store.read { reader throws(Refusal) in
                                try reader.runs(in: .standard, after: nil, limit: 1000).count
                            }
                            let page = try engine.search(request, by: caller)
                            let losses = page.runs.compactMap { $0.metric("loss") }
                            if page.total < before { return "\(page.total) runs found, \(before) were there" }
                            if losses != (0..<losses.count).map(Double.init) { return "out of order: \(losses)" }
                        } catch {
                            return "\(error)"
                        }
                    }
                    return nil
                }
            }
            for await problem in group {
                if let problem { Issue.record("\(problem)") }
            }
        }
    }

    @Test("cells answer alike, sparse and dense, whatever order they are written in", arguments: 1...20)
    func cells(seed: Int) {
        var dice = SearchDice(state: UInt64(seed))
        let count = dice.number(1..<400)
        var cells = Cells<Double>(rowCount: count, blank: .nan)
        var model: [Double?] = Array(repeating: nil, count: count)
        for _ in 0..<dice.number(0..<800) {
            let row = dice.number(0..<model.count)
            let value: Double? = dice.chance(70) ? Double(dice.number(0..<100)) : nil
            cells.set(row, value)
            model[row] = value
            if dice.chance(2) {
                model += [nil, nil]
                cells.grow(to: model.count)
            }
        }
        #expect((0..<model.count).map { cells.value(at: $0) } == model, "seed \(seed)")
        #expect(cells.filled == model.count { $0 != nil }, "seed \(seed)")
        #expect(cells.rows == cells.rows.sorted(), "seed \(seed)")
    }

    @Test("ranks fall in the order of the keys they stand for, both ways")
    func ranks() {
        let keys: [SortKey] = [
            .number(-.infinity), .number(-1e300), .number(-1), .number(-0.0), .number(0),
            .number(.leastNonzeroMagnitude), .number(2),
            .number(.infinity), .text("a"), .text("b"), .nan, .flag, .missing, .time(.min), .time(-1), .time(0),
            .time(.max),
        ]
        for down in [false, true] {
            for a in keys {
                for b in keys {
                    if case .time = a { if case .time = b {} else { continue } } else if case .time = b { continue }
                    let order = a.compare(b, descending: down)
                    let (x, y) = (Rank.of(a, descending: down), Rank.of(b, descending: down))
                    if order < 0 { #expect(x <= y, "\(a) before \(b), descending \(down)") }
                    if x < y { #expect(order < 0, "\(a) before \(b), descending \(down)") }
                }
            }
        }
    }

    @Test("a page token is read back as it was written, and random texts are refused")
    func tokens() {
        let token = PageToken(
            search: 7, now: -1,
            keys: [
                .number(-0.5), .number(1, digits: "1"), .time(.min), .text("é'\n"), .nan, .flag, .missing, .text(""),
            ])
        #expect(PageToken(token.text) == token)
        let long = PageToken(search: 7, now: 0, keys: [.text(String(repeating: "x", count: 600)), .text("id")])
        #expect(PageToken(long.text)?.keys == [nil, .text("id")])
        var dice = SearchDice(state: 3)
        for _ in 0..<20_000 {
            let text = String(
                decoding: (0..<dice.number(0..<60)).map { _ in UInt8(dice.number(32..<127)) }, as: UTF8.self)
            #expect(PageToken(text) == nil, "\(text)")
        }
    }
}
