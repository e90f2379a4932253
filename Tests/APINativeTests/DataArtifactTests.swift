import MartletAPINative
import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@Suite("Artifacts of a run over the native API") struct DataArtifactTests {
    private let bytes = Array("weights of a model".utf8)

    private func home(_ run: Run) -> String { "/api/v1/runs/\(run.id)/artifacts" }

    private func form(_ parts: [(head: String, body: String)]) -> (headers: Headers, body: [UInt8]) {
        var text = ""
        for part in parts {
            text += "--xYz\r\nContent-Disposition: form-data; \(part.head)\r\n\r\n\(part.body)\r\n"
        }
        return (["Content-Type": "multipart/form-data; boundary=xYz"], Array((text + "--xYz--\r\n").utf8))
    }

    @Test("what was uploaded, in pieces of any size, comes out again as it was", arguments: [1, 5, 1000])
    func roundTrip(_ pieces: Int) throws {
        let api = try TestAPI()
        let run = try api.run()
        let put = try api.send(.put, home(run) + "/models/best.pkl", body: bytes, pieces: pieces)
        #expect(put.status == 201)
        let digest = SHA256.digest(of: bytes).text
        #expect(put["path"] == "models/best.pkl")
        #expect(put["type"] == "model")
        #expect(put["size_bytes"] == .int(Int64(bytes.count)))
        #expect(put["sha256"] == .string(digest))
        let got = try api.get(home(run) + "/models/best.pkl")
        #expect(got.body == bytes)
        #expect(got.headers["etag"] == "\"\(digest)\"")
        #expect(got.headers["x-content-type-options"] == "nosniff")
        #expect(got.headers["content-security-policy"] == "sandbox; default-src 'none'")
        #expect(got.headers["content-disposition"] == "attachment; filename=\"best.pkl\"")
    }

    @Test("an empty file is a file")
    func empty() throws {
        let api = try TestAPI()
        let run = try api.run()
        #expect(try api.send(.put, home(run) + "/empty.txt")["size_bytes"] == 0)
        let got = try api.get(home(run) + "/empty.txt")
        #expect(got.status == 200)
        #expect(got.body.isEmpty)
    }

    @Test("what a browser can only show is shown, unless a download is asked for")
    func inert() throws {
        let api = try TestAPI()
        let run = try api.run()
        for (name, shown) in [
            ("plot.png", "inline"), ("notes.txt", "inline"), ("page.html", "attachment"), ("a.svg", "attachment"),
        ] {
            try api.send(.put, home(run) + "/" + name, body: bytes)
            #expect(try api.get(home(run) + "/" + name).headers["content-disposition"]?.hasPrefix(shown) == true)
            let saved = try api.get(home(run) + "/" + name + "?download=1")
            #expect(saved.headers["content-disposition"]?.hasPrefix("attachment") == true)
        }
    }

    @Test("a part is sent when one is asked for, and nothing to who has it already")
    func ranges() throws {
        let api = try TestAPI()
        let run = try api.run()
        let tag = try api.send(.put, home(run) + "/w.bin", body: bytes).headers["etag"] ?? ""
        let part = try api.get(home(run) + "/w.bin", headers: ["Range": "bytes=0-6"])
        #expect(part.status == 206)
        #expect(part.text == "weights")
        #expect(part.headers["content-range"] == "bytes 0-6/\(bytes.count)")
        #expect(try api.get(home(run) + "/w.bin", headers: ["Range": "bytes=500-"]).status == 416)
        let held = try api.get(home(run) + "/w.bin", headers: ["If-None-Match": tag])
        #expect(held.status == 304)
        #expect(held.body.isEmpty)
        #expect(try api.send(.head, home(run) + "/w.bin").headers["etag"] == tag)
    }

    @Test("bytes that are not those announced are refused and leave nothing behind")
    func announced() throws {
        let api = try TestAPI()
        let run = try api.run()
        let wrong = try api.send(
            .put, home(run) + "/w.bin", headers: ["X-Content-SHA256": String(repeating: "0", count: 64)], body: bytes)
        #expect(wrong.status == 422)
        #expect(wrong.error("field") == "sha256")
        let short = try api.send(.put, home(run) + "/w.bin", headers: ["Content-Length": "99"], body: bytes)
        #expect(short.status == 422)
        #expect(short.error("field") == "size")
        let bad = try api.send(.put, home(run) + "/w.bin", headers: ["X-Content-SHA256": "abc"], body: bytes)
        #expect(bad.status == 422)
        #expect(bad.error("field") == "X-Content-SHA256")
        try api.abandon(.put, home(run) + "/w.bin", headers: ["Content-Length": "99"], after: bytes)
        #expect(try api.get(home(run))["artifacts"] == [])
        #expect(try api.api.blobs.usage().files == 0)
        let right = try api.send(
            .put, home(run) + "/w.bin", headers: ["X-Content-SHA256": SHA256.digest(of: bytes).text], body: bytes)
        #expect(right.status == 201)
    }

    @Test("a path that leads out of the run, an unknown run and a reader's upload are refused before a byte is stored")
    func refused() throws {
        let api = try TestAPI(.tokens)
        let run = try api.run()
        let (writer, reader) = (try api.user("w", .write), try api.user("r", .read))
        let out = try api.send(.put, home(run) + "/a%01b", headers: writer, body: bytes)
        #expect(out.status == 422)
        #expect(out.error("field") == "path")
        #expect(try api.send(.put, "/api/v1/runs/nope/artifacts/a", headers: writer, body: bytes).status == 404)
        #expect(try api.send(.put, home(run) + "/a", headers: reader, body: bytes).status == 403)
        #expect(try api.send(.put, home(run) + "/a", body: bytes).status == 401)
        #expect(try api.api.blobs.usage().files == 0)
    }

    @Test("a form brings a file with its path and type, in any order and cut anywhere", arguments: [1, 7, 100_000])
    func upload(_ pieces: Int) throws {
        let api = try TestAPI()
        let run = try api.run()
        let (headers, body) = form([
            ("name=\"type\"", "model"), ("name=\"file\"; filename=\"m.bin\"", "bytes\r\n--xY of it"),
            ("name=\"path\"", "models/final.bin"), ("name=\"metadata\"", "{\"framework\":\"sklearn\"}"),
        ])
        let reply = try api.send(.post, home(run), headers: headers, body: body, pieces: pieces)
        #expect(reply.status == 201)
        #expect(reply["path"] == "models/final.bin")
        #expect(reply["type"] == "model")
        #expect(reply["metadata"] == ["framework": "sklearn"])
        #expect(try api.get(home(run) + "/models/final.bin").text == "bytes\r\n--xY of it")
    }

    @Test("several files of a form go into the folder that it names")
    func files() throws {
        let api = try TestAPI()
        let run = try api.run()
        let (headers, body) = form([
            ("name=\"path\"", "plots"), ("name=\"file\"; filename=\"a.png\"", "1"),
            ("name=\"file\"; filename=\"b.png\"", "2"),
        ])
        let reply = try api.send(.post, home(run), headers: headers, body: body)
        #expect(reply["artifacts"].array?.compactMap { $0["path"]?.string } == ["plots/a.png", "plots/b.png"])
    }

    @Test("a form without a file, without an end or without a boundary is refused")
    func wrongForms() throws {
        let api = try TestAPI()
        let run = try api.run()
        let (headers, body) = form([("name=\"path\"", "x")])
        let none = try api.send(.post, home(run), headers: headers, body: body)
        #expect(none.status == 422)
        #expect(none.error("field") == "file")
        let (_, whole) = form([("name=\"file\"; filename=\"a\"", "1")])
        #expect(try api.send(.post, home(run), headers: headers, body: whole.dropLast(8)).status == 400)
        #expect(
            try api.send(.post, home(run), headers: ["Content-Type": "multipart/form-data"], body: whole).status == 400)
        #expect(try api.get(home(run))["artifacts"] == [])
    }

    @Test("a reference is kept as it was given, and its bytes are never fetched")
    func reference() throws {
        let api = try TestAPI()
        let run = try api.run()
        let reply = try api.post(
            home(run),
            [
                "name": "spam_model", "path": "s3://models/spam/model.pkl", "type": "model", "size_bytes": 1_048_576,
                "metadata": ["framework": "scikit-learn", "model_type": "MultinomialNB"],
            ])
        #expect(reply.status == 201)
        #expect(reply["name"] == "spam_model")
        #expect(reply["uri"] == "s3://models/spam/model.pkl")
        #expect(reply["type"] == "model")
        #expect(reply["size_bytes"] == 1_048_576)
        #expect(reply["metadata"] == ["framework": "scikit-learn", "model_type": "MultinomialNB"])
        let list = try api.get(home(run))
        #expect(list["artifacts"][0]?["uri"] == "s3://models/spam/model.pkl")
        let content = try api.get(home(run) + "/spam_model")
        #expect(content.status == 409)
        #expect(content.error("message")?.contains("s3://models/spam/model.pkl") == true)
        let unnamed = try api.post(home(run), ["path": "https://host/data/train.csv?v=1"])
        #expect(unnamed["path"] == "train.csv")
        #expect(try api.post(home(run), ["name": "x"]).error("field") == "path")
        #expect(try api.post(home(run), ["path": "s3://a/b", "size_bytes": -1]).error("field") == "size_bytes")
    }

    @Test("the list is in order of path, by prefix and in pages, the newest of each path alone")
    func list() throws {
        let api = try TestAPI()
        let run = try api.run()
        for path in ["b.txt", "a/2.txt", "a/1.txt", "a/1.txt"] {
            try api.send(.put, home(run) + "/" + path, body: bytes)
        }
        func paths(_ query: String) throws -> [String] {
            (try api.get(home(run) + query)["artifacts"].array ?? []).compactMap { $0["path"]?.string }
        }
        #expect(try paths("") == ["a/1.txt", "a/2.txt", "b.txt"])
        #expect(try paths("?prefix=a/") == ["a/1.txt", "a/2.txt"])
        let first = try api.get(home(run) + "?limit=2")
        #expect(first["artifacts"].array?.count == 2)
        #expect(try paths("?limit=2&page_token=\(first["next_page_token"].string ?? "")") == ["b.txt"])
    }

    @Test("a run names as many of its artifacts as were asked for, and says how many there are")
    func someOfThem() throws {
        let api = try TestAPI()
        let run = try api.run()
        for name in ["c", "a", "b"] { _ = try api.send(.put, home(run) + "/\(name).txt", body: bytes) }
        func shown(_ question: String) throws -> (paths: [String], count: Int64?) {
            let reply = try api.get("/api/v1/runs/\(run.id)\(question)")
            return ((reply["artifacts"].array ?? []).compactMap { $0["path"]?.string }, reply["artifact_count"].int64)
        }
        #expect(try shown("") == (["a.txt", "b.txt", "c.txt"], 3))
        #expect(try shown("?artifacts=2") == (["a.txt", "b.txt"], 3))
        #expect(try shown("?artifacts=0") == ([], 3))
        #expect(try api.get("/api/v1/runs/\(run.id)?artifacts=-1").status == 422)
        #expect(try api.get("/api/v1/runs/\(run.id)?artifacts=some").status == 400)
    }

    @Test("a path or a whole folder can be deleted; what is not there has neighbours")
    func deleted() throws {
        let api = try TestAPI()
        let run = try api.run()
        for path in ["a/1.txt", "a/2.txt", "model.pkl"] { try api.send(.put, home(run) + "/" + path, body: bytes) }
        let folder = try api.get(home(run) + "/a")
        #expect(folder.status == 404)
        #expect(folder.error("message")?.contains("folder") == true)
        #expect(try api.delete(home(run) + "/a")["deleted"] == 2)
        let gone = try api.get(home(run) + "/model.pk")
        #expect(gone.status == 404)
        #expect(gone["error"]["candidates"] == ["model.pkl"])
        #expect(try api.delete(home(run) + "/a").status == 404)
    }
}

