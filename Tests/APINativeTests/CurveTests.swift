import MartletDomain
import MartletEngine
import MartletJSON
import MartletStorage
import Testing

@testable import MartletAPINative

@Suite("Curves and tables come in columns") struct CurveTests {
    @Test("curves of several runs lie on one grid, keep their extremes, and say what is not finite")
    func curves() throws {
        let api = try TestAPI()
        for (name, last) in [("a", 100), ("b", 40)] {
            let run = try api.run(in: "spam", name: name)
            let steps = Array(0..<last)
            let values = steps.map { $0 == 17 ? "\"NaN\"" : "\($0)" }.joined(separator: ",")
            _ = try api.post(
                "/api/v1/runs/\(run.id)/metrics",
                text: "{\"series\":[{\"metric\":\"loss\",\"steps\":\(steps),\"values\":[\(values)]}]}")
        }
        let reply = try api.post(
            "/api/v1/curves", text: "{\"runs\":[\"a\",\"b\"],\"metrics\":[\"loss\",\"none\"],\"buckets\":10}")
        #expect(reply.status == 200)
        #expect(reply.json["from"]?.double == 0 && reply.json["to"]?.double == 99)
        let curves = reply.json["curves"]?.array ?? []
        #expect(curves.count == 2)
        #expect(curves.first?["points"] == 100 && curves.first?["exact"] == false)
        #expect(curves.first?["max"]?.array?.last?.double == 99)
        #expect(curves.first?["nan"]?.array?.compactMap(\.int64).reduce(0, +) == 1)
        #expect(curves.last?["from"]?.array?.count == 4)
    }

    @Test("means alone come without what makes a band, and say what is not finite all the same")
    func onlyMeans() throws {
        let api = try TestAPI()
        let run = try api.run(in: "spam", name: "a")
        let values = (0..<100).map { $0 == 17 ? "\"NaN\"" : "\($0)" }.joined(separator: ",")
        _ = try api.post(
            "/api/v1/runs/\(run.id)/metrics",
            text: "{\"series\":[{\"metric\":\"loss\",\"steps\":\(Array(0..<100)),\"values\":[\(values)]}]}")
        func curve(_ more: String) throws -> JSONValue? {
            let body = "{\"runs\":[\"a\"],\"metrics\":[\"loss\"],\"buckets\":10\(more)}"
            return try api.post("/api/v1/curves", text: body).json["curves"]?.array?.first
        }
        let (all, means) = (try curve(""), try curve(",\"only_mean\":true"))
        for column in ["from", "mean", "nan"] { #expect(means?[column] == all?[column], "\(column)") }
        for column in ["to", "min", "max", "count"] {
            #expect(all?[column] != nil && means?[column] == nil, "\(column)")
        }
        #expect(means?["exact"] == false && means?["points"] == 100)
        let wrong = "{\"runs\":[\"a\"],\"metrics\":[\"loss\"],\"only_mean\":7}"
        #expect(try api.post("/api/v1/curves", text: wrong).status == 422)
    }

    @Test("a range of single points is exact, and a summary value is one point without a place")
    func exact() throws {
        let api = try TestAPI()
        let run = try api.run(in: "spam", name: "a")
        _ = try api.post("/api/v1/runs/\(run.id)/metrics", text: "{\"metrics\":{\"size\":7}}")
        _ = try api.post(
            "/api/v1/runs/\(run.id)/metrics",
            text: "{\"series\":[{\"metric\":\"loss\",\"steps\":[0,5,9],\"values\":[3,2,1]}]}")
        let reply = try api.post(
            "/api/v1/curves", text: "{\"runs\":[\"a\"],\"metrics\":[\"loss\",\"size\"],\"from\":1,\"to\":9}")
        let curves = reply.json["curves"]?.array ?? []
        func column(_ curve: JSONValue?, _ name: String) -> [Double] {
            (curve?[name]?.array ?? []).compactMap(\.double)
        }
        #expect(curves.first?["exact"] == true)
        #expect(column(curves.first, "mean") == [2, 1] && column(curves.first, "from") == [5, 9])
        #expect(curves.last?["summary"] == true && column(curves.last, "mean") == [7])
    }

    @Test("a table has a column for each wanted name, with one entry for each run")
    func table() throws {
        let api = try TestAPI()
        _ = try api.run(in: "spam", name: "first")
        for rate in [1, 2, 3] {
            _ = try api.post("/api/v1/experiments/spam/runs", text: "{\"params\":{\"lr\":\(rate),\"depth\":4}}")
        }
        let reply = try api.post(
            "/api/v1/runs/table",
            text:
                "{\"experiment\":\"spam\",\"filter\":\"params.lr > 1\",\"params\":[\"lr\"],\"metrics\":[\"loss\"],\"limit\":10}"
        )
        #expect(reply["total"] == 2)
        #expect(reply.json["params"]?["lr"] == [3, 2] && reply.json["params"]?["depth"] == nil)
        #expect(reply.json["metrics"]?["loss"] == [nil, nil])
        #expect(reply.json["columns"]?["short_id"] == ["run_04", "run_03"])
    }
}
