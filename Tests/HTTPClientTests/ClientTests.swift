import Glibc
import MartletHTTPClient
import MartletHTTPMessages
import MartletHTTPServer
import Synchronization
import Testing

/// Says back what it was asked.
struct Mirror: RequestHandler {
    func handle(_ head: Request) -> Plan {
        switch head.segments.first {
        case "echo":
            return .collect(limit: 64 << 20, on: .worker) { request, body, responder in
                var response = Response(.ok, ContentType.bytes, body)
                response.headers["X-Method"] = request.method.rawValue
                response.headers["X-Seen"] = request.headers["x-sent"] ?? "-"
                response.headers["X-Type"] = request.headers["content-type"] ?? "-"
                response.headers["X-Length"] = request.headers["content-length"] ?? "-"
                responder.respond(response)
            }
        case "fail": return .respond(.text("no", status: .conflict))
        case "here": return .respond(Response(.seeOther, headers: ["Location": "/echo"]))
        case "loop": return .respond(Response(302, headers: ["Location": "/loop"]))
        case "away": return .respond(Response(302, headers: ["Location": "http://localhost:1/echo"]))
        case "file": return .respond(Response(302, headers: ["Location": "file:///etc/passwd"]))
        case "slow":
            return .collect(limit: 10, on: .worker) { _, _, responder in
                usleep(1_000_000)
                responder.respond(.text("late"))
            }
        case "long": return .respond(.text(String(repeating: "abcdefgh", count: 10_000)))
        case "garbled":
            var response = Response.text("not gzip at all")
            response.headers["Content-Encoding"] = "gzip"
            return .respond(response)
        case "empty": return .respond(Response(.ok))
        default: return .respond(.text("nothing here", status: .notFound))
        }
    }
}

@Suite("The client sends what it is told and says why it cannot") struct ClientTests {
    private func serving<T>(_ body: (String) throws -> T) throws -> T {
        let server = HTTPServer(ServerOptions(), handler: Mirror())
        let port = try server.start()
        defer { server.stop(deadlineSeconds: 0.2) }
        return try body("http://127.0.0.1:\(port)")
    }

    private func temporary() -> String { "/tmp/martlet-client-\(getpid())-\(UInt64.random(in: 0 ... .max))" }

