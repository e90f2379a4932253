import MartletArtifacts
import MartletDomain
import MartletJSON
import MartletStorage

/// One name in a folder of artifacts.
struct ArtifactEntry {
    var name: String
    /// Nil for a folder.
    var size: Int64?
}

extension ArtifactTarget {
    /// What lies in the folder that this is, by name; nothing when it is a file, or not there.
    func list(_ call: Call, _ reader: any StoreReader) throws(Refusal) -> [ArtifactEntry] {
        switch place {
        case .folder(let root, let path):
            guard let roots = call.api.places.settings.roots else { return [] }
            var entries = try (roots.list(path, beneath: root) ?? []).map {
                ArtifactEntry(name: $0.name, size: $0.isFolder ? nil : $0.size)
            }
            // What was uploaded by another door than MLflow's is in the store.
            if let run {
                let known = Set(entries.map(\.name))
                entries += try reader.entries(of: run, in: inRun, stored: true).filter { !known.contains($0.name) }
            }
            return entries.sorted { precedes($0.name, $1.name) }
        case .run:
            guard let run else { return [] }
            if inRun.isEmpty, path.split(separator: "/").last.map(String.init) == run.id.text {
                return try reader.entries(of: run, in: "").isEmpty ? [] : [ArtifactEntry(name: "artifacts")]
            }
            return try reader.entries(of: run, in: inRun)
        case .shelf:
            var entries = try reader.files(in: path, of: project).map {
                ArtifactEntry(name: $0.name, size: $0.file?.size)
            }
            let known = Set(entries.map(\.name))
            entries += try reader.runFolders(in: path, of: project, experiment).filter { !known.contains($0.name) }
            return entries.sorted { precedes($0.name, $1.name) }
        }
    }
}

extension StoreReader {
    /// The newest artifact at each path of a run that is not deleted.
    fileprivate func newest(of run: Run) throws(Refusal) -> [String: Artifact] {
        var newest: [String: Artifact] = [:]
        for artifact in try artifacts(of: run.key) where artifact.life == .active { newest[artifact.path] = artifact }
        return newest
    }

    fileprivate func entries(of run: Run, in folder: String, stored: Bool = false) throws(Refusal) -> [ArtifactEntry] {
        let prefix = folder.isEmpty ? "" : folder + "/"
        var found: [String: ArtifactEntry] = [:]
        for (path, artifact) in try newest(of: run) where path.utf8.starts(with: prefix.utf8) {
            if stored, !artifact.uri.isEmpty { continue }
            let rest = path.utf8.dropFirst(prefix.utf8.count)
            let name = String(Substring(rest.prefix { $0 != UInt8(ascii: "/") }))
            let isFile = name.utf8.count == rest.count
            if isFile || found[name] == nil {
                found[name] = ArtifactEntry(name: name, size: isFile ? artifact.size : nil)
            }
        }
        return found.values.sorted { precedes($0.name, $1.name) }
    }

    func hasArtifacts(of run: Run, in folder: String) throws(Refusal) -> Bool {
        try !entries(of: run, in: folder).isEmpty
    }

    /// The folders above those of runs: experiments, and in each the runs that have artifacts.
    fileprivate func runFolders(
        in path: String, of project: ProjectID, _ experiment: ExperimentID?
    ) throws(Refusal) -> [ArtifactEntry] {
        if path.isEmpty {
            var found: [ArtifactEntry] = []
            for experiment in try experiments(in: project) {
                if try isPurged(experiment.id) { continue }
                if try runCounts(in: experiment.id).isEmpty { continue }
                found.append(ArtifactEntry(name: "\(experiment.id)"))
            }
            return found
        }
        guard let experiment, path == "\(experiment)" else { return [] }
        var found: [ArtifactEntry] = []
        var after: RunKey?
        while true {
            let page = try runs(in: experiment, after: after, limit: 500)
            for run in page where try artifacts(of: run.key).contains(where: { $0.life == .active }) {
                found.append(ArtifactEntry(name: run.id.text))
            }
            guard page.count == 500, let last = page.last else { return found }
            after = last.key
        }
    }
}

extension JSONWriter {
    /// A folder's names, beneath `folder` where paths are told from a root on. An empty file has no size, as in MLflow.
    mutating func files(_ entries: [ArtifactEntry], in folder: String = "") {
        guard !entries.isEmpty else { return }
        array("files") { writer in
            for entry in entries {
                writer.object { writer in
                    writer.member("path", SafePath.join(folder, entry.name))
                    writer.member("is_dir", entry.size == nil)
                    if let size = entry.size, size > 0 { writer.member("file_size", size) }
                }
            }
        }
    }
}
