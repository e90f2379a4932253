import Glibc
import MartletHTTPMessages
import MartletHTTPServer
import Synchronization
import Testing

/// Counts what it is given, and may be slow or refuse.
final class CountingSink: BodySink {
    let received = Box(0)
    let largest = Box(0)
    let isAborted = Box(false)
    let isFinished = Box(false)
    let delayMicroseconds: UInt32
    let refuseAfter: Int

    init(delayMicroseconds: UInt32 = 0, refuseAfter: Int = .max) {
        self.delayMicroseconds = delayMicroseconds
        self.refuseAfter = refuseAfter
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Response? {
        let count = bytes.count
        received.change { $0 += count }
        largest.change { $0 = max($0, count) }
        if delayMicroseconds > 0 { usleep(delayMicroseconds) }
        return received.value > refuseAfter ? .text("enough", status: .insufficientStorage) : nil
    }

    func finish(_ responder: Responder) {
        isFinished.set(true)
        responder.respond(.text(String(received.value)))
    }

    func abort() { isAborted.set(true) }
}

final class Pieces: ChunkSource {
    struct Broken: Error {}
    private let left: Mutex<Int>
    private let isBroken: Bool

    init(_ count: Int, isBroken: Bool = false) {
        left = Mutex(count)
        self.isBroken = isBroken
    }

    func next() throws -> [UInt8]? {
        let index = left.withLock { left in
            left -= 1
            return left
        }
        if index < 0 {
            if isBroken { throw Broken() }
            return nil
        }
        return [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: 10_000)
    }
}

@Suite("Bodies of any size pass through in constant memory") struct StreamingTests {
    private func uploads(_ sink: CountingSink) -> Routes {
        Routes(plans: ["up": { _ in .stream(to: sink, on: .worker) }, "hello": { _ in .respond(.text("hello")) }])
    }

    @Test("an upload arrives whole, a slow sink holds the client back, and the connection is kept")
    func upload() throws {
        let sink = CountingSink(delayMicroseconds: 2000)
        try withServer(uploads(sink)) { port, _ in
            let client = try RawClient(port)
            let body = [UInt8](repeating: 9, count: 20 << 20)
            try #expect(client.post("/up", body).text == String(body.count))
            #expect(sink.isFinished.value && !sink.isAborted.value)
            // One batch grows while the other is written; neither may pass the room they share by more than a piece.
            #expect(sink.largest.value <= (1 << 20) + (64 << 10))
            try #expect(client.get("/hello").text == "hello")
        }
    }

