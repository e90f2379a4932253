import CMicroHTTPD
import Glibc
import MartletHTTPMessages
import MartletObservability
import Synchronization

// MHD's callbacks. All of them run on the event thread that owns the connection.
extension HTTPServer {
    static func server(_ context: UnsafeMutableRawPointer?) -> HTTPServer {
        Unmanaged<HTTPServer>.fromOpaque(context!).takeUnretainedValue()
    }

    /// A connection begins or ends. MHD's socket context holds our Connection meanwhile.
    static let onConnection: MHD_NotifyConnectionCallback = { context, mhd, slot, event in
        let server = HTTPServer.server(context)
        guard let mhd, let slot else { return }
        if event == .CONNECTION_NOTIFY_STARTED {
            let connection = Connection(
                descriptor: martlet_mhd_descriptor(mhd), peer: martlet_mhd_peer(mhd).map(Listener.text) ?? "")
            connection.enter(.idle, deadline: Machine.milliseconds() + Int(server.limits.headerSeconds * 1000))
            slot.pointee = Unmanaged.passRetained(connection).toOpaque()
            server.connections.withLock { $0[ObjectIdentifier(connection)] = connection }
            server.instruments.connections.add(1)
        } else if let pointer = slot.pointee {
            let connection = Unmanaged<Connection>.fromOpaque(pointer).takeRetainedValue()
            slot.pointee = nil
            if let rest = connection.closing() { server.loop.linger(rest) }
            server.connections.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(connection)) }
            server.instruments.connections.add(-1)
        }
    }

    /// The request line is there. The only place where MHD shows the target as it came.
    static let onURI:
        @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?) ->
            UnsafeMutableRawPointer? = { context, uri, mhd in
                let server = HTTPServer.server(context)
                guard let mhd, let uri, let pointer = martlet_mhd_socket_context(mhd) else { return nil }
                let connection = Unmanaged<Connection>.fromOpaque(pointer).takeUnretainedValue()
                let exchange = Exchange(
                    server: server, connection: connection, mhd: mhd, rawTarget: String(cString: uri))
                martlet_mhd_join_query(uri)
                connection.begin(exchange)
                connection.enter(.head, deadline: Machine.milliseconds() + Int(server.limits.headerSeconds * 1000))
                server.inFlight.wrappingAdd(1, ordering: .relaxed)
                server.instruments.inFlight.add(1)
                return Unmanaged.passRetained(exchange).toOpaque()
            }

    /// MHD is done with a request, well or not. For an upgraded connection MHD holds its own lock here, so that case
    /// only releases memory.
    static let onCompleted: MHD_RequestCompletedCallback = { context, _, slot, reason in
        let server = HTTPServer.server(context)
        guard let slot, let pointer = slot.pointee else { return }
        slot.pointee = nil
        let exchange = Unmanaged<Exchange>.fromOpaque(pointer).takeRetainedValue()
        if exchange.event.isUpgraded { return }
        exchange.finished()
        exchange.connection.end(exchange)
        exchange.connection.enter(
            .idle, deadline: Machine.milliseconds() + Int(server.limits.idleSeconds * 1000))
        server.account(exchange, isComplete: reason == .REQUEST_TERMINATED_COMPLETED_OK)
    }

    static let onAccess: MHD_AccessHandlerCallback = { context, mhd, _, method, version, upload, size, slot in
        let server = HTTPServer.server(context)
        guard let mhd, let method, let version, let size, let pointer = slot?.pointee else { return .NO }
        let exchange = Unmanaged<Exchange>.fromOpaque(pointer).takeUnretainedValue()
        if case .fresh = exchange.event.stage { return server.begin(exchange, mhd, method, version) }
        let bytes = UnsafeRawBufferPointer(start: upload, count: upload == nil ? 0 : size.pointee)
        size.pointee = 0
        return bytes.isEmpty ? server.advance(exchange) : server.receive(bytes, exchange)
    }

    /// Counts a request that is over and writes its log line.
    func account(_ exchange: Exchange, isComplete: Bool) {
        inFlight.wrappingSubtract(1, ordering: .relaxed)
        instruments.inFlight.add(-1)
        let event = exchange.event
        let microseconds = Machine.microseconds() - event.startedMicroseconds
        instruments.requests(status: event.status).add()
        instruments.duration.observe(Double(microseconds) / 1e6)
        guard options.accessLog, log.isOn(.info) else { return }
        log.write(
            .info, "request",
            [
                ("method", exchange.request?.method.rawValue ?? "-"), ("target", HTTPServer.shown(event.rawTarget)),
                ("status", String(event.status)), ("ms", String(Double(microseconds / 10) / 100)),
                ("in", String(event.bytesIn)), ("out", event.length.map(String.init) ?? "-"),
                ("remote", exchange.connection.peer), ("id", exchange.request?.id ?? "-"),
                ("complete", isComplete ? "yes" : "no"),
            ])
    }

    /// A target as it may stand in a log: an address that carries its permission is one that a reader could use.
    static func shown(_ target: String) -> String {
        let target = target.prefix(2048)
        guard let mark = target.firstRange(of: "signature=") else { return String(target) }
        let rest = target[mark.upperBound...].drop { $0 != "&" }
        return target[..<mark.upperBound] + "…" + rest
    }
}
