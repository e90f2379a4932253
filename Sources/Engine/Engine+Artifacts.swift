package import MartletArtifacts
package import MartletDomain
package import MartletStorage

// The rows of blobs, as uploads, the collector and `fsck` need them.

/// The rows inside one transaction.
package struct LedgerBlobs: BlobRecordsChange {
    let ledger: Ledger
    package init(_ ledger: Ledger) { self.ledger = ledger }

    package func blob(_ digest: Digest) throws(Refusal) -> Blob? { try ledger.tx.blob(digest) }
    package func isReferenced(_ digest: Digest) throws(Refusal) -> Bool { try ledger.tx.isReferenced(digest) }
    package func put(_ blob: Blob) throws(Refusal) { try ledger.tx.put(blob) }
    package func removeBlob(_ digest: Digest) throws(Refusal) { try ledger.tx.removeBlob(digest) }
}

extension Ledger {
    /// An artifact whose bytes were just stored: first the blob's row, then the reference to it.
    package func addStored(_ artifact: Artifact, in blobs: any BlobStore) throws(Refusal) -> Artifact {
        if let digest = artifact.digest { try admit(digest, in: blobs) }
        return try addArtifact(artifact)
    }

    /// Makes sure that a blob stays for as long as this transaction's reference to it.
    package func admit(_ digest: Digest, in blobs: any BlobStore) throws(Refusal) {
        guard try LedgerBlobs(self).admit(digest, now: now, in: blobs) else {
            throw Refusal(
                .invalid, "The bytes with SHA-256 \(digest) are not in the store.",
                remedy: "Upload them first: PUT /api/v1/runs/{run}/artifacts/{path}.", field: "sha256")
        }
    }
}
