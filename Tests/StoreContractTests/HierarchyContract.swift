import MartletDomain
import MartletSeries
import MartletStorage
import Testing

@Suite("Every store keeps projects, experiments and runs") struct HierarchyContract {
    @Test("a new store has the default project and MLflow's experiment 0", arguments: StoreUnderTest.available)
    func defaults(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let (project, experiment) = try store.read { reader throws(Refusal) in
                (try reader.project(.standard), try reader.experiment(.standard))
            }
            #expect(project?.slug == "default")
            #expect(experiment?.name == "Default")
            #expect(experiment?.project == .standard)
        }
    }

    @Test("an experiment is shared by its name inside a project", arguments: StoreUnderTest.available)
    func sharedByName(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let first = try store.change { try $0.createExperiment(.init(name: "risk")) }
            let second = try store.change { try $0.createExperiment(.init(name: "risk")) }
            #expect(first.created && !second.created)
            #expect(first.experiment.id == second.experiment.id)
            let other = try store.change { try $0.createProject(.init(title: "Healthcare AI")) }
            #expect(other.project.slug == "healthcare-ai")
            let third = try store.change {
                try $0.createExperiment(.init(name: "risk", project: other.project.id))
            }
            #expect(third.created && third.experiment.id != first.experiment.id)
        }
    }

    @Test("a deleted experiment's name stays taken", arguments: StoreUnderTest.available)
    func deletedNameStaysTaken(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let made = try store.change { try $0.createExperiment(.init(name: "risk")) }.experiment
            try store.change { try $0.deleteExperiment(made.id) }
            let error = #expect(throws: Refusal.self) {
                _ = try store.change { try $0.createExperiment(.init(name: "risk")) }
            }
            #expect(error?.code == .conflict)
        }
    }

    @Test("short numbers are never given twice, also after a deletion for good", arguments: StoreUnderTest.available)
    func shortNumbers(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let first = try store.newRun()
            let second = try store.newRun()
            #expect(first.shortID == "run_01" && second.shortID == "run_02")
            try store.change { try $0.purgeRun(second.key) }
            let third = try store.newRun()
            #expect(third.shortID == "run_03")
            #expect(third.key != second.key)
        }
    }

    @Test("a purged run is gone, its id is never made again", arguments: StoreUnderTest.available)
    func purge(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            try store.log(run, "loss", [(1, 0.5)])
            try store.change { try $0.purgeRun(run.key) }
            #expect(try store.see { try $0.run(run.id) } == nil)
            #expect(try store.see { try $0.run(run.key) } == nil)
            #expect(try store.see { try $0.isPurged(run.id) })
            while try store.alter({ try $0.purgeStep() }) {}
            #expect(try store.see { try $0.points(run.key, "loss", .plain, in: .all) }.isEmpty)
            let error = #expect(throws: Refusal.self) {
                _ = try store.change { ledger in
                    var draft = RunDraft(experiment: .standard)
                    draft.id = run.id
                    return try ledger.createRun(draft)
                }
            }
            #expect(error?.code == .purged)
        }
    }

    @Test("what goes with its parent comes back with it, what went before stays", arguments: StoreUnderTest.available)
    func cascade(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let experiment = try store.change { try $0.createExperiment(.init(name: "risk")) }.experiment
            let kept = try store.newRun(in: experiment.id)
            let gone = try store.newRun(in: experiment.id)
            try store.change { try $0.deleteRun(gone.key) }
            try store.change { try $0.deleteExperiment(experiment.id) }
            func life(_ run: Run) throws -> Life? { try store.see { try $0.run(run.key) }?.life }
            #expect(try life(kept) == .deletedWithParent)
            #expect(try life(gone) == .deleted)
            try store.change { _ = try $0.restoreExperiment(experiment.id) }
            #expect(try life(kept) == .active)
            #expect(try life(gone) == .deleted)
            try store.change { try $0.deleteExperiment(experiment.id) }
            try store.change { _ = try $0.restoreExperiment(experiment.id, everything: true) }
            #expect(try life(gone) == .active)
        }
    }

    @Test("children are deleted and restored with their parent", arguments: StoreUnderTest.available)
    func nested(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let parent = try store.newRun("parent")
            let child = try store.change { ledger in
                var draft = RunDraft(experiment: .standard)
                draft.parent = parent.key
                return try ledger.createRun(draft)
            }
            #expect(try store.see { try $0.children(of: parent.key) }.map(\.key) == [child.key])
            try store.change { try $0.deleteRun(parent.key) }
            #expect(try store.see { try $0.run(child.key) }?.life == .deletedWithParent)
            try store.change { _ = try $0.restoreRun(parent.key) }
            #expect(try store.see { try $0.run(child.key) }?.life == .active)
        }
    }

    @Test("a refused change leaves nothing behind", arguments: StoreUnderTest.available)
    func atomic(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun(params: [("lr", ParamValue(text: "0.1"))])
            #expect(throws: Refusal.self) {
                try store.change { ledger in
                    try ledger.setTags([("stage", "late")], of: run.key)
                    try ledger.logParams([("lr", ParamValue(text: "0.2"))], to: run.key)
                }
            }
            let attributes = try store.see { try $0.attributes(of: run.key) }
            #expect(attributes.tags.isEmpty)
            #expect(attributes.params["lr"]?.text == "0.1")
        }
    }

    @Test("runs are found by number, name and prefix of their id", arguments: StoreUnderTest.available)
    func lookups(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun("ridge, tuned")
            try store.read { reader throws(Refusal) in
                #expect(try reader.run(number: 1, in: .standard)?.key == run.key)
                #expect(try reader.runs(named: "ridge, tuned", in: nil, limit: 5).map(\.key) == [run.key])
                #expect(try reader.runs(idPrefix: String(run.id.text.prefix(7)), limit: 5).map(\.key) == [run.key])
                #expect(try reader.runs(idPrefix: run.id.text, limit: 5).map(\.key) == [run.key])
                #expect(try reader.run(run.id) == run)
                #expect(try reader.runCounts(in: .standard) == [.running: 1])
                #expect(try reader.runsInProgress(limit: 5).map(\.key) == [run.key])
            }
        }
    }
}

