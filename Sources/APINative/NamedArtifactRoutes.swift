import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Named artifacts of a project: a version for each content, aliases that move between versions.
extension NativeAPI {
    private static let home = "/api/v1/projects/{project}/artifacts"

    static let namedArtifactRoutes: [Route] = [
        Route(
            .get, home, "List a project's named artifacts",
            .read { exchange throws(Refusal) in try listNamed(exchange) },
            RouteDoc(
                "artifacts", query: [.limit, .pageToken],
                answers: [(200, "In order of name.", "NamedArtifactList")], failures: [400, 404, 409, 422])),
        Route(
            .get, home + "/{artifact}", "Show a named artifact",
            .read { exchange throws(Refusal) in try showNamed(exchange) },
            RouteDoc(
                "artifacts", answers: [(200, "Its versions and aliases.", "NamedArtifact")], failures: [404, 409])),
        Route(
            .get, home + "/{artifact}/versions", "List the versions of a named artifact",
            .read { exchange throws(Refusal) in try listVersions(exchange) },
            RouteDoc(
                "artifacts", answers: [(200, "Oldest first.", "ArtifactVersionList")], failures: [404, 409])),
        Route(
            .post, home + "/{artifact}/versions", "Publish a version from a run's artifact or a stored digest",
            .change { exchange, bytes throws(Refusal) in try publish(exchange, bytes) },
            RouteDoc(
                "artifacts", body: "NewArtifactVersion",
                answers: [
                    (200, "These bytes were a version already: that one.", "ArtifactVersion"),
                    (201, "A new version.", "ArtifactVersion"),
                ], failures: [400, 404, 409, 413, 415, 422], once: true)),
        Route(
            .get, home + "/{artifact}/versions/{version}", "Show a version, by number or alias",
            .read { exchange throws(Refusal) in try showVersion(exchange) },
            RouteDoc("artifacts", answers: [(200, "The version.", "ArtifactVersion")], failures: [404, 409])),
        Route(
            .get, home + "/{artifact}/versions/{version}/content", "Download a version, by number or alias",
            .read { exchange throws(Refusal) in try downloadVersion(exchange) },
            RouteDoc(
                "artifacts", query: [.query("download", "Save it, even where a browser could show it.")],
                answers: [(200, "The bytes; the ETag is their SHA-256.", nil), (206, "The range asked for.", nil)],
                failures: [404, 409, 416]
            ).answering("*/*", "Bytes")),
        Route(
            .put, home + "/{artifact}/aliases/{alias}", "Point an alias at a version",
            .change { exchange, bytes throws(Refusal) in try setAlias(exchange, bytes) },
            RouteDoc(
                "artifacts", body: "AliasTarget",
                answers: [(200, "The artifact with its aliases.", "NamedArtifact")],
                failures: [400, 404, 409, 415, 422])),
        Route(
            .delete, home + "/{artifact}/aliases/{alias}", "Take an alias away",
            .change { exchange, _ throws(Refusal) in try moveAlias(exchange, to: nil) },
            RouteDoc(
                "artifacts", isBodyRequired: false,
                answers: [(200, "The artifact with its aliases.", "NamedArtifact")], failures: [404, 409, 422])),
    ]

