import MartletAPIMLflow
import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@Suite("Signed addresses and uploads in parts") struct SignedTransferTests {
    private static let artifacts = "/api/2.0/mlflow-artifacts"
    private let host: Headers = ["Host": "tracker.example:8003"]

    private func with(_ key: String, _ mlflow: TestMLflow) -> Headers {
        ["Host": "tracker.example:8003", "Authorization": "Bearer \(key)"]
    }

    /// What follows the host in an address.
    private func target(_ url: String?) throws -> String {
        let url = try #require(url)
        #expect(url.hasPrefix("http://tracker.example:8003/api/2.0/mlflow-artifacts/signed/"))
        return String(url.dropFirst("http://tracker.example:8003".count))
    }

    private func put(_ mlflow: TestMLflow, _ target: String, _ bytes: [UInt8]) throws -> Answer {
        try mlflow.send(.put, target, headers: ["Content-Type": "application/octet-stream"], body: bytes)
    }

    /// Begins an upload and sends its parts; gives what `complete` wants.
    private func begun(
        _ mlflow: TestMLflow, _ folder: String, _ name: String, _ pieces: [[UInt8]]
    ) throws -> (upload: String, parts: [JSONValue]) {
        let made = try mlflow.post(
            "\(Self.artifacts)/mpu/create/\(folder)", ["path": .string(name), "num_parts": .int(Int64(pieces.count))],
            headers: host)
        let credentials = try #require(made.json["credentials"]?.array)
        #expect(credentials.map { $0["part_number"]?.int64 } == (1...pieces.count).map { Int64($0) })
        var parts: [JSONValue] = []
        for (piece, credential) in zip(pieces, credentials) {
            let url = credential["url"]?.string
            let sent = try put(mlflow, try target(url), piece)
            #expect(sent.status == 200, "\(sent.text)")
            let tag = try #require(sent.headers["etag"])
            parts.append([
                "part_number": credential["part_number"] ?? .null, "etag": .string(tag), "url": .string(url ?? ""),
            ])
        }
        return (try #require(made.json["upload_id"]?.string), parts)
    }

    private func complete(
        _ mlflow: TestMLflow, _ folder: String, _ name: String, _ upload: String, _ parts: [JSONValue]
    ) throws -> Answer {
        try mlflow.post(
            "\(Self.artifacts)/mpu/complete/\(folder)",
            ["path": .string(name), "upload_id": .string(upload), "parts": .array(parts)])
    }

    @Test("parts become one artifact of the run, whose name is the last step of what the client called it")
    func parts() throws {
        let mlflow = try TestMLflow()
        let run = try mlflow.run()
        let folder = "0/\(run)/artifacts/models"
        let pieces = [[UInt8](repeating: 1, count: 3000), [UInt8](repeating: 2, count: 3000), [3]]
        let (upload, parts) = try begun(mlflow, folder, "/home/me/big.bin", pieces)
        #expect(try complete(mlflow, folder, "/home/me/big.bin", upload, parts.reversed()).text == "{}")
        let listed = try mlflow.get("artifacts/list?run_id=\(run)&path=models").json["files"]?[0]
        #expect(listed?["path"]?.string == "models/big.bin" && listed?["file_size"]?.int64 == 6001)
        let id = try #require(RunID(run))
        let view = try #require(try mlflow.view(of: id))
        #expect(view.artifacts.map(\.digest) == [SHA256.digest(of: pieces.flatMap { $0 })])
        // It is over: neither again, nor with one more part.
        #expect(try complete(mlflow, folder, "big.bin", upload, parts).status == 404)
        #expect(try put(mlflow, try target(parts[0]["url"]?.string), [1]).status == 404)
    }

    @Test("parts that were sent for one file are not put together as another, and an upload that is given up is gone")
    func bound() throws {
        let mlflow = try TestMLflow()
        let run = try mlflow.run()
        let folder = "0/\(run)/artifacts"
        let (upload, parts) = try begun(mlflow, folder, "a.bin", [[1], [2]])
        #expect(try complete(mlflow, folder, "b.bin", upload, parts).status == 404)
        #expect(try complete(mlflow, folder, "a.bin", String(upload.dropLast()) + "x", parts).status == 404)
        var wrong = try #require(parts[0].object)
        wrong["etag"] = "\"0000\""
        #expect(try complete(mlflow, folder, "a.bin", upload, [.object(wrong), parts[1]]).status == 400)
        #expect(try complete(mlflow, folder, "a.bin", upload, []).status == 400)
        let body: JSONValue = ["path": "a.bin", "upload_id": .string(upload)]
        #expect(try mlflow.post("\(Self.artifacts)/mpu/abort/\(folder)", body).text == "{}")
        #expect(try mlflow.post("\(Self.artifacts)/mpu/abort/\(folder)", body).text == "{}")
        #expect(try complete(mlflow, folder, "a.bin", upload, parts).status == 404)
        for count: JSONValue in [0, 10_001] {
            let asked: JSONValue = ["path": "a.bin", "num_parts": count]
            #expect(try mlflow.post("\(Self.artifacts)/mpu/create/\(folder)", asked, headers: host).status == 400)
        }
        #expect(
            try mlflow.post("\(Self.artifacts)/mpu/create/\(folder)", ["path": "..", "num_parts": 1]).status == 400)
    }

    @Test("an address does what it was signed for, and nothing else")
    func forgery() throws {
        let mlflow = try TestMLflow()
        let run = try mlflow.run()
        let path = "0/\(run)/artifacts/a.txt"
        #expect(try put(mlflow, "\(Self.artifacts)/artifacts/\(path)", Array("hello".utf8)).status == 200)
        let given = try mlflow.get("\(Self.artifacts)/presigned/\(path)", headers: host)
        #expect(given.json["file_size"]?.int64 == 5 && given.json["headers"]?.object?.members.isEmpty == true)
        let good = try target(given.json["url"]?.string)
        #expect(try mlflow.get(good).status == 200)
        let part = try mlflow.get(good, headers: ["Range": "bytes=1-2"])
        #expect(part.status == 206 && part.headers["content-range"] == "bytes 1-2/5")
        let wrong = [
            good.replacing("a.txt", with: "b.txt"), good.replacing("by=local", with: "by=admin"),
            good.replacing("expires=1", with: "expires=2"), String(good.dropLast()),
            good.replacing("signature=", with: "signature=0"), String(good.prefix { $0 != "?" }),
            good.replacing("/artifacts/0", with: "/parts/0"),
        ]
        for target in wrong {
            let answer = try mlflow.get(target)
            #expect(answer.status == 403 || answer.status == 404 || answer.status == 405, "\(target): \(answer.status)")
        }
        // One that reads does not write.
        #expect(try put(mlflow, good, [1]).status == 403)
        #expect(try mlflow.get("\(Self.artifacts)/presigned/0/\(run)/artifacts/none.txt", headers: host).status == 404)
        #expect(try mlflow.get("\(Self.artifacts)/presigned/0/\(run)/artifacts", headers: host).status == 400)
        mlflow.clock.pass(seconds: 301)
        let late = try mlflow.get(good)
        #expect(late.status == 403 && late.message.contains("a moment that is over"))
    }

    @Test("a file of a run or of a logged model is put and fetched by addresses that say for how long")
    func ofRuns() throws {
        let mlflow = try TestMLflow()
        let run = try mlflow.run()
        let body: JSONValue = ["run_id": .string(run), "path": "in/a.txt", "expiration": 60]
        let up = try mlflow.post("artifacts/presigned-upload-url", body, headers: host)
        let place = try target(up.json["presigned_url"]?.string)
        #expect(try mlflow.get(place).status == 403)
        #expect(try put(mlflow, place, Array("hello".utf8)).status == 200)
        let down = try mlflow.post("artifacts/presigned-download-url", body, headers: host)
        #expect(down.json["file_size"]?.int64 == 5)
        #expect(try mlflow.get(try target(down.json["presigned_url"]?.string)).status == 200)
        mlflow.clock.pass(seconds: 61)
        #expect(try put(mlflow, place, [1]).status == 403)
        func refused(_ body: JSONValue) throws -> String {
            let answer = try mlflow.post("artifacts/presigned-upload-url", body, headers: host)
            #expect(answer.status == 400 || answer.status == 404)
            return answer.message
        }
        #expect(try refused(["path": "a"]) == "Exactly one of run_id and model_id must be provided.")
        #expect(
            try refused(["run_id": .string(run), "path": "a", "expiration": 700_000])
                == "expiration must be between 1 and 604800 seconds (got 700000).")
        #expect(try refused(["run_id": .string(run), "path": "../a"]) == "Invalid path")
        let elsewhere = try mlflow.post("experiments/create", ["name": "s3", "artifact_location": "s3://bucket/x"])
        let far = try mlflow.run(in: try #require(elsewhere.json["experiment_id"]?.string))
        #expect(try refused(["run_id": .string(far), "path": "a"]).contains("which this server does not open"))
    }

    @Test("an address is as good as the rights of who had it signed are now")
    func rights() throws {
        let mlflow = try TestMLflow(.tokens)
        let writer = with(try mlflow.user("writer", .write), mlflow)
        let reader = with(try mlflow.user("reader", .read), mlflow)
        let run = try #require(
            try mlflow.post("runs/create", ["experiment_id": "0"], headers: writer).json["run"]?["info"]?["run_id"]?
                .string)
        let body: JSONValue = ["run_id": .string(run), "path": "a.txt"]
        #expect(try mlflow.post("artifacts/presigned-upload-url", body, headers: reader).status == 403)
        let create = "\(Self.artifacts)/mpu/create/0/\(run)/artifacts"
        let asked: JSONValue = ["path": "a.bin", "num_parts": 1]
        #expect(try mlflow.post(create, asked, headers: reader).status == 403)
        #expect(try mlflow.post(create, asked, headers: host).status == 401)
        let made = try mlflow.post("artifacts/presigned-upload-url", body, headers: writer)
        let place = try target(made.json["presigned_url"]?.string)
        #expect(try put(mlflow, place, [1]).status == 200)
        _ = try mlflow.engine.putUser(.system, name: "writer", role: .read)
        #expect(try put(mlflow, place, [2]).status == 403)
    }

    @Test("behind a proxy that is trusted, addresses begin as its clients see them")
    func proxy() throws {
        var settings = PublicPlace()
        (settings.basePath, settings.trustedProxies) = ("/martlet", [""])
        let mlflow = try TestMLflow(place: settings)
        let run = try mlflow.run()
        let made = try mlflow.post(
            "artifacts/presigned-upload-url", ["run_id": .string(run), "path": "a.txt"],
            headers: [
                "Host": "127.0.0.1:8003", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "lab.example, inner",
            ])
        #expect(made.json["presigned_url"]?.string?.hasPrefix("https://lab.example/martlet/api/2.0/") == true)
    }
}
