#if canImport(MartletStorageSQLite)
    import Foundation
    import MartletDomain
    import MartletSeries
    import MartletStorage
    import MartletStorageSQLite
    import Testing

    /// A source of chance that anyone can repeat (SplitMix64).
    struct SeededChance: RandomNumberGenerator {
        private var state: UInt64
        init(seed: UInt64) { state = seed }

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }

        mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }
        mutating func pick<T>(_ from: [T]) -> T { from[below(from.count)] }
    }

    /// The same random history on the reference store and on another: every answer must be equal.
    @Suite("Random histories give equal answers on every store") struct RandomHistories {
        /// Set MARTLET_SEED to repeat a failure, MARTLET_HISTORIES for more of them.
        static let seeds: [UInt64] = {
            let environment = ProcessInfo.processInfo.environment
            if let seed = environment["MARTLET_SEED"].flatMap(UInt64.init) { return [seed] }
            let count = environment["MARTLET_HISTORIES"].flatMap(Int.init) ?? 12
            let base = UInt64.random(in: 0...(.max >> 16))
            return (0..<count).map { base &+ UInt64($0) }
        }()

        @Test("a history of changes, compactions and reopenings", arguments: seeds)
        func equalAnswers(_ seed: UInt64) throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-history-\(UUID())").path
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let reference = MemoryStore()
            var options = SQLiteStore.Options()
            options.now = { Timestamp(micros: 0) }
            var other = try SQLiteStore.open(folder: folder, options: options)
            defer { other.close() }
            var chance = SeededChance(seed: seed)
            var clock = noon
            for step in 0..<150 {
                clock = clock.adding(seconds: Double(chance.below(20)))
                if chance.below(8) == 0 {
                    _ = try other.compact()
                    continue
                }
                if chance.below(40) == 0 {
                    other.close()
                    other = try SQLiteStore.open(folder: folder, options: options)
                    continue
                }
                let operation = Operation.random(&chance)
                let first = outcome(of: operation, on: reference, at: clock)
                let second = outcome(of: operation, on: other, at: clock)
                try #require(
                    first == second, "seed \(seed), step \(step): “\(first)” and “\(second)” from \(operation)")
            }
            while try other.compact() {}
            let wanted = try Snapshot.take(reference)
            let found = try Snapshot.take(other)
            for (index, (a, b)) in zip(wanted, found).enumerated() where a != b {
                Issue.record("seed \(seed), line \(index): the reference says \(a), the other store \(b)")
                return
            }
            #expect(wanted.count == found.count, "seed \(seed)")
        }

        private func outcome(of operation: Operation, on store: any Store, at now: Timestamp) -> String {
            do {
                return try store.alter { tx in try operation.carryOut(Ledger(tx, now: now)) }
            } catch let error as Refusal {
                return "refused: \(error.code.word) \(error.message)"
            } catch {
                return "\(error)"
            }
        }
    }

    /// One change, with all that chance decides in it.
    enum Operation: Sendable {
        case project(Int), experiment(Int, project: Int), run(id: RunID, experiment: Int, parent: Int?, name: Int)
        case params(Int, [(key: String, value: ParamValue)]), tags(
            Int, [(key: String, value: TagValue)], remove: [String])
        case points(Int, PointBatch, WriterRole), unstepped(Int, [UnsteppedValue]), summary(Int, String, Double)
        case attempt(Int), fork(Int, Int64, id: RunID), end(Int, String), deleteRun(Int), restoreRun(Int), purge(Int)
        case deleteExperiment(Int), restoreExperiment(Int, Bool), note(Int, String), deletePoints(
            Int, String, PointRange)
        case rich(Int, Int64, String), console(Int, String), property(Int, String), rename(Int, String)
        case card(Card), changeCard(Int, key: String, life: Life), dropCard(Int), dropCards(ExperimentID)
        case purgeExperiment(Int)

        static func random(_ chance: inout SeededChance) -> Operation {
            let run = 1 + chance.below(8)
            let keys = ["loss", "acc", "val/loss", "lr", "ümlaut", "system/cpu"]
            switch chance.below(48) {
            case 0: return .project(chance.below(3))
            case 1, 2: return .experiment(chance.below(4), project: 1 + chance.below(2))
            case 3, 4, 5, 6:
                return .run(
                    id: RunID.make(using: &chance), experiment: chance.below(4),
                    parent: chance.below(4) == 0 ? run : nil, name: chance.below(5))
            case 7, 8:
                let count = 1 + chance.below(4)
                return .params(
                    run,
                    (0..<count).map { _ in
                        (
                            chance.pick(keys),
                            ParamValue(text: "\(chance.below(3))", kind: chance.below(2) == 0 ? .number : .text)
                        )
                    })
            case 9, 10:
                return .tags(
                    run, [(chance.pick(keys), chance.below(3) == 0 ? nil : "v\(chance.below(3))")],
                    remove: chance.below(3) == 0 ? [chance.pick(keys)] : [])
            case 11...24:
                var batch = PointBatch()
                for name in Set((0...chance.below(3)).map { _ in chance.pick(keys) }).sorted() {
                    var points = SeriesPoints()
                    let base = Int64(chance.below(500))
                    for index in 0..<(chance.below(12) == 0 ? 700 : 1 + chance.below(20)) {
                        let step = chance.below(10) == 0 ? Int64(chance.below(600)) : base + Int64(index)
                        let value: Double =
                            switch chance.below(20) {
                            case 0: .nan
                            case 1: .infinity
                            case 2: -0.0
                            case 3...10: Double(chance.below(1000)) / 100
                            default: Double.random(in: -1...1, using: &chance)
                            }
                        points.append(Point(step: step, time: noon.micros + step * 1_000_000, value: value))
                    }
                    batch.append(.init(name: name, points: points))
                }
                return .points(run, batch, chance.below(6) == 0 ? WriterRole(role: "", rank: 1) : .plain)
            case 25, 26:
                return .unstepped(run, [UnsteppedValue(name: chance.pick(keys), value: Double(chance.below(9)))])
            case 27: return .summary(run, chance.pick(keys), Double(chance.below(9)))
            case 28: return .attempt(run)
            case 29: return .fork(run, Int64(chance.below(400)), id: RunID.make(using: &chance))
            case 30: return .end(run, chance.pick(["FINISHED", "failed", "overfit", "KILLED", "done"]))
            case 31: return .deleteRun(run)
            case 32: return .restoreRun(run)
            case 33: return chance.below(3) == 0 ? .purge(run) : .restoreRun(run)
            case 34: return .deleteExperiment(chance.below(4))
            case 35: return .restoreExperiment(chance.below(4), chance.below(2) == 0)
            case 36: return .note(run, "note \(chance.below(100)) “quoted” \\ \n")
            case 37:
                let from = Int64(chance.below(300))
                return .deletePoints(
                    run, chance.pick(keys),
                    chance.below(3) == 0 ? .all : PointRange(from: from, to: from + Int64(chance.below(300))))
            case 38: return .rich(run, Int64(chance.below(9)), chance.pick(["histogram", "image"]))
            case 39, 40, 41, 42:
                return .card(
                    Card(
                        kind: chance.pick(["model", "view"]), project: ProjectID(Int64(1 + chance.below(2))),
                        owner: chance.pick(["", "experiment/1", "experiment/2"]), key: chance.pick(keys),
                        life: .active, created: noon, updated: noon, data: "{\"n\":\(chance.below(100))}"))
            case 43, 44:
                return .changeCard(
                    1 + chance.below(10), key: chance.pick(keys), life: chance.below(3) == 0 ? .deleted : .active)
            case 45: return .dropCard(1 + chance.below(10))
            case 46:
                let experiment = 1 + chance.below(3)
                return chance.below(2) == 0 ? .purgeExperiment(experiment) : .dropCards(ExperimentID(Int64(experiment)))
            default:
                return chance.below(2) == 0
                    ? .console(run, "line \(chance.below(100))\n") : .property(run, "text \(chance.below(9))")
            }
        }

        func carryOut(_ ledger: Ledger) throws -> String {
            switch self {
            case .project(let name):
                let (project, created) = try ledger.createProject(ProjectDraft(title: "Project \(name)"))
                return "\(project.id) \(created)"
            case .experiment(let name, let project):
                let made = try ledger.createExperiment(
                    .init(name: "experiment \(name)", project: ProjectID(Int64(project))))
                return "\(made.experiment.id) \(made.created)"
            case .run(let id, let experiment, let parent, let name):
                var draft = RunDraft(experiment: ExperimentID(Int64(experiment)))
                draft.id = id
                draft.parent = parent.map { RunKey(Int64($0)) }
                draft.name = name == 0 ? nil : "name \(name)"
                let run = try ledger.createRun(draft)
                return "\(run.key) \(run.shortID)"
            case .params(let run, let params): try ledger.logParams(params, to: key(run))
            case .tags(let run, let tags, let remove): try ledger.setTags(tags, removing: remove, of: key(run))
            case .points(let run, let batch, let writer):
                try ledger.logPoints(PreparedPoints(batch: batch, blobs: nil), to: key(run), as: writer)
            case .unstepped(let run, let values): try ledger.logUnstepped(values, to: key(run))
            case .summary(let run, let name, let value): try ledger.setSummary([(name, value)], of: key(run))
            case .attempt(let run): return "\(try ledger.beginAttempt(key(run)).attempt)"
            case .fork(let run, let step, let id): return "\(try ledger.fork(key(run), at: step, id: id).number)"
            case .end(let run, let word): return "\(try ledger.endRun(key(run), status: Status(word: word)).status)"
            case .deleteRun(let run): try ledger.deleteRun(key(run))
            case .restoreRun(let run): return "\(try ledger.restoreRun(key(run)).life)"
            case .purge(let run): try ledger.purgeRun(key(run))
            case .deleteExperiment(let id): try ledger.deleteExperiment(ExperimentID(Int64(id)))
            case .restoreExperiment(let id, let everything):
                return "\(try ledger.restoreExperiment(ExperimentID(Int64(id)), everything: everything).life)"
            case .note(let run, let text): return try ledger.addNote(text, to: .run(key(run)), who: "ada").key
            case .deletePoints(let run, let name, let range): try ledger.deletePoints(of: key(run), name, in: range)
            case .rich(let run, let step, let kind):
                try ledger.logRich(
                    [RichPoint(key: "weights", step: step, time: noon, kind: kind, data: "{\"n\":\(step)}")],
                    to: key(run))
            case .console(let run, let text):
                try ledger.tx.append(
                    [ConsoleChunk(stream: "stdout", number: 0, at: noon, text: Array(text.utf8))],
                    to: try ledger.writableRun(key(run)).key)
            case .property(let run, let text): try ledger.setProperties([("description", text)], of: key(run))
            case .card(let card): return "\(try ledger.tx.insert(card))"
            case .changeCard(let id, let key, let life):
                guard var card = try ledger.tx.card(Int64(id)) else { return "no card" }
                (card.key, card.life, card.updated) = (key, life, ledger.now)
                card.data = "{\"key\":\"\(key)\"}"
                try ledger.tx.update(card)
            case .dropCard(let id): try ledger.tx.removeCard(Int64(id))
            case .dropCards(let id): try ledger.tx.removeCards(in: .standard, owner: Card.owner(id))
            case .purgeExperiment(let id): try ledger.purgeExperiment(ExperimentID(Int64(id)))
            case .rename(let run, let name):
                var update = Ledger.RunUpdate()
                update.name = name
                _ = try ledger.updateRun(key(run), update)
            }
            return "done"
        }

        private func key(_ run: Int) -> RunKey { RunKey(Int64(run)) }
    }

    /// Everything that can be asked of a store, as lines that can be compared.
    enum Snapshot {
        static func take(_ store: any Store) throws -> [String] {
            try store.see { reader in
                var lines: [String] = []
                for project in try reader.projects() { lines.append("\(project)") }
                for kind in ["model", "view"] {
                    let cards = try reader.cards(kind, in: nil, owner: nil, after: nil, limit: 1000)
                    lines += cards.map { "\($0)" }
                    lines.append("\(kind) \(try reader.cardCount(kind, owner: nil))")
                    for owner in ["", "experiment/1"] {
                        let some = try reader.cards(kind, in: .standard, owner: owner, after: 2, limit: 3)
                        lines.append("\(kind) of “\(owner)” \(some.map(\.id))")
                    }
                    for card in cards {
                        let found = try reader.card(kind, in: card.project, owner: card.owner, key: card.key)
                        lines.append("\(kind) \(found?.id ?? 0) \(try reader.card(card.id)?.key ?? "")")
                    }
                }
                for experiment in try reader.experiments(in: nil) {
                    lines.append("\(experiment)")
                    lines.append("\(try reader.runCounts(in: experiment.id).map { "\($0.key) \($0.value)" }.sorted())")
                    let runs = try reader.runs(in: experiment.id, after: nil, limit: 1000)
                    for names in [nil, ["loss"], ["loss", "acc"]] {
                        var all = [String](repeating: "", count: runs.count)
                        try reader.eachSeries(of: runs.map(\.key), named: names) { all[$0] = "\($1.map(rounded))" }
                        for (run, series) in zip(runs, all) { lines.append("pass \(names ?? []) \(run.key) \(series)") }
                    }
                    let documents = try reader.documents(of: runs.map(\.key))
                    for (run, one) in zip(runs, documents) {
                        lines.append("documents \(run.key) \(one.attributes.params.keys) \(one.summary.keys)")
                    }
                    for run in runs {
                        lines.append("\(run)")
                        lines += try describe(run, reader)
                    }
                }
                return lines
            }
        }

        private static func describe(_ run: Run, _ reader: any StoreReader) throws -> [String] {
            var lines: [String] = []
            let attributes = try reader.attributes(of: run.key)
            lines.append("\(run.key) params \(attributes.params.entries) tags \(attributes.tags.entries)")
            lines.append("\(run.key) properties \(attributes.properties.entries)")
            lines.append("\(run.key) summary \(try reader.summary(of: run.key).entries)")
            lines.append("\(run.key) lanes \(try reader.lanes(of: run.key))")
            for series in try reader.series(of: run.key, named: nil) {
                lines.append("\(run.key) series \(rounded(series))")
                let points = try reader.points(run.key, series.name, series.lane, in: .all)
                lines.append(
                    "\(run.key) points \(series.name) \(points.points.map { "\($0.step) \($0.time) \($0.value.bitPattern)" })"
                )
                let part = try reader.points(run.key, series.name, series.lane, in: PointRange(from: 100, to: 300))
                lines.append("\(run.key) part \(series.name) \(part.steps)")
                let buckets = try reader.buckets(
                    run.key, series.name, series.lane, axis: .step, from: nil, to: nil, count: 7)
                lines.append(
                    "\(run.key) buckets \(buckets.reduce(0) { $0 + $1.count }) \(buckets.compactMap(\.max).max() ?? 0)")
            }
            for metric in try reader.metrics(of: run) {
                lines.append(
                    "\(run.key) metric \(metric.name) \(metric.value.bitPattern) \(metric.series?.count ?? -1)")
                lines.append("\(run.key) curve \(metric.name) \(try reader.curve(of: run, metric.name).steps)")
                lines.append(
                    "\(run.key) all \(metric.name) \(try reader.curve(of: run, metric.name, in: .all, .all).count)")
            }
            lines.append(
                "\(run.key) items \(try reader.items(of: .run(run.key), kind: nil, key: nil).map { "\($0.kind) \($0.key) \($0.data)" })"
            )
            lines.append("\(run.key) rich \(try reader.rich(run.key, key: nil, from: .min, to: .max, limit: 100))")
            lines.append("\(run.key) console \(try reader.console(run.key, stream: nil, after: 0, limit: 100))")
            lines.append("\(run.key) children \(try reader.children(of: run.key).map(\.key))")
            return lines
        }

        /// Sums are added up in another order by another store.
        private static func rounded(_ state: SeriesState) -> String {
            var state = state
            state.sum = (state.sum * 1e4).rounded() / 1e4
            return "\(state)".replacing("-0.0", with: "0.0")
        }
    }
#endif
