// Where the bytes of artifacts are: kept once for each content, named by their SHA-256, in a folder or in whatever
// else keeps the promises of `BlobStore`. Around that stand what bytes need on their way out (types by name, headers
// that make a file harmless in a browser), the folders of the operator that may be read beside the store, and the
// collector that takes away what nothing refers to. This room knows files, not rows: who refers to a blob is asked
// through `BlobRecords`, which the Engine answers.
package import MartletDomain

/// Bytes by their digest.
///
/// A blob is complete and on disk before `finish` answers, and never changes afterwards. Who stores one then writes
/// the row that refers to it, in a transaction that calls `BlobRecordsChange.admit`.
package protocol BlobStore: Sendable {
    /// Begins an upload. What is known of the content in advance is checked.
    func begin(expecting: ExpectedBlob) throws(Refusal) -> any BlobUpload
    func open(_ digest: Digest) throws(Refusal) -> any BlobFile
    /// What is there, without opening it.
    func find(_ digest: Digest) throws(Refusal) -> StoredBlob?
    /// Says that a blob is in use as of now, which holds the collector off; false when it is not there.
    func touch(_ digest: Digest, now: Timestamp) throws(Refusal) -> Bool
    /// Stored blobs in order of their digests.
    func list(after: Digest?, limit: Int) throws(Refusal) -> [StoredBlob]
    func usage() throws(Refusal) -> BlobUsage
    /// Reads everything and compares.
    func verify(_ digest: Digest) throws(Refusal) -> BlobHealth

    /// Puts a blob where only `rescue` finds it; false when it was not there.
    func discard(_ digest: Digest, now: Timestamp) throws(Refusal) -> Bool
    /// Takes a discarded blob back into use; false when it is gone for good.
    func rescue(_ digest: Digest, now: Timestamp) throws(Refusal) -> Bool
    /// Erases what was discarded before this.
    func eraseDiscarded(before: Timestamp) throws(Refusal) -> BlobUsage
}

extension BlobStore {
    package func begin() throws(Refusal) -> any BlobUpload { try begin(expecting: ExpectedBlob()) }
    package func contains(_ digest: Digest) throws(Refusal) -> Bool { try find(digest) != nil }
    package func size(_ digest: Digest) throws(Refusal) -> Int64? { try find(digest)?.size }
}

/// An upload on its way: written piece by piece, then finished or aborted. One that is let go was aborted.
package protocol BlobUpload: AnyObject, Sendable {
    /// The bytes are taken before this returns.
    func write(_ bytes: UnsafeRawBufferPointer) throws(Refusal)
    /// Ends the upload; when this returns, the bytes survive a power cut.
    func finish(now: Timestamp) throws(Refusal) -> FinishedBlob
    func abort()
}

extension BlobUpload {
    package func write(_ bytes: [UInt8]) throws(Refusal) {
        // The closure cannot throw a typed error through `withUnsafeBytes`, so the outcome is carried out of it.
        let outcome = bytes.withUnsafeBytes { buffer in
            Result { () throws(Refusal) in try write(buffer) }
        }
        try outcome.get()
    }
}

/// A blob that is open for reading.
package protocol BlobFile: AnyObject, Sendable {
    var size: Int64 { get }
    var modified: Timestamp { get }
    /// Reads from an offset until the buffer is full or the file ends; how many bytes that were.
    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(Refusal) -> Int
    /// A descriptor of the caller's own, to send the file from the kernel; nil when no local file stands behind it.
    func duplicateDescriptor() throws(Refusal) -> Int32?
}

extension BlobFile {
    /// The bytes of a small range; what lies behind the end is left out.
    package func read(_ range: Range<Int64>) throws(Refusal) -> [UInt8] {
        let range = range.clamped(to: 0..<size)
        var outcome: Result<Int, Refusal> = .success(0)
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            outcome = Result { () throws(Refusal) in
                try read(at: range.lowerBound, into: UnsafeMutableRawBufferPointer(buffer))
            }
            count = (try? outcome.get()) ?? 0
        }
        _ = try outcome.get()
        return bytes
    }
}

/// What an uploader says of the content in advance.
package struct ExpectedBlob: Equatable, Sendable {
    package var digest: Digest?
    package var size: Int64?
    package init(digest: Digest? = nil, size: Int64? = nil) { (self.digest, self.size) = (digest, size) }
}

package struct FinishedBlob: Equatable, Sendable {
    package var digest: Digest
    package var size: Int64
    /// False when the same bytes were there before.
    package var isNew: Bool
}

package struct StoredBlob: Equatable, Sendable {
    package var digest: Digest
    package var size: Int64
    /// When it was stored, or last said to be in use.
    package var modified: Timestamp
    package init(digest: Digest, size: Int64, modified: Timestamp) {
        (self.digest, self.size, self.modified) = (digest, size, modified)
    }
}

package struct BlobUsage: Equatable, Sendable {
    package var files = 0
    /// What the files hold.
    package var bytes: Int64 = 0
    /// What they take on disk.
    package var bytesOnDisk: Int64 = 0
    package init() {}
}

package enum BlobHealth: Equatable, Sendable {
    case sound(size: Int64)
    case missing
    /// The bytes are others than were stored; this is what they are now.
    case damaged(found: Digest, size: Int64)
}