@Suite("Named artifacts over the native API") struct DataNamedArtifactTests {
    private let home = "/api/v1/projects/default/artifacts"

    /// A run with an artifact `w.bin` of this content.
    private func upload(_ api: TestAPI, _ content: String) throws -> Run {
        let run = try api.run()
        try api.send(.put, "/api/v1/runs/\(run.id)/artifacts/w.bin", body: Array(content.utf8))
        return run
    }

    private func publish(_ api: TestAPI, _ run: Run, aliases: [JSONValue] = []) throws -> Reply {
        try api.post(
            home + "/model/versions",
            ["run_id": .string(run.id.text), "path": "w.bin", "aliases": .array(aliases), "metadata": ["f1": 0.9]])
    }

    @Test("new bytes are a new version, the same bytes the same one")
    func versions() throws {
        let api = try TestAPI()
        let first = try publish(api, try upload(api, "one"))
        #expect(first.status == 201)
        #expect(first["version"] == 1)
        #expect(first["created"] == true)
        #expect(first["metadata"] == ["f1": 0.9])
        #expect(try publish(api, try upload(api, "two"))["version"] == 2)
        let again = try publish(api, try upload(api, "one"))
        #expect(again.status == 200)
        #expect(again["version"] == 1)
        #expect(again["created"] == false)
        let list = try api.get(home + "/model/versions")
        #expect(list["versions"].array?.compactMap { $0["version"]?.int64 } == [1, 2])
        #expect(try api.get(home)["artifacts"][0]?["version_count"] == 2)
    }

