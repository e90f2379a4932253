import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Files of a run: uploads that pass through in constant memory, references to files elsewhere, and the way out again.
extension NativeAPI {
    static let artifactRoutes: [Route] = [
        Route(
            .put, "/api/v1/runs/{run}/artifacts/{path…}", "Upload an artifact",
            .upload { exchange in ArtifactUpload(exchange) },
            RouteDoc(
                "artifacts",
                query: [
                    .query(
                        "type", "What it is: model, plot, data, report, text, code, file. By its name when left out."),
                    .init(
                        name: "X-Content-SHA256", place: "header",
                        description: "The SHA-256 of the bytes in hex; an upload with other bytes is refused.",
                        schema: ["type": "string", "pattern": "^[0-9a-fA-F]{64}$"]),
                ],
                answers: [(201, "The artifact. Its bytes are on disk.", "Artifact")],
                failures: [400, 404, 409, 422, 507]
            ).taking("application/octet-stream", "Bytes")),
        Route(
            .post, "/api/v1/runs/{run}/artifacts", "Upload a form's files, or register an artifact by reference",
            .head { exchange in
                if exchange.request.contentType?.type == "multipart" {
                    return Handler.upload { exchange in FormUpload(exchange) }.plan(exchange)
                }
                return Handler.change { exchange, bytes throws(Refusal) in try register(exchange, bytes) }
                    .plan(exchange)
            },
            RouteDoc(
                "artifacts", body: "ArtifactReference",
                answers: [(201, "The artifact, or a list of them when the form had several files.", "Artifact")],
                failures: [400, 404, 409, 413, 415, 422, 507], once: true
            ).taking("multipart/form-data", "ArtifactForm")),
        Route(
            .get, "/api/v1/runs/{run}/artifacts", "List a run's artifacts",
            .read { exchange throws(Refusal) in try listArtifacts(exchange) },
            RouteDoc(
                "artifacts",
                query: [.query("prefix", "Only paths that begin with this."), .limit, .pageToken],
                answers: [(200, "The newest artifact at each path, in order of path.", "ArtifactList")],
                failures: [400, 404, 409, 422])),
        Route(
            .get, "/api/v1/runs/{run}/artifacts/{path…}", "Download an artifact",
            .read { exchange throws(Refusal) in try download(exchange) },
            RouteDoc(
                "artifacts",
                query: [
                    .query("download", "Save it, even where a browser could show it.", ["type": "boolean"]),
                    .query(
                        "frame", "An HTML page for a frame: it may run, without an origin and without a network.",
                        ["type": "boolean"]),
                    .init(
                        name: "Range", place: "header", description: "One range of bytes.",
                        schema: ["type": "string"]),
                ],
                answers: [
                    (200, "The bytes; the ETag is their SHA-256.", nil), (206, "The range that was asked for.", nil),
                    (304, "The client has these bytes.", nil),
                ], failures: [404, 409, 416]
            ).answering("*/*", "Bytes")),
        Route(
            .delete, "/api/v1/runs/{run}/artifacts/{path…}", "Delete an artifact, or a folder of them",
            .change { exchange, bytes throws(Refusal) in try deleteArtifacts(exchange, bytes) },
            RouteDoc(
                "artifacts", isBodyRequired: false, answers: [(200, "How many were deleted.", "DeletedArtifacts")],
                failures: [404, 409, 422])),
    ]

    // MARK: By reference

