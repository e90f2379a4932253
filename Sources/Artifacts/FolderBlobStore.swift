import CCrypto
import Glibc
package import MartletDomain
import Synchronization

/// Blobs in a folder: `ab/cdef…` under the digest's own letters, with `tmp/` for uploads and `trash/` for what the
/// collector took away.
///
/// Everything is opened relative to the folder's descriptor and without following links, so neither a renamed folder
/// nor a link that someone left in the store leads anywhere else. Reading works where nothing may be written.
package final class FolderBlobStore: BlobStore {
    package let path: String
    let root: Descriptor
    /// First letters whose folder this process knows to be on disk.
    private let durable = Mutex<Set<String>>([])

    /// Opens the folder, and makes it when it is not there. Uploads that died more than a day ago are removed.
    package init(folder path: String, now: Timestamp) throws(Refusal) {
        self.path = path
        root = try openFolder(path)
        sweepUploads(before: now.adding(seconds: -86_400))
    }

    package func begin(expecting expected: ExpectedBlob) throws(Refusal) -> any BlobUpload {
        try FolderUpload(store: self, folder: subfolder("tmp", make: true), expected: expected)
    }

    package func open(_ digest: Digest) throws(Refusal) -> any BlobFile { try openFile(digest) }

    package func find(_ digest: Digest) throws(Refusal) -> StoredBlob? {
        let place = Place(digest)
        guard let folder = try existingFolder(place.letters) else { return nil }
        guard let facts = FileFacts(of: place.name, in: folder) else {
            if errno == ENOENT { return nil }
            throw trouble(.read, place.path)
        }
        guard facts.isFile else { return nil }
        return StoredBlob(digest: digest, size: facts.size, modified: facts.modified)
    }

    package func touch(_ digest: Digest, now: Timestamp) throws(Refusal) -> Bool {
        let place = Place(digest)
        guard let folder = try existingFolder(place.letters) else { return false }
        return try setModified(place.name, in: folder, now, place.path)
    }

    package func list(after: Digest?, limit: Int) throws(Refusal) -> [StoredBlob] {
        var found: [StoredBlob] = []
        let first = after.map { String($0.text.prefix(2)) } ?? ""
        for letters in try fanOut() where letters >= first && found.count < limit {
            guard let folder = try existingFolder(letters) else { continue }
            guard let names = names(in: folder) else { throw trouble(.read, letters) }
            let digests = names.compactMap { $0.utf8.count == 62 ? Digest(letters + $0) : nil }.sorted()
            for digest in digests where after.map({ $0 < digest }) ?? true {
                guard found.count < limit else { break }
                // Gone between the listing and here is as good as never seen.
                let facts = FileFacts(of: Place(digest).name, in: folder)
                guard let facts, facts.isFile else { continue }
                found.append(StoredBlob(digest: digest, size: facts.size, modified: facts.modified))
            }
        }
        return found
    }

    package func usage() throws(Refusal) -> BlobUsage {
        var usage = BlobUsage()
        for letters in try fanOut() {
            guard let folder = try existingFolder(letters) else { continue }
            guard let names = names(in: folder) else { throw trouble(.read, letters) }
            for name in names {
                if let facts = FileFacts(of: name, in: folder), facts.isFile { usage.add(facts) }
            }
        }
        return usage
    }

    package func verify(_ digest: Digest) throws(Refusal) -> BlobHealth {
        guard try contains(digest) else { return .missing }
        let found = try openFile(digest).digest()
        return found.digest == digest ? .sound(size: found.size) : .damaged(found: found.digest, size: found.size)
    }

    /// Tries what an upload needs, for `doctor`: whether the folder takes a file.
    package func probeWriting() throws(Refusal) {
        let upload = try begin()
        defer { upload.abort() }
        try upload.write([0])
    }
}

// MARK: - The collector's steps

