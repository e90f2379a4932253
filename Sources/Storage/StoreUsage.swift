package import MartletDomain

/// Bytes of one run, by what they are.
package struct RunBytes: Equatable, Sendable {
    /// Points in their compressed form, and what sums them up.
    package var points: Int64 = 0
    /// Points as they arrived, which wait to be compressed.
    package var journal: Int64 = 0
    /// Params, tags, notes, facts and summaries.
    package var record: Int64 = 0
    package var console: Int64 = 0
    /// Rich values and their files.
    package var media: Int64 = 0
    package var artifacts: Int64 = 0

    package init() {}

    package var total: Int64 { points + journal + record + console + media + artifacts }

    /// What is in the database; the rest is files.
    package static func += (a: inout RunBytes, b: RunBytes) {
        a.points += b.points
        a.journal += b.journal
        a.record += b.record
        a.console += b.console
        a.media += b.media
        a.artifacts += b.artifacts
    }
}

/// Where a store's bytes are. A file that several refer to is stored once and counted once: with the run that had it
/// first.
package struct StoreUsage: Sendable {
    package struct OfRun: Sendable {
        package var run: RunKey
        package var experiment: ExperimentID
        package var bytes: RunBytes
        package init(run: RunKey, experiment: ExperimentID, bytes: RunBytes) {
            (self.run, self.experiment, self.bytes) = (run, experiment, bytes)
        }
    }

    /// In order of experiment, then of key; every run that is not deleted for good.
    package var runs: [OfRun] = []
    /// Files of named artifacts and of documents that no run has.
    package var projects: [ProjectID: Int64] = [:]
    /// Files that nothing refers to any more, until they are collected.
    package var unclaimed: Int64 = 0
    /// How long the database's files are; what of it is in no run is indexes, names, the audit trail, free pages.
    package var database: Int64 = 0
    /// What of `runs` lies in the database.
    package var inDatabase: Int64 = 0

    package init() {}
}
