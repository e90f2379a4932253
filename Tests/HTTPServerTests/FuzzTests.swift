import Glibc
import MartletHTTPMessages
import MartletHTTPServer
import Testing

@Suite("No bytes from outside bring the server down") struct FuzzTests {
    private static let seedlings = [
        "GET /hello HTTP/1.1\r\nHost: t\r\n\r\n", "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nabcde",
        "POST /work HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
        "PUT /up HTTP/1.1\r\nHost: t\r\nContent-Length: 3000\r\n\r\n" + String(repeating: "u", count: 3000),
        "GET /park HTTP/1.1\r\nHost: t\r\n\r\n", "GET /events HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /ws HTTP/1.1\r\n\(WebSocketClient.handshake)\u{1}\u{3}abc", "HEAD /pull HTTP/1.0\r\n\r\n",
        "GET /pull HTTP/1.1\r\nHost: t\r\nRange: bytes=1-2\r\nCookie: a=b; c\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    ]

    @Test("truncated, mangled and random requests, clients killed midway, two seconds of them")
    func fuzz() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Seeded(state: seed)
        var limits = ServerLimits()
        limits.headerSeconds = 0.5
        limits.idleSeconds = 0.5
        limits.answerSeconds = 0.5
        let echo = EchoSockets()
        var routes = Routes.usual
        routes.plans["up"] = { _ in .stream(to: CountingSink(), on: .worker) }
        let parked = Box<[Responder]>([])
        routes.plans["park"] = { _ in
            .collect(limit: 10, on: .event) { _, _, responder in parked.change { $0.append(responder) } }
        }
        routes.plans["events"] = { _ in
            let stream = EventStream()
            stream.send(data: [1, 2, 3])
            return .respond(.events(stream))
        }
        routes.plans["pull"] = { _ in .respond(Response(.ok, body: .pull(Pieces(50), length: nil))) }
        routes.plans["ws"] = { _ in .upgrade(echo) }
        try withServer(routes, limits: limits) { port, server in
            let end = milliseconds() + 2000
            var open: [RawClient] = []
            var rounds = 0
            while milliseconds() < end {
                rounds += 1
                let client = try RawClient(port)
                client.send(FuzzTests.bytes(&random))
                switch Int.random(in: 0..<4, using: &random) {
                case 0: client.reset()
                case 1: shutdown(client.descriptor, Int32(SHUT_WR))
                case 2: client.close()
                default: break
                }
                open.append(client)
                if open.count > 100 { open.removeFirst() }
            }
            try #expect(RawClient(port).get("/hello").text == "hello", "seed \(seed), \(rounds) rounds")
            #expect(rounds > 50, "seed \(seed)")
            open = []
            // Nothing may be left of any of them.
            let isEmpty = Box(false)
            #expect(
                isEmpty.becomes { _ in server.openConnections == 0 && server.requestsInFlight == 0 },
                "seed \(seed): \(server.openConnections) connections, \(server.requestsInFlight) requests")
        }
    }

    private static func bytes(_ random: inout Seeded) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            bytes += Array(seedlings[Int.random(in: 0..<seedlings.count, using: &random)].utf8)
        }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: break
        case 1: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
        case 2:
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
        default:
            bytes = (0..<Int.random(in: 1...2000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random)
            }
        }
        return bytes
    }
}
