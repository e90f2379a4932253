import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@testable import MartletAPINative

/// Promises that hold for every route, made from the table of routes: a route that is added is tested here or fails here.
@Suite("Every route") struct RouteMatrixTests {
    @Test("does what it does for those with the role, and nothing for those without", arguments: NativeAPI.all)
    func roles(_ route: Route) throws {
        guard !route.handler.isSocket else { return }
        for person in World.Person.allCases {
            let world = try World()
            let headers = try world.headers(of: person)
            var (target, more, body) = try world.request(route)
            for field in headers { more.add(field.name, field.value) }
            // What is the store's own is asked for with the store's own things.
            if route.path == "/api/v1/experiments", route.method == .post {
                body = Array("{\"name\":\"new\",\"project\":\"\(world.project.slug)\"}".utf8)
            }
            if route.path == "/api/v1/runs", route.method == .post {
                body = Array("{\"experiment\":\"lr-sweep\",\"project\":\"\(world.project.slug)\"}".utf8)
            }
            if route.path == "/api/v1/models", route.method == .post {
                body = Array("{\"name\":\"new\",\"project\":\"\(world.project.slug)\"}".utf8)
            }
            if route.path == "/api/v1/webhooks", route.method == .post {
                let events = "[\"model_version.created\"]"
                body = Array(
                    "{\"name\":\"new\",\"url\":\"https://example.org\",\"events\":\(events),\"project\":\"\(world.project.slug)\"}"
                        .utf8)
            }
            let before = try world.api.engine.read { (reader: any StoreReader) throws(Refusal) in
                try reader.audit(nil, before: nil, limit: 1).first?.number ?? 0
            }
            let reply = try world.api.send(route.method, target, headers: more, body: body)
            let status = reply.status
            if person.may(route.access) {
                #expect(status != 401 && status != 403, "\(person) got \(status) from \(route.method) \(target)")
            } else {
                #expect(
                    status == (person == .stranger ? 401 : 403),
                    "\(person) got \(status) from \(route.method) \(target)")
                let after = try world.api.engine.read { (reader: any StoreReader) throws(Refusal) in
                    try reader.audit(nil, before: nil, limit: 1).first?.number ?? 0
                }
                #expect(after == before, "\(route.method) \(target) changed something for \(person)")
            }
        }
    }

    @Test("answers an admin as the OpenAPI document says, and leaves a trace of every change", arguments: NativeAPI.all)
    func shapes(_ route: Route) throws {
        guard !route.handler.isSocket else { return }
        let world = try World()
        var (target, headers, body) = try world.request(route)
        for field in try world.headers(of: .admin) { headers.add(field.name, field.value) }
        if route.path == "/api/v1/tokens", route.method == .post { body = Array("{\"label\":\"ci\"}".utf8) }
        if route.path.hasSuffix("/restore") {
            let whole = String(target.dropLast("/restore".count))
            #expect(try world.api.send(.delete, whole, headers: headers).status == 204)
        }
        let before = try trail(of: world)
        let reply = try world.api.send(route.method, target, headers: headers, body: body)
        let answer = try #require(
            route.doc.answers.first { $0.status == reply.status },
            "\(route.method) \(target) answered \(reply.status), which it does not document: \(reply.text)")
        if let schema = answer.schema, answer.type == "application/json" {
            #expect(SchemaCheck.faults(of: reply.json, schema) == [])
        } else if answer.type == nil {
            #expect(reply.body.isEmpty)
        }
        // Ending a session changes nothing of the store, nor does a question that comes in a body.
        let asksOnly: Set = [
            "DELETE /api/v1/session", "POST /api/v1/runs/search", "POST /api/v1/ask", "POST /api/v1/runs/table",
            "POST /api/v1/curves", "POST /api/v1/runs/pins",
        ]
        let isChange = route.method != .get && !asksOnly.contains("\(route.method) \(route.path)")
        let entries = try trail(of: world)
        #expect(
            (entries.count > before.count) == isChange,
            "\(route.method) \(target) wrote \(entries.count - before.count)")
        if isChange, let last = entries.first {
            #expect(last.request == "req-1" && last.via == "native")
        }
    }

    @Test("refuses a body that is no JSON, not JSON's type, or not an object, in the one shape of errors")
    func badBodies() throws {
        for route in NativeAPI.all where route.doc.body.contains(where: { $0.type == "application/json" }) {
            let world = try World()
            let admin = try world.headers(of: .admin)
            let (target, _, _) = try world.request(route)
            func reply(_ type: String, _ body: String) throws -> Reply {
                var headers = admin
                headers.add("Content-Type", type)
                return try world.api.send(route.method, target, headers: headers, body: Array(body.utf8))
            }
            let place = "\(route.method) \(target)"
            for broken in ["{", "{\"a\":1,\"a\":2}", "{'a':1}", "\u{FFFD}", "nul"] {
                let reply = try reply("application/json", broken)
                #expect(reply.status == 400, "\(place) took \(broken) with \(reply.status)")
                #expect(reply.error("code") == "malformed")
                #expect(SchemaCheck.faults(of: reply.json, "Error") == [])
            }
            #expect(try reply("application/xml", "<a/>").status == 415, "\(place) took XML")
            if route.path.contains("/facts/") { continue }
            let list = try reply("application/json", "[1,2]")
            #expect(list.status == 400 || list.status == 422, "\(place) took a list with \(list.status)")
        }
    }

    @Test("answers 404 for what is not there, and tells what may have been meant")
    func absent() throws {
        for route in NativeAPI.all {
            guard let part = route.pathParts.first(where: { ["project", "experiment", "run"].contains($0.name) }),
                !route.handler.isSocket
            else { continue }
            let world = try World()
            var (_, headers, body) = try world.request(route)
            for field in try world.headers(of: .admin) { headers.add(field.name, field.value) }
            let real = part.name == "project" ? "lab" : part.name == "experiment" ? "lr-sweep" : world.run.id.text
            let wrong = String(real.dropLast(1)) + (part.name == "run" ? "x" : "q")
            var target = route.template.replacing("{\(part.name)}", with: wrong)
            for other in route.pathParts where other.name != part.name {
                target = target.replacing("{\(other.name)}", with: other.name == "run" ? world.run.id.text : "1")
            }
            let reply = try world.api.send(route.method, target, headers: headers, body: body)
            #expect(reply.status == 404, "\(route.method) \(target) answered \(reply.status)")
            #expect(reply.error("code") == "not_found")
            #expect(reply.json["error"]?["candidates"]?[0]?.string == real, "\(route.method) \(target): \(reply.text)")
        }
    }

    @Test("answers 405 with the methods that are possible")
    func wrongMethod() throws {
        let api = try TestAPI()
        for path in Set(NativeAPI.all.map(\.template)) {
            let possible = Set(NativeAPI.all.filter { $0.template == path }.map(\.method.rawValue))
            let reply = try api.send(MartletHTTPMessages.Method(rawValue: "TRACE"), path)
            #expect(reply.status == 405, "\(path) answered \(reply.status)")
            let allowed = Set((reply.headers["allow"] ?? "").split(separator: ", ").map(String.init))
            #expect(allowed.isSuperset(of: possible))
            #expect(reply.error("remedy") != nil)
        }
    }

    @Test("that lists something pages through all of it, and refuses a damaged token or one of another list")
    func pages() throws {
        for route in NativeAPI.all where route.doc.parameters.contains(where: { $0.name == "page_token" }) {
            let world = try World()
            let headers = try world.headers(of: .admin)
            let (target, _, _) = try world.request(route)
            let mark = target.contains("?") ? "&" : "?"
            for bad in ["page_token=nonsense", "page_token=%F0%9F%90%A6", "page_token=-"] {
                let reply = try world.api.send(.get, target + mark + bad, headers: headers)
                #expect(reply.status == 422, "\(target) took \(bad) with \(reply.status)")
                #expect(reply.error("field") == "page_token")
            }
            for bad in ["0", "10001", "-3"] {
                #expect(try world.api.send(.get, target + mark + "limit=\(bad)", headers: headers).status == 422)
            }
            #expect(try world.api.send(.get, target + mark + "limit=ten", headers: headers).status == 400)
            #expect(try world.api.send(.get, target + mark + "limit=10000", headers: headers).status == 200)
        }
    }

    private func trail(of world: World) throws -> [AuditEntry] {
        try world.api.engine.read { (reader: any StoreReader) throws(Refusal) in
            try reader.audit(nil, before: nil, limit: 1000)
        }
    }
}

extension Route: CustomTestStringConvertible {
    public var testDescription: String { "\(method) \(path)" }
}
