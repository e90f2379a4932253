import CCrypto
import Glibc
package import MartletDomain
import Synchronization

extension Roots {
    /// Begins a file beneath a root. Its folders are made now; the file has its name only when it is whole.
    package func begin(_ path: String, beneath root: Int) throws(Refusal) -> RootUpload {
        let (above, name) = try split(path, root)
        return try RootUpload(self, folder: makeFolders(above, root), name: name, path: path, root: root)
    }

    /// A step at a time from the root on, each relative to the one before it and none through a link.
    private func makeFolders(_ path: String, _ root: Int) throws(Refusal) -> Descriptor {
        let raw = withoutLinks(root, path.isEmpty ? "." : path)
        if raw >= 0 { return Descriptor(owning: raw) }
        guard errno == ENOENT else { throw writeRefusal(errno, path, root) }
        var at = withoutLinks(root, ".")
        guard at >= 0 else { throw writeRefusal(errno, path, root) }
        for part in path.split(separator: "/") {
            let folder = Descriptor(owning: at)
            let name = String(part)
            let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
            at = openat(folder.raw, name, flags)
            if at < 0, errno == ENOENT {
                guard mkdirat(folder.raw, name, 0o777) == 0 || errno == EEXIST else {
                    throw writeRefusal(errno, path, root)
                }
                fsync(folder.raw)
                at = openat(folder.raw, name, flags)
            }
            guard at >= 0 else { throw writeRefusal(errno, path, root) }
        }
        return Descriptor(owning: at)
    }
}

/// A file on its way to a place beneath a root, in memory that does not grow with it.
///
/// The lock makes `@unchecked Sendable` true: a request's body may come from one thread and its end from another.
package final class RootUpload: @unchecked Sendable {
    private let draft: UnfinishedFile
    private let roots: Roots
    private let name: String
    private let path: String
    private let root: Int
    private var written: Int64 = 0
    private var handedToDisk: Int64 = 0

    private static let ended = Refusal(
        .closed, "This upload has ended, so nothing can be added to it.", remedy: "Begin a new upload.")

    private static let prefix = ".martlet-upload-"

    /// Whether a name is that of an upload which never ended: it is not listed, read or written.
    static func isUnfinished(_ name: String) -> Bool { name.hasPrefix(prefix) }

    fileprivate init(
        _ roots: Roots, folder: consuming Descriptor, name: String, path: String, root: Int
    ) throws(Refusal) {
        let unfinished = RootUpload.prefix + Digest(bytes: Chance.bytes(32)).text.prefix(32)
        let raw = uninterrupted {
            openat(folder.raw, unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        }
        guard raw >= 0 else { throw roots.writeRefusal(errno, path, root) }
        (self.roots, self.name, self.path, self.root) = (roots, name, path, root)
        draft = UnfinishedFile(unfinished, Descriptor(owning: raw), in: folder)
    }

    deinit { abort() }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(Refusal) {
        try draft.step(RootUpload.ended) { () throws(Refusal) in
            guard let base = bytes.baseAddress else { return }
            var done = 0
            while done < bytes.count {
                let count = uninterrupted { Glibc.write(draft.file.raw, base + done, bytes.count - done) }
                guard count >= 0 else { throw roots.writeRefusal(errno, path, root) }
                done += count
            }
            written += Int64(bytes.count)
            // So that `fsync` at the end finds little left to do.
            if written - handedToDisk >= 8 << 20 {
                martlet_start_writing(draft.file.raw, handedToDisk, written - handedToDisk)
                handedToDisk = written
            }
        }
    }

    /// Gives the file its name, in place of one that was there, once it would survive a power cut; its size.
    package func finish() throws(Refusal) -> Int64 {
        try draft.step(RootUpload.ended) { () throws(Refusal) in
            guard fsync(draft.file.raw) == 0, renameat(draft.folder.raw, draft.name, draft.folder.raw, name) == 0 else {
                throw roots.writeRefusal(errno, path, root)
            }
            draft.settle()
            guard fsync(draft.folder.raw) == 0 else { throw roots.writeRefusal(errno, path, root) }
            return written
        }
    }

    package func abort() { draft.giveUp() }
}
