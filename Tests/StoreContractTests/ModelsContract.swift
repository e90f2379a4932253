import MartletDomain
import MartletStorage
import Testing

private func code(_ body: () throws -> Void) -> Refusal.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? Refusal)?.code
    }
}

extension Store {
    @discardableResult
    fileprivate func register(_ name: String, source: String = "s3://bucket/model", at now: Timestamp = noon) throws
        -> ModelVersion
    {
        try change(at: now) { ledger in
            if try ledger.tx.model(named: name, in: .standard) == nil {
                _ = try ledger.createModel(name, in: .standard)
            }
            return try ledger.createModelVersion(of: name, in: .standard, ModelVersionDraft(source: source)).version
        }
    }

    fileprivate func model(_ name: String) throws -> RegisteredModel? {
        try see { try $0.model(named: name, in: .standard) }
    }

    fileprivate func versions(_ name: String) throws -> [ModelVersion] {
        try see { reader throws in
            guard let model = try reader.model(named: name, in: .standard) else { return [] }
            return try reader.modelVersions(of: model)
        }
    }
}

@Suite("Every store keeps a registry of models") struct ModelsContract {
    @Test("all that is said of a model and a version is kept", arguments: StoreUnderTest.available)
    func kept(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let tags = Pairs<TagValue>([("team", .some("vision")), ("bare", nil), ("empty", .some(""))])
            let (model, version) = try store.change { ledger in
                _ = try ledger.createModel("churn 🐦", in: .standard, description: "Who leaves.", tags: tags)
                var draft = ModelVersionDraft(source: "runs:/0123/models/best.pt")
                draft.run = "0123"
                draft.runLink = "https://elsewhere/0123"
                draft.loggedModel = "m-1"
                draft.description = "First."
                draft.user = "ada"
                draft.state = .pending
                draft.stateMessage = "copying"
                draft.tags = tags
                draft.metadata = #"{"accuracy":0.91}"#
                draft.aliases = ["champion"]
                return try ledger.createModelVersion(of: "churn 🐦", in: .standard, draft)
            }
            #expect(try store.model("churn 🐦") == model)
            #expect(
                model.description == "Who leaves." && model.tags == tags && model.aliases == Pairs([("champion", 1)]))
            #expect(try store.versions("churn 🐦") == [version])
            #expect(version.run == "0123" && version.runLink == "https://elsewhere/0123" && version.user == "ada")
            #expect(version.loggedModel == "m-1" && version.description == "First." && version.tags == tags)
            #expect(version.state == .pending && version.stateMessage == "copying")
            #expect(version.metadata == #"{"accuracy":0.91}"#)
            #expect(version.artifact?.run == "0123" && version.artifact?.path == "models/best.pt")
            let ready = try store.change {
                try $0.setModelVersionState(.ready, of: 1, of: "churn 🐦", in: .standard)
            }
            #expect(ready.state == .ready && ready.stateMessage == "")
        }
    }

    @Test("a name is taken once in a project, and free again after a deletion", arguments: StoreUnderTest.available)
    func names(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            try store.register("churn")
            #expect(code { _ = try store.change { try $0.createModel("churn", in: .standard) } } == .conflict)
            let other = try store.change { try $0.createProject(.init(title: "Birds")) }.project
            _ = try store.change { try $0.createModel("churn", in: other.id) }
            try store.change { try $0.deleteModel("churn", in: .standard) }
            #expect(try store.model("churn") == nil)
            #expect(
                try store.see { try $0.cards(ModelVersion.kind, in: nil, owner: nil, after: nil, limit: 9) }.isEmpty)
            #expect(try store.register("churn").number == 1)
            #expect(code { try store.change { try $0.deleteModel("absent", in: .standard) } } == .notFound)
        }
    }

    @Test(
        "a name that could be something else is refused, and so is an alias",
        arguments: StoreUnderTest.available.prefix(1))
    func words(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            try store.register("churn")
            for name in ["", "  ", "a/b", "a:b", ".", "..", "..x", "a\u{7}"] {
                let error = #expect(throws: Refusal.self) {
                    _ = try store.change { try $0.createModel(name, in: .standard) }
                }
                #expect(error?.code == .invalid && error?.field == "name", "“\(name)”")
                #expect(
                    code { _ = try store.change { try $0.renameModel("churn", in: .standard, to: name) } } == .invalid)
            }
            for name in [".hidden", "a.b", "größe", "a b"] {
                _ = try store.change { try $0.createModel(name, in: .standard) }
            }
            for alias in [
                "", "latest", "LATEST", "v1", "V27", "a b", "a.b", "a/b", "a@b", String(repeating: "a", count: 256),
            ] {
                let error = #expect(throws: Refusal.self) {
                    _ = try store.change { try $0.setModelAlias(alias, of: "churn", in: .standard, version: 1) }
                }
                #expect(error?.field == "alias", "“\(alias)”")
            }
            for alias in ["champion", "v", "v1x", "größte_2-a", String(repeating: "a", count: 255)] {
                _ = try store.change { try $0.setModelAlias(alias, of: "churn", in: .standard, version: 1) }
            }
            for source in [
                "", "s3://a/../b", "s3://a/%2e%2e/b", "s3://a/%252e%252e%252fb", "file:///a\u{0}", "a\\..\\b",
            ] {
                #expect(code { try store.register("churn", source: source) } == .invalid, "“\(source)”")
            }
            for source in ["s3://a//b", "models/best..pt", "s3://a/100%", "s3://a/%zz"] {
                try store.register("churn", source: source)
            }
        }
    }

    @Test("versions count from 1 and none is given twice while the model lives", arguments: StoreUnderTest.available)
    func numbers(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            #expect(try (1...3).map { _ in try store.register("churn").number } == [1, 2, 3])
            _ = try store.change { try $0.deleteModelVersion(3, of: "churn", in: .standard) }
            #expect(try store.register("churn").number == 4)
            #expect(try store.versions("churn").map(\.number) == [1, 2, 4])
            #expect(
                code { _ = try store.change { try $0.deleteModelVersion(3, of: "churn", in: .standard) } } == .notFound)
            #expect(
                code { try store.change { _ = try $0.createModelVersion(of: "x", in: .standard, .init(source: "a")) } }
                    == .notFound)
        }
    }

    @Test("a rename carries versions, aliases and tags along", arguments: StoreUnderTest.available)
    func renamed(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            try store.register("churn")
            try store.register("taken")
            _ = try store.change { try $0.setModelAlias("champion", of: "churn", in: .standard, version: 1) }
            _ = try store.change {
                try $0.updateModel("churn", in: .standard, ModelUpdate(tags: [("team", .some("vision"))]))
            }
            #expect(
                code { _ = try store.change { try $0.renameModel("churn", in: .standard, to: "taken") } } == .conflict)
            let later = noon.adding(seconds: 60)
            _ = try store.change(at: later) { try $0.renameModel("churn", in: .standard, to: "leavers") }
            let model = try #require(try store.model("leavers"))
            #expect(try store.model("churn") == nil)
            #expect(model.aliases["champion"] == 1 && model.tags["team"] == .some("vision") && model.updated == later)
            #expect(try store.versions("leavers").map(\.number) == [1])
            #expect(try store.register("leavers").number == 2)
        }
    }

    @Test("an alias stands for one version, moves, and goes with its version", arguments: StoreUnderTest.available)
    func aliases(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            try store.register("churn")
            try store.register("churn")
            func set(_ version: Int?) throws {
                _ = try store.change { try $0.setModelAlias("champion", of: "churn", in: .standard, version: version) }
            }
            try set(1)
            try set(2)
            #expect(try store.model("churn")?.aliases == Pairs([("champion", 2)]))
            #expect(code { try set(9) } == .notFound)
            _ = try store.change { try $0.setModelAlias("other", of: "churn", in: .standard, version: 1) }
            _ = try store.change { try $0.deleteModelVersion(2, of: "churn", in: .standard) }
            #expect(try store.model("churn")?.aliases == Pairs([("other", 1)]))
            try set(nil)
            _ = try store.change { try $0.setModelAlias("other", of: "churn", in: .standard, version: nil) }
            #expect(try store.model("churn")?.aliases.isEmpty == true)
        }
    }

    @Test(
        "a move to a stage archives those that were there when it is asked to, and only where versions are in use",
        arguments: StoreUnderTest.available)
    func stages(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            for _ in 0..<3 { try store.register("churn") }
            func move(_ version: Int, _ stage: ModelStage, archiving: Bool = false) throws {
                _ = try store.change {
                    try $0.transition(version, of: "churn", in: .standard, to: stage, archiving: archiving)
                }
            }
            try move(1, .production)
            try move(2, .production)
            try move(3, .production, archiving: true)
            #expect(try store.versions("churn").map(\.stage) == [.archived, .archived, .production])
            try move(3, .production, archiving: true)
            #expect(try store.versions("churn").map(\.stage) == [.archived, .archived, .production])
            #expect(code { try move(2, .none, archiving: true) } == .invalid)
            #expect(code { try move(2, .archived, archiving: true) } == .invalid)
            try move(1, .staging)
            let latest = try store.see { reader throws in
                try reader.latestVersions(of: try #require(try reader.model(named: "churn", in: .standard)))
            }
            #expect(latest.map(\.number) == [1, 3, 2])
            #expect(ModelStage(word: "pRoDuction") == .production && ModelStage(word: "Bogus") == nil)
        }
    }

    @Test(
        "each change of a version is a change of its model, but for what is said of it",
        arguments: StoreUnderTest.available)
    func updated(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            try store.register("churn")
            var now = noon
            let changes: [@Sendable (Ledger) throws -> Void] = [
                { _ = try $0.createModelVersion(of: "churn", in: .standard, .init(source: "a")) },
                { _ = try $0.updateModelVersion(1, of: "churn", in: .standard, .init(tags: [("a", .some("b"))])) },
                { _ = try $0.updateModelVersion(1, of: "churn", in: .standard, .init(removingTags: ["a"])) },
                { _ = try $0.transition(1, of: "churn", in: .standard, to: .staging) },
                { _ = try $0.setModelAlias("champion", of: "churn", in: .standard, version: 1) },
                { _ = try $0.deleteModelVersion(2, of: "churn", in: .standard) },
            ]
            for change in changes {
                now = now.adding(seconds: 1)
                try store.change(at: now, change)
                #expect(try store.model("churn")?.updated == now)
            }
            // A description is the version's own. The same again is no change, and a clock that was set back does not take the model back.
            try store.change(at: now.adding(seconds: 9)) {
                _ = try $0.updateModelVersion(1, of: "churn", in: .standard, .init(description: "new"))
            }
            #expect(try store.model("churn")?.updated == now)
            try store.change(at: noon) { _ = try $0.updateModel("churn", in: .standard, .init(description: "x")) }
            #expect(try store.model("churn")?.updated == now)
        }
    }

    @Test("nothing is registered in a deleted project", arguments: StoreUnderTest.available.prefix(1))
    func deletedProject(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let project = try store.change { try $0.createProject(.init(title: "Birds")) }.project
            try store.change {
                _ = try $0.createModel("churn", in: project.id)
                try $0.deleteProject(project.id)
            }
            #expect(code { _ = try store.change { try $0.createModel("other", in: project.id) } } == .conflict)
            #expect(
                code {
                    _ = try store.change { try $0.createModelVersion(of: "churn", in: project.id, .init(source: "a")) }
                } == .conflict)
        }
    }
}

