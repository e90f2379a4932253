import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletSeries
import MartletStorage
import Testing

@Suite("Logging metrics over the native API") struct DataMetricTests {
    private func logged(_ api: TestAPI, _ run: Run, _ name: String) throws -> [Double] {
        try api.store.read { reader throws(Refusal) in try reader.curve(of: run, name).values }
    }

    @Test("the body of the first guide logs one point")
    func formA() throws {
        let api = try TestAPI()
        let run = try api.run()
        let reply = try api.post(
            "/api/v1/runs/\(run.id)/metrics", text: #"{"metric_name":"accuracy","metric_value":0.95,"step":1}"#)
        #expect(reply.status == 200)
        #expect(reply.json == ["run_id": .string(run.id.text), "logged": 1])
        #expect(try logged(api, run, "accuracy") == [0.95])
    }

    @Test("the body of the second guide logs a group of metrics at its own time")
    func formB() throws {
        let api = try TestAPI()
        let run = try api.run()
        let reply = try api.post(
            "/api/v1/runs/\(run.shortID)/metrics",
            text: #"{"metrics":{"accuracy":0.95,"loss":0.05},"step":10,"timestamp":"2024-01-15T10:30:00Z"}"#)
        #expect(reply["logged"] == 2)
        let points = try api.store.read { reader throws(Refusal) in try reader.curve(of: run, "loss").points }
        #expect(points.map(\.step) == [10])
        #expect(points.map(\.time) == [1_705_314_600_000_000])
        #expect(points.map(\.value) == [0.05])
    }

    @Test("both shapes in one body are merged, and an array of either is a batch")
    func merged() throws {
        let api = try TestAPI()
        let run = try api.run()
        let reply = try api.post(
            "/api/v1/runs/\(run.id)/metrics",
            text: """
                [{"step":1,"metric_value":1,"metric_name":"a","metrics":{"b":2}},{"metrics":{"a":3,"b":4},"step":2,
                  "timestamp":1705314600123}]
                """)
        #expect(reply["logged"] == 4)
        #expect(try logged(api, run, "a") == [1, 3])
        #expect(try logged(api, run, "b") == [2, 4])
    }

    @Test("a nested group becomes names with slashes, the same as if they had been written so")
    func nested() throws {
        let api = try TestAPI()
        let run = try api.run()
        try api.post(
            "/api/v1/runs/\(run.id)/metrics", text: #"{"metrics":{"train":{"loss":1,"deep":{"x":2}}},"step":1}"#)
        try api.post("/api/v1/runs/\(run.id)/metrics", text: #"{"metrics":{"train/loss":3},"step":2}"#)
        #expect(try logged(api, run, "train/loss") == [1, 3])
        #expect(try logged(api, run, "train/deep/x") == [2])
    }

    @Test("columns carry many points of a metric, and their lengths must agree")
    func columns() throws {
        let api = try TestAPI()
        let run = try api.run()
        let address = "/api/v1/runs/\(run.id)/metrics"
        let reply = try api.post(
            address,
            text: #"{"series":[{"metric":"loss","steps":[1,2,3],"values":[3,"NaN",1],"timestamps":[1,2,3]}]}"#)
        #expect(reply["logged"] == 3)
        let values = try logged(api, run, "loss")
        #expect(values.count == 3 && values[0] == 3 && values[1].isNaN && values[2] == 1)
        let short = try api.post(address, text: #"{"series":[{"metric":"loss","steps":[1,2],"values":[3]}]}"#)
        #expect(short.status == 422)
        #expect(short.error("field") == "steps")
    }

    @Test(
        "NaN and infinities come in bare or as strings and leave as strings",
        arguments: [
            #"{"metrics":{"a":NaN,"b":Infinity,"c":-Infinity},"step":1}"#,
            #"{"metrics":{"a":"NaN","b":"Infinity","c":"-Infinity"},"step":1}"#,
        ])
    func nonFinite(_ body: String) throws {
        let api = try TestAPI()
        let run = try api.run()
        #expect(try api.post("/api/v1/runs/\(run.id)/metrics", text: body)["logged"] == 3)
        let history = try api.get("/api/v1/runs/\(run.id)/history?metric=a&metric=b&metric=c")
        let values = (history["series"].array ?? []).map { $0["points"]?[0]?["value"] }
        #expect(values == ["NaN", "Infinity", "-Infinity"])
    }

    @Test("a value without a step is a summary value, and from the second one on a series too")
    func unstepped() throws {
        let api = try TestAPI()
        let run = try api.run()
        let address = "/api/v1/runs/\(run.id)/metrics"
        try api.post(address, text: #"{"metric_name":"f1","metric_value":0.5}"#)
        #expect(try logged(api, run, "f1").isEmpty)
        try api.post(address, text: #"{"metric_name":"f1","metric_value":0.7,"step":null}"#)
        #expect(try logged(api, run, "f1") == [0.5, 0.7])
        let metric = try api.get(address)["metrics"][0]
        #expect(metric?["value"] == 0.7)
        #expect(metric?["summary"] == true)
        #expect(metric?["unstepped"] == true)
    }

    @Test("the list of metrics shows every statistic")
    func list() throws {
        let api = try TestAPI()
        let run = try api.run()
        let address = "/api/v1/runs/\(run.id)/metrics"
        try api.post(
            address,
            text: #"{"series":[{"metric":"loss","steps":[3,4,5,6],"values":[4,2,"NaN","Infinity"]}]}"#)
        let reply = try api.get(address)
        let loss = reply["metrics"][0] ?? .null
        #expect(loss["metric"] == "loss")
        for (key, value) in [
            ("min", 2.0), ("max", 4), ("mean", 3), ("count", 4), ("nan", 1), ("inf", 1), ("first_step", 3),
            ("last_step", 6),
        ] {
            #expect(loss[key]?.double == value, "\(key)")
        }
        #expect(loss["last"] == "Infinity")
        #expect(loss["summary"] == false)
        let table = try api.get(address, headers: ["Accept": "text/csv"])
        #expect(table.headers["content-type"] == "text/csv; charset=utf-8")
        #expect(
            table.text.hasPrefix("metric,value,last,min,max,mean,count,nan,inf,first_step,last_step\r\nloss,Infinity"))
    }

    @Test("points after the end are kept and marked late")
    func late() throws {
        let api = try TestAPI()
        let run = try api.run()
        try api.end(run)
        let reply = try api.post("/api/v1/runs/\(run.id)/metrics", text: #"{"metrics":{"loss":1},"step":1}"#)
        #expect(reply.json == ["run_id": .string(run.id.text), "logged": 1, "late": true])
        #expect(try logged(api, run, "loss") == [1])
    }

    @Test("the same request with the same key counts once; another body under the key is refused")
    func once() throws {
        let api = try TestAPI()
        let run = try api.run()
        let address = "/api/v1/runs/\(run.id)/metrics"
        let key: Headers = ["Idempotency-Key": "k1"]
        let first = try api.post(address, text: #"{"metrics":{"loss":1},"step":1}"#, headers: key)
        let again = try api.post(address, text: #"{"metrics":{"loss":1},"step":1}"#, headers: key)
        #expect(again.body == first.body)
        #expect(again.headers["idempotent-replay"] == "true")
        #expect(try logged(api, run, "loss") == [1])
        let other = try api.post(address, text: #"{"metrics":{"loss":2},"step":2}"#, headers: key)
        #expect(other.status == 409)
        #expect(other.error("field") == "Idempotency-Key")
    }

    struct Wrong: CustomTestStringConvertible, Sendable {
        var body: String
        var status: Int
        var field: String?
        var testDescription: String { body }
    }

    @Test(
        "what is wrong with a body is said with its field and a remedy",
        arguments: [
            Wrong(body: "", status: 400),
            Wrong(body: "{", status: 400),
            Wrong(body: #"{"metrics":{"a":1},}"#, status: 400),
            Wrong(body: #"{"metrics":{"a":1}} x"#, status: 400),
            Wrong(body: #"{"metrics":{"a":1,"a":2},"step":1}"#, status: 400),
            Wrong(body: #"{"metrics":{"a":{"b":1},"a/b":2},"step":1}"#, status: 400),
            Wrong(body: "{}", status: 422, field: "metrics"),
            Wrong(body: #"{"loss":0.5}"#, status: 422, field: "metrics"),
            Wrong(body: #"{"metrics":{"a":"high"}}"#, status: 422, field: "a"),
            Wrong(body: #"{"metrics":{"a":null}}"#, status: 422, field: "a"),
            Wrong(body: #"{"metrics":{"g":{"a":[1]}}}"#, status: 422, field: "g/a"),
            Wrong(body: #"{"metrics":{"a":1e999}}"#, status: 422, field: "a"),
            Wrong(body: #"{"metrics":[1]}"#, status: 422, field: "metrics"),
            Wrong(body: #"{"metrics":{"a":1},"step":1.5}"#, status: 422, field: "step"),
            Wrong(body: #"{"metrics":{"a":1},"step":"1"}"#, status: 422, field: "step"),
            Wrong(body: #"{"metrics":{"a":1},"step":9223372036854775808}"#, status: 422, field: "step"),
            Wrong(body: #"{"metrics":{"a":1},"timestamp":"soon"}"#, status: 422, field: "timestamp"),
            Wrong(body: #"{"metric_name":"a"}"#, status: 422, field: "metric_value"),
            Wrong(body: #"{"metric_value":1}"#, status: 422, field: "metric_name"),
            Wrong(body: #"{"metric_name":7,"metric_value":1}"#, status: 422, field: "metric_name"),
            Wrong(body: #"{"metric_name":"","metric_value":1,"step":1}"#, status: 422, field: "metric"),
        ])
    func wrongBodies(_ wrong: Wrong) throws {
        let api = try TestAPI()
        let run = try api.run()
        let reply = try api.post("/api/v1/runs/\(run.id)/metrics", text: wrong.body)
        #expect(reply.status == wrong.status)
        #expect(reply.error("field") == wrong.field)
        #expect(reply.error("message")?.isEmpty == false)
        #expect(reply.error("remedy")?.isEmpty == false)
        #expect(reply.error("request_id") == "req-1")
        #expect(try api.get("/api/v1/runs/\(run.id)/metrics")["metrics"] == [])
    }

    @Test("a body that says it is something else is refused, and one that is too large too")
    func otherBodies() throws {
        let api = try TestAPI()
        let run = try api.run()
        let address = "/api/v1/runs/\(run.id)/metrics"
        let xml = try api.post(address, text: "<a/>", headers: ["Content-Type": "application/xml"])
        #expect(xml.status == 415)
        #expect(xml.error("field") == "Content-Type")
        let large = try api.send(.post, address, body: [UInt8](repeating: 0x20, count: 32 << 20 | 1))
        #expect(large.status == 413)
    }

    @Test("an unknown run answers 404 with the nearest ids")
    func unknownRun() throws {
        let api = try TestAPI()
        let run = try api.run()
        var near = run.id.text
        near.removeLast()
        near.append(run.id.text.hasSuffix("0") ? "1" : "0")
        let reply = try api.post("/api/v1/runs/\(near)/metrics", text: #"{"metrics":{"a":1}}"#)
        #expect(reply.status == 404)
        #expect(reply.error("code") == "not_found")
        #expect(reply["error"]["candidates"] == [.string(run.id.text)])
    }

    @Test("only who may write logs, and only who may read lists")
    func rights() throws {
        let api = try TestAPI(.tokens)
        let run = try api.run()
        let reader = try api.user("reader", .read)
        let address = "/api/v1/runs/\(run.id)/metrics"
        let body = #"{"metrics":{"a":1},"step":1}"#
        #expect(try api.post(address, text: body).status == 401)
        #expect(try api.post(address, text: body, headers: reader).status == 403)
        #expect(try api.get(address, headers: reader).status == 200)
        #expect(try api.post(address, text: body, headers: api.user("writer", .write)).status == 200)
    }

    @Test("a metric's history can be deleted, in part or whole")
    func deleted() throws {
        let api = try TestAPI()
        let run = try api.run()
        let address = "/api/v1/runs/\(run.id)/metrics"
        try api.post(address, text: #"{"series":[{"metric":"train/loss","steps":[1,2,3],"values":[3,2,1]}]}"#)
        let part = try api.delete(address + "/train/loss?from=2&to=2")
        #expect(part.status == 200)
        #expect(part["metric"] == "train/loss")
        #expect(try logged(api, run, "train/loss") == [3, 1])
        #expect(try api.delete(address + "/train/loss").status == 200)
        #expect(try api.delete(address + "/train/loss").status == 404)
        #expect(try api.delete(address + "/train/loss?from=x").status == 400)
    }

    @Test("random bytes and cut bodies never do more than refuse")
    func noise() throws {
        let api = try TestAPI()
        let run = try api.run()
        let address = "/api/v1/runs/\(run.id)/metrics"
        let whole = Array(
            #"[{"metrics":{"a":1.5,"g":{"b\u00e9":"NaN"}},"step":1,"timestamp":"2024-01-15"},{"series":[{"metric":"x","values":[1]}]}]"#
                .utf8)
        #expect(try api.send(.post, address, body: whole).status == 200)
        var chance = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: .min ... .max, using: &chance)
        var generator = Seeded(seed: seed)
        for cut in 0..<whole.count {
            let reply = try api.send(.post, address, body: Array(whole[..<cut]))
            #expect(reply.status == 400 || reply.status == 422, "cut at \(cut)")
        }
        for _ in 0..<2000 {
            var body = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                body[Int.random(in: 0..<body.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let reply = try api.send(.post, address, body: body)
            #expect([200, 400, 422].contains(reply.status), "seed \(seed)")
        }
    }
}

/// Chance that can be had again (SplitMix64).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
