import MartletDomain
import MartletSeries
import MartletStorage
import Testing

@Suite("Every store takes what another tracker kept") struct ImportContract {
    private func experiment(_ id: Int64, _ name: String, at time: Timestamp = noon) -> Experiment {
        Experiment(id: ExperimentID(id), project: .standard, name: name, created: time, updated: time)
    }

    @Test(
        "an experiment keeps its id and its time, and the next one gets the next small number",
        arguments: StoreUnderTest.available)
    func keepsID(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let large = try store.change { try $0.importExperiment(experiment(842_837_460_923_847_123, "far")) }
            #expect(large.created && large.experiment.id.raw == 842_837_460_923_847_123)
            #expect(large.experiment.created == noon)
            let small = try store.change { try $0.importExperiment(experiment(7, "near")) }
            #expect(small.experiment.id.raw == 7)
            let own = try store.change { try $0.createExperiment(.init(name: "own")) }
            #expect(own.experiment.id.raw == 8)
        }
    }

    @Test("brought again it is the same, by its id or by its name", arguments: StoreUnderTest.available)
    func sameAgain(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let first = try store.change { try $0.importExperiment(experiment(7, "near")) }.experiment
            let again = try store.change { try $0.importExperiment(experiment(7, "near")) }
            #expect(!again.created && again.experiment == first)
            let renamed = try store.change { try $0.importExperiment(experiment(7, "nearer")) }.experiment
            #expect(renamed.id == first.id && renamed.name == "nearer")
            let taken = try store.change { try $0.importExperiment(experiment(7, "another", at: Timestamp(micros: 5))) }
            #expect(taken.created && taken.experiment.id != first.id)
            let named = try store.change { try $0.importExperiment(experiment(3, "another", at: Timestamp(micros: 5))) }
            #expect(!named.created && named.experiment.id == taken.experiment.id)
        }
    }

    @Test("points come once, however often they are brought", arguments: StoreUnderTest.available)
    func pointsOnce(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            var points = SeriesPoints()
            for step in 0..<500 { points.append(Point(step: Int64(step), time: 1_000_000, value: Double(step) / 3)) }
            points.append(Point(step: -4, time: 1, value: .nan))
            points.append(Point(step: 7, time: 1_000_000, value: 7 / 3))
            let brought = points
            let half = SeriesPoints(
                steps: Array(points.steps[..<250]), times: Array(points.times[..<250]),
                values: Array(points.values[..<250]))
            #expect(try store.change { try $0.importPoints("loss", half, to: run.key) } == 250)
            #expect(try store.change { try $0.importPoints("loss", brought, to: run.key) } == 251)
            #expect(try store.change { try $0.importPoints("loss", brought, to: run.key) } == 0)
            #expect(try store.see { try $0.points(run.key, "loss", .plain, in: .all) }.count == 501)
            #expect(try store.see { try $0.series(of: run.key, named: ["loss"]) }.first?.count == 501)
        }
    }

    @Test("a run ends as it ended there, and none of its points is late", arguments: StoreUnderTest.available)
    func ends(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let id = RunID.make()
            let home = try store.change { try $0.createExperiment(.init(name: "risk")) }.experiment.id
            let end = Timestamp(micros: noon.micros + 60_000_000)
            var draft = RunDraft(experiment: home)
            (draft.id, draft.name, draft.start) = (id, "first", noon)
            draft.attributes.params["lr"] = ParamValue(text: "0.1")
            let given = draft
            var points = SeriesPoints()
            points.append(Point(step: 1, time: noon.micros, value: 1))
            let brought = points
            for isFirst in [true, false] {
                let run = try store.change { try $0.importRun(given) }
                #expect(run.created == isFirst)
                _ = try store.change { try $0.importPoints("loss", brought, to: run.run.key) }
                let ended = try store.change {
                    try $0.endImport(
                        of: run.run.key, status: Status(word: "FAILED"), end: end, isDeleted: false, note: "{}")
                }
                #expect(ended.status.state == .failed && ended.end == end && ended.start == noon)
                #expect(try store.see { try $0.items(of: .run(ended.key), kind: "late", key: nil) }.isEmpty)
                #expect(try store.see { try $0.items(of: .run(ended.key), kind: "state", key: "failed") }.count == 1)
            }
        }
    }

    @Test("a version keeps its number, and another one under it is refused", arguments: StoreUnderTest.available)
    func versions(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let model = RegisteredModel(project: .standard, name: "reg", created: noon, updated: noon)
            var version = ModelVersion(
                model: 0, project: .standard, number: 3, source: "runs:/x/m", created: noon, updated: noon)
            version.stage = .staging
            let third = version
            for isFirst in [true, false] {
                try store.change { _ = try $0.importModel(model) }
                let made = try store.change { try $0.importVersion(third, of: "reg", aliases: ["best"]) }
                #expect(made.created == isFirst && made.version.number == 3 && made.version.created == noon)
            }
            let known = try store.see { try $0.model(named: "reg", in: .standard) }
            #expect(known?.aliases["best"] == 3 && known?.created == noon)
            let next = try store.change {
                try $0.createModelVersion(of: "reg", in: .standard, ModelVersionDraft(source: "runs:/x/n"))
            }
            #expect(next.version.number == 4)
            version.created = Timestamp(micros: 1_000)
            let other = version
            let refused = #expect(throws: Refusal.self) {
                _ = try store.change { try $0.importVersion(other, of: "reg", aliases: []) }
            }
            #expect(refused?.code == .conflict)
            version.tags[String(repeating: "k", count: 5000)] = .some("v")
            version.number = 9
            let large = version
            let limited = #expect(throws: Refusal.self) {
                _ = try store.change { try $0.importVersion(large, of: "reg", aliases: []) }
            }
            #expect(limited != nil && limited?.code != .conflict)
        }
    }
}
