import MartletAPINative
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@Suite("Streams over the native API") struct DataStreamTests {
    private func log(_ api: TestAPI, _ run: Run, _ body: String) throws {
        #expect(try api.post("/api/v1/runs/\(run.id)/metrics", text: body).status == 200)
    }

    private func cursor(_ api: TestAPI) throws -> String {
        try api.store.read { reader throws(Refusal) in try reader.cursor().text }
    }

    private func steps(_ frame: JSONValue?) -> Int64? { frame?["metrics"]?["step"]?.int64 }

    private func isFollowed(_ api: TestAPI, _ count: Int = 1) -> Bool {
        eventually { api.engine.feed.followerCount == count }
    }

    @Test("a frame of the experiment's stream has the keys that the guide fixes, the step in both places")
    func frame() throws {
        let api = try TestAPI()
        let run = try api.run(in: "spam")
        let socket = try api.socket("/api/v1/experiments/spam/metrics/live?since=0")
        try log(
            api, run,
            #"{"metrics":{"accuracy":0.95,"loss":0.05},"step":10,"timestamp":"2024-01-15T10:30:00Z"}"#)
        let frame = try #require(socket.next())
        #expect(frame["run_id"] == .string(run.id.text))
        #expect(frame["metrics"] == ["step": 10, "accuracy": 0.95, "loss": 0.05])
        #expect(frame["timestamp"] == "2024-01-15T10:30:00Z")
        #expect(frame["step"] == 10)
        #expect(frame["seq"]?.string?.isEmpty == false)
    }

    @Test("a run's stream tells of that run alone, from the last frame seen, and loses nothing")
    func resumed() throws {
        let api = try TestAPI()
        let (run, other) = (try api.run(), try api.run())
        let address = "/api/v1/runs/\(run.id)/metrics/stream"
        let first = try api.socket(address)
        #expect(isFollowed(api))
        try log(api, run, #"{"metrics":{"loss":1},"step":1}"#)
        let seen = try #require(first.next())
        #expect(steps(seen) == 1)
        first.vanish()
        #expect(isFollowed(api, 0))
        try log(api, other, #"{"metrics":{"loss":9},"step":9}"#)
        for step in 2...5 { try log(api, run, "{\"metrics\":{\"loss\":1},\"step\":\(step)}") }
        let again = try api.socket(address + "?since=\(seen["seq"]?.string ?? "")")
        for step in 2...5 { #expect(steps(again.next()) == Int64(step)) }
    }

    @Test("points that are pushed in either shape are logged and acked; the step may stand inside")
    func pushed() throws {
        let api = try TestAPI()
        let run = try api.run()
        let socket = try api.socket("/api/v1/runs/\(run.id)/metrics/stream")
        let isAck = { (frame: JSONValue) in frame["ack"] != nil }
        socket.send(#"{"metrics":{"step":5,"loss":0.5,"acc":0.9}}"#)
        #expect(socket.next(where: isAck) == ["ack": 2])
        socket.send(#"{"metric_name":"loss","metric_value":0.4,"step":6}"#)
        #expect(socket.next(where: isAck) == ["ack": 1])
        let history = try api.get("/api/v1/runs/\(run.id)/history?metric=loss")
        #expect(history["series"][0]?["points"]?.array?.compactMap { $0["step"]?.int64 } == [5, 6])
        #expect(try api.get("/api/v1/runs/\(run.id)/metrics")["metrics"].array?.count == 2)
    }

    @Test("a wrong body is answered on the socket, which stays open")
    func wrongPush() throws {
        let api = try TestAPI()
        let run = try api.run()
        let socket = try api.socket("/api/v1/runs/\(run.id)/metrics/stream")
        socket.send(#"{"metrics":{"loss":"high"},"step":1}"#)
        let error = socket.next { $0["error"] != nil }
        #expect(error?["error"]?["field"] == "loss")
        #expect(error?["error"]?["remedy"]?.string?.isEmpty == false)
        socket.send(#"{"metrics":{"loss":1},"step":1}"#)
        #expect(socket.next { $0["ack"] != nil } == ["ack": 1])
        #expect(socket.socket.isOpen)
    }

    @Test("the experiment's stream takes no points and says where they go")
    func oneWay() throws {
        let api = try TestAPI()
        let socket = try api.socket("/api/v1/experiments/Default/metrics/live")
        socket.send(#"{"metrics":{"loss":1},"step":1}"#)
        #expect(socket.next { $0["error"] != nil }?["error"]?["remedy"]?.string?.contains("/metrics") == true)
    }

    @Test("an unknown run, a foreign cursor and a stranger are told so, and the socket closes")
    func refused() throws {
        let api = try TestAPI()
        let unknown = try api.socket("/api/v1/runs/nope/metrics/stream")
        #expect(unknown.close() == 4404)
        #expect(unknown.next()?["error"]?["code"] == "not_found")
        #expect(try api.socket("/api/v1/experiments/0/metrics/live?since=x").close() == 4400)
        let guarded = try TestAPI(.tokens)
        #expect(try guarded.socket("/api/v1/experiments/0/metrics/live").close() == 4401)
        let stranger = try guarded.user("s", nil)
        #expect(try guarded.socket("/api/v1/experiments/0/metrics/live", headers: stranger).close() == 4403)
    }

    @Test("who may only read follows, but what they push is refused")
    func readOnly() throws {
        let api = try TestAPI(.tokens)
        let run = try api.run()
        let socket = try api.socket("/api/v1/runs/\(run.id)/metrics/stream", headers: api.user("r", .read))
        socket.send(#"{"metrics":{"loss":1},"step":1}"#)
        #expect(socket.next { $0["error"] != nil }?["error"]?["code"] == "forbidden")
        #expect(socket.socket.isOpen)
    }

    @Test("a follower who does not read is cut off, and the others go on")
    func slow() throws {
        let api = try TestAPI()
        let run = try api.run()
        let address = "/api/v1/runs/\(run.id)/metrics/stream"
        let slow = try api.socket(address, limit: 500)
        let quick = try api.socket(address)
        #expect(isFollowed(api, 2))
        for step in 1...20 { try log(api, run, "{\"metrics\":{\"loss\":1},\"step\":\(step)}") }
        // Each step in order and none left out. Delivery is at least once: the last one may be told again.
        var last: Int64 = 0
        while last < 20 {
            let step = try #require(steps(quick.next()))
            #expect(step == last + 1 || (step == last && last > 0))
            last = step
        }
        #expect(slow.close() == 1008)
        #expect(isFollowed(api, 1))
    }

    @Test("the same frames come as server-sent events, whose ids are where to go on")
    func events() throws {
        let api = try TestAPI()
        let run = try api.run()
        let address = "/api/v1/runs/\(run.id)/metrics/stream"
        let reply = try api.get(address, headers: ["Accept": "text/event-stream"])
        #expect(reply.headers["content-type"] == "text/event-stream")
        let stream = TestEvents(try #require(reply.events))
        for step in 1...3 { try log(api, run, "{\"metrics\":{\"loss\":1},\"step\":\(step)}") }
        let first = try #require(stream.next())
        #expect(steps(first.json) == 1)
        #expect(first.json["seq"] == first.id.map { .string($0) })
        try #require(reply.events).disconnected()
        #expect(isFollowed(api, 0))
        let id = try #require(first.id)
        let resumed = try api.get(address, headers: ["Accept": "text/event-stream", "Last-Event-ID": id])
        let rest = TestEvents(try #require(resumed.events))
        var last: Int64?
        while last != 3, let event = rest.next() { last = steps(event.json) }
        #expect(last == 3)
    }

    @Test("without an upgrade and without events wanted, a stream answers 426")
    func upgradeRequired() throws {
        let api = try TestAPI()
        #expect(try api.get("/api/v1/runs/\(api.run().id)/metrics/stream").status == 426)
    }

    @Test("a poll gives what happened since, and the cursor it ends with leads to nothing twice")
    func poll() throws {
        let api = try TestAPI()
        let (run, other) = (try api.run(), try api.run())
        let start = try cursor(api)
        try log(api, run, #"{"metrics":{"loss":1},"step":1}"#)
        try log(api, other, #"{"metrics":{"loss":2},"step":2}"#)
        let all = try api.get("/api/v1/changes?since=\(start)")
        let frames = (all["changes"].array ?? []).filter { $0["metrics"] != nil }
        #expect(frames.compactMap { steps($0) } == [1, 2])
        let mine = try api.get("/api/v1/changes?since=\(start)&run=\(run.id)")
        #expect((mine["changes"].array ?? []).compactMap { steps($0) } == [1])
        for cursor in [all["cursor"].string ?? "", mine["cursor"].string ?? ""] {
            let next = try api.get("/api/v1/changes?since=\(cursor)")
            #expect(next["changes"] == [])
            #expect(next["cursor"].string == cursor)
        }
    }

    @Test("an answer says where the feed stood before it was read, to whom asks; from there nothing is missed")
    func cursorOfAnAnswer() throws {
        let api = try TestAPI()
        let run = try api.run(in: "spam", name: "a")
        let wanted: Headers = ["Martlet-Cursor": "?"]
        let questions: [(String, () throws -> Reply)] = [
            ("read", { try api.get("/api/v1/runs/\(run.id)", headers: wanted) }),
            ("slow", { try api.get("/api/v1/experiments/spam/names", headers: wanted) }),
            ("search", { try api.post("/api/v1/runs/table", ["experiment_id": ["spam"]], headers: wanted) }),
        ]
        for (name, ask) in questions {
            let reply = try ask()
            let cursor = try #require(reply.headers["martlet-cursor"], "\(name)")
            func missed() throws -> Int? { try api.get("/api/v1/changes?since=\(cursor)")["changes"].array?.count }
            #expect(try missed() == 0, "\(name)")
            _ = try api.post("/api/v1/runs/\(run.id)/metrics", text: "{\"metrics\":{\"loss\":1},\"step\":1}")
            #expect(try missed() == 1, "\(name)")
        }
        #expect(try api.get("/api/v1/runs/\(run.id)").headers["martlet-cursor"] == nil)
        #expect(try api.get("/api/v1/runs/none", headers: wanted).headers["martlet-cursor"] == nil)
    }

    @Test("a long poll waits for something to happen and holds no thread meanwhile")
    func longPoll() throws {
        let api = try TestAPI()
        let run = try api.run()
        let start = try cursor(api)
        let waiting = try (0..<200).map { _ in try api.begin(.get, "/api/v1/changes?since=\(start)&wait=30") }
        #expect(isFollowed(api, 200))
        #expect(waiting.allSatisfy { !$0.isThere })
        try log(api, run, #"{"metrics":{"loss":1},"step":1}"#)
        for pending in waiting {
            let reply = try pending.wait()
            #expect((reply["changes"].array ?? []).contains { steps($0) == 1 })
            #expect(reply["cursor"].string != start)
        }
        #expect(isFollowed(api, 0))
    }

    @Test("a long poll ends empty when its time is over, and leaves the feed when its client goes")
    func endOfPoll() throws {
        let api = try TestAPI()
        let start = try cursor(api)
        let reply = try api.begin(.get, "/api/v1/changes?since=\(start)&wait=1").wait()
        #expect(reply.json == ["changes": [], "cursor": .string(start)])
        let left = try api.begin(.get, "/api/v1/changes?since=\(start)&wait=55")
        #expect(isFollowed(api, 1))
        left.cancel()
        #expect(isFollowed(api, 0))
        let tooLong = try api.get("/api/v1/changes?wait=56")
        #expect(tooLong.status == 422)
        #expect(tooLong.error("field") == "wait")
    }

    @Test("the feed of changes tells of runs and their states, as events too")
    func changes() throws {
        let api = try TestAPI()
        let reply = try api.get("/api/v1/changes?experiment=Default", headers: ["Accept": "text/event-stream"])
        let stream = TestEvents(try #require(reply.events))
        let run = try api.run()
        #expect(stream.next { $0["event"] == "run" }?.json["state"] == "running")
        try api.end(run)
        #expect(stream.next { $0["state"] == "finished" }?.json["run_id"] == .string(run.id.text))
    }

    @Test("who may read one project only hears of that one")
    func oneProject() throws {
        let api = try TestAPI(.tokens)
        let hidden = try api.engine.changeAndWait(.system) { ledger throws(Refusal) in
            let project = try ledger.createProject(ProjectDraft(title: "Hidden")).project
            let experiment = try ledger.createExperiment(ExperimentDraft(name: "x", project: project.id)).experiment
            return try ledger.createRun(RunDraft(experiment: experiment.id))
        }
        let shown = try api.run()
        let guest = try api.user("guest", nil, grants: [.standard: .read])
        let reply = try api.get("/api/v1/changes?since=0", headers: guest)
        #expect(reply.text.contains(shown.id.text))
        #expect(!reply.text.contains(hidden.id.text))
        #expect(try api.get("/api/v1/changes?project=hidden", headers: guest).status == 403)
    }
}
