import MartletEngine
import MartletHTTPMessages
import MartletJSON
import Testing

@testable import MartletAPINative

@Suite("The OpenAPI document") struct OpenAPITests {
    let document: JSONValue

    init() throws {
        let reply = try TestAPI(.tokens).get("/openapi.json")
        #expect(reply.status == 200)
        document = reply.json
    }

    @Test("tells of every route, and of none that is not there")
    func complete() throws {
        var told: Set<String> = []
        for path in try #require(document["paths"]?.object).members {
            for method in try #require(path.value.object).members {
                told.insert(method.key.uppercased() + " " + path.key)
            }
        }
        let real = NativeAPI.all.map { "\($0.method) \($0.template)" }
        #expect(told == Set(real))
        #expect(Set(real).count == real.count, "a route stands twice in the table")
    }

    @Test("has no reference that leads nowhere, and no schema that nothing leads to")
    func references() throws {
        var found: Set<String> = []
        func walk(_ value: JSONValue) {
            if let reference = value["$ref"]?.string { found.insert(reference) }
            for member in value.object?.members ?? [] { walk(member.value) }
            for element in value.array ?? [] { walk(element) }
        }
        walk(document)
        for reference in found {
            var place = document
            for part in reference.split(separator: "/").dropFirst() { place = place[String(part)] ?? .null }
            #expect(!place.isNull, "\(reference) leads nowhere")
        }
        for name in Schemas.all.map(\.name) where !name.hasPrefix("Fact_") {
            #expect(found.contains("#/components/schemas/\(name)"), "nothing leads to \(name)")
        }
        #expect(Set(Schemas.all.map(\.name)).count == Schemas.all.count, "two schemas have one name")
    }

    @Test("declares every part of a path, once, and nothing twice")
    func parameters() throws {
        var ids: Set<String> = []
        for path in try #require(document["paths"]?.object).members {
            let parts = Set(path.key.matches(of: /\{([^}]*)\}/).map { String($0.1) })
            for method in try #require(path.value.object).members {
                let operation = method.value
                let declared = (operation["parameters"]?.array ?? []).map { parameter in
                    (parameter["in"]?.string ?? "", parameter["name"]?.string ?? "", parameter)
                }
                #expect(Set(declared.filter { $0.0 == "path" }.map(\.1)) == parts, "\(method.key) \(path.key)")
                #expect(Set(declared.map { "\($0.0) \($0.1)" }).count == declared.count, "\(method.key) \(path.key)")
                for (place, name, parameter) in declared {
                    #expect(
                        parameter["schema"] != nil && parameter["description"]?.string?.isEmpty == false,
                        "\(path.key): \(name)")
                    #expect((parameter["required"] == true) == (place == "path"))
                }
                let id = try #require(operation["operationId"]?.string)
                #expect(ids.insert(id).inserted, "two operations are called \(id)")
                let responses = try #require(operation["responses"]?.object)
                #expect(
                    responses.members.contains { $0.key.hasPrefix("2") || $0.key == "101" },
                    "\(path.key) never succeeds")
                for response in responses.members {
                    #expect(response.value["$ref"] != nil || response.value["description"] != nil)
                }
                #expect(operation["summary"]?.string?.isEmpty == false)
                let tags = (document["tags"]?.array ?? []).compactMap { $0["name"]?.string }
                #expect(tags.contains(operation["tags"]?[0]?.string ?? ""))
            }
        }
    }

    @Test("has an example for every body of JSON, and it fits its own schema")
    func examples() throws {
        for route in NativeAPI.all {
            for (type, schema) in route.doc.body where type == "application/json" {
                let shape = try #require(Schemas.named(schema), "\(route.path): no schema \(schema)")
                if schema == "Fact" { continue }
                let example = try #require(shape.example, "\(schema) has no example")
                #expect(SchemaCheck.faults(of: example, schema) == [])
            }
        }
        for (name, schema) in Schemas.all {
            guard let example = schema.example else { continue }
            #expect(SchemaCheck.faults(of: example, name) == [], "\(name)")
        }
    }

    @Test("says what it is, where its addresses begin, and how to be known")
    func head() throws {
        #expect(document["openapi"] == "3.1.0")
        #expect(document["info"]?["version"] == "1.2.3")
        #expect(document["servers"]?[0]?["url"] == ".")
        for scheme in document["security"]?.array ?? [] {
            for member in scheme.object?.members ?? [] {
                #expect(document["components"]?["securitySchemes"]?[member.key] != nil)
            }
        }
        let health = document["paths"]?["/health"]?["get"]
        #expect(health?["security"]?.array?.isEmpty == true)
    }
}

@Suite("The page of routes") struct DocsPageTests {
    @Test("tells of every route and every shape, and its links lead somewhere")
    func complete() throws {
        let reply = try TestAPI(.tokens).get("/docs")
        #expect(reply.status == 200)
        #expect(reply.headers["content-type"] == "text/html; charset=utf-8")
        let ids = Set(reply.text.matches(of: /id="([^"]*)"/).map { String($0.1) })
        for route in NativeAPI.all { #expect(ids.contains(route.operationID), "\(route.path) is missing") }
        for link in reply.text.matches(of: /href="#([^"]*)"/) {
            #expect(ids.contains(String(link.1)), "a link to #\(link.1) leads nowhere")
        }
        #expect(reply.text.matches(of: /id="([^"]*)"/).count == ids.count, "an id stands twice")
    }

    @Test("may run nothing but its own script, and asks for no other file")
    func policy() throws {
        let reply = try TestAPI().get("/docs")
        let policy = try #require(reply.headers["content-security-policy"])
        #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
        #expect(policy.matches(of: /'sha256-[A-Za-z0-9+\/]{43}='/).count == 2)
        // The digest of the empty text, as `openssl dgst -sha256 -binary | base64` gives it.
        #expect(ContentHash.sha256(of: "") == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
        #expect(policy.contains(ContentHash.sha256(of: try piece(of: reply.text, in: "script"))))
        #expect(policy.contains(ContentHash.sha256(of: try piece(of: reply.text, in: "style"))))
        #expect(!reply.text.contains("src=") && !reply.text.contains("<link") && !reply.text.contains("http://"))
        #expect(reply.headers["x-content-type-options"] == "nosniff")
    }

    private func piece(of page: String, in element: String) throws -> String {
        let start = try #require(page.firstRange(of: "<\(element)>"))
        let end = try #require(page.firstRange(of: "</\(element)>"))
        return String(page[start.upperBound..<end.lowerBound])
    }
}
