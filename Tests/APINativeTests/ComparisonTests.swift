import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletSeries
import MartletStorage
import Testing

@testable import MartletAPINative

@Suite("A comparison that is kept") struct ComparisonTests {
    private func log(_ api: TestAPI, _ run: Run, _ values: [(String, Int64, Double)]) throws {
        try api.engine.changeAndWait(.local(via: "test")) { ledger throws(Refusal) in
            for (name, step, value) in values {
                let points = SeriesPoints([Point(step: step, time: ledger.now.micros, value: value)])
                let batch = PointBatch(entries: [.init(name: name, points: points)])
                try ledger.logPoints(PreparedPoints(batch: batch, blobs: nil), to: run.key)
            }
        }
    }

    /// Two experiments of three runs: `plain` with 0.80, 0.82, 0.84, `tuned` with 0.90, NaN and a failed 0.99.
    private func pair() throws -> TestAPI {
        let api = try TestAPI()
        for (name, values) in [("plain", [0.80, 0.82, 0.84]), ("tuned", [0.90, .nan, 0.99])] {
            for (place, value) in values.enumerated() {
                let run = try api.run(in: name, name: "\(name)-\(place)")
                try log(api, run, [("accuracy", 1, value), ("loss", 1, 1 - value)])
                try api.end(run, value == 0.99 ? "failed" : "finished")
            }
        }
        return api
    }

    @Test("answers with the keys that the mission's document names, and with n, mean and deviation of each experiment")
    func experiments() throws {
        let api = try pair()
        let kept = try api.post(
            "/api/v1/experiments/compare",
            [
                "experiment_ids": ["plain", "tuned"], "metrics": ["accuracy", "loss"],
                "visualization": "parallel_coordinates",
            ])
        #expect(kept.status == 201)
        #expect(SchemaCheck.faults(of: kept.json, "Comparison") == [])
        let id = try #require(kept.json["comparison_id"]?.string)
        let results = try #require(kept.json["results"])
        let tuned = try api.get("/api/v1/experiments/tuned").json["id"]?.string
        // The failed run's 0.99 does not count.
        #expect(results["best_experiment"]?.string == tuned && results["best"]?["value"] == 0.9)
        #expect(results["visualization_url"]?.string == "/visualizations/\(id)")
        let significance = try #require(results["statistical_significance"]?["accuracy"])
        #expect(significance["p_value"]?.isNull == true && significance["significant"]?.isNull == true)
        #expect(significance["n"] == [3, 1] && significance["note"]?.string?.isEmpty == false)

        let shown = try api.get("/api/v1/comparisons/\(id)").json
        #expect(SchemaCheck.faults(of: shown, "Comparison") == [])
        let plain = try #require(shown["data"]?["experiments"]?[0]?["metrics"]?["accuracy"])
        #expect(plain["count"] == 3 && plain["min"] == 0.8 && plain["max"] == 0.84)
        #expect(abs((plain["mean"]?.double ?? 0) - 0.82) < 1e-12)
        #expect(abs((plain["deviation"]?.double ?? 0) - 0.02) < 1e-12)
        let other = try #require(shown["data"]?["experiments"]?[1]?["metrics"]?["accuracy"])
        #expect(other["count"] == 1 && other["not_finite"] == 1 && other["deviation"]?.isNull == true)
        #expect(shown["data"]?["runs"]?.array?.count == 5)
        #expect(shown["data"]?["metrics"]?[1] == ["metric": "loss", "goal": "min", "goal_guessed": true])
    }

    @Test("stays as it was when more arrives; looking again adds a version, and the former stays readable")
    func frozen() throws {
        let api = try TestAPI()
        let runs = [try api.run(in: "digits", name: "a"), try api.run(in: "digits", name: "b")]
        for run in runs { try log(api, run, [("loss", 0, 2), ("loss", 1, 1)]) }
        let ids = JSONValue.array(runs.map { .string($0.id.text) })
        let kept = try api.post("/api/v1/comparisons", ["run_ids": ids, "name": "Before the weekend"])
        #expect(kept.status == 201)
        let place = "/api/v1/comparisons/\(try #require(kept.json["id"]?.string))"
        let first = try api.get(place).json
        #expect(SchemaCheck.faults(of: first, "Comparison") == [])
        #expect(first["name"] == "Before the weekend" && first["version"] == 1)
        #expect(first["data"]?["curves"]?["curves"]?[0]?["mean"] == [2.0, 1.0])
        #expect(first["data"]?["runs"]?[0]?["metrics"]?["loss"] == 1.0)

        try log(api, runs[0], [("loss", 2, 0.25)])
        #expect(try api.get(place).json == first)
        let again = try api.send(.post, place + "/refresh")
        #expect(again.status == 201 && again.json["version"] == 2)
        let second = try api.get(place).json
        #expect(second["data"]?["runs"]?[0]?["metrics"]?["loss"] == 0.25)
        #expect(second["data"]?["curves"]?["curves"]?[0]?["mean"] == [2.0, 1.0, 0.25])
        let former = try api.get(place + "?version=1").json
        #expect(former["data"] == first["data"] && former["results"] == first["results"])
        #expect(try api.get(place + "?version=3").status == 404)

        // What was kept of a run outlives it; there is nothing to look at again, and the answer says so.
        let gone = runs[1].key
        try api.engine.changeAndWait(.local(via: "test")) { ledger throws(Refusal) in try ledger.purgeRun(gone) }
        #expect(try api.get(place).json["data"] == second["data"])
        #expect(try api.send(.post, place + "/refresh").status == 404)
        #expect(try api.delete(place).status == 204)
        #expect(try api.get(place).status == 404)
        #expect(try api.get("/api/v1/comparisons").json["comparisons"] == [])
    }

