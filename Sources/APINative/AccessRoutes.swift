import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Who may do what: users and their roles, tokens, and the sessions of browsers. A secret is in one answer only, and that
// answer is never remembered for an Idempotency-Key.
extension NativeAPI {
    static let accessRoutes: [Route] = [
        Route(
            .get, "/api/v1/me", "Show who is asking",
            .read { exchange throws(Refusal) in try showMe(exchange) },
            RouteDoc("access", answers: [(200, "The caller and their roles.", "Me")], failures: [], access: .anyone)),
        Route(
            .get, "/api/v1/users", "List users",
            .read { exchange throws(Refusal) in try listUsers(exchange) },
            RouteDoc(
                "access", query: [.limit, .pageToken], answers: [(200, "Users, in order of name.", "UserList")],
                failures: [422], access: .storeAdmin)),
        Route(
            .put, "/api/v1/users/{name}", "Add or change a user",
            .change { exchange, bytes throws(Refusal) in try putUser(exchange, bytes) },
            RouteDoc(
                "access", body: "UserChange", isBodyRequired: false,
                answers: [(200, "The user, changed.", "User"), (201, "The user, added.", "User")],
                failures: [400, 404, 409, 415, 422], access: .storeAdmin,
                details:
                    "What is left out stays. A grant gives a role in one project; `null` takes it away. The higher of "
                    + "`role` and grant counts. The last admin of a store cannot be taken away.")),
        Route(
            .get, "/api/v1/tokens", "List tokens",
            .read { exchange throws(Refusal) in try listTokens(exchange) },
            RouteDoc(
                "access",
                query: [.query("user", "Only those of this user; an admin sees everyone's."), .limit, .pageToken],
                answers: [(200, "Tokens and sessions, oldest first, without their secrets.", "TokenList")],
                failures: [422], access: .anyone)),
        Route(
            .post, "/api/v1/tokens", "Create a token",
            .change { exchange, bytes throws(Refusal) in try createToken(exchange, bytes) },
            RouteDoc(
                "access", body: "NewToken", isBodyRequired: false,
                answers: [(201, "The token. Its secret is shown this once.", "NewTokenAnswer")],
                failures: [400, 404, 409, 415, 422], access: .anyone,
                details: "For oneself, or for anyone when an admin asks.")),
        Route(
            .delete, "/api/v1/tokens/{id}", "Revoke a token",
            .change { exchange, bytes throws(Refusal) in try revokeToken(exchange, bytes) },
            RouteDoc(
                "access", answers: [(204, "It counts no more.", nil)], failures: [404], access: .anyone,
                details: "One's own, or anyone's when an admin asks.")),
        Route(
            .post, "/api/v1/session", "Log a browser in",
            .change { exchange, bytes throws(Refusal) in try beginSession(exchange, bytes) },
            RouteDoc(
                "access", body: "NewSession",
                answers: [(200, "The session's cookie is set.", "Session")], failures: [400, 401, 415, 422],
                access: .nothing,
                details: "With the one-time invitation of a link, or with a token. The cookie is `HttpOnly` and "
                    + "`SameSite=Strict`, and `Secure` over TLS.")),
        Route(
            .delete, "/api/v1/session", "Log a browser out",
            .change { exchange, bytes throws(Refusal) in try endSession(exchange) },
            RouteDoc(
                "access", answers: [(204, "The session is over and its cookie gone.", nil)], failures: [],
                access: .nothing)),
    ]

