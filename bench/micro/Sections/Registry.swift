import MartletDomain
import MartletEngine
import MartletObservability
import MartletStorage

/// The registry at a size that nobody should have to think of: 10,000 versions of 100 models, 100,000 logged models.
enum Registry {
    static func run(_ settings: Settings, _ report: inout Report) throws {
        let (versions, logged) = (max(1000, settings.runs / 10), settings.runs)
        try withFolder(settings, "registry") { folder in
            let store = try OpenStore(folder)
            defer { store.store.close() }
            let now = Timestamp(micros: Material.start)
            let filled = try timed {
                for start in stride(from: 0, to: versions, by: 1000) {
                    try store.store.write { (tx) throws(StorageError) in
                        try fillVersions(start..<start + 1000, Ledger(tx, now: now))
                    }
                }
                for start in stride(from: 0, to: logged, by: 1000) {
                    try store.store.write { (tx) throws(StorageError) in
                        try fillLogged(start..<start + 1000, Ledger(tx, now: now))
                    }
                }
            }.seconds
            let caller = Caller.local(via: "bench")
            let engine = Engine(store: store.store, log: .silent)
            var (request, measured) = (RegistryRequest(), RegistryRequest())
            request.filter = "tags.n >= \(versions / 2) AND stage = 'None'"
            measured.filter = "metrics.acc >= \(logged / 2) AND params.p1 != 'x'"
            measured.orderBy = ["metrics.acc DESC"]
            func search() throws -> (versions: Double, logged: Double) {
                (
                    try timed { _ = try engine.searchModelVersions(request, by: caller) }.seconds * 1000,
                    try timed { _ = try engine.searchLoggedModels(measured, in: ["Default"], by: caller) }.seconds
                        * 1000
                )
            }
            let cold = try search()
            let warm = try (0..<settings.rounds).map { _ in try search() }
            // A change between two searches: what is followed is that one card.
            let followed = try (0..<settings.rounds).map { round in
                try store.store.write { (tx) throws(StorageError) in
                    _ = try Ledger(tx, now: now).updateModelVersion(
                        1, of: "model 0", in: .standard, ModelUpdate(description: "\(round)"))
                }
                return try search()
            }
            let note = "\(versions) versions, \(logged) logged models; filled in \(short(filled)) s"
            report.add("registry.versions_cold_ms", [cold.versions], note: note)
            report.add("registry.versions_ms", warm.map(\.versions))
            report.add("registry.versions_after_change_ms", followed.map(\.versions))
            report.add("registry.logged_cold_ms", [cold.logged])
            report.add("registry.logged_ms", warm.map(\.logged))
            report.add("registry.logged_after_change_ms", followed.map(\.logged))
        }
    }

    private static func fillVersions(_ numbers: Range<Int>, _ ledger: Ledger) throws(StorageError) {
        for number in numbers {
            let name = "model \(number / 100)"
            if number % 100 == 0 { _ = try ledger.createModel(name, in: .standard) }
            var draft = ModelVersionDraft(source: "s3://models/\(number)")
            draft.description = "What was changed in this version, in a sentence."
            draft.tags = Pairs([("n", .some("\(number)")), ("team", .some("vision"))])
            _ = try ledger.createModelVersion(of: name, in: .standard, draft)
        }
    }

    private static func fillLogged(_ numbers: Range<Int>, _ ledger: Ledger) throws(StorageError) {
        for number in numbers {
            var draft = LoggedModelDraft(experiment: .standard)
            draft.name = "forest"
            draft.type = "sklearn"
            draft.params = Pairs((0..<10).map { ("p\($0)", ParamValue(text: "\(number % 97)", kind: .number)) })
            draft.tags = Pairs([("team", .some("vision"))])
            let model = try ledger.createLoggedModel(draft)
            let metric = ModelMetric(key: "acc", value: Double(number), time: ledger.now, dataset: "test")
            _ = try ledger.logLoggedModelMetrics([metric], of: model.id)
        }
    }
}
