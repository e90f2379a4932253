import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@testable import MartletAPINative

@Suite("Access") struct AccessTests {
    let api: TestAPI
    let admin: Headers
    init() throws {
        api = try TestAPI(.tokens)
        admin = try api.user("root", .admin)
    }

    @discardableResult
    func send(
        _ method: MartletHTTPMessages.Method, _ target: String, _ body: JSONValue? = nil, as headers: Headers
    ) throws -> Reply {
        try api.send(method, target, headers: headers, body: body.map { Array(TestAPI.text($0).utf8) } ?? [])
    }

    @Test("everyone can see who they are, and an open server says that it is open")
    func me() throws {
        try api.post("/api/v1/projects", ["name": "Lab"], headers: admin)
        let lab = try api.engine.read { (reader: any StoreReader) throws(Refusal) in
            try reader.resolveProject("lab", for: .system).id
        }
        let me = try api.get("/api/v1/me", headers: try api.user("trainer", .read, grants: [lab: .write]))
        #expect(me.json == ["principal": "trainer", "role": "read", "grants": ["lab": "write"], "mode": "tokens"])
        let open = try TestAPI().get("/api/v1/me")
        #expect(open.json == ["principal": "local", "role": "admin", "grants": [:], "mode": "open"])
        let unknown = try api.get("/api/v1/me", headers: ["Authorization": "Bearer mlt_nothing"])
        #expect(unknown.status == 401 && unknown.headers["www-authenticate"] != nil)
        #expect(SchemaCheck.faults(of: unknown.json, "Error") == [])
    }

