import MartletThreads

extension Courier {
    /// What the threads know, and others may ask.
    struct Desk {
        var outbox: Outbox
        /// Calls up to this one are in the outbox, or settled.
        var taken = 0
        var uploads: [Upload] = []
        /// Runs of which something may still come or wait.
        var runs: [String: Begun] = [:]
        var runCount = 0
        var failures = 0
        var problem: String?
        /// Whether the problem is that the store does not answer, which passes.
        var isAway = false
        var retryAt: Int64 = 0
        var lastSent: Int64 = 0
        /// The last line that is in the file of those that wait for a server; 0 while there is no file.
        var spilled: Int64 = 0
        var hasGreeted = false
        var isClosed = false
        var bells: [ObjectIdentifier: Bell] = [:]
    }

    /// A run with the line that began it, for a store that has lost it.
    struct Begun {
        var line: Outbox.Line
        var number: Int
        var hasEnded = false
    }
}

extension Courier.Desk {
    var openRuns: [String] { runs.filter { !$0.value.hasEnded }.map(\.key) }

    /// In the order in which the runs began, which their short ids follow.
    var openings: [Outbox.Line] { runs.values.sorted { $0.number < $1.number }.map(\.line) }

    /// Calls up to this one that are not settled.
    func waiting(through target: Int) -> Int {
        let uploads = uploads.count { $0.ordinal <= target }
        guard taken >= target else { return outbox.count + target - taken + uploads }
        guard let first = outbox.firstOrdinal, first <= target else { return uploads }
        return min(outbox.count, target - first + 1) + uploads
    }

    /// The first file whose run the store knows.
    var readyUpload: Upload? {
        guard !isClosed, let upload = uploads.first, taken >= upload.ordinal else { return nil }
        if let waiting = outbox.firstOrdinal, waiting < upload.ordinal { return nil }
        return upload
    }
}
