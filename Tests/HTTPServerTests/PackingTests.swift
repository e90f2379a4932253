import Glibc
import MartletCompression
import MartletHTTPMessages
import MartletHTTPServer
import Testing

@Suite("Bodies are packed and unpacked where both sides want it") struct PackingTests {
    static let letters = [UInt8]((0..<100_000).map { UInt8(97 + $0 / 7 % 11) })

    private func unpack(_ bytes: [UInt8], _ coding: ContentCoding) throws -> [UInt8] {
        let decoder = try Decoder(coding)
        var out: [UInt8] = []
        try bytes.withUnsafeBytes { bytes in
            _ = try decoder.decode(bytes) {
                out.append(contentsOf: $0); return true
            }
        }
        try decoder.finish()
        return out
    }

    private static let routes = Routes(plans: [
        "text": { _ in .respond(Response(.ok, ContentType.text, letters)) },
        "error": { _ in .respond(Response(.notFound, ContentType.json, letters)) },
        "large": { _ in .respond(Response(.ok, ContentType.json, letters + letters)) },
        "short": { _ in .respond(Response(.ok, ContentType.text, Array(letters[..<1023]))) },
        "image": { _ in .respond(Response(.ok, ContentType.png, letters)) },
        "bytes": { _ in .respond(Response(.ok, ContentType.bytes, letters)) },
        "asis": { _ in
            var response = Response(.ok, ContentType.text, letters)
            response.headers["Cache-Control"] = "private, no-transform"
            return .respond(response)
        },
        "packed": { _ in
            var response = Response(.ok, ContentType.text, letters)
            response.headers["Content-Encoding"] = "br"
            return .respond(response)
        },
        "pull": { _ in
            .respond(Response(.ok, headers: ["Content-Type": ContentType.csv], body: .pull(Pieces(300), length: nil)))
        },
        "broken": { _ in
            .respond(
                Response(
                    .ok, headers: ["Content-Type": ContentType.csv],
                    body: .pull(Pieces(300, isBroken: true), length: nil)))
        },
        "tagged": { head in
            let file = temporaryFile(letters)
            return .respond(
                .file(file, length: file.length, contentType: ContentType.csv, tag: EntityTag("v1"), request: head))
        },
    ])

    private static func temporaryFile(_ bytes: [UInt8]) -> OpenFile {
        let path = "/tmp/martlet-packing-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        let descriptor = open(path, O_CREAT | O_RDWR, 0o600)
        _ = write(descriptor, bytes, bytes.count)
        unlink(path)
        return OpenFile(owning: descriptor)
    }

    // MARK: Answers