    /// `{name, path: "s3://…", type, size_bytes, metadata}`: no byte moves, and the server opens nothing.
    private static func register(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        let given = try fields.text("path")
        let name = try fields.text("name")
        guard let location = try fields.text("uri") ?? given, !location.isEmpty else {
            throw Refusal(
                .invalid, "The reference does not say where the artifact is.",
                remedy:
                    "Send “path” (or “uri”) with its location, such as s3://bucket/model.pkl; to upload bytes, PUT them.",
                field: "path")
        }
        let place = name ?? (fields.has("uri") ? given : nil) ?? lastPart(of: location)
        let size = try fields.integer("size_bytes", or: "size") ?? 0
        guard size >= 0 else {
            throw Refusal(
                .invalid, "The size \(size) is negative.", remedy: "Send the size in bytes.", field: "size_bytes")
        }
        guard location.utf8.count <= 4096, !location.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw Refusal(
                .invalid, "The location is longer than 4,096 bytes or holds a control character.",
                remedy: "Send a plain address.", field: "path")
        }
        var digest: Digest?
        if let text = try fields.text("sha256") {
            guard let read = Digest(text) else { throw fields.wrongDigest(text, field: "sha256") }
            digest = read
        }
        let metadata = try fields.document("metadata")
        let type = try fields.text("type") ?? ""
        let known = digest
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let run = try exchange.writableRun(ledger, by: caller)
            let artifact = try ledger.addArtifact(
                Artifact(
                    id: 0, run: run.key, path: place, digest: known, uri: location, type: type, size: size,
                    metadata: metadata, at: ledger.now))
            return Answer(status: 201, body: try encoded { $0.artifact(artifact) })
        }
    }

    /// `s3://bucket/models/model.pkl?versionId=3` is kept under `model.pkl`.
    private static func lastPart(of location: String) -> String {
        let path = location.prefix { $0 != "?" && $0 != "#" }
        return String(path.split { $0 == "/" || $0 == "\\" }.last ?? "artifact")
    }

    // MARK: Out again

    private static func listArtifacts(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let prefix = exchange.query("prefix") ?? ""
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let run = try exchange.readableRun(reader, by: caller)
            let page = try exchange.page(
                try reader.shownArtifacts(of: run).filter { $0.path.hasPrefix(prefix) }, key: \.path)
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        writer.member("run_id", run.id.text)
                        writer.array("artifacts") { writer in
                            for artifact in page.rows { writer.artifact(artifact) }
                        }
                        writer.nextPage(page.next)
                    }
                })
        }
    }

    private static func download(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let artifact = try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let run = try exchange.readableRun(reader, by: caller)
            let path = try ArtifactPath.clean(exchange["path"])
            if let found = try reader.artifact(of: run.key, path: path) { return found }
            throw Refusal.artifactNotFound(path, of: run, among: try reader.shownArtifacts(of: run).map(\.path))
        }
        guard artifact.uri.isEmpty, let digest = artifact.digest else {
            throw Refusal(
                .conflict, "The bytes of “\(artifact.path)” are not in this store but at \(artifact.uri).",
                remedy: "Fetch them from there; this server opens no address that a client has named.", field: "path",
                candidates: [artifact.uri])
        }
        return try content(digest, name: artifact.path, exchange)
    }

    /// The bytes of a blob, in the headers that keep them from running in a browser.
    static func content(_ digest: Digest, name: String, _ exchange: Exchange) throws(Refusal) -> Response {
        let (isSaved, isFramed) = (try exchange.switchedOn("download"), try exchange.switchedOn("frame"))
        let file = try exchange.api.blobs.open(digest)
        let rules = ContentRules(name: name)
        let tag = EntityTag(digest.text)
        var response: Response
        if let descriptor = try file.duplicateDescriptor() {
            response = .file(
                OpenFile(owning: descriptor), length: Int(file.size), contentType: rules.type, tag: tag,
                request: exchange.request)
        } else {
            response = BlobChunks.response(file, rules.type, tag, exchange.request)
        }
        if response.status == .rangeNotSatisfiable {
            var refused = Response.failure(
                HTTPError(
                    .rangeNotSatisfiable, "range_not_satisfiable",
                    "The range lies outside of the \(file.size) bytes of “\(name.prefix(100))”.",
                    remedy: "Ask for bytes that are there, or for the whole."), requestID: exchange.request.id)
            refused.headers["Content-Range"] = response.headers["Content-Range"]
            return refused
        }
        guard response.status.isSuccess else { return response }
        for (name, value) in rules.headers(download: isSaved, framed: isFramed) { response.headers[name] = value }
        return response
    }

    private static func deleteArtifacts(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let run = try exchange.writableRun(ledger, by: caller, .exact)
            let count = try ledger.deleteArtifacts(of: run.key, path: exchange["path"])
            return Answer(
                body: try encoded { writer in
                    writer.object { writer in
                        writer.member("run_id", run.id.text)
                        writer.member("deleted", count)
                    }
                })
        }
    }
}

