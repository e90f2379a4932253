import MartletDomain
import MartletEngine
import MartletObservability
import MartletSearch
import MartletSeries
import MartletStorage
import Testing

/// A few runs whose answers can be worked out by hand.
private struct Ridge {
    let engine = Engine(store: MemoryStore(now: searchNoon), clock: StoppedClock(), log: .silent)
    let local = Caller.local(via: "test")
    let experiment: ExperimentID
    var runs: [Run] = []

    init(count: Int = 5) throws(Refusal) {
        experiment = try engine.changeAndWait(local) { ledger throws(Refusal) in
            try ledger.createExperiment(ExperimentDraft(name: "ridge")).experiment.id
        }
        for number in 1...max(1, count) { runs.append(try add(number)) }
    }

    func add(_ number: Int, to other: ExperimentID? = nil) throws(Refusal) -> Run {
        let experiment = other ?? experiment
        let points = engine.store.prepare(
            PointBatch(entries: [
                .init(
                    name: "val_accuracy",
                    points: SeriesPoints([Point(step: 1, time: 1, value: Double(number) / 10)]))
            ]))
        return try engine.changeAndWait(local) { ledger throws(Refusal) in
            var draft = RunDraft(experiment: experiment)
            draft.start = searchNoon.adding(seconds: Double(number))
            draft.status = Status(word: number == 5 ? "overfit" : "done")
            draft.attributes.params["algorithm"] = ParamValue(text: number % 2 == 0 ? "Ridge" : "Lasso")
            let run = try ledger.createRun(draft)
            try ledger.logPoints(points, to: run.key)
            return run
        }
    }

    func find(_ filter: String, _ change: (inout SearchRequest) -> Void = { _ in }) throws(Refusal) -> SearchPage {
        var request = SearchRequest()
        request.experiments = ["ridge"]
        request.filter = filter
        change(&request)
        return try engine.search(request, by: local)
    }

    func numbers(_ filter: String) throws(Refusal) -> [Int] { try find(filter).runs.map(\.run.number) }

    func refusal(_ filter: String, _ change: (inout SearchRequest) -> Void = { _ in }) -> Refusal? {
        do throws(Refusal) {
            _ = try find(filter, change)
            return nil
        } catch {
            return error
        }
    }
}

@Suite("Searching runs")
struct SearchUseCaseTests {
    @Test("runs are found by the commit and the branch of their code, whoever wrote the branch down")
    func code() throws {
        let ridge = try Ridge()
        let keys = ridge.runs.map(\.key)
        try ridge.engine.changeAndWait(ridge.local) { ledger throws(Refusal) in
            _ = try ledger.setProperties([("git_commit", "4f1c9ab0")], of: keys[0])
            _ = try ledger.setProperties([("git_commit", "9ab04f1c")], of: keys[1])
            _ = try ledger.setTags([("git.branch", "main")], of: keys[0])
            _ = try ledger.setTags([("mlflow.source.git.branch", "topic")], of: keys[1])
        }
        #expect(try ridge.numbers("git_commit = '4f1c9ab0'") == [1])
        #expect(try ridge.numbers("commit LIKE '9ab0%'") == [2])
        #expect(try ridge.numbers("git_branch = 'main' OR branch = 'topic'") == [2, 1])
        #expect(try ridge.numbers("attributes.git_commit IS NULL") == [5, 4, 3])
        // An experiment has no commit, and a slip is put right.
        #expect(ridge.refusal("experiment.git_commit = 'x'")?.code == .malformed)
        #expect(ridge.refusal("git_comit = 'x'")?.candidates == ["git_commit"])
    }

    @Test("the newest run comes first when no order is asked for")
    func newestFirst() throws {
        #expect(try Ridge().numbers("") == [5, 4, 3, 2, 1])
    }

    @Test("the text may carry its own order and limit; what stands beside it wins")
    func ownOrder() throws {
        let ridge = try Ridge()
        let text = "metrics.val_accuracy > 0.1 ORDER BY metrics.val_accuracy LIMIT 2"
        #expect(try ridge.numbers(text) == [2, 3])
        let page = try ridge.find(text) {
            $0.orderBy = ["metrics.val_accuracy DESC"]
            $0.limit = 3
        }
        #expect(page.runs.map(\.run.number) == [5, 4, 3])
        #expect(page.total == 4)
        #expect(page.nextPageToken != nil)
    }

