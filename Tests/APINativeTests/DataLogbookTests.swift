import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import Testing

@Suite("Logbook lines over the native API") struct DataLogbookTests {
    private let run = "0123456789abcdef0123456789abcdef"

    private func line(_ sequence: Int, _ rest: String) -> String {
        "{\"w\":\"w1\",\"seq\":\(sequence),\"t\":1705314600000,\"run\":\"\(run)\",\(rest)}\n"
    }

    private var begin: String { line(1, #""op":"run","experiment":"spam","name":"first""#) }

    private func send(_ api: TestAPI, _ text: String, type: String = "application/x-ndjson") throws -> Reply {
        try api.send(.post, "/api/v1/logbook", headers: ["Content-Type": type], body: Array(text.utf8))
    }

    @Test("lines take effect once, however often they are sent, and are acked by writer")
    func once() throws {
        let api = try TestAPI()
        let lines =
            begin + line(2, #""op":"metrics","step":1,"m":{"loss":0.5}"#) + line(3, #""op":"params","p":{"lr":0.1}"#)
        for _ in 0..<2 {
            let reply = try send(api, lines)
            #expect(reply.status == 200)
            #expect(reply["accepted"] == 3)
            #expect(reply["acked"] == ["w1": 3])
        }
        let history = try api.get("/api/v1/runs/\(run)/history?metric=loss")
        #expect(history["series"][0]?["points"]?.array?.count == 1)
    }

    @Test("a gap answers 409 with the line that is expected, and keeps what came before it")
    func gap() throws {
        let api = try TestAPI()
        let reply = try send(api, begin + line(3, #""op":"metrics","step":1,"m":{"loss":0.5}"#))
        #expect(reply.status == 409)
        #expect(reply["expected"] == 2)
        #expect(reply["writer"] == "w1")
        #expect(reply["acked"] == ["w1": 1])
        #expect(reply.error("code") == "out_of_order")
        #expect(try send(api, line(2, #""op":"beat""#)).status == 200)
    }

    @Test("empty lines, foreign line ends and a last line without an end are all one")
    func lineEnds() throws {
        let api = try TestAPI()
        let lines =
            begin + "\r\n\n" + line(2, #""op":"beat""#).dropLast() + "\r\n" + line(3, #""op":"beat""#).dropLast()
        #expect(try send(api, lines)["acked"] == ["w1": 3])
        #expect(try send(api, "")["accepted"] == 0)
    }

    @Test("a damaged line is counted and passed over")
    func damaged() throws {
        let reply = try send(try TestAPI(), begin + "{not json}\n" + line(2, #""op":"beat""#))
        #expect(reply["acked"] == ["w1": 2])
        #expect(reply["problems"] == 1)
    }

    @Test("another type and a body over 32 MiB are refused")
    func refused() throws {
        let api = try TestAPI()
        #expect(try send(api, begin, type: "image/png").status == 415)
        let large = [UInt8](repeating: 0x0A, count: 32 << 20 | 1)
        #expect(try api.send(.post, "/api/v1/logbook", body: large).status == 413)
    }

    @Test("a line of who may not write is kept as a problem and changes nothing")
    func rights() throws {
        let api = try TestAPI(.tokens)
        #expect(try send(api, begin).status == 401)
        var headers = try api.user("r", .read)
        headers["Content-Type"] = "application/x-ndjson"
        _ = try api.send(.post, "/api/v1/logbook", headers: headers, body: Array(begin.utf8))
        #expect(try api.get("/api/v1/runs/\(run)/metrics", headers: headers).status == 404)
    }
}