    private static func listNamed(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let project = try exchange.readableProject(reader, by: caller)
            let names = try exchange.page(try reader.namedArtifacts(in: project.id).sorted(), key: \.self)
            let views = try names.map { name throws(Refusal) in try NamedView(name, in: project, reader) }
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        writer.array("artifacts") { writer in for view in views.rows { writer.named(view) } }
                        writer.nextPage(views.next)
                    }
                })
        }
    }

    private static func showNamed(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let project = try exchange.readableProject(reader, by: caller)
            let view = try NamedView(exchange["artifact"], in: project, reader)
            return .json(try encoded { $0.named(view, withVersions: true) })
        }
    }

    private static func listVersions(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let project = try exchange.readableProject(reader, by: caller)
            let view = try NamedView(exchange["artifact"], in: project, reader)
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        writer.array("versions") { writer in
                            for version in view.versions { writer.version(version, view) }
                        }
                        writer.nextPage(nil)
                    }
                })
        }
    }

    private static func showVersion(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let project = try exchange.readableProject(reader, by: caller)
            let view = try NamedView(exchange["artifact"], in: project, reader)
            let version = try view.version(exchange["version"])
            return .json(try encoded { $0.version(version, view) })
        }
    }

    private static func downloadVersion(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let version = try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let project = try exchange.readableProject(reader, by: caller)
            return try NamedView(exchange["artifact"], in: project, reader).version(exchange["version"])
        }
        return try content(version.digest, name: version.name, exchange)
    }

    private static func publish(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        let runText = try fields.text("run_id", or: "run")
        let path = try fields.text("path")
        let digestText = try fields.text("sha256", or: "digest")
        let type = try fields.text("type")
        let metadata = try fields.document("metadata")
        var aliases: [String] = []
        if let value = fields["aliases"] {
            guard let list = value.array else { throw fields.wrong("aliases", "a list of texts", value) }
            for element in list {
                guard let alias = element.string else { throw fields.wrong("aliases", "a list of texts", element) }
                aliases.append(alias)
            }
        }
        guard digestText != nil || (runText != nil && path != nil) else {
            throw Refusal(
                .invalid, "The version has no content.",
                remedy: "Send “run_id” and “path” of a run's artifact, or “sha256” of stored bytes.", field: "sha256")
        }
        let (name, wanted, blobs) = (exchange["artifact"], aliases, exchange.api.blobs)
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let project = try ledger.tx.resolveProject(exchange["project"], for: caller)
            try caller.require(.write, on: project.id)
            for alias in wanted { try ledger.checkAlias(alias) }
            var run: Run?
            if let runText { run = try exchange.engine.readable(runText, by: caller, ledger.tx) }
            var found: Artifact?
            if let run, let path {
                guard let artifact = try ledger.tx.artifact(of: run.key, path: try ArtifactPath.clean(path)) else {
                    throw Refusal.artifactNotFound(
                        path, of: run, among: try ledger.tx.shownArtifacts(of: run).map(\.path))
                }
                guard artifact.uri.isEmpty, artifact.digest != nil else {
                    throw Refusal(
                        .conflict, "“\(artifact.path)” is kept by reference, so its bytes are not known here.",
                        remedy: "Upload the bytes to publish them.", field: "path", candidates: [artifact.uri])
                }
                found = artifact
            }
            let given = digestText.flatMap { Digest($0) }
            if let digestText, given == nil { throw Refusal.wrongDigest(digestText, field: "sha256") }
            guard let digest = found?.digest ?? given, given == nil || given == digest else {
                throw Refusal(
                    .invalid, "The artifact's SHA-256 is another one than the one given.",
                    remedy: "Send one of them.", field: "sha256")
            }
            try ledger.admit(digest, in: blobs)
            let size = try ledger.tx.blob(digest)?.size ?? found?.size ?? 0
            let (version, created) = try ledger.publish(
                name, in: project.id, digest: digest, size: size, type: type ?? found?.type ?? "file", from: run?.key,
                metadata: metadata, aliases: wanted)
            let view = try NamedView(name, in: project, ledger.tx)
            return Answer(
                status: created ? 201 : 200, body: try encoded { $0.version(version, view, created: created) })
        }
    }

    private static func setAlias(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        guard let value = fields["version"] else {
            throw Refusal(
                .invalid, "The alias has no version.", remedy: "Send {\"version\":3}.", field: "version")
        }
        guard let target = value.int64.map({ "\($0)" }) ?? value.string else {
            throw fields.wrong("version", "a version's number", value)
        }
        try moveAlias(exchange, to: target, bytes)
    }

    private static func moveAlias(_ exchange: Exchange, to target: String?, _ bytes: [UInt8] = []) throws(Refusal) {
        let (name, alias) = (exchange["artifact"], exchange["alias"])
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let project = try ledger.tx.resolveProject(exchange["project"], for: caller)
            try caller.require(.write, on: project.id)
            var version: Int?
            if let target { version = try NamedView(name, in: project, ledger.tx).version(target).version }
            try ledger.setAlias(alias, of: name, in: project.id, version: version)
            let view = try NamedView(name, in: project, ledger.tx)
            return Answer(body: try encoded { $0.named(view) })
        }
    }
}