    @Test("words for a status find one another; one that says more stands alone")
    func statusWords() throws {
        let ridge = try Ridge()
        #expect(try ridge.numbers("status = 'FINISHED'") == [4, 3, 2, 1])
        #expect(try ridge.numbers("status = 'overfit'") == [5])
        #expect(try ridge.numbers("state = 'completed'") == [5, 4, 3, 2, 1])
    }

    @Test("a short id is read in the experiment searched, and refused where it names several runs")
    func shortIDs() throws {
        let ridge = try Ridge()
        #expect(try ridge.numbers("id = 'run_03'") == [3])
        #expect(try ridge.numbers("id = '\(ridge.runs[1].id.text.uppercased())'") == [2])
        _ = try ridge.add(1, to: .standard)
        let refusal = ridge.refusal("id = 'run_01'") { $0.experiments = [] }
        #expect(refusal?.code == .ambiguous)
        #expect(refusal?.candidates.count == 2)
    }

    @Test("pages follow one another while newer runs arrive")
    func stablePages() throws {
        let ridge = try Ridge()
        let first = try ridge.find("") { $0.limit = 2 }
        _ = try ridge.add(9)
        let second = try ridge.find("") {
            $0.limit = 2
            $0.pageToken = first.nextPageToken
        }
        #expect(first.runs.map(\.run.number) == [5, 4])
        #expect(second.runs.map(\.run.number) == [3, 2])
        #expect(second.total == 6)
    }

    @Test("a page token of another search, and a damaged one, are refused")
    func foreignTokens() throws {
        let ridge = try Ridge()
        let token = try #require(try ridge.find("") { $0.limit = 2 }.nextPageToken)
        let foreign = ridge.refusal("metrics.val_accuracy > 0") { $0.pageToken = token }
        #expect(foreign?.code == .invalid)
        #expect(foreign?.field == "page_token")
        for place in token.indices {
            var damaged = token
            damaged.replaceSubrange(place...place, with: token[place] == "A" ? "B" : "A")
            #expect(ridge.refusal("") { $0.pageToken = damaged }?.code == .invalid, "\(damaged)")
        }
        for length in 1..<token.count {
            #expect(ridge.refusal("") { $0.pageToken = String(token.prefix(length)) }?.code == .invalid)
        }
    }

    @Test("a page may end at a text too long for its token")
    func longKeys() throws {
        let ridge = try Ridge()
        for run in ridge.runs {
            try ridge.engine.changeAndWait(ridge.local) { ledger throws(Refusal) in
                let text = String(repeating: "x", count: 40_000) + "\(run.number)"
                try ledger.logParams([("prompt", ParamValue(text: text))], to: run.key)
            }
        }
        var numbers: [Int] = []
        var token: String?
        repeat {
            let page = try ridge.find("") {
                $0.orderBy = ["params.prompt"]
                $0.limit = 1
                $0.pageToken = token
            }
            numbers += page.runs.map(\.run.number)
            token = page.nextPageToken
            #expect((token?.utf8.count ?? 0) < 500)
        } while token != nil && numbers.count < 10
        #expect(numbers == [1, 2, 3, 4, 5])
    }

    @Test("a caller finds only runs of projects that they may read")
    func rights() throws {
        let ridge = try Ridge()
        let other = try ridge.engine.changeAndWait(ridge.local) { ledger throws(Refusal) in
            let project = try ledger.createProject(ProjectDraft(title: "Secret")).project.id
            return try ledger.createExperiment(ExperimentDraft(name: "hidden", project: project)).experiment
        }
        _ = try ridge.add(1, to: other.id)
        let guest = Caller(principal: "guest", role: nil, grants: [.standard: .read], via: "test")
        var request = SearchRequest()
        #expect(try ridge.engine.search(request, by: guest).total == 5)
        request.experiments = ["hidden"]
        request.project = "secret"
        #expect(throws: Refusal.self) { try ridge.engine.search(request, by: guest) }
        request.project = nil
        request.experiments = ["id:\(other.id)"]
        do throws(Refusal) {
            _ = try ridge.engine.search(request, by: guest)
            Issue.record("a guest saw a hidden run")
        } catch {
            #expect(error.code == .forbidden)
        }
    }

    @Test("deleted runs are found when they are asked for, and only then")
    func deleted() throws {
        let ridge = try Ridge()
        let key = ridge.runs[0].key
        try ridge.engine.changeAndWait(ridge.local) { ledger throws(Refusal) in try ledger.deleteRun(key) }
        #expect(try ridge.numbers("") == [5, 4, 3, 2])
        #expect(try ridge.numbers("life = 'deleted'") == [1])
        #expect(try ridge.find("") { $0.life = .all }.total == 5)
    }

