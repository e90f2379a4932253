import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletSeries
import MartletStorage
import Testing

@Suite("The history of metrics over the native API") struct DataHistoryTests {
    /// Ten points of `loss`, a second apart from the run's start on: step 10 k has value k.
    private func ten(_ api: TestAPI) throws -> Run {
        let run = try api.run()
        let start = run.start.millis
        let body: JSONValue = [
            "series": [
                [
                    "metric": "loss", "steps": .array((0..<10).map { .int($0 * 10) }),
                    "values": .array((0..<10).map { .int($0) }),
                    "timestamps": .array((0..<10).map { .int(start + $0 * 1000) }),
                ]
            ]
        ]
        #expect(try api.post("/api/v1/runs/\(run.id)/metrics", body).status == 200)
        return run
    }

    private func values(_ reply: Reply, _ series: Int = 0) -> [Double] {
        (reply["series"][series]?["points"]?.array ?? []).compactMap { $0["value"]?.double }
    }

    @Test("many runs' points come as columns, in the search's order, and a page leads to the next")
    func columns() throws {
        let api = try TestAPI()
        let runs = [try ten(api), try ten(api)]
        let path = "/api/v1/runs/columns?metric=l*&metric=none&order_by=start_time+ASC"
        let reply = try api.get(path)
        #expect(reply.status == 200)
        var rest = reply.body[...]
        var seen: [String] = []
        while let end = rest.firstIndex(of: 0x0A) {
            let head = try JSONValue(parsing: Array(rest[..<end]))
            let count = Int(head["count"]?.int64 ?? 0)
            seen.append(head["run_id"]?.string ?? "")
            #expect(head["metric"]?.string == "loss" && count == 10)
            let numbers = Array(rest[(end + 1)...].prefix(count * 24))
            let words = numbers.withUnsafeBytes { bytes in
                (0..<count * 3).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
            }
            #expect(words[..<10].map { Int64(bitPattern: $0) } == (0..<10).map { $0 * 10 })
            #expect(Int64(bitPattern: words[11]) - Int64(bitPattern: words[10]) == 1_000_000)
            #expect(words[20...].map { Double(bitPattern: $0) } == (0..<10).map(Double.init))
            rest = rest[(end + 1 + count * 24)...]
        }
        #expect(seen.sorted() == runs.map(\.id.text).sorted())
        let first = try api.get(path + "&limit=1")
        #expect(first.headers["x-next-page-token"] != nil)
        #expect(try api.get("/api/v1/runs/columns").body == api.get("/api/v1/runs/columns?metric=loss").body)
    }

    @Test("points have a step, a time and a value")
    func shape() throws {
        let api = try TestAPI()
        let run = try api.run()
        try api.post(
            "/api/v1/runs/\(run.id)/metrics",
            text: #"{"metrics":{"loss":0.5},"step":3,"timestamp":"2024-01-15T10:30:00Z"}"#)
        let reply = try api.get("/api/v1/runs/\(run.id)/history?metric=loss")
        #expect(
            reply["series"] == [
                ["metric": "loss", "points": [["step": 3, "timestamp": "2024-01-15T10:30:00Z", "value": 0.5]]]
            ])
        #expect(reply["next_page_token"] == .null)
    }

    @Test("a range is by step, by time or by seconds since the start, both ends included")
    func ranges() throws {
        let api = try TestAPI()
        let run = try ten(api)
        let address = "/api/v1/runs/\(run.id)/history?metric=loss"
        #expect(values(try api.get(address + "&from=20&to=40")) == [2, 3, 4])
        #expect(values(try api.get(address + "&axis=relative&from=7&to=8.5")) == [7, 8])
        let from = Timestamp(micros: run.start.micros / 1000 * 1000).adding(seconds: 8)
        #expect(values(try api.get(address + "&axis=time&from=\(from.iso)")) == [8, 9])
        #expect(values(try api.get(address + "&axis=time&to=\(from.millis - 7000)")) == [0, 1])
        #expect(values(try api.get(address + "&from=41&to=40")) == [])
    }

    @Test("pages of any size hold every point once, also of several metrics and of many points at one step")
    func pages() throws {
        let api = try TestAPI()
        let run = try ten(api)
        try api.post(
            "/api/v1/runs/\(run.id)/metrics",
            text:
                #"{"series":[{"metric":"same","steps":[5,5,5,5,5,6],"values":[1,2,3,4,5,6],"timestamps":[1,2,3,4,5,6]}]}"#
        )
        for limit in [1, 2, 3, 7, 16, 17] {
            var found: [String] = []
            var token: String?
            var pages = 0
            repeat {
                let next = token.map { "&page_token=\($0)" } ?? ""
                let reply = try api.get(
                    "/api/v1/runs/\(run.id)/history?metric=same&metric=loss&limit=\(limit)\(next)")
                #expect(reply.status == 200)
                for series in reply["series"].array ?? [] {
                    for point in series["points"]?.array ?? [] {
                        found.append("\(series["metric"]?.string ?? "")=\(point["value"]?.double ?? -1)")
                    }
                }
                token = reply["next_page_token"].string
                pages += 1
            } while token != nil && pages < 50
            let wanted = (1...6).map { "same=\(Double($0))" } + (0..<10).map { "loss=\(Double($0))" }
            #expect(found == wanted, "limit \(limit)")
        }
    }

