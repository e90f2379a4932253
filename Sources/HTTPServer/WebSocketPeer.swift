import CMicroHTTPD
import CWslay
import Glibc
import MartletHTTPMessages
import MartletObservability

/// One upgraded connection: wslay's state and the socket. Only the socket loop's thread touches it, from `begin` on.
final class WebSocketPeer: @unchecked Sendable {
    /// At most so much is read at a time, so that one busy peer does not keep the others waiting.
    private static let bytesPerRound = 256 * 1024
    private static let closingMilliseconds = 5000

    let descriptor: Int32
    private let connection: Connection
    private let handle: OpaquePointer
    private let handler: any WebSocketHandler
    private let request: Request
    private let socket: WebSocket
    private let gauge: Gauge
    private var context: wslay_event_context_ptr?
    private var early: ArraySlice<UInt8>
    private var roundBytes = 0
    /// wslay hands over header and payload apart; here they gather, to leave together.
    private var leaving: [UInt8] = []
    private var left = 0
    private var hasBroken = false
    /// The socket itself is of no use any more.
    private var hasLost = false
    private var isDropped = false
    private var hasBegun = false
    private var lastHeard = Machine.milliseconds()
    private var lastPing = Machine.milliseconds()
    private var closingDeadline: Int?
    /// Our close, until the messages before it have left: the library would send it first.
    private var pendingClose: (code: UInt16, reason: String)?
    private var watched: (read: Bool, write: Bool) = (true, false)
    /// The code for the handler when nobody said a better one.
    private var ownCode: UInt16?

    init(
        connection: Connection, descriptor: Int32, handle: OpaquePointer, received: [UInt8],
        handler: any WebSocketHandler, request: Request,
        messageBytesMax: Int, gauge: Gauge
    ) {
        self.connection = connection
        self.descriptor = descriptor
        self.handle = handle
        self.handler = handler
        self.request = request
        self.gauge = gauge
        socket = WebSocket(limit: max(1 << 20, messageBytesMax))
        early = received[...]
        var callbacks = wslay_event_callbacks()
        callbacks.recv_callback = { context, buffer, count, _, user in
            WebSocketPeer.peer(user).read(context, buffer, count)
        }
        callbacks.send_callback = { context, bytes, count, _, user in
            WebSocketPeer.peer(user).write(context, bytes, count)
        }
        callbacks.on_msg_recv_callback = { _, message, user in
            if let message { WebSocketPeer.peer(user).deliver(message.pointee) }
        }
        wslay_event_context_server_init(&context, &callbacks, Unmanaged.passUnretained(self).toOpaque())
        if let context { wslay_event_config_set_max_recv_msg_length(context, UInt64(messageBytesMax)) }
        hasBroken = context == nil
    }

    private static func peer(_ user: UnsafeMutableRawPointer?) -> WebSocketPeer {
        Unmanaged<WebSocketPeer>.fromOpaque(user!).takeUnretainedValue()
    }

    // MARK: For the loop