    @Test("what is wrong with a filter is refused with its place and what was probably meant")
    func errors() throws {
        let ridge = try Ridge()
        let syntax = ridge.refusal("metrics.a > ")
        #expect(syntax?.code == .malformed)
        #expect(syntax?.column == 13)
        let limit = ridge.refusal("") { $0.limit = 0 }
        #expect(limit?.code == .invalid)
        #expect(limit?.field == "limit")
        #expect(ridge.refusal("") { $0.experiments = ["ridg"] }?.candidates == ["ridge"])
        let pattern = ridge.refusal("params.algorithm MATCHES '('")
        #expect(pattern?.code == .invalid)
    }

    @Test("a name that no run has is remarked on, one that some have is not")
    func advice() throws {
        let ridge = try Ridge()
        #expect(
            try ridge.find("metrics.val_acuracy > 0").advice == [
                "Unknown metric “val_acuracy” at column 1. Did you mean “metrics.val_accuracy”?"
            ])
        #expect(try ridge.find("metrics.val_accuracy > 5").advice.isEmpty)
    }

    @Test("points that arrive are found by the next search")
    func arrivals() throws {
        let ridge = try Ridge()
        #expect(try ridge.numbers("metrics.val_accuracy = 7").isEmpty)
        let key = ridge.runs[2].key
        for (step, value) in [(2, 7.0), (3, 8.0), (1, 9.0)] {
            let points = ridge.engine.store.prepare(
                PointBatch(entries: [
                    .init(
                        name: "val_accuracy", points: SeriesPoints([Point(step: Int64(step), time: 1, value: value)]))
                ]))
            _ = try ridge.engine.changeAndWait(ridge.local) { ledger throws(Refusal) in
                try ledger.logPoints(points, to: key)
            }
            // The point at step 1 is older than the latest one.
            #expect(try ridge.numbers("metrics.val_accuracy = \(min(value, 8))") == [3])
        }
        #expect(try ridge.numbers("metrics.val_accuracy.max = 9") == [3])
    }

    @Test("what a later attempt logs counts over what an earlier one logged, at the next search")
    func attempts() throws {
        let ridge = try Ridge()
        let key = ridge.runs[2].key
        func log(_ step: Int64, _ value: Double) throws(Refusal) {
            let points = ridge.engine.store.prepare(
                PointBatch(entries: [
                    .init(name: "val_accuracy", points: SeriesPoints([Point(step: step, time: 1, value: value)]))
                ]))
            try ridge.engine.changeAndWait(ridge.local) { ledger throws(Refusal) in
                try ledger.logPoints(points, to: key)
            }
        }
        try log(5, 7)
        #expect(try ridge.numbers("metrics.val_accuracy = 7") == [3])
        try ridge.engine.changeAndWait(ridge.local) { ledger throws(Refusal) in _ = try ledger.beginAttempt(key) }
        #expect(try ridge.numbers("metrics.val_accuracy = 7") == [3])
        try log(2, 42)
        #expect(try ridge.numbers("metrics.val_accuracy = 42") == [3])
    }

    @Test("questions in words: the best run, all runs, a comparison; what was taken is said")
    func questions() throws {
        let ridge = try Ridge()
        let best = try ridge.engine.ask("best val_acc where algorithm=Ridge", experiment: "ridge", by: ridge.local)
        guard case .best(let runs, let metric) = best.found else {
            Issue.record("\(best)")
            return
        }
        #expect(metric == "val_accuracy")
        #expect(runs.runs.map(\.run.number) == [4])
        #expect(best.taken == ["Took “val_acc” for metrics.val_accuracy."])
        let all = try ridge.engine.ask("All runs where val_accuracy > 0.25", experiment: "ridge", by: ridge.local)
        guard case .runs(let page) = all.found else {
            Issue.record("\(all)")
            return
        }
        #expect(page.runs.map(\.run.number) == [5, 4, 3])
        let compared = try ridge.engine.ask("Compare run_02 vs run_03", experiment: "ridge", by: ridge.local)
        guard case .compare(let views) = compared.found else {
            Issue.record("\(compared)")
            return
        }
        #expect(views.map(\.run.number) == [2, 3])
    }

    @Test("of two best runs that tie both are named, and a bad ending never wins")
    func best() throws {
        let ridge = try Ridge()
        let best = try ridge.engine.ask("best val_accuracy", experiment: nil, by: ridge.local)
        guard case .best(let runs, _) = best.found else {
            Issue.record("\(best)")
            return
        }
        #expect(runs.runs.map(\.run.number) == [4])
    }
}
