package import MartletDomain
import MartletJSON

// Files that belong to a project and to no run: what a logged model or a trace brings along. Each is a card that holds
// a blob, under its path.
package struct StoredFile: Equatable, Sendable {
    package static let kind = "file"

    package var path: String
    package var digest: Digest
    package var size: Int64
    package var updated: Timestamp

    init?(_ card: Card) {
        guard card.kind == StoredFile.kind, let digest = card.digest else { return nil }
        let size = (try? JSONValue(parsing: card.data))?["size"]?.int64 ?? 0
        (path, self.digest, self.size, updated) = (card.key, digest, size, card.updated)
    }
}

extension Ledger {
    /// Puts a file at a path, in place of the one that was there. Its blob's row is live in this transaction.
    package func putFile(
        _ path: String, digest: Digest, size: Int64, in project: ProjectID, experiment: ExperimentID?
    ) throws(StorageError) {
        let path = try ArtifactPath.clean(path)
        _ = try activeProject(project)
        let parts = path.split(separator: "/")
        for count in 1..<max(parts.count, 1) {
            let above = parts.prefix(count).joined(separator: "/")
            guard try tx.file(at: above, in: project) == nil else { throw .fileIsFolder(above) }
        }
        guard try tx.files(in: path, of: project, limit: 1).isEmpty else { throw .fileIsFolder(path) }
        let data = "{\"size\":\(size)}"
        if var card = try tx.cards(StoredFile.kind, key: path).first(where: { $0.project == project }) {
            (card.digest, card.data, card.updated) = (digest, data, now)
            try tx.update(card)
        } else {
            _ = try tx.insert(
                Card(
                    kind: StoredFile.kind, project: project, owner: experiment.map { Card.owner($0) } ?? "", key: path,
                    created: now, updated: now, data: data, digest: digest))
        }
        note("file.put", .project(project), in: project, after: [("path", path), ("sha256", digest.text)])
    }

    /// Removes the file at a path, or every file beneath it; how many that were.
    package func removeFiles(_ path: String, in project: ProjectID) throws(StorageError) -> Int {
        let path = try ArtifactPath.clean(path)
        var removed = 0
        if let card = try tx.cards(StoredFile.kind, key: path).first(where: { $0.project == project }) {
            try tx.removeCard(card.id)
            removed += 1
        }
        let prefix = path + "/"
        while true {
            let page = try tx.cards(StoredFile.kind, in: project, fromKey: prefix, limit: 500)
                .prefix { $0.key.utf8.starts(with: prefix.utf8) }
            if page.isEmpty { break }
            for card in page { try tx.removeCard(card.id) }
            removed += page.count
        }
        if removed > 0 {
            note("file.delete", .project(project), in: project, before: [("path", path)], count: removed)
        }
        return removed
    }
}

extension StoreReader {
    package func file(at path: String, in project: ProjectID) throws(StorageError) -> StoredFile? {
        try cards(StoredFile.kind, key: path).first { $0.project == project }.flatMap(StoredFile.init)
    }

    /// The names in a folder of files, in the order of their bytes; a folder among them has no file. A folder's own
    /// files are stepped over and not read, so that a listing costs what it shows.
    package func files(
        in folder: String, of project: ProjectID, limit: Int = .max
    ) throws(StorageError) -> [(name: String, file: StoredFile?)] {
        let prefix = folder.isEmpty ? "" : folder + "/"
        var found: [(name: String, file: StoredFile?)] = []
        var from = prefix
        while true {
            let page = try cards(StoredFile.kind, in: project, fromKey: from, limit: 200)
            for card in page {
                guard card.key.utf8.starts(with: prefix.utf8), found.count < limit else { return sorted(found) }
                let rest = card.key.utf8.dropFirst(prefix.utf8.count)
                let name = String(Substring(rest.prefix { $0 != UInt8(ascii: "/") }))
                if name.utf8.count == rest.count {
                    found.append((name, StoredFile(card)))
                    // No key holds a control character, so this is the next one.
                    from = card.key + "\u{1}"
                } else {
                    if found.last?.name != name || found.last?.file != nil { found.append((name, nil)) }
                    // The character after the slash.
                    from = prefix + name + "0"
                }
            }
            if page.count < 200 { return sorted(found) }
        }
    }

    /// `a.b/…` lies before `a/…`, but `a` before `a.b`.
    private func sorted(_ found: [(name: String, file: StoredFile?)]) -> [(name: String, file: StoredFile?)] {
        found.sorted { precedes($0.name, $1.name) }
    }
}

extension StorageError {
    fileprivate static func fileIsFolder(_ path: String) -> StorageError {
        StorageError(
            .conflict, "“\(path)” would be a file and a folder at once.", remedy: "Choose another path.",
            field: "path")
    }
}
