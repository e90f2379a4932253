import Glibc
import MartletHTTPMessages
import MartletHTTPServer
import Testing

@Suite("A connection is kept, shared and closed as HTTP says") struct ConnectionTests {
    @Test("many requests use one connection, bodies read or not")
    func keepAlive() throws {
        try withServer { port, _ in
            let client = try RawClient(port)
            for _ in 0..<3 {
                try #expect(client.get("/hello").text == "hello")
                try #expect(client.post("/echo", Array("abc".utf8)).text == "abc")
                try #expect(client.post("/work", Array("def".utf8)).text == "def")
                try #expect(client.post("/absent", Array("unread".utf8)).status == 404)
            }
        }
    }

    @Test("pipelined requests are answered in order")
    func pipelining() throws {
        try withServer { port, _ in
            let client = try RawClient(port)
            client.send(
                "GET /segments/1 HTTP/1.1\r\nHost: t\r\n\r\nPOST /work HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nab"
                    + "GET /segments/3 HTTP/1.1\r\nHost: t\r\n\r\n")
            try #expect(client.answer().text == "segments|1")
            try #expect(client.answer().text == "ab")
            try #expect(client.answer().text == "segments|3")
        }
    }

    @Test("HEAD has the length and no body")
    func head() throws {
        try withServer { port, _ in
            let client = try RawClient(port)
            client.send("HEAD /hello HTTP/1.1\r\nHost: t\r\n\r\nGET /hello HTTP/1.1\r\nHost: t\r\n\r\n")
            let head = try client.answer(hasBody: false)
            #expect(head.status == 200 && head.headers["content-length"] == "5")
            try #expect(client.answer().text == "hello")
        }
    }

    @Test("HTTP/1.0 needs no Host and is closed after the answer")
    func oldVersion() throws {
        try withServer { port, _ in
            let client = try RawClient(port)
            client.send("GET /hello HTTP/1.0\r\n\r\n")
            try #expect(client.answer().text == "hello")
            try #expect(client.isClosedByPeer())
        }
    }

    @Test("a client that asks gets its 100 before it sends, or the refusal instead")
    func expectation() throws {
        try withServer { port, _ in
            let client = try RawClient(port)
            client.send("POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
            try #expect(client.readHead().status == 100)
            client.send("abcd")
            try #expect(client.answer().text == "4")
            client.send("POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 4000\r\nExpect: 100-continue\r\n\r\n")
            try #expect(client.readHead().status == 413)
        }
    }

    @Test("chunked bodies are put together")
    func chunked() throws {
        try withServer { port, _ in
            let client = try RawClient(port)
            client.send(
                "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n"
            )
            try #expect(client.answer().text == "abcdefg")
            try #expect(client.get("/hello").text == "hello")
        }
    }

    @Test("the answer of 1 MiB that a slow reader takes is whole")
    func slowReader() throws {
        try withServer { port, _ in
            let client = try RawClient(port, receiveBuffer: 4096)
            let body = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 / 7) }
            try #expect(client.post("/echo", body).body == body)
        }
    }

    @Test("a port in use is named, with a remedy")
    func portInUse() throws {
        try withServer { port, _ in
            var options = ServerOptions()
            options.port = port
            let second = HTTPServer(options, handler: Routes.usual)
            let error = #expect(throws: ServerError.self) { _ = try second.start() }
            #expect(error?.code == "port_in_use")
            #expect(error?.message.contains(String(port)) == true)
            #expect(error?.remedy.contains("--port") == true)
            second.stop()
        }
    }

    @Test("a host that is not ours is refused in words", arguments: ["no-such-host.invalid", "203.0.113.7"])
    func foreignHost(_ host: String) {
        let server = HTTPServer(ServerOptions(host: host), handler: Routes.usual)
        let error = #expect(throws: ServerError.self) { _ = try server.start() }
        #expect(error?.remedy.contains("--host") == true)
        server.stop()
    }

    @Test("IPv6 loopback is served where the machine has it")
    func ipv6() throws {
        let probe = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_addr = in6addr_loopback
        let has = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(probe, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
            }
        }
        close(probe)
        guard has else { return }
        try withServer(host: "::1") { port, server in
            #expect(server.addresses == ["::1"])
            try #expect(RawClient(port, host: "::1").get("/hello").text == "hello")
        }
    }
}
