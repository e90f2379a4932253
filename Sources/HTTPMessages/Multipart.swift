import Glibc

/// A `multipart/form-data` body read piece by piece, in constant memory: part heads are bounded, part bodies pass through.
///
/// Bytes in, events out; no I/O. The pieces may be cut anywhere, also inside a delimiter.
package struct MultipartParser: Sendable {
    package struct Part: Sendable, Hashable {
        package var name: String
        package var filename: String?
        package var contentType: String?
        package var headers: Headers
    }

    package enum Event: Sendable, Hashable {
        case part(Part)
        case data(ArraySlice<UInt8>)
        case endOfPart
        case end
    }

    private enum State { case preamble, head, body, afterDelimiter, epilogue }

    private static let headBytesMax = 8 * 1024
    private static let partsMax = 1000

    private let delimiter: [UInt8]
    private var state = State.preamble
    private var buffer: [UInt8]
    private var parts = 0

    /// For a request with this Content-Type.
    package init(_ type: MediaType?) throws(HTTPError) {
        guard let type, type.essence == "multipart/form-data" else {
            throw HTTPError(
                .unsupportedMediaType, "not_multipart", "The body is “\(type?.essence ?? "untyped")”, not a form.",
                remedy: "Send multipart/form-data, as `curl -F file=@path` does.")
        }
        guard let boundary = type.parameters["boundary"], (1...70).contains(boundary.utf8.count) else {
            throw MultipartParser.broken("names no boundary of 1 to 70 bytes")
        }
        delimiter = Array("\r\n--\(boundary)".utf8)
        // The first delimiter has no line before it; an imagined line end makes it like the others.
        buffer = [0x0D, 0x0A]
    }

    /// Whether the closing delimiter has been seen. A body that ends before it is cut off.
    package var isComplete: Bool { state == .epilogue }

    package mutating func feed(_ bytes: UnsafeRawBufferPointer, _ emit: (Event) throws -> Void) throws {
        if state == .epilogue { return }
        buffer.append(contentsOf: bytes)
        var start = 0
        while let next = try step(from: start, emit) { start = next }
        buffer.removeFirst(min(start, buffer.count))
    }

    /// Says that no more bytes come.
    package func finish() throws(HTTPError) {
        if !isComplete { throw MultipartParser.broken("ends before its closing delimiter") }
    }

    /// Does one thing with the buffer from `start` on and returns where to go on; nil when more bytes are needed first.
    private mutating func step(from start: Int, _ emit: (Event) throws -> Void) throws -> Int? {
        switch state {
        case .preamble, .body:
            if let found = find(delimiter, from: start) {
                if state == .body {
                    if found > start { try emit(.data(buffer[start..<found])) }
                    try emit(.endOfPart)
                }
                state = .afterDelimiter
                return found + delimiter.count
            }
            let safe = buffer.count - delimiter.count + 1
            guard safe > start else { return nil }
            if state == .body { try emit(.data(buffer[start..<safe])) }
            return safe
        case .afterDelimiter:
            // `--` closes; else blanks and a line end. Anything else was data that looked like a delimiter.
            var index = start
            while index < buffer.count, buffer[index] == 0x20 || buffer[index] == 0x09 { index += 1 }
            if index - start > 64 { throw MultipartParser.broken("has a broken delimiter") }
            guard index + 1 < buffer.count else { return nil }
            if index == start, buffer[index] == 0x2D, buffer[index + 1] == 0x2D {
                state = .epilogue
                try emit(.end)
                return nil
            }
            guard buffer[index] == 0x0D, buffer[index + 1] == 0x0A else {
                throw MultipartParser.broken("has a broken delimiter")
            }
            parts += 1
            if parts > MultipartParser.partsMax { throw MultipartParser.broken("has more than 1000 parts") }
            state = .head
            return index + 2
        case .head:
            if buffer[start...].starts(with: [0x0D, 0x0A]) {
                throw MultipartParser.broken("has a part without a name")
            }
            guard let end = find([0x0D, 0x0A, 0x0D, 0x0A], from: start) else {
                if buffer.count - start > MultipartParser.headBytesMax {
                    throw MultipartParser.broken("has a part head of more than 8 KiB")
                }
                return nil
            }
            if end - start > MultipartParser.headBytesMax {
                throw MultipartParser.broken("has a part head of more than 8 KiB")
            }
            try emit(.part(try MultipartParser.part(buffer[start..<end])))
            state = .body
            return end + 4
        case .epilogue: return nil
        }
    }

    private func find(_ needle: [UInt8], from start: Int) -> Int? {
        guard buffer.count - start >= needle.count else { return nil }
        return buffer.withUnsafeBytes { hay in
            needle.withUnsafeBytes { needle in
                // Both needles begin with a carriage return, which is rare in any file: memchr leaps from one to the next.
                guard let base = hay.baseAddress, let pattern = needle.baseAddress else { return nil }
                var index = start
                while index + needle.count <= hay.count {
                    guard let hit = memchr(base + index, Int32(needle[0]), hay.count - needle.count - index + 1) else {
                        return nil
                    }
                    index = UnsafeRawPointer(hit) - base
                    if memcmp(base + index, pattern, needle.count) == 0 { return index }
                    index += 1
                }
                return nil
            }
        }
    }

    private static func part(_ head: ArraySlice<UInt8>) throws(HTTPError) -> Part {
        var headers = Headers()
        guard let text = String(validating: head, as: UTF8.self) else {
            throw broken("has a part head that is not UTF-8")
        }
        for line in text.utf8.split(separator: 0x0A) {
            let line = String(Substring(line)).trimmingHTTPSpace().trimmingSuffix("\r")
            guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else { continue }
            headers.add(
                String(line[..<colon]).trimmingHTTPSpace(),
                String(line[line.utf8.index(after: colon)...]).trimmingHTTPSpace())
        }
        guard let disposition = headers["content-disposition"] else { throw broken("has a part without a name") }
        var pieces = MediaType.splitQuoted(disposition, on: UInt8(ascii: ";"))
        guard asciiCaseInsensitiveEqual(pieces.removeFirst().trimmingHTTPSpace(), "form-data") else {
            throw broken("has a part that is not form-data")
        }
        var parameters: [String: String] = [:]
        for case (let name, let value)? in pieces.map(MediaType.parameter) { parameters[name] = value }
        guard let name = parameters["name"] else { throw broken("has a part without a name") }
        return Part(
            name: unescaped(name), filename: extended(parameters["filename*"]) ?? parameters["filename"].map(unescaped),
            contentType: headers["content-type"], headers: headers)
    }

    /// Browsers write a quote as `%22` and line ends as `%0D%0A` (WHATWG), and nothing else.
    private static func unescaped(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        var out: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.starts(with: Array("22".utf8)) {
                out.append(0x22)
                rest = rest.dropFirst(2)
            } else if byte == UInt8(ascii: "%"), rest.starts(with: Array("0D".utf8)) {
                out.append(0x0D)
                rest = rest.dropFirst(2)
            } else if byte == UInt8(ascii: "%"), rest.starts(with: Array("0A".utf8)) {
                out.append(0x0A)
                rest = rest.dropFirst(2)
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// `filename*=UTF-8''na%C3%AFve.txt` (RFC 5987).
    private static func extended(_ value: String?) -> String? {
        guard let value, asciiCaseInsensitiveEqual(String(value.prefix(7)), "UTF-8''") else { return nil }
        return PercentCoding.decodeSegment(value.dropFirst(7).utf8)
    }

    private static func broken(_ what: String) -> HTTPError {
        HTTPError(
            .badRequest, "bad_multipart", "The multipart body \(what).",
            remedy: "Send it with an ordinary client, as `curl -F file=@path` does.")
    }
}

extension String {
    func trimmingSuffix(_ suffix: String) -> String { hasSuffix(suffix) ? String(dropLast(suffix.count)) : self }
}
