import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@Suite("The registry and logged models as MLflow's clients know them") struct RegistryTests {
    @Test("versions count up, stages are few words in any case, and one alias stands for one version")
    func versions() throws {
        let mlflow = try TestMLflow()
        #expect(try mlflow.post("registered-models/create", ["name": "m"]).status == 200)
        #expect(try mlflow.post("registered-models/create", ["name": "m"]).code == "RESOURCE_ALREADY_EXISTS")
        for number in 1...3 {
            let made = try mlflow.post("model-versions/create", ["name": "m", "source": .string("s3://b/\(number)")])
            #expect(made.json["model_version"]?["version"]?.string == "\(number)")
        }
        let moved = try mlflow.post(
            "model-versions/transition-stage", ["name": "m", "version": "2", "stage": "production"])
        #expect(moved.json["model_version"]?["current_stage"]?.string == "Production")
        let wrong = try mlflow.post("model-versions/transition-stage", ["name": "m", "version": "2", "stage": "Bogus"])
        #expect(wrong.message.hasPrefix("Invalid Model Version stage: Bogus. Value must be one of None, Staging,"))
        try mlflow.post("registered-models/alias", ["name": "m", "alias": "champion", "version": "1"])
        try mlflow.post("registered-models/alias", ["name": "m", "alias": "champion", "version": "3"])
        let behind = try mlflow.get("registered-models/alias?name=m&alias=champion")
        #expect(behind.json["model_version"]?["version"]?.string == "3")
        let unknown = try mlflow.get("registered-models/alias?name=m&alias=nobody")
        #expect(unknown.status == 400)
        #expect(unknown.message == "Registered model alias nobody not found.")
        try mlflow.send(.delete, "model-versions/delete", ["name": "m", "version": "3"])
        #expect(try mlflow.get("registered-models/alias?name=m&alias=champion").status == 400)
        #expect(try mlflow.get("model-versions/get?name=m&version=3").status == 404)
    }

    @Test(
        "a source that is a path of this machine, or climbs, is refused",
        arguments: [
            "/etc", "file:///etc", "file:/etc", "s3://b/../c", "s3://b/%2e%2e/c", "s3://b/%252e%252e/c",
            "mlflow-artifacts:/a/../b",
            "file://host/etc", "relative/path",
        ])
    func sources(_ source: String) throws {
        let mlflow = try TestMLflow()
        try mlflow.post("registered-models/create", ["name": "m"])
        let run = try mlflow.run()
        for body: JSONValue in [
            ["name": "m", "source": .string(source)], ["name": "m", "source": .string(source), "run_id": .string(run)],
        ] {
            let answer = try mlflow.post("model-versions/create", body)
            #expect(answer.status == 400, "\(answer.text)")
            #expect(answer.message.hasPrefix("Invalid model version source: '\(source)'"), "\(answer.message)")
        }
    }

    @Test("prompts stay out of sight among models")
    func prompts() throws {
        let mlflow = try TestMLflow()
        try mlflow.post("registered-models/create", ["name": "model"])
        try mlflow.post(
            "registered-models/create",
            ["name": "prompt", "tags": [["key": "mlflow.prompt.is_prompt", "value": "true"]]])
        func names(_ query: String) throws -> [String] {
            (try mlflow.get("registered-models/search\(query)").json["registered_models"]?.array ?? [])
                .compactMap { $0["name"]?.string }
        }
        #expect(try names("") == ["model"])
        #expect(try names("?filter=tags.%60mlflow.prompt.is_prompt%60%20=%20'true'") == ["prompt"])
    }

    @Test("a logged model takes numbers from runs, and is found by them on the dataset that is asked for")
    func loggedModels() throws {
        let mlflow = try TestMLflow()
        let run = try mlflow.run()
        func model(_ name: String) throws -> String {
            let made = try mlflow.post(
                "logged-models", ["experiment_id": "0", "name": .string(name), "source_run_id": .string(run)])
            #expect(made.json["model"]?["info"]?["status"]?.string == "LOGGED_MODEL_PENDING")
            return try #require(made.json["model"]?["info"]?["model_id"]?.string)
        }
        let (first, second) = (try model("first"), try model("second"))
        for (id, train, test) in [(first, "0.9", "0.1"), (second, "0.5", "0.7")] {
            let metrics = [("train", train), ("test", test)].map { dataset, value in
                #"{"key":"acc","value":\#(value),"timestamp":1,"step":1,"model_id":"\#(id)","dataset_name":"\#(dataset)","dataset_digest":"d"}"#
            }
            let answer = try mlflow.post(
                "runs/log-batch", text: "{\"run_id\":\"\(run)\",\"metrics\":[\(metrics.joined(separator: ","))]}")
            #expect(answer.status == 200, "\(answer.text)")
        }
        func found(_ fields: [String: JSONValue]) throws -> [String] {
            var body = JSONObject([.init("experiment_ids", ["0"])])
            for (key, value) in fields { body[key] = value }
            let answer = try mlflow.post("logged-models/search", .object(body))
            #expect(answer.status == 200, "\(answer.text)")
            return (answer.json["models"]?.array ?? []).compactMap { $0["info"]?["name"]?.string }
        }
        #expect(try found(["filter": "metrics.acc > 0.6", "datasets": [["dataset_name": "train"]]]) == ["first"])
        #expect(try found(["filter": "metrics.acc > 0.6", "datasets": [["dataset_name": "test"]]]) == ["second"])
        let byTrain: JSONValue = [["field_name": "metrics.acc", "ascending": false, "dataset_name": "train"]]
        #expect(try found(["order_by": byTrain]) == ["first", "second"])
        let shown = try mlflow.get("logged-models/\(first)").json["model"]
        #expect(shown?["data"]?["metrics"]?.array?.count == 2)
        #expect(shown?["data"]?["metrics"]?[0]?["run_id"]?.string == run)
        // They are the run's numbers too.
        #expect(try mlflow.data(of: run)["metrics"]?.array?.count == 1)
        let unknown = try mlflow.post(
            "runs/log-metric",
            [
                "run_id": .string(run), "key": "x", "value": 1, "timestamp": 1,
                "model_id": "m-00000000000000000000000000000000",
            ])
        #expect(unknown.status == 404)
        let data = try mlflow.data(of: run)["metrics"]?.array ?? []
        #expect(!data.contains { $0["key"]?.string == "x" }, "all of a request or nothing of it")
        #expect(try mlflow.send(.delete, "logged-models/\(first)").status == 200)
        #expect(try mlflow.get("logged-models/\(first)").status == 404)
    }

    @Test("logged models are found by lists of params and tags, and by each word that there is for their states")
    func loggedModelFilters() throws {
        let mlflow = try TestMLflow()
        for (name, depth, status) in [
            ("a", "4", "LOGGED_MODEL_READY"), ("b", "6", "LOGGED_MODEL_UPLOAD_FAILED"), ("c", "8", ""),
        ] {
            let made = try mlflow.post(
                "logged-models",
                [
                    "experiment_id": "0", "name": .string(name), "params": [["key": "depth", "value": .string(depth)]],
                    "tags": [["key": "team", "value": .string(name == "a" ? "x" : "y")]],
                ])
            let id = try #require(made.json["model"]?["info"]?["model_id"]?.string)
            if !status.isEmpty { try mlflow.send(.patch, "logged-models/\(id)", ["status": .string(status)]) }
        }
        func found(_ filter: String) throws -> [String] {
            let answer = try mlflow.post(
                "logged-models/search",
                [
                    "experiment_ids": ["0"], "filter": .string(filter),
                    "order_by": [["field_name": "name", "ascending": true]],
                ])
            #expect(answer.status == 200, "\(filter): \(answer.text)")
            return (answer.json["models"]?.array ?? []).compactMap { $0["info"]?["name"]?.string }
        }
        #expect(try found("params.depth IN ('4', '8')") == ["a", "c"])
        #expect(try found("params.depth NOT IN ('4', '8')") == ["b"])
        #expect(try found("tags.team IN ('y')") == ["b", "c"])
        #expect(try found("tags.team NOT IN ('y')") == ["a"])
        for word in ["READY", "LOGGED_MODEL_READY"] { #expect(try found("status = '\(word)'") == ["a"], "\(word)") }
        for word in ["FAILED", "UPLOAD_FAILED", "LOGGED_MODEL_UPLOAD_FAILED"] {
            #expect(try found("status = '\(word)'") == ["b"], "\(word)")
            #expect(try found("status != '\(word)'") == ["a", "c"], "\(word)")
        }
        #expect(try found("status IN ('FAILED', 'LOGGED_MODEL_PENDING')") == ["b", "c"])
    }

    @Test("a run takes and makes only models that there are, all of a request or nothing of it")
    func modelsOfRuns() throws {
        let mlflow = try TestMLflow()
        let run = try mlflow.run()
        let made = try mlflow.post("logged-models", ["experiment_id": "0", "name": "m"])
        let id: JSONValue = .string(try #require(made.json["model"]?["info"]?["model_id"]?.string))
        let unknown: JSONValue = "m-00000000000000000000000000000000"
        for (path, field) in [("runs/log-inputs", "inputs"), ("runs/outputs", "outputs")] {
            let answer = try mlflow.post(
                path, ["run_id": .string(run), "models": [["model_id": id], ["model_id": unknown]]])
            #expect(answer.status == 404 && answer.code == "RESOURCE_DOES_NOT_EXIST")
            #expect(answer.message == "Logged model with ID 'm-00000000000000000000000000000000' not found.")
            let list = field == "inputs" ? "model_inputs" : "model_outputs"
            #expect(try mlflow.get("runs/get?run_id=\(run)").json["run"]?[field]?[list] == nil)
            #expect(try mlflow.post(path, ["run_id": .string(run), "models": [["model_id": id]]]).status == 200)
            #expect(try mlflow.get("runs/get?run_id=\(run)").json["run"]?[field]?[list]?[0]?["model_id"] == id)
        }
        for (field, type) in [("model_id", "int"), ("dataset_name", "list"), ("dataset_digest", "dict")] {
            let value = ["int": "7", "list": "[]", "dict": "{}"][type] ?? ""
            let answer = try mlflow.post(
                "runs/log-batch",
                text: #"{"run_id":"\#(run)","metrics":[{"key":"k","value":1,"timestamp":1,"\#(field)":\#(value)}]}"#)
            #expect(answer.status == 400, "\(field)")
            #expect(answer.message.hasPrefix("Invalid value \(value) for parameter 'metrics[0].\(field)' supplied:"))
            #expect(answer.message.contains("'\(type)'"))
        }
    }
}