extension FolderBlobStore {
    /// The mark in time is set first: were the file in the trash with an old one, the next sweep would erase it.
    package func discard(_ digest: Digest, now: Timestamp) throws(Refusal) -> Bool {
        let place = Place(digest)
        guard let folder = try existingFolder(place.letters) else { return false }
        guard try setModified(place.name, in: folder, now, place.path) else { return false }
        let trash = try subfolder("trash", make: true)
        if renameat(folder.raw, place.name, trash.raw, digest.text) == 0 { return true }
        if errno == ENOENT { return false }
        throw trouble(.write, place.path)
    }

    package func rescue(_ digest: Digest, now: Timestamp) throws(Refusal) -> Bool {
        let place = Place(digest)
        guard let trash = try existingFolder("trash") else { return false }
        guard try setModified(digest.text, in: trash, now, place.path) else { return false }
        let folder = try subfolder(place.letters, make: true)
        if renameat(trash.raw, digest.text, folder.raw, place.name) != 0 {
            if errno == ENOENT { return false }
            throw trouble(.write, place.path)
        }
        try sync(folder, place)
        return true
    }

    package func eraseDiscarded(before: Timestamp) throws(Refusal) -> BlobUsage {
        var erased = BlobUsage()
        guard let trash = try existingFolder("trash") else { return erased }
        guard let names = names(in: trash) else { throw trouble(.read, "trash") }
        for name in names {
            guard let facts = FileFacts(of: name, in: trash), facts.isFile, facts.modified < before else { continue }
            guard unlinkat(trash.raw, name, 0) == 0 || errno == ENOENT else {
                throw trouble(.write, "trash/" + name)
            }
            erased.add(facts)
        }
        return erased
    }

    /// Removes uploads that nobody will finish. What cannot be removed stays: opening is for reading too.
    private func sweepUploads(before: Timestamp) {
        guard let folder = try? subfolder("tmp"), let names = names(in: folder) else { return }
        for name in names {
            guard let facts = FileFacts(of: name, in: folder), facts.isFile, facts.modified < before else { continue }
            unlinkat(folder.raw, name, 0)
        }
    }
}

// MARK: - Places

/// Where a digest lies: two letters of folder, the rest as the file's name.
struct Place {
    let letters: String
    let name: String
    var path: String { letters + "/" + name }

    init(_ digest: Digest) {
        letters = String(digest.text.prefix(2))
        name = String(digest.text.dropFirst(2))
    }
}

extension FolderBlobStore {
    /// Puts a finished upload in its place; false when the same content was there first.
    func settle(_ name: String, in uploads: borrowing Descriptor, as blob: FinishedBlob, now: Timestamp)
        throws(Refusal) -> Bool
    {
        let place = Place(blob.digest)
        let folder = try subfolder(place.letters, make: true)
        let isNew = try take(name, in: uploads, to: folder, place, blob.size, now)
        // Also when the file was there: its first uploader may not have come this far yet.
        try sync(folder, place)
        return isNew
    }

    /// What lies there already may be damaged, and only reading all of it would tell. The upload's bytes were hashed on
    /// their way, so they take its place: equal bytes replace equal bytes, and a damaged file is whole again.
    private func take(
        _ name: String, in uploads: borrowing Descriptor, to folder: borrowing Descriptor, _ place: Place,
        _ size: Int64, _ now: Timestamp
    ) throws(Refusal) -> Bool {
        guard try setModified(name, in: uploads, now, "tmp/" + name) else { throw trouble(.write, "tmp/" + name) }
        if martlet_rename_new(uploads.raw, name, folder.raw, place.name) == 0 { return true }
        let before = FileFacts(of: place.name, in: folder)
        guard renameat(uploads.raw, name, folder.raw, place.name) == 0 else { throw trouble(.write, place.path) }
        return !(before.map { $0.isFile && $0.size == size } ?? false)
    }

    func trouble(_ verb: FileTrouble.Verb, _ name: String) -> Refusal {
        FileTrouble(verb: verb, path: name.isEmpty ? path : path + "/" + name).refusal()
    }

