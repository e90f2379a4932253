package import MartletDomain

/// What the store's rows say about blobs, as the collector and `fsck` ask for it.
package protocol BlobRecords: Sendable {
    /// Rows in order of their digests.
    func blobs(after: Digest?, limit: Int) throws(Refusal) -> [Blob]
    func isReferenced(_ digest: Digest) throws(Refusal) -> Bool
    /// When the oldest logbook began that is still written or not yet adopted; its lines may name blobs without a row.
    func oldestOpenLogbook() throws(Refusal) -> Timestamp?
    /// Runs the body in one write transaction, under the store's lock.
    func change(_ body: (any BlobRecordsChange) throws(Refusal) -> Void) throws(Refusal)
}

/// The rows of blobs inside a write transaction.
package protocol BlobRecordsChange {
    func blob(_ digest: Digest) throws(Refusal) -> Blob?
    func isReferenced(_ digest: Digest) throws(Refusal) -> Bool
    func put(_ blob: Blob) throws(Refusal)
    func removeBlob(_ digest: Digest) throws(Refusal)
}

extension BlobRecordsChange {
    /// Makes a blob's row live, in the transaction that adds a reference to it; false: the bytes must come again.
    ///
    /// The collector moves files under the same lock, so what is there now stays there until the reference is in.
    /// A file that it took away while the upload was on its way is taken back.
    package func admit(_ digest: Digest, now: Timestamp, in store: some BlobStore) throws(Refusal) -> Bool {
        if let row = try blob(digest), row.state == .live {
            if row.seen < now { try put(Blob(digest: digest, size: row.size, seen: now)) }
            return true
        }
        if try !store.contains(digest) {
            guard try store.rescue(digest, now: now) else { return false }
        }
        guard let size = try store.size(digest) else { return false }
        try put(Blob(digest: digest, size: size, seen: now))
        return true
    }
}

/// Rows and files side by side, in order of their digests, a page of each at a time.
struct BlobPairs {
    private var rows: Pages<Blob>
    private var files: Pages<StoredBlob>

    init(records: any BlobRecords, store: any BlobStore, page: Int = 1000) {
        rows = Pages(page: page, digest: \.digest) { after, limit throws(Refusal) in
            try records.blobs(after: after, limit: limit)
        }
        files = Pages(page: page, digest: \.digest) { after, limit throws(Refusal) in
            try store.list(after: after, limit: limit)
        }
    }

    mutating func next() throws(Refusal) -> (digest: Digest, row: Blob?, file: StoredBlob?)? {
        let row = try rows.peek()
        let file = try files.peek()
        guard let digest = [row?.digest, file?.digest].compactMap({ $0 }).min() else { return nil }
        let isRow = row?.digest == digest
        let isFile = file?.digest == digest
        if isRow { rows.advance() }
        if isFile { files.advance() }
        return (digest, isRow ? row : nil, isFile ? file : nil)
    }
}

private struct Pages<Element> {
    typealias Fetch = (Digest?, Int) throws(Refusal) -> [Element]
    private let page: Int
    private let digest: (Element) -> Digest
    private let fetch: Fetch
    private var elements: [Element] = []
    private var at = 0
    private var last: Digest?
    private var isLastPage = false

    init(page: Int, digest: @escaping (Element) -> Digest, fetch: @escaping Fetch) {
        (self.page, self.digest, self.fetch) = (page, digest, fetch)
    }

    mutating func peek() throws(Refusal) -> Element? {
        if at == elements.count, !isLastPage {
            elements = try fetch(last, page)
            at = 0
            isLastPage = elements.count < page
            last = elements.last.map(digest) ?? last
        }
        return at < elements.count ? elements[at] : nil
    }

    mutating func advance() { at += 1 }
}