    @Test("an alias stands for a version wherever a number does, and moves")
    func aliases() throws {
        let api = try TestAPI()
        _ = try publish(api, try upload(api, "one"), aliases: ["production"])
        _ = try publish(api, try upload(api, "two"))
        #expect(try api.get(home + "/model/versions/production")["version"] == 1)
        #expect(try api.get(home + "/model/versions/latest")["version"] == 2)
        #expect(try api.get(home + "/model/versions/v1")["aliases"] == ["production"])
        let moved = try api.put(home + "/model/aliases/production", ["version": 2])
        #expect(moved["aliases"] == ["latest": 2, "production": 2])
        #expect(try api.get(home + "/model/versions/production/content").text == "two")
        #expect(try api.delete(home + "/model/aliases/production")["aliases"] == ["latest": 2])
        #expect(try api.get(home + "/model/versions/production").status == 404)
    }

    @Test("a version is published from stored bytes by their digest")
    func byDigest() throws {
        let api = try TestAPI()
        _ = try upload(api, "one")
        let digest = SHA256.digest(of: Array("one".utf8)).text
        #expect(try api.post(home + "/model/versions", ["sha256": .string(digest)])["size_bytes"] == 3)
        let unknown = try api.post(
            home + "/model/versions", ["sha256": .string(String(repeating: "a", count: 64))])
        #expect(unknown.status == 422)
        #expect(unknown.error("field") == "sha256")
    }

