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

@Suite("Lineage as a graph") struct LineageGraphTests {
    private func graph(_ world: World, _ target: String, _ person: World.Person = .admin) throws -> JSONValue {
        let reply = try world.api.get("/api/v1" + target, headers: try world.headers(of: person))
        #expect(reply.status == 200, "\(target): \(reply.text)")
        #expect(SchemaCheck.faults(of: reply.json, "LineageGraph") == [])
        return reply.json
    }

    /// Edges in words: `dataset spam > run run_01`.
    private func edges(_ graph: JSONValue) -> Set<String> {
        let nodes = graph["nodes"]?.array ?? []
        func word(_ place: JSONValue?) -> String {
            let node = nodes[Int(place?.int64 ?? 0)]
            return "\(node["kind"]?.string ?? "") \(node["name"]?.string ?? "")"
        }
        return Set((graph["edges"]?.array ?? []).map { "\(word($0["from"])) > \(word($0["to"]))" })
    }

    /// A run that used the world's artifact and its logged model, and made a version from a model of its own.
    private func next(in world: World) throws -> Run {
        let (first, logged) = (world.run, world.loggedModel)
        return try world.api.engine.changeAndWait(.local(via: "test")) { ledger throws(Refusal) in
            var draft = RunDraft(experiment: first.experiment)
            draft.name = "distilled"
            let run = try ledger.createRun(draft)
            guard let version = try ledger.tx.namedVersions(of: "spam-model", in: first.project).first else {
                throw Refusal.namedArtifactNotFound("spam-model")
            }
            try ledger.link(run.key, .input, version, in: first.project, who: "test")
            try ledger.logInputs([], models: [logged], to: run.key, who: "test")
            var model = LoggedModelDraft(experiment: first.experiment)
            model.name = "small"
            model.sourceRun = run.id.text
            let made = try ledger.createLoggedModel(model)
            var registered = ModelVersionDraft(source: "models:/\(made.id)")
            registered.run = run.id.text
            registered.loggedModel = made.id
            _ = try ledger.createModelVersion(of: "churn", in: first.project, registered)
            return run
        }
    }

    @Test("goes from a dataset over runs and models to a version, and back, from wherever one looks")
    func bothWays() throws {
        let world = try World()
        let run = try next(in: world)
        let name = world.run.name
        let logged = try #require(
            try graph(world, "/logged-models/\(world.loggedModel)/lineage")["nodes"]?[0]?["name"]?.string)
        let expected: Set = [
            "dataset spam > run \(name)", "run \(name) > artifact spam-model:1", "run \(name) > logged_model \(logged)",
            "run \(name) > model_version churn v1", "run \(name) > model_version churn v2",
            "artifact spam-model:1 > run distilled", "logged_model \(logged) > run distilled",
            "run distilled > logged_model small", "logged_model small > model_version churn v3",
        ]
        let down = try graph(world, "/experiments/\(world.experiment.id)/lineage?dataset=spam&depth=10")
        #expect(edges(down) == expected && down["complete"] == true)
        #expect(down["nodes"]?[0]?["kind"] == "dataset" && down["nodes"]?[0]?["distance"] == 0)
        let up = try graph(world, "/models/churn/versions/3/lineage?project=lab&depth=10")
        // What was made beside it is no ancestor.
        #expect(edges(up) == expected.filter { !$0.contains("churn v1") && !$0.contains("churn v2") })
        #expect(up["nodes"]?.array?.allSatisfy { ($0["distance"]?.int64 ?? 1) <= 0 } == true)
        let middle = try graph(world, "/projects/lab/artifacts/spam-model/versions/1/lineage?depth=10")
        #expect(edges(middle).contains("dataset spam > run \(name)"))
        #expect(edges(middle).contains("logged_model small > model_version churn v3"))
        let one = try graph(world, "/runs/\(run.id)/lineage?depth=1")
        #expect(
            edges(one) == [
                "artifact spam-model:1 > run distilled", "logged_model \(logged) > run distilled",
                "run distilled > logged_model small",
            ])
        #expect(one["complete"] == false)
    }

    @Test("ends where the caller may not read, and says so; goes round in no circle")
    func limits() throws {
        let world = try World()
        let id = try world.api.engine.changeAndWait(.local(via: "test")) { ledger throws(Refusal) in
            try ledger.createRun(RunDraft(experiment: .standard)).id
        }
        var headers = try world.headers(of: .admin)
        headers.add("Content-Type", "application/json")
        for link in ["inputs", "outputs"] {
            // The same version in and out: a circle.
            let body = Array(#"{"artifact":"spam-model:1","project":"lab"}"#.utf8)
            #expect(try world.api.send(.post, "/api/v1/runs/\(id)/\(link)", headers: headers, body: body).status == 201)
        }
        let whole = try graph(world, "/runs/\(id)/lineage?depth=10")
        #expect(whole["nodes"]?.array?.filter { $0["kind"] == "artifact" }.count == 1)
        let part = try graph(world, "/projects/lab/artifacts/spam-model/versions/1/lineage", .projectReader)
        #expect(part["nodes"]?.array?.contains { $0["run_id"]?.string == id.text } == false)
        #expect(part["complete"] == false)
        for depth in ["0", "11"] {
            #expect(try world.api.get("/api/v1/runs/\(id)/lineage?depth=\(depth)", headers: headers).status == 422)
        }
        let strange = try world.api.get("/api/v1/experiments/lr-sweep/lineage?dataset=spma", headers: headers)
        #expect(strange.status == 404 && strange.json["error"]?["candidates"]?[0]?.string == "spam")
    }
}