    @Test("users are added and changed field by field, and the change counts at once")
    func users() throws {
        let made = try send(.put, "/api/v1/users/trainer", ["role": "write"], as: admin)
        #expect(made.status == 201 && made["role"] == "write" && made["disabled"] == false)
        let token = try send(.post, "/api/v1/tokens", ["user": "trainer", "label": "gpu"], as: admin)
        let trainer: Headers = ["Authorization": "Bearer \(token["secret"].string ?? "")"]
        #expect(try send(.post, "/api/v1/experiments", ["name": "a"], as: trainer).status == 201)
        let changed = try send(
            .put, "/api/v1/users/trainer", ["role": nil, "grants": ["default": "read"]], as: admin)
        #expect(changed.status == 200 && changed["role"].isNull && changed["grants"] == ["default": "read"])
        #expect(try send(.post, "/api/v1/experiments", ["name": "b"], as: trainer).status == 403)
        #expect(try send(.get, "/api/v1/experiments/a", as: trainer).status == 200)
        #expect(try send(.put, "/api/v1/users/trainer", ["disabled": true], as: admin)["grants"] == ["default": "read"])
        #expect(try send(.get, "/api/v1/experiments/a", as: trainer).status == 401)
        #expect(
            try send(.get, "/api/v1/users", as: admin)["users"].array?.map { $0["name"] } == ["root", "trainer"])
        for (body, status) in [
            (["role": "owner"], 422), (["grants": ["nowhere": "read"]], 404), (["disabled": "yes"], 422),
            (["grants": ["default": 3]], 422),
        ] as [(JSONValue, Int)] {
            #expect(try send(.put, "/api/v1/users/trainer", body, as: admin).status == status, "\(body)")
        }
        #expect(try send(.put, "/api/v1/users/a%20b", ["role": "read"], as: admin).status == 422)
    }

    @Test("the last admin cannot be taken away")
    func lastAdmin() throws {
        for body in [["role": "write"], ["disabled": true], ["role": nil]] as [JSONValue] {
            #expect(try send(.put, "/api/v1/users/root", body, as: admin).status == 409, "\(body)")
        }
        #expect(try send(.put, "/api/v1/users/second", ["role": "admin"], as: admin).status == 201)
        #expect(try send(.put, "/api/v1/users/root", ["role": "write"], as: admin).status == 200)
    }

    @Test("a token's secret is shown once, counts until it is revoked or expires, and is nowhere else")
    func tokens() throws {
        let trainer = try api.user("trainer", .write)
        let made = try send(.post, "/api/v1/tokens", ["label": "laptop", "expires_days": 1], as: trainer)
        let secret = try #require(made["secret"].string)
        #expect(made.status == 201 && secret.hasPrefix("mlt_") && made.headers["cache-control"] == "no-store")
        let mine: Headers = ["Authorization": "Bearer \(secret)"]
        #expect(try send(.get, "/api/v1/me", as: mine)["principal"] == "trainer")
        let listed = try send(.get, "/api/v1/tokens", as: trainer)
        #expect(!listed.text.contains("secret") && !listed.text.contains(secret))
        #expect(listed["tokens"].array?.map { $0["label"] } == ["test", "laptop"])
        #expect(try send(.get, "/api/v1/tokens", as: admin)["tokens"].array?.count == 3)
        #expect(try send(.get, "/api/v1/tokens?user=trainer", as: admin)["tokens"].array?.count == 2)
        #expect(try send(.get, "/api/v1/tokens?user=root", as: trainer).status == 403)
        #expect(try send(.post, "/api/v1/tokens", ["user": "root"], as: trainer).status == 403)
        #expect(try send(.post, "/api/v1/tokens", ["user": "nobody"], as: admin).status == 404)
        #expect(try send(.post, "/api/v1/tokens", ["expires_days": 0], as: trainer).status == 422)
        api.clock.advance(seconds: 90_000)
        #expect(try send(.get, "/api/v1/me", as: mine).status == 401)
        let id = try #require(made["id"].string)
        let reader = try api.user("reader", .read)
        #expect(try send(.delete, "/api/v1/tokens/\(id)", as: reader).status == 404)
        #expect(try send(.delete, "/api/v1/tokens/\(id)", as: trainer).status == 204)
        #expect(try send(.delete, "/api/v1/tokens/\(id)", as: admin).status == 204)
    }

    @Test("a revoked token stops at once, though it was used a moment ago")
    func revocation() throws {
        let trainer = try api.user("trainer", .write)
        let made = try send(.post, "/api/v1/tokens", [:], as: trainer)
        let mine: Headers = ["Authorization": "Bearer \(made["secret"].string ?? "")"]
        #expect(try send(.get, "/api/v1/me", as: mine).status == 200)
        try send(.delete, "/api/v1/tokens/\(made["id"].string ?? "")", as: trainer)
        #expect(try send(.get, "/api/v1/me", as: mine).status == 401)
    }

    @Test("an answer with a secret is not remembered for an idempotency key")
    func secretsAreNotKept() throws {
        var headers = admin
        headers.add("Idempotency-Key", "k")
        let first = try send(.post, "/api/v1/tokens", ["label": "a"], as: headers)
        let again = try send(.post, "/api/v1/tokens", ["label": "a"], as: headers)
        #expect(first["secret"].string != nil && first["secret"] != again["secret"])
    }

    @Test("an invitation becomes a session once; the cookie is out of reach of scripts and other sites")
    func session() throws {
        let invitation = try api.engine.createToken(.system, for: "root", label: "", kind: .invitation).secret
        let reply = try api.post("/api/v1/session", ["invitation": .string(invitation)])
        #expect(reply.status == 200 && reply["principal"] == "root")
        let cookie = try #require(reply.headers["set-cookie"])
        #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains("Secure"))
        let pair = String(cookie.prefix { $0 != ";" })
        #expect(try send(.get, "/api/v1/me", as: ["Cookie": pair])["principal"] == "root")
        #expect(try api.post("/api/v1/session", ["invitation": .string(invitation)]).status == 401)
        #expect(try send(.get, "/api/v1/me", as: ["Authorization": "Bearer \(invitation)"]).status == 401)
        let out = try send(.delete, "/api/v1/session", as: ["Cookie": pair])
        #expect(out.status == 204 && out.headers["set-cookie"]?.contains("Max-Age=0") == true)
        #expect(try send(.get, "/api/v1/me", as: ["Cookie": pair]).status == 401)
        #expect(try send(.delete, "/api/v1/session", as: [:]).status == 204)
    }

    @Test("a token becomes a session too, and a wrong one does not")
    func sessionByToken() throws {
        let secret = String(try #require(admin["authorization"]).dropFirst("Bearer ".count))
        #expect(try api.post("/api/v1/session", ["token": .string(secret)])["principal"] == "root")
        #expect(try api.post("/api/v1/session", ["token": "mlt_wrong"]).status == 401)
        #expect(try api.post("/api/v1/session", [:]).status == 422)
        #expect(try api.post("/api/v1/session", ["token": "a", "invitation": "b"]).status == 422)
    }

    @Test("over TLS the cookie is for TLS alone")
    func secureCookie() throws {
        let secret = try #require(admin["authorization"]).dropFirst("Bearer ".count)
        let body = Array("{\"token\":\"\(secret)\"}".utf8)
        let head = Request(.post, try Target("/api/v1/session"), isTLS: true)
        guard case .collect(_, _, let then)? = api.api.plan(head) else { return #expect(Bool(false)) }
        nonisolated(unsafe) var cookie: String?
        then(head, body, Responder { cookie = $0.headers["set-cookie"] })
        #expect(cookie?.contains("; Secure") == true)
    }

    @Test("the audit trail tells who changed what, newest first, page by page, and only to admins")
    func audit() throws {
        let trainer = try api.user("trainer", .write)
        for name in ["a", "b", "c"] { try send(.post, "/api/v1/experiments", ["name": .string(name)], as: trainer) }
        let page = try send(.get, "/api/v1/audit?project=default&limit=2", as: admin)
        let entries = page["entries"].array ?? []
        #expect(entries.map { $0["action"] } == ["experiment.create", "experiment.create"])
        #expect(entries[0]["who"] == "trainer" && entries[0]["via"] == "native")
        #expect(entries[0]["detail"] == ["after": ["name": "c"]])
        let token = try #require(page["next_page_token"].string)
        let rest = try send(.get, "/api/v1/audit?project=default&limit=2&page_token=\(token)", as: admin)
        #expect(rest["entries"][0]?["detail"] == ["after": ["name": "a"]])
        let number = try #require(entries[1]["number"]?.int64)
        let before = try send(.get, "/api/v1/audit?project=default&before=\(number)&limit=1", as: admin)
        #expect(before["entries"][0]?["detail"] == ["after": ["name": "a"]])
        #expect(try send(.get, "/api/v1/audit?project=default", as: trainer).status == 403)
        #expect(try send(.get, "/api/v1/audit", as: trainer).status == 403)
        #expect(try send(.get, "/api/v1/audit", as: admin).status == 200)
    }

    @Test("a changed entry of the audit trail shows")
    func verify() throws {
        try send(.post, "/api/v1/experiments", ["name": "a"], as: admin)
        let whole = try send(.get, "/api/v1/audit/verify?project=default", as: admin)
        #expect(whole["whole"] == true && whole["broken"] == [] && whole["projects"] == ["default"])
        try api.store.write { tx throws(Refusal) in
            guard var forged = try tx.audit(.standard, before: nil, limit: 1).first else { return }
            forged.who = "someone else"
            try tx.appendAudit(forged)
        }
        let broken = try send(.get, "/api/v1/audit/verify", as: admin)
        #expect(broken["whole"] == false && broken["broken"].array?.count == 1)
    }

    @Test("what cannot be undone needs an admin; what can, a writer")
    func permanentDeletion() throws {
        let writer = try api.user("writer", .write)
        try send(.post, "/api/v1/experiments", ["name": "a"], as: writer)
        let run = try #require(try send(.post, "/api/v1/experiments/a/runs", [:], as: writer)["id"].string)
        for target in ["/api/v1/runs/\(run)", "/api/v1/experiments/a"] {
            #expect(try send(.delete, target + "?permanent=true", as: writer).status == 403)
            #expect(try send(.delete, target, as: writer).status == 204)
            #expect(try send(.delete, target + "?permanent=false", as: writer).status == 204)
            #expect(try send(.delete, target + "?permanent=true", as: admin).status == 204)
        }
        #expect(try send(.get, "/api/v1/experiments/a", as: writer).status == 404)
    }

    @Test("lists show only what the caller may read")
    func lists() throws {
        for name in ["Open", "Shut"] {
            try send(.post, "/api/v1/projects", ["name": .string(name)], as: admin)
            try send(
                .post, "/api/v1/experiments", ["name": .string(name), "project": .string(name)], as: admin)
        }
        let id = try api.engine.read { (reader: any StoreReader) throws(Refusal) in
            try reader.resolveProject("open", for: .system).id
        }
        let guest = try api.user("guest", nil, grants: [id: .read])
        #expect(try send(.get, "/api/v1/projects", as: guest)["projects"].array?.map { $0["name"] } == ["Open"])
        #expect(try send(.get, "/api/v1/experiments", as: guest)["experiments"].array?.map { $0["name"] } == ["Open"])
        #expect(try send(.get, "/api/v1/experiments?project=shut", as: guest).status == 403)
    }
}

@Suite("What the server says of itself") struct AboutTests {
    @Test("it is well, while its writer is busy too")
    func health() throws {
        let api = try TestAPI(.tokens)
        let reply = try api.get("/health")
        #expect(reply.status == 200 && reply["status"] == "ok" && reply["version"] == "1.2.3")
        #expect(reply.headers["cache-control"] == "no-store")
    }

    @Test("it says which version it is")
    func version() throws {
        let reply = try TestAPI(.tokens).get("/version")
        #expect(reply["name"] == "martlet" && reply["version"] == "1.2.3" && reply["commit"] == "abcdef0")
        #expect(reply["api"] == "v1" && reply["store_format"] == 1)
    }

    @Test("an address that is none of ours is left to others")
    func others() throws {
        let api = try TestAPI()
        for target in ["/", "/api/v1", "/api/v1/nothing", "/docs/x", "/api/v1/runs/a/b/c"] {
            #expect(try api.get(target).status == 404, "\(target)")
        }
    }
}
