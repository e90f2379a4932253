// HTTPServer: sockets for a RequestHandler. libmicrohttpd parses and sends on a few event threads that never block;
// what may block runs on bounded pools while its request is parked. wslay speaks WebSocket. This room adds what MHD
// lacks: raw routing, deadlines for every phase of a connection, strict heads, and a stop that strands nobody.

import CMicroHTTPD
import Glibc
package import MartletHTTPMessages
package import MartletObservability
import Synchronization

/// A server that answers with a handler, from `start` to `stop`.
package final class HTTPServer: Sendable {
    private enum Phase: Int, AtomicRepresentable { case running, draining, halting }

    /// PEM texts, which MHD wants in memory for as long as it runs.
    private final class TLSTexts: @unchecked Sendable {
        let pointers: [UnsafeMutablePointer<CChar>]
        init(_ pointers: [UnsafeMutablePointer<CChar>]) { self.pointers = pointers }
        deinit { for pointer in pointers { free(pointer) } }
    }

    private struct State {
        var daemon: Daemon?
        var tlsTexts: TLSTexts?
        var listener: Listener?
        var threads: [pthread_t] = []
        var isStopped = false
    }

    /// MHD's handle; MHD locks for itself.
    private struct Daemon: @unchecked Sendable { let pointer: OpaquePointer }

    package let options: ServerOptions
    package let log: Log
    /// For routes that have blocking work outside a plan, such as a WebSocket's.
    package let workers: WorkerPool
    package let slowWorkers: WorkerPool
    let handler: any RequestHandler
    let instruments: ServerInstruments
    let requestIDs = RequestIDs()
    let connections = Mutex<[ObjectIdentifier: Connection]>([:])
    let inFlight = Atomic<Int>(0)
    let loop: SocketLoop
    let reaper = Reaper()
    private let phase = Atomic<Phase>(.running)
    private let state = Mutex(State())

    package init(
        _ options: ServerOptions, handler: any RequestHandler, log: Log = .silent, metrics: Metrics = Metrics()
    ) {
        self.options = options
        self.handler = handler
        self.log = log
        instruments = ServerInstruments(metrics)
        let limits = options.limits
        workers = WorkerPool(name: "worker", threads: options.workerThreads, queueMax: limits.queuedJobs)
        slowWorkers = WorkerPool(name: "slow", threads: options.slowThreads, queueMax: limits.queuedJobs)
        loop = SocketLoop(pingSeconds: limits.pingSeconds, messageBytesMax: limits.webSocketMessageBytes)
    }

    var limits: ServerLimits { options.limits }
    var isDraining: Bool { phase.load(ordering: .acquiring) != .running }
    /// No request may be parked any more.
    var isHalting: Bool { phase.load(ordering: .acquiring) == .halting }

    func pool(_ lane: Lane) -> WorkerPool { lane == .slow ? slowWorkers : workers }

    // MARK: Start

    /// Binds, starts the threads, and returns the port.
    package func start() throws(ServerError) -> Int {
        let listener = try Listener(
            host: options.host, port: options.port, backlog: options.backlog, clientsSpeakFirst: options.tls != nil)
        let texts = TLSTexts(try readTLS())
        guard let daemon = startDaemon(texts.pointers).map(Daemon.init) else {
            throw ServerError(
                "server_failed", "The HTTP server could not start: \(Machine.words(errno)).",
                remedy: options.tls == nil
                    ? "Check the limits of threads and open files (`ulimit -a`)."
                    : "Check that --tls-cert and --tls-key are PEM files that belong together.")
        }
        let threads = [
            Machine.thread("accept") { [self] in
                listener.run { socket, address, length in accept(socket, address, length, daemon) }
            },
            Machine.thread("reaper") { [self] in reaper.run(self) },
            Machine.thread("websocket") { [self] in loop.run() },
        ]
        state.withLock { state in
            state.daemon = daemon
            state.tlsTexts = texts
            state.listener = listener
            state.threads = threads.compactMap(\.self)
        }
        return listener.port
    }

    /// The addresses that were bound.
    package var addresses: [String] { state.withLock { $0.listener?.addresses ?? [] } }

    package var openConnections: Int { connections.withLock { $0.count } }
    package var requestsInFlight: Int { inFlight.load(ordering: .relaxed) }

    private func startDaemon(_ texts: [UnsafeMutablePointer<CChar>]) -> OpaquePointer? {
        let context = Unmanaged.passUnretained(self).toOpaque()
        var flags =
            MHD_USE_EPOLL_INTERNAL_THREAD.rawValue | MHD_USE_NO_LISTEN_SOCKET.rawValue | MHD_USE_ITC.rawValue
            | MHD_ALLOW_SUSPEND_RESUME.rawValue | MHD_ALLOW_UPGRADE.rawValue
        var items = [
            // The real limit is ours; MHD's is a little higher, so that it never closes without a word.
            martlet_mhd_number(.CONNECTION_LIMIT, limits.connections * 2 + 64),
            martlet_mhd_number(.CONNECTION_TIMEOUT, max(1, Int(limits.idleSeconds.rounded(.up)))),
            martlet_mhd_number(.CONNECTION_MEMORY_LIMIT, max(4096, limits.headBytes)),
            // Strict MHD answers a missing Host with two heads in a row (0.9.75); HeadCheck does it better.
            martlet_mhd_number(.STRICT_FOR_CLIENT, 0),
            martlet_mhd_on_uri(HTTPServer.onURI, context),
            martlet_mhd_on_completed(HTTPServer.onCompleted, context),
            martlet_mhd_on_connection(HTTPServer.onConnection, context),
            martlet_mhd_on_unescape({ _, _, text in text.map { strlen($0) } ?? 0 }, nil),
        ]
        if options.eventThreads > 1 { items.append(martlet_mhd_number(.THREAD_POOL_SIZE, options.eventThreads)) }
        if texts.count == 2 {
            flags |= MHD_USE_TLS.rawValue
            items.append(martlet_mhd_text(.HTTPS_MEM_CERT, texts[0]))
            items.append(martlet_mhd_text(.HTTPS_MEM_KEY, texts[1]))
        }
        items.append(martlet_mhd_number(.END, 0))
        return martlet_mhd_start(flags, HTTPServer.onAccess, context, &items)
    }

    private func readTLS() throws(ServerError) -> [UnsafeMutablePointer<CChar>] {
        guard let tls = options.tls else { return [] }
        var texts: [UnsafeMutablePointer<CChar>] = []
        for path in [tls.certificate, tls.key] {
            guard let bytes = HTTPServer.contents(path), let text = strndup(bytes, bytes.count) else {
                for text in texts { free(text) }
                throw ServerError(
                    "tls_unreadable", "The TLS file \(path) cannot be read.",
                    remedy: "Give PEM files that this user may read to --tls-cert and --tls-key.")
            }
            texts.append(text)
        }
        return texts
    }

    private static func contents(_ path: String) -> [CChar]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [CChar](repeating: 0, count: 1 << 20)
        let count = read(file, &bytes, bytes.count - 1)
        return count > 0 ? Array(bytes[..<count]) + [0] : nil
    }

    private func accept(
        _ socket: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t, _ daemon: Daemon
    ) {
        if connections.withLock({ $0.count }) >= limits.connections {
            instruments.refusedConnections.add()
            let text =
                "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            if options.tls == nil { _ = send(socket, text, text.utf8.count, Int32(MSG_NOSIGNAL)) }
            _ = shutdown(socket, Int32(SHUT_WR))
            loop.linger(socket)
            return
        }
        if options.tls != nil, HTTPServer.speaksPlainly(socket) {
            instruments.refusedConnections.add()
            say(HTTPServer.speaksHTTPS, on: socket)
            _ = shutdown(socket, Int32(SHUT_WR))
            loop.linger(socket)
            return
        }
        _ = MHD_add_connection(daemon.pointer, socket, address, length)
    }

    // MARK: Stop

    /// Stops in order: no new connections; requests in progress finish; parked ones get 503, event streams end and
    /// WebSockets close with 1001; after the deadline whatever is left is cut. Not to be called from a lane's thread.
    package func stop(deadlineSeconds: Double = 10) {
        let (daemon, listener, first) = state.withLock { state in
            defer { state.isStopped = true }
            return (state.daemon, state.listener, !state.isStopped)
        }
        guard first else { return }
        guard let daemon, let listener else {
            workers.stop()
            slowWorkers.stop()
            return
        }
        let deadline = Machine.milliseconds() + Int(deadlineSeconds * 1000)
        phase.store(.draining, ordering: .sequentiallyConsistent)
        listener.stop()
        loop.closeAll(graceSeconds: deadlineSeconds)
        // Streams would never end by themselves, and idle connections wait for nothing.
        wait(until: deadline) { [self] in
            for connection in snapshot() {
                if let exchange = connection.exchange {
                    exchange.stream?.wrapUp()
                } else if connection.stage == .idle {
                    connection.cut()
                }
            }
            return inFlight.load(ordering: .relaxed) == 0
        }
        phase.store(.halting, ordering: .sequentiallyConsistent)
        for connection in snapshot() { connection.exchange?.giveUp(HTTPServer.stopping) }
        let cutAt = Machine.milliseconds() + 500
        wait(until: cutAt) { [self] in inFlight.load(ordering: .relaxed) == 0 }
        // From here on nothing is parked anew, and what is parked is released, until none is.
        wait(until: Machine.milliseconds() + 60_000) { [self] in
            var parked = 0
            for connection in snapshot() where connection.stage != .upgraded {
                if let exchange = connection.exchange, exchange.parkedFor(now: 0) != nil {
                    parked += 1
                    exchange.dropParked()
                }
                connection.cut()
            }
            return parked == 0 && inFlight.load(ordering: .relaxed) == 0
        }
        loop.stop()
        reaper.stop()
        for thread in state.withLock({ $0.threads }) { pthread_join(thread, nil) }
        if snapshot().contains(where: { $0.exchange?.parkedFor(now: 0) != nil }) {
            // MHD would abort the process over a suspended request. Its memory is the lesser loss.
            log.error("the server stopped with a request that could not be released")
        } else {
            MHD_stop_daemon(daemon.pointer)
        }
        workers.stop()
        slowWorkers.stop()
        state.withLock { state in
            state.tlsTexts = nil
            state.daemon = nil
            state.listener = nil
        }
    }

    static let stopping = HTTPError(
        .unavailable, "stopping", "The server is stopping.", remedy: "Send the request again in a moment.")

    func snapshot() -> [Connection] { connections.withLock { Array($0.values) } }

    private func wait(until deadline: Int, _ isDone: () -> Bool) {
        while !isDone(), Machine.milliseconds() < deadline { usleep(5000) }
    }
}
