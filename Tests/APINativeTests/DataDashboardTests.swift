import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@Suite("An experiment's dashboard over the native API") struct DataDashboardTests {
    private func sample() throws -> TestAPI {
        let api = try TestAPI()
        for (status, accuracy, loss) in [("finished", 0.8, 0.4), ("overfit", 0.99, 0.01), ("", 0.7, 0.3)] {
            let run = try api.run(in: "spam")
            try api.post(
                "/api/v1/runs/\(run.id)/metrics",
                text: "{\"metrics\":{\"accuracy\":\(accuracy),\"loss\":\(loss),\"nothing\":NaN},\"step\":1}")
            if !status.isEmpty { try api.end(run, status) }
        }
        return api
    }

    @Test("it counts runs by state and names the best value of each metric so far; bad endings do not count")
    func board() throws {
        let api = try sample()
        let board = try api.get("/api/v1/experiments/spam/dashboard")
        #expect(board.status == 200)
        #expect(board["experiment"]["name"] == "spam")
        #expect(board["run_count"] == 3)
        #expect(board["runs_by_state"]["finished"] == 2)
        #expect(board["runs_by_state"]["running"] == 1)
        let best = board["best"].array ?? []
        #expect(best.map { $0["metric"]?.string } == ["accuracy", "loss"])
        #expect(best.first?["value"] == 0.8)
        #expect(best.first?["goal"] == "max")
        #expect(best.first?["goal_guessed"] == true)
        #expect(best.last?["value"] == 0.3)
        #expect(best.last?["short_id"] == "run_03")
        #expect(board["running"].array?.compactMap { $0["short_id"]?.string } == ["run_03"])
        #expect(board["last_activity"].string?.hasPrefix("2024-01-15T10:3") == true)
        #expect(board["complete"] == true)
    }

    @Test("a metric's definition says which way is better, and hides it")
    func defined() throws {
        let api = try sample()
        _ = try api.engine.changeAndWait(.system) { ledger throws(Refusal) in
            let experiment = try ledger.tx.resolveExperiment("spam", for: .system)
            _ = try ledger.put(
                kind: "metric", key: "accuracy", data: "{\"goal\":\"min\"}", on: .experiment(experiment.id), who: "t")
            return try ledger.put(
                kind: "metric", key: "lo*", data: "{\"hidden\":true}", on: .experiment(experiment.id), who: "t")
        }
        let best = try api.get("/api/v1/experiments/spam/dashboard")["best"].array ?? []
        #expect(best.count == 1)
        #expect(best.first?["value"] == 0.7)
        #expect(best.first?["goal_guessed"] == false)
    }

    @Test("a browser gets a page in which names are text")
    func page() throws {
        let api = try TestAPI()
        try api.post("/api/v1/experiments", ["name": "<script>alert(1)</script>"])
        let browser: Headers = ["Accept": "text/html,application/xhtml+xml,*/*;q=0.8"]
        let page = try api.get("/api/v1/experiments/1/dashboard", headers: browser)
        #expect(page.headers["content-type"] == "text/html; charset=utf-8")
        #expect(page.text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        #expect(!page.text.contains("<script>"))
        let client = try api.get("/api/v1/experiments/1/dashboard", headers: ["Accept": "*/*"])
        #expect(client.headers["content-type"] == "application/json")
    }

    @Test("an unknown experiment answers 404 with the nearest")
    func unknown() throws {
        let reply = try sample().get("/api/v1/experiments/spaam/dashboard")
        #expect(reply.status == 404)
        #expect(reply["error"]["candidates"] == ["spam"])
    }
}
