import MartletDomain
import MartletEngine
import MartletObservability
import MartletSeries
import MartletStorage

/// A small seeded generator (SplitMix64), so that a failure can be run again.
struct SearchDice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
    mutating func pick<T>(_ from: [T]) -> T { from[Int.random(in: 0..<from.count, using: &self)] }
    mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }
}

/// 2025-06-15 12:00 UTC, where the clock of these tests stands.
let searchNoon = Timestamp(micros: 1_749_988_800_000_000)

struct StoppedClock: Clock {
    var now: Timestamp { searchNoon }
    var monotonic: Int64 { 0 }
}

/// A store full of runs that random changes are made to.
struct IndexWorld {
    let engine: Engine
    var experiments: [ExperimentID] = []
    var runs: [RunKey] = []

    static let metrics = ["loss", "acc", "a.min", "rare"]
    static let params = ["lr", "model", "seed", "note"]
    static let tags = ["team", "prod", "rare tag"]

    init(store: any Store = MemoryStore(now: searchNoon)) throws(Refusal) {
        engine = Engine(store: store, clock: StoppedClock(), log: .silent)
        experiments = try engine.changeAndWait(.local(via: "test")) { ledger throws(Refusal) in
            let project = try ledger.createProject(ProjectDraft(title: "Vision")).project
            return [
                try ledger.createExperiment(ExperimentDraft(name: "ridge")).experiment.id,
                try ledger.createExperiment(ExperimentDraft(name: "trees", project: project.id)).experiment.id,
                .standard,
            ]
        }
    }

    /// One random change. What the rules refuse is no change, and fine.
    mutating func change(_ dice: inout SearchDice) {
        if runs.isEmpty || dice.chance(18) { return create(&dice) }
        let run = dice.pick(runs)
        let values: [Double] = [0, 0.5, 1, -0.0, 2.5, -3, .nan, .infinity, -.infinity, 1e300]
        let key = dice.pick(IndexWorld.metrics)
        var points = SeriesPoints()
        for _ in 0..<dice.number(1..<4) {
            points.append(
                step: Int64(dice.number(0..<6)), time: searchNoon.micros + Int64(dice.number(0..<3)),
                value: dice.pick(values))
        }
        let value = dice.pick(values)
        let paramTexts = ["1", "1.0", "0.1", "auto", "nan", "9007199254740993", "é", "e\u{301}", ""]
        let param = (key: dice.pick(IndexWorld.params), value: ParamValue(text: dice.pick(paramTexts)))
        let tag: (key: String, value: TagValue) = (
            dice.pick(IndexWorld.tags), dice.pick([nil, "vision", "1.5", "Über"] as [TagValue])
        )
        let word = dice.pick(["done", "FINISHED", "overfit", "KILLED", "running", "archived", "mine", "lost"])
        let step = Int64(dice.number(0..<6))
        switch dice.number(0..<17) {
        case 0...3:
            let batch = engine.store.prepare(PointBatch(entries: [.init(name: key, points: points)]))
            attempt { try $0.logPoints(batch, to: run, evenDeleted: true) }
        case 4: attempt { try $0.logUnstepped([UnsteppedValue(name: key, value: value)], to: run) }
        case 5: attempt { try $0.setSummary([(key, value)], of: run) }
        case 6: attempt { try $0.logParams([param], to: run, allowingChange: true) }
        case 7: attempt { try $0.setTags([tag], of: run) }
        case 8: attempt { try $0.setTags([], removing: [tag.key], of: run) }
        case 9:
            attempt { ledger in
                var update = Ledger.RunUpdate()
                update.status = Status(word: word)
                update.name = "named \(step)"
                update.description = step == 0 ? nil : "described as \(word)"
                _ = try ledger.updateRun(run, update)
            }
        case 10: attempt { try $0.deleteRun(run) }
        case 11: attempt { _ = try $0.restoreRun(run) }
        case 12:
            attempt { _ = try $0.beginAttempt(run) }
        case 13:
            let batch = engine.store.prepare(PointBatch(entries: [.init(name: key, points: points)]))
            attempt { try $0.logPoints(batch, to: run, as: WriterRole(role: "", rank: 1)) }
        case 14: attempt { try $0.deletePoints(of: run, key, in: PointRange(from: step)) }
        case 15:
            attempt { ledger in
                _ = try ledger.addNote("saw \(word)", to: .run(run), who: "")
                _ = try ledger.put(
                    kind: "dataset", key: "\(step)", data: "{\"name\":\"set\(step)\",\"version\":\"\(step).0\"}",
                    on: .run(run), who: "")
                _ = try ledger.setProperties(
                    [("user", "user\(step)"), ("git_commit", "c0ffee\(step)")], of: run)
                _ = try ledger.setTags([("git.branch", step % 2 == 0 ? "main" : "topic\(step)")], of: run)
                _ = try ledger.addArtifact(
                    Artifact(
                        id: 0, run: run, path: "a\(step)", digest: nil, uri: "s3://x", type: "", size: 0,
                        at: searchNoon))
            }
        default:
            if dice.chance(30) {
                attempt { try $0.purgeRun(run) }
            } else if let fork = attempt({ try $0.fork(run, at: step) }) {
                runs.append(fork.key)
            }
        }
    }

