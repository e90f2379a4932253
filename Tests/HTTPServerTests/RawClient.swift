import Glibc

/// A client that sends exactly the bytes it is told to, as no decent client would.
final class RawClient {
    struct Answer {
        var status: Int
        var headers: [String: String]
        var body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    struct Ended: Error, CustomStringConvertible {
        let description: String
    }

    let descriptor: Int32
    private var buffer: [UInt8] = []
    private var isClosed = false

    init(_ port: Int, timeoutSeconds: Int = 10, receiveBuffer: Int32? = nil, host: String = "127.0.0.1") throws {
        let isIPv6 = host.contains(":")
        descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        let failed: Int32
        if isIPv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = in_port_t(port).bigEndian
            inet_pton(AF_INET6, host, &address.sin6_addr)
            failed = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            inet_pton(AF_INET, host, &address.sin_addr)
            failed = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        if failed != 0 { throw Ended(description: "cannot connect: \(errno)") }
    }

    deinit { close() }

    func close() {
        if !isClosed { Glibc.close(descriptor) }
        isClosed = true
    }

    /// Closes with a reset, as a process that dies does.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// False when the peer takes no more.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            done += count
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// More bytes into the buffer; false at the end.
    private func fill() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count < 0 && errno == EAGAIN { throw Ended(description: "nothing came in time") }
        if count <= 0 { return false }
        buffer += chunk[..<count]
        return true
    }

    func readExactly(_ count: Int) throws -> [UInt8] {
        while buffer.count < count { if try !fill() { throw Ended(description: "ended after \(buffer.count) bytes") } }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    func readLine() throws -> String {
        while true {
            if let end = buffer.firstIndex(of: 0x0A) {
                defer { buffer.removeFirst(end + 1) }
                let line = buffer[..<end]
                return String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self)
            }
            if try !fill() { throw Ended(description: "ended inside a line") }
        }
    }

    func readToEnd() throws -> [UInt8] {
        while try fill() {}
        defer { buffer = [] }
        return buffer
    }

    /// True when the server closes without another byte.
    func isClosedByPeer() throws -> Bool { try buffer.isEmpty && !fill() }

    func readHead() throws -> (status: Int, headers: [String: String]) {
        let first = try readLine()
        let words = first.split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw Ended(description: "not a status line: \(first)")
        }
        var headers: [String: String] = [:]
        while true {
            let line = try readLine()
            if line.isEmpty { return (status, headers) }
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        }
    }

    func readChunk() throws -> [UInt8] {
        guard let size = Int(try readLine(), radix: 16) else { throw Ended(description: "not a chunk size") }
        let bytes = try readExactly(size)
        _ = try readLine()
        return bytes
    }

    /// The next answer, interim ones left out.
    func answer(hasBody: Bool = true) throws -> Answer {
        var (status, headers) = try readHead()
        while status == 100 { (status, headers) = try readHead() }
        var body: [UInt8] = []
        if hasBody && status != 204 && status != 304 && status >= 200 {
            if headers["transfer-encoding"] == "chunked" {
                while true {
                    let chunk = try readChunk()
                    if chunk.isEmpty { break }
                    body += chunk
                }
            } else if let length = headers["content-length"].flatMap({ Int($0) }) {
                body = try readExactly(length)
            } else {
                body = try readToEnd()
            }
        }
        return Answer(status: status, headers: headers, body: body)
    }

    func get(_ target: String, _ headers: String = "") throws -> Answer {
        send("GET \(target) HTTP/1.1\r\nHost: test\r\n\(headers)\r\n")
        return try answer()
    }

    func post(_ target: String, _ body: [UInt8], _ headers: String = "") throws -> Answer {
        send(
            Array("POST \(target) HTTP/1.1\r\nHost: test\r\n\(headers)Content-Length: \(body.count)\r\n\r\n".utf8)
                + body)
        return try answer()
    }
}