    @Test(
        "is refused in words where nothing sensible is asked",
        arguments: [
            (
                #"{"experiment_ids":["plain","tuned"],"visualization":"pie"}"#, "visualization",
                "parallel_coordinates, table"
            ),
            (
                #"{"run_ids":["plain-0","plain-1"],"visualization":"parallel_coordinates"}"#, "visualization",
                "curves, table"
            ),
            (#"{"experiment_ids":["plain"]}"#, "experiment_ids", "2 to 50"),
            (#"{"experiment_ids":["plain","plain"]}"#, "experiment_ids", "2 to 50"),
            (#"{"experiment_ids":"plain"}"#, "experiment_ids", "Correct"),
            (#"{"run_ids":["plain-0"],"experiment_ids":["plain"]}"#, "experiment_ids", "run_ids or experiment_ids"),
            (#"{}"#, "experiment_ids", "run_ids or experiment_ids"),
            (#"{"experiment_ids":["plain","tuned"],"name":" "}"#, "name", "Send a name"),
        ])
    func refusals(_ body: String, _ field: String, _ remedy: String) throws {
        let reply = try pair().post("/api/v1/comparisons", text: body)
        #expect(reply.status == 422, "\(body) was answered \(reply.status) \(reply.text)")
        #expect(reply.error("field") == field)
        #expect(reply.error("remedy")?.contains(remedy) == true, "\(reply.text)")
    }

    @Test("takes 50 runs and not 51, and keeps the names in a size that is told")
    func limits() throws {
        let api = try TestAPI()
        var ids: [JSONValue] = []
        for _ in 0..<51 { ids.append(.string(try api.run(in: "many").id.text)) }
        #expect(try api.post("/api/v1/comparisons", ["run_ids": .array(ids)]).status == 422)
        let kept = try api.post("/api/v1/comparisons", ["run_ids": .array(Array(ids.prefix(50)))])
        #expect(kept.status == 201 && kept.json["members"]?.array?.count == 50)
        #expect((kept.json["versions"]?[0]?["size_bytes"]?.int64 ?? 0) > 1000)
        // Too much for one version is refused, and nothing of it is kept.
        try api.engine.changeAndWait(.local(via: "test")) { ledger throws(Refusal) in
            for run in try ledger.tx.runs(in: ExperimentID(1), after: nil, limit: 60) {
                let text = ParamValue(text: String(repeating: "x", count: 60_000))
                try ledger.logParams([("one", text), ("two", text)], to: run.key)
            }
        }
        let large = try api.post("/api/v1/comparisons", ["run_ids": .array(Array(ids.prefix(50)))])
        #expect(large.status == 422 && large.error("message")?.contains("4194304 can be kept") == true, "\(large.text)")
        #expect(try api.post("/api/v1/comparisons", ["run_ids": .array(Array(ids.prefix(20)))]).status == 201)
        #expect(try api.get("/api/v1/comparisons").json["comparisons"]?.array?.count == 2)
    }

    @Test("is shown to those who may read all that is in it, and to no others")
    func rights() throws {
        let world = try World()
        let (api, admin) = (world.api, try world.headers(of: .admin))
        #expect(try api.post("/api/v1/experiments", ["name": "elsewhere"], headers: admin).status == 201)
        let kept = try api.post(
            "/api/v1/comparisons", ["experiment_ids": ["lr-sweep", "elsewhere"]], headers: admin)
        let id = try #require(kept.json["id"]?.string)
        let partly = try world.headers(of: .projectAdmin)
        #expect(try api.get("/api/v1/comparisons/\(id)", headers: partly).status == 403)
        #expect(try api.send(.post, "/api/v1/comparisons/\(id)/refresh", headers: partly).status == 403)
        let list = try api.get("/api/v1/comparisons", headers: partly).json["comparisons"]?.array ?? []
        #expect(list.compactMap { $0["id"]?.string } == [world.comparison])
        let reader = try world.headers(of: .reader)
        #expect(try api.get("/api/v1/comparisons/\(id)", headers: reader).status == 200)
        #expect(try api.send(.delete, "/api/v1/comparisons/\(id)", headers: reader).status == 403)
    }
}
