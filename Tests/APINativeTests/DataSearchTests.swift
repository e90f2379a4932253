import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@Suite("Searching runs over the native API") struct DataSearchTests {
    /// Five ended runs of `spam` with accuracies of 0.5 to 0.9, and one of another experiment.
    private func sample() throws -> TestAPI {
        let api = try TestAPI()
        for tenth in 5...9 {
            let run = try api.run(in: "spam", name: "r\(tenth)")
            try api.post("/api/v1/runs/\(run.id)/metrics", text: "{\"metrics\":{\"accuracy\":0.\(tenth)},\"step\":1}")
            try api.end(run)
        }
        let other = try api.run(in: "other", name: "o")
        try api.post("/api/v1/runs/\(other.id)/metrics", text: #"{"metrics":{"accuracy":0.99},"step":1}"#)
        return api
    }

    private func names(_ reply: Reply) -> [String] {
        (reply["runs"].array ?? []).compactMap { $0["name"]?.string }
    }

    @Test("the address of the first guide works as curl sends it, and “search” is never a run")
    func guide() throws {
        let reply = try sample().get("/api/v1/runs/search?experiment_name=spam&filter=metrics.accuracy>0.75")
        #expect(reply.status == 200)
        #expect(Set(names(reply)) == ["r8", "r9"])
        #expect(reply["total"] == 2)
        #expect(reply["next_page_token"] == .null)
        let run = reply["runs"][0] ?? .null
        #expect(run["id"] == run["run_id"] && run["name"] == run["run_name"] && run["params"] == run["parameters"])
        #expect(run["metrics"]?["accuracy"]?.double != nil)
    }

    @Test(
        "a search in a body gives what the same one in an address gives",
        arguments: [
            (#"{"experiment_name":"spam","filter":"metrics.accuracy > 0.75","order_by":["metrics.accuracy DESC"]}"#),
            (#"{"experiment_ids":["spam"],"filter_string":"metrics.accuracy > 0.75","order_by":"metrics.accuracy DESC"}"#),
            (#"{"experiment_id":1,"filter":"metrics.accuracy > 0.75","order_by":["metrics.accuracy DESC"],"max_results":5}"#),
        ])
    func body(_ body: String) throws {
        let reply = try sample().post("/api/v1/runs/search", text: body)
        #expect(names(reply) == ["r9", "r8"])
    }

    @Test("pages in order hold every run once")
    func pages() throws {
        let api = try sample()
        var found: [String] = []
        var token: String?
        repeat {
            let reply = try api.get(
                "/api/v1/experiments/spam/runs?order_by=metrics.accuracy&limit=2"
                    + (token.map { "&page_token=\($0)" } ?? ""))
            #expect(reply.status == 200)
            found += names(reply)
            token = reply["next_page_token"].string
        } while token != nil && found.count < 20
        #expect(found == ["r5", "r6", "r7", "r8", "r9"])
    }

    @Test("several experiments, repeated or in a list")
    func experiments() throws {
        let api = try sample()
        for query in [
            "experiment_id=spam&experiment_id=other", "experiment_ids=1,2", "experiment_name=spam&experiment_id=2", "",
        ] {
            #expect(try api.get("/api/v1/runs/search?\(query)")["total"] == 6, "\(query)")
        }
    }

    @Test(
        "what is wrong is said with its field and where it is",
        arguments: [
            ("filter=metrics.accuracy%20>>%201", 422, "filter"), ("limit=0", 422, "limit"), ("limit=x", 400, "limit"),
            ("life=gone", 422, "life"), ("page_token=nonsense", 422, "page_token"),
        ])
    func wrong(_ query: String, _ status: Int, _ field: String) throws {
        let reply = try sample().get("/api/v1/runs/search?\(query)")
        #expect(reply.status == status || (field == "filter" && reply.status == 400))
        #expect(reply.error("field") == field)
        #expect(reply.error("remedy")?.isEmpty == false)
        if field == "filter" { #expect(reply["error"]["column"]?.int64 != nil) }
    }

    @Test("an unknown experiment answers 404 with the nearest")
    func unknown() throws {
        let reply = try sample().get("/api/v1/runs/search?experiment_name=spaam")
        #expect(reply.status == 404)
        #expect(reply["error"]["candidates"] == ["spam"])
    }

    @Test("the best run, which way it was compared, and that this was a guess")
    func best() throws {
        let api = try sample()
        let best = try api.get("/api/v1/runs/best?experiment=spam&metric=accuracy")
        #expect(best["run"]["name"] == "r9")
        #expect(best["value"] == 0.9)
        #expect(best["mode"] == "max")
        #expect(best["mode_guessed"] == true)
        #expect(best["tie"] == false)
        let least = try api.get("/api/v1/runs/best?experiment=spam&metric=accuracy&mode=minimize")
        #expect(least["run"]["name"] == "r5")
        #expect(least["mode_guessed"] == false)
    }

    @Test("runs that tie are all named, bad endings never win")
    func ties() throws {
        let api = try sample()
        for status in ["finished", "overfit"] {
            let run = try api.run(in: "spam", name: status)
            let value = status == "finished" ? 0.9 : 1.0
            try api.post("/api/v1/runs/\(run.id)/metrics", text: "{\"metrics\":{\"accuracy\":\(value)},\"step\":1}")
            try api.end(run, status)
        }
        let best = try api.get("/api/v1/runs/best?experiment=spam&metric=accuracy")
        #expect(best["runs"].array?.compactMap { $0["name"]?.string } == ["r9", "finished"])
        #expect(best["tie"] == true)
    }

    @Test(
        "without an experiment, a metric or a run that has it, the answer says so",
        arguments: [
            ("metric=accuracy", 422, "experiment"), ("experiment=spam", 422, "metric"),
            ("experiment=spam&metric=accuracy&mode=sideways", 422, "mode"),
            ("experiment=spam&metric=f1", 404, "metric"),
        ])
    func noBest(_ query: String, _ status: Int, _ field: String) throws {
        let reply = try sample().get("/api/v1/runs/best?\(query)")
        #expect(reply.status == status)
        #expect(reply.error("field") == field)
    }

    @Test("a question in words is answered, and says what a short name was taken for")
    func asked() throws {
        let api = try sample()
        let best = try api.post("/api/v1/ask", ["question": "best acc", "experiment": "spam"])
        #expect(best["kind"] == "best")
        #expect(best["run"]["name"] == "r9")
        #expect(best["taken"].array?.count == 1)
        let all = try api.post("/api/v1/ask", ["question": "all runs where accuracy > 0.75", "experiment": "spam"])
        #expect(all["kind"] == "runs")
        #expect(all["total"] == 2)
        let two = try api.post("/api/v1/ask", ["question": "compare run_01 vs run_02", "experiment": "spam"])
        #expect(two["kind"] == "compare")
        #expect(names(two) == ["r5", "r6"])
        #expect(try api.post("/api/v1/ask", ["experiment": "spam"]).error("field") == "question")
        #expect(try api.post("/api/v1/ask", ["question": "why?"]).error("field") == "question")
    }

    @Test("only runs of projects that the caller may read are found")
    func rights() throws {
        let api = try TestAPI(.tokens)
        _ = try api.run(in: "spam")
        #expect(try api.get("/api/v1/runs/search").status == 401)
        #expect(try api.get("/api/v1/runs/search", headers: api.user("nobody", nil))["total"] == 0)
        #expect(try api.get("/api/v1/runs/search", headers: api.user("reader", .read))["total"] == 1)
    }
}
