import Glibc
package import MartletDomain

/// What a folder and all beneath it take on disk, as `du` counts: blocks, folders included, a hard link once, links
/// not followed.
package struct DiskUsage: Equatable, Sendable {
    package var files = 0
    package var folders = 0
    package var bytesOnDisk: Int64 = 0
    /// What the files hold, holes included.
    package var bytes: Int64 = 0

    package init() {}

    /// What vanishes while it is counted is not counted; a folder that may not be read is an error. Of what lies in the
    /// folder itself, the names in `except` are left out.
    package init(of path: String, except: Set<String> = []) throws(Refusal) {
        let raw = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard raw >= 0 else { throw FileTrouble(verb: .read, path: path).refusal() }
        let root = Descriptor(owning: raw)
        guard let facts = FileFacts(of: root) else { throw FileTrouble(verb: .read, path: path).refusal() }
        folders = 1
        bytesOnDisk = facts.bytesOnDisk
        var seen: Set<FileFacts.Identity> = []
        var waiting = ["."]
        while let name = waiting.popLast() {
            let raw = openat(root.raw, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            if raw < 0, errno == ENOENT { continue }
            guard raw >= 0 else { throw FileTrouble(verb: .read, path: path + "/" + name).refusal() }
            let folder = Descriptor(owning: raw)
            guard let names = names(in: folder) else {
                throw FileTrouble(verb: .read, path: path + "/" + name).refusal()
            }
            for entry in names where name != "." || !except.contains(entry) {
                guard let facts = FileFacts(of: entry, in: folder) else { continue }
                if facts.links > 1, !facts.isFolder, !seen.insert(facts.identity).inserted { continue }
                bytesOnDisk += facts.bytesOnDisk
                if facts.isFolder {
                    folders += 1
                    waiting.append(name + "/" + entry)
                } else {
                    files += 1
                    bytes += facts.size
                }
            }
        }
    }
}