    private static func showMe(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let grants = try slugs(of: caller.grants, reader)
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        writer.member("principal", caller.principal)
                        writer.text("role", caller.role?.word)
                        writer.grants(grants)
                        writer.member("mode", exchange.api.authority.mode.word)
                    }
                })
        }
    }

    private static func listUsers(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        try caller.require(.admin)
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let page = try exchange.page(try reader.users().sorted { $0.name < $1.name }) { $0.name }
            let rows = try page.map { user throws(Refusal) in (user, try slugs(of: user.grants, reader)) }
            return .json(try encoded { $0.list("users", rows) { $0.user($1.0, grants: $1.1) } })
        }
    }

    private static func putUser(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        let role: Role?? = fields.has("role") ? .some(try fields.role(fields["role"], "role")) : nil
        let disabled = try fields.flag("disabled")
        var grants: [(project: String, role: Role?)] = []
        if let value = fields["grants"] {
            guard let object = value.object else { throw fields.wrong("grants", "an object", value) }
            for member in object.members {
                grants.append((member.key, try fields.role(member.value, "grants")))
            }
        }
        let wanted = grants
        try exchange.changeAccess { ledger, caller throws(Refusal) in
            try caller.require(.admin)
            var update = UserUpdate(role: role, isDisabled: disabled)
            for (text, role) in wanted {
                update.grants[try ledger.tx.resolveProject(text, for: caller).id] = .some(role)
            }
            let (user, created) = try ledger.putUser(exchange["name"], update)
            let shown = try slugs(of: user.grants, ledger.tx)
            return Answer(status: created ? 201 : 200, body: try encoded { $0.user(user, grants: shown) })
        }
    }

    private static func listTokens(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let wanted = exchange.query("user")
        let now = exchange.engine.clock.now
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let owner = caller.role == .admin ? wanted : caller.principal
            if let wanted, wanted != owner { try caller.require(.admin) }
            func key(_ token: AccessToken) -> String {
                let digits = String(token.created.micros)
                return String(repeating: "0", count: max(0, 19 - digits.utf8.count)) + digits + token.id
            }
            let page = try exchange.page(try reader.tokens(of: owner).sorted { key($0) < key($1) }, key: key)
            return .json(try encoded { $0.list("tokens", page) { $0.token($1, now: now) } })
        }
    }

    private static func createToken(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        let user = try fields.text("user")
        let label = try fields.text("label") ?? ""
        let days = try fields.number("expires_days")
        if let days, !(days > 0 && days <= 36_500) {
            throw Refusal(
                .invalid, "A token cannot expire after \(days) days.", remedy: "Send 1 to 36500, or leave it out.",
                field: "expires_days")
        }
        let (secret, hash) = Engine.makeSecret()
        try exchange.changeAccess { ledger, caller throws(Refusal) in
            let name = user ?? caller.principal
            if caller.principal != name { try caller.require(.admin) }
            let token = try ledger.addToken(
                for: name, hash: hash, label: label, kind: .token, lifetime: days.map { $0 * 86_400 })
            return Answer(
                status: 201, body: try encoded { $0.token(token, now: ledger.now, secret: secret) })
        }
    }

    private static func revokeToken(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        try exchange.changeAccess { ledger, caller throws(Refusal) in
            _ = try Engine.revokeToken(caller, id: exchange["id"], ledger)
            return Answer(status: 204, body: [])
        }
    }

    private static func beginSession(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        let invitation = try fields.text("invitation")
        let token = try fields.text("token")
        guard (invitation == nil) != (token == nil), let given = invitation ?? token, given.utf8.count <= 512 else {
            throw Refusal(
                .invalid, "A session begins with an invitation or a token.",
                remedy: "Send {\"invitation\":\"…\"} or {\"token\":\"mlt_…\"}.", field: "invitation")
        }
        var holder: String?
        if let token {
            holder = try exchange.engine.authenticate(
                secret: token, requestID: exchange.request.id, via: "native"
            ).principal
        }
        let user = holder
        let (secret, hash) = Engine.makeSecret()
        let caller = Caller(
            principal: user ?? Caller.system.principal, role: nil, requestID: exchange.request.id, via: "native")
        exchange.changeAccess(by: caller) { ledger throws(Refusal) in
            guard let user else { return try Engine.redeem(invitation: given, session: hash, ledger) }
            return try ledger.addToken(
                for: user, hash: hash, label: "browser", kind: .session, lifetime: Engine.sessionSeconds
            ).user
        } answer: { name throws(Refusal) in
            var response = Response.json(
                try encoded { writer in writer.object { $0.member("principal", name) } })
            response.headers.add(
                "Set-Cookie",
                Cookie.session(
                    sessionCookie, secret, maxAgeSeconds: Int(Engine.sessionSeconds), secure: exchange.request.isTLS))
            return response
        }
    }

    private static func endSession(_ exchange: Exchange) throws(Refusal) {
        let secret = exchange.request.cookies[sessionCookie]
        let caller = Caller(
            principal: Caller.system.principal, role: nil, requestID: exchange.request.id, via: "native")
        exchange.changeAccess(by: caller) { ledger throws(Refusal) in
            if let secret { try Engine.endSession(secret: secret, ledger) }
        } answer: { _ in
            var response = Response(.noContent)
            response.headers.add(
                "Set-Cookie", Cookie.session(sessionCookie, "", maxAgeSeconds: 0, secure: exchange.request.isTLS))
            return response
        }
    }

    /// Grants by the names that addresses use.
    private static func slugs(
        of grants: [ProjectID: Role], _ reader: any StoreReader
    ) throws(Refusal) -> [(project: String, role: Role)] {
        var named: [(project: String, role: Role)] = []
        for (id, role) in grants.sorted(by: { $0.key < $1.key }) {
            named.append((try reader.project(id)?.slug ?? "\(id)", role))
        }
        return named
    }
}

