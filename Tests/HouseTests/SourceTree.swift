// The house rules that a machine can check: which room may look into which, what a room may import, that documents
// tell the truth about files, that every dependency has its reason. These tests read the source tree and run nothing
// of it. When one fails, its message says what to do instead; a rule that has become wrong is changed here, with a
// line in docs/decisions.md.
import Foundation
import Testing

/// The checkout as files, found upward from this file.
struct SourceTree {
    let root: URL

    static let here = SourceTree(
        root: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent())

    /// Every file that is written by hand, as paths from the root. Dot-folders are build products and caches, except
    /// the one that continuous integration reads; `dist` is where `make wheel` and `make dist` put what they make.
    func files() -> [String] {
        var found: [String] = []
        var folders = [""]
        while let folder = folders.popLast() {
            for name in names(in: folder) {
                let path = folder.isEmpty ? name : folder + "/" + name
                if isFolder(path) {
                    let isHidden = name.hasPrefix(".") && name != ".ci"
                    let isMade = name == "__pycache__" || name == "node_modules" || path == "dist"
                    if !isHidden, !isMade { folders.append(path) }
                } else {
                    found.append(path)
                }
            }
        }
        return found.sorted()
    }

    func files(under folder: String, ending: String = "") -> [String] {
        files().filter { $0.hasPrefix(folder + "/") && $0.hasSuffix(ending) }
    }

    func folders(in folder: String) -> [String] {
        names(in: folder).filter { isFolder(folder + "/" + $0) && $0 != "__pycache__" && !$0.hasPrefix(".") }.sorted()
    }

    func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.path + "/" + path)
    }

    func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: root.path + "/" + path, isDirectory: &isFolder)
            && isFolder.boolValue
    }

    func size(of path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: root.path + "/" + path)
        return (attributes[.size] as? Int) ?? 0
    }

    func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// nil for a file that is not text: a picture, a golden database.
    func textIfAny(_ path: String) -> String? {
        try? text(path)
    }

    private func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: root.path + "/" + folder)) ?? []
    }
}
