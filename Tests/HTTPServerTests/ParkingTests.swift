import Glibc
import MartletHTTPMessages
import MartletHTTPServer
import Testing

@Suite("A parked request holds no thread and is never forgotten") struct ParkingTests {
    @Test("an answer from another thread, at once or later, arrives")
    func otherThread() throws {
        let routes = Routes(plans: [
            "later": { _ in
                .collect(limit: 10, on: .event) { _, _, responder in
                    let thread = Thread { responder.respond(.text("later")) }
                    thread.start()
                }
            }
        ])
        try withServer(routes) { port, _ in
            let client = try RawClient(port)
            for _ in 0..<200 { try #expect(client.get("/later").text == "later") }
        }
    }

    @Test("a responder that is dropped answers 500")
    func dropped() throws {
        let routes = Routes(plans: [
            "event": { _ in .collect(limit: 10, on: .event) { _, _, _ in } },
            "worker": { _ in .collect(limit: 10, on: .worker) { _, _, _ in } },
        ])
        try withServer(routes) { port, _ in
            let client = try RawClient(port)
            for target in ["/event", "/worker", "/event"] {
                let answer = try client.get(target)
                #expect(answer.status == 500)
                #expect(answer.text.contains("no_answer"))
            }
        }
    }

    @Test("a client that leaves while parked cancels its request", arguments: [true, false])
    func vanishing(_ withReset: Bool) throws {
        let parked = Box<[Responder]>([])
        let cancelled = Box(0)
        let routes = Routes(plans: [
            "park": { _ in
                .collect(limit: 10, on: .event) { _, _, responder in
                    responder.onCancel { cancelled.change { $0 += 1 } }
                    parked.change { $0.append(responder) }
                }
            }
        ])
        try withServer(routes) { port, _ in
            var clients = try (0..<10).map { _ in try RawClient(port) }
            for client in clients { client.send("GET /park HTTP/1.1\r\nHost: t\r\n\r\n") }
            #expect(parked.becomes { $0.count == 10 })
            for client in clients { withReset ? client.reset() : client.close() }
            clients = []
            #expect(cancelled.becomes { $0 == 10 })
            for responder in parked.value {
                #expect(responder.isCancelled)
                responder.respond(.text("to nobody"))
            }
            try #expect(RawClient(port).get("/x").status == 404)
        }
    }

    @Test("hundreds of parked requests leave every thread free for others")
    func manyParked() throws {
        let parked = Box<[Responder]>([])
        let routes = Routes(plans: [
            "park": { _ in
                .collect(limit: 10, on: .event) { _, _, responder in parked.change { $0.append(responder) } }
            },
            "quick": { _ in .collect(limit: 10, on: .worker) { _, _, responder in responder.respond(.text("quick")) } },
        ])
        try withServer(routes) { port, _ in
            let clients = try (0..<300).map { _ in try RawClient(port) }
            for client in clients { client.send("GET /park HTTP/1.1\r\nHost: t\r\n\r\n") }
            #expect(parked.becomes { $0.count == 300 })
            let begin = milliseconds()
            let other = try RawClient(port)
            for _ in 0..<50 { try #expect(other.get("/quick").text == "quick") }
            #expect(milliseconds() - begin < 2000)
            for responder in parked.value { responder.respond(.text("now")) }
            for client in clients { try #expect(client.answer().text == "now") }
        }
    }
}

/// A plain thread; the tests must not answer from the pool that the server itself might use.
struct Thread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func start() {
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            {
                Unmanaged<Body>.fromOpaque($0!).takeRetainedValue().run(); return nil
            }, Unmanaged.passRetained(Body(body)).toOpaque())
        pthread_detach(thread)
    }
}
