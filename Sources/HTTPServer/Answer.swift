import CMicroHTTPD
import Glibc
import MartletHTTPMessages

/// A response in MHD's form, made on the thread that answers, so that copying a large body does not hold up an event
/// thread. Owns MHD's object until it is queued; MHD counts its own reference.
///
/// Handed over once, from the thread that makes it to the event thread, under the exchange's lock.
final class Answer: @unchecked Sendable {
    let status: Int
    let pointer: OpaquePointer
    /// The body's length, nil for one that grows while it is sent.
    let length: Int?
    /// Where the rest of the body comes from.
    let stream: (any StreamBody)?

    init(_ response: Response, for exchange: Exchange) {
        var response = response
        var stream: (any StreamBody)?
        var made: OpaquePointer?
        switch response.body {
        case .none:
            made = Answer.buffer([])
        case .bytes(let bytes):
            made = Answer.buffer(bytes)
        case .file(let file, let offset, let length):
            // A descriptor of its own, since MHD closes what it is given. It reads at offsets, so sharing is safe.
            let copy = fcntl(file.descriptor, F_DUPFD_CLOEXEC, 0)
            if copy >= 0 {
                made = MHD_create_response_from_fd_at_offset64(UInt64(max(0, length)), copy, UInt64(max(0, offset)))
                if made == nil { close(copy) }
            }
        case .pull(let source, let length):
            let pump = PullPump(source, pool: exchange.server.workers)
            stream = pump
            made = Answer.reader(pump, exchange, length)
        case .events(let events):
            stream = events
            made = Answer.reader(events, exchange, nil)
        }
        if made == nil {
            response = .failure(
                HTTPError(
                    .unavailable, "out_of_resources", "The server has no memory or descriptor left for this answer.",
                    remedy: "Try again; raise the limit of open files (`ulimit -n`) if it persists."),
                requestID: exchange.request?.id ?? "-")
            made = Answer.buffer([])
            stream = nil
        }
        guard let pointer = made else { fatalError("out of memory for an empty answer") }
        self.pointer = pointer
        self.stream = stream
        status = (100...999).contains(response.status.code) ? response.status.code : 500
        length = response.contentLength
        for field in response.headers { add(field.name, field.value) }
        add("X-Request-ID", exchange.request?.id ?? "-")
        // MHD would end the body that a HEAD does not have with a last chunk (0.9.75), and spoil the next answer.
        if length == nil, exchange.request?.method == .head { martlet_mhd_without_chunks(pointer) }
        // The exchange is woken by its stream from the moment the two know each other.
        stream?.attach { [exchange] in exchange.unpark(.stream) }
    }

    deinit { MHD_destroy_response(pointer) }

    /// MHD refuses values with control characters, and an injected line end must not cost the whole header.
    func add(_ name: String, _ value: String) {
        if asciiCaseInsensitiveEqual(name, "content-length") { return }
        let clean =
            value.utf8.contains { $0 < 0x20 || $0 == 0x7F }
            ? String(decoding: value.utf8.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self) : value
        MHD_add_response_header(pointer, name, clean)
    }

    private static func buffer(_ bytes: [UInt8]) -> OpaquePointer? {
        bytes.withUnsafeBytes { buffer in
            MHD_create_response_from_buffer(
                buffer.count, UnsafeMutableRawPointer(mutating: buffer.baseAddress), .RESPMEM_MUST_COPY)
        }
    }

    private static func reader(_ stream: any StreamBody, _ exchange: Exchange, _ length: Int?) -> OpaquePointer? {
        let reader = Unmanaged.passRetained(StreamReader(stream, exchange))
        let made = MHD_create_response_from_callback(
            length.map { UInt64(max(0, $0)) } ?? martlet_mhd_size_unknown(), 32 * 1024,
            { context, _, target, room in
                let reader = Unmanaged<StreamReader>.fromOpaque(context!).takeUnretainedValue()
                return reader.read(UnsafeMutableRawBufferPointer(start: target, count: room))
            }, reader.toOpaque(),
            { context in Unmanaged<StreamReader>.fromOpaque(context!).release() })
        if made == nil { reader.release() }
        return made
    }
}

/// A body that is not there yet when its head is sent.
protocol StreamBody: AnyObject, Sendable {
    func read(into target: UnsafeMutableRawBufferPointer) -> EventStream.Piece
    func attach(wake: @escaping @Sendable () -> Void)
    func disconnected()
    /// The server stops: end as well as possible.
    func wrapUp()
    /// About once a second.
    func tick(heartbeatSeconds: Int)
}

extension EventStream: StreamBody {
    func wrapUp() { close() }
    func tick(heartbeatSeconds: Int) { tick(every: heartbeatSeconds) }
}

/// What MHD holds for a growing body; released by MHD, at the end or when the client has gone.
final class StreamReader {
    private let stream: any StreamBody
    private let exchange: Exchange

    init(_ stream: any StreamBody, _ exchange: Exchange) {
        self.stream = stream
        self.exchange = exchange
    }

    deinit { stream.disconnected() }

    func read(_ target: UnsafeMutableRawBufferPointer) -> Int {
        switch exchange.readOrPark(stream, target) {
        case .bytes(let count): count
        case .nothingYet: 0
        case .end: martlet_mhd_end_of_stream()
        case .failed: martlet_mhd_end_with_error()
        }
    }
}