extension Exchange {
    func readableProject(_ reader: any StoreReader, by caller: Caller) throws(Refusal) -> Project {
        let project = try reader.resolveProject(self["project"], for: caller)
        try caller.require(.read, on: project.id)
        return project
    }
}

/// A named artifact with all that is shown of it.
struct NamedView: Sendable {
    var name: String
    var project: Project
    /// Oldest first.
    var versions: [NamedVersion]
    var aliases: [String: Int]
    var runs: [RunKey: RunID] = [:]

    init(_ name: String, in project: Project, _ reader: any StoreReader) throws(Refusal) {
        (self.name, self.project) = (name, project)
        versions = try reader.namedVersions(of: name, in: project.id).sorted { $0.version < $1.version }
        guard !versions.isEmpty else {
            var error = Refusal.namedArtifactNotFound(name)
            error.candidates = Nearness.nearest(to: name, among: try reader.namedArtifacts(in: project.id))
            throw error
        }
        aliases = try reader.namedAliases(of: name, in: project.id)
        for run in try reader.runs(versions.compactMap(\.run)) { runs[run.key] = run.id }
    }

    /// `3`, `v3` or an alias.
    func version(_ text: String) throws(Refusal) -> NamedVersion {
        let number = aliases[text] ?? Int(text) ?? (text.hasPrefix("v") ? Int(text.dropFirst()) : nil)
        if let number, let found = versions.first(where: { $0.version == number }) { return found }
        throw Refusal(
            .notFound, "The artifact “\(name)” has no version or alias “\(text.prefix(60))”.",
            remedy: "List them with GET /api/v1/projects/\(project.slug)/artifacts/\(name).", field: "version",
            candidates: Nearness.nearest(to: text, among: Array(aliases.keys)))
    }
}

extension JSONWriter {
    mutating func named(_ view: NamedView, withVersions: Bool = false) {
        object { writer in
            writer.member("name", view.name)
            writer.member("project_id", "\(view.project.id)")
            writer.member("project", view.project.slug)
            writer.member("version_count", view.versions.count)
            writer.object("aliases") { writer in
                for (alias, version) in view.aliases.sorted(by: { precedes($0.key, $1.key) }) {
                    writer.member(dynamic: alias, version)
                }
            }
            writer.key("latest")
            if let last = view.versions.last { writer.version(last, view) } else { writer.null() }
            if withVersions {
                writer.array("versions") { writer in
                    for version in view.versions { writer.version(version, view) }
                }
            }
        }
    }

    mutating func version(_ version: NamedVersion, _ view: NamedView, created: Bool? = nil) {
        object { writer in
            writer.member("name", version.name)
            writer.member("version", version.version)
            writer.member("sha256", version.digest.text)
            writer.member("size_bytes", version.size)
            writer.member("type", version.type)
            writer.array("aliases") { writer in
                for alias in view.aliases.keys.sorted(by: precedes) where view.aliases[alias] == version.version {
                    writer.string(alias)
                }
            }
            writer.text("run_id", version.run.flatMap { view.runs[$0]?.text })
            writer.stored("metadata", version.metadata)
            writer.time("created_at", version.at)
            if let created { writer.member("created", created) }
        }
    }
}