@Suite("Every store keeps what is said about a run") struct AttributesContract {
    @Test("a param keeps its exact text and its kind", arguments: StoreUnderTest.available)
    func params(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let params: [(key: String, value: ParamValue)] = [
                ("algorithm", ParamValue(text: "LinReg")), ("learning_rate", ParamValue(text: "0.10", kind: .number)),
                ("verbose", ParamValue(text: "true", kind: .bool)), ("none", ParamValue(text: "null", kind: .null)),
                ("layers", ParamValue(text: "[64,32]", kind: .json)), ("grüße", ParamValue(text: "schöne 🐦")),
                ("empty", ParamValue(text: "")),
            ]
            let run = try store.newRun(params: params)
            let read = try store.see { try $0.attributes(of: run.key) }.params
            #expect(read == Pairs(params))
        }
    }

    @Test(
        "a param does not change: same text is nothing, another is refused naming both",
        arguments: StoreUnderTest.available)
    func immutable(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun(params: [("lr", ParamValue(text: "0.1", kind: .number))])
            try store.change { try $0.logParams([("lr", ParamValue(text: "0.1"))], to: run.key) }
            let error = #expect(throws: Refusal.self) {
                try store.change { try $0.logParams([("lr", ParamValue(text: "0.2"))], to: run.key) }
            }
            #expect(error?.code == .conflict)
            #expect(error?.message.contains("0.1") == true && error?.message.contains("0.2") == true)
        }
    }

    @Test("a later attempt may change a param once", arguments: StoreUnderTest.available)
    func attemptChangesParam(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun(params: [("lr", ParamValue(text: "0.1"))])
            try store.change { _ = try $0.beginAttempt(run.key, reason: "resume") }
            try store.change { try $0.logParams([("lr", ParamValue(text: "0.2"))], to: run.key) }
            #expect(try store.see { try $0.attributes(of: run.key) }.params["lr"]?.text == "0.2")
            #expect(throws: Refusal.self) {
                try store.change { try $0.logParams([("lr", ParamValue(text: "0.3"))], to: run.key) }
            }
        }
    }

    @Test("tags have a value or none, and can be taken away", arguments: StoreUnderTest.available)
    func tags(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            try store.change { try $0.setTags([("team", "vision"), ("production", nil)], of: run.key) }
            var tags = try store.see { try $0.attributes(of: run.key) }.tags
            #expect(tags["team"] == .some("vision"))
            #expect(tags["production"] == .some(nil))
            #expect(tags["other"] == .none)
            try store.change { try $0.setTags([], removing: ["team"], of: run.key) }
            tags = try store.see { try $0.attributes(of: run.key) }.tags
            #expect(tags.keys == ["production"])
        }
    }

    @Test("names stand in the order in which they were first seen", arguments: StoreUnderTest.available)
    func order(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            _ = try store.newRun(
                params: ["algorithm", "learning_rate", "lambda", "n_iter"].map { ($0, ParamValue(text: "1")) })
            let second = try store.newRun(params: ["n_iter", "algorithm"].map { ($0, ParamValue(text: "1")) })
            #expect(try store.see { try $0.attributes(of: second.key) }.params.keys == ["algorithm", "n_iter"])
        }
    }

    @Test("limits name the number and the setting", arguments: StoreUnderTest.available)
    func limits(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            var limits = Limits()
            limits.params = 2
            limits.metricNames = 1
            let tight = limits
            let params = ["a", "b", "c"].map { (key: $0, value: ParamValue(text: "1")) }
            let error = #expect(throws: Refusal.self) {
                try store.change(limits: tight) { try $0.logParams(params, to: run.key) }
            }
            #expect(error?.code == .limit)
            #expect(error?.message.contains("2") == true && error?.remedy.contains("--limit-params") == true)
            try store.log(run, "loss", [(0, 1)])
            let batch = store.prepare(
                PointBatch(entries: [.init(name: "acc", points: SeriesPoints([Point(step: 0, time: 0, value: 1)]))]))
            #expect(throws: Refusal.self) {
                try store.change(limits: tight) { try $0.logPoints(batch, to: run.key) }
            }
        }
    }

    @Test("notes are kept with every earlier text", arguments: StoreUnderTest.available)
    func notes(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            try store.change { _ = try $0.addNote("first", to: .run(run.key), who: "ada") }
            try store.change { _ = try $0.addNote("second", to: .run(run.key), who: "ada") }
            try store.change { _ = try $0.editNote(1, of: .run(run.key), text: "first, mended", who: "grace") }
            let items = try store.see { try $0.items(of: .run(run.key), kind: "note", key: nil) }
            #expect(items.map(\.key) == ["1", "2", "1"])
            #expect(items.map(\.who) == ["ada", "ada", "grace"])
            #expect(items[2].data == #"{"text":"first, mended"}"#)
        }
    }

    @Test(
        "of many runs those with items of some kinds are told, purged ones no more",
        arguments: StoreUnderTest.available)
    func holders(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let runs = try (0..<6).map { _ in try store.newRun().key }
            func holders(_ kinds: String..., among asked: [RunKey]) throws -> [RunKey] {
                try store.see { try $0.runs(among: asked, withItems: kinds) }.sorted { $0.raw < $1.raw }
            }
            #expect(try holders("note", "dataset", among: runs) == [])
            for run in [runs[1], runs[4]] {
                try store.change { _ = try $0.addNote("seen", to: .run(run), who: "ada") }
            }
            try store.change { _ = try $0.addNote("of no run", to: .experiment(.standard), who: "ada") }
            try store.change { try $0.logOutputs([.init(model: "m-1", step: 3)], to: runs[2], who: "ada") }
            #expect(try holders("note", among: runs.reversed()) == [runs[1], runs[4]])
            #expect(try holders("note", "model-output", among: runs) == [runs[1], runs[2], runs[4]])
            #expect(try holders("model-output", "dataset", among: runs) == [runs[2]])
            #expect(try holders("note", among: [runs[0], runs[4]]) == [runs[4]])
            #expect(try holders("note", among: []) == [])
            try store.change { try $0.purgeRun(runs[4]) }
            #expect(try holders("note", among: runs) == [runs[1]])
        }
    }

    @Test("an unknown status is kept as it was said", arguments: StoreUnderTest.available)
    func status(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            let ended = try store.change { try $0.endRun(run.key, status: Status(word: "overfit")) }
            #expect(ended.status.state == .finished && ended.status.word == "overfit")
            #expect(ended.status.verdict == .bad)
            #expect(ended.end == noon)
            #expect(try store.see { try $0.run(run.key) } == ended)
            let states = try store.see { try $0.items(of: .run(run.key), kind: "state", key: nil) }
            #expect(states.map(\.key) == ["running", "finished"])
        }
    }
}