    @Test("points that arrive while someone pages do not move the pages")
    func stablePages() throws {
        let api = try TestAPI()
        let run = try ten(api)
        let address = "/api/v1/runs/\(run.id)/history?metric=loss&limit=4"
        let first = try api.get(address)
        try api.post("/api/v1/runs/\(run.id)/metrics", text: #"{"metrics":{"loss":99},"step":5}"#)
        let second = try api.get(address + "&page_token=\(first["next_page_token"].string ?? "")")
        #expect(values(second) == [4, 5, 6, 7])
    }

    @Test("buckets keep the true extremes and count what is not finite")
    func buckets() throws {
        let api = try TestAPI()
        let run = try ten(api)
        try api.post(
            "/api/v1/runs/\(run.id)/metrics",
            text: #"[{"metrics":{"loss":NaN},"step":15},{"metrics":{"loss":-7},"step":16}]"#)
        let reply = try api.get("/api/v1/runs/\(run.id)/history?metric=loss&buckets=2")
        let buckets = reply["series"][0]?["buckets"]?.array ?? []
        #expect(buckets.count == 2)
        #expect(
            buckets.first == [
                "from": 0, "to": 40, "count": 7, "nan": 1, "inf": 0, "first": 0.0, "last": 4.0, "min": -7.0, "max": 4.0,
                "mean": 0.5,
            ])
        let seconds = try api.get("/api/v1/runs/\(run.id)/history?metric=loss&buckets=1&axis=relative&from=1&to=3")
        #expect(seconds["series"][0]?["buckets"]?[0]?["max"] == 3.0)
        let time = try api.get("/api/v1/runs/\(run.id)/history?metric=loss&buckets=1&axis=time")
        #expect(time["series"][0]?["buckets"]?[0]?["from"]?.string?.hasPrefix("2024-01-15T10:30:") == true)
    }

    @Test("a later attempt counts, and all attempts are shown when asked for")
    func attempts() throws {
        let api = try TestAPI()
        let run = try api.run()
        let address = "/api/v1/runs/\(run.id)/metrics"
        try api.post(address, text: #"{"series":[{"metric":"loss","steps":[1,2,3],"values":[9,8,7]}]}"#)
        _ = try api.engine.changeAndWait(.local(via: "test")) { ledger throws(Refusal) in
            try ledger.beginAttempt(run.key)
        }
        try api.post(address, text: #"{"series":[{"metric":"loss","steps":[2,3],"values":[5,4]}]}"#)
        let history = "/api/v1/runs/\(run.id)/history?metric=loss"
        #expect(values(try api.get(history)) == [9, 5, 4])
        #expect(values(try api.get(history + "&attempts=all")).sorted() == [4, 5, 7, 8, 9])
        let all = try api.get(history + "&attempts=all&buckets=1")
        #expect(all["series"][0]?["buckets"]?[0]?["count"] == 5)
        #expect(try api.get(history + "&buckets=1")["series"][0]?["buckets"]?[0]?["count"] == 3)
    }

    @Test("an unknown metric answers 404 with the nearest names; a pattern takes all that fit")
    func names() throws {
        let api = try TestAPI()
        let run = try ten(api)
        try api.post("/api/v1/runs/\(run.id)/metrics", text: #"{"metrics":{"lr":1,"logs":2},"step":1}"#)
        let reply = try api.get("/api/v1/runs/\(run.id)/history?metric=los")
        #expect(reply.status == 404)
        #expect(reply.error("field") == "metric")
        #expect(reply["error"]["candidates"]?.array?.contains("loss") == true)
        let fitting = try api.get("/api/v1/runs/\(run.id)/history?metric=lo*")
        #expect(fitting["series"].array?.compactMap { $0["metric"]?.string } == ["logs", "loss"])
        #expect(try api.get("/api/v1/runs/\(run.id)/history").status == 422)
    }

    @Test("as CSV the whole history comes, and no cell is a formula")
    func table() throws {
        let api = try TestAPI()
        let run = try api.run()
        try api.post(
            "/api/v1/runs/\(run.id)/metrics",
            text: #"{"metrics":{"=cmd()":1,"a,b":NaN,"-x":-2.5},"step":1,"timestamp":1705314600000}"#)
        let reply = try api.get("/api/v1/runs/\(run.id)/history?metric=*", headers: ["Accept": "text/csv"])
        #expect(reply.headers["content-type"] == "text/csv; charset=utf-8")
        #expect(
            reply.text
                == "metric,step,timestamp,value\r\n'-x,1,2024-01-15T10:30:00Z,-2.5\r\n'=cmd(),1,2024-01-15T10:30:00Z,1.0\r\n"
                + "\"a,b\",1,2024-01-15T10:30:00Z,NaN\r\n")
        let buckets = try api.get(
            "/api/v1/runs/\(run.id)/history?metric=-x&buckets=5", headers: ["Accept": "text/csv"])
        #expect(buckets.text.hasPrefix("metric,from,to,count,nan,inf,first,last,min,max,mean\r\n'-x,1,1,1,0,0,-2.5"))
    }

    @Test(
        "a question that makes no sense is refused with its field",
        arguments: [
            ("axis=depth", "axis", 422), ("buckets=0", "buckets", 422), ("buckets=65537", "buckets", 422),
            ("buckets=many", "buckets", 400), ("from=first", "from", 400), ("axis=time&to=soon", "to", 400),
            ("limit=0", "limit", 422), ("page_token=x", "page_token", 422), ("page_token=1~2~other", "page_token", 422),
        ])
    func wrong(_ query: String, _ field: String, _ status: Int) throws {
        let api = try TestAPI()
        let run = try ten(api)
        let reply = try api.get("/api/v1/runs/\(run.id)/history?metric=loss&\(query)")
        #expect(reply.status == status)
        #expect(reply.error("field") == field)
        #expect(reply.error("remedy")?.isEmpty == false)
    }
}
