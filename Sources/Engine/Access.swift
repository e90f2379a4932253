import MartletArtifacts
package import MartletDomain
package import MartletStorage
import Synchronization

/// How a server knows who is calling.
package enum AccessMode: Sendable, Equatable {
    /// Everyone may do everything: loopback without users, or `AUTH_MODE=none` said aloud.
    case open
    /// Users with tokens.
    case tokens
    /// A proxy in front says who it is, in this header, from these addresses.
    case proxy(header: String, addresses: [String])
}

/// Users, tokens and sessions. A secret is shown once and kept only as its SHA-256: it has 256 random bits, so a slow
/// hash would protect nothing more.
extension Engine {
    package static let tokenPrefix = "mlt_"

    /// A new secret and the hash by which it is known again.
    package static func makeSecret() -> (secret: String, hash: Digest) {
        let secret = tokenPrefix + Secret.make()
        return (secret, SHA256.digest(of: secret))
    }

    package func putUser(
        _ caller: Caller, name: String, role: Role?, grants: [ProjectID: Role?] = [:], disabled: Bool? = nil
    ) throws(Refusal) -> User {
        let update = UserUpdate(role: role.map { .some($0) }, grants: grants, isDisabled: disabled)
        return try changeAndWait(caller) { ledger throws(Refusal) in
            try caller.require(.admin)
            return try ledger.putUser(name, update).user
        }
    }

    /// A token for a user, and its secret, which is not kept anywhere.
    package func createToken(
        _ caller: Caller, for name: String, label: String, kind: AccessToken.Kind = .token, lifetime: Double? = nil
    ) throws(Refusal) -> (token: AccessToken, secret: String) {
        let (secret, hash) = Engine.makeSecret()
        let token = try changeAndWait(caller) { ledger throws(Refusal) in
            if caller.principal != name { try caller.require(.admin) }
            return try ledger.addToken(for: name, hash: hash, label: label, kind: kind, lifetime: lifetime)
        }
        return (token, secret)
    }

    package func revokeToken(_ caller: Caller, id: String) throws(Refusal) -> AccessToken {
        try changeAndWait(caller) { ledger throws(Refusal) in try Engine.revokeToken(caller, id: id, ledger) }
    }

    /// One's own token, or anyone's for an admin.
    package static func revokeToken(
        _ caller: Caller, id: String, _ ledger: Ledger
    ) throws(Refusal) -> AccessToken {
        guard let token = try ledger.tx.tokens(of: nil).first(where: { $0.id == id }),
            token.user == caller.principal || caller.role == .admin
        else {
            throw Refusal(
                .notFound, "There is no token “\(id.prefix(100))”.", remedy: "List them with `martlet tokens list`.")
        }
        return try ledger.revoke(token)
    }

    /// Who holds this secret. Looked up by its hash, so that no comparison can leak how much of it was right.
    package func authenticate(secret: String, requestID: String, via: String) throws(Refusal) -> Caller {
        let hash = SHA256.digest(of: secret)
        let now = clock.now
        return try read { (reader: any StoreReader) throws(Refusal) in
            guard let token = try reader.token(hash: hash), token.kind != .invitation else {
                throw Refusal.unauthenticated("This token is not known.")
            }
            guard token.revoked == nil else { throw Refusal.unauthenticated("This token was revoked.") }
            if let expires = token.expires, expires <= now {
                throw Refusal.unauthenticated("This token expired at \(expires.iso).")
            }
            guard let user = try reader.user(token.user), !user.isDisabled else {
                throw Refusal.unauthenticated("The user of this token is disabled.")
            }
            return Caller(
                principal: user.name, role: user.role, grants: user.grants, requestID: requestID, via: via)
        }
    }

    /// The rights of a user whom a proxy has named.
    package func caller(named name: String, requestID: String, via: String) throws(Refusal) -> Caller {
        try read { (reader: any StoreReader) throws(Refusal) in
            guard let user = try reader.user(name), !user.isDisabled else {
                throw Refusal.unauthenticated("“\(name)” is no user here.")
            }
            return Caller(
                principal: user.name, role: user.role, grants: user.grants, requestID: requestID, via: via)
        }
    }

    package static let sessionSeconds: Double = 30 * 86_400

    /// Turns a one-time invitation into a session. The second use of it is refused.
    package func redeem(invitation secret: String) throws(Refusal) -> (user: String, session: String) {
        let (session, hash) = Engine.makeSecret()
        let user = try changeAndWait(.system) { ledger throws(Refusal) in
            try Engine.redeem(invitation: secret, session: hash, ledger)
        }
        return (user, session)
    }

    /// The user whose session has begun.
    package static func redeem(
        invitation secret: String, session: Digest, _ ledger: Ledger
    ) throws(Refusal) -> String {
        guard let token = try ledger.tx.token(hash: SHA256.digest(of: secret)), token.kind == .invitation,
            token.revoked == nil, token.expires.map({ $0 > ledger.now }) ?? true
        else {
            throw Refusal.unauthenticated("This link was used already or is not known.")
        }
        _ = try ledger.revoke(token)
        return try ledger.addToken(
            for: token.user, hash: session, label: "browser", kind: .session, lifetime: sessionSeconds
        ).user
    }

    /// Ends the session that a cookie stands for; one that is not known is as good as ended.
    package static func endSession(secret: String, _ ledger: Ledger) throws(Refusal) {
        guard let token = try ledger.tx.token(hash: SHA256.digest(of: secret)), token.kind == .session else { return }
        _ = try ledger.revoke(token)
    }
}

extension Refusal {
    package static func unauthenticated(_ message: String) -> Refusal {
        Refusal(
            .unauthenticated, message,
            remedy:
                "Set MARTLET_TOKEN (or MLFLOW_TRACKING_TOKEN), or run `martlet login URL`; an admin makes a token with `martlet tokens create USER`."
        )
    }
}

enum Secret {
    private static let letters = Array("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789".utf8)

    /// 44 letters and digits that cannot be mistaken for one another: 256 bits.
    static func make() -> String {
        var out: [UInt8] = []
        while out.count < 44 {
            // 57 letters: bytes of 228 and more would favour the first ones.
            for byte in Chance.bytes(64) where byte < 228 && out.count < 44 { out.append(letters[Int(byte) % 57]) }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