extension StoreReader {
    /// The newest artifact at each path that is not deleted, in order of path.
    func shownArtifacts(of run: Run) throws(Refusal) -> [Artifact] {
        var newest: [String: Artifact] = [:]
        for artifact in try artifacts(of: run.key) where artifact.life == .active { newest[artifact.path] = artifact }
        return newest.values.sorted { $0.path < $1.path }
    }
}

extension Refusal {
    static func artifactNotFound(_ path: String, of run: Run, among paths: [String]) -> Refusal {
        let inside = paths.filter { $0.hasPrefix(path + "/") }
        if !inside.isEmpty {
            return Refusal(
                .notFound, "“\(path.prefix(100))” is a folder of \(inside.count) artifacts, not a file.",
                remedy: "List it with GET /api/v1/runs/\(run.id)/artifacts?prefix=\(path.prefix(100))/.",
                field: "path", candidates: Array(inside.prefix(10)))
        }
        let near = Nearness.nearest(to: path, among: paths)
        let hint = near.isEmpty ? "" : " Did you mean \(near.map { "“\($0)”" }.joined(separator: ", "))?"
        return Refusal(
            .notFound, "Run \(run.shortID) has no artifact “\(path.prefix(100))”.\(hint)",
            remedy: "List them with GET /api/v1/runs/\(run.id)/artifacts.", field: "path", candidates: near)
    }
}

extension Fields {
    func integer(_ name: String, or other: String) throws(Refusal) -> Int64? {
        let value = try integer(name)
        let same = try integer(other)
        return value ?? same
    }

    /// A member that is kept as JSON text; an empty object where it is left out.
    func document(_ name: String) throws(Refusal) -> String {
        guard let value = self[name] else { return "{}" }
        let bytes = try encoded { $0.value(value) }
        guard bytes.count <= 1 << 20 else {
            throw Refusal(
                .limit, "“\(name)” has \(bytes.count) bytes; the limit is \(1 << 20).",
                remedy: "Upload it as an artifact of its own.", field: name)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func wrongDigest(_ text: String, field: String) -> Refusal { Refusal.wrongDigest(text, field: field) }
}

extension Refusal {
    static func wrongDigest(_ text: String, field: String) -> Refusal {
        Refusal(
            .invalid, "“\(text.prefix(70))” is no SHA-256.", remedy: "Send 64 hex digits, as sha256sum prints them.",
            field: field)
    }
}

/// A blob that no local file stands behind, read piece by piece.
final class BlobChunks: ChunkSource {
    private let file: any BlobFile
    private let end: Int64
    /// Only the one thread that asks for the next piece comes here.
    private nonisolated(unsafe) var at: Int64

    init(_ file: any BlobFile, _ range: Range<Int>) {
        (self.file, at, end) = (file, Int64(range.lowerBound), Int64(range.upperBound))
    }

    func next() throws -> [UInt8]? {
        guard at < end else { return nil }
        let piece = try file.read(at..<min(end, at + 256 * 1024))
        guard !piece.isEmpty else {
            throw Refusal(
                .damaged, "A stored file is shorter than it was.", remedy: "Run `martlet fsck` on the store.")
        }
        at += Int64(piece.count)
        return piece
    }

    static func response(_ file: any BlobFile, _ type: String, _ tag: EntityTag, _ request: Request) -> Response {
        var headers: Headers = ["Content-Type": type, "Accept-Ranges": "bytes", "ETag": tag.header]
        let held = request.headers.all("if-none-match")
        if !held.isEmpty, tag.isNamed(byIfNoneMatch: held) { return Response(.notModified, headers: headers) }
        let length = Int(file.size)
        switch ByteRange(request, length: length, tag: tag) {
        case .whole:
            return Response(.ok, headers: headers, body: .pull(BlobChunks(file, 0..<length), length: length))
        case .part(let part):
            headers["Content-Range"] = ByteRange.contentRange(part, of: length)
            return Response(
                .partialContent, headers: headers, body: .pull(BlobChunks(file, part), length: part.count))
        case .unsatisfiable:
            return Response(.rangeNotSatisfiable, headers: ["Content-Range": "bytes */\(length)"])
        }
    }
}
