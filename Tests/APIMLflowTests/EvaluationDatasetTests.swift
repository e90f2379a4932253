import MartletHTTPMessages
import MartletJSON
import Testing

@Suite("MLflow's clients keep datasets for evaluation") struct EvaluationDatasetTests {
    private let api: TestMLflow
    private let home = "/api/3.0/mlflow/datasets"

    init() throws { api = try TestMLflow() }

    private func create(_ name: String, tags: String = "", in experiments: [String] = []) throws -> JSONValue {
        let made = try api.post(
            "\(home)/create",
            [
                "name": .string(name), "tags": .string(tags),
                "experiment_ids": .array(experiments.map { .string($0) }),
            ])
        return try #require(made.json["dataset"], "\(made.message)")
    }

    private func upsert(_ records: String, into id: String) throws -> JSONValue {
        try api.post("\(home)/\(id)/records", ["records": .string(records)]).json
    }

    private func records(of id: String) throws -> [JSONValue] {
        let page = try api.get("\(home)/\(id)/records").json
        return try JSONValue(parsing: try #require(page["records"]?.string)).array ?? []
    }

    @Test("what is said of a dataset comes back, and its experiments are told apart")
    func created() throws {
        let experiment = try api.experiment("judged")
        let made = try create("questions", tags: #"{"mlflow.user":"ada","n":3}"#, in: [experiment])
        let id = try #require(made["dataset_id"]?.string)
        #expect(id.hasPrefix("d-") && made["created_by"] == "ada" && made["profile"] == nil && made["schema"] == nil)
        #expect(made["tags"] == #"{"mlflow.user":"ada","n":"3"}"#)
        #expect(try api.get("\(home)/\(id)").json["dataset"]?["experiment_ids"] == nil)
        #expect(try api.get("\(home)/\(id)/experiment-ids").json["experiment_ids"] == [.string(experiment)])
        let other = try api.experiment("other")
        try api.post("\(home)/\(id)/add-experiments", ["experiment_ids": [.string(other)]])
        try api.post("\(home)/\(id)/remove-experiments", ["experiment_ids": [.string(experiment)]])
        #expect(try api.get("\(home)/\(id)/experiment-ids").json["experiment_ids"] == [.string(other)])
    }

    @Test("equal inputs are one record whatever the order of their fields, and a repeat adds to it")
    func upserted() throws {
        let id = try #require(try create("questions")["dataset_id"]?.string)
        let first = try upsert(
            #"[{"inputs":{"a":1,"b":[true]},"expectations":{"x":1},"source":{"source_type":"trace","source_data":{"trace_id":"tr-1"}}},{"inputs":{"a":2}}]"#,
            into: id)
        #expect(first["inserted_count"] == 2 && first["updated_count"] == 0)
        let before = try api.get("\(home)/\(id)").json["dataset"]?["digest"]
        let second = try upsert(#"[{"inputs":{"b":[true],"a":1},"expectations":{"y":"z"},"outputs":"text"}]"#, into: id)
        #expect(second["inserted_count"] == 0 && second["updated_count"] == 1)
        let record = try #require(try records(of: id).first)
        #expect(record["expectations"] == ["x": 1, "y": "z"] && record["outputs"] == "text")
        #expect(record["source_id"] == "tr-1" && record["source_type"] == "TRACE")
        let dataset = try #require(try api.get("\(home)/\(id)").json["dataset"])
        #expect(dataset["digest"] != before && dataset["profile"] == #"{"num_records": 2}"#)
        let schema = try JSONValue(parsing: try #require(dataset["schema"]?.string))
        #expect(schema["inputs"] == ["a": "integer", "b": "array"])
        #expect(schema["expectations"] == ["x": "integer", "y": "string"])
    }

    @Test("records come in pages, and those that are deleted are gone once")
    func deleted() throws {
        let id = try #require(try create("questions")["dataset_id"]?.string)
        _ = try upsert(#"[{"inputs":{"n":0}},{"inputs":{"n":1}},{"inputs":{"n":2}}]"#, into: id)
        let first = try api.get("\(home)/\(id)/records?max_results=2").json
        let token = try #require(first["next_page_token"]?.string)
        let rest = try api.get("\(home)/\(id)/records?max_results=2&page_token=\(token.replacing("=", with: "%3D"))")
        #expect(rest.json["next_page_token"] == nil)
        let last = try #require(try records(of: id).last?["dataset_record_id"]?.string)
        for count in [1, 0] as [Int64] {
            let answer = try api.send(.delete, "\(home)/\(id)/records", ["dataset_record_ids": [.string(last)]])
            #expect(answer.json["deleted_count"] == .int(count))
        }
        #expect(try records(of: id).count == 2)
    }

    @Test("a search takes filters on fields and tags, an order and pages")
    func searched() throws {
        let experiment = try api.experiment("judged")
        for (name, level) in [("b", "high"), ("a", "low"), ("c", "high")] {
            _ = try create(name, tags: #"{"level":"\#(level)"}"#, in: name == "c" ? [experiment] : [])
        }
        func names(_ query: JSONValue) throws -> [String?] {
            try api.post("\(home)/search", query).json["datasets"]?.array?.map { $0["name"]?.string } ?? []
        }
        #expect(try names([:]) == ["c", "a", "b"], "newest first")
        #expect(try names(["filter_string": "tags.level = 'high'", "order_by": ["name"]]) == ["b", "c"])
        #expect(try names(["filter_string": "name LIKE '%a%' AND tags.level != 'high'"]) == ["a"])
        #expect(try names(["experiment_ids": [.string(experiment)]]) == ["c"])
        #expect(try names(["max_results": 2, "order_by": ["name DESC"]]) == ["c", "b"])
        let wrong = try api.post("\(home)/search", ["filter_string": "colour = 'red'"])
        #expect(wrong.status == 400 && wrong.message.contains("Invalid attribute key 'colour'"))
    }

    @Test("a dataset that is not there is 404, but deleting it again is no mistake")
    func missing() throws {
        let id = try #require(try create("questions")["dataset_id"]?.string)
        for _ in 0..<2 { #expect(try api.send(.delete, "\(home)/\(id)").status == 200) }
        let missing = try api.get("\(home)/\(id)")
        #expect(missing.status == 404 && missing.message == "Evaluation dataset with id '\(id)' not found")
        let wrong = try api.post("\(home)/create", ["name": "x", "experiment_ids": ["77"]])
        #expect(wrong.status == 404)
    }
}
