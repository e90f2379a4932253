import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@testable import MartletAPINative

@Suite("Models are registered, found and moved") struct ModelTests {
    private func put(_ path: String, in run: Run, _ api: TestAPI) throws {
        let reply = try api.send(.put, "/api/v1/runs/\(run.id)/artifacts/\(path)", body: Array("weights".utf8))
        #expect(reply.status == 201)
    }

    @Test("a version is registered from a run's artifact, and the run shows it")
    func fromRun() throws {
        let api = try TestAPI()
        let run = try api.run(in: "digits")
        try put("models/best.pt", in: run, api)
        let made = try api.post(
            "/api/v1/models/churn/versions",
            ["run_id": .string(run.id.text), "path": "models/best.pt", "create_model": true, "aliases": ["champion"]])
        #expect(made.status == 201, "\(made.text)")
        #expect(made["source"] == .string("runs:/\(run.id)/models/best.pt"))
        #expect(made["run_id"] == .string(run.id.text) && made["artifact_path"] == "models/best.pt")
        #expect(made["version"] == 1 && made["stage"] == "None" && made["aliases"] == ["champion"])
        #expect(made["user"] == "local")
        let page = try api.get("/api/v1/runs/\(run.id)")
        #expect(page["model_versions"][0]?["name"] == "churn" && page["model_versions"][0]?["version"] == 1)
        let listed = try api.get("/api/v1/runs/\(run.id)/model-versions")
        #expect(listed["model_versions"] == page["model_versions"])
        let place = try api.get("/api/v1/models/churn/versions/champion/download-uri")
        #expect(place["download_path"] == .string("/api/v1/runs/\(run.id)/artifacts/models/best.pt"))
        #expect(try api.get(place["download_path"].string ?? "").text == "weights")
        // Once it is known where the run is, its one model is enough; the folder of a model is as good as a file.
        let second = try api.post("/api/v1/models/churn/versions", ["run_id": .string(run.id.text)])
        #expect(second["source"] == made["source"] && second["version"] == 2)
        let folder = try api.post(
            "/api/v1/models/churn/versions", ["run_id": .string(run.id.text), "path": "models"])
        #expect(folder["source"] == .string("runs:/\(run.id)/models"))
    }

    @Test("both guides' ways to register a model are understood")
    func guides() throws {
        let api = try TestAPI()
        let run = try api.run(in: "digits")
        let first = try api.post(
            "/api/v1/models/spam/versions",
            [
                "model_path": "models/spam.pkl", "create_model": true,
                "metadata": ["experiment_id": 1, "run_id": .string(run.id.text), "accuracy": 0.94],
            ])
        #expect(first["source"] == "models/spam.pkl" && first["run_id"] == .string(run.id.text))
        #expect(first["metadata"]["accuracy"] == 0.94)
        let second = try api.post(
            "/api/v1/models/spam/versions",
            [
                "run_id": .string(run.shortID), "artifacts": ["model.pkl"], "metrics": ["f1": 0.9],
                "parameters": ["depth": 6],
            ])
        #expect(second.status == 201, "\(second.text)")
        #expect(second["source"] == .string("runs:/\(run.id)") && second["metadata"]["parameters"]["depth"] == 6)
        let stranger = try api.post(
            "/api/v1/models/spam/versions", ["source": "s3://a", "metadata": ["run_id": "abc-123-def"]])
        #expect(stranger["run_id"] == .null && stranger["metadata"]["run_id"] == "abc-123-def")
    }

