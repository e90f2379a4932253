import Glibc
import MartletHTTPMessages
import MartletHTTPServer
import Testing

@Suite("No client costs more than it may") struct LimitTests {
    private func hasty(_ change: (inout ServerLimits) -> Void = { _ in }) -> ServerLimits {
        var limits = ServerLimits()
        limits.headerSeconds = 0.5
        limits.idleSeconds = 1
        limits.bytesPerSecondMin = 1000
        change(&limits)
        return limits
    }

    @Test(
        "a header that drips is cut off, however steadily",
        arguments: ["GET /hello HTTP/1.1\r\nHost: t\r\nX: ", "G", ""])
    func slowHeader(_ start: String) throws {
        try withServer(limits: hasty()) { port, _ in
            let client = try RawClient(port)
            client.send(start)
            let begin = milliseconds()
            var isAlive = true
            while isAlive, milliseconds() - begin < 5000 {
                usleep(50_000)
                var entry = pollfd(fd: client.descriptor, events: Int16(POLLIN), revents: 0)
                isAlive = poll(&entry, 1, 0) == 0
                if isAlive, !start.isEmpty { client.send("a") }
            }
            #expect(!isAlive)
            #expect(milliseconds() - begin >= 450)
        }
    }

    @Test("a body slower than the minimum is cut off; a steady one is not")
    func slowBody() throws {
        try withServer(limits: hasty()) { port, _ in
            let slow = try RawClient(port)
            slow.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n")
            let steady = try RawClient(port)
            steady.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3000\r\n\r\n")
            for _ in 0..<15 {
                usleep(100_000)
                slow.send("a")
                steady.send([UInt8](repeating: 97, count: 200))
            }
            try #expect(slow.isClosedByPeer())
            try #expect(steady.answer().body.count == 3000)
        }
    }

    @Test("a connection that says nothing is closed, and one kept idle too long")
    func idle() throws {
        try withServer(limits: hasty()) { port, _ in
            let silent = try RawClient(port)
            let idle = try RawClient(port)
            try #expect(idle.get("/hello").status == 200)
            let begin = milliseconds()
            try #expect(silent.isClosedByPeer())
            try #expect(idle.isClosedByPeer())
            #expect(milliseconds() - begin < 5000)
        }
    }

    @Test("a query of a thousand items is read like any other that fits the head")
    func manyItems() throws {
        try withServer { port, _ in
            let items = (0..<2000).map { "run=id_\($0)" }.joined(separator: "&")
            try #expect(RawClient(port).get("/hello?\(items)").status == 200)
        }
    }

    @Test("a body beyond the limit is 413 without being read, by length or chunk by chunk")
    func tooLarge() throws {
        try withServer { port, _ in
            let honest = try RawClient(port)
            honest.send("POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 100000000000\r\n\r\n")
            honest.send([UInt8](repeating: 0, count: 100_000))
            try #expect(honest.answer().status == 413)
            let sly = try RawClient(port)
            sly.send("POST /small HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<20 where !sly.send("64\r\n" + String(repeating: "x", count: 100) + "\r\n") { break }
            try #expect(sly.answer().status == 413)
        }
    }

    @Test("a client that sends its whole large body first still reads the 413")
    func refusalSurvives() throws {
        try withServer { port, _ in
            for _ in 0..<5 {
                let client = try RawClient(port)
                let body = [UInt8](repeating: 7, count: 8 << 20)
                client.send("POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: \(body.count)\r\n\r\n")
                // A reset would stop the sending, and most clients then report a broken connection, not our answer.
                #expect(client.send(body))
                try #expect(client.answer().status == 413)
            }
        }
    }

    @Test("one connection too many hears 503, and a free place is found again")
    func connectionLimit() throws {
        try withServer(
            limits: hasty {
                $0.connections = 3; $0.idleSeconds = 30; $0.headerSeconds = 30
            }
        ) { port, _ in
            var kept: [RawClient] = []
            for _ in 0..<3 {
                let client = try RawClient(port)
                try #expect(client.get("/hello").status == 200)
                kept.append(client)
            }
            try #expect(RawClient(port).get("/hello").status == 503)
            kept.removeAll()
            usleep(200_000)
            try #expect(RawClient(port).get("/hello").status == 200)
        }
    }

    @Test("an answer that never comes is 503 after its time, and the route is told")
    func lateAnswer() throws {
        let cancelled = Box(false)
        let kept = Box<Responder?>(nil)
        let routes = Routes(plans: [
            "never": { _ in
                .collect(limit: 10, on: .event) { _, _, responder in
                    responder.onCancel { cancelled.set(true) }
                    kept.set(responder)
                }
            }
        ])
        try withServer(routes, limits: hasty { $0.answerSeconds = 0.3 }) { port, _ in
            let client = try RawClient(port)
            try #expect(client.get("/never").status == 503)
            #expect(cancelled.becomes { $0 })
            kept.value?.respond(.text("too late"))
            try #expect(client.get("/other").status == 404)
        }
    }

    @Test("work beyond the queue is 503 at once")
    func busy() throws {
        let gate = Box(false)
        let routes = Routes(plans: [
            "slow": { _ in
                .collect(limit: 10, on: .worker) { _, _, responder in
                    _ = gate.becomes { $0 }
                    responder.respond(.text("done"))
                }
            }
        ])
        try withServer(
            routes,
            limits: hasty {
                $0.queuedJobs = 1; $0.headerSeconds = 10
            }, change: { $0.workerThreads = 1 }
        ) {
            port, server in
            let clients = try (0..<6).map { _ in try RawClient(port) }
            for client in clients {
                client.send("GET /slow HTTP/1.1\r\nHost: t\r\n\r\n")
                usleep(50_000)
            }
            gate.set(true)
            let statuses = try clients.map { try $0.answer().status }
            #expect(statuses.filter { $0 == 200 }.count == 2)
            #expect(statuses.filter { $0 == 503 }.count == 4)
        }
    }

    @Test("a thousand idle connections are held, and another is served at once")
    func manyIdle() throws {
        var files = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        let count = min(1000, (Int(files.rlim_cur) - 200) / 2)
        try withServer { port, _ in
            let clients = try (0..<count).map { _ in try RawClient(port) }
            let begin = milliseconds()
            try #expect(RawClient(port).get("/hello").status == 200)
            #expect(milliseconds() - begin < 1000)
            try #expect(clients[count / 2].get("/hello").status == 200)
        }
    }
}
