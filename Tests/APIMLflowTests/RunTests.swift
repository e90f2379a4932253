import MartletDomain
import MartletEngine
import MartletJSON
import Testing

@Suite("Runs as MLflow's clients log them") struct RunTests {
    @Test("the name is one thing, in the info and in the tag, whoever changes it")
    func oneName() throws {
        let mlflow = try TestMLflow()
        let run = try mlflow.run(in: "0", ["run_name": "first"])
        #expect(try mlflow.tags(of: run)["mlflow.runName"] == "first")
        try mlflow.post("runs/set-tag", ["run_id": .string(run), "key": "mlflow.runName", "value": "second"])
        let info = try mlflow.get("runs/get?run_id=\(run)").json["run"]?["info"]
        #expect(info?["run_name"]?.string == "second")
        let clash = try mlflow.post(
            "runs/create",
            [
                "experiment_id": "0", "run_name": "a",
                "tags": [["key": "mlflow.runName", "value": "b"]],
            ])
        #expect(clash.message.hasPrefix("Both 'run_name' argument and 'mlflow.runName' tag are specified"))
    }

    @Test("tags that speak of a run's own fields fill them")
    func fields() throws {
        let mlflow = try TestMLflow()
        let parent = try mlflow.run(in: "0", ["run_name": "parent"])
        let child = try mlflow.run(
            in: "0",
            [
                "run_name": "child", "user_id": "ada",
                "tags": [
                    ["key": "mlflow.parentRunId", "value": .string(parent)],
                    ["key": "mlflow.source.git.commit", "value": "abc123"],
                    ["key": "mlflow.note.content", "value": "*why*"],
                ],
            ])
        let id = try #require(RunID(child))
        let view = try #require(try mlflow.view(of: id))
        #expect(view.parent?.text == parent)
        #expect(view.attributes.properties["git_commit"] == "abc123")
        #expect(view.attributes.properties["description"] == "*why*")
        #expect(view.attributes.properties["user"] == "ada")
        #expect(try mlflow.names("tags.mlflow.parentRunId = '\(parent)'") == ["child"])
        #expect(try mlflow.names("tags.mlflow.parentRunId IS NULL") == ["parent"])
    }

    @Test("a deleted run is refused any write, and restored it takes them")
    func deleted() throws {
        let mlflow = try TestMLflow()
        let run = try mlflow.run()
        try mlflow.post("runs/delete", ["run_id": .string(run)])
        let writes: [(String, JSONValue)] = [
            ("runs/log-metric", ["run_id": .string(run), "key": "m", "value": 1, "timestamp": 1]),
            ("runs/log-parameter", ["run_id": .string(run), "key": "p", "value": "1"]),
            ("runs/set-tag", ["run_id": .string(run), "key": "t", "value": "1"]),
            ("runs/update", ["run_id": .string(run), "status": "FINISHED"]),
            (
                "runs/log-batch",
                ["run_id": .string(run), "metrics": [["key": "m", "value": 1, "timestamp": 1, "step": 0]]]
            ),
        ]
        for (path, body) in writes {
            let refused = try mlflow.post(path, body)
            #expect(refused.status == 400)
            #expect(refused.message == "The run \(run) must be in the 'active' state. Current state is deleted.")
        }
        try mlflow.post("runs/restore", ["run_id": .string(run)])
        for (path, body) in writes { #expect(try mlflow.post(path, body).status == 200) }
    }

    @Test("deleting a parent leaves its children alone")
    func childrenStay() throws {
        let mlflow = try TestMLflow()
        let parent = try mlflow.run()
        let child = try mlflow.run(
            in: "0", ["run_name": "child", "tags": [["key": "mlflow.parentRunId", "value": .string(parent)]]])
        try mlflow.post("runs/delete", ["run_id": .string(parent)])
        let info = try mlflow.get("runs/get?run_id=\(child)").json["run"]?["info"]
        #expect(info?["lifecycle_stage"]?.string == "active")
    }

    @Test("a param does not change, and a batch with one that would changes nothing")
    func params() throws {
        let mlflow = try TestMLflow()
        let run = try mlflow.run()
        let first: JSONValue = ["run_id": .string(run), "key": "p", "value": "1"]
        #expect(try mlflow.post("runs/log-parameter", first).status == 200)
        #expect(try mlflow.post("runs/log-parameter", first).status == 200)
        let changed = try mlflow.post("runs/log-parameter", ["run_id": .string(run), "key": "p", "value": "2"])
        #expect(
            changed.message
                == "Changing param values is not allowed. Param with key='p' was already logged with value='1' for run ID='\(run)'. Attempted logging new value '2'."
        )
        let batch = try mlflow.post(
            "runs/log-batch",
            [
                "run_id": .string(run), "params": [["key": "q", "value": "1"], ["key": "p", "value": "9"]],
                "metrics": [["key": "m", "value": 1, "timestamp": 1, "step": 0]], "tags": [["key": "t", "value": "1"]],
            ])
        #expect(batch.message.contains("[{'key': 'p', 'old_value': '1', 'new_value': '9'}]"))
        let data = try mlflow.data(of: run)
        #expect(data["params"]?.array?.count == 1)
        #expect(data["metrics"] == nil)
    }