    @Test("what cannot be registered is refused with the field and what may have been meant")
    func refused() throws {
        let api = try TestAPI()
        let run = try api.run(in: "digits")
        for name in ["a.pt", "b.pt"] { try put(name, in: run, api) }
        let absent = try api.post("/api/v1/models/churn/versions", ["source": "s3://a"])
        #expect(absent.status == 404 && absent.error("remedy")?.contains("create_model") == true)
        try api.post("/api/v1/models", ["name": "churn"])
        #expect(try api.post("/api/v1/models", ["name": "churn"]).status == 409)
        let near = try api.get("/api/v1/models/chrun")
        #expect(near.status == 404 && near["error"]["candidates"] == ["churn"])
        for (body, status, field) in [
            (["source": "s3://a/../b"], 422, "source"), ([:], 422, "source"), (["path": "a.pt"], 422, "run_id"),
            (["run_id": .string(run.id.text)], 422, "path"),
            (["run_id": .string(run.id.text), "path": "c.pt"], 404, "path"),
            (["run_id": "0123456789abcdef0123456789abcdef"], 404, nil),
            (["source": "s3://a", "aliases": ["latest"]], 422, "alias"),
            (["source": "s3://a", "metadata": [1]], 422, "metadata"),
        ] as [(JSONValue, Int, String?)] {
            let reply = try api.post("/api/v1/models/churn/versions", body)
            #expect(reply.status == status && reply.error("field") == field, "\(reply.text)")
        }
        #expect(try api.get("/api/v1/models/churn")["version_count"] == 0)
        for name in ["a/b", "a:b", "", ".."] {
            #expect(try api.post("/api/v1/models", ["name": .string(name)]).status == 422, "“\(name)”")
        }
        #expect(try api.get("/api/v1/models/churn/versions/1").status == 404)
        let stage = try api.post("/api/v1/models", ["name": "x"])
        #expect(stage.status == 201)
        try api.post("/api/v1/models/x/versions", ["source": "s3://a"])
        let bogus = try api.post("/api/v1/models/x/versions/1/stage", ["stage": "Prodction"])
        #expect(bogus.status == 422 && bogus["error"]["candidates"] == ["Production"])
        let vain = try api.post(
            "/api/v1/models/x/versions/1/stage", ["stage": "None", "archive_existing_versions": true])
        #expect(vain.status == 422 && vain.error("field") == "archive_existing_versions")
    }

    @Test("a version is found by number, alias and latest, and aliases move and go")
    func references() throws {
        let api = try TestAPI()
        for _ in 1...3 { try api.post("/api/v1/models/churn/versions", ["source": "s3://a", "create_model": true]) }
        #expect(try api.put("/api/v1/models/churn/aliases/champion", ["version": 1]).status == 200)
        #expect(try api.put("/api/v1/models/churn/aliases/champion", ["version": "v2"])["aliases"] == ["champion": 2])
        for (word, version) in [("1", 1), ("v3", 3), ("latest", 3), ("LATEST", 3), ("champion", 2), ("@champion", 2)] {
            let found = try api.get("/api/v1/models/churn/versions/\(word)")
            #expect(found["version"] == .int(Int64(version)), "\(word)")
        }
        #expect(try api.get("/api/v1/models/churn/aliases/champion")["version"] == 2)
        #expect(try api.get("/api/v1/models/churn/versions/champoin")["error"]["candidates"] == ["champion"])
        #expect(try api.delete("/api/v1/models/churn/versions/3").status == 204)
        #expect(try api.get("/api/v1/models/churn/versions/latest")["version"] == 2)
        #expect(try api.delete("/api/v1/models/churn/aliases/champion")["aliases"] == [:])
        #expect(try api.delete("/api/v1/models/churn/aliases/champion").status == 404)
        #expect(try api.put("/api/v1/models/churn/aliases/v9", ["version": 1]).status == 422)
    }

