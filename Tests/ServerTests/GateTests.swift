import MartletHTTPMessages
import Testing

@testable import MartletServer

@Suite("A page that is not ours can read nothing secret and change nothing") struct GateTests {
    private func status(
        _ method: MartletHTTPMessages.Method, at path: String = "/api/v1/runs", rules: GateRules = rules(),
        _ headers: (String, String)...
    ) throws -> Int {
        let gate = Gate(
            rules, routes: [{ _ in .respond(Response(.ok)) }], hostName: "workstation")
        let request = try Request(method, path, headers: Headers(headers.map { .init($0.0, $0.1) }))
        guard case .respond(let response) = gate.handle(request) else { return 0 }
        return response.status.code
    }

    private static func rules(
        hosts: [String] = [], origins: [String] = [], base: String = ""
    ) -> GateRules {
        GateRules(allowedHosts: hosts, corsOrigins: origins, basePath: base)
    }

    @Test(
        "a host is an address, localhost, the machine's name, or allowed",
        arguments: [
            ("127.0.0.1:8003", 200), ("localhost:8003", 200), ("[::1]:8003", 200), ("10.1.2.3", 200),
            ("workstation:8003", 200), ("workstation.local", 200), ("app.localhost", 200),
            ("evil.example", 403), ("localhost.evil.example", 403), ("127.0.0.1.evil.example", 403), ("", 403),
            ("999.1.1.1", 403), ("[evil]:80", 403),
        ])
    func host(_ host: String, _ expected: Int) throws {
        #expect(try status(.get, ("host", host)) == expected)
    }

    @Test("an operator's names are allowed, with a star for what stands before a dot")
    func allowedHosts() throws {
        let rules = GateTests.rules(hosts: ["martlet.example", "*.lab.example"])
        #expect(try status(.get, at: "/", rules: rules, ("host", "martlet.example:8003")) == 200)
        #expect(try status(.get, at: "/", rules: rules, ("host", "a.lab.example")) == 200)
        #expect(try status(.get, at: "/", rules: rules, ("host", "lab.example.evil")) == 403)
    }

    @Test("health and version answer under any name", arguments: ["/health", "/version"])
    func health(_ path: String) throws {
        #expect(try status(.get, at: path, ("host", "evil.example")) == 200)
    }

    @Test("a change from another site's page is refused, one from ours or from no page is not")
    func origin() throws {
        let host = ("host", "127.0.0.1:8003")
        #expect(try status(.post, host) == 200)
        #expect(try status(.post, host, ("origin", "http://127.0.0.1:8003")) == 200)
        #expect(try status(.post, host, ("origin", "http://evil.example")) == 403)
        #expect(try status(.post, host, ("origin", "http://127.0.0.1:9999")) == 403)
        #expect(try status(.post, host, ("origin", "null")) == 403)
        #expect(try status(.delete, host, ("sec-fetch-site", "cross-site")) == 403)
        #expect(try status(.get, host, ("origin", "http://evil.example")) == 200)
        let rules = GateTests.rules(origins: ["https://notebook.example"])
        #expect(try status(.post, at: "/", rules: rules, host, ("origin", "https://notebook.example")) == 200)
    }

    @Test("a WebSocket from another site's page is refused although it is a GET")
    func socket() throws {
        let host = ("host", "127.0.0.1:8003")
        let upgrade = [("connection", "Upgrade"), ("upgrade", "websocket")]
        #expect(try status(.get, host, upgrade[0], upgrade[1]) == 200)
        #expect(try status(.get, host, upgrade[0], upgrade[1], ("origin", "http://evil.example")) == 403)
        #expect(try status(.get, host, upgrade[0], upgrade[1], ("sec-fetch-site", "cross-site")) == 403)
    }

    @Test("behind a base path the rest of the address is what counts")
    func basePath() throws {
        let gate = Gate(
            GateTests.rules(base: "/proxy/8003"),
            routes: [{ .respond(Response.text($0.target.path)) }], hostName: "workstation")
        for (path, seen) in [
            ("/proxy/8003/api/v1/runs?x=1", "/api/v1/runs"), ("/proxy/8003/", "/"), ("/api", "/api"),
            ("/proxy/80039/api", "/proxy/80039/api"),
        ] {
            let request = try Request(.get, path, headers: ["Host": "127.0.0.1"])
            guard case .respond(let response) = gate.handle(request), case .bytes(let bytes) = response.body else {
                Issue.record("no answer for \(path)")
                continue
            }
            #expect(String(decoding: bytes, as: UTF8.self) == seen)
        }
    }

    @Test("a base path without its slash leads to the one with it", arguments: ["", "?q=1"])
    func slash(_ query: String) throws {
        let gate = Gate(
            GateTests.rules(base: "/proxy/8003"), routes: [{ _ in .respond(Response(.ok)) }], hostName: "workstation")
        let request = try Request(.get, "/proxy/8003\(query)", headers: ["Host": "127.0.0.1"])
        guard case .respond(let response) = gate.handle(request) else {
            Issue.record("no answer")
            return
        }
        #expect(response.status == .permanentRedirect)
        #expect(response.headers["location"] == "/proxy/8003/\(query)")
    }
}
