import Glibc
import MartletClient
import MartletDomain
import MartletForeign
import MartletHTTPClient
import MartletHTTPMessages
import MartletJSON

/// Moves the files of another store's runs and models into this one.
struct ArtifactTransfer {
    let source: any MLflowStore
    let backend: any Backend

    private static let proxy = "/api/2.0/mlflow-artifacts/artifacts"

    /// The path behind this server's own scheme; nil for another place.
    private func proxied(_ location: String) -> String? {
        guard location.hasPrefix("mlflow-artifacts:") else { return nil }
        return String(location.dropFirst("mlflow-artifacts:".count).drop { $0 == "/" })
    }

    /// The sizes of the files that are here, by path.
    func known(at target: String) throws -> [String: Int64] {
        guard let root = proxied(target) else { return [:] }
        var known: [String: Int64] = [:]
        var waiting = [""]
        while let folder = waiting.popLast() {
            let path = folder.isEmpty ? root : "\(root)/\(folder)"
            let answer = try backend.patiently(
                ClientRequest(.get, "\(ArtifactTransfer.proxy)?path=\(PercentCoding.encode(path))"))
            for file in (try? JSONValue(parsing: answer.body))?["files"]?.array ?? [] {
                let name = file["path"]?.string?.split(separator: "/").last.map(String.init) ?? ""
                let inner = folder.isEmpty ? name : "\(folder)/\(name)"
                if file["is_dir"]?.bool == true {
                    waiting.append(inner)
                } else {
                    known[inner] = file["file_size"]?.int64 ?? file["file_size"]?.string.flatMap { Int64($0) } ?? -1
                }
            }
        }
        return known
    }

    /// Nil when it is here; else why it is not.
    func copy(_ file: ForeignFile, to target: String) throws -> String? {
        guard let root = proxied(target) else { return "this server keeps no files at \(target)" }
        var path: String
        var fetched: String?
        defer { if let fetched { unlink(fetched) } }
        switch file.place {
        case .path(let here): path = here
        case .address(let address):
            path = try ArtifactTransfer.scratch()
            fetched = path
            do throws(Refusal) { try source.fetch(address, to: path) } catch { return "\(file.path): \(error.message)" }
        }
        let escaped = "\(root)/\(file.path)".split(separator: "/").map { PercentCoding.encode(String($0)) }
        let answer = try backend.patiently(
            ClientRequest(
                .put, "\(ArtifactTransfer.proxy)/\(escaped.joined(separator: "/"))",
                headers: ["Content-Type": "application/octet-stream"], body: .file(path: path)))
        guard !answer.status.isSuccess else { return nil }
        let why = (try? JSONValue(parsing: answer.body))?["message"]?.string ?? "status \(answer.status.code)"
        return "\(file.path): \(why)"
    }

    /// Names a file that stays where it is.
    func refer(to file: ForeignFile, of run: String) throws -> String? {
        guard case .path(let path) = file.place else { return nil }
        let body: JSONValue = [
            "path": .string(file.path), "uri": .string("file://\(path)"), "size_bytes": .int(file.size),
        ]
        var request = ClientRequest(.post, API.target(["runs", run, "artifacts"]))
        request.headers["Content-Type"] = "application/json"
        request.body = .bytes(Array(body.text.utf8))
        let answer = try backend.patiently(request)
        return answer.status.isSuccess ? nil : "\(file.path): \(CommandFailure(answer, from: backend.place).message)"
    }

    private static func scratch() throws(CommandFailure) -> String {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(folder)/martlet-import-XXXXXX".utf8CString)
        let file = template.withUnsafeMutableBufferPointer { mkstemp($0.baseAddress!) }
        guard file >= 0 else { throw Disk.failure("write", folder) }
        close(file)
        return template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }
}