    @Test("stages move, a rename carries everything along, and a deletion takes everything")
    func life() throws {
        let api = try TestAPI()
        for _ in 1...2 { try api.post("/api/v1/models/churn/versions", ["source": "s3://a", "create_model": true]) }
        try api.post("/api/v1/models/churn/versions/1/stage", ["stage": "production"])
        let moved = try api.post(
            "/api/v1/models/churn/versions/2/stage", ["stage": "Production", "archive_existing_versions": true])
        #expect(moved["stage"] == "Production")
        #expect(try api.get("/api/v1/models/churn/versions/1")["stage"] == "Archived")
        let shown = try api.patch("/api/v1/models/churn", ["name": "leavers", "tags": ["team": "crm"]])
        #expect(shown["name"] == "leavers" && shown["tags"] == ["team": "crm"] && shown["version_count"] == 2)
        #expect(shown["latest_versions"][0]?["version"] == 2 && shown["latest_versions"][1]?["version"] == 1)
        #expect(try api.get("/api/v1/models/churn").status == 404)
        let changed = try api.patch(
            "/api/v1/models/leavers/versions/2", ["description": "Checked", "tags": ["a": "b", "c": nil]])
        #expect(changed["description"] == "Checked" && changed["tag_list"] == ["a", "c"])
        let untagged = try api.patch("/api/v1/models/leavers/versions/2", ["remove_tags": ["a"]])
        #expect(untagged["tag_list"] == ["c"])
        #expect(try api.delete("/api/v1/models/leavers").status == 204)
        #expect(try api.get("/api/v1/models")["models"] == [])
        #expect(try api.get("/api/v1/model-versions")["model_versions"] == [])
    }

    @Test("a filter finds models, versions and logged models; pages are whole and say how many there are")
    func search() throws {
        let api = try TestAPI()
        for (place, name) in ["alpha", "beta", "gamma"].enumerated() {
            try api.post("/api/v1/models", ["name": .string(name), "tags": ["n": .int(Int64(place))]])
            for _ in 0...place { try api.post("/api/v1/models/\(name)/versions", ["source": .string("s3://\(name)")]) }
        }
        func names(_ query: String) throws -> [String] {
            (try api.get("/api/v1/models?" + query)["models"].array ?? []).compactMap { $0["name"]?.string }
        }
        #expect(try names("") == ["alpha", "beta", "gamma"])
        #expect(try names("order_by=name%20DESC&limit=2") == ["gamma", "beta"])
        #expect(try names("filter=tags.n%20%3E%200%20AND%20name%20LIKE%20'b%25'") == ["beta"])
        let wrong = try api.get("/api/v1/models?filter=nmae%20%3D%20'a'")
        #expect(wrong.status == 400 && wrong["error"]["candidates"] == ["name"], "\(wrong.text)")
        var seen: [String] = []
        var query = "/api/v1/model-versions?limit=2&order_by=version%20DESC"
        while true {
            let page = try api.get(query)
            #expect(page["total"] == 6)
            for version in page["model_versions"].array ?? [] {
                seen.append("\(version["name"]?.string ?? "") \(version["version"]?.int64 ?? 0)")
            }
            guard let token = page["next_page_token"].string else { break }
            query = "/api/v1/model-versions?limit=2&order_by=version%20DESC&page_token=\(token)"
        }
        #expect(seen == ["gamma 3", "beta 2", "gamma 2", "alpha 1", "beta 1", "gamma 1"])
        let one = try api.get("/api/v1/models/gamma/versions?filter=version%20%3C%203&limit=1")
        #expect(one["model_versions"][0]?["version"] == 2 && one["total"] == 2)
        #expect(try api.get("/api/v1/models?order_by=tags.n%20DESC&limit=1")["models"][0]?["name"] == "gamma")
        let other = try api.get("/api/v1/models?limit=1")["next_page_token"].string ?? ""
        #expect(try api.get("/api/v1/model-versions?page_token=\(other)").status == 422)
    }