    @Test(
        "what cannot be published or named is refused with its field",
        arguments: [
            ("/model/versions", "{}", 422, "sha256"),
            ("/model/versions", #"{"sha256":"abc"}"#, 422, "sha256"),
            ("/model/versions", #"{"run_id":"run_01","path":"other.bin"}"#, 404, "path"),
            ("/model/versions", #"{"run_id":"run_01","path":"w.bin","aliases":["3"]}"#, 422, "alias"),
            ("/model/versions", #"{"run_id":"run_01","path":"w.bin","aliases":["latest"]}"#, 422, "alias"),
            ("/model/versions", #"{"run_id":"run_01","path":"w.bin","aliases":"x"}"#, 422, "aliases"),
        ])
    func wrong(_ path: String, _ body: String, _ status: Int, _ field: String) throws {
        let api = try TestAPI()
        _ = try upload(api, "one")
        let reply = try api.post(home + path, text: body)
        #expect(reply.status == status)
        #expect(reply.error("field") == field)
        #expect(try api.get(home)["artifacts"] == [])
    }

    @Test("an unknown name or version answers 404 with the nearest")
    func unknown() throws {
        let api = try TestAPI()
        _ = try publish(api, try upload(api, "one"), aliases: ["production"])
        #expect(try api.get(home + "/modle")["error"]["candidates"] == ["model"])
        #expect(try api.get(home + "/model/versions/producton")["error"]["candidates"] == ["production"])
        #expect(try api.get(home + "/model/versions/7").status == 404)
        #expect(try api.put(home + "/model/aliases/x", ["version": 7]).status == 404)
    }
}
