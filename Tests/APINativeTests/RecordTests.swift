import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@testable import MartletAPINative

@Suite("What is recorded on a run") struct RecordTests {
    let api: TestAPI
    let run: String
    init() throws {
        api = try TestAPI()
        run = try api.run(in: "sweep", name: "first").id.text
    }

    @Test("params keep every digit, and come back as what they are")
    func exactParams() throws {
        let text = """
            {"params":{"lr":0.10,"seed":18446744073709551615,"tiny":1E-30,"big":1e16,"flag":true,"none":null,
            "name":"adam","digits":"007","nested":{"a":[1, 2.50]},"nan":NaN}}
            """
        let reply = try api.post("/api/v1/runs/\(run)/params", text: text)
        #expect(reply.status == 200)
        for part in [
            "\"lr\":0.10,", "\"seed\":18446744073709551615,", "\"tiny\":1E-30,", "\"big\":1e16,", "\"flag\":true,",
            "\"none\":null,", "\"name\":\"adam\"", "\"digits\":\"007\"", "\"nested\":{\"a\":[1,2.5]}",
            "\"nan\":\"NaN\"",
        ] { #expect(reply.text.contains(part), "\(part) is not in \(reply.text)") }
        #expect(reply["params"] == reply["parameters"])
        #expect(try api.get("/api/v1/runs/\(run)/params").json == reply.json)
    }

    @Test("params do not change: the same again is fine, another value is a conflict that names both")
    func immutableParams() throws {
        try api.post("/api/v1/runs/\(run)/params", ["params": ["lr": 0.1]])
        #expect(try api.post("/api/v1/runs/\(run)/params", ["params": ["lr": 0.1, "depth": 6]]).status == 200)
        let refused = try api.post("/api/v1/runs/\(run)/params", ["params": ["depth": 6, "lr": 0.2, "new": 1]])
        #expect(refused.status == 409 && refused.error("field") == "lr")
        #expect(refused.error("message")?.contains("0.1") == true && refused.error("message")?.contains("0.2") == true)
        #expect(try api.get("/api/v1/runs/\(run)/params")["params"] == ["lr": 0.1, "depth": 6])
        #expect(try api.post("/api/v1/runs/first/params", ["params": ["x": 1]]).status == 404)
        #expect(try api.post("/api/v1/runs/run_01/params", ["params": ["x": 1]]).status == 200)
        #expect(try api.post("/api/v1/runs/\(run)/params", ["lr": 1]).status == 422)
    }

    @Test("tags are set from an object or a list, and removed one by one, slashes and all")
    func tags() throws {
        try api.post("/api/v1/runs/\(run)/tags", ["tags": ["team": "vision", "a/b": "1"]])
        let set = try api.post("/api/v1/runs/\(run)/tags", ["tags": ["production"]])
        #expect(set["tags"] == ["team": "vision", "a/b": "1", "production": nil])
        #expect(try api.delete("/api/v1/runs/\(run)/tags/a/b")["tag_list"] == ["team", "production"])
        let absent = try api.delete("/api/v1/runs/\(run)/tags/tema")
        #expect(absent.status == 404 && absent.json["error"]?["candidates"] == ["team"])
        #expect(try api.post("/api/v1/runs/\(run)/tags", ["tags": [1]]).status == 422)
        #expect(try api.post("/api/v1/runs/\(run)/tags", ["tag": "x"]).status == 422)
    }

    @Test("notes keep their Markdown to the letter, in order, with every earlier text", arguments: NotePlace.allCases)
    func notes(_ place: NotePlace) throws {
        let home = place == .project ? "projects/default" : place == .experiment ? "experiments/sweep" : "runs/\(run)"
        let markdown = "# Title\n\n* a  \n* b <b>\\*\t`x` \u{1F426}\r\n\n"
        let made = try api.post("/api/v1/\(home)/notes", ["text": .string(markdown)])
        #expect(made.status == 201 && made["note"] == 1 && made["text"].string == markdown)
        try api.post("/api/v1/\(home)/notes", ["text": "Second."])
        let edited = try api.patch("/api/v1/\(home)/notes/1", ["text": "Better."])
        #expect(edited["text"] == "Better." && edited["edits"] == 1)
        #expect(edited["history"][0]?["text"]?.string == markdown)
        #expect(try api.patch("/api/v1/\(home)/notes/1", ["text": "Better."])["edits"] == 1)
        let listed = try api.get("/api/v1/\(home)/notes")["notes"].array ?? []
        #expect(listed.map { $0["text"] } == ["Better.", "Second."])
        #expect(try api.get("/api/v1/\(home)/notes/1").json == edited.json)
        #expect(try api.get("/api/v1/\(home)/notes/9").status == 404)
        #expect(try api.patch("/api/v1/\(home)/notes/9", ["text": "x"]).status == 404)
        #expect(try api.get("/api/v1/\(home)/notes/one").status == 400)
        #expect(try api.post("/api/v1/\(home)/notes", ["text": " \n"]).status == 422)
        #expect(try api.post("/api/v1/\(home)/notes", ["text": 5]).error("field") == "text")
    }

    @Test("pinned notes of many runs come in one answer, each with its latest text, and no others")
    func pinsOfMany() throws {
        let other = try api.run(in: "sweep", name: "second").id.text
        for (run, step) in [(run, 5), (other, 7)] {
            try api.post("/api/v1/runs/\(run)/notes", ["text": "First.", "metric": "loss", "step": .int(Int64(step))])
            try api.post("/api/v1/runs/\(run)/notes", ["text": "On nothing."])
        }
        try api.patch("/api/v1/runs/\(run)/notes/1", ["text": "Better."])
        let reply = try api.post("/api/v1/runs/pins", ["runs": [.string(other), .string(run)]])
        #expect(reply.status == 200 && SchemaCheck.faults(of: reply.json, "PinList") == [])
        let pins = reply.json["pins"]?.array ?? []
        #expect(pins.compactMap { $0["text"]?.string } == ["First.", "Better."])
        #expect(pins.compactMap { $0["step"]?.int64 } == [7, 5] && pins[0]["run_name"] == "second")
        #expect(try api.post("/api/v1/runs/pins", ["runs": []]).status == 422)
    }

    @Test("a note can be pinned to a step of a curve, and stays there when it is edited")
    func pinnedNotes() throws {
        let made = try api.post(
            "/api/v1/runs/\(run)/notes", ["text": "Spike.", "metric": "val/loss", "step": 1200])
        #expect(made["metric"] == "val/loss" && made["step"] == 1200)
        let edited = try api.patch("/api/v1/runs/\(run)/notes/1", ["text": "A bad batch."])
        #expect(edited["metric"] == "val/loss" && edited["step"] == 1200)
        #expect(try api.post("/api/v1/runs/\(run)/notes", ["text": "x", "metric": "a"]).error("field") == "step")
    }

    @Test("facts are kept as they are; the latest of a kind counts and the others stay")
    func facts() throws {
        let made = try api.post("/api/v1/runs/\(run)/facts/dataset", ["name": "SMS", "rows": 5574])
        #expect(made.status == 201 && made["kind"] == "dataset" && made["data"] == ["name": "SMS", "rows": 5574])
        try api.post("/api/v1/runs/\(run)/facts/dataset", ["rows": 5575])
        try api.post("/api/v1/runs/\(run)/facts/observations", ["Converged early."])
        let shown = try api.get("/api/v1/runs/\(run)/facts/dataset")
        #expect(shown["data"] == ["rows": 5575] && shown["history"][0]?["data"]?["rows"] == 5574)
        #expect(
            try api.get("/api/v1/runs/\(run)/facts")["facts"].array?.map { $0["kind"] } == ["dataset", "observations"])
        let absent = try api.get("/api/v1/runs/\(run)/facts/datasets")
        #expect(absent.status == 404 && absent.json["error"]?["candidates"] == ["dataset"])
        #expect(try api.send(.post, "/api/v1/runs/\(run)/facts/model").status == 422)
        #expect(try api.post("/api/v1/runs/\(run)/facts/Model%20X", [:]).error("field") == "kind")
    }