    @Test("a model of a project is found by its name alone where that is unique, and seen by those who may")
    func projects() throws {
        let api = try TestAPI(.tokens)
        let admin = try api.user("admin", .admin)
        func post(_ target: String, _ body: JSONValue) throws -> Reply { try api.post(target, body, headers: admin) }
        _ = try post("/api/v1/projects", ["name": "birds"])
        _ = try post("/api/v1/projects", ["name": "fish"])
        _ = try post("/api/v1/models", ["name": "churn", "project": "birds"])
        #expect(try api.get("/api/v1/models/churn", headers: admin)["project"] == "birds")
        _ = try post("/api/v1/models?project=fish", ["name": "churn"])
        let twice = try api.get("/api/v1/models/churn", headers: admin)
        #expect(twice.status == 409 && twice["error"]["candidates"] == ["birds", "fish"])
        #expect(try api.get("/api/v1/models/churn?project=fish", headers: admin)["project"] == "fish")
        let birds = try #require(
            try api.engine.read { (reader: any StoreReader) throws(Refusal) in try reader.project(slug: "birds") })
        let birder = try api.user("birder", nil, grants: [birds.id: .read])
        #expect(try api.get("/api/v1/models/churn", headers: birder)["project"] == "birds")
        #expect(try api.get("/api/v1/models", headers: birder)["total"] == 1)
        #expect(try api.get("/api/v1/models?project=fish", headers: birder).status == 403)
        let refused = try api.post("/api/v1/models/churn/versions", ["source": "s3://a"], headers: birder)
        #expect(refused.status == 403)
    }

    @Test("logged models are listed by what was measured of them, with every number behind them")
    func logged() throws {
        let api = try TestAPI()
        let ids = try api.engine.changeAndWait(.local(via: "test")) { ledger throws(Refusal) in
            var ids: [String] = []
            for value in [0.5, 0.9, .nan] {
                var draft = LoggedModelDraft(experiment: .standard)
                draft.name = "forest"
                draft.type = "sklearn"
                draft.params = Pairs([("depth", ParamValue(text: "\(ids.count)", kind: .number))])
                let model = try ledger.createLoggedModel(draft)
                let metrics = [
                    ModelMetric(key: "acc", value: value, step: 2, time: ledger.now, dataset: "test"),
                    ModelMetric(key: "acc", value: 0.1, step: 1, time: ledger.now, dataset: "test"),
                ]
                ids.append(try ledger.logLoggedModelMetrics(metrics, of: model.id).id)
            }
            return ids
        }
        func found(_ query: String) throws -> [String] {
            (try api.get("/api/v1/logged-models?" + query)["logged_models"].array ?? []).compactMap {
                $0["id"]?.string
            }
        }
        #expect(try found("filter=metrics.acc%20%3E%200.4") == [ids[0], ids[1]].sorted())
        #expect(try found("order_by=metrics.acc%20DESC") == [ids[1], ids[0], ids[2]])
        #expect(try found("filter=params.depth%20%3D%202&experiment=Default") == [ids[2]])
        #expect(try api.get("/api/v1/logged-models?experiment=nothing").status == 404)
        let shown = try api.get("/api/v1/logged-models/\(ids[2])")
        #expect(shown["metrics"][0]?["value"] == "NaN" && shown["params"]["depth"] == 2)
        let all = try api.get("/api/v1/logged-models/\(ids[2])/metrics")
        #expect(all["metrics"].array?.count == 2)
        #expect(try api.get("/api/v1/logged-models/m-0").status == 404)
    }

    @Test("a lost answer to a registration can be asked for again, and followers hear of the model")
    func onceAndFeed() throws {
        let api = try TestAPI()
        try api.post("/api/v1/models", ["name": "churn"])
        let headers: Headers = ["Idempotency-Key": "k1"]
        let first = try api.post("/api/v1/models/churn/versions", ["source": "s3://a"], headers: headers)
        let again = try api.post("/api/v1/models/churn/versions", ["source": "s3://a"], headers: headers)
        #expect(first.body == again.body && again.headers["idempotent-replay"] == "true")
        #expect(try api.get("/api/v1/models/churn")["version_count"] == 1)
        let told = try api.get("/api/v1/changes?since=0.0")
        #expect(told.text.contains("\"event\":\"model\"") && told.text.contains("\"model\":\"churn\""), "\(told.text)")
    }
}

extension JSONValue {
    fileprivate subscript(key: String) -> JSONValue { object?[key] ?? .null }
}
