import CCrypto
import Glibc
package import MartletDomain
import Synchronization

/// Uploads that come in parts: each upload a folder, each part a file in it, until they are put together or given up.
///
/// Nothing here survives as an artifact: what is put together is read once more, checked against the digest that each
/// part was acknowledged with, and written where it belongs. What nobody ended is swept away after a day.
package final class PartStaging: Sendable {
    package struct Part: Equatable, Sendable {
        package var number: Int
        /// Its SHA-256, in hex: what its sender was told.
        package var tag: String
        package init(number: Int, tag: String) { (self.number, self.tag) = (number, tag) }
    }

    package static let partsMax = 10_000
    private static let lifetime = 86_400.0

    private let path: String
    private let root: Descriptor

    package init(folder path: String, now: Timestamp) throws(Refusal) {
        self.path = path
        root = try openFolder(path)
        sweep(now: now)
    }

    /// A new upload without parts; its name, which nobody can guess.
    package func begin() throws(Refusal) -> String {
        let upload = String(Digest(bytes: Chance.bytes(32)).text.prefix(32))
        guard mkdirat(root.raw, upload, 0o777) == 0 else { throw trouble(.write, upload) }
        return upload
    }

    /// One part on its way. A part that comes again takes the place of the first.
    package func begin(_ number: Int, of upload: String) throws(Refusal) -> PartUpload {
        guard (1...PartStaging.partsMax).contains(number) else {
            throw Refusal(
                .invalid, "There is no part number \(number).",
                remedy: "Number them from 1 to \(PartStaging.partsMax).",
                field: "part_number")
        }
        return try PartUpload(folder: open(upload), number: number, path: "\(path)/\(upload)")
    }

    /// Reads the parts named, in order of number, into `take`, a piece at a time.
    package func assemble(
        _ parts: [Part], of upload: String, into take: (UnsafeRawBufferPointer) throws(Refusal) -> Void
    ) throws(Refusal) {
        let folder = try open(upload)
        guard let present = names(in: folder) else { throw trouble(.read, upload) }
        let known = Set(present)
        let wanted = parts.sorted { $0.number < $1.number }
        guard !wanted.isEmpty, Set(wanted.map(\.number)).count == wanted.count else {
            throw Refusal(.invalid, "The parts are none, or one is named twice.", remedy: "Name each part once.")
        }
        for part in wanted where !known.contains(PartUpload.name(part)) {
            throw Refusal(
                .invalid, "Part \(part.number) has not come, or is another than the one that is named.",
                remedy: "Send it again, and name it by the ETag of the answer.", field: "parts")
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        for part in wanted { try read(part, in: folder, upload, buffer, take) }
    }

    private func read(
        _ part: Part, in folder: borrowing Descriptor, _ upload: String, _ buffer: UnsafeMutableRawBufferPointer,
        _ take: (UnsafeRawBufferPointer) throws(Refusal) -> Void
    ) throws(Refusal) {
        let name = PartUpload.name(part)
        let raw = uninterrupted { openat(folder.raw, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
        guard raw >= 0 else { throw trouble(.read, "\(upload)/\(name)") }
        let file = Descriptor(owning: raw)
        let hash = SHA256()
        while true {
            let count = uninterrupted { Glibc.read(file.raw, buffer.baseAddress, buffer.count) }
            guard count >= 0 else { throw trouble(.read, "\(upload)/\(name)") }
            if count == 0 { break }
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            hash.update(piece)
            try take(piece)
        }
        // A power cut can take what was acknowledged from a part; that must not become an artifact.
        guard hash.finish().text == part.tag else {
            throw Refusal(
                .damaged, "Part \(part.number) is not what was sent.", remedy: "Send the file again.", field: "parts")
        }
    }

    /// Gives an upload up, or clears it away once it is put together; one that is not there is no mistake.
    package func remove(_ upload: String) {
        guard let folder = try? open(upload) else { return }
        for name in names(in: folder) ?? [] { unlinkat(folder.raw, name, 0) }
        unlinkat(root.raw, upload, AT_REMOVEDIR)
    }

    /// Takes away what has had no new part for a day.
    package func sweep(now: Timestamp) {
        let before = now.adding(seconds: -PartStaging.lifetime)
        for upload in names(in: root) ?? [] {
            // A folder's time moves with each part that is put into it.
            guard let facts = FileFacts(of: upload, in: root), facts.isFolder, facts.modified < before else { continue }
            remove(upload)
        }
    }

    private func open(_ upload: String) throws(Refusal) -> Descriptor {
        // Plain hex leads nowhere else.
        let isName = upload.utf8.count == 32 && upload.utf8.allSatisfy { $0 >= 48 && $0 <= 57 || $0 >= 97 && $0 <= 102 }
        let raw = isName ? openat(root.raw, upload, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1
        guard raw >= 0 else {
            if isName, errno != ENOENT { throw trouble(.read, upload) }
            throw Refusal(
                .notFound, "There is no such upload, or it has ended.", remedy: "Begin a new one.", field: "upload_id")
        }
        return Descriptor(owning: raw)
    }

    private func trouble(_ verb: FileTrouble.Verb, _ name: String) -> Refusal {
        FileTrouble(verb: verb, path: "\(path)/\(name)").refusal()
    }
}

/// A part on its way into its upload's folder.
///
/// The lock makes `@unchecked Sendable` true: a request's body may come from one thread and its end from another.
package final class PartUpload: @unchecked Sendable {
    private let draft: UnfinishedFile
    private let number: Int
    private let path: String
    private let hash = SHA256()
    private static let ended = Refusal(
        .closed, "This part has ended, so nothing can be added to it.", remedy: "Send the part again.")

    static func name(_ part: PartStaging.Part) -> String { "\(part.number).\(part.tag)" }

    fileprivate init(folder: consuming Descriptor, number: Int, path: String) throws(Refusal) {
        let name = "tmp-" + Digest(bytes: Chance.bytes(32)).text.prefix(32)
        let raw = uninterrupted {
            openat(folder.raw, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        }
        guard raw >= 0 else { throw FileTrouble(verb: .write, path: path).refusal() }
        (self.number, self.path) = (number, path)
        draft = UnfinishedFile(name, Descriptor(owning: raw), in: folder)
    }

    deinit { abort() }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(Refusal) {
        try draft.step(PartUpload.ended) { () throws(Refusal) in
            guard let base = bytes.baseAddress else { return }
            hash.update(bytes)
            var done = 0
            while done < bytes.count {
                let count = uninterrupted { Glibc.write(draft.file.raw, base + done, bytes.count - done) }
                guard count >= 0 else { throw FileTrouble(verb: .write, path: path).refusal() }
                done += count
            }
        }
    }

    /// Gives the part its name; what its sender names it by from then on.
    package func finish() throws(Refusal) -> PartStaging.Part {
        try draft.step(PartUpload.ended) { () throws(Refusal) in
            let part = PartStaging.Part(number: number, tag: hash.finish().text)
            let name = PartUpload.name(part)
            guard renameat(draft.folder.raw, draft.name, draft.folder.raw, name) == 0 else {
                throw FileTrouble(verb: .write, path: path).refusal()
            }
            draft.settle()
            for other in names(in: draft.folder) ?? [] where other.hasPrefix("\(number).") && other != name {
                unlinkat(draft.folder.raw, other, 0)
            }
            return part
        }
    }

    package func abort() { draft.giveUp() }
}
