import MartletJSON
import Testing

@Suite("MLflow's filters and orders mean what they mean there") struct FilterTests {
    /// Three runs that differ in all that a filter can look at.
    private func lab() throws -> TestMLflow {
        let mlflow = try TestMLflow()
        for (name, lr, acc, tag) in [("a", "0.1", "0.9", "x"), ("b", "0.10", "0.5", "y"), ("c", "10", "NaN", nil)] {
            var tags: [JSONValue] = [["key": "all", "value": "1"]]
            if let tag { tags.append(["key": "t.dotted", "value": .string(tag)]) }
            let run = try mlflow.run(in: "0", ["run_name": .string(name), "tags": .array(tags)])
            let answer = try mlflow.post(
                "runs/log-batch",
                [
                    "run_id": .string(run), "params": [["key": "lr", "value": .string(lr)]],
                    "metrics": [["key": "acc", "value": .string(acc), "timestamp": 1, "step": 0]],
                ])
            #expect(answer.status == 200, "\(answer.text)")
        }
        return mlflow
    }

    @Test(
        "what a filter finds",
        arguments: [
            ("", ["c", "b", "a"]),
            ("metrics.acc > 0.6", ["a"]),
            ("metric.acc>=0.5 and metrics.acc <= 0.5", ["b"]),
            // Params are texts: 0.1 and 0.10 are two.
            ("params.lr = '0.1'", ["a"]),
            ("params.lr = \"0.10\"", ["b"]),
            ("params.lr LIKE '0.1%'", ["b", "a"]),
            ("params.lr != '0.1'", ["c", "b"]),
            ("parameters.LR = '0.1'", []),
            ("tags.`t.dotted` = 'x'", ["a"]),
            ("tags.t.dotted ILIKE 'X'", ["a"]),
            ("tags.\"t.dotted\" != 'x'", ["b"]),
            ("tags.`t.dotted` IS NULL", ["c"]),
            ("tags.`t.dotted` IS NOT NULL AND tags.all = '1'", ["b", "a"]),
            ("run_name = 'a'", ["a"]),
            ("attributes.`Run name` LIKE '_'", ["c", "b", "a"]),
            ("status = 'RUNNING'", ["c", "b", "a"]),
            ("attribute.status LIKE 'FIN%'", []),
            ("status != 'FINISHED' AND", ["c", "b", "a"]),
            ("start_time > 0", ["c", "b", "a"]),
            ("end_time > 0", []),
            // A backslash is a backslash.
            ("run_name LIKE '\\a'", []),
        ])
    func finds(_ filter: String, _ names: [String]) throws {
        #expect(try lab().names(filter) == names)
    }

    @Test(
        "orders: numbers, then NaN, then what is missing, both ways; ties by the newest",
        arguments: [
            (["metrics.acc"], ["b", "a", "c"]), (["metrics.acc DESC"], ["a", "b", "c"]),
            (["params.lr"], ["a", "b", "c"]), (["params.lr desc"], ["c", "b", "a"]),
            (["tags.`t.dotted`"], ["a", "b", "c"]), (["tags.`t.dotted` DESC"], ["b", "a", "c"]),
            (["attributes.start_time ASC"], ["a", "b", "c"]), (["metrics.none"], ["c", "b", "a"]),
            (["tags.all", "run_name DESC"], ["c", "b", "a"]),
        ])
    func orders(_ order: [String], _ names: [String]) throws {
        #expect(try lab().names(order: order) == names)
    }

