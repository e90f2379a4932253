import CCrypto
import Glibc
package import MartletDomain

// Folders beneath a root: what is in them, and taking it away.
extension Roots {
    /// One name in a folder.
    package struct Entry: Equatable, Sendable {
        package var name: String
        package var isFolder: Bool
        /// Of a file.
        package var size: Int64
    }

    /// What a folder holds, in order of the bytes of its names; nil when there is no folder at that path.
    ///
    /// A link counts as what it leads to, and not at all when it leads out of the root.
    package func list(_ path: String, beneath root: Int) throws(Refusal) -> [Entry]? {
        guard !path.utf8.contains(0) else { return nil }
        let raw = beneath(root, path.isEmpty ? "." : path, O_RDONLY | O_DIRECTORY)
        guard raw >= 0 else {
            if [ENOENT, ENOTDIR, ENAMETOOLONG].contains(errno) { return nil }
            throw refusal(errno, shown(path, root), root)
        }
        let folder = Descriptor(owning: raw)
        guard let names = names(in: folder) else { throw FileTrouble(verb: .read, path: shown(path, root)).refusal() }
        var entries: [Entry] = []
        for name in names where !RootUpload.isUnfinished(name) {
            guard var facts = FileFacts(of: name, in: folder) else { continue }
            if !facts.isFile && !facts.isFolder {
                guard let target = linkTarget(path.isEmpty ? name : "\(path)/\(name)", root) else { continue }
                facts = target
            }
            guard facts.isFile || facts.isFolder else { continue }
            entries.append(Entry(name: name, isFolder: facts.isFolder, size: facts.isFile ? facts.size : 0))
        }
        return entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// Removes a file, or a folder with all that is in it; false when nothing was there. Links are removed, never
    /// followed.
    package func remove(_ path: String, beneath root: Int) throws(Refusal) -> Bool {
        let (above, name) = try split(path, root)
        let raw = withoutLinks(root, above.isEmpty ? "." : above)
        guard raw >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return false }
            throw writeRefusal(errno, path, root)
        }
        let folder = Descriptor(owning: raw)
        return try remove(name, in: folder, path, root)
    }

    private func remove(
        _ name: String, in folder: borrowing Descriptor, _ path: String, _ root: Int
    ) throws(Refusal) -> Bool {
        if unlinkat(folder.raw, name, 0) == 0 { return true }
        if errno == ENOENT { return false }
        guard errno == EISDIR || errno == EPERM else { throw writeRefusal(errno, path, root) }
        let raw = openat(folder.raw, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard raw >= 0 else { throw writeRefusal(errno, path, root) }
        let inner = Descriptor(owning: raw)
        for entry in names(in: inner) ?? [] { _ = try remove(entry, in: inner, "\(path)/\(entry)", root) }
        guard unlinkat(folder.raw, name, AT_REMOVEDIR) == 0 || errno == ENOENT else {
            throw writeRefusal(errno, path, root)
        }
        return true
    }

    /// Takes away what uploads left behind that never ended, in every folder beneath every root; how many that were.
    /// A folder's own uploads are as young as their last byte, so nothing that goes on is touched. Links are not followed.
    package func sweepUnfinished(before: Timestamp) -> Int {
        folders.reduce(0) { count, folder in
            let raw = openat(folder.descriptor.raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            return raw < 0 ? count : count + sweep(Descriptor(owning: raw), before)
        }
    }

    private func sweep(_ folder: consuming Descriptor, _ before: Timestamp) -> Int {
        var count = 0
        for name in names(in: folder) ?? [] {
            guard let facts = FileFacts(of: name, in: folder) else { continue }
            if facts.isFolder {
                let raw = openat(folder.raw, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                if raw >= 0 { count += sweep(Descriptor(owning: raw), before) }
            } else if facts.isFile, RootUpload.isUnfinished(name), facts.modified < before,
                unlinkat(folder.raw, name, 0) == 0
            {
                count += 1
            }
        }
        return count
    }

    // MARK: Steps that writing needs too

    func shown(_ path: String, _ root: Int) -> String { paths[root] + "/" + path }

    /// The folder and the name of a path that is to be written: plain names alone.
    func split(_ path: String, _ root: Int) throws(Refusal) -> (above: String, name: String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".." && part.utf8.count <= 255 && !part.utf8.contains(0)
                && !RootUpload.isUnfinished(String(part))
        }
        guard let name = parts.last, isPlain, paths.indices.contains(root) else {
            throw Refusal(
                .invalid, "“\(path.prefix(200))” is no path that can be written.",
                remedy: "Use names of at most 255 bytes, joined by “/”, without “.” and “..”.", field: "path")
        }
        return (parts.dropLast().joined(separator: "/"), String(name))
    }

    func withoutLinks(_ root: Int, _ path: String) -> Int32 {
        uninterrupted {
            martlet_open_without_links(
                folders[root].descriptor.raw, path, UInt64(O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        }
    }

    func writeRefusal(_ error: Int32, _ path: String, _ root: Int) -> Refusal {
        switch error {
        case EXDEV, ELOOP:
            Refusal(
                .forbidden, "“\(shown(path, root))” goes through a link.",
                remedy: "Nothing is written or removed through a link; use the folder's own path.")
        case ENOTDIR, EISDIR, EEXIST:
            Refusal(
                .conflict, "“\(shown(path, root))” would be a file and a folder at once.",
                remedy: "Choose another path.", field: "path")
        default: FileTrouble(verb: .write, path: shown(path, root)).refusal(error)
        }
    }

    private func beneath(_ root: Int, _ path: String, _ flags: Int32) -> Int32 {
        var raw: Int32 = -1
        for _ in 0..<16 {
            raw = uninterrupted {
                martlet_open_beneath(
                    folders[root].descriptor.raw, path, UInt64(flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY))
            }
            if raw >= 0 || errno != EAGAIN { break }
        }
        return raw
    }

    private func linkTarget(_ path: String, _ root: Int) -> FileFacts? {
        // O_PATH, which Swift cannot name: the file is looked at and not opened.
        let raw = beneath(root, path, 0o10000000)
        guard raw >= 0 else { return nil }
        return FileFacts(of: Descriptor(owning: raw))
    }
}
