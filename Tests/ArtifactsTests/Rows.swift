import MartletArtifacts
import MartletDomain
import Synchronization

/// Rows in memory, with a hook that runs as the lock is taken: what someone else does at the last moment.
final class Rows: BlobRecords {
    struct State {
        var blobs: [Digest: Blob] = [:]
        var references: Set<Digest> = []
        var logbook: Timestamp?
        var transactions = 0
        var failsNextCommit = false
        var beforeNext: (@Sendable () -> Void)?
    }
    let state = Mutex(State())

    func blobs(after: Digest?, limit: Int) -> [Blob] {
        state.withLock { state in
            Array(
                state.blobs.values.filter { row in after.map { $0 < row.digest } ?? true }
                    .sorted { $0.digest < $1.digest }.prefix(limit))
        }
    }

    func isReferenced(_ digest: Digest) -> Bool { state.withLock { $0.references.contains(digest) } }
    func oldestOpenLogbook() -> Timestamp? { state.withLock { $0.logbook } }
    func row(_ digest: Digest) -> Blob? { state.withLock { $0.blobs[digest] } }

    func add(_ digest: Digest, referenced: Bool = false, seen: Timestamp = someDay) {
        state.withLock {
            $0.blobs[digest] = Blob(digest: digest, size: 3, seen: seen)
            if referenced { $0.references.insert(digest) }
        }
    }

    func change(_ body: (any BlobRecordsChange) throws(Refusal) -> Void) throws(Refusal) {
        let before = state.withLock { state in
            state.transactions += 1
            defer { state.beforeNext = nil }
            return state.beforeNext
        }
        before?()
        let change = Change(rows: self)
        try body(change)
        let fails = state.withLock { state in
            defer { state.failsNextCommit = false }
            return state.failsNextCommit
        }
        if fails { throw Refusal(.io, "The commit failed.", remedy: "Try again.") }
        state.withLock { state in
            for (digest, row) in change.made { state.blobs[digest] = row }
        }
    }

    final class Change: BlobRecordsChange {
        private let rows: Rows
        var made: [Digest: Blob?] = [:]
        init(rows: Rows) { self.rows = rows }
        func blob(_ digest: Digest) -> Blob? { made[digest] ?? rows.row(digest) }
        func isReferenced(_ digest: Digest) -> Bool { rows.isReferenced(digest) }
        func put(_ blob: Blob) { made[blob.digest] = .some(blob) }
        func removeBlob(_ digest: Digest) { made[digest] = .some(nil) }
    }
}
