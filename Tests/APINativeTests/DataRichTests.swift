import MartletArtifacts
import MartletDomain
import MartletHTTPMessages
import MartletJSON
import Testing

@Suite("Rich values over the native API") struct DataRichTests {
    @Test("values come back in order of step, one at a time or in a range")
    func roundTrip() throws {
        let api = try TestAPI()
        let address = "/api/v1/runs/\(try api.run().id)/rich/weights/layer1"
        let first: JSONValue = [
            "kind": "histogram", "step": 2, "value": ["counts": [1, 2]], "timestamp": "2024-01-15T10:30:00Z",
        ]
        #expect(try api.post(address, first)["logged"] == 1)
        let more = try api.post(
            address,
            [
                ["kind": "histogram", "step": 1, "value": ["counts": [3]]],
                ["kind": "histogram", "step": 3, "value": ["counts": [4]]],
            ])
        #expect(more["logged"] == 2)
        let all = try api.get(address)
        #expect(all["points"].array?.compactMap { $0["step"]?.int64 } == [1, 2, 3])
        #expect(
            all["points"][1] == [
                "key": "weights/layer1", "step": 2, "timestamp": "2024-01-15T10:30:00Z", "kind": "histogram",
                "value": ["counts": [1, 2]], "files": [],
            ])
        #expect(try api.get(address + "?step=3")["points"].array?.count == 1)
        #expect(try api.get(address + "?from=2&to=3")["points"].array?.count == 2)
    }

    @Test("pages hold every value once, also of many at one step")
    func pages() throws {
        let api = try TestAPI()
        let address = "/api/v1/runs/\(try api.run().id)/rich/text"
        let values: [JSONValue] = [1, 1, 1, 1, 2, 3].enumerated().map { index, step in
            ["kind": "text", "step": .int(step), "value": .int(Int64(index))]
        }
        try api.post(address, .array(values))
        var found: [Int64] = []
        var token: String?
        repeat {
            let reply = try api.get(address + "?limit=2" + (token.map { "&page_token=\($0)" } ?? ""))
            found += (reply["points"].array ?? []).compactMap { $0["value"]?.int64 }
            token = reply["next_page_token"].string
        } while token != nil && found.count < 20
        #expect(found == [0, 1, 2, 3, 4, 5])
    }

    @Test("files are named by the digest of bytes that are in the store")
    func files() throws {
        let api = try TestAPI()
        let run = try api.run()
        let digest = SHA256.digest(of: Array("png".utf8)).text
        let value: JSONValue = [
            "kind": "image", "step": 1, "files": [["sha256": .string(digest), "size": 3, "mime": "image/png"]],
        ]
        let early = try api.post("/api/v1/runs/\(run.id)/rich/sample", value)
        #expect(early.status == 422)
        #expect(early.error("field") == "sha256")
        try api.send(.put, "/api/v1/runs/\(run.id)/artifacts/s.png", body: Array("png".utf8))
        #expect(try api.post("/api/v1/runs/\(run.id)/rich/sample", value).status == 200)
        #expect(
            try api.get("/api/v1/runs/\(run.id)/rich/sample")["points"][0]?["files"]?[0]?["sha256"] == .string(digest))
    }

    @Test(
        "a key has one kind, and wrong values are refused with their field",
        arguments: [
            (#"{"kind":"image"}"#, 409, "kind"), (#"{"kind":"smell"}"#, 422, "kind"), (#"{"value":1}"#, 422, "kind"),
            (#"{"kind":"text","step":"x"}"#, 422, "step"), (#"{"kind":"text","files":1}"#, 422, "files"),
            (#"{"kind":"text","files":[{"sha256":"x"}]}"#, 422, "files"), ("[1]", 400, nil),
        ])
    func wrong(_ body: String, _ status: Int, _ field: String?) throws {
        let api = try TestAPI()
        let address = "/api/v1/runs/\(try api.run().id)/rich/k"
        try api.post(address, ["kind": "text", "value": "hello"])
        let reply = try api.post(address, text: body)
        #expect(reply.status == status)
        #expect(reply.error("field") == field)
        #expect(try api.get(address)["points"].array?.count == 1)
    }

    @Test("values can be deleted, in part or whole; an unknown key answers 404")
    func deleted() throws {
        let api = try TestAPI()
        let address = "/api/v1/runs/\(try api.run().id)/rich/k"
        try api.post(address, [["kind": "text", "step": 1], ["kind": "text", "step": 2]])
        #expect(try api.delete(address + "?to=1").status == 200)
        #expect(try api.get(address)["points"].array?.compactMap { $0["step"]?.int64 } == [2])
        #expect(try api.delete(address).status == 200)
        #expect(try api.get(address).status == 404)
        #expect(try api.delete(address).status == 404)
    }
}
