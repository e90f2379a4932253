import MartletHTTPMessages
import MartletJSON
import Testing

@Suite("MLflow's clients keep traces") struct TraceTests {
    private let api: TestMLflow
    private let experiment: String
    private let home = "/api/3.0/mlflow/traces"

    init() throws {
        api = try TestMLflow()
        experiment = try api.experiment("traced")
    }

    @discardableResult
    private func start(_ id: String, at second: Int = 0, _ more: [String: JSONValue] = [:]) throws -> JSONValue {
        var info = JSONObject()
        info["trace_id"] = .string(id)
        info["trace_location"] = [
            "type": "MLFLOW_EXPERIMENT", "mlflow_experiment": ["experiment_id": .string(experiment)],
        ]
        info["request_time"] = .string("2025-04-15T08:49:0\(second).250Z")
        info["execution_duration"] = "1.5s"
        info["state"] = "OK"
        for (key, value) in more { info[key] = value }
        let made = try api.post(home, ["trace": ["trace_info": .object(info)]])
        return try #require(made.json["trace"]?["trace_info"], "\(made.message)")
    }

    private func search(_ filter: String, _ order: [JSONValue] = []) throws -> [String] {
        let found = try api.post(
            "\(home)/search",
            [
                "locations": [["mlflow_experiment": ["experiment_id": .string(experiment)]]],
                "filter": .string(filter), "order_by": .array(order),
            ])
        guard found.status == 200 else { throw TestMLflow.Trouble(what: found.message) }
        return (found.json["traces"]?.array ?? []).compactMap { $0["trace_id"]?.string }
    }

    // MARK: Spans, written as the exporters do

