/// A folder of event files: a run, as TensorBoard sees it.
package struct EventFolder: Sendable {
    package var path: String
    /// Its path below the folder that is looked at; `root` for that one itself.
    package var name: String
    /// By their names, which begin with the second in which they were made.
    package var files: [String]

    /// Every run beneath a folder, by name.
    package static func all(beneath root: String) -> [EventFolder] {
        var found: [String: [String]] = [:]
        for file in Files.tree(root) {
            let parts = file.path.split(separator: "/", omittingEmptySubsequences: false)
            guard let last = parts.last, EventFile.isOne(last) else { continue }
            found[parts.dropLast().joined(separator: "/"), default: []].append(String(last))
        }
        return found.sorted { $0.key < $1.key }.map { folder, files in
            let path = folder.isEmpty ? root : root + "/" + folder
            return EventFolder(
                path: path, name: folder.isEmpty ? "root" : folder, files: files.sorted().map { path + "/" + $0 })
        }
    }
}
