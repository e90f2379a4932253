import MartletHTTPMessages
import MartletHTTPServer
import Testing

@Suite("Requests are routed by what was really sent") struct RoutingTests {
    @Test(
        "a segment is decoded once, and an escaped slash stays inside it",
        arguments: [
            ("/segments/a%2Fb/c", "segments|a/b|c"), ("/segments/%2541", "segments|%41"),
            ("/segments/a+b", "segments|a+b"), ("/segments/%C3%A4", "segments|ä"), ("/segments//x", "segments||x"),
            ("/segments/x/", "segments|x"), ("http://test/segments/y?z", "segments|y"),
        ])
    func segments(_ target: String, _ expected: String) throws {
        try withServer { port, _ in
            let answer = try RawClient(port).get(target)
            #expect(answer.status == 200)
            #expect(answer.text == expected)
        }
    }

    @Test(
        "NUL, dot segments and broken escapes are refused",
        arguments: [
            "/segments/a%00b", "/segments/../x", "/segments/%2e%2e/x", "/segments/./x", "/segments/..%2Fx",
            "/segments/%zz", "/segments/%f", "/segments/%FF", "segments", "/segments#x", "/..", "/segments/a b",
        ])
    func refused(_ target: String) throws {
        try withServer { port, _ in
            let answer = try RawClient(port).get(target)
            #expect(answer.status == 400)
        }
    }

    @Test(
        "a query is taken as curl sends it",
        arguments: [
            ("/query?filter=metrics.acc>0.9", "filter=metrics.acc>0.9"), ("/query?a=b+c&a=d%20e", "a=b c|a=d e"),
            ("/query?x=50%&y", "x=50%|y="), ("/query?q=\"x\"{}|^`", "q=\"x\"{}|^`"), ("/query?a=1&&b==2", "a=1|b==2"),
            ("/query?%C3%A4=%F0%9F%90%A6", "ä=🐦"), ("/query?a=ä", "a=ä"), ("/query?", ""),
            ("/query?order_by=metrics.f1 DESC", "order_by=metrics.f1 DESC"),
        ])
    func query(_ target: String, _ expected: String) throws {
        try withServer { port, _ in
            let answer = try RawClient(port).get(target)
            #expect(answer.status == 200)
            #expect(answer.text == expected)
        }
    }

    @Test("every answer carries a request id, the client's own when it is harmless")
    func requestIDs() throws {
        try withServer { port, _ in
            let client = try RawClient(port)
            try #expect(client.get("/hello", "X-Request-ID: abc-1\r\n").headers["x-request-id"] == "abc-1")
            let odd = try client.get("/hello", "X-Request-ID: <script>\r\n").headers["x-request-id"]
            #expect(odd?.utf8.count == 16)
            let one = try client.get("/hello").headers["x-request-id"]
            let two = try client.get("/absent").headers["x-request-id"]
            #expect(one != nil && two != nil && one != two)
        }
    }

    @Test("a header value cannot begin a header of its own")
    func injection() throws {
        let routes = Routes(plans: [
            "x": { _ in .respond(Response(.ok, headers: ["X-Name": "a\r\nX-Evil: b"], body: .bytes([]))) }
        ])
        try withServer(routes) { port, _ in
            let answer = try RawClient(port).get("/x")
            #expect(answer.status == 200)
            #expect(answer.headers["x-evil"] == nil)
            #expect(answer.headers["x-name"] == "a  X-Evil: b")
        }
    }
}
