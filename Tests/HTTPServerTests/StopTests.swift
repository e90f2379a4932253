import Glibc
import MartletHTTPMessages
import MartletHTTPServer
import Testing

@Suite("A stop strands nobody") struct StopTests {
    /// Everything that can be in progress at once.
    private struct Busy {
        let parked = Box<[Responder]>([])
        let sink = CountingSink(delayMicroseconds: 20_000)
        let streamEnds = Box<[EventStream.End]>([])
        let gate = Box(false)
        let isWorking = Box(false)

        var routes: Routes {
            Routes(plans: [
                "park": { _ in
                    .collect(limit: 10, on: .event) { _, _, responder in parked.change { $0.append(responder) } }
                },
                "work": { _ in
                    .collect(limit: 10, on: .worker) { _, _, responder in
                        isWorking.set(true)
                        _ = gate.becomes(within: 5) { $0 }
                        responder.respond(.text("worked"))
                    }
                },
                "up": { _ in .stream(to: sink, on: .worker) },
                "events": { _ in
                    let stream = EventStream { end in streamEnds.change { $0.append(end) } }
                    stream.send(data: [65])
                    return .respond(.events(stream))
                },
                "hello": { _ in .respond(.text("hello")) },
            ])
        }
    }

    @Test("requests in progress finish, parked ones hear 503, streams end, idle connections close, and it returns")
    func graceful() throws {
        let busy = Busy()
        let server = HTTPServer(ServerOptions(), handler: busy.routes)
        let port = try server.start()
        let parked = try RawClient(port)
        parked.send("GET /park HTTP/1.1\r\nHost: t\r\n\r\n")
        let working = try RawClient(port)
        working.send("GET /work HTTP/1.1\r\nHost: t\r\n\r\n")
        let events = try RawClient(port)
        events.send("GET /events HTTP/1.1\r\nHost: t\r\n\r\n")
        _ = try events.readHead()
        _ = try events.readChunk()
        let idle = try RawClient(port)
        try #expect(idle.get("/hello").status == 200)
        #expect(busy.parked.becomes { $0.count == 1 })
        #expect(busy.isWorking.becomes { $0 })
        let stopped = Box(false)
        Thread {
            // Long enough for a busy machine: what works must be able to finish, only what is parked waits so long.
            server.stop(deadlineSeconds: 3)
            stopped.set(true)
        }.start()
        usleep(200_000)
        busy.gate.set(true)
        let worked = try working.answer()
        #expect(worked.text == "worked" && worked.headers["connection"]?.lowercased() == "close")
        try #expect(events.readChunk().isEmpty)
        #expect(busy.streamEnds.value == [.finished])
        try #expect(idle.isClosedByPeer())
        try #expect(parked.answer().status == 503)
        #expect(stopped.becomes(within: 10) { $0 })
        #expect(throws: RawClient.Ended.self) { try RawClient(port).get("/hello") }
        busy.parked.value[0].respond(.text("much too late"))
    }

    @Test("uploads, parked and half-sent requests at the deadline are cut, and the process lives")
    func hard() throws {
        for _ in 0..<3 {
            let busy = Busy()
            let server = HTTPServer(ServerOptions(), handler: busy.routes)
            let port = try server.start()
            let upload = try RawClient(port)
            upload.send("PUT /up HTTP/1.1\r\nHost: t\r\nContent-Length: 100000000\r\n\r\n")
            upload.send([UInt8](repeating: 1, count: 4 << 20))
            let half = try RawClient(port)
            half.send("GET /hello HTTP/1.1\r\nHo")
            var clients: [RawClient] = []
            for _ in 0..<20 {
                let client = try RawClient(port)
                client.send("GET /park HTTP/1.1\r\nHost: t\r\n\r\n")
                clients.append(client)
            }
            #expect(busy.parked.becomes { $0.count == 20 })
            let begin = milliseconds()
            server.stop(deadlineSeconds: 0.1)
            #expect(milliseconds() - begin < 5000)
            #expect(busy.sink.isAborted.becomes { $0 })
            for client in clients { try #expect(client.answer().status == 503) }
            server.stop(deadlineSeconds: 0.1)
        }
    }

    @Test("a server may stop while clients hammer it")
    func underLoad() throws {
        for _ in 0..<3 {
            let busy = Busy()
            busy.gate.set(true)
            let server = HTTPServer(ServerOptions(), handler: busy.routes)
            let port = try server.start()
            let running = Box(4)
            for index in 0..<4 {
                Thread {
                    // Ends when the connection does.
                    if let client = try? RawClient(port) {
                        while (try? client.get(index % 2 == 0 ? "/work" : "/hello")) != nil {}
                    }
                    running.change { $0 -= 1 }
                }.start()
            }
            usleep(100_000)
            server.stop(deadlineSeconds: 1)
            #expect(running.becomes { $0 == 0 })
        }
    }

    @Test("a server that never started can be stopped")
    func neverStarted() {
        HTTPServer(ServerOptions(), handler: Routes.usual).stop()
    }
}