@Suite("Every store keeps a run's times in order") struct TimesContract {
    @Test("a clock that was set back does not end a run before it began", arguments: StoreUnderTest.available)
    func clockSetBack(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            let earlier = noon.adding(seconds: -365 * 86_400)
            let ended = try store.change(at: earlier) { try $0.endRun(run.key, status: nil) }
            #expect(ended.end == run.start)
        }
    }
}

@Suite("Every store knows what holds some bytes") struct HoldingContract {
    @Test("artifacts that are not deleted, of runs that are there, oldest first", arguments: StoreUnderTest.available)
    func holding(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let (first, second) = (try store.newRun(), try store.newRun())
            let digest = try #require(Digest(String(repeating: "ab", count: 32)))
            let other = try #require(Digest(String(repeating: "cd", count: 32)))
            for (run, path, bytes) in [
                (first, "a", digest), (second, "b", digest), (first, "c", other), (first, "d", digest),
            ] {
                try store.alter { tx in
                    try tx.put(Blob(digest: bytes, size: 1, seen: noon))
                    _ = try tx.insert(
                        Artifact(id: 0, run: run.key, path: path, digest: bytes, type: "file", size: 1, at: noon))
                }
            }
            func paths(_ limit: Int = 10) throws -> [String] {
                try store.see { try $0.artifacts(holding: digest, limit: limit) }.map(\.path)
            }
            #expect(try paths() == ["a", "b", "d"] && paths(2) == ["a", "b"])
            try store.change { _ = try $0.deleteArtifacts(of: first.key, path: "a") }
            #expect(try paths() == ["b", "d"])
            try store.change { try $0.purgeRun(second.key) }
            #expect(try paths() == ["d"])
        }
    }
}