extension Exchange {
    /// A change of users or tokens: its answer may hold a secret and is not remembered, and what is known of callers is
    /// forgotten once it is on disk, before anyone is told.
    fileprivate func changeAccess(
        _ body: @escaping @Sendable (Ledger, Caller) throws(Refusal) -> Answer
    ) throws(Refusal) {
        let caller = try caller()
        changeAccess(by: caller) { ledger throws(Refusal) in
            try body(ledger, caller)
        } answer: { answer in
            if answer.status == 204 { return Response(.noContent) }
            var response = Response.json(answer.body, status: Status(answer.status))
            response.headers.add("Cache-Control", "no-store")
            return response
        }
    }

    fileprivate func changeAccess<T: Sendable>(
        by caller: Caller, _ body: @escaping @Sendable (Ledger) throws(Refusal) -> T,
        answer: @escaping @Sendable (T) throws(Refusal) -> Response
    ) {
        engine.change(caller, .live, body) { [self] result in
            api.authority.forget()
            do throws(Refusal) { respond(try answer(try result.get())) } catch { fail(error) }
        }
    }
}

extension AccessMode {
    var word: String {
        switch self {
        case .open: "open"
        case .tokens: "tokens"
        case .proxy: "proxy"
        }
    }
}

extension Fields {
    /// A role's word; null or `none` is no role.
    fileprivate func role(_ value: JSONValue?, _ field: String) throws(Refusal) -> Role? {
        guard let value, !value.isNull, value.string?.lowercased() != "none" else { return nil }
        guard let role = value.string.flatMap(Role.init(word:)) else {
            throw Refusal(
                .invalid, "That is not a role.", remedy: "Use read, write, admin or none.", field: field)
        }
        return role
    }
}

extension JSONWriter {
    fileprivate mutating func grants(_ grants: [(project: String, role: Role)]) {
        object("grants") { writer in
            for (project, role) in grants { writer.member(dynamic: project, role.word) }
        }
    }

    fileprivate mutating func user(_ user: User, grants: [(project: String, role: Role)]) {
        object { writer in
            writer.member("name", user.name)
            writer.text("role", user.role?.word)
            writer.grants(grants)
            writer.member("disabled", user.isDisabled)
            writer.time("created_at", user.created)
        }
    }

    fileprivate mutating func token(_ token: AccessToken, now: Timestamp, secret: String? = nil) {
        object { writer in
            writer.member("id", token.id)
            writer.member("user", token.user)
            writer.member("kind", token.kind.word)
            writer.member("label", token.label)
            writer.member("state", token.state(at: now))
            writer.time("created_at", token.created)
            writer.time("expires_at", token.expires)
            writer.time("revoked_at", token.revoked)
            if let secret { writer.member("secret", secret) }
        }
    }
}

extension AccessToken {
    fileprivate func state(at now: Timestamp) -> String {
        if revoked != nil { return "revoked" }
        return expires.map { $0 <= now } ?? false ? "expired" : "active"
    }
}

extension AccessToken.Kind {
    fileprivate var word: String {
        switch self {
        case .token: "token"
        case .session: "session"
        case .invitation: "invitation"
        }
    }
}
