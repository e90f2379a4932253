import Glibc
import MartletEgress
import MartletHTTPClient
import MartletHTTPMessages
import MartletHTTPServer
import Synchronization
import Testing

/// A receiver, and how often it was called.
final class Receiver: RequestHandler {
    private let seen = Mutex<[(host: String, body: [UInt8])]>([])
    var calls: [(host: String, body: [UInt8])] { seen.withLock { $0 } }

    func handle(_ head: Request) -> Plan {
        switch head.segments.first {
        case "away":
            return .respond(Response(307, headers: ["Location": "http://elsewhere.example:\(head.segments[1])/take"]))
        case "port": return .respond(Response(307, headers: ["Location": "http://receiver.example:1/take"]))
        case "stay": return .respond(Response(307, headers: ["Location": "/take"]))
        case "file": return .respond(Response(302, headers: ["Location": "file:///etc/passwd"]))
        case "large": return .respond(.text(String(repeating: "12345678", count: 1 << 18)))
        case "slow":
            return .collect(limit: 10, on: .worker) { _, _, responder in
                usleep(2_000_000)
                responder.respond(.text("late"))
            }
        default:
            return .collect(limit: 1 << 20, on: .worker) { [self] request, body, responder in
                seen.withLock { $0.append((request.headers["host"] ?? "", body)) }
                responder.respond(.text("taken"))
            }
        }
    }
}

@Suite("A user's request goes to what was checked, or nowhere") struct EgressTests {
    private func serving(
        allow: [String] = [], names: [String: [String]] = [:], seconds: Double = 10,
        _ body: (Egress, _ port: Int, Receiver) throws -> Void
    ) throws {
        let receiver = Receiver()
        let server = HTTPServer(ServerOptions(), handler: receiver)
        let port = try server.start()
        defer { server.stop(deadlineSeconds: 0.2) }
        var settings = Egress.Settings()
        settings.totalSeconds = seconds
        for text in allow where !settings.rules.allow(text.replacing("PORT", with: "\(port)")) {
            Issue.record("“\(text)” is no allowance")
        }
        let egress =
            names.isEmpty
            ? Egress(settings)
            : Egress(settings) { host in
                (names[host] ?? []).compactMap { NetworkAddress($0) }
            }
        try body(egress, port, receiver)
    }

    private func post(_ egress: Egress, _ url: String) throws -> ClientResponse {
        try egress.send(.post, url, headers: ["Content-Type": ContentType.json], body: Array("{}".utf8))
    }

    private func code(_ body: () throws -> Void) -> ClientError.Code? {
        do { try body() } catch { return (error as? ClientError)?.code }
        return nil
    }

    @Test(
        "this machine is not called by any of its names",
        arguments: [
            "http://127.0.0.1:PORT/", "http://localhost:PORT/", "http://LOCALHOST:PORT/", "http://2130706433:PORT/",
            "http://0x7f000001:PORT/", "http://0177.0.0.1:PORT/", "http://127.1:PORT/", "http://[::1]:PORT/",
            "http://[::ffff:127.0.0.1]:PORT/", "http://[::ffff:7f00:1]:PORT/", "http://0.0.0.0:PORT/",
            "http://[::]:PORT/",
            "http://127%2e0.0.1:PORT/",
        ])
    func loopback(_ url: String) throws {
        try serving { egress, port, receiver in
            let url = url.replacing("PORT", with: "\(port)")
            #expect(code { _ = try post(egress, url) } == .forbidden)
            #expect(code { try egress.check(url) } == .forbidden)
            #expect(receiver.calls.isEmpty)
        }
    }

    @Test("nor is the metadata of a cloud", arguments: ["http://169.254.169.254/latest/", "http://[fd00:ec2::254]/"])
    func metadata(_ url: String) throws {
        #expect(code { _ = try post(Egress(), url) } == .forbidden)
    }

    @Test("a name that leads to this machine is refused, also when one of its addresses is public")
    func names() throws {
        let names = ["inner.example": ["127.0.0.1"], "both.example": ["1.1.1.1", "127.0.0.1"]]
        try serving(names: names) { egress, port, receiver in
            for host in names.keys {
                let url = "http://\(host):\(port)/"
                #expect(code { _ = try post(egress, url) } == .forbidden)
                #expect(code { try egress.check(url) } == .forbidden)
            }
            #expect(receiver.calls.isEmpty)
        }
    }