    func begin(wake: @escaping @Sendable () -> Void) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        hasBegun = true
        gauge.add(1)
        socket.attach(wake: wake)
        handler.opened(socket, request)
    }

    func receive() {
        guard let context, !hasBroken else { return }
        repeat {
            roundBytes = 0
            if wslay_event_recv(context) != 0 {
                // A frame that breaks the protocol: wslay would close without a code, but the peer may want to know why.
                if !hasLost, left == leaving.count, wslay_event_get_close_sent(context) == 0 {
                    leaving += [0x88, 2, 0x03, 0xEA]
                    ownCode = push() ? 1002 : nil
                    connection.lingerAfterClose()
                }
                hasBroken = true
            }
        } while !hasBroken && !early.isEmpty && wslay_event_want_read(context) != 0
    }

    func flush() {
        guard let context, !hasBroken else { return }
        let outgoing = socket.takeOutgoing()
        for message in outgoing.messages { queue(message) }
        if let close = outgoing.close {
            pendingClose = close
            closingDeadline = Machine.milliseconds() + WebSocketPeer.closingMilliseconds
        }
        while !hasBroken {
            if let close = pendingClose, wslay_event_get_queued_msg_count(context) == 0 {
                pendingClose = nil
                queueClose(close.code, close.reason)
            }
            if wslay_event_want_write(context) != 0, wslay_event_send(context) != 0 { hasBroken = true }
            if !push() || wslay_event_want_write(context) == 0 && pendingClose == nil { break }
        }
        socket.sent(remaining: Int(wslay_event_get_queued_msg_length(context)) + leaving.count - left)
    }

    /// The server stops.
    func goAway() {
        socket.close(code: 1001, reason: "the server is stopping")
    }

    func abandon() { hasBroken = true }

    func tick(now: Int, pingMilliseconds: Int) {
        guard let context else { return }
        if wslay_event_get_close_sent(context) != 0 || closingDeadline != nil {
            if closingDeadline == nil { closingDeadline = now + WebSocketPeer.closingMilliseconds }
            if now >= closingDeadline ?? now { hasBroken = true }
            return
        }
        guard now - lastPing >= pingMilliseconds else { return }
        if lastHeard < lastPing {
            // A whole interval without a byte, a pong included: nobody is there.
            hasBroken = true
            return
        }
        lastPing = now
        var ping = wslay_event_msg(opcode: UInt8(WSLAY_PING.rawValue), msg: nil, msg_length: 0)
        wslay_event_queue_msg(context, &ping)
    }

    var isFinished: Bool { hasBroken || !wantsRead && !wantsWrite }

    var wantsRead: Bool { context.map { wslay_event_want_read($0) != 0 } ?? false }
    var wantsWrite: Bool { left < leaving.count || context.map { wslay_event_want_write($0) != 0 } ?? false }

    func wantsChanged() -> Bool {
        let now = (read: wantsRead, write: wantsWrite)
        defer { watched = now }
        return now != watched
    }

    /// Ends it: the handler hears of it once, MHD closes the socket.
    func drop() {
        guard !isDropped else { return }
        isDropped = true
        var code: UInt16 = 1006
        if let context {
            if wslay_event_get_close_received(context) != 0 {
                code = wslay_event_get_status_code_received(context)
            } else if wslay_event_get_close_sent(context) != 0 {
                code = wslay_event_get_status_code_sent(context)
                connection.lingerAfterClose()
            }
            if let ownCode { code = ownCode }
            wslay_event_context_free(context)
        }
        context = nil
        socket.detached()
        if hasBegun {
            gauge.add(-1)
            handler.closed(socket, code: code == 0 ? 1005 : code)
        }
        _ = martlet_mhd_close_upgraded(handle)
    }

    // MARK: wslay's callbacks

    private func read(_ context: wslay_event_context_ptr?, _ buffer: UnsafeMutablePointer<UInt8>?, _ count: Int) -> Int
    {
        guard let buffer, roundBytes < WebSocketPeer.bytesPerRound else { return wouldBlock(context) }
        if !early.isEmpty {
            let take = min(count, early.count)
            UnsafeMutableRawBufferPointer(start: buffer, count: take).copyBytes(from: early.prefix(take))
            early = early.dropFirst(take)
            roundBytes += take
            return take
        }
        let got = recv(descriptor, buffer, count, Int32(MSG_DONTWAIT))
        if got > 0 {
            roundBytes += got
            lastHeard = Machine.milliseconds()
            return got
        }
        if got < 0 && (errno == EAGAIN || errno == EINTR) { return wouldBlock(context) }
        return failed(context)
    }

    private func write(_ context: wslay_event_context_ptr?, _ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int {
        guard leaving.count < WebSocketPeer.bytesPerRound else { return wouldBlock(context) }
        let take = min(count, WebSocketPeer.bytesPerRound)
        leaving.append(contentsOf: UnsafeBufferPointer(start: bytes, count: take))
        return take
    }

    /// Hands what has gathered to the kernel; false when it takes no more.
    private func push() -> Bool {
        while left < leaving.count {
            let put = leaving.withUnsafeBytes { bytes in
                send(descriptor, bytes.baseAddress! + left, bytes.count - left, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            if put > 0 {
                left += put
            } else {
                if errno != EAGAIN && errno != EINTR { hasBroken = true }
                return false
            }
        }
        leaving.removeAll(keepingCapacity: leaving.count <= 64 * 1024)
        left = 0
        return true
    }

    private func wouldBlock(_ context: wslay_event_context_ptr?) -> Int {
        wslay_event_set_error(context, Int32(WSLAY_ERR_WOULDBLOCK.rawValue))
        return -1
    }

    private func failed(_ context: wslay_event_context_ptr?) -> Int {
        hasLost = true
        wslay_event_set_error(context, Int32(WSLAY_ERR_CALLBACK_FAILURE.rawValue))
        return -1
    }

    private func deliver(_ message: wslay_event_on_msg_recv_arg) {
        let bytes = UnsafeRawBufferPointer(start: message.msg, count: message.msg == nil ? 0 : message.msg_length)
        switch UInt32(message.opcode) {
        case UInt32(WSLAY_TEXT_FRAME.rawValue):
            // wslay has checked that it is UTF-8.
            handler.received(.text(String(decoding: bytes, as: UTF8.self)), on: socket)
        case UInt32(WSLAY_BINARY_FRAME.rawValue):
            handler.received(.binary(Array(bytes)), on: socket)
        default: break
        }
    }

    private func queue(_ message: WebSocketMessage) {
        switch message {
        case .text(var text):
            text.withUTF8 { queue(UInt8(WSLAY_TEXT_FRAME.rawValue), UnsafeRawBufferPointer($0)) }
        case .binary(let bytes):
            bytes.withUnsafeBytes { queue(UInt8(WSLAY_BINARY_FRAME.rawValue), $0) }
        }
    }

    /// wslay copies the bytes.
    private func queue(_ opcode: UInt8, _ bytes: UnsafeRawBufferPointer) {
        var message = wslay_event_msg(
            opcode: opcode, msg: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), msg_length: bytes.count)
        if wslay_event_queue_msg(context, &message) == Int32(WSLAY_ERR_NOMEM.rawValue) { hasBroken = true }
    }

    private func queueClose(_ code: UInt16, _ reason: String) {
        // A control frame holds 125 bytes, two of them the code.
        let reason = Array(String(reason.prefix(100)).utf8.prefix(123))
        if wslay_event_queue_close(context, code, reason, reason.count) != 0 { hasBroken = true }
        closingDeadline = Machine.milliseconds() + WebSocketPeer.closingMilliseconds
    }
}
