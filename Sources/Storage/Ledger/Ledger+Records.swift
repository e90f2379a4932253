package import MartletDomain
import MartletJSON

// What is written beside runs: notes with history, facts, definitions, artifacts.
extension Ledger {
    /// A note gets the next number of its owner; editing it appends a newer text under the same number. With a pin it
    /// belongs to a place on a curve.
    package func addNote(
        _ text: String, to owner: Item.Owner, pin: NotePin? = nil, who: String
    ) throws(StorageError) -> Item {
        try limits.checkText(text, limits.noteBytes, "note", setting: "--limit-note-bytes")
        if let pin { try limits.checkKey(pin.metric, "metric") }
        let (project, subject) = try place(of: owner)
        let number = try tx.items(of: owner, kind: "note", key: nil).reduce(0) { max($0, Int($1.key) ?? 0) } + 1
        let item = try tx.append(
            Item(
                id: 0, owner: owner, kind: "note", key: "\(number)", at: now, who: who,
                data: NotePin.document(text, pin)))
        try touch(owner)
        note("note.add", subject, in: project, after: [("note", "\(number)")])
        return item
    }

    package func editNote(
        _ number: Int, of owner: Item.Owner, text: String, who: String
    ) throws(StorageError) -> Item {
        try limits.checkText(text, limits.noteBytes, "note", setting: "--limit-note-bytes")
        let (project, subject) = try place(of: owner)
        guard let last = try tx.items(of: owner, kind: "note", key: "\(number)").last else {
            throw StorageError(
                .notFound, "There is no note \(number).", remedy: "List the notes with GET …/notes.", field: "note")
        }
        let item = try tx.append(
            Item(
                id: 0, owner: owner, kind: "note", key: "\(number)", at: now, who: who,
                data: NotePin.document(text, NotePin(data: last.data))))
        try touch(owner)
        note("note.edit", subject, in: project, after: [("note", "\(number)")])
        return item
    }

    /// A fact or a definition: the latest of its name counts, earlier ones stay.
    package func put(
        kind: String, key: String, data: String, on owner: Item.Owner, who: String
    ) throws(StorageError) -> Item {
        try limits.checkKey(key, kind)
        try limits.checkText(data, limits.noteBytes, kind, setting: "--limit-note-bytes")
        let (project, subject) = try place(of: owner)
        let item = try tx.append(Item(id: 0, owner: owner, kind: kind, key: key, at: now, who: who, data: data))
        try touch(owner)
        note("\(kind).put", subject, in: project, after: [("key", key)])
        return item
    }

    /// Something that went wrong in a run's record, kept and counted instead of stopping the rest.
    package func recordProblem(_ text: String, line: String, of run: RunKey, who: String) throws(StorageError) {
        let (project, subject) = try place(of: .run(run))
        try tx.append(
            Item(
                id: 0, owner: .run(run), kind: "problem", key: "", at: now, who: who,
                data: "{\"problem\":\(quoted(text)),\"line\":\(quoted(String(line.prefix(2000))))}"))
        try tx.touch(run)
        note("problem", subject, in: project, after: [("problem", text)])
    }

    /// An artifact whose bytes are in the store, or a reference to where they are. The newest at a path counts.
    package func addArtifact(_ artifact: Artifact, evenDeleted: Bool = false) throws(StorageError) -> Artifact {
        let run = try writableRun(artifact.run, evenDeleted: evenDeleted)
        let path = try ArtifactPath.clean(artifact.path)
        if let digest = artifact.digest, artifact.uri.isEmpty {
            guard let blob = try tx.blob(digest), blob.state == .live else {
                throw StorageError(
                    .busy, "The bytes of “\(path)” are not in the store any more.", remedy: "Upload the file again.")
            }
            if blob.seen < now {
                var fresh = blob
                fresh.seen = now
                try tx.put(fresh)
            }
        }
        var placed = artifact
        placed.path = path
        placed.at = now
        if placed.type.isEmpty { placed.type = ArtifactPath.type(of: path) }
        let kept = try tx.insert(placed)
        try tx.touch(run.key)
        note(
            "artifact.add", .run(run.key, run.id), in: run.project,
            after: [("path", path), ("size", "\(artifact.size)"), ("sha256", artifact.digest?.text ?? "")])
        return kept
    }

    /// Removes a path, with all that lies under it when it is a folder.
    package func deleteArtifacts(
        of key: RunKey, path: String, evenDeleted: Bool = false
    ) throws(StorageError) -> Int {
        let run = try writableRun(key, evenDeleted: evenDeleted)
        let clean = try ArtifactPath.clean(path)
        var removed = 0
        for var artifact in try tx.artifacts(of: key)
        where artifact.life == .active && (artifact.path == clean || artifact.path.hasPrefix(clean + "/")) {
            artifact.life = .deleted
            try tx.update(artifact)
            removed += 1
        }
        guard removed > 0 else {
            throw StorageError(
                .notFound, "Run \(run.shortID) has no artifact “\(clean)”.",
                remedy: "List them with `martlet artifacts list \(run.shortID)`.", field: "path")
        }
        try tx.touch(key)
        note("artifact.delete", .run(key, run.id), in: run.project, before: [("path", clean)], count: removed)
        return removed
    }

