import Glibc
import MartletHTTPMessages
import MartletHTTPServer
import Testing

/// The client's side of RFC 6455, by hand.
struct WebSocketClient {
    let raw: RawClient

    static let handshake =
        "Host: t\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

    init(_ port: Int, _ target: String = "/ws", extra: [UInt8] = [], receiveBuffer: Int32? = nil) throws {
        raw = try RawClient(port, receiveBuffer: receiveBuffer)
        raw.send(Array("GET \(target) HTTP/1.1\r\n\(WebSocketClient.handshake)".utf8) + extra)
        let head = try raw.readHead()
        guard head.status == 101, head.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" else {
            throw RawClient.Ended(description: "no handshake: \(head)")
        }
    }

    static func frame(_ opcode: UInt8, _ payload: [UInt8], isLast: Bool = true, isMasked: Bool = true) -> [UInt8] {
        var out: [UInt8] = [(isLast ? 0x80 : 0) | opcode]
        let mask: UInt8 = isMasked ? 0x80 : 0
        if payload.count < 126 {
            out.append(mask | UInt8(payload.count))
        } else if payload.count < 65_536 {
            out += [mask | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        } else {
            out.append(mask | 127)
            for shift in stride(from: 56, through: 0, by: -8) { out.append(UInt8(payload.count >> shift & 255)) }
        }
        guard isMasked else { return out + payload }
        let key: [UInt8] = [1, 2, 3, 4]
        return out + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
    }

    func send(_ opcode: UInt8, _ payload: [UInt8]) { raw.send(WebSocketClient.frame(opcode, payload)) }

    func read() throws -> (opcode: UInt8, payload: [UInt8]) {
        let head = try raw.readExactly(2)
        var count = Int(head[1] & 127)
        if count >= 126 { count = try raw.readExactly(count == 126 ? 2 : 8).reduce(0) { $0 << 8 | Int($1) } }
        return (head[0] & 15, try raw.readExactly(count))
    }

    /// The code of the close frame that comes next.
    func closeCode() throws -> Int {
        while true {
            let (opcode, payload) = try read()
            if opcode == 8 { return payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : 1005 }
        }
    }
}

/// Sends back what it gets and remembers how sockets ended.
struct EchoSockets: WebSocketHandler {
    let sockets = Box<[WebSocket]>([])
    let codes = Box<[UInt16]>([])

    func opened(_ socket: WebSocket, _ request: Request) { sockets.change { $0.append(socket) } }
    func received(_ message: WebSocketMessage, on socket: WebSocket) { socket.send(message) }
    func closed(_ socket: WebSocket, code: UInt16) { codes.change { $0.append(code) } }
}

@Suite("WebSockets speak RFC 6455") struct WebSocketTests {
    private func echoing<T>(
        limits: ServerLimits = ServerLimits(), _ body: (Int, EchoSockets, HTTPServer) throws -> T
    ) throws -> T {
        let echo = EchoSockets()
        let routes = Routes(plans: ["ws": { _ in .upgrade(echo) }])
        return try withServer(routes, limits: limits) { port, server in try body(port, echo, server) }
    }

    @Test("text and binary come back, of every length class, one frame each")
    func echo() throws {
        try echoing { port, _, _ in
            let client = try WebSocketClient(port)
            for count in [0, 1, 125, 126, 65_535, 65_536, 1_000_000] {
                client.send(2, [UInt8](repeating: 7, count: count))
                let back = try client.read()
                #expect(back.opcode == 2 && back.payload.count == count)
            }
            client.send(1, Array("Grüße".utf8))
            try #expect(client.read() == (1, Array("Grüße".utf8)))
        }
    }

    @Test("frames sent together with the handshake are not lost, and fragments are joined")
    func early() throws {
        try echoing { port, _, _ in
            let early =
                WebSocketClient.frame(1, Array("first".utf8))
                + WebSocketClient.frame(1, Array("sec".utf8), isLast: false)
            let client = try WebSocketClient(port, extra: early)
            try #expect(client.read() == (1, Array("first".utf8)))
            client.send(9, [1, 2])
            try #expect(client.read() == (10, [1, 2]))
            client.send(0, Array("ond".utf8))
            try #expect(client.read() == (1, Array("second".utf8)))
        }
    }

    @Test("the client's close is answered with its code")
    func close() throws {
        try echoing { port, echo, _ in
            let client = try WebSocketClient(port)
            client.send(8, [0x03, 0xE8])
            try #expect(client.closeCode() == 1000)
            try #expect(client.raw.isClosedByPeer())
            #expect(echo.codes.becomes { $0 == [1000] })
            #expect(echo.sockets.value.allSatisfy { !$0.isOpen && !$0.send(.text("late")) })
        }
    }