    @Test("an empty upload finishes too")
    func emptyUpload() throws {
        let sink = CountingSink()
        try withServer(uploads(sink)) { port, _ in try #expect(RawClient(port).post("/up", []).text == "0") }
    }

    @Test("a client that dies during an upload makes the sink let go", arguments: [0, 2000])
    func aborted(_ delay: UInt32) throws {
        let sink = CountingSink(delayMicroseconds: delay)
        try withServer(uploads(sink)) { port, _ in
            let client = try RawClient(port)
            client.send("PUT /up HTTP/1.1\r\nHost: t\r\nContent-Length: 100000000\r\n\r\n")
            client.send([UInt8](repeating: 1, count: 3 << 20))
            #expect(sink.received.becomes { $0 > 0 })
            client.reset()
            #expect(sink.isAborted.becomes { $0 })
            #expect(!sink.isFinished.value)
        }
    }

    @Test("a sink that refuses midway is heard, without the rest being read")
    func refused() throws {
        let sink = CountingSink(refuseAfter: 1 << 20)
        try withServer(uploads(sink)) { port, _ in
            let client = try RawClient(port)
            client.send("PUT /up HTTP/1.1\r\nHost: t\r\nContent-Length: 100000000000\r\n\r\n")
            for _ in 0..<64 where !client.send([UInt8](repeating: 1, count: 256 << 10)) { break }
            let answer = try client.answer()
            #expect(answer.status == 507 && answer.text == "enough")
            #expect(!sink.isAborted.value && !sink.isFinished.value)
        }
    }

    @Test("a pulled body is made as it is taken; a broken one cuts the connection")
    func pulled() throws {
        let routes = Routes(plans: [
            "good": { _ in .respond(Response(.ok, body: .pull(Pieces(300), length: nil))) },
            "known": { _ in .respond(Response(.ok, body: .pull(Pieces(300), length: 3_000_000))) },
            "bad": { _ in .respond(Response(.ok, body: .pull(Pieces(3, isBroken: true), length: nil))) },
        ])
        try withServer(routes) { port, _ in
            let client = try RawClient(port)
            let whole = try client.get("/good")
            #expect(whole.body.count == 3_000_000 && whole.body[0] == 43 && whole.body.last == 0)
            let known = try client.get("/known")
            #expect(known.headers["content-length"] == "3000000" && known.body == whole.body)
            #expect(throws: RawClient.Ended.self) { try client.get("/bad") }
        }
    }

    @Test("a client that dies during a download leaves nothing behind")
    func abortedDownload() throws {
        let file = OpenFile(owning: open("/proc/self/exe", O_RDONLY | O_CLOEXEC))
        let routes = Routes(plans: [
            "pull": { _ in .respond(Response(.ok, body: .pull(Pieces(1_000_000), length: nil))) },
            "file": { _ in .respond(Response(.ok, body: .file(file, offset: 0, length: file.length))) },
        ])
        try withServer(routes) { port, server in
            for target in ["/pull", "/file"] {
                let client = try RawClient(port, receiveBuffer: 4096)
                client.send("GET \(target) HTTP/1.1\r\nHost: t\r\n\r\n")
                try #expect(client.readHead().status == 200)
                client.reset()
            }
            let isEmpty = Box(false)
            #expect(isEmpty.becomes { _ in server.openConnections == 0 && server.requestsInFlight == 0 })
        }
    }

    @Test("a file goes out whole, in part, or not at all when the client has it")
    func files() throws {
        let path = "/tmp/martlet-file-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
        let descriptor = open(path, O_CREAT | O_RDWR, 0o600)
        #expect(write(descriptor, bytes, bytes.count) == bytes.count)
        unlink(path)
        let file = OpenFile(owning: descriptor)
        let routes = Routes(plans: [
            "file": { head in
                .respond(
                    .file(
                        file, length: file.length, contentType: ContentType.bytes, tag: EntityTag("v1"), request: head))
            }
        ])
        try withServer(routes) { port, _ in
            let client = try RawClient(port)
            let whole = try client.get("/file")
            #expect(whole.body == bytes && whole.headers["etag"] == "\"v1\"")
            let part = try client.get("/file", "Range: bytes=1000-1999\r\n")
            #expect(part.status == 206 && part.body == Array(bytes[1000..<2000]))
            #expect(part.headers["content-range"] == "bytes 1000-1999/300000")
            try #expect(client.get("/file", "Range: bytes=-10\r\n").body == Array(bytes.suffix(10)))
            try #expect(client.get("/file", "Range: bytes=300000-\r\n").status == 416)
            try #expect(client.get("/file", "If-None-Match: \"v0\", \"v1\"\r\n").status == 304)
            try #expect(client.get("/file", "Range: bytes=0-1\r\nIf-Range: \"v0\"\r\n").body.count == bytes.count)
            client.send("HEAD /file HTTP/1.1\r\nHost: t\r\n\r\n")
            try #expect(client.answer(hasBody: false).headers["content-length"] == "300000")
            try #expect(client.get("/file", "Range: bytes=0-0\r\n").body == [bytes[0]])
        }
    }

    @Test("events reach every subscriber as they are sent, and the end is the end of the body")
    func events() throws {
        let streams = Box<[EventStream]>([])
        let routes = Routes(plans: [
            "events": { _ in
                let stream = EventStream()
                streams.change { $0.append(stream) }
                return .respond(.events(stream))
            }
        ])
        try withServer(routes) { port, _ in
            let clients = try (0..<5).map { _ in try RawClient(port) }
            for client in clients {
                client.send("GET /events HTTP/1.1\r\nHost: t\r\n\r\n")
                try #expect(client.readHead().headers["content-type"] == "text/event-stream")
            }
            #expect(streams.becomes { $0.count == 5 })
            for round in 0..<20 {
                let event = EventStream.encode(id: String(round), data: Array("a\nb".utf8))
                for stream in streams.value { #expect(stream.send(event)) }
                for client in clients {
                    try #expect(
                        String(decoding: client.readChunk(), as: UTF8.self) == "id: \(round)\ndata: a\ndata: b\n\n")
                }
            }
            for stream in streams.value { stream.close() }
            for client in clients { try #expect(client.readChunk().isEmpty) }
            #expect(!streams.value[0].send([1]))
        }
    }

    @Test("a subscriber that leaves or does not read is let go, and memory stays bounded")
    func lostSubscribers() throws {
        let ends = Box<[EventStream.End]>([])
        let streams = Box<[EventStream]>([])
        let routes = Routes(plans: [
            "events": { _ in
                let stream = EventStream { end in ends.change { $0.append(end) } }
                streams.change { $0.append(stream) }
                return .respond(.events(stream))
            }
        ])
        try withServer(routes) { port, _ in
            let leaver = try RawClient(port)
            leaver.send("GET /events HTTP/1.1\r\nHost: t\r\n\r\n")
            _ = try leaver.readHead()
            leaver.close()
            #expect(ends.becomes { $0 == [.disconnected] })
            let sleeper = try RawClient(port, receiveBuffer: 4096)
            sleeper.send("GET /events HTTP/1.1\r\nHost: t\r\n\r\n")
            _ = try sleeper.readHead()
            let stream = streams.value[1]
            var sent = 0
            while stream.send([UInt8](repeating: 65, count: 10_000)), sent < 100_000_000 { sent += 10_000 }
            #expect(sent < 100_000_000)
            #expect(ends.value == [.disconnected, .overrun])
            #expect(stream.backlog == 0)
        }
    }

    @Test("a quiet stream says something now and then")
    func heartbeat() throws {
        var limits = ServerLimits()
        limits.heartbeatSeconds = 1
        let routes = Routes(plans: ["events": { _ in .respond(.events(EventStream())) }])
        try withServer(routes, limits: limits) { port, _ in
            let client = try RawClient(port)
            client.send("GET /events HTTP/1.1\r\nHost: t\r\n\r\n")
            _ = try client.readHead()
            try #expect(client.readChunk() == Array(": \n\n".utf8))
        }
    }
}
