package import MartletDomain

/// Takes away blobs that nothing refers to, in steps that may stop anywhere and go on at the next run.
package struct Collector: Sendable {
    private let blobs: any BlobStore
    private let records: any BlobRecords
    private let rules: CollectionRules
    /// Blobs in one transaction: enough to be quick, few enough that nobody waits long for the lock.
    private let batch: Int

    package init(
        blobs: any BlobStore, records: any BlobRecords, rules: CollectionRules = CollectionRules(), batch: Int = 100
    ) {
        (self.blobs, self.records, self.rules, self.batch) = (blobs, records, rules, batch)
    }

    package func run(now: Timestamp) throws(Refusal) -> CollectionReport {
        var report = CollectionReport()
        var pairs = BlobPairs(records: records, store: blobs)
        var candidates: [Digest] = []
        let logbook = try records.oldestOpenLogbook()
        while let (digest, row, file) = try pairs.next() {
            report.seen += 1
            var facts = CollectionRules.Facts(
                row: row, modified: file?.modified, isReferenced: false, oldestOpenLogbook: logbook, now: now)
            // References are the dear question, asked only where the answer matters.
            guard row?.state == .dying || rules.verdict(facts) != .keep else { continue }
            facts.isReferenced = try records.isReferenced(digest)
            guard rules.verdict(facts) != .keep else { continue }
            candidates.append(digest)
            if candidates.count == batch {
                try settle(candidates, now: now, &report)
                candidates.removeAll(keepingCapacity: true)
            }
        }
        if !candidates.isEmpty { try settle(candidates, now: now, &report) }
        report.erased = try blobs.eraseDiscarded(before: now.adding(seconds: -rules.trashSeconds))
        return report
    }

    /// Asks everything once more under the lock, and acts on that alone.
    private func settle(_ candidates: [Digest], now: Timestamp, _ report: inout CollectionReport) throws(Refusal) {
        var made = CollectionReport()
        let logbook = try records.oldestOpenLogbook()
        try records.change { change throws(Refusal) in
            made = CollectionReport()
            for digest in candidates {
                let row = try change.blob(digest)
                let file = try blobs.find(digest)
                let verdict = rules.verdict(
                    CollectionRules.Facts(
                        row: row, modified: file?.modified, isReferenced: try change.isReferenced(digest),
                        oldestOpenLogbook: logbook, now: now))
                let size = file?.size ?? row?.size ?? 0
                switch verdict {
                case .keep: break
                case .revive:
                    guard file != nil else { continue }
                    try change.put(Blob(digest: digest, size: size, seen: now))
                    made.revived += 1
                case .mark:
                    try change.put(Blob(digest: digest, size: size, state: .dying, seen: now))
                    made.marked += 1
                case .discard:
                    // Should the commit fail, a dying row without a file is left, which the next run removes.
                    _ = try blobs.discard(digest, now: now)
                    try change.removeBlob(digest)
                    made.discarded += 1
                    made.discardedBytes += size
                }
            }
        }
        report.marked += made.marked
        report.revived += made.revived
        report.discarded += made.discarded
        report.discardedBytes += made.discardedBytes
    }
}

package struct CollectionReport: Equatable, Sendable {
    package var seen = 0
    package var marked = 0
    package var revived = 0
    package var discarded = 0
    package var discardedBytes: Int64 = 0
    package var erased = BlobUsage()
    package init() {}
}
