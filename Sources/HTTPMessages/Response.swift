/// An answer as a value: status, headers, and where the body comes from.
package struct Response: Sendable {
    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// A piece of a file, sent by the kernel without passing through memory.
        case file(OpenFile, offset: Int, length: Int)
        /// Chunks made on a worker thread as fast as the client takes them; nil length is sent chunked.
        case pull(any ChunkSource, length: Int?)
        /// A body that grows until someone closes it: server-sent events.
        case events(EventStream)
    }

    package var status: Status
    package var headers: Headers
    package var body: Body

    package init(_ status: Status, headers: Headers = Headers(), body: Body = .none) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package init(_ status: Status, _ contentType: String, _ bytes: [UInt8]) {
        self.init(status, headers: Headers([.init("Content-Type", contentType)]), body: .bytes(bytes))
    }

    package static func json(_ bytes: [UInt8], status: Status = .ok) -> Response {
        Response(status, ContentType.json, bytes)
    }

    package static func text(_ text: String, status: Status = .ok) -> Response {
        Response(status, ContentType.text, Array(text.utf8))
    }

    /// Events for a browser's EventSource: never cached, never held back by a proxy.
    package static func events(_ stream: EventStream) -> Response {
        Response(
            .ok,
            headers: [
                "Content-Type": ContentType.eventStream, "Cache-Control": "no-store", "X-Accel-Buffering": "no",
            ], body: .events(stream))
    }

    /// The error shape of every native surface.
    package static func failure(_ error: HTTPError, requestID: String) -> Response {
        var body: [UInt8] = []
        body += Array("{\"error\":{\"code\":".utf8)
        appendJSONString(error.code, to: &body)
        body += Array(",\"message\":".utf8)
        appendJSONString(error.message, to: &body)
        body += Array(",\"remedy\":".utf8)
        appendJSONString(error.remedy, to: &body)
        body += Array(",\"request_id\":".utf8)
        appendJSONString(requestID, to: &body)
        body += Array("}}".utf8)
        return json(body, status: error.status)
    }

    /// A file or the part that the request asks for, with ETag, conditions and Range honoured.
    package static func file(
        _ file: OpenFile, length: Int, contentType: String, tag: EntityTag?, request: Request
    ) -> Response {
        var headers: Headers = ["Content-Type": contentType, "Accept-Ranges": "bytes"]
        if let tag {
            headers["ETag"] = tag.header
            let held = request.headers.all("if-none-match")
            if !held.isEmpty, tag.isNamed(byIfNoneMatch: held) { return Response(.notModified, headers: headers) }
        }
        switch ByteRange(request, length: length, tag: tag) {
        case .whole:
            return Response(.ok, headers: headers, body: .file(file, offset: 0, length: length))
        case .part(let part):
            headers["Content-Range"] = ByteRange.contentRange(part, of: length)
            return Response(
                .partialContent, headers: headers, body: .file(file, offset: part.lowerBound, length: part.count))
        case .unsatisfiable:
            return Response(.rangeNotSatisfiable, headers: ["Content-Range": "bytes */\(length)"])
        }
    }

    /// The body's length where it is known beforehand.
    package var contentLength: Int? {
        switch body {
        case .none: 0
        case .bytes(let bytes): bytes.count
        case .file(_, _, let length): length
        case .pull(_, let length): length
        case .events: nil
        }
    }
}

/// A body made piece by piece.
package protocol ChunkSource: AnyObject, Sendable {
    /// The next piece, nil at the end. Called on a worker thread, never twice at once; may block. An error cuts the
    /// connection, which is how HTTP says that a body is not whole.
    func next() throws -> [UInt8]?
}

/// Writes a JSON string; the one bit of JSON that this room needs for its own error bodies.
private func appendJSONString(_ text: String, to out: inout [UInt8]) {
    let hex = Array("0123456789abcdef".utf8)
    out.append(0x22)
    for byte in text.utf8 {
        switch byte {
        case 0x22, 0x5C: out += [0x5C, byte]
        case 0..<0x20, 0x7F: out += [0x5C, 0x75, 0x30, 0x30, hex[Int(byte >> 4)], hex[Int(byte & 15)]]
        default: out.append(byte)
        }
    }
    out.append(0x22)
}
