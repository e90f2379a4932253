import Foundation
import MartletDomain
import MartletEngine
import MartletObservability
import MartletSearch
import MartletStorage
import MartletStorageSQLite
import Testing

@Suite("The registry is searched in memory, whoever writes") struct ModelSearchTests {
    private let caller = Caller.local(via: "test")

    private func names(_ engine: Engine, _ filter: String = "") throws -> [String] {
        var request = RegistryRequest()
        request.filter = filter
        return try engine.searchModelVersions(request, by: caller).documents.map {
            "\($0.model.name) \($0.version.number)"
        }
    }

    @Test("what another process wrote or removed is seen by the next search")
    func twoProcesses() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-models-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let stores = try (0..<2).map { _ in try SQLiteStore.open(folder: folder) }
        defer { for store in stores { store.close() } }
        let engines = stores.map { Engine(store: $0, log: .silent) }
        func change(_ place: Int, _ body: @escaping @Sendable (Ledger) throws(Refusal) -> Void) throws {
            try engines[place].changeAndWait(caller, .live, bytes: 512, body)
        }
        try change(0) { ledger throws(Refusal) in
            _ = try ledger.createModel("churn", in: .standard)
            for _ in 0..<3 { _ = try ledger.createModelVersion(of: "churn", in: .standard, .init(source: "s3://a")) }
        }
        #expect(try names(engines[1]) == ["churn 3", "churn 2", "churn 1"])
        try change(0) { ledger throws(Refusal) in
            _ = try ledger.transition(1, of: "churn", in: .standard, to: .production)
        }
        #expect(try names(engines[1], "stage = 'production'") == ["churn 1"])
        try change(0) { ledger throws(Refusal) in _ = try ledger.deleteModelVersion(2, of: "churn", in: .standard) }
        #expect(try names(engines[1]) == ["churn 3", "churn 1"])
        try change(0) { ledger throws(Refusal) in
            _ = try ledger.deleteModelVersion(3, of: "churn", in: .standard)
            _ = try ledger.createModelVersion(of: "churn", in: .standard, .init(source: "s3://b"))
            _ = try ledger.renameModel("churn", in: .standard, to: "leavers")
        }
        #expect(try names(engines[1]) == ["leavers 4", "leavers 1"])
        #expect(try names(engines[1], "source = 's3://b' OR name = 'churn'") == ["leavers 4"])
        try change(0) { ledger throws(Refusal) in try ledger.deleteModel("leavers", in: .standard) }
        #expect(try names(engines[1]).isEmpty)
    }

    @Test("every attribute of a document can be asked for, and nothing that runs alone have")
    func attributes() throws {
        for words in [ModelDocument.words, ModelVersionDocument.words, LoggedModelDocument.words] {
            for name in words.names {
                #expect(throws: Never.self) { _ = try Query.parse("\(name) EXISTS ORDER BY \(name)", of: words) }
            }
            for name in ["duration", "experiment.name", "dataset.name", "metrics.a.b.c"]
            where !(name.hasPrefix("metrics") && words.noun == "logged model") {
                #expect(throws: SearchError.self, "\(name) of a \(words.noun)") {
                    _ = try Query.parse("\(name) EXISTS", of: words)
                }
            }
        }
        // What a dialect builds by itself means the same.
        let stage = try #require(ModelVersionDocument.words.field("stage"))
        let parsed = try Query.parse("current_stage = 'Staging'", of: ModelVersionDocument.words)
        #expect(parsed.filter.leaves.map(\.field) == [stage])
        #expect("\(parsed.filter)" == "stage = 'Staging'")
    }

    @Test("numbers on datasets that were not asked for do not count")
    func datasets() throws {
        let stage = Stage()
        let model = try stage.engine.changeAndWait(caller) { ledger throws(Refusal) in
            let model = try ledger.createLoggedModel(LoggedModelDraft(experiment: .standard))
            return try ledger.logLoggedModelMetrics(
                [
                    ModelMetric(key: "acc", value: 0.9, time: ledger.now, dataset: "train", datasetDigest: "1"),
                    ModelMetric(key: "acc", value: 0.5, time: ledger.now, dataset: "test", datasetDigest: "2"),
                ], of: model.id)
        }
        func found(_ datasets: [(name: String, digest: String?)], _ filter: String = "metrics.acc > 0.8") throws -> Int
        {
            var request = RegistryRequest()
            request.filter = filter
            return try stage.engine.searchLoggedModels(request, datasets: datasets, by: caller).total
        }
        #expect(model.metrics.count == 2)
        #expect(try found([]) == 1)
        #expect(try found([("train", nil)]) == 1)
        #expect(try found([("train", "9")]) == 0)
        #expect(try found([("test", "2")]) == 0)
        #expect(try found([("test", nil)], "") == 1)
        #expect(try found([("other", nil)], "") == 0)
    }

    /// Larger with MARTLET_TEST_FULL; the figures of the sizes that are promised come from the benchmarks.
    @Test("a large registry is searched at once")
    func large() throws {
        let isFull = ProcessInfo.processInfo.environment["MARTLET_TEST_FULL"] == "1"
        let (versions, logged) = isFull ? (5000, 10_000) : (1000, 2000)
        let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-models-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try SQLiteStore.open(folder: folder)
        defer { store.close() }
        let engine = Engine(store: store, log: .silent)
        try engine.changeAndWait(caller) { ledger throws(Refusal) in
            for number in 0..<versions {
                let name = "model \(number / 100)"
                if number % 100 == 0 { _ = try ledger.createModel(name, in: .standard) }
                var draft = ModelVersionDraft(source: "s3://models/\(number)")
                draft.tags = Pairs([("n", .some("\(number)"))])
                _ = try ledger.createModelVersion(of: name, in: .standard, draft)
            }
            for number in 0..<logged {
                var draft = LoggedModelDraft(experiment: .standard)
                draft.params = Pairs((0..<5).map { ("p\($0)", ParamValue(text: "\(number)", kind: .number)) })
                let model = try ledger.createLoggedModel(draft)
                if number % 10 == 0 {
                    _ = try ledger.logLoggedModelMetrics(
                        [ModelMetric(key: "acc", value: Double(number), time: ledger.now)], of: model.id)
                }
            }
        }
        var request = RegistryRequest()
        request.filter = "tags.n >= \(versions / 2)"
        for _ in ["cold", "warm"] {
            #expect(try engine.searchModelVersions(request, by: caller).total == versions / 2)
        }
        request.filter = "metrics.acc >= \(logged / 2)"
        for _ in ["cold", "warm"] {
            #expect(try engine.searchLoggedModels(request, in: ["Default"], by: caller).total == logged / 20)
        }
    }
}