    private func contents(_ path: String) -> [UInt8] {
        let file = open(path, O_RDONLY)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 8 << 20)
        var count = 0
        while true {
            let got = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress! + count, $0.count - count) }
            if got <= 0 { return Array(bytes[..<count]) }
            count += got
        }
    }

    @Test("every method, with and without a body", arguments: ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])
    func methods(_ name: String) throws {
        try serving { base in
            let client = HTTPClient()
            let method = Method(rawValue: name)
            let bare = try client.send(ClientRequest(method, base + "/echo"))
            #expect(bare.status == .ok && bare.headers["x-method"] == name && bare.body.isEmpty)
            if method == .head { return }
            let headers: Headers = ["X-Sent": "yes", "Content-Type": ContentType.json, "X-Evil": "a\r\nX-Sent: no"]
            let full = try client.send(
                ClientRequest(method, base + "/echo?a=b", headers: headers, body: .bytes([1, 2, 3])))
            #expect(full.headers["x-method"] == name && full.body == [1, 2, 3])
            #expect(full.headers["x-seen"] == "yes" && full.headers["x-type"] == ContentType.json)
            #expect(full.headers["x-length"] == "3")
        }
    }

    @Test("an answer of any status is an answer")
    func statuses() throws {
        try serving { base in
            let client = HTTPClient()
            for _ in 0..<20 {
                try #expect(client.send(ClientRequest(.get, base + "/fail")).status == .conflict)
                try #expect(client.send(ClientRequest(.get, base + "/absent")).body == Array("nothing here".utf8))
            }
        }
    }

    @Test("a packed answer arrives plain in memory, and a file as it is; one that cannot be unpacked is said")
    func packed() throws {
        try serving { base in
            let text = String(repeating: "abcdefgh", count: 10_000)
            let answer = try HTTPClient().send(ClientRequest(.get, base + "/long"))
            #expect(answer.body == Array(text.utf8) && answer.headers["vary"] == "Accept-Encoding")
            #expect(answer.headers["content-encoding"] == nil && answer.headers["content-length"] == nil)
            let path = temporary()
            defer { unlink(path) }
            var request = ClientRequest(.get, base + "/long")
            request.destination = .file(path: path)
            let saved = try HTTPClient().send(request)
            #expect(contents(path) == Array(text.utf8) && saved.headers["content-length"] == "80000")
            request = ClientRequest(.get, base + "/garbled")
            let garbled = #expect(throws: ClientError.self) { try HTTPClient().send(request) }
            #expect(garbled?.code == .protocolViolation, "\(garbled?.message ?? "")")
            var settings = HTTPClient.Settings()
            settings.bodyBytesMax = 50_000
            request.url = base + "/long"
            #expect(#expect(throws: ClientError.self) { try HTTPClient(settings).send(request) }?.code == .tooLarge)
        }
    }

    @Test("files go up and come down with progress")
    func files() throws {
        try serving { base in
            let client = HTTPClient()
            let (up, down) = (temporary(), temporary())
            defer {
                unlink(up)
                unlink(down)
            }
            let bytes = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let file = open(up, O_CREAT | O_WRONLY, 0o600)
            #expect(write(file, bytes, bytes.count) == bytes.count)
            close(file)
            let most = Mutex((0, 0))
            var request = ClientRequest(.put, base + "/echo", body: .file(path: up))
            request.destination = .file(path: down)
            request.progress = { done, total in
                most.withLock { $0 = (max($0.0, done), max($0.1, total)) }
                return true
            }
            let response = try client.send(request)
            #expect(response.status == .ok && response.body.isEmpty)
            #expect(contents(down) == bytes)
            #expect(most.withLock { $0 } == (bytes.count, bytes.count))
            request.progress = { done, _ in done < 1000 }
            let error = #expect(throws: ClientError.self) { try client.send(request) }
            #expect(error?.code == .cancelled)
        }
    }

    @Test("an empty answer is an empty file, an error's body is not a file")
    func oddDownloads() throws {
        try serving { base in
            let path = temporary()
            var request = ClientRequest(.get, base + "/fail")
            request.destination = .file(path: path)
            try #expect(HTTPClient().send(request).body == Array("no".utf8))
            #expect(access(path, F_OK) != 0)
            request.url = base + "/empty"
            try #expect(HTTPClient().send(request).status == .ok)
            #expect(access(path, F_OK) == 0 && contents(path).isEmpty)
            unlink(path)
            request.destination = .file(path: "/no/such/folder/x")
            let error = #expect(throws: ClientError.self) { try HTTPClient().send(request) }
            #expect(error?.code == .file)
        }
    }

    @Test("redirects stay on their host")
    func redirects() throws {
        try serving { base in
            let client = HTTPClient()
            let followed = try client.send(ClientRequest(.post, base + "/here", body: .bytes([1])))
            #expect(followed.status == .ok && followed.headers["x-method"] == "GET")
            for target in ["/away", "/loop", "/file"] {
                let error = #expect(throws: ClientError.self) { try client.send(ClientRequest(.get, base + target)) }
                #expect(error?.code == .protocolViolation || error?.code == .badURL)
            }
        }
    }

    @Test(
        "what is no http address is refused",
        arguments: ["", "file:///etc/passwd", "ftp://x/", "nonsense://", "http://", "/x"])
    func addresses(_ url: String) {
        let error = #expect(throws: ClientError.self) { try HTTPClient().send(ClientRequest(.get, url)) }
        #expect(error?.code == .badURL)
    }

    @Test("nobody there, too late, too large: each says so")
    func failures() throws {
        let nobody = #expect(throws: ClientError.self) {
            try HTTPClient().send(ClientRequest(.get, "http://127.0.0.1:1/"))
        }
        #expect(nobody?.code == .unreachable && nobody?.message.contains("127.0.0.1:1") == true)
        try serving { base in
            var request = ClientRequest(.get, base + "/slow")
            request.totalSeconds = 0.2
            #expect(#expect(throws: ClientError.self) { try HTTPClient().send(request) }?.code == .timeout)
            var settings = HTTPClient.Settings()
            settings.bodyBytesMax = 10
            let small = HTTPClient(settings)
            let large = ClientRequest(.post, base + "/echo", body: .bytes([UInt8](repeating: 0, count: 100)))
            #expect(#expect(throws: ClientError.self) { try small.send(large) }?.code == .tooLarge)
        }
    }

    @Test("many threads may share one client")
    func shared() async throws {
        let server = HTTPServer(ServerOptions(), handler: Mirror())
        let url = "http://127.0.0.1:\(try server.start())/echo"
        let client = HTTPClient()
        await withTaskGroup(of: Bool.self) { group in
            for index in 0..<8 {
                group.addTask {
                    (0..<20).allSatisfy { round in
                        let body = [UInt8(index), UInt8(round)]
                        return (try? client.send(ClientRequest(.post, url, body: .bytes(body))).body) == body
                    }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
        server.stop(deadlineSeconds: 0.2)
    }
}
