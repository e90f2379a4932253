import Glibc
import MartletCompression
import MartletHTTPMessages

/// Packs an answer for a client that can unpack it, where that pays.
///
/// Not packed: what is small, what is packed already (images, archives, arrays), a part of something, a stream of events,
/// whose every event must leave at once, and files so large that the kernel had better send them by itself.
enum PackedAnswer {
    /// Below this a packet is a packet.
    private static let bytesMin = 1024
    /// Packed at once, so that its length is known; what is larger is packed on a worker as fast as the client takes it.
    private static let atOnceBytesMax = 128 << 10
    private static let fileBytesMax = 16 << 20
    /// Zstandard is smaller and faster; gzip is what everybody has.
    private static let offers: [ContentCoding] = [.zstd, .gzip]

    static func make(_ response: Response, for request: Request) -> Response {
        guard mayBePacked(response) else { return response }
        var response = response
        // Also when this client gets it plain: a cache must not give it to another one.
        if !response.headers.hasToken("accept-encoding", in: "vary") { response.headers.add("Vary", "Accept-Encoding") }
        guard !request.headers.contains("range"),
            let name = AcceptEncoding(request.headers.all("accept-encoding")).preferred(
                among: offers.map(\.rawValue)),
            let coding = ContentCoding(rawValue: name), let body = packed(response.body, coding)
        else { return response }
        response.body = body
        response.headers["Content-Encoding"] = name
        response.headers["Accept-Ranges"] = nil
        // The bytes are others than those that the tag named, and mean the same: so it is a weak one (RFC 9110, 8.8.1).
        if let tag = response.headers["ETag"].flatMap({ EntityTag(header: $0) }) {
            response.headers["ETag"] = EntityTag(tag.value, isWeak: true).header
        }
        return response
    }

    private static func mayBePacked(_ response: Response) -> Bool {
        guard response.status.code >= 200, response.status != .partialContent,
            !response.headers.contains("content-encoding"), !response.headers.contains("content-range"),
            !response.headers.hasToken("no-transform", in: "cache-control"),
            let type = response.headers["content-type"].flatMap({ MediaType($0) }), isCompressible(type.essence)
        else { return false }
        switch response.body {
        case .none, .events: return false
        case .bytes(let bytes): return bytes.count >= bytesMin
        case .file(_, _, let length): return (bytesMin...fileBytesMax).contains(length)
        case .pull(_, let length): return length ?? .max >= bytesMin
        }
    }

    private static func isCompressible(_ essence: String) -> Bool {
        switch essence {
        case ContentType.eventStream: false
        case "application/json", "application/x-ndjson", "application/ndjson", "application/javascript",
            "application/xml", "application/yaml", "application/x-yaml", "application/toml", "application/sql",
            "application/x-www-form-urlencoded", "application/wasm", "image/svg+xml", "image/bmp":
            true
        default: essence.hasPrefix("text/") || essence.hasSuffix("+json") || essence.hasSuffix("+xml")
        }
    }

    /// Nil where there is no memory for it: the plain answer serves as well.
    private static func packed(_ body: Response.Body, _ coding: ContentCoding) -> Response.Body? {
        switch body {
        case .none, .events: return nil
        case .bytes(let bytes):
            if bytes.count <= atOnceBytesMax { return (try? Encoder.encode(bytes, coding)).map { .bytes($0) } }
            return pull(ArrayPieces(bytes), coding, size: bytes.count)
        case .file(let file, let offset, let length):
            return pull(FilePieces(file, offset: offset, length: length), coding, size: length)
        case .pull(let source, let length): return pull(source, coding, size: length)
        }
    }

    private static func pull(_ source: any ChunkSource, _ coding: ContentCoding, size: Int?) -> Response.Body? {
        (try? PackedPieces(source, coding, size: size)).map { .pull($0, length: nil) }
    }
}

/// Packs what another source makes. Used by one thread at a time, as every source is.
private final class PackedPieces: ChunkSource, @unchecked Sendable {
    private let source: any ChunkSource
    private let encoder: Encoder
    private var isAtEnd = false

    init(_ source: any ChunkSource, _ coding: ContentCoding, size: Int?) throws(CompressionFault) {
        self.source = source
        encoder = try Encoder(coding, size: size)
    }

    func next() throws -> [UInt8]? {
        var out: [UInt8] = []
        // The packer keeps small pieces to itself for a while; an empty piece would be the end of a chunked body.
        while out.isEmpty, !isAtEnd {
            let piece = try source.next()
            isAtEnd = piece == nil
            try (piece ?? []).withUnsafeBytes { try encoder.encode($0, isLast: isAtEnd, into: &out) }
        }
        return out.isEmpty ? nil : out
    }
}

private final class ArrayPieces: ChunkSource, @unchecked Sendable {
    private static let pieceBytes = 256 << 10
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func next() -> [UInt8]? {
        guard at < bytes.count else { return nil }
        let end = min(at + ArrayPieces.pieceBytes, bytes.count)
        defer { at = end }
        return Array(bytes[at..<end])
    }
}

private final class FilePieces: ChunkSource, @unchecked Sendable {
    private struct Shortened: Error {}

    private static let pieceBytes = 256 << 10
    private let file: OpenFile
    private var at: Int
    private let end: Int

    init(_ file: OpenFile, offset: Int, length: Int) {
        self.file = file
        (at, end) = (offset, offset + length)
    }

    func next() throws -> [UInt8]? {
        guard at < end else { return nil }
        let wanted = min(FilePieces.pieceBytes, end - at)
        let piece = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
            count = max(0, pread(file.descriptor, buffer.baseAddress, wanted, at))
        }
        // A body that breaks off must not look whole.
        guard !piece.isEmpty else { throw Shortened() }
        at += piece.count
        return piece
    }
}
