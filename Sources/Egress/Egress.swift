// Egress: the one door for requests that a user can cause this server to send. Addresses are looked up here, once, every
// one of them is checked, and the connection goes to what was checked: a name that leads elsewhere a moment later, and a
// redirect to another host, lead nowhere. What it refuses is what an attacker would have it fetch: this machine, its
// network, the metadata of a cloud.
import Glibc
package import MartletHTTPClient
package import MartletHTTPMessages

package final class Egress: Sendable {
    /// The addresses of a host; empty when there is none.
    package typealias Resolver = @Sendable (_ host: String) -> [NetworkAddress]

    package struct Settings: Sendable {
        package var rules = EgressRules()
        package var userAgent = "martlet"
        package var totalSeconds = 10.0
        package var answerBytesMax = 1 << 20
        /// A PEM file of authorities in place of the system's.
        package var certificateAuthorities: String?
        package init() {}
    }

    private static let triedMax = 3

    private let settings: Settings
    private let resolve: Resolver
    private let client: HTTPClient

    package init(_ settings: Settings = Settings(), resolve: @escaping Resolver = Egress.lookUp) {
        (self.settings, self.resolve) = (settings, resolve)
        var rules = HTTPClient.Settings()
        rules.connectSeconds = settings.totalSeconds
        rules.totalSeconds = settings.totalSeconds
        rules.stallSeconds = Int(settings.totalSeconds)
        rules.bodyBytesMax = settings.answerBytesMax
        rules.redirectsMax = 3
        rules.userAgent = settings.userAgent
        rules.certificateAuthorities = settings.certificateAuthorities
        client = HTTPClient(rules)
    }

    /// Whether an address may be called, as far as can be told now: a host that is not found today may be there when it
    /// is called, and is checked again then.
    package func check(_ url: String) throws(ClientError) {
        let url = try Egress.parsed(url)
        let addresses = resolve(url.hostName)
        if !addresses.isEmpty { try check(addresses, url) }
    }

    /// Sends a request and waits for the answer. A body that is a file, an answer into a file and a time of its own are
    /// nothing that a user may cause.
    package func send(
        _ method: MartletHTTPMessages.Method, _ url: String, headers: Headers, body: [UInt8],
        goesOn: @escaping @Sendable () -> Bool = { true }
    ) throws(ClientError) -> ClientResponse {
        let target = try Egress.parsed(url)
        let begin = Egress.seconds()
        let addresses = resolve(target.hostName)
        guard !addresses.isEmpty else {
            throw ClientError(
                .unreachable, "There is no host “\(target.host)”.", remedy: "Check the address for a typing mistake.")
        }
        try check(addresses, target)
        var request = ClientRequest(method, url, headers: headers, body: .bytes(body))
        request.progress = { _, _ in goesOn() }
        var failure: ClientError?
        for address in addresses.prefix(Egress.triedMax) {
            let left = settings.totalSeconds - (Egress.seconds() - begin)
            if left <= 0 { break }
            request.totalSeconds = left
            request.onlyAddress = address.inURL
            do throws(ClientError) {
                return try client.send(request)
            } catch {
                // Nobody there: perhaps at the next one. Anything else was an exchange, and is not begun again.
                guard error.code == .unreachable else { throw error }
                failure = error
            }
        }
        throw failure
            ?? ClientError(
                .timeout, "“\(target.host)” was not found in time.", remedy: "Look at the name server of this machine.")
    }

    /// All of them: a name of which one address is closed is a name that someone is playing with.
    private func check(_ addresses: [NetworkAddress], _ url: CheckedURL) throws(ClientError) {
        for address in addresses where !settings.rules.mayCall(address, host: url.hostName, port: url.port) {
            let what = NetworkAddress(url.hostName) == nil ? "“\(url.host)” leads to \(address)" : "\(address) is"
            throw ClientError(
                .forbidden, "\(what)\(what.hasSuffix("is") ? "" : ", which is") no public address.",
                remedy: "The operator can allow it: `martlet serve --egress-allow \(url.host):\(url.port)`.")
        }
    }

    private static func parsed(_ text: String) throws(ClientError) -> CheckedURL {
        let url = try CheckedURL(text)
        guard !url.hasCredentials else {
            throw ClientError(
                .badURL, "The address holds a user or a password before “@”.",
                remedy: "Leave them out: what is sent is signed by the secret.")
        }
        return url
    }

    private static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The system's own resolver, which also reads `0x7f.1` and its like as what they are.
    package static let lookUp: Resolver = { host in
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [NetworkAddress] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ai_next
            guard let raw = entry.ai_addr else { continue }
            // The address stands behind family and port, in IPv6 behind the flow too.
            let (offset, count) = entry.ai_family == AF_INET ? (4, 4) : (8, 16)
            guard entry.ai_family == AF_INET || entry.ai_family == AF_INET6 else { continue }
            let bytes = UnsafeRawBufferPointer(start: UnsafeRawPointer(raw) + offset, count: count)
            if let address = NetworkAddress(bytes: Array(bytes)), !found.contains(address) { found.append(address) }
        }
        return found
    }
}

extension CheckedURL {
    /// Without the brackets that a URL puts around an IPv6 address.
    fileprivate var hostName: String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }
}