    @Test(
        "the best coding that the client takes",
        arguments: [
            ("", nil), ("gzip", "gzip"), ("zstd", "zstd"), ("gzip, deflate, br, zstd", "zstd"), ("GZip", "gzip"),
            ("zstd;q=0.5, gzip;q=0.9", "gzip"), ("gzip;q=0", nil), ("*", "gzip"), ("*;q=0", nil), ("deflate, br", nil),
            ("identity", nil), ("gzip;q=0.5, identity", nil), ("gzip;q=0.5, identity;q=0.1", "gzip"),
            ("x-gzip", "gzip"),
            ("gzip;q=nonsense", nil), (";;,,=", nil),
        ] as [(String, String?)])
    func negotiation(_ accepted: String, _ coding: String?) throws {
        try withServer(PackingTests.routes) { port, _ in
            let header = accepted.isEmpty ? "" : "Accept-Encoding: \(accepted)\r\n"
            for target in ["/text", "/large", "/error"] {
                let answer = try RawClient(port).get(target, header)
                #expect(answer.headers["content-encoding"] == coding && answer.headers["vary"] == "Accept-Encoding")
                let body = try coding.map { try unpack(answer.body, ContentCoding(rawValue: $0)!) } ?? answer.body
                #expect(body == PackingTests.letters + (target == "/large" ? PackingTests.letters : []))
                if coding != nil { #expect(answer.body.count < body.count / 10) }
            }
        }
    }

    @Test(
        "what is small, packed already or not to be changed stays as it is",
        arguments: ["short", "image", "bytes", "asis", "packed"])
    func plain(_ target: String) throws {
        try withServer(PackingTests.routes) { port, _ in
            let answer = try RawClient(port).get("/\(target)", "Accept-Encoding: gzip, zstd\r\n")
            #expect(answer.headers["content-encoding"] == (target == "packed" ? "br" : nil))
            #expect(answer.headers["vary"] == nil)
            #expect(answer.body == PackingTests.letters || answer.body.count == 1023)
        }
    }

    @Test(
        "a body that is made piece by piece is packed piece by piece, and a broken one still breaks",
        arguments: ["gzip", "zstd"])
    func pulled(_ coding: String) throws {
        try withServer(PackingTests.routes) { port, _ in
            let client = try RawClient(port)
            let answer = try client.get("/pull", "Accept-Encoding: \(coding)\r\n")
            let body = try unpack(answer.body, ContentCoding(rawValue: coding)!)
            #expect(body.count == 3_000_000 && body[0] == 43 && body.last == 0)
            try #expect(client.get("/text").body == PackingTests.letters)
            #expect(throws: RawClient.Ended.self) { try client.get("/broken", "Accept-Encoding: \(coding)\r\n") }
        }
    }

    @Test("a file's tag is weak when it is packed; parts and conditions see the plain file")
    func files() throws {
        try withServer(PackingTests.routes) { port, _ in
            let client = try RawClient(port)
            let packed = try client.get("/tagged", "Accept-Encoding: gzip\r\n")
            try #expect(unpack(packed.body, .gzip) == PackingTests.letters)
            #expect(packed.headers["etag"] == "W/\"v1\"" && packed.headers["accept-ranges"] == nil)
            let plain = try client.get("/tagged")
            #expect(plain.headers["etag"] == "\"v1\"" && plain.headers["vary"] == "Accept-Encoding")
            #expect(plain.headers["accept-ranges"] == "bytes" && plain.body == PackingTests.letters)
            let part = try client.get("/tagged", "Accept-Encoding: gzip\r\nRange: bytes=10-19\r\n")
            #expect(part.status == 206 && part.headers["content-encoding"] == nil)
            #expect(part.body == Array(PackingTests.letters[10..<20]) && part.headers["etag"] == "\"v1\"")
            let known = try client.get("/tagged", "Accept-Encoding: gzip\r\nIf-None-Match: W/\"v1\"\r\n")
            #expect(known.status == 304)
            // A weak tag proves nothing about bytes, so the part that follows must not be joined to what is held.
            let whole = try client.get("/tagged", "Range: bytes=10-19\r\nIf-Range: W/\"v1\"\r\n")
            #expect(whole.status == 200 && whole.body == PackingTests.letters)
        }
    }

    @Test("HEAD tells of the packed answer without giving it, and the next answer is whole")
    func head() throws {
        try withServer(PackingTests.routes) { port, _ in
            let client = try RawClient(port)
            client.send("HEAD /text HTTP/1.1\r\nHost: t\r\nAccept-Encoding: gzip\r\n\r\n")
            try #expect(client.answer(hasBody: false).headers["content-encoding"] == "gzip")
            try #expect(client.get("/text").body == PackingTests.letters)
            client.send("HEAD /pull HTTP/1.1\r\nHost: t\r\nAccept-Encoding: gzip\r\n\r\n")
            try #expect(client.answer(hasBody: false).headers["content-encoding"] == "gzip")
            // Nothing says how long a body is that is made as it goes, so the connection ends with the head.
            try #expect(client.isClosedByPeer())
        }
    }

    // MARK: Requests

    @Test("a packed body arrives plain", arguments: [ContentCoding.gzip, .zstd], ["echo", "work"])
    func collected(_ coding: ContentCoding, _ target: String) throws {
        try withServer { port, _ in
            let client = try RawClient(port)
            let body = Array(PackingTests.letters[..<900])
            let packed = try Encoder.encode(body, coding)
            try #expect(client.post("/\(target)", packed, "Content-Encoding: \(coding.rawValue)\r\n").body == body)
            try #expect(client.post("/\(target)", [7], "Content-Encoding: identity\r\n").body == [7])
        }
    }

    @Test("a body that unpacks beyond its route's limit is 413, and the connection is kept")
    func large() throws {
        try withServer { port, _ in
            let client = try RawClient(port)
            let packed = try Encoder.encode(Array(PackingTests.letters[..<1001]), .gzip)
            let answer = try client.post("/work", packed, "Content-Encoding: gzip\r\n")
            #expect(answer.status == 413 && answer.text.contains("more than 1000 bytes"))
            try #expect(client.get("/hello").text == "hello")
        }
    }

    @Test("whatever its route allows, a body in memory unpacks to the server's limit at most")
    func unpackedLimit() throws {
        var limits = ServerLimits()
        limits.unpackedBytes = 50_000
        try withServer(limits: limits) { port, _ in
            let packed = try Encoder.encode(PackingTests.letters, .zstd)
            let answer = try RawClient(port).post("/echo", packed, "Content-Encoding: zstd\r\n")
            #expect(answer.status == 413 && answer.text.contains("50000"))
        }
    }

    private static let zeros = [UInt8](repeating: 0, count: 20 << 20)

    @Test("a bomb is 413 before it has unfolded, collected or streamed", arguments: [ContentCoding.gzip, .zstd])
    func bomb(_ coding: ContentCoding) throws {
        let sink = CountingSink()
        let routes = Routes(plans: [
            "up": { _ in .stream(to: sink, on: .worker) },
            "all": { _ in
                .collect(limit: 64 << 20, on: .worker) { _, body, responder in responder.respond(.text("\(body.count)"))
                }
            },
        ])
        try withServer(routes) { port, _ in
            let packed = try Encoder.encode(PackingTests.zeros, coding)
            for target in ["/all", "/up"] {
                let answer = try RawClient(port).post(target, packed, "Content-Encoding: \(coding.rawValue)\r\n")
                #expect(answer.status == 413 && answer.text.contains("100 times"))
            }
            #expect(sink.isAborted.becomes { $0 } && !sink.isFinished.value)
            #expect(sink.received.value <= max(1 << 20, packed.count * 100) + (64 << 10))
        }
    }

    @Test("a stream is unpacked as it comes, in constant memory", arguments: [ContentCoding.gzip, .zstd])
    func streamed(_ coding: ContentCoding) throws {
        let sink = CountingSink()
        try withServer(Routes(plans: ["up": { _ in .stream(to: sink, on: .worker) }])) { port, _ in
            var random = Seeded(state: 5)
            let noise = (0..<(4 << 20)).map { _ in UInt8.random(in: 0...15, using: &random) }
            let packed = try Encoder.encode(noise, coding)
            let answer = try RawClient(port).post("/up", packed, "Content-Encoding: \(coding.rawValue)\r\n")
            #expect(answer.text == String(noise.count))
            #expect(sink.largest.value <= 64 << 10 && sink.isFinished.value)
        }
    }

    @Test(
        "a damaged or shortened body is 400, collected or streamed", arguments: [ContentCoding.gzip, .zstd, .deflate])
    func damaged(_ coding: ContentCoding) throws {
        let good = coding == .deflate ? [0x78, 0x9C, 0x4B, 0x4C] : try Encoder.encode(PackingTests.letters, coding)
        for body in [Array(good.dropLast()), Array("nothing packed".utf8)] {
            let sink = CountingSink()
            let routes = Routes(plans: [
                "up": { _ in .stream(to: sink, on: .worker) }, "all": Routes.usual.plans["echo"]!,
            ])
            try withServer(routes) { port, _ in
                for target in ["/all", "/up"] {
                    let answer = try RawClient(port).post(target, body, "Content-Encoding: \(coding.rawValue)\r\n")
                    #expect(answer.status == 400 && answer.text.contains("bad_encoding"))
                }
                #expect(sink.isAborted.becomes { $0 } && !sink.isFinished.value)
            }
        }
    }

    @Test("the handler's head is that of the plain body")
    func plainHead() throws {
        let routes = Routes(plans: [
            "head": { head in
                let seen = "\(head.headers.contains("content-encoding")) \(head.contentLength ?? -1)"
                return .collect(limit: 100, on: .worker) { request, body, responder in
                    responder.respond(.text("\(seen) \(request.contentLength ?? -1) \(body.count)"))
                }
            }
        ])
        try withServer(routes) { port, _ in
            let packed = try Encoder.encode([1, 2, 3], .gzip)
            try #expect(RawClient(port).post("/head", packed, "Content-Encoding: gzip\r\n").text == "false -1 -1 3")
            try #expect(RawClient(port).post("/head", [1, 2, 3]).text == "false 3 3 3")
        }
    }
}
