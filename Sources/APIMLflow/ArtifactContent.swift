import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletStorage

/// The bytes of an artifact on their way out, with the headers that MLflow's clients and its web pages look at.
struct ArtifactContent {
    var file: any BlobFile
    var name: String
    var tag: EntityTag

    /// What lies at a target, or MLflow's word why nothing is sent.
    init(_ target: ArtifactTarget, shown: String, _ call: Call, _ reader: any StoreReader) throws(Refusal) {
        let blobs = call.api.blobs
        switch target.place {
        case .folder(let root, let path):
            guard let roots = call.api.places.settings.roots, !path.isEmpty else { throw .isFolder(shown) }
            do throws(Refusal) {
                let found = try roots.open(path, beneath: root)
                (file, name) = (found, path)
                tag = EntityTag("\(found.modified.micros)-\(found.size)")
            } catch {
                switch error.code {
                case .invalid: throw .isFolder(shown)
                case .notFound:
                    guard let digest = try ArtifactContent.stored(target, shown, reader) else {
                        throw .noArtifact(shown)
                    }
                    (file, name, tag) = (try blobs.open(digest), shown, EntityTag(digest.text))
                default: throw error
                }
            }
        case .run, .shelf:
            guard let digest = try ArtifactContent.stored(target, shown, reader) else { throw .noArtifact(shown) }
            (file, name, tag) = (try blobs.open(digest), shown, EntityTag(digest.text))
        }
    }

    private static func stored(
        _ target: ArtifactTarget, _ shown: String, _ reader: any StoreReader
    ) throws(Refusal) -> Digest? {
        if let run = target.run {
            if !target.inRun.isEmpty, let artifact = try reader.artifact(of: run.key, path: target.inRun) {
                if case .folder = target.place, !artifact.uri.isEmpty { return nil }
                guard artifact.uri.isEmpty, let digest = artifact.digest else { throw .clientsOwn(artifact.uri) }
                return digest
            }
            if try reader.hasArtifacts(of: run, in: target.inRun) { throw .isFolder(shown) }
        }
        guard case .shelf = target.place else { return nil }
        if !target.path.isEmpty, let file = try reader.file(at: target.path, in: target.project) { return file.digest }
        if try !reader.files(in: target.path, of: target.project, limit: 1).isEmpty { throw .isFolder(shown) }
        return nil
    }

    func response(_ request: Request) throws(Refusal) -> Response {
        let rules = ContentRules(name: name)
        let type = ArtifactContent.type(of: name) ?? String(rules.type.prefix { $0 != ";" })
        guard let descriptor = try file.duplicateDescriptor() else {
            throw Refusal(.unsupported, "These bytes are in no local file.", remedy: "Fetch them by /api/v1.")
        }
        var response = Response.file(
            OpenFile(owning: descriptor), length: Int(file.size), contentType: type, tag: tag, request: request)
        guard response.status.isSuccess else { return response }
        for (name, value) in rules.headers(download: true) { response.headers[name] = value }
        // Without quotes where none are needed: MLflow's web page and its tests read it so.
        let isToken = rules.name.utf8.allSatisfy { byte in
            byte > 0x20 && byte < 0x7F && !"()<>@,;:\\\"/[]?={}%".utf8.contains(byte)
        }
        if isToken { response.headers["Content-Disposition"] = "attachment; filename=\(rules.name)" }
        response.headers["Content-Type"] = type
        response.headers["Last-Modified"] = HTTPDate.format(unixSeconds: Int(file.modified.micros / 1_000_000))
        return response
    }

    private static let textEndings: Set<Substring> = [
        "txt", "log", "err", "cfg", "conf", "cnf", "cf", "ini", "properties", "prop", "hocon", "toml", "yaml", "yml",
        "xml", "json", "js", "py", "py3", "csv", "tsv", "md", "rst",
    ]

    /// MLflow calls plain text whatever its web pages show as text.
    private static func type(of path: String) -> String? {
        let name = path.split(separator: "/").last ?? ""
        if name == "MLmodel" || name == "mlproject" { return "text/plain" }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count > 1 && textEndings.contains(parts[parts.count - 1]) ? "text/plain" : nil
    }
}