    @Test("what was said before our close arrives before it")
    func lastWords() throws {
        let routes = Routes(plans: ["ws": { _ in .upgrade(LastWords()) }])
        try withServer(routes) { port, _ in
            let client = try WebSocketClient(port)
            for word in ["one", "two"] { try #expect(client.read() == (1, Array(word.utf8))) }
            try #expect(client.closeCode() == 4404)
        }
    }

    private struct LastWords: WebSocketHandler {
        func opened(_ socket: WebSocket, _ request: Request) {
            for word in ["one", "two"] { socket.send(word) }
            socket.close(code: 4404, reason: "not here")
        }
    }

    /// Named rather than listed as bytes, since a test's arguments are printed.
    enum Violation: CaseIterable {
        case notUTF8, tooLong, unmasked, unknownOpcode, strayContinuation, longPing

        var bytes: [UInt8] {
            switch self {
            case .notUTF8: WebSocketClient.frame(1, [0xFF, 0xFE])
            case .tooLong: WebSocketClient.frame(2, [UInt8](repeating: 0, count: (1 << 20) + 1))
            case .unmasked: WebSocketClient.frame(1, [65], isMasked: false)
            case .unknownOpcode: WebSocketClient.frame(3, [65])
            case .strayContinuation: WebSocketClient.frame(0, [65])
            case .longPing: WebSocketClient.frame(9, [UInt8](repeating: 0, count: 126))
            }
        }

        var code: Int {
            switch self {
            case .notUTF8: 1007
            case .tooLong: 1009
            case .unmasked, .unknownOpcode, .strayContinuation, .longPing: 1002
            }
        }
    }

    @Test("what breaks the protocol is closed with the right code", arguments: Violation.allCases)
    func violations(_ violation: Violation) throws {
        try echoing { port, echo, _ in
            let client = try WebSocketClient(port)
            client.raw.send(violation.bytes)
            let code = try client.closeCode()
            #expect(code == violation.code)
            #expect(echo.codes.becomes { $0 == [UInt16(violation.code)] })
        }
    }

    @Test("a client that vanishes is reported once as 1006")
    func vanishing() throws {
        try echoing { port, echo, _ in
            for _ in 0..<5 { try WebSocketClient(port).raw.reset() }
            #expect(echo.codes.becomes { $0 == [1006, 1006, 1006, 1006, 1006] })
        }
    }

    @Test("a peer that answers no ping is dropped, one that does is kept")
    func pings() throws {
        var limits = ServerLimits()
        limits.pingSeconds = 0.3
        try echoing(limits: limits) { port, echo, _ in
            let dead = try WebSocketClient(port)
            let alive = try WebSocketClient(port)
            let begin = milliseconds()
            while milliseconds() - begin < 1500 {
                let (opcode, payload) = try alive.read()
                #expect(opcode == 9)
                alive.send(10, payload)
            }
            #expect(echo.codes.value == [1006])
            alive.send(1, [65])
            try #expect(alive.read().opcode <= 9)
            _ = dead
        }
    }

    @Test("any thread may send; a peer that does not read is closed, and memory stays bounded")
    func pushing() throws {
        try echoing { port, echo, _ in
            let reader = try WebSocketClient(port)
            #expect(echo.sockets.becomes { $0.count == 1 })
            let socket = echo.sockets.value[0]
            for index in 0..<500 { #expect(socket.send(.text(String(index)))) }
            for index in 0..<500 { try #expect(reader.read().payload == Array(String(index).utf8)) }
            let sleeper = try WebSocketClient(port, receiveBuffer: 4096)
            #expect(echo.sockets.becomes { $0.count == 2 })
            let slow = echo.sockets.value[1]
            var sent = 0
            while slow.send(.binary([UInt8](repeating: 0, count: 50_000))), sent < 200_000_000 { sent += 50_000 }
            #expect(sent < 200_000_000)
            #expect(!slow.isOpen)
            reader.send(1, [66])
            try #expect(reader.read().payload == [66])
            _ = sleeper
        }
    }

    @Test("a request that is no handshake hears what is wanted")
    func refused() throws {
        try echoing { port, _, _ in
            let plain = try RawClient(port).get("/ws")
            #expect(plain.status == 426 && plain.headers["upgrade"] == "websocket")
            let client = try RawClient(port)
            let old = try client.get(
                "/ws",
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            )
            #expect(old.status == 426 && old.headers["sec-websocket-version"] == "13")
            let keyless = try client.get(
                "/ws", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n")
            #expect(keyless.status == 400)
        }
    }

    @Test("a stopping server says 1001")
    func stopping() throws {
        let echo = EchoSockets()
        let server = HTTPServer(ServerOptions(), handler: Routes(plans: ["ws": { _ in .upgrade(echo) }]))
        let port = try server.start()
        let client = try WebSocketClient(port)
        let silent = try WebSocketClient(port)
        #expect(echo.sockets.becomes { $0.count == 2 })
        let stopped = Box(false)
        Thread {
            server.stop(deadlineSeconds: 1)
            stopped.set(true)
        }.start()
        try #expect(client.closeCode() == 1001)
        client.send(8, [0x03, 0xE9])
        try #expect(silent.closeCode() == 1001)
        #expect(stopped.becomes { $0 })
        #expect(echo.codes.value.count == 2)
    }
}
