import MartletHTTPMessages
import MartletJSON
import Testing

@Suite("Scorers as MLflow's clients know them") struct ScorerTests {
    private let api: TestMLflow
    private let home = "/api/3.0/mlflow/scorers"

    init() throws { api = try TestMLflow() }

    private func register(_ name: String, _ text: String) throws -> Answer {
        try api.post(
            "\(home)/register",
            ["experiment_id": "0", "name": .string(name), "serialized_scorer": .string(text)])
    }

    private func names(_ path: String) throws -> [String] {
        let answer = try api.get("\(home)/\(path)")
        #expect(answer.status == 200, "\(answer.text)")
        return (answer.json["scorers"]?.array ?? []).map {
            "\($0["scorer_name"]?.string ?? "") \($0["scorer_version"]?.int64 ?? 0)"
        }
    }

    @Test("versions count up, the highest is listed, and a number is not given again")
    func versions() throws {
        for (name, text) in [("b", #"{"n": 1}"#), ("a", "{}"), ("b", #"{"n": 2}"#)] {
            #expect(try register(name, text).status == 200)
        }
        #expect(try names("list?experiment_id=0") == ["a 1", "b 2"])
        #expect(try names("versions?experiment_id=0&name=b") == ["b 1", "b 2"])
        let first = try api.get("\(home)/get?experiment_id=0&name=b&version=1").json["scorer"]
        #expect(first?["serialized_scorer"] == #"{"n": 1}"#)
        let second = try api.get("\(home)/get?experiment_id=0&name=b").json["scorer"]
        #expect(second?["serialized_scorer"] == #"{"n": 2}"# && second?["scorer_id"] == first?["scorer_id"])
        let body: JSONValue = ["experiment_id": "0", "name": "b", "version": 2]
        #expect(try api.send(.delete, "\(home)/delete", body).text == "{}")
        #expect(try api.send(.delete, "\(home)/delete", body).status == 404)
        #expect(try register("b", "{}").json["version"]?.int64 == 3)
        #expect(try api.send(.delete, "\(home)/delete", ["experiment_id": "0", "name": "b"]).status == 200)
        #expect(try names("list?experiment_id=0") == ["a 1"])
        let gone = try api.get("\(home)/get?experiment_id=0&name=b")
        #expect(gone.status == 404 && gone.message == "Scorer with name 'b' not found for experiment 0.")
    }

    @Test(
        "what would be run by whoever loads it, names no model or one behind this server, or is no JSON, is refused",
        arguments: [
            (#"{"call_source": "return 1"}"#, "Custom scorer registration"),
            (#"{"instructions_judge_pydantic_data": {"model": " "}}"#, "cannot be empty"),
            (#"{"builtin_scorer_pydantic_data": {"model": 7}}"#, "must be a string, got int"),
            (
                #"{"memory_augmented_judge_data": {"base_judge": {"third_party_scorer_data": {"model": "gateway:/a"}}}}"#,
                "no gateway"
            ),
            ("{", "must be valid JSON"),
        ])
    func refused(_ text: String, _ why: String) throws {
        let answer = try register("a", text)
        #expect(answer.status == 400 && answer.message.contains(why), "\(answer.text)")
    }

    @Test("a scorer has a name, and its experiment is there")
    func names() throws {
        #expect(try register(" ", "{}").message == "Scorer name cannot be empty or contain only whitespace.")
        #expect(try api.get("\(home)/list?experiment_id=999").status == 404)
        #expect(try api.get("\(home)/online-configs").status == 501)
    }
}