    /// The version of a named artifact with this content: the same bytes again are the same version.
    package func publish(
        _ name: String, in project: ProjectID, digest: Digest, size: Int64, type: String, from run: RunKey?,
        metadata: String, aliases: [String]
    ) throws(StorageError) -> (version: NamedVersion, created: Bool) {
        try checkName(name, "artifact")
        _ = try activeProject(project)
        let versions = try tx.namedVersions(of: name, in: project)
        let known = versions.first { $0.digest == digest }
        let version =
            known
            ?? NamedVersion(
                name: name, version: (versions.map(\.version).max() ?? 0) + 1, digest: digest, size: size, type: type,
                at: now, run: run, metadata: metadata)
        if known == nil { try tx.insert(version, in: project) }
        for alias in aliases + ["latest"] {
            try limits.checkKey(alias, "alias")
            try tx.setNamedAlias(alias, of: name, version: version.version, in: project)
        }
        note(
            "artifact.publish", .project(project), in: project,
            after: [("name", name), ("version", "\(version.version)"), ("sha256", digest.text)])
        if let run, let producer = try tx.run(run) { try remember(producer, .output, version, in: project, who: "") }
        return (version, known == nil)
    }

    // MARK: - Pieces

    private func place(of owner: Item.Owner) throws(StorageError) -> (ProjectID, Change.Subject) {
        switch owner {
        case .project(let id):
            _ = try activeProject(id)
            return (id, .project(id))
        case .experiment(let id):
            return (try activeExperiment(id).project, .experiment(id))
        case .run(let key):
            guard let run = try tx.run(key) else { throw .runNotFound("\(key)") }
            return (run.project, .run(key, run.id))
        }
    }

    private func touch(_ owner: Item.Owner) throws(StorageError) {
        switch owner {
        case .run(let key): try tx.touch(key)
        case .experiment(let id):
            guard var experiment = try tx.experiment(id) else { return }
            experiment.updated = now
            try tx.update(experiment)
        case .project(let id):
            guard var project = try tx.project(id) else { return }
            project.updated = now
            try tx.update(project)
        }
    }
}

/// The place on a curve that a note speaks of.
package struct NotePin: Sendable, Equatable {
    package var metric: String
    package var step: Int64
    package init(metric: String, step: Int64) { (self.metric, self.step) = (metric, step) }

    /// From what a note was stored as; nil where it has no pin.
    package init?(data: String) {
        guard let value = try? JSONValue(parsing: data), let metric = value["metric"]?.string,
            let step = value["step"]?.int64
        else { return nil }
        self.init(metric: metric, step: step)
    }

    static func document(_ text: String, _ pin: NotePin?) -> String {
        guard let pin else { return "{\"text\":\(quoted(text))}" }
        return "{\"text\":\(quoted(text)),\"metric\":\(quoted(pin.metric)),\"step\":\(pin.step)}"
    }
}

/// Where an artifact lies inside its run: relative, with no way out.
package enum ArtifactPath {
    package static func clean(_ path: String) throws(StorageError) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        let bad = parts.isEmpty || path.hasPrefix("/") || parts.contains { $0 == "." || $0 == ".." }
        guard !bad, path.utf8.count <= 1024, !path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw StorageError(
                .invalid, "“\(path.prefix(80))” is not a path inside a run.",
                remedy: "Use a relative path of at most 1,024 bytes without “.” or “..” parts.", field: "path")
        }
        return parts.joined(separator: "/")
    }

    /// What an artifact most likely is, by its name.
    package static func type(of path: String) -> String {
        let name = (path.split(separator: "/").last ?? "").lowercased()
        let suffix = name.split(separator: ".").count > 1 ? String(name.split(separator: ".").last ?? "") : ""
        if name.contains("report") || name.contains("model_card") {
            if ["html", "md", "pdf"].contains(suffix) { return "report" }
        }
        switch suffix {
        case "pkl", "pickle", "joblib", "pt", "pth", "ckpt", "safetensors", "onnx", "h5", "keras", "bin", "model",
            "pb", "tflite", "gguf", "ubj", "cbm", "mlmodel":
            return "model"
        case "png", "jpg", "jpeg", "svg", "webp", "gif", "bmp": return "plot"
        case "csv", "tsv", "parquet", "arrow", "feather", "npy", "npz", "jsonl", "ndjson", "json", "avro", "db":
            return "data"
        case "html", "htm", "md", "pdf": return "report"
        case "yaml", "yml", "toml", "ini", "cfg", "txt", "log": return "text"
        case "py", "ipynb", "swift", "rs", "sh", "c", "cpp", "js", "ts", "r", "jl": return "code"
        default: return "file"
        }
    }
}
