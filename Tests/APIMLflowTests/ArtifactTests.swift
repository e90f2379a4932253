import Glibc
import MartletAPIMLflow
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@Suite("Artifacts go through the server, and nothing else does") struct ArtifactTests {
    private static let proxy = "/api/2.0/mlflow-artifacts/artifacts"

    @Test("what a client uploads for a run is the run's artifact, and the other way round")
    func oneStore() throws {
        let mlflow = try TestMLflow()
        let run = try mlflow.run()
        #expect(try mlflow.upload("\(Self.proxy)/0/\(run)/artifacts/in/a.txt", Array("hello".utf8)).status == 200)
        #expect(try mlflow.upload("\(Self.proxy)/0/\(run)/artifacts/empty.bin", []).status == 200)
        let id = try #require(RunID(run))
        let view = try #require(try mlflow.view(of: id))
        #expect(view.artifacts.map(\.path) == ["empty.bin", "in/a.txt"])
        let listed = try mlflow.get("artifacts/list?run_id=\(run)").json["files"]?.array ?? []
        #expect(listed.map { $0["path"]?.string } == ["empty.bin", "in"])
        #expect(listed.map { $0["is_dir"]?.bool } == [false, true])
        #expect(listed[0]["file_size"] == nil)
        let inside = try mlflow.get("artifacts/list?run_id=\(run)&path=in").json["files"]?[0]
        #expect(inside?["path"]?.string == "in/a.txt")
        #expect(inside?["file_size"]?.int64 == 5)
        let byProxy = try mlflow.get("\(Self.proxy)?path=0/\(run)/artifacts/in").json["files"]?[0]
        #expect(byProxy?["path"]?.string == "a.txt")
    }

    @Test("files of models and traces are kept beside runs, and folders of them are listed and removed")
    func otherFiles() throws {
        let mlflow = try TestMLflow()
        for path in [
            "0/models/m-1/artifacts/MLmodel", "0/models/m-1/artifacts/data/x.bin", "0/traces/t/artifacts/traces.json",
        ] {
            #expect(try mlflow.upload("\(Self.proxy)/\(path)", Array(path.utf8)).status == 200)
        }
        func names(_ path: String) throws -> [String] {
            (try mlflow.get("\(Self.proxy)?path=\(path)").json["files"]?.array ?? []).compactMap { $0["path"]?.string }
        }
        #expect(try names("0/models/m-1/artifacts") == ["MLmodel", "data"])
        #expect(try mlflow.send(.delete, "\(Self.proxy)/0/models/m-1/artifacts").status == 200)
        #expect(try names("0/models/m-1/artifacts").isEmpty)
        #expect(try names("0/traces/t/artifacts") == ["traces.json"])
        #expect(try mlflow.send(.delete, "\(Self.proxy)/0/nothing").status == 200)
    }

    @Test(
        "a path that climbs, or is another machine's, is refused wherever it is sent",
        arguments: [
            "../x", "a/../../x", "%2e%2e/x", "%252e%252e%252fx", "/etc/passwd", "..\\x", "C:\\x", "a#b",
            "file:///etc/passwd",
        ])
    func wrongPaths(_ path: String) throws {
        let mlflow = try TestMLflow()
        let run = try mlflow.run()
        let escaped = path.utf8.map { byte in
            let isPlain = (48...57).contains(byte) || (97...122).contains(byte | 0x20) || byte == UInt8(ascii: ".")
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
        for target in [
            "artifacts/list?run_id=\(run)&path=\(escaped)", "/get-artifact?run_id=\(run)&path=\(escaped)",
            "\(Self.proxy)?path=\(escaped)",
        ] {
            let answer = try mlflow.get(target)
            #expect(answer.status == 400, "\(target): \(answer.text)")
            #expect(answer.json["files"] == nil)
        }
    }

    @Test(
        "a location that a client names is never opened, by a listing, a download or an upload",
        arguments: [
            "file:///etc", "/etc", "file://localhost/etc", "s3://bucket/x",
        ])
    func noDisclosure(_ location: String) throws {
        let mlflow = try TestMLflow()
        let made = try mlflow.post("experiments/create", ["name": "e", "artifact_location": .string(location)])
        let home = try #require(made.json["experiment_id"]?.string)
        let run = try mlflow.run(in: home)
        for target in [
            "artifacts/list?run_id=\(run)", "/get-artifact?run_id=\(run)&path=passwd",
            "/get-artifact?run_id=\(run)&path=hostname",
        ] {
            let answer = try mlflow.get(target)
            #expect(answer.status >= 400 && answer.status < 500, "\(target): \(answer.text)")
            #expect(!answer.text.contains("root:"))
            #expect(answer.json["files"] == nil)
        }
        // The same by way of a version whose source is such a place.
        try mlflow.post("registered-models/create", ["name": "m"])
        let version = try mlflow.post("model-versions/create", ["name": "m", "source": .string(location)])
        #expect(location.hasPrefix("s3") || version.status == 400, "\(version.text)")
        let content = try mlflow.get("/model-versions/get-artifact?name=m&version=1&path=passwd")
        #expect(content.status >= 400 && !content.text.contains("root:"))
    }

    @Test("a link inside the operator's folder that leads out of it is not followed")
    func linksLeadNowhere() throws {
        var template = Array("/tmp/martlet-root-XXXXXX".utf8CString)
        #expect(mkdtemp(&template) != nil)
        let root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            for name in ["0/out", "0/passwd"] { unlink("\(root)/\(name)") }
            rmdir("\(root)/0")
            rmdir(root)
        }
        mkdir("\(root)/0", 0o755)
        #expect(symlink("/etc", "\(root)/0/out") == 0)
        #expect(symlink("/etc/passwd", "\(root)/0/passwd") == 0)
        let settings = try ArtifactSettings(destination: root).opened()
        let mlflow = try TestMLflow(artifacts: settings)
        for path in ["0/out/passwd", "0/passwd"] {
            let answer = try mlflow.get("\(Self.proxy)/\(path)")
            #expect(answer.status >= 400 && !answer.text.contains("root:"), "\(path): \(answer.status)")
            let upload = try mlflow.upload("\(Self.proxy)/\(path)x", Array("x".utf8))
            #expect(path == "0/passwd" || upload.status >= 400, "\(path): \(upload.text)")
        }
        #expect(access("/etc/passwdx", F_OK) != 0)
        unlink("\(root)/0/passwdx")
    }

    @Test(
        "an image of a step becomes a point of its series",
        arguments: [
            "eye+step+7+timestamp+100+abc.png", "eye%25step%257%25timestamp%251700000000000%25a3f.png",
            "eye%25step%257%25timestamp%25100%25ff00.webp",
        ])
    func images(_ name: String) throws {
        let mlflow = try TestMLflow()
        let run = try mlflow.run()
        let answer = try mlflow.upload("\(Self.proxy)/0/\(run)/artifacts/images/\(name)", [1, 2, 3])
        #expect(answer.status == 200, "\(answer.text)")
        let id = try #require(RunID(run))
        let points = try mlflow.rich(of: id)
        #expect(points.map(\.key) == ["eye"] && points.map(\.step) == [7] && points.map(\.kind) == ["image"])
    }
}

extension TestMLflow {
    /// A file as the whole body of a PUT.
    func upload(_ target: String, _ bytes: [UInt8]) throws -> Answer {
        var headers: Headers = ["Content-Type": "application/octet-stream"]
        headers["Content-Length"] = "\(bytes.count)"
        return try send(.put, target, headers: headers, body: bytes)
    }

    func rich(of id: RunID) throws -> [RichPoint] {
        try engine.read { (reader: any StoreReader) throws(Refusal) in
            guard let run = try reader.run(id) else { return [] }
            return try reader.rich(run.key, key: nil, from: .min, to: .max, limit: 100)
        }
    }
}