    private mutating func create(_ dice: inout SearchDice) {
        var draft = RunDraft(experiment: dice.pick(experiments))
        draft.id = RunID.make(using: &dice)
        draft.name = dice.pick([nil, "base", "Ridge 1"])
        if !runs.isEmpty, dice.chance(40) { draft.parent = dice.pick(runs) }
        // Many begin at one moment, so that the last resort of an order is needed.
        draft.start = Timestamp(micros: searchNoon.micros - Int64(dice.number(0..<4)) * 86_400_000_000)
        let drafted = draft
        if let run = attempt({ try $0.createRun(drafted) }) { runs.append(run.key) }
    }

    @discardableResult
    func attempt<T: Sendable>(_ body: @escaping @Sendable (Ledger) throws -> T) -> T? {
        try? engine.changeAndWait(.local(via: "test"), .live, bytes: 512) { ledger throws(Refusal) in
            do {
                return try body(ledger)
            } catch {
                throw error as? Refusal ?? Refusal(.io, "\(error)", remedy: "")
            }
        }
    }

    // MARK: Questions

    static func condition(_ dice: inout SearchDice) -> String {
        let number = dice.pick(["0", "0.5", "1", "-3", "1e300", "9007199254740992", "2.5"])
        let text = dice.pick(["'1'", "'auto'", "'vision'", "'é'", "text('1.0')", "'0.1'", "1", "0.1"])
        let comparison = dice.pick(["=", "!=", "<", "<=", ">", ">="])
        let metric = dice.pick(["metrics.loss", "metrics.acc", "metrics.`a.min`", "metrics.rare", "metrics.none"])
        let part = dice.pick(["", "", "", ".min", ".max", ".mean", ".first", ".count", ".at(2)"])
        let typed = dice.pick(["params.lr", "params.model", "params.seed", "tags.team", "tags.`rare tag`", "tags.prod"])
        switch dice.number(0..<18) {
        case 0...3: return "\(metric)\(part) \(comparison) \(number)"
        case 4: return "\(metric)\(part) \(dice.pick(["IS NAN", "IS NOT NAN", "EXISTS", "IS NULL"]))"
        case 5, 6: return "\(typed) \(comparison) \(text)"
        case 7: return "\(typed) \(dice.pick(["LIKE '%u%'", "ILIKE '%Ü%'", "NOT LIKE '1%'", "MATCHES '^.$'"]))"
        case 8: return "\(typed) \(dice.pick(["IN ('1','auto')", "NOT IN ('vision', 1)", "BETWEEN 0 AND 1"]))"
        case 9: return "\(typed) \(dice.pick(["EXISTS", "IS NULL", "IS NAN"]))"
        case 10:
            return
                "\(dice.pick(["status", "state"])) \(dice.pick(["=", "!="])) '\(dice.pick(["done", "overfit", "killed", "mine"]))'"
        case 11: return "parent.\(typed) \(comparison) \(text)"
        case 12:
            return dice.pick(["parent IS NULL", "parent EXISTS", "parent.\(metric) > 0", "parent.notes LIKE '%saw%'"])
        case 13: return dice.pick(["experiment = 'ridge'", "project != 'Vision'", "experiment.id = 'trees'"])
        case 14:
            return dice.pick([
                "notes LIKE '%done%'", "dataset.name = 'set1'", "dataset.version > 2", "user = 'user1'",
                "git_commit LIKE 'c0ffee%'", "git_branch != 'main'", "parent.branch = 'main'",
            ])
        case 15:
            return dice.pick([
                "started >= ago(2d)", "ended IS NULL", "duration > 1d", "created = now()", "updated < ago(1h)",
            ])
        case 16:
            return dice.pick([
                "name = 'base'", "short_id IN ('run_01','run_2')", "artifact_count > 1", "archived = true",
                "name ILIKE '%RIDGE%'", "id LIKE 'a%'",
            ])
        default: return dice.pick(["life = 'deleted'", "lifecycle_stage != 'deleted'"])
        }
    }

    static func filter(_ dice: inout SearchDice, depth: Int = 0) -> String {
        if depth == 2 || dice.chance(40) { return condition(&dice) }
        let (a, b) = (filter(&dice, depth: depth + 1), filter(&dice, depth: depth + 1))
        switch dice.number(0..<3) {
        case 0: return "(\(a) AND \(b))"
        case 1: return "(\(a) OR \(b))"
        default: return "NOT (\(a))"
        }
    }

    static func order(_ dice: inout SearchDice) -> [String] {
        let fields = [
            "metrics.loss", "metrics.acc.mean", "metrics.rare", "params.lr", "params.model", "tags.team", "started",
            "ended", "duration", "name", "status", "state", "short_id", "id", "parent.metrics.loss", "parent",
            "experiment", "notes", "metrics.loss.at(1)", "dataset.name", "user", "artifact_count", "updated", "created",
            "git_commit", "branch",
        ]
        return (0..<dice.number(0..<3)).map { _ in dice.pick(fields) + dice.pick(["", " DESC"]) }
    }
}
