import MartletHTTPMessages
import Testing

@Suite("Messages mean what HTTP says they mean") struct MessageTests {
    @Test("header names know no case, order and repetition are kept")
    func headers() {
        var headers: Headers = ["Accept": "a", "X-One": "1", "accept": "b"]
        #expect(headers["ACCEPT"] == "a" && headers.all("Accept") == ["a", "b"])
        headers["x-one"] = "2"
        #expect(headers.map(\.value) == ["a", "2", "b"])
        headers["accept"] = nil
        #expect(headers.count == 1 && !headers.contains("Accept"))
        headers.add("Connection", "keep-alive, Upgrade")
        #expect(headers.hasToken("upgrade", in: "connection") && !headers.hasToken("up", in: "connection"))
    }

    @Test("percent-encoding comes back as it went", arguments: ["", "a/b c+d%e", "ä🐦\u{0}", "100% \"sure\" <ok>"])
    func percent(_ text: String) {
        let encoded = PercentCoding.encode(text)
        #expect(PercentCoding.decodeSegment(encoded.utf8) == text)
        #expect(PercentCoding.decodeComponent(Array(encoded.utf8)) == text)
    }

    @Test(
        "dates are written and read in the one format",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        ])
    func dates(_ seconds: Int, _ text: String) {
        #expect(HTTPDate.format(unixSeconds: seconds) == text)
        #expect(HTTPDate.parse(text) == seconds)
    }

    @Test(
        "what is no date is nil",
        arguments: ["", "yesterday", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT"])
    func noDate(_ text: String) { #expect(HTTPDate.parse(text) == nil) }

    @Test(
        "ranges are understood, ignored, or cannot be met",
        arguments: [
            ("bytes=0-4", ByteRange.part(0..<5)), ("bytes=5-", .part(5..<10)), ("bytes=-3", .part(7..<10)),
            ("bytes=-30", .part(0..<10)), ("bytes=2-99999999999999999999", .part(2..<10)),
            ("bytes=10-", .unsatisfiable),
            ("bytes=-0", .unsatisfiable), ("bytes=5-4", .whole), ("bytes=0-1,3-4", .whole), ("items=0-1", .whole),
            ("bytes=a-b", .whole), ("bytes=-", .whole), ("BYTES=0-0", .part(0..<1)),
        ])
    func ranges(_ header: String, _ expected: ByteRange) { #expect(ByteRange(header: header, length: 10) == expected) }

    @Test("tags compare weakly for reading and strongly for writing")
    func tags() throws {
        let strong = EntityTag("a")
        let weak = EntityTag("a", isWeak: true)
        #expect(EntityTag(header: "W/\"a\"") == weak && EntityTag(header: "a") == nil && weak.header == "W/\"a\"")
        #expect(strong.isNamed(byIfNoneMatch: ["\"x\", W/\"a\""]) && !strong.isNamed(byIfNoneMatch: ["\"b\""]))
        #expect(weak.isNamed(byIfNoneMatch: ["*"]) && !weak.isNamed(byIfMatch: ["W/\"a\""]))
        #expect(strong.isNamed(byIfMatch: ["\"a\""]) && !strong.isNamed(byIfMatch: ["W/\"a\""]))
    }

    @Test("the best offer wins, a refused one never")
    func accept() {
        let browser = Accept(["text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"])
        #expect(browser.preferred(among: ["application/json", "text/html"]) == "text/html")
        #expect(!browser.names("text/event-stream"))
        #expect(Accept(["text/event-stream"]).names("text/event-stream"))
        #expect(Accept([]).preferred(among: ["application/json", "text/html"]) == "application/json")
        #expect(Accept(["application/json;q=0, */*"]).preferred(among: ["application/json"]) == nil)
        #expect(Accept(["text/*;q=0.5, text/csv"]).preferred(among: ["text/plain", "text/csv"]) == "text/csv")
        #expect(Accept(["text/csv;q=nan"]).quality(of: "text/csv") == 0)
    }

    @Test("cookies and media types are taken apart")
    func smallThings() {
        #expect(Cookie.parse(["a=1; b=\"2\"; a=3; ; c", "d=x=y"]) == ["a": "1", "b": "2", "d": "x=y"])
        let type = MediaType("Multipart/Form-Data; boundary=\"a;b\\\"c\"; charset=utf-8")
        #expect(type?.essence == "multipart/form-data" && type?.parameters["boundary"] == "a;b\"c")
        #expect(MediaType("text") == nil && MediaType("/") == nil && MediaType("") == nil)
    }

    @Test("an event keeps its lines, and no line end begins a field")
    func eventText() {
        let text = { (bytes: [UInt8]) in String(decoding: bytes, as: UTF8.self) }
        #expect(
            text(EventStream.encode(data: Array("a\nb\r\nc\rid: 9".utf8)))
                == "data: a\ndata: b\ndata: c\ndata: id: 9\n\n")
        #expect(text(EventStream.encode(event: "x\ny", id: "1\r\n2", data: [])) == "id: 12\nevent: xy\ndata: \n\n")
    }

    @Test("an error body is JSON whatever it quotes")
    func errorBody() {
        let error = HTTPError(.badRequest, "x", "a \"quote\"\n\u{1}", remedy: "\\")
        guard case .bytes(let bytes) = Response.failure(error, requestID: "r").body else {
            Issue.record("no bytes")
            return
        }
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == #"{"error":{"code":"x","message":"a \"quote\"\u000a\u0001","remedy":"\\","request_id":"r"}}"#)
    }

    @Test("a responder answers once and tells its route when nobody waits")
    func responder() {
        let answers = Box<[Int]>([])
        let first = Responder { response in answers.change { $0.append(response.status.code) } }
        let cancelled = Box(false)
        first.onCancel { cancelled.set(true) }
        first.respond(Response(.ok))
        first.cancel()
        #expect(answers.value == [200] && !cancelled.value)
        do { _ = Responder { response in answers.change { $0.append(response.status.code) } } }
        #expect(answers.value == [200, 500])
        let third = Responder { _ in answers.change { $0.append(1) } }
        third.onCancel { cancelled.set(true) }
        third.cancel()
        third.respond(Response(.ok))
        #expect(cancelled.value && answers.value == [200, 500])
    }

    @Test("a queue of bytes gives out what went in, in any portions")
    func byteQueue() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Seeded(state: seed)
        var queue = ByteQueue()
        var expected: [UInt8] = []
        var taken: [UInt8] = []
        for _ in 0..<2000 {
            if Bool.random(using: &random) {
                let chunk = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                queue.append(chunk)
                expected += chunk
            } else if Int.random(in: 0..<20, using: &random) == 0 {
                taken += queue.takeAll()
            } else {
                var target = [UInt8](repeating: 0, count: Int.random(in: 0...30, using: &random))
                let count = target.withUnsafeMutableBytes { queue.read(into: $0) }
                taken += target[..<count]
            }
            #expect(queue.count == expected.count - taken.count, "seed \(seed)")
        }
        #expect(taken + queue.takeAll() == expected, "seed \(seed)")
    }

    @Test("random targets, queries and headers are read or refused, never more than that")
    func noise() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Seeded(state: seed)
        let alphabet = Array("/%2fF.0?&=+;:\"\\,*-az é#@W bytes=".utf8) + [0, 0xFF, 10]
        for _ in 0..<5000 {
            let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            let text = String(decoding: bytes, as: UTF8.self)
            if let target = try? Target("/" + text) {
                #expect(!target.segments.contains { $0 == "." || $0 == ".." || $0.utf8.contains(0) }, "seed \(seed)")
            }
            _ = try? Query(bytes)
            _ = MediaType(text)
            _ = Accept([text])
            _ = Cookie.parse([text])
            _ = EntityTag(header: text)
            if case .part(let part) = ByteRange(header: text, length: 100) {
                #expect(part.upperBound <= 100, "seed \(seed)")
            }
        }
    }
}