    @Test("a confusion matrix has a row and a column for each label")
    func confusionMatrix() throws {
        let target = "/api/v1/runs/\(run)/facts/confusion_matrix"
        #expect(try api.post(target, ["labels": ["ham", "spam"], "matrix": [[965, 2], [11, 137]]]).status == 201)
        for bad in [
            ["labels": ["ham", "spam"], "matrix": [[965, 2]]], ["labels": ["a"], "matrix": [["x"]]],
            ["matrix": [[1]]], ["labels": ["a", "b"], "matrix": [[1, 2, 3], [1, 2]]], [1],
        ] as [JSONValue] {
            let reply = try api.post(target, bad)
            #expect(reply.status == 422 && reply.error("field") == "matrix", "\(bad) was taken")
        }
    }

    @Test("every kind of fact has a schema, and its example fits")
    func schemas() {
        for kind in Schemas.factKinds { #expect(Schemas.named("Fact_\(kind)") != nil) }
        #expect(Schemas.factKinds.count == 17)
    }

    @Test("what could not be used is listed with the line that had it")
    func problems() throws {
        let key = try api.engine.read { (reader: any StoreReader) throws(Refusal) in
            try reader.resolveRun(run, for: .system).key
        }
        try api.engine.changeAndWait(.system) { ledger throws(Refusal) in
            try ledger.recordProblem("The value is no number.", line: "{\"op\":\"metrics\"}", of: key, who: "w1")
        }
        let problem = try api.get("/api/v1/runs/\(run)/problems")["problems"][0]
        #expect(problem?["problem"] == "The value is no number." && problem?["line"] == "{\"op\":\"metrics\"}")
        #expect(try api.get("/api/v1/runs/\(run)")["problems"] == 1)
    }
}