    @Test(
        "a batch that is wrong is refused whole, and says where",
        arguments: [
            (
                #""metrics":[{"key":"a;b","value":1,"timestamp":1}]"#,
                "parameter 'metrics[0].name' supplied: Names may only"
            ),
            (#""metrics":[{"key":"ok","value":1,"timestamp":1},{"key":"x","timestamp":1}]"#, "metrics[1].value"),
            (#""metrics":[{"key":"x","value":1,"timestamp":-1}]"#, "Timestamp must be a nonnegative long"),
            (#""metrics":[{"key":"x","value":"much","timestamp":1}]"#, "metrics[0].value"),
            (#""metrics":[{"value":1,"timestamp":1}]"#, "Missing value for required parameter 'metrics[0].key'"),
            (
                #""params":[{"key":"z","value":"1"},{"key":"z","value":"1"}]"#,
                "Duplicate parameter keys have been submitted: ['z']"
            ),
            (#""params":[{"key":"../z","value":"1"}]"#, "This name would resolve to '../z'"),
            (#""tags":[{"key":"a/../b","value":"1"}]"#, "This name would resolve to 'b'"),
            (#""metrics":"x""#, "parameter 'metrics' supplied:  Hint: Value was of type 'str'"),
        ])
    func wrongBatches(_ part: String, _ message: String) throws {
        let mlflow = try TestMLflow()
        let run = try mlflow.run()
        let answer = try mlflow.post(
            "runs/log-batch", text: "{\"run_id\":\"\(run)\",\(part)}")
        #expect(answer.status == 400)
        #expect(answer.message.contains(message), "\(answer.message)")
        let data = try mlflow.data(of: run)
        #expect(data["metrics"] == nil && data["params"] == nil)
    }

    @Test("a batch has limits, and says which")
    func batchLimits() throws {
        let mlflow = try TestMLflow()
        let run = try mlflow.run()
        let metrics = (0...1000).map { #"{"key":"m\#($0)","value":1,"timestamp":1}"# }.joined(separator: ",")
        let many = try mlflow.post("runs/log-batch", text: "{\"run_id\":\"\(run)\",\"metrics\":[\(metrics)]}")
        #expect(many.message.hasPrefix("A batch logging request can contain at most 1000 metrics. Got 1001 metrics."))
        let long = try mlflow.post(
            "runs/log-batch", text: "{\"run_id\":\"\(String(repeating: "a", count: 1_000_001))\"}")
        #expect(long.message.hasPrefix("Batched logging API requests must be at most 1000000 bytes"))
    }

    @Test("long params and tags are cut, long keys are refused")
    func lengths() throws {
        let mlflow = try TestMLflow()
        let run = try mlflow.run()
        let text = String(repeating: "é", count: 9000)
        try mlflow.post("runs/log-parameter", ["run_id": .string(run), "key": "p", "value": .string(text)])
        try mlflow.post("runs/set-tag", ["run_id": .string(run), "key": "t", "value": .string(text)])
        #expect(try mlflow.data(of: run)["params"]?[0]?["value"]?.string?.count == 6000)
        #expect(try mlflow.tags(of: run)["t"]?.count == 8000)
        let key = String(repeating: "k", count: 251)
        let refused = try mlflow.post("runs/set-tag", ["run_id": .string(run), "key": .string(key), "value": "v"])
        #expect(refused.message == "'key' exceeds the maximum length of 250 characters")
    }

    @Test("latest is by step, time and value; a point twice is one; NaN is a word and infinity the largest number")
    func metrics() throws {
        let mlflow = try TestMLflow()
        let run = try mlflow.run()
        func log(_ key: String, _ value: JSONValue, _ step: Int64, _ time: Int64) throws {
            let answer = try mlflow.post(
                "runs/log-metric",
                [
                    "run_id": .string(run), "key": .string(key), "value": value, "step": .int(step),
                    "timestamp": .int(time),
                ])
            #expect(answer.status == 200, "\(answer.text)")
        }
        try log("m", 3, 2, 30)
        try log("m", 9, 1, 99)
        try log("m", 3, 2, 30)
        try log("nan", "NaN", 0, 1)
        try log("inf", "-Infinity", 0, 1)
        var latest: [String: JSONValue] = [:]
        for metric in try mlflow.data(of: run)["metrics"]?.array ?? [] {
            latest[metric["key"]?.string ?? ""] = metric["value"]
        }
        #expect(latest["m"]?.double == 3)
        #expect(latest["nan"]?.string == "NaN")
        #expect(latest["inf"]?.double == -Double.greatestFiniteMagnitude)
        let history = try mlflow.get("metrics/get-history?run_id=\(run)&metric_key=m").json["metrics"]?.array ?? []
        #expect(history.map { $0["timestamp"]?.int64 } == [30, 99])
        // The store keeps what was said.
        let id = try #require(RunID(run))
        let view = try #require(try mlflow.view(of: id))
        #expect(view.metric("inf") == -.infinity)
    }

    @Test("a run keeps the end that its client gave, and none when it gave none")
    func ends() throws {
        let mlflow = try TestMLflow()
        let run = try mlflow.run()
        let open = try mlflow.post("runs/update", ["run_id": .string(run), "status": "FINISHED"])
        #expect(open.json["run_info"]?["status"]?.string == "FINISHED")
        #expect(open.json["run_info"]?["end_time"] == nil)
        let ended = try mlflow.post("runs/update", ["run_id": .string(run), "status": "FAILED", "end_time": 1234])
        #expect(ended.json["run_info"]?["end_time"]?.int64 == 1234)
        #expect(try mlflow.post("runs/update", ["run_id": .string(run), "status": "BOGUS"]).status == 400)
    }

    @Test("what runs read is kept once, and the first record of a dataset stays")
    func datasets() throws {
        let mlflow = try TestMLflow()
        let first = try mlflow.run(in: "0", ["run_name": "first"])
        let second = try mlflow.run(in: "0", ["run_name": "second"])
        func log(_ run: String, _ source: String, _ context: String) throws {
            let answer = try mlflow.post(
                "runs/log-inputs",
                [
                    "run_id": .string(run),
                    "datasets": [
                        [
                            "dataset": [
                                "name": "iris", "digest": "d1", "source_type": "local", "source": .string(source),
                            ],
                            "tags": [["key": "mlflow.data.context", "value": .string(context)]],
                        ]
                    ],
                ])
            #expect(answer.status == 200, "\(answer.text)")
        }
        try log(first, "a.csv", "train")
        try log(second, "b.csv", "eval")
        let inputs = try mlflow.get("runs/get?run_id=\(second)").json["run"]?["inputs"]?["dataset_inputs"]?[0]
        #expect(inputs?["dataset"]?["source"]?.string == "a.csv")
        #expect(inputs?["tags"]?[0]?["value"]?.string == "eval")
        #expect(try mlflow.names("datasets.name = 'iris' AND dataset.context = 'train'") == ["first"])
        #expect(try mlflow.names("dataset.digest IN ('d1')", order: ["run_name"]) == ["first", "second"])
    }

    @Test(
        "what is missing is said in MLflow's words, and is never a 500",
        arguments: [
            "runs/create", "runs/update", "runs/delete", "runs/log-metric", "runs/log-parameter", "runs/set-tag",
            "runs/delete-tag", "runs/log-batch", "runs/log-inputs", "runs/outputs", "runs/log-model",
            "experiments/create",
            "experiments/delete", "experiments/update",
        ])
    func missing(_ path: String) throws {
        let mlflow = try TestMLflow()
        for body in [
            "", "{}", "[]", "{\"run_id\": 12, \"name\": 12, \"experiment_id\": 12}", "{\"run_id\": \"nope\"}", "{",
            "\"x\"",
        ] {
            let answer = try mlflow.post(path, text: body)
            #expect(answer.status < 500, "\(path) \(body): \(answer.text)")
            if answer.status != 200 { #expect(!answer.code.isEmpty && !answer.message.isEmpty) }
        }
    }
}