    private func openFile(_ digest: Digest) throws(Refusal) -> LocalFile {
        let place = Place(digest)
        guard let folder = try existingFolder(place.letters) else { throw missing(digest) }
        let raw = uninterrupted {
            openat(folder.raw, place.name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        }
        guard raw >= 0 else {
            if errno == ENOENT { throw missing(digest) }
            throw trouble(.read, place.path)
        }
        let file = Descriptor(owning: raw)
        guard let facts = FileFacts(of: file), facts.isFile else {
            throw Refusal(
                .damaged, "“\(path)/\(place.path)” is not a file.", remedy: "Move it away and upload the file again.")
        }
        return LocalFile(file, facts: facts, path: path + "/" + place.path)
    }

    private func missing(_ digest: Digest) -> Refusal {
        Refusal(
            .notFound, "The bytes of \(digest) are not in “\(path)”.",
            remedy: "Run `martlet fsck` to see what is missing; upload the file again.")
    }

    /// False when there is no such file; `shown` is its path for the reader.
    private func setModified(
        _ name: String, in folder: borrowing Descriptor, _ now: Timestamp, _ shown: String
    ) throws(Refusal) -> Bool {
        var times = [timespec](repeating: now.timespec, count: 2)
        if utimensat(folder.raw, name, &times, AT_SYMLINK_NOFOLLOW) == 0 { return true }
        if errno == ENOENT { return false }
        throw trouble(.write, shown)
    }

    /// The folders of two letters that are there, in order.
    private func fanOut() throws(Refusal) -> [String] {
        guard let names = names(in: root) else { throw trouble(.read, "") }
        return names.filter { $0.utf8.count == 2 && $0.utf8.allSatisfy(isLowerHex) }.sorted()
    }

    private func existingFolder(_ name: String) throws(Refusal) -> Descriptor? {
        do throws(Refusal) {
            return try subfolder(name)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    private func subfolder(_ name: String, make: Bool = false) throws(Refusal) -> Descriptor {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        var raw = uninterrupted { openat(root.raw, name, flags) }
        if raw < 0, errno == ENOENT, make {
            guard mkdirat(root.raw, name, 0o777) == 0 || errno == EEXIST else { throw trouble(.write, name) }
            raw = uninterrupted { openat(root.raw, name, flags) }
        }
        guard raw >= 0 else { throw trouble(make ? .write : .read, name) }
        return Descriptor(owning: raw)
    }

    /// Makes the name of a file durable, and once in a process the name of its folder.
    private func sync(_ folder: borrowing Descriptor, _ place: Place) throws(Refusal) {
        guard fsync(folder.raw) == 0 else { throw trouble(.write, place.letters) }
        guard !durable.withLock({ $0.contains(place.letters) }) else { return }
        guard fsync(root.raw) == 0 else { throw trouble(.write, "") }
        durable.withLock { _ = $0.insert(place.letters) }
    }
}

extension BlobUsage {
    fileprivate mutating func add(_ facts: FileFacts) {
        files += 1
        bytes += facts.size
        bytesOnDisk += facts.bytesOnDisk
    }
}

private func isLowerHex(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
}

/// Opens a folder, making it and its parents where they are missing. The operator named it: links are followed.
func openFolder(_ path: String) throws(Refusal) -> Descriptor {
    var raw = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if raw < 0, errno == ENOENT {
        let parent = path.split(separator: "/", omittingEmptySubsequences: true).dropLast().joined(separator: "/")
        let above = (path.hasPrefix("/") ? "/" : "") + parent
        let folder = try openFolder(above.isEmpty ? "." : above)
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
            throw FileTrouble(verb: .write, path: path).refusal()
        }
        fsync(folder.raw)
        raw = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    guard raw >= 0 else { throw FileTrouble(verb: .read, path: path).refusal() }
    return Descriptor(owning: raw)
}
