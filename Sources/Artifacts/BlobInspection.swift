package import MartletDomain

/// Compares rows with files in both directions, for `fsck`.
package struct BlobInspection: Sendable {
    package enum Finding: Equatable, Sendable {
        /// A row whose bytes are gone.
        case missing(Blob)
        /// Bytes that no row knows, older than uploads take to get one. The collector removes them in time.
        case unknown(StoredBlob)
        case wrongSize(Blob, found: Int64)
        case damaged(Blob, found: Digest)
        /// The bytes could not be read.
        case unreadable(Blob, Refusal)
    }

    private let blobs: any BlobStore
    private let records: any BlobRecords

    package init(blobs: any BlobStore, records: any BlobRecords) { (self.blobs, self.records) = (blobs, records) }

    /// Reports each finding as it is made, and how many blobs were looked at. With `reading`, every byte is compared.
    package func run(
        now: Timestamp, reading: Bool, idleSeconds: Double = 86_400, found: (Finding) -> Void
    ) throws(Refusal) -> Int {
        var pairs = BlobPairs(records: records, store: blobs)
        var count = 0
        while let (_, row, file) = try pairs.next() {
            count += 1
            switch (row, file) {
            case (let row?, nil):
                // The collector, or a blob stored since the page of files was read, may have been quicker.
                if row.state == .live, try !blobs.contains(row.digest) { found(.missing(row)) }
            case (nil, let file?):
                if file.modified.adding(seconds: idleSeconds) <= now { found(.unknown(file)) }
            case (let row?, let file?):
                if row.size != file.size {
                    found(.wrongSize(row, found: file.size))
                } else if reading, let finding = compare(row) {
                    found(finding)
                }
            case (nil, nil): break
            }
        }
        return count
    }

    private func compare(_ row: Blob) -> Finding? {
        do throws(Refusal) {
            switch try blobs.verify(row.digest) {
            case .sound: return nil
            case .missing: return .missing(row)
            case .damaged(let found, _): return .damaged(row, found: found)
            }
        } catch {
            return .unreadable(row, error)
        }
    }
}
