import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@testable import MartletAPINative

@Suite("Where the bytes are") struct StorageTests {
    private func level(_ world: World, _ query: String, _ person: World.Person = .admin) throws -> JSONValue {
        let reply = try world.api.get("/api/v1/storage" + query, headers: try world.headers(of: person))
        #expect(reply.status == 200, "\(query): \(reply.text)")
        #expect(SchemaCheck.faults(of: reply.json, "StorageLevel") == [])
        return reply.json
    }

    private func sum(_ level: JSONValue) -> Int64 {
        (level["children"]?.array ?? []).reduce(level["rest"]?["bytes"]?.int64 ?? 0) { $0 + ($1["bytes"]?.int64 ?? 0) }
    }

    @Test("is told level by level, and each level is the sum of what lies in it")
    func levels() throws {
        let world = try World()
        let store = try level(world, "")
        #expect(store["level"]?["kind"] == "store" && sum(store) == store["level"]?["bytes"]?.int64)
        let lab = try #require(store["children"]?.array?.first { $0["id"] == "lab" })
        let project = try level(world, "?project=lab")
        #expect(project["level"] == lab && sum(project) == lab["bytes"]?.int64)
        // The second version of the named artifact was made by no run.
        #expect(project["children"]?.array?.first { $0["kind"] == "files" }?["bytes"] == 13)
        let sweep = try #require(project["children"]?.array?.first { $0["name"] == "lr-sweep" })
        let id = try #require(sweep["id"]?.string)
        let experiment = try level(world, "?experiment=\(id)")
        #expect(experiment["level"] == sweep && sum(experiment) == sweep["bytes"]?.int64)
        #expect(experiment["trail"]?[0]?["id"] == "lab")
        #expect(experiment["children"]?[0]?["id"]?.string == world.run.id.text)
        let run = try level(world, "?run=\(world.run.id)")
        #expect(run["level"]?["kinds"]?["artifacts"] == 7 && sum(run) == run["level"]?["bytes"]?.int64)
        #expect(run["trail"]?.array?.compactMap { $0["name"]?.string } == ["Lab", "lr-sweep"])
        let cut = try level(world, "?experiment=\(id)&limit=1")
        #expect(cut["children"]?.array?.count == 1 && cut["rest"]?["count"] == 1 && sum(cut) == sum(experiment))
    }

    @Test("a count is kept for a minute, unless a fresh one is asked for")
    func kept() throws {
        let world = try World()
        let first = try level(world, "?project=lab")
        let key = world.run.key
        try world.api.engine.changeAndWait(.local(via: "test")) { ledger throws(Refusal) in
            _ = try ledger.addNote(String(repeating: "x", count: 5000), to: .run(key), who: "t")
        }
        #expect(try level(world, "?project=lab")["level"] == first["level"])
        let fresh = try level(world, "?project=lab&fresh=true")
        let grown = (fresh["level"]?["bytes"]?.int64 ?? 0) - (first["level"]?["bytes"]?.int64 ?? 0)
        #expect(grown >= 5000 && grown < 5100)
        world.api.clock.advance(seconds: 61)
        #expect(try level(world, "?project=lab")["counted_at"] != fresh["counted_at"])
    }

    @Test("shows each what they may read, and what belongs to the whole store to those who may read that")
    func rights() throws {
        let world = try World()
        _ = try world.api.run(in: "Default")
        let part = try level(world, "?fresh=true", .projectReader)
        #expect(part["children"]?.array?.compactMap { $0["id"]?.string } == ["lab"])
        #expect(sum(part) == part["level"]?["bytes"]?.int64)
        #expect(try level(world, "", .reader)["children"]?.array?.contains { $0["id"] == "default" } == true)
        let headers = try world.headers(of: .projectReader)
        #expect(try world.api.get("/api/v1/storage?project=default", headers: headers).status == 403)
        #expect(try world.api.get("/api/v1/storage?experiment=0", headers: headers).status == 403)
        #expect(try world.api.get("/api/v1/storage?fresh=maybe", headers: headers).status == 400)
    }
}