@Suite("Every store keeps logged models") struct LoggedModelsContract {
    private func log(_ store: any Store, _ name: String? = "forest") throws -> LoggedModel {
        try store.change { ledger in
            var draft = LoggedModelDraft(experiment: .standard)
            draft.name = name
            draft.type = "sklearn"
            draft.sourceRun = "0123"
            draft.params = Pairs([("depth", ParamValue(text: "6", kind: .number)), ("a", ParamValue(text: "[1]"))])
            draft.tags = Pairs([("team", .some("vision")), ("bare", nil)])
            return try ledger.createLoggedModel(draft)
        }
    }

    @Test("all that is said of it is kept, and it is found by its id", arguments: StoreUnderTest.available)
    func kept(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let model = try log(store)
            #expect(LoggedModel.isID(model.id) && model.state == .pending && model.experiment == .standard)
            #expect(try store.see { try $0.loggedModel(model.id) } == model)
            let nameless = try log(store, nil)
            #expect(nameless.name == nameless.id)
            let ready = try store.change { try $0.setLoggedModelState(.failed, message: "disk", of: model.id) }
            #expect(ready.state == .failed && ready.stateMessage == "disk")
            #expect(try store.see { try $0.loggedModel(model.id) } == ready)
            _ = try store.change { try $0.logLoggedModelParams([("b", ParamValue(text: ""))], of: model.id) }
            let refused = code {
                _ = try store.change { try $0.logLoggedModelParams([("depth", ParamValue(text: "7"))], of: model.id) }
            }
            #expect(refused == .conflict)
            _ = try store.change {
                try $0.updateLoggedModel(model.id, .init(tags: [("x", .some("y"))], removingTags: ["team"]))
            }
            let now = try #require(try store.see { try $0.loggedModel(model.id) })
            #expect(now.params.keys == ["depth", "a", "b"] && now.params["depth"]?.kind == .number)
            #expect(now.tags == Pairs([("bare", nil), ("x", .some("y"))]))
            for name in ["", "a/b", "a:b", "a.b", "50%", "a\"b", "it's"] {
                #expect(code { _ = try log(store, name) } == .invalid, "“\(name)”")
            }
        }
    }

    @Test("a deleted one is out of sight of changes, and its id stays taken", arguments: StoreUnderTest.available)
    func deleted(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let model = try log(store)
            try store.change { try $0.deleteLoggedModel(model.id) }
            #expect(try store.see { try $0.loggedModel(model.id) }?.life == .deleted)
            #expect(code { _ = try store.change { try $0.setLoggedModelState(.ready, of: model.id) } } == .notFound)
            #expect(code { try store.change { try $0.deleteLoggedModel(model.id) } } == .notFound)
            let again = code {
                _ = try store.change { ledger in
                    var draft = LoggedModelDraft(experiment: .standard)
                    draft.id = model.id
                    return try ledger.createLoggedModel(draft)
                }
            }
            #expect(again == .conflict)
        }
    }

    @Test(
        "its numbers are kept as they were, duplicates once, the latest of each metric and dataset beside it",
        arguments: StoreUnderTest.available)
    func metrics(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let model = try log(store)
            func metric(_ value: Double, step: Int64 = 0, on dataset: String = "") -> ModelMetric {
                ModelMetric(
                    key: "acc", value: value, step: step, time: noon, run: "0123", dataset: dataset,
                    datasetDigest: dataset.isEmpty ? "" : "d1")
            }
            let ends: [Double] = [.leastNonzeroMagnitude, .greatestFiniteMagnitude]
            let odd: [Double] = [.nan, .infinity, -.infinity, -0.0, 0.1] + ends
            let first = odd.enumerated().map { metric($1, step: Int64($0)) }
            _ = try store.change { try $0.logLoggedModelMetrics(first, of: model.id) }
            let second = [metric(0.1, step: 4), metric(0.5, step: 1, on: "test"), metric(0.4, step: 0, on: "test")]
            _ = try store.change { try $0.logLoggedModelMetrics(second + second, of: model.id) }
            let now = try #require(try store.see { try $0.loggedModel(model.id) })
            #expect(now.metrics == [first[6], second[1]])
            #expect(try store.see { try $0.metrics(of: now) } == first + second.dropFirst())
        }
    }
}