    @Test("the refusal names the address and says how the operator allows it")
    func sentence() throws {
        do throws(ClientError) {
            try Egress { _ in [NetworkAddress("10.0.0.7")!] }.check("https://hooks.example/a")
        } catch {
            #expect(error.message == "“hooks.example” leads to 10.0.0.7, which is no public address.")
            #expect(error.remedy.contains("--egress-allow hooks.example:443"))
            return
        }
        Issue.record("it was not refused")
    }

    @Test("what the operator allows is called, with its own name in the request")
    func allowed() throws {
        try serving(allow: ["receiver.example:PORT"], names: ["receiver.example": ["127.0.0.1"]]) {
            egress, port, receiver in
            let answer = try post(egress, "http://receiver.example:\(port)/take")
            #expect(answer.status == .ok && String(decoding: answer.body, as: UTF8.self) == "taken")
            #expect(receiver.calls.map(\.host) == ["receiver.example:\(port)"])
            #expect(receiver.calls.map(\.body) == [Array("{}".utf8)])
        }
        try serving(allow: ["127.0.0.0/8"]) { egress, port, receiver in
            let answer = try post(egress, "http://127.0.0.1:\(port)/take")
            #expect(answer.status == .ok)
            #expect(receiver.calls.count == 1)
        }
    }

    @Test("the address is looked up once: a name that leads elsewhere a moment later does not")
    func pinned() throws {
        let lookups = Mutex(0)
        let receiver = Receiver()
        let server = HTTPServer(ServerOptions(), handler: receiver)
        let port = try server.start()
        defer { server.stop(deadlineSeconds: 0.2) }
        var settings = Egress.Settings()
        _ = settings.rules.allow("localhost:\(port)")
        // The system's resolver would say 127.0.0.1; what was checked is 127.0.0.2, and that is what is called.
        let egress = Egress(settings) { _ in
            lookups.withLock { $0 += 1 }
            return [NetworkAddress("127.0.0.2")!]
        }
        #expect(code { _ = try post(egress, "http://localhost:\(port)/take") } == .unreachable)
        #expect(lookups.withLock { $0 } == 1 && receiver.calls.isEmpty)
    }

    @Test("where nobody answers, the host's next address is tried")
    func next() throws {
        try serving(allow: ["127.0.0.0/8"], names: ["receiver.example": ["127.0.0.2", "127.0.0.1"]]) {
            egress, port, receiver in
            let answer = try post(egress, "http://receiver.example:\(port)/take")
            #expect(answer.status == .ok)
            #expect(receiver.calls.count == 1)
        }
    }

    @Test("a redirect to another host, another port or a file is not followed; one on the same host is")
    func redirects() throws {
        let names = ["receiver.example": ["127.0.0.1"], "elsewhere.example": ["127.0.0.1"]]
        try serving(allow: ["127.0.0.0/8"], names: names) { egress, port, receiver in
            let base = "http://receiver.example:\(port)"
            for path in ["/away/\(port)", "/port"] {
                #expect(
                    code { _ = try post(egress, base + path) } == .protocolViolation)
            }
            #expect(code { _ = try post(egress, base + "/file") } == .badURL)
            #expect(receiver.calls.isEmpty)
            let answer = try post(egress, base + "/stay")
            #expect(answer.status == .ok)
            #expect(receiver.calls.map(\.body) == [Array("{}".utf8)])
        }
    }

    @Test(
        "nothing but http and https, and no password in the address",
        arguments: [
            "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "example.org",
            "http://a:b@example.org/", "http://a@example.org/", "",
        ])
    func schemes(_ url: String) {
        #expect(code { _ = try post(Egress(), url) } == .badURL)
        #expect(code { try Egress().check(url) } == .badURL)
    }

    @Test("an answer that is too large or too late is given up, and so is one that nobody waits for")
    func bounds() throws {
        try serving(allow: ["127.0.0.1"], seconds: 0.5) { egress, port, _ in
            let base = "http://127.0.0.1:\(port)"
            #expect(code { _ = try post(egress, base + "/large") } == .tooLarge)
            #expect(code { _ = try post(egress, base + "/slow") } == .timeout)
        }
        try serving(allow: ["127.0.0.1"]) { egress, port, _ in
            let failure = code {
                _ = try egress.send(
                    .post, "http://127.0.0.1:\(port)/slow", headers: Headers(), body: [1], goesOn: { false })
            }
            #expect(failure == .cancelled)
        }
    }

    @Test("a host that is not there may be named, and cannot be called")
    func unknown() throws {
        let egress = Egress { _ in [] }
        try egress.check("https://not-yet.example/hook")
        #expect(code { _ = try post(egress, "https://not-yet.example/hook") } == .unreachable)
    }
}
