package import MartletArtifacts
package import MartletDomain
package import MartletStorage

/// What the store's rows say about blobs, for the collector and for `fsck`.
package struct StoreBlobRecords: BlobRecords {
    private let store: any Store
    /// The store's `logbooks`, whose lines may name blobs that have no row yet.
    private let logbooks: String

    package init(store: any Store, logbooks: String) { (self.store, self.logbooks) = (store, logbooks) }

    package func blobs(after: Digest?, limit: Int) throws(Refusal) -> [Blob] {
        try store.read { reader throws(Refusal) in try reader.blobs(after: after, limit: limit) }
    }

    package func isReferenced(_ digest: Digest) throws(Refusal) -> Bool {
        try store.read { reader throws(Refusal) in try reader.isReferenced(digest) }
    }

    package func change(_ body: (any BlobRecordsChange) throws(Refusal) -> Void) throws(Refusal) {
        try withoutActuallyEscaping(body) { body throws(Refusal) in
            let work = Borrowed(body)
            try store.write(.bulk) { tx throws(Refusal) in try work.body(TransactionBlobs(tx: tx)) }
        }
    }

    /// The write is waited for, so the closure does not outlive the call; the compiler cannot see that.
    private struct Borrowed: @unchecked Sendable {
        let body: (any BlobRecordsChange) throws(Refusal) -> Void
        init(_ body: @escaping (any BlobRecordsChange) throws(Refusal) -> Void) { self.body = body }
    }

    package func oldestOpenLogbook() throws(Refusal) -> Timestamp? {
        let folder = LogbookFolder(path: logbooks + "/live")
        // A file without a whole line yet may begin with anything: it counts from the epoch.
        return folder.names().map { folder.start(of: $0) ?? Timestamp(micros: 0) }.min()
    }
}

private struct TransactionBlobs: BlobRecordsChange {
    let tx: any StoreTransaction
    func blob(_ digest: Digest) throws(Refusal) -> Blob? { try tx.blob(digest) }
    func isReferenced(_ digest: Digest) throws(Refusal) -> Bool { try tx.isReferenced(digest) }
    func put(_ blob: Blob) throws(Refusal) { try tx.put(blob) }
    func removeBlob(_ digest: Digest) throws(Refusal) { try tx.removeBlob(digest) }
}
