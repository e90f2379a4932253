import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@testable import MartletAPINative

@Suite("Named artifacts know the runs that made and used them") struct LineageTests {
    private func post(_ world: World, _ target: String, _ body: String) throws -> Reply {
        var headers = try world.headers(of: .admin)
        headers.add("Content-Type", "application/json")
        return try world.api.send(.post, target, headers: headers, body: Array(body.utf8))
    }

    private func get(_ world: World, _ target: String, _ person: World.Person = .admin) throws -> JSONValue {
        try world.api.send(.get, target, headers: try world.headers(of: person)).json
    }

    @Test("a link is seen from both ends, once, and goes with its run")
    func bothEnds() throws {
        let world = try World()
        let base = "/api/v1/runs/\(world.run.id)"
        let users = "/api/v1/projects/lab/artifacts/spam-model/versions/1/runs"
        // What a run has published it has made.
        #expect(try get(world, base + "/outputs")["outputs"]?[0]?["artifact"]?["version"]?.int64 == 1)
        #expect(try post(world, base + "/inputs", #"{"artifact":"spam-model:production"}"#).status == 201)
        #expect(try post(world, base + "/inputs", #"{"artifact":"spam-model","version":1}"#).status == 200)
        #expect(
            try post(world, base + "/inputs", #"{"artifact":"spam-model"}"#).json["artifact"]?["version"]?.int64 == 2)
        let inputs = try get(world, base + "/inputs")["inputs"]?.array ?? []
        #expect(inputs.compactMap { $0["artifact"]?["version"]?.int64 } == [1, 2])
        let runs = try get(world, users)["runs"]?.array ?? []
        #expect(runs.compactMap { $0["role"]?.string } == ["output", "input"])
        #expect(runs.allSatisfy { $0["run_id"]?.string == world.run.id.text })
        let wrong = try post(world, base + "/inputs", #"{"artifact":"spam-modle:1"}"#)
        #expect(wrong.status == 404 && wrong.json["error"]?["candidates"]?[0]?.string == "spam-model")
        #expect(try post(world, base + "/inputs", #"{"artifact":"spam-model:9"}"#).status == 404)
        #expect(try post(world, base + "/inputs", "{}").status == 422)
        let key = world.run.key
        try world.api.engine.changeAndWait(.local(via: "test")) { ledger throws(Refusal) in try ledger.purgeRun(key) }
        #expect(try get(world, users)["runs"]?.array?.isEmpty == true)
    }

    @Test("a run of a project that the caller may not read is not shown")
    func hidden() throws {
        let world = try World()
        let id = try world.api.engine.changeAndWait(.local(via: "test")) { ledger throws(Refusal) in
            try ledger.createRun(RunDraft(experiment: .standard)).id
        }
        let answer = try post(world, "/api/v1/runs/\(id)/inputs", #"{"artifact":"spam-model:1","project":"lab"}"#)
        #expect(answer.status == 201 && answer.json["project"]?.string == "lab")
        let users = "/api/v1/projects/lab/artifacts/spam-model/versions/1/runs"
        #expect(try get(world, users)["runs"]?.array?.count == 2)
        #expect(try get(world, users, .projectReader)["runs"]?.array?.count == 1)
    }
}