    @Test(
        "what is wrong is refused as MLflow does",
        arguments: [
            ("metrics.acc > 'a'", "Expected numeric value type for metric. Found 'a'"),
            ("params.lr = 1", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 1"),
            (
                "params.lr = abc",
                "Parameter value is either not quoted or unidentified quote types used for string value abc"
            ),
            ("params.lr > '1'", "Invalid comparator '>' not one of"),
            (
                "foo.bar = 'x'",
                "Invalid entity type 'foo'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"
            ),
            ("bogus = 'x'", "Invalid attribute key 'bogus' specified"),
            ("metrics.a = 1 OR metrics.b = 1", "Invalid clause(s) in filter string: 'OR'"),
            ("metrics.a = 1; DROP TABLE runs", "Invalid clause(s) in filter string: 'DROP'"),
            ("metrics.a IS NULL", "IS NULL / IS NOT NULL is only supported for tags and params"),
            ("attributes.run_name IN ('a')", "Only the 'run_id' attribute supports comparison with a list"),
            ("run_id IN (,)", "but got ill-formed list"),
            ("run_id IN ('a',,'b')", "but got ill-formed list"),
            ("run_id IN (", "Invalid clause(s) in filter string"),
            ("run_id LIKE", "Invalid clause(s) in filter string"),
            ("run_id IN ()", "expected a non-empty list of string values"),
            ("start_time = 'x'", "Expected numeric value type for numeric attribute: start_time. Found 'x'"),
            ("tags.a = 'unclosed", "Invalid clause(s) in filter string"),
        ])
    func refuses(_ filter: String, _ message: String) throws {
        let answer = try TestMLflow().search(filter)
        #expect(answer.status == 400)
        #expect(answer.code == "INVALID_PARAMETER_VALUE")
        #expect(answer.message.contains(message), "\(answer.message)")
    }

    @Test("a filter of any bytes is answered, and never by a 500")
    func anyBytes() throws {
        let mlflow = try lab()
        var random = SystemRandomNumberGenerator()
        let pieces = [
            "metrics", ".", "acc", " ", "'", "\"", "`", "(", ")", ",", "=", "!", "<", ">", "AND", "OR", "NOT", "IN",
            "LIKE",
            "IS", "NULL", "1", "-", "e9", "%", "\\", "é", "\u{202E}", "\n", ";", "tags", "params", "dataset", "name",
        ]
        for _ in 0..<2000 {
            let count = Int.random(in: 1...12, using: &random)
            let filter = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            let answer = try mlflow.search(filter)
            #expect(answer.status == 200 || answer.status == 400, "\(filter): \(answer.text)")
            let ordered = try mlflow.search("", order: [filter])
            #expect(ordered.status == 200 || ordered.status == 400, "order \(filter): \(ordered.text)")
        }
    }

    @Test("pages of a search stay whole while runs are added")
    func stablePages() throws {
        let mlflow = try TestMLflow()
        for number in 0..<7 { _ = try mlflow.run(in: "0", ["run_name": .string("r\(number)")]) }
        var seen: [String] = []
        var token: String?
        repeat {
            var body = JSONObject([.init("experiment_ids", ["0"]), .init("max_results", 3)])
            if let token { body["page_token"] = .string(token) }
            let answer = try mlflow.post("runs/search", .object(body))
            seen += (answer.json["runs"]?.array ?? []).compactMap { $0["info"]?["run_name"]?.string }
            token = answer.json["next_page_token"]?.string
            _ = try mlflow.run(in: "0", ["run_name": "late"])
        } while token != nil
        #expect(seen == (0..<7).reversed().map { "r\($0)" })
        let refused = try mlflow.post("runs/search", ["experiment_ids": ["0"], "page_token": "nonsense"])
        #expect(refused.message.hasPrefix("Invalid page token, could not base64-decode"))
    }

    @Test("sampling keeps each run's first and last step")
    func samples() throws {
        let mlflow = try TestMLflow()
        let (long, short) = (try mlflow.run(), try mlflow.run())
        for (run, steps) in [(long, 0..<50), (short, 13..<15)] {
            let metrics = steps.map { #"{"key":"m","value":\#($0),"timestamp":\#($0),"step":\#($0)}"# }
            try mlflow.post(
                "runs/log-batch", text: "{\"run_id\":\"\(run)\",\"metrics\":[\(metrics.joined(separator: ","))]}")
        }
        let answer = try mlflow.get(
            "metrics/get-history-bulk-interval?run_ids=\(long)&run_ids=\(short)&metric_key=m&max_results=5")
        var steps: [String: [Int64]] = [:]
        for point in answer.json["metrics"]?.array ?? [] {
            steps[point["run_id"]?.string ?? "", default: []].append(point["step"]?.int64 ?? -1)
        }
        #expect(steps[long] == [0, 10, 13, 14, 20, 30, 40, 49])
        #expect(steps[short] == [13, 14])
    }
}
