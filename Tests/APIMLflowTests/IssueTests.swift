import MartletHTTPMessages
import MartletJSON
import Testing

@Suite("Issues as MLflow's clients know them") struct IssueTests {
    private let api: TestMLflow
    private let experiment: String
    private let home = "/api/3.0/mlflow/issues"

    init() throws {
        api = try TestMLflow()
        experiment = try api.experiment("traced")
    }

    private func make(_ name: String, _ more: [String: JSONValue] = [:]) throws -> JSONValue {
        var body = JSONObject()
        (body["experiment_id"], body["name"], body["description"]) = (.string(experiment), .string(name), "It is slow")
        for (key, value) in more { body[key] = value }
        let answer = try api.post(home, .object(body))
        #expect(answer.status == 200, "\(answer.text)")
        return try #require(answer.json["issue"])
    }

    @Test("one is made, read and changed; what is empty stays")
    func life() throws {
        let made = try make(
            "slow", ["severity": "high", "root_causes": ["the disk"], "categories": ["speed"], "created_by": "ada"])
        #expect(made["status"] == "pending" && made["severity"] == "high" && made["root_causes"] == ["the disk"])
        let id = try #require(made["issue_id"]?.string)
        #expect(id.hasPrefix("iss-") && id.count == 36)
        #expect(try api.get("\(home)/\(id)").json["issue"] == made)
        let changed = try api.send(
            .patch, "\(home)/\(id)",
            ["issue_id": .string(id), "status": "resolved", "name": "", "description": "Fixed"])
        let now = try #require(changed.json["issue"])
        #expect(now["status"] == "resolved" && now["name"] == "slow" && now["description"] == "Fixed")
        #expect(now["created_timestamp"] == made["created_timestamp"])
        let missing = try api.get("\(home)/iss-1")
        #expect(missing.status == 404 && missing.message == "Issue with ID 'iss-1' not found")
    }

    @Test("the worst are found first, then those that most traces show, in pages")
    func search() throws {
        let ids = try [("a", "low"), ("b", "high"), ("c", "low")].map { name, severity in
            try #require(try make(name, ["severity": .string(severity)])["issue_id"]?.string)
        }
        _ = try make("d", ["status": "resolved", "source_run_id": "r1"])
        for (number, issue) in [0, 0, 2].enumerated() {
            let place: JSONValue = [
                "type": "MLFLOW_EXPERIMENT", "mlflow_experiment": ["experiment_id": .string(experiment)],
            ]
            try api.post(
                "/api/3.0/mlflow/traces",
                [
                    "trace": [
                        "trace_info": [
                            "trace_id": .string("tr-\(number)"), "trace_location": place,
                            "request_time": "2025-04-15T08:49:00Z", "state": "OK",
                        ]
                    ]
                ])
            let judged = try api.post(
                "/api/3.0/mlflow/traces/tr-\(number)/assessments",
                [
                    "assessment": [
                        "assessment_name": .string(ids[issue]), "trace_id": .string("tr-\(number)"),
                        "source": ["source_type": "HUMAN", "source_id": "ada"],
                        "issue": ["issue_name": "a"],
                    ]
                ])
            #expect(judged.status == 200, "\(judged.text)")
        }
        func found(_ more: [String: JSONValue]) throws -> (names: [String], counts: [Int64?], next: String) {
            var body = JSONObject()
            for (key, value) in more { body[key] = value }
            let answer = try api.post("\(home)/search", .object(body))
            #expect(answer.status == 200, "\(answer.text)")
            let rows = answer.json["issues"]?.array ?? []
            return (
                rows.compactMap { $0["name"]?.string }, rows.map { $0["trace_count"]?.int64 },
                answer.json["next_page_token"]?.string ?? "none"
            )
        }
        #expect(try found([:]).names == ["b", "c", "a", "d"])
        let counted = try found(["include_trace_count": true, "experiment_id": .string(experiment)])
        #expect(counted.names == ["b", "a", "c", "d"] && counted.counts == [0, 2, 1, 0])
        let first = try found(["max_results": 3])
        #expect(first.names == ["b", "c", "a"] && first.next != "")
        let second = try found(["max_results": 3, "page_token": .string(first.next)])
        #expect(second.names == ["d"] && second.next == "")
        #expect(try found(["filter_string": "status = 'resolved'"]).names == ["d"])
        #expect(try found(["filter_string": "status != 'resolved'"]).names == ["b", "c", "a"])
        #expect(try found(["filter_string": "source_run_id = 'r1' AND status = 'resolved'"]).names == ["d"])
        #expect(try found(["filter_string": "source_run_id != 'r2'"]).names == ["d"])
        #expect(try found(["experiment_id": "0"]).names.isEmpty)
        let wrong = try api.post("\(home)/search", ["filter_string": "name = 'a'"])
        #expect(wrong.status == 400 && wrong.message.hasPrefix("Invalid filter field 'name'."))
    }

    @Test("what is missing or no word of the protocol is refused")
    func refusals() throws {
        func answer(_ body: JSONValue) throws -> Answer { try api.post(home, body) }
        let id = JSONValue.string(experiment)
        #expect(try answer(["experiment_id": id, "name": "a"]).message.contains("'description'"))
        #expect(
            try answer(["experiment_id": "999", "name": "a", "description": "b"]).code == "RESOURCE_DOES_NOT_EXIST")
        let worse: JSONValue = ["experiment_id": id, "name": "a", "description": "b", "severity": "terrible"]
        #expect(try answer(worse).status == 400)
    }
}
