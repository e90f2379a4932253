import MartletHTTPServer
import Testing

@Suite("A head that two parsers could read differently is refused") struct StrictHeadTests {
    @Test(
        "contradictory or repeated framing headers are 400, and the connection is closed",
        arguments: [
            "Host: t\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "Host: t\r\nContent-Length: 3\r\nContent-Length: 3\r\n",
            "Host: t\r\nContent-Length: 3\r\nContent-Length: 4\r\n", "Content-Length: 3\r\n",
            "Host: a\r\nHost: b\r\nContent-Length: 3\r\n", "Host: t\r\nContent-Length: 3, 3\r\n",
            "Host: t\r\nContent-Length: +3\r\n", "Host: t\r\nTransfer-Encoding: gzip, chunked\r\n",
            "Host: t\r\nTransfer-Encoding: identity\r\n", "Host: t\r\nContent-Length : 3\r\n",
            "Host: t\r\nContent-Length: 99999999999999999999\r\n", "Host: t\r\nBad Name: x\r\n",
        ])
    func refused(_ headers: String) throws {
        try withServer { port, _ in
            let client = try RawClient(port)
            client.send("POST /echo HTTP/1.1\r\n\(headers)\r\nabc")
            try #expect((400..<500).contains(client.answer().status))
            // MHD itself answers a length that is no number, and repeats the head; what counts is that it closes.
            _ = try client.readToEnd()
        }
    }

    @Test("a body in an encoding that we do not decode is 415")
    func encodings() throws {
        try withServer { port, _ in
            for coding in ["br", "compress", "gzip, gzip", "GZIP\r\nContent-Encoding: zstd"] {
                let answer = try RawClient(port).post("/echo", [1, 2], "Content-Encoding: \(coding)\r\n")
                #expect(answer.status == 415 && answer.headers["accept-encoding"] == "zstd, gzip, deflate")
            }
            try #expect(RawClient(port).post("/echo", [1, 2], "Content-Encoding: identity\r\n").status == 200)
        }
    }

    @Test("an expectation that we do not know is 417")
    func expectation() throws {
        try withServer { port, _ in
            try #expect(RawClient(port).post("/echo", [1], "Expect: a-miracle\r\n").status == 417)
        }
    }

    @Test("a header bomb is refused, by size or by number")
    func bombs() throws {
        try withServer { port, _ in
            let large = try RawClient(port)
            large.send("GET /hello HTTP/1.1\r\nHost: t\r\n")
            let line = "X-Pad: " + String(repeating: "a", count: 1000) + "\r\n"
            for _ in 0..<200 where !large.send(line) { break }
            large.send("\r\n")
            try #expect(large.answer().status == 431)
            let many = try RawClient(port).get("/hello", (0..<200).map { "A\($0): b\r\n" }.joined())
            #expect(many.status == 431)
            let long = try RawClient(port)
            long.send("GET /" + String(repeating: "a", count: 100_000))
            try #expect(long.answer().status == 414)
            try #expect(RawClient(port).get("/hello").status == 200)
        }
    }
}
