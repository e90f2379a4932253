import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@Suite("Experiments as MLflow's clients know them") struct ExperimentTests {
    @Test("experiment 0 is there from the start, and ids are whole numbers as text")
    func defaultExperiment() throws {
        let mlflow = try TestMLflow()
        let first = try mlflow.get("experiments/get?experiment_id=0").json["experiment"]
        #expect(first?["name"]?.string == "Default")
        #expect(first?["artifact_location"]?.string == "mlflow-artifacts:/0")
        #expect(first?["lifecycle_stage"]?.string == "active")
        #expect(try Int64(mlflow.experiment("a")) ?? 0 > 0)
    }

    @Test("a name is taken for good, also by an experiment that was deleted")
    func namesStayTaken() throws {
        let mlflow = try TestMLflow()
        let id = try mlflow.experiment("taken")
        let again = try mlflow.post("experiments/create", ["name": "taken"])
        #expect(again.status == 400)
        #expect(again.code == "RESOURCE_ALREADY_EXISTS")
        #expect(again.message.hasPrefix("Experiment(name=taken) already exists."))
        try mlflow.post("experiments/delete", ["experiment_id": .string(id)])
        #expect(try mlflow.post("experiments/create", ["name": "taken"]).code == "RESOURCE_ALREADY_EXISTS")
    }

    @Test("deleting takes the runs along and restoring brings all of them back")
    func deleteAndRestore() throws {
        let mlflow = try TestMLflow()
        let id = try mlflow.experiment("e")
        let kept = try mlflow.run(in: id)
        let dropped = try mlflow.run(in: id)
        try mlflow.post("runs/delete", ["run_id": .string(dropped)])
        #expect(try mlflow.post("experiments/delete", ["experiment_id": .string(id)]).status == 200)
        #expect(try mlflow.post("experiments/delete", ["experiment_id": .string(id)]).status == 404)
        let refused = try mlflow.post("runs/create", ["experiment_id": .string(id)])
        #expect(refused.status == 400)
        #expect(refused.message.contains("must be in the 'active' state"))
        try mlflow.post("experiments/restore", ["experiment_id": .string(id)])
        for run in [kept, dropped] {
            let info = try mlflow.get("runs/get?run_id=\(run)").json["run"]?["info"]
            #expect(info?["lifecycle_stage"]?.string == "active")
        }
    }

    @Test("a search wants max_results, and its order is the newest first unless it is told another one")
    func search() throws {
        let mlflow = try TestMLflow()
        for name in ["b", "a", "c"] { _ = try mlflow.experiment(name) }
        #expect(try mlflow.post("experiments/search", [:]).status == 400)
        func names(_ fields: [String: JSONValue]) throws -> [String] {
            var body = JSONObject([.init("max_results", 10)])
            for (key, value) in fields { body[key] = value }
            let answer = try mlflow.post("experiments/search", .object(body))
            return (answer.json["experiments"]?.array ?? []).compactMap { $0["name"]?.string }
        }
        #expect(try names([:]) == ["c", "a", "b", "Default"])
        #expect(try names(["order_by": ["name ASC"]]) == ["Default", "a", "b", "c"])
        #expect(try names(["filter": "name LIKE 'D%'"]) == ["Default"])
        #expect(try names(["filter": "attribute.name ILIKE 'd%'"]) == ["Default"])
        #expect(try names(["filter": "name = 'a' AND name != 'b'"]) == ["a"])
    }

    @Test("pages lead on by a token, and a token that is none is refused")
    func pages() throws {
        let mlflow = try TestMLflow()
        for number in 0..<5 { _ = try mlflow.experiment("e\(number)") }
        var seen: [String] = []
        var token: String?
        repeat {
            var body: JSONObject = JSONObject([.init("max_results", 2)])
            if let token { body["page_token"] = .string(token) }
            let answer = try mlflow.post("experiments/search", .object(body))
            seen += (answer.json["experiments"]?.array ?? []).compactMap { $0["name"]?.string }
            token = answer.json["next_page_token"]?.string
        } while token != nil
        #expect(seen == ["e4", "e3", "e2", "e1", "e0", "Default"])
        let refused = try mlflow.post("experiments/search", ["max_results": 2, "page_token": "!"])
        #expect(refused.message == "Invalid page token, could not base64-decode")
    }

    @Test(
        "a location that a client names is recorded, and refused where it climbs or hides something",
        arguments: [
            ("s3://bucket/x", true), ("/var/data", true), ("file:///var/data", true), ("s3://b/../c", false),
            ("s3://b/%2e%2e/c", false), ("s3://b/%252e%252e/c", false), ("s3://b/x#y", false), ("runs:/a/b", false),
            ("http://h/x?y=../z", false),
        ])
    func locations(_ location: String, _ isFine: Bool) throws {
        let mlflow = try TestMLflow()
        let answer = try mlflow.post(
            "experiments/create", ["name": "e", "artifact_location": .string(location)])
        #expect((answer.status == 200) == isFine, "\(answer.text)")
        guard isFine else { return }
        let id = try #require(answer.json["experiment_id"]?.string)
        let shown = try mlflow.get("experiments/get?experiment_id=\(id)").json["experiment"]
        #expect(shown?["artifact_location"]?.string == location)
    }

    @Test("the description that people write natively is MLflow's note, and the other way round")
    func oneNote() throws {
        let mlflow = try TestMLflow()
        let id = try mlflow.experiment("e")
        try mlflow.post(
            "experiments/set-experiment-tag",
            ["experiment_id": .string(id), "key": "mlflow.note.content", "value": "Why"])
        let number = try #require(Int64(id))
        let experiment = try mlflow.engine.read { reader throws(Refusal) in
            try reader.experiment(ExperimentID(number))
        }
        #expect(experiment?.description == "Why")
        #expect(experiment?.tags.isEmpty == true)
    }

    @Test("whoever has no token, or only reads, is refused in MLflow's words")
    func rights() throws {
        let mlflow = try TestMLflow(.tokens)
        let nobody = try mlflow.get("experiments/get?experiment_id=0")
        #expect(nobody.status == 401)
        #expect(nobody.code == "UNAUTHENTICATED")
        #expect(nobody.headers["WWW-Authenticate"]?.hasPrefix("Basic") == true)
        let reader = try mlflow.user("reader", .read)
        let headers: Headers = ["Authorization": "Bearer \(reader)"]
        #expect(try mlflow.get("experiments/get?experiment_id=0", headers: headers).status == 200)
        let refused = try mlflow.post("experiments/create", ["name": "x"], headers: headers)
        #expect(refused.status == 403)
        #expect(refused.code == "PERMISSION_DENIED")
    }
}
