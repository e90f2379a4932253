import Glibc
package import MartletDomain

/// A file on this machine, open for reading for as long as someone holds it.
///
/// Reading names its offset, so any number of readers may share one.
package final class LocalFile: BlobFile {
    private let file: Descriptor
    private let path: String
    package let size: Int64
    package let modified: Timestamp

    init(_ file: consuming Descriptor, facts: FileFacts, path: String) {
        self.file = file
        self.path = path
        size = facts.size
        modified = facts.modified
    }

    package func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(Refusal) -> Int {
        guard let base = buffer.baseAddress, offset >= 0 else { return 0 }
        var done = 0
        while done < buffer.count {
            let count = uninterrupted {
                pread(file.raw, base + done, buffer.count - done, off_t(offset) + off_t(done))
            }
            guard count >= 0 else { throw FileTrouble(verb: .read, path: path).refusal() }
            if count == 0 { break }
            done += count
        }
        return done
    }

    package func duplicateDescriptor() throws(Refusal) -> Int32? {
        let copy = fcntl(file.raw, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw FileTrouble(verb: .read, path: path).refusal() }
        return copy
    }

    /// The digest of what the file holds now.
    func digest() throws(Refusal) -> (digest: Digest, size: Int64) {
        let hash = SHA256()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while true {
            let count = try read(at: offset, into: buffer)
            if count == 0 { return (hash.finish(), offset) }
            hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += Int64(count)
        }
    }
}