    private func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        var out = [number << 3 | 2]
        var count = bytes.count
        while count >= 0x80 {
            out.append(UInt8(count & 0x7F) | 0x80)
            count >>= 7
        }
        return out + [UInt8(count)] + bytes
    }

    private func fixed(_ number: UInt8, _ value: UInt64) -> [UInt8] {
        [number << 3 | 1] + (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }

    private func attribute(_ key: String, _ value: [UInt8]) -> [UInt8] {
        field(9, field(1, Array(key.utf8)) + field(2, value))
    }

    private func request(_ trace: String, span: UInt8, parent: UInt8? = nil, name: String, failed: Bool = false)
        -> [UInt8]
    {
        var body = field(1, [UInt8](repeating: 7, count: 16)) + field(2, [0, 0, 0, 0, 0, 0, 0, span])
        if let parent { body += field(4, [0, 0, 0, 0, 0, 0, 0, parent]) }
        body += field(5, Array(name.utf8)) + fixed(7, 1_000_000_000) + fixed(8, 3_500_000_000)
        body += attribute("mlflow.traceRequestId", field(1, Array(trace.utf8)))
        body += attribute("temperature", fixed(4, (0.7).bitPattern))
        body += attribute("mlflow.spanInputs", field(1, Array("what is it?".utf8)))
        // kvlist {input_tokens: 5}
        let tokens = field(6, field(1, field(1, Array("input_tokens".utf8)) + field(2, [3 << 3, 5])))
        body += attribute("mlflow.chat.tokenUsage", tokens)
        body += field(15, [3 << 3, failed ? 2 : 1])
        return field(1, field(2, field(2, body)))
    }

    @discardableResult
    private func log(_ bytes: [UInt8], type: String = "application/x-protobuf") throws -> Answer {
        try api.send(
            .post, "/v1/traces", headers: ["Content-Type": type, "x-mlflow-experiment-id": experiment], body: bytes)
    }

    // MARK: Tests

    @Test("what its writer says of a trace comes back, with the place of its artifacts")
    func started() throws {
        try start("tr-1", ["tags": ["a": "b"], "trace_metadata": ["k": "v"], "client_request_id": "c"])
        let info = try #require(try api.get("\(home)/tr-1").json["trace"]?["trace_info"])
        #expect(info["request_time"] == "2025-04-15T08:49:00.250Z" && info["execution_duration"] == "1.500s")
        #expect(info["state"] == "OK" && info["client_request_id"] == "c")
        #expect(info["trace_metadata"]?["k"] == "v" && info["tags"]?["a"] == "b")
        #expect(info["tags"]?["mlflow.artifactLocation"]?.string?.hasSuffix("/traces/tr-1/artifacts") == true)
        let missing = try api.get("\(home)/tr-2")
        #expect(missing.status == 404 && missing.message == "Trace with ID 'tr-2' not found.")
    }

    @Test("tags are set, cut when they are too long, and taken away once; their keys are checked")
    func tags() throws {
        try start("tr-1")
        let tags = "/api/2.0/mlflow/traces/tr-1/tags"
        try api.send(.patch, tags, ["key": "k", "value": .string(String(repeating: "x", count: 9000))])
        let info = try api.get("\(home)/tr-1").json["trace"]?["trace_info"]
        #expect(info?["tags"]?["k"]?.string?.count == 8000)
        #expect(try api.send(.delete, tags, ["key": "k"]).status == 200)
        let again = try api.send(.delete, tags, ["key": "k"])
        #expect(again.status == 404 && again.message == "No trace tag with key 'k' for trace with ID 'tr-1'")
        for key in ["a?b", "../", "/.:\\.", String(repeating: "a", count: 251), ""] {
            let refused = try api.send(.patch, tags, ["key": .string(key), "value": "v"])
            #expect(refused.status == 400 && refused.code == "INVALID_PARAMETER_VALUE", "\(key)")
        }
    }

    @Test("spans begin a trace; tokens add up, times widen, and its writer's word comes last")
    func spans() throws {
        #expect(try log(request("tr-9", span: 2, parent: 1, name: "child")).status == 200)
        func info() throws -> JSONValue? { try api.get("\(home)/tr-9").json["trace"]?["trace_info"] }
        #expect(try info()?["state"] == "IN_PROGRESS")
        let answer = try log(request("tr-9", span: 1, name: "root", failed: true))
        #expect(answer.type == "application/x-protobuf" && answer.body.isEmpty)
        #expect(try info()?["state"] == "ERROR" && info()?["execution_duration"] == "2.500s")
        #expect(try info()?["trace_metadata"]?["mlflow.trace.tokenUsage"] == #"{"input_tokens":10}"#)
        #expect(try info()?["request_preview"] == #""what is it?""#)
        try start("tr-9", ["tags": ["mine": "1"]])
        #expect(try info()?["state"] == "OK" && info()?["execution_duration"] == "1.500s")
        #expect(try info()?["tags"]?["mlflow.trace.spansLocation"] == "TRACKING_STORE")
        #expect(try info()?["request_preview"] == #""what is it?""#)
        let trace = try #require(try api.get("\(home)/get?trace_id=tr-9").json["trace"])
        #expect(trace["spans"]?.array?.map { $0["name"] } == ["root", "child"], "the root first")
        #expect(trace["spans"]?[0]?["attributes"]?[1]?["value"] == ["double_value": 0.7])
    }

    @Test("a trace of which spans are still to come is told only to those who ask for a part")
    func partial() throws {
        try start("tr-9", ["trace_metadata": ["mlflow.trace.sizeStats": #"{"num_spans": 2}"#]])
        try log(request("tr-9", span: 1, name: "root"))
        #expect(try api.get("\(home)/get?trace_id=tr-9").status == 404)
        #expect(try api.get("\(home)/get?trace_id=tr-9&allow_partial=true").status == 200)
        #expect(try api.get("\(home)/batchGet?trace_ids=tr-9").json["traces"] == nil)
        #expect(
            try api.post("\(home)/batchGetInfos", ["trace_ids": ["x", "tr-9"]]).json["trace_infos"]?.array?.count == 1)
    }

    @Test("a body that is cut off anywhere is refused, and never half taken")
    func damaged() throws {
        let whole = request("tr-9", span: 1, name: "root")
        for count in 1..<whole.count {
            #expect(try log(Array(whole.prefix(count))).status == 400, "\(count) bytes")
        }
        #expect(try log([]).status == 400)
        #expect(try log(whole, type: "text/plain").status == 400)
        #expect(try log(field(1, field(2, field(2, field(5, [0x61]))))).status == 422, "a span without ids")
        #expect(try api.send(.post, "/v1/traces", headers: ["Content-Type": "application/x-protobuf"]).status == 422)
        #expect(try search("") == [])
    }

    @Test("an attribute that is nested without end is refused")
    func nested() throws {
        var value = field(1, [0x61])
        for _ in 0..<40 { value = field(5, field(1, value)) }
        let body = field(1, [UInt8](repeating: 7, count: 16)) + field(2, [1]) + attribute("deep", value)
        #expect(try log(field(1, field(2, field(2, body)))).status == 400)
    }

    @Test("OpenTelemetry's JSON is read like its protobuf")
    func json() throws {
        let body = #"""
            {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
            "scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708",
            "name":"root","startTimeUnixNano":"1000000000","endTimeUnixNano":"2000000000",
            "attributes":[{"key":"n","value":{"intValue":"5"}}],"status":{"code":1}}]}]}]}
            """#
        #expect(try log(Array(body.utf8), type: "application/json").status == 200)
        let trace = try api.get("\(home)/get?trace_id=tr-0102030405060708090a0b0c0d0e0f10").json["trace"]
        #expect(trace?["trace_info"]?["execution_duration"] == "1s")
        #expect(trace?["spans"]?[0]?["attributes"]?[0]?["value"] == ["int_value": 5])
        #expect(trace?["spans"]?[0]?["attributes"]?[1]?["key"] == "service.name")
    }

    @Test("a search looks at fields, tags, metadata, spans and assessments")
    func searched() throws {
        try start("tr-1", at: 1, ["tags": ["mlflow.traceName": "ask"], "trace_metadata": ["m": "x"]])
        try start("tr-2", at: 2, ["state": "ERROR"])
        try start("tr-3", at: 3, ["execution_duration": "0.020s"])
        try log(request("tr-2", span: 1, name: "retrieve", failed: true))
        try log(request("tr-2", span: 2, parent: 1, name: "answer"))
        try api.post(
            "\(home)/tr-3/assessments",
            [
                "assessment": [
                    "assessment_name": "good", "feedback": ["value": true], "source": ["source_type": "HUMAN"],
                ]
            ])
        #expect(try search("") == ["tr-3", "tr-2", "tr-1"], "newest first")
        for (filter, expected) in [
            ("name = 'ask'", ["tr-1"]), ("status = 'ERROR'", ["tr-2"]), ("execution_time < 100", ["tr-3"]),
            ("metadata.m = 'x'", ["tr-1"]), ("tag.`mlflow.traceName` IS NULL", ["tr-3", "tr-2"]),
            ("name RLIKE '^a.k$'", ["tr-1"]), ("feedback.good = 'true'", ["tr-3"]),
            ("feedback.good IS NULL", ["tr-2", "tr-1"]), ("span.name LIKE 'retr%'", ["tr-2"]),
            ("span.name = 'retrieve' AND span.status = 'ERROR'", ["tr-2"]),
            ("span.name = 'answer' AND span.status = 'ERROR'", []), ("span.attributes.temperature = '0.7'", ["tr-2"]),
            ("trace.text ILIKE '%WHAT IS%'", ["tr-2"]),
            ("trace.text LIKE '%string_value%'", []),
        ] { #expect(try search(filter) == expected, "\(filter)") }
        #expect(try search("", ["timestamp ASC"]) == ["tr-1", "tr-2", "tr-3"])
        #expect(try search("", ["name"]) == ["tr-1", "tr-3", "tr-2"], "what has no name comes last")
        for (filter, says) in [
            ("foo.bar = 'x'", "Invalid entity type 'foo'"), ("span.size = '1'", "Invalid span attribute 'size'"),
            ("name IN ('a')", "Invalid comparator 'IN'"), ("name RLIKE '('", ""),
        ] {
            let refused = #expect(throws: TestMLflow.Trouble.self) { try search(filter) }
            #expect(refused?.what.contains(says) == true || says.isEmpty, "\(filter): \(refused?.what ?? "")")
        }
    }

    @Test("an assessment that takes another's place makes it invalid, until it is deleted")
    func assessments() throws {
        try start("tr-1")
        func add(_ value: JSONValue, overrides: String = "") throws -> JSONValue {
            let made = try api.post(
                "\(home)/tr-1/assessments",
                [
                    "assessment": [
                        "assessment_name": "good", "feedback": ["value": value], "overrides": .string(overrides),
                        "source": ["source_type": "HUMAN", "source_id": "ada"], "metadata": ["a": "1"],
                    ]
                ])
            return try #require(made.json["assessment"], "\(made.message)")
        }
        let first = try #require(try add("no")["assessment_id"]?.string)
        let second = try #require(try add("yes", overrides: first)["assessment_id"]?.string)
        func isValid() throws -> JSONValue? {
            try api.get("\(home)/tr-1/assessments/\(first)").json["assessment"]?["valid"]
        }
        #expect(try isValid() == false)
        let change: JSONValue = [
            "assessment": ["assessment_name": "better", "metadata": ["b": "2"], "feedback": ["value": "x"]],
            "update_mask": "assessmentName,metadata",
        ]
        let changed = try api.send(.patch, "\(home)/tr-1/assessments/\(second)", change).json["assessment"]
        #expect(changed?["assessment_name"] == "better" && changed?["metadata"] == ["a": "1", "b": "2"])
        #expect(changed?["feedback"] == ["value": "yes"], "only what the mask names changes")
        for _ in 0..<2 { #expect(try api.send(.delete, "\(home)/tr-1/assessments/\(second)").status == 200) }
        #expect(try isValid() == true)
        #expect(try api.get("\(home)/tr-1/assessments/a-0").status == 404)
    }

    @Test("traces are linked to runs, before or after they come, and deleted with their spans")
    func linked() throws {
        let link: JSONValue = ["trace_ids": ["tr-1", "tr-9"], "run_id": "r"]
        try start("tr-1")
        #expect(try api.post("/api/2.0/mlflow/traces/link-to-run", link).status == 200)
        try log(request("tr-9", span: 1, name: "root"))
        #expect(try Set(search("run_id = 'r'")) == ["tr-1", "tr-9"])
        func delete(_ more: JSONValue) throws -> Answer {
            var body = try #require(more.object)
            body["experiment_id"] = .string(experiment)
            return try api.post("\(home)/delete-traces", .object(body))
        }
        #expect(try delete([:]).status == 400)
        #expect(try delete(["request_ids": ["tr-9", "tr-0"]]).json["traces_deleted"] == 1)
        try log(request("tr-9", span: 3, name: "again"))
        #expect(try api.get("\(home)/get?trace_id=tr-9").json["trace"]?["spans"]?.array?.count == 1)
        #expect(try delete(["max_timestamp_millis": 4_000_000_000_000, "max_traces": 1]).json["traces_deleted"] == 1)
        #expect(try search("") == ["tr-1"], "the oldest goes first")
    }

    @Test("clients before 3.0 begin a trace by one call and end it by another")
    func older() throws {
        let begun = try api.post(
            "/api/2.0/mlflow/traces",
            ["experiment_id": .string(experiment), "timestamp_ms": 1000, "tags": [["key": "a", "value": "b"]]])
        let id = try #require(begun.json["trace_info"]?["request_id"]?.string)
        #expect(begun.json["trace_info"]?["status"] == "IN_PROGRESS")
        try api.send(.patch, "/api/2.0/mlflow/traces/\(id)", ["timestamp_ms": 1250, "status": "OK"])
        let info = try api.get("/api/2.0/mlflow/traces/\(id)/info").json["trace_info"]
        #expect(info?["execution_time_ms"] == 250 && info?["status"] == "OK")
        let found = try api.get("/api/2.0/mlflow/traces?experiment_ids=\(experiment)&filter=tags.a%20%3D%20%27b%27")
        #expect(found.json["traces"]?[0]?["request_id"] == .string(id))
    }

    @Test("what is not served says so in MLflow's shape")
    func unserved() throws {
        for target in ["/api/3.0/mlflow/scorers/online-configs", "/ajax-api/3.0/mlflow/gateway/endpoints/list"] {
            let answer = try api.get(target)
            #expect(answer.status == 501 && answer.code == "NOT_IMPLEMENTED" && !answer.message.isEmpty)
        }
        #expect(try api.post("\(home)/metrics").status == 501, "though it looks like the id of a trace")
        let unknown = try api.get("/api/2.0/mlflow/no/such/thing")
        #expect(unknown.status == 404 && unknown.code == "ENDPOINT_NOT_FOUND")
        #expect(try api.get("/api/v1/runs").code.isEmpty, "that is no address of this surface")
    }

    @Test("how often two filters meet is counted")
    func correlation() throws {
        for (index, tag) in ["a", "a", "b", "b"].enumerated() {
            try start("tr-\(index)", at: index, ["tags": ["t": .string(tag)], "state": index < 2 ? "ERROR" : "OK"])
        }
        let counts = try api.post(
            "\(home)/calculate-filter-correlation",
            [
                "experiment_ids": [.string(experiment)], "filter_string1": "tags.t = 'a'",
                "filter_string2": "status = 'ERROR'",
            ]
        ).json
        #expect(counts["npmi"] == 1.0 && counts["joint_count"] == 2 && counts["total_count"] == 4)
    }

    @Test("a trace is there as the file that MLflow's pages fetch, and so are its attachments")
    func files() throws {
        #expect(try log(request("tr-7", span: 1, name: "root")).status == 200)
        let file = try api.get("/ajax-api/3.0/mlflow/get-trace-artifact?request_id=tr-7")
        #expect(file.headers["content-disposition"] == "attachment; filename=traces.json")
        let span = try #require(file.json["spans"]?[0])
        #expect(span["name"] == "root" && span["parent_span_id"] == JSONValue.null)
        #expect(
            span["attributes"]?["temperature"] == "0.7" && span["attributes"]?["mlflow.spanInputs"] == "\"what is it?\""
        )
        let place = "/api/2.0/mlflow-artifacts/artifacts/\(experiment)/traces/tr-7/artifacts/attachments/a.bin"
        #expect(try api.upload(place, [1, 2, 3]).status == 200)
        #expect(try api.get("/ajax-api/2.0/mlflow/get-trace-artifact?request_id=tr-7&path=a.bin").status == 200)
        #expect(try api.get("/ajax-api/2.0/mlflow/get-trace-artifact?request_id=tr-7&path=b.bin").status == 404)
        #expect(try api.get("/ajax-api/2.0/mlflow/get-trace-artifact?request_id=tr-7&path=../a").status == 400)
        #expect(try api.get("/ajax-api/2.0/mlflow/get-trace-artifact?request_id=tr-8").status == 404)
        #expect(try api.get("/ajax-api/2.0/mlflow/get-trace-artifact").status == 400)
        let counted = try api.post("\(home)/metrics", [:])
        #expect(counted.status == 501 && counted.code == "NOT_IMPLEMENTED")
    }

    @Test("pages of a large experiment are those of the whole in order, whatever is written between the searches")
    func manyTraces() throws {
        var known: [(id: String, second: Int, duration: Int)] = []
        func add(_ number: Int) throws {
            let (second, duration) = ((number * 37) % 60, (number * 11) % 7)
            let id = "tr-\(number)"
            try start(
                id,
                [
                    "request_time": .string("2025-04-15T08:49:\(second < 10 ? "0" : "")\(second).000Z"),
                    "execution_duration": .string("\(duration)s"), "request_preview": .string("what \(number)"),
                ])
            known.append((id, second, duration))
        }
        func page(_ order: [JSONValue], _ token: String) throws -> (ids: [String], previews: [String], next: String?) {
            let answer = try api.post(
                "\(home)/search",
                [
                    "locations": [["mlflow_experiment": ["experiment_id": .string(experiment)]]], "max_results": 4,
                    "order_by": .array(order), "page_token": .string(token),
                ])
            let rows = answer.json["traces"]?.array ?? []
            return (
                rows.compactMap { $0["trace_id"]?.string }, rows.compactMap { $0["request_preview"]?.string },
                answer.json["next_page_token"]?.string
            )
        }
        func all(_ order: [JSONValue]) throws -> [String] {
            var (ids, token): ([String], String?) = ([], "")
            while let next = token {
                let found = try page(order, next)
                #expect(found.previews == found.ids.map { "what \($0.dropFirst(3))" })
                ids += found.ids
                token = found.next
            }
            return ids
        }
        for round in 0..<3 {
            for number in 0..<40 { try add(round * 40 + number) }
            let newest = known.sorted { ($1.second, $0.id) < ($0.second, $1.id) }.map(\.id)
            #expect(try all([]) == newest)
            let slowest = known.sorted { ($1.duration, $1.second, $0.id) < ($0.duration, $0.second, $1.id) }.map(\.id)
            #expect(try all(["execution_time DESC"]) == slowest)
            let gone = known.removeFirst().id
            try api.post(
                "\(home)/delete-traces", ["experiment_id": .string(experiment), "request_ids": [.string(gone)]])
            let changed = try #require(known.first?.id)
            try api.send(.patch, "\(home)/\(changed)/tags", ["key": "round", "value": .string("\(round)")])
            #expect(try search("tags.round = '\(round)'") == [changed])
            #expect(try !all([]).contains(gone))
        }
    }
}
