import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@testable import MartletAPINative

@Suite("Runs") struct RunTests {
    let api: TestAPI
    init() throws {
        api = try TestAPI()
        try api.post("/api/v1/experiments", ["name": "sweep"])
    }

    @discardableResult
    func start(_ body: JSONValue = [:]) throws -> Reply { try api.post("/api/v1/experiments/sweep/runs", body) }

    @Test("begin with the body of the first guide, the second, both or none")
    func bodies() throws {
        let first = try api.post(
            "/api/v1/experiments/sweep/runs", text: "{\"run_name\": \"api-run-1\", \"tags\": {\"type\": \"api-test\"}}")
        #expect(first.status == 201 && first["id"] == first["run_id"] && first["short_id"] == "run_01")
        #expect(
            first["name"] == "api-run-1" && first["run_name"] == "api-run-1" && first["tags"] == ["type": "api-test"])
        #expect(first["state"] == "running")
        let second = try start([
            "name": "tfidf-nb-v1", "parameters": ["max_features": 5000, "alpha": 0.1, "ngram_range": [1, 2]],
            "environment": ["python_version": "3.10", "sklearn_version": "1.3.0"],
        ])
        #expect(second["params"] == second["parameters"])
        #expect(second["params"] == ["max_features": 5000, "alpha": 0.1, "ngram_range": [1, 2]])
        #expect(second["environment"] == ["python_version": "3.10", "sklearn_version": "1.3.0"])
        let both = try start([
            "name": "x", "run_name": "x", "params": ["a": 1], "parameters": ["a": 1, "b": "two"], "tags": ["baseline"],
            "status": "queued", "start_time": "2024-01-15T10:00:00Z", "user": "trainer", "git_commit": "abc123",
        ])
        #expect(both["params"] == ["a": 1, "b": "two"] && both["state"] == "queued")
        #expect(both["start_time"] == "2024-01-15T10:00:00Z" && both["user"] == "trainer")
        #expect(both["git_commit"] == "abc123" && both["tag_list"] == ["baseline"])
        #expect(try api.send(.post, "/api/v1/experiments/sweep/runs")["name"] == "run_04")
    }

    @Test("refuse what contradicts itself, and name the field")
    func refusals() throws {
        for (body, field) in [
            (["name": "a", "run_name": "b"], "name"), (["params": ["a": 1], "parameters": ["a": 2]], "a"),
            (["params": [1]], "params"), (["environment": "3.10"], "environment"),
            (["start_time": "soon"], "start_time"),
            (["status": ""], "status"), (["id": "search"], "id"), (["id": "run_7"], "id"), (["user": 5], "user"),
        ] as [(JSONValue, String)] {
            let reply = try start(body)
            #expect(reply.status == 422 && reply.error("field") == field, "\(body): \(reply.text)")
        }
        #expect(try start(["parent": "nobody"]).status == 404)
        #expect(try api.get("/api/v1/experiments/sweep")["run_count"] == 0, "a refused run was kept")
    }

    @Test("are found by id, short id, alias, name and the beginning of an id")
    func references() throws {
        let id = "00112233445566778899aabbccddeeff"
        let made = try start(["id": .string(id), "name": "first"])
        #expect(made["id"].string == id)
        let named = try start(["id": "trial/7-b", "name": "second"])
        #expect(named.status == 201 && named["id"].string?.utf8.count == 32)
        for text in [id, id.uppercased(), "run_01", "first", "name:first", "001122", "id:\(id)"] {
            #expect(try api.get("/api/v1/runs/\(text)")["id"].string == id, "\(text)")
        }
        #expect(try api.get("/api/v1/runs/trial%2F7-b")["id"] == named["id"])
        #expect(try api.get("/api/v1/experiments/sweep/runs/run_02")["id"] == named["id"])
        #expect(try start(["id": .string(id)]).status == 409)
        #expect(try start(["id": "trial/7-b"]).status == 409)
        try api.post("/api/v1/experiments", ["name": "other"])
        try api.post("/api/v1/experiments/other/runs", ["name": "first"])
        let ambiguous = try api.get("/api/v1/runs/run_01")
        #expect(ambiguous.status == 409 && ambiguous.json["error"]?["candidates"]?.array?.count == 2)
        #expect(try api.get("/api/v1/experiments/other/runs/run_01")["name"] == "first")
        #expect(try api.get("/api/v1/experiments/other/runs/\(id)").status == 404)
    }

    @Test("can be stored whole in one request, finished and with everything in them")
    func whole() throws {
        let body: JSONValue = [
            "experiment": "overfitting", "name": "depth=6",
            "params": ["depth": 6], "metrics": ["train_mse": 0.021, "safety": ["recall": 0.99], "odd": "NaN"],
            "tags": ["seed"], "status": "overfit", "notes": "Too *deep*.",
            "start_time": "2024-01-15T10:00:00Z", "end_time": "2024-01-15T10:05:00Z",
        ]
        let reply = try api.post("/api/v1/runs", body)
        #expect(reply.status == 201 && reply["state"] == "finished" && reply["status"] == "overfit")
        #expect(reply["metrics"] == ["odd": "NaN", "safety/recall": 0.99, "train_mse": 0.021])
        #expect(reply["duration_seconds"] == 300.0 && reply["experiment_name"] == "overfitting")
        let id = try #require(reply["id"].string)
        #expect(try api.get("/api/v1/runs/\(id)/notes")["notes"][0]?["text"] == "Too *deep*.")
        let late = try api.engine.read { (reader: any StoreReader) throws(Refusal) in
            try reader.items(of: .run(try reader.resolveRun(id, for: .system).key), kind: "late", key: nil).count
        }
        #expect(late == 0, "the metrics of a whole run count as late")
        #expect(try api.post("/api/v1/runs", ["metrics": ["a": 1]])["experiment_id"] == "0")
        #expect(try api.post("/api/v1/runs", ["experiment_id": 77]).status == 404)
        #expect(try api.post("/api/v1/runs", ["status": "running"]).status == 422)
        let wrong = try api.post("/api/v1/runs", ["experiment": "brand-new", "metrics": ["a": "high"]])
        #expect(wrong.status == 422 && wrong.error("field") == "a")
        #expect(try api.get("/api/v1/experiments/brand-new").status == 404, "a refused run left its experiment")
    }

    @Test("change after their end too, and keep the word of their status")
    func change() throws {
        let id = try #require(try start(["description": "old", "source": "notebook"])["id"].string)
        try api.post("/api/v1/runs/\(id)/end", [:])
        let changed = try api.patch(
            "/api/v1/runs/\(id)",
            [
                "run_name": "renamed", "status": "failed", "description": "new", "source": nil,
                "environment": ["gpu": true], "tags": ["late"], "code_version": "v3",
            ])
        #expect(changed.status == 200 && changed["name"] == "renamed" && changed["state"] == "failed")
        #expect(changed["status"] == "failed" && changed["description"] == "new" && changed["source"].isNull)
        #expect(changed["environment"] == ["gpu": true] && changed["code_version"] == "v3")
        #expect(changed["tag_list"] == ["late"])
        #expect(try api.patch("/api/v1/runs/\(id)", ["statsu": "done"]).status == 422)
        #expect(try api.patch("/api/v1/runs/\(id)", [:]).status == 422)
    }

    @Test("end once, as finished unless said, and ending again changes nothing")
    func end() throws {
        let id = try #require(try start()["id"].string)
        let ended = try api.post("/api/v1/runs/\(id)/end", ["end_time": 1_705_315_000_000])
        #expect(ended["status"] == "FINISHED" && ended["state"] == "finished")
        #expect(ended["end_time"] == "2024-01-15T10:36:40Z")
        let again = try api.send(.post, "/api/v1/runs/\(id)/end")
        #expect(again.status == 200 && again.json == ended.json)
        #expect(try api.post("/api/v1/runs/\(id)/end", ["status": "KILLED"])["state"] == "cancelled")
        #expect(try api.post("/api/v1/runs/\(id)/end", ["status": "running"]).status == 422)
        let states = try api.get("/api/v1/runs/\(id)/timeline")["timeline"].array ?? []
        #expect(states.map { $0["state"] } == ["running", "finished", "cancelled"])
        #expect(states.map { $0["cause"] } == ["created", "api", "api"])
    }

    @Test("are deleted by an exact id only, come back, and are gone for good when that was asked")
    func delete() throws {
        let id = try #require(try start(["name": "victim"])["id"].string)
        let child = try #require(try start(["parent_run_id": .string(id)])["id"].string)
        for loose in ["victim", String(id.prefix(8))] {
            let refused = try api.delete("/api/v1/runs/\(loose)")
            #expect(refused.status == 404, "\(loose) was enough to delete a run")
        }
        #expect(try api.delete("/api/v1/runs/\(id)").status == 204)
        #expect(try api.get("/api/v1/runs/\(child)")["life"] == "deleted")
        #expect(try api.post("/api/v1/runs/\(id)/tags", ["tags": ["x"]]).status == 409)
        #expect(try api.post("/api/v1/runs/\(id)/restore", [:])["life"] == "active")
        #expect(try api.get("/api/v1/runs/\(child)")["life"] == "active")
        #expect(try api.delete("/api/v1/runs/\(id)?permanent=true").status == 204)
        let gone = try api.get("/api/v1/runs/\(id)")
        #expect(gone.status == 404 && gone.error("message")?.contains("for good") == true)
        #expect(try api.get("/api/v1/runs/\(child)")["parent_id"].isNull)
    }

    @Test("have children, listed oldest first")
    func children() throws {
        let id = try #require(try start(["name": "parent"])["id"].string)
        for name in ["fold-1", "fold-2", "fold-3"] { try start(["name": .string(name), "parent": .string(id)]) }
        let page = try api.get("/api/v1/runs/parent/children?limit=2")
        #expect(page["runs"].array?.map { $0["name"] } == ["fold-1", "fold-2"])
        let token = try #require(page["next_page_token"].string)
        let rest = try api.get("/api/v1/runs/parent/children?limit=2&page_token=\(token)")
        #expect(rest["runs"].array?.map { $0["name"] } == ["fold-3"] && rest["next_page_token"].isNull)
        #expect(rest["runs"][0]?["parent_id"]?.string == id)
    }

    @Test("go on in attempts, whose params may differ")
    func attempts() throws {
        let id = try #require(try start(["params": ["lr": 0.1]])["id"].string)
        try api.post("/api/v1/runs/\(id)/end", ["status": "failed"])
        let resumed = try api.post("/api/v1/runs/\(id)/attempts", ["reason": "requeued", "from_step": 1200])
        #expect(resumed.status == 201 && resumed["attempt"] == 2 && resumed["state"] == "running")
        #expect(resumed["end_time"].isNull)
        let listed = try api.get("/api/v1/runs/\(id)/attempts")["attempts"]
        #expect(listed.array?.count == 2 && listed[0]?["attempt"] == 1)
        #expect(listed[1]?["from_step"] == 1200 && listed[1]?["reason"] == "requeued")
        #expect(try api.post("/api/v1/runs/\(id)/params", ["params": ["lr": 0.01]])["params"] == ["lr": 0.01])
        #expect(try api.post("/api/v1/runs/\(id)/attempts", ["n": 1]).status == 409)
        #expect(try api.post("/api/v1/runs/\(id)/attempts", ["n": 0]).status == 422)
    }

    @Test("fork at a step, with params and tags, and say where from")
    func fork() throws {
        let id = try #require(try start(["params": ["lr": 0.1], "tags": ["baseline"]])["id"].string)
        let forked = try api.post("/api/v1/runs/\(id)/fork", ["step": 1200, "name": "lower"])
        #expect(forked.status == 201 && forked["name"] == "lower" && forked["params"] == ["lr": 0.1])
        #expect(forked["fork"] == ["run_id": .string(id), "step": 1200])
        #expect(try api.post("/api/v1/runs/\(id)/fork", [:]).error("field") == "step")
    }

    @Test("are started once however often the request with a key is sent, and another body is a conflict")
    func once() throws {
        let headers: Headers = ["Idempotency-Key": "k1"]
        let first = try api.post("/api/v1/experiments/sweep/runs", ["name": "a"], headers: headers)
        let again = try api.post("/api/v1/experiments/sweep/runs", ["name": "a"], headers: headers)
        #expect(again.status == 201 && again["id"] == first["id"] && again.headers["idempotent-replay"] == "true")
        #expect(try api.post("/api/v1/experiments/sweep/runs", ["name": "b"], headers: headers).status == 409)
        let long = String(repeating: "k", count: 129)
        #expect(
            try api.post("/api/v1/experiments/sweep/runs", [:], headers: ["Idempotency-Key": long]).status == 422)
        #expect(try api.get("/api/v1/experiments/sweep")["run_count"] == 1)
    }
}
