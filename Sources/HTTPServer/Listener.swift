import CMicroHTTPD
import Glibc

/// The listening sockets, and the thread that accepts.
///
/// We accept ourselves rather than let MHD do it: a connection beyond the limit then gets an answer that says so, one
/// name may mean two addresses, and stopping is our decision alone.
final class Listener: Sendable {
    /// Takes a fresh socket over, whatever it does with it.
    typealias Accepted = @Sendable (_ socket: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Void

    let port: Int
    let addresses: [String]
    private let sockets: [Int32]
    private let wakeup: Int32

    /// `clientsSpeakFirst` has the kernel hand over a connection with its first bytes, so that they can be looked at.
    init(host: String, port: Int, backlog: Int, clientsSpeakFirst: Bool = false) throws(ServerError) {
        let found = try Listener.resolve(host)
        var sockets: [Int32] = []
        var addresses: [String] = []
        var bound = port
        do throws(ServerError) {
            for candidate in found {
                do throws(ServerError) {
                    let (socket, actual) = try Listener.bind(candidate, host: host, port: bound, backlog: backlog)
                    if clientsSpeakFirst {
                        // Seconds; who is silent for longer is handed over as it is.
                        var patience: Int32 = 5
                        setsockopt(
                            socket, Int32(IPPROTO_TCP), TCP_DEFER_ACCEPT, &patience,
                            socklen_t(MemoryLayout<Int32>.size))
                    }
                    sockets.append(socket)
                    addresses.append(candidate.text)
                    bound = actual
                } catch {
                    // `localhost` may name ::1 on a machine without IPv6: one bound address is enough.
                    let isLast = candidate.text == found.last?.text
                    if error.code != "address_unusable" || isLast && sockets.isEmpty { throw error }
                }
            }
        } catch {
            for socket in sockets { close(socket) }
            throw error
        }
        self.port = bound
        self.sockets = sockets
        self.addresses = addresses
        wakeup = martlet_eventfd()
    }

    deinit {
        for socket in sockets { close(socket) }
        close(wakeup)
    }

    /// Accepts until `stop`; runs on a thread of its own.
    func run(_ accepted: Accepted) {
        var polled = sockets.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        polled.append(pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0))
        while true {
            if poll(&polled, nfds_t(polled.count), -1) < 0 { continue }
            if polled[polled.count - 1].revents != 0 { return }
            for entry in polled.dropLast() where entry.revents != 0 { drain(entry.fd, accepted) }
        }
    }

    private func drain(_ listening: Int32, _ accepted: Accepted) {
        var storage = sockaddr_storage()
        for _ in 0..<64 {
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let socket = withUnsafeMutablePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    martlet_accept(listening, $0, &length)
                }
            }
            guard socket >= 0 else {
                // Out of descriptors: the connection stays in the queue, so a pause keeps this from spinning.
                if errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM { usleep(20_000) }
                return
            }
            var one: Int32 = 1
            setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
            withUnsafePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { accepted(socket, $0, length) }
            }
        }
    }

    func stop() {
        var one: UInt64 = 1
        _ = write(wakeup, &one, 8)
    }

    // MARK: Binding

    private struct Candidate {
        var address: sockaddr_storage
        var length: socklen_t
        var text: String
    }

    private static func resolve(_ host: String) throws(ServerError) -> [Candidate] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var list: UnsafeMutablePointer<addrinfo>?
        let plain = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        let failed = getaddrinfo(plain, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        var found: [Candidate] = []
        var next = list
        while failed == 0, let entry = next?.pointee {
            next = entry.ai_next
            guard let address = entry.ai_addr, entry.ai_family == AF_INET || entry.ai_family == AF_INET6 else {
                continue
            }
            var storage = sockaddr_storage()
            withUnsafeMutableBytes(of: &storage) { target in
                target.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen)))
            }
            let text = Listener.text(address)
            if !found.contains(where: { $0.text == text }) {
                found.append(Candidate(address: storage, length: entry.ai_addrlen, text: text))
            }
        }
        guard !found.isEmpty else {
            throw ServerError(
                "unknown_host", "“\(host)” is not an address of this machine.",
                remedy: "Use --host 127.0.0.1 for this machine only, or --host 0.0.0.0 for every network.")
        }
        return found
    }

    private static func bind(
        _ candidate: Candidate, host: String, port: Int, backlog: Int
    ) throws(ServerError) -> (Int32, Int) {
        guard (0...65535).contains(port) else {
            throw ServerError("bad_port", "There is no port \(port).", remedy: "Use --port with a number up to 65535.")
        }
        var address = candidate.address
        let family = Int32(address.ss_family)
        let handle = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard handle >= 0 else { throw unusable(host, port, errno) }
        var one: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &one, size)
        if family == AF_INET6 { setsockopt(handle, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &one, size) }
        let bigEndian = in_port_t(port).bigEndian
        withUnsafeMutablePointer(to: &address) { pointer in
            if family == AF_INET {
                pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_port = bigEndian }
            } else {
                pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { $0.pointee.sin6_port = bigEndian }
            }
        }
        var length = candidate.length
        let failed = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                Glibc.bind(handle, pointer, length) != 0 || listen(handle, Int32(backlog)) != 0
                    || getsockname(handle, pointer, &length) != 0
            }
        }
        if failed {
            let error = errno
            close(handle)
            throw unusable(host, port, error)
        }
        let actual = withUnsafePointer(to: &address) { pointer in
            family == AF_INET
                ? pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    in_port_t(bigEndian: $0.pointee.sin_port)
                }
                : pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    in_port_t(bigEndian: $0.pointee.sin6_port)
                }
        }
        return (handle, Int(actual))
    }

    private static func unusable(_ host: String, _ port: Int, _ error: Int32) -> ServerError {
        switch error {
        case EADDRINUSE:
            ServerError(
                "port_in_use", "Port \(port) on \(host) is already in use.",
                remedy: "Stop the program that listens there (`ss -ltnp` names it), or choose another with --port.")
        case EACCES:
            ServerError(
                "port_forbidden", "Port \(port) on \(host) may not be opened by this user.",
                remedy: "Choose a port above 1023 with --port.")
        default:
            ServerError(
                "address_unusable", "\(host) port \(port) cannot be opened: \(Machine.words(error)).",
                remedy: "Use an address of this machine with --host.")
        }
    }

    /// The address alone, `127.0.0.1` or `::1`; an IPv4 peer on an IPv6 socket is shown as IPv4.
    static func text(_ address: UnsafePointer<sockaddr>) -> String {
        let family = Int32(address.pointee.sa_family)
        let length = socklen_t(family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size)
        guard family == AF_INET || family == AF_INET6 else { return "" }
        let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) { buffer -> String in
            let failed = getnameinfo(
                address, length, buffer.baseAddress, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST)
            return failed == 0 ? String(cString: buffer.baseAddress!) : ""
        }
        return text.hasPrefix("::ffff:") ? String(text.dropFirst(7)) : text
    }
}
