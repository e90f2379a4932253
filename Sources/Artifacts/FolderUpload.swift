import CCrypto
import Glibc
import MartletDomain
import Synchronization

/// An upload into a folder: hashed as it is written, in memory that does not grow with the file.
///
/// The lock makes `@unchecked Sendable` true: a request's body may come from one thread and its end from another.
final class FolderUpload: BlobUpload, @unchecked Sendable {
    private let draft: UnfinishedFile
    private let store: FolderBlobStore
    private let expected: ExpectedBlob
    private let hash = SHA256()
    /// Pieces smaller than this are gathered, since each write is a call into the kernel.
    private let buffer: UnsafeMutableRawBufferPointer
    private var buffered = 0
    private var written: Int64 = 0
    private var handedToDisk: Int64 = 0

    private static let ended = Refusal(
        .closed, "This upload has ended, so nothing can be added to it.", remedy: "Begin a new upload.")

    init(store: FolderBlobStore, folder: consuming Descriptor, expected: ExpectedBlob) throws(Refusal) {
        let name = Digest(bytes: Chance.bytes(32)).text.prefix(32)
        let raw = uninterrupted {
            openat(folder.raw, String(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        }
        guard raw >= 0 else { throw store.trouble(.write, "tmp") }
        self.store = store
        self.expected = expected
        draft = UnfinishedFile(String(name), Descriptor(owning: raw), in: folder)
        buffer = .allocate(byteCount: 1 << 18, alignment: 4096)
    }

    deinit {
        abort()
        buffer.deallocate()
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(Refusal) {
        try draft.step(FolderUpload.ended) { () throws(Refusal) in try take(bytes) }
    }

    func finish(now: Timestamp) throws(Refusal) -> FinishedBlob {
        try draft.step(FolderUpload.ended) { () throws(Refusal) in
            try flush()
            let digest = hash.finish()
            try compare(digest)
            guard fsync(draft.file.raw) == 0 else { throw store.trouble(.write, "tmp") }
            var blob = FinishedBlob(digest: digest, size: written, isNew: true)
            blob.isNew = try store.settle(draft.name, in: draft.folder, as: blob, now: now)
            draft.settle()
            return blob
        }
    }

    func abort() {
        draft.giveUp()
    }

    private func take(_ bytes: UnsafeRawBufferPointer) throws(Refusal) {
        if let size = expected.size, written + Int64(buffered) + Int64(bytes.count) > size {
            throw Refusal(
                .invalid, "More than the \(size) bytes that were announced have come.",
                remedy: "Send the file's true size, and the file unchanged while it is sent.", field: "size")
        }
        var rest = bytes
        while !rest.isEmpty {
            if buffered == 0, rest.count >= buffer.count {
                try put(rest)
                return
            }
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(buffer.count - buffered))
            UnsafeMutableRawBufferPointer(rebasing: buffer[buffered...]).copyMemory(from: piece)
            buffered += piece.count
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
            if buffered == buffer.count { try flush() }
        }
    }

    private func flush() throws(Refusal) {
        guard buffered > 0 else { return }
        let count = buffered
        buffered = 0
        try put(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }

    /// Every 8 MiB the kernel is asked to begin with the disk, so that `fsync` at the end finds little left to do.
    private func put(_ bytes: UnsafeRawBufferPointer) throws(Refusal) {
        hash.update(bytes)
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let count = uninterrupted { Glibc.write(draft.file.raw, base + done, bytes.count - done) }
            guard count >= 0 else { throw store.trouble(.write, "tmp") }
            done += count
        }
        written += Int64(bytes.count)
        if written - handedToDisk >= 8 << 20 {
            martlet_start_writing(draft.file.raw, handedToDisk, written - handedToDisk)
            handedToDisk = written
        }
    }

    private func compare(_ digest: Digest) throws(Refusal) {
        if let size = expected.size, size != written {
            throw Refusal(
                .invalid, "\(size) bytes were announced and \(written) have come.",
                remedy: "Send the whole file again.", field: "size")
        }
        if let told = expected.digest, told != digest {
            throw Refusal(
                .invalid, "The file was announced with SHA-256 \(told) and has \(digest).",
                remedy: "Send the file again; when this stays, its digest was taken from other bytes.",
                field: "sha256")
        }
    }
}
