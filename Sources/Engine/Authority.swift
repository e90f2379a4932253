package import MartletDomain
import MartletStorage
import Synchronization

/// What a request says of who sends it.
package struct Credentials: Sendable, Hashable {
    /// The value of `Authorization`.
    package var authorization: String?
    /// The value of our session cookie.
    package var session: String?
    /// The name that a proxy gave, where one is trusted.
    package var proxyUser: String?
    package var remoteAddress: String
    package init(
        authorization: String? = nil, session: String? = nil, proxyUser: String? = nil, remoteAddress: String = ""
    ) {
        (self.authorization, self.session) = (authorization, session)
        (self.proxyUser, self.remoteAddress) = (proxyUser, remoteAddress)
    }

    /// The token: a Bearer, or the password of Basic, which is what MLflow's client sends.
    package var secret: String? {
        guard let authorization else { return session }
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        switch parts[0].lowercased() {
        case "bearer": return String(parts[1])
        case "basic":
            guard let decoded = Base64.decode(parts[1]), let colon = decoded.firstIndex(of: UInt8(ascii: ":")) else {
                return nil
            }
            return String(decoding: decoded[(colon + 1)...], as: UTF8.self)
        default: return nil
        }
    }
}

/// Decides who is calling. One for each server; the same for every surface.
package final class Authority: Sendable {
    package let mode: AccessMode
    private let engine: Engine
    /// Answers for a few seconds, so that a token costs no read for each request; an empty store generation of our own
    /// changes (a revocation) empties it.
    private let known = Mutex<[Credentials: (caller: Caller, until: Int64)]>([:])

    package init(_ mode: AccessMode, engine: Engine) { (self.mode, self.engine) = (mode, engine) }

    /// Forgets what it knows: after a change of users or tokens.
    package func forget() { known.withLock { $0.removeAll() } }

    package func caller(_ credentials: Credentials, requestID: String, via: String) throws(Refusal) -> Caller {
        switch mode {
        case .open:
            return .local(requestID: requestID, via: via)
        case .proxy(_, let addresses):
            if let name = credentials.proxyUser {
                guard addresses.contains(credentials.remoteAddress) else {
                    throw Refusal.unauthenticated("The address \(credentials.remoteAddress) may not name users.")
                }
                return try engine.caller(named: name, requestID: requestID, via: via)
            }
            return try byToken(credentials, requestID: requestID, via: via)
        case .tokens:
            return try byToken(credentials, requestID: requestID, via: via)
        }
    }

    /// Who signed an address that this server gave out, with the rights that they have now.
    package func caller(signing name: String, requestID: String, via: String) throws(Refusal) -> Caller {
        if case .open = mode { return .local(requestID: requestID, via: via) }
        return try engine.caller(named: name, requestID: requestID, via: via)
    }

    private func byToken(
        _ credentials: Credentials, requestID: String, via: String
    ) throws(Refusal) -> Caller {
        guard let secret = credentials.secret, !secret.isEmpty, secret.utf8.count <= 512 else {
            throw Refusal.unauthenticated("This server needs a token.")
        }
        let now = engine.clock.monotonic
        let found = known.withLock { known in known[credentials].flatMap { $0.until > now ? $0.caller : nil } }
        if var caller = found {
            caller.requestID = requestID
            caller.via = via
            return caller
        }
        let caller = try engine.authenticate(secret: secret, requestID: requestID, via: via)
        known.withLock { known in
            if known.count > 1000 { known.removeAll(keepingCapacity: true) }
            known[credentials] = (caller, now + 2_000_000)
        }
        return caller
    }
}

/// Base64 as HTTP Basic uses it.
enum Base64 {
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var out: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text.utf8 {
            let value: UInt32
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = UInt32(byte - UInt8(ascii: "A"))
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = UInt32(byte - UInt8(ascii: "a")) + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = UInt32(byte - UInt8(ascii: "0")) + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            case UInt8(ascii: "="): continue
            default: return nil
            }
            bits = bits << 6 | value
            count += 6
            if count >= 8 {
                count -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return out
    }
}
