import MartletDomain

/// When points are moved from the journal into packs and chunks, and how many at a time.
struct CompactionRules: Sendable {
    /// Younger rows stay, so that whoever follows the journal has seen them before they go.
    var settleSeconds: Double = 10
    /// A run that logs on is compacted from these on: fewer rows a pass rewrite each series' last chunk too often.
    var rowsMin = 4096
    var pointsMin: Int64 = 2_000_000
    var bytesMin: Int64 = 32 << 20
    /// A run that logs no more is compacted when its oldest row is as old as this.
    var idleSeconds: Double = 60
    /// What one pass takes, for the memory that it needs: 2 million points are 48 MB.
    var passRowsMax = 4096
    var passPointsMax = 2_000_000
    var passBytesMax = 16 << 20
    /// A round takes runs until it has this many points: of short runs many, of long ones one.
    var roundPointsMax = 250_000
    /// Of one series, whose points are installed at once: 2 MiB at 8 bytes a point.
    var passSeriesPointsMax = 1 << 18
    /// What one install writes, whole series though they are larger.
    var installBytesMax = 2 << 20

    init() {}

    /// What waits in the journal of one run.
    struct Share: Equatable, Sendable {
        var run: RunKey
        var rows: Int
        var points: Int64
        var bytes: Int64
        var oldest: Timestamp
        var newest: Timestamp
        var hasEnded: Bool
    }

    enum Reason {
        /// Someone asked: whatever is settled.
        case asked
        /// By itself: what is worth a pass.
        case due
        /// The journal is over its high mark: whatever there is.
        case full
    }

    /// Whether a row may go. A clock that was set back makes rows of the future; they are not waited for.
    func isSettled(_ at: Timestamp, now: Timestamp) -> Bool {
        let age = now.micros.subtractingReportingOverflow(at.micros)
        return age.overflow || abs(Double(age.partialValue)) >= settleSeconds * 1e6
    }

    /// The runs whose turn it is, the one with the most points first.
    func due(_ shares: [Share], _ reason: Reason, now: Timestamp) -> [Share] {
        shares.filter { isDue($0, reason, now: now) }.sorted { ($1.points, $0.run) < ($0.points, $1.run) }
    }

    func isDue(_ share: Share, _ reason: Reason, now: Timestamp) -> Bool {
        if reason == .full || share.hasEnded { return true }
        guard isSettled(share.oldest, now: now) else { return false }
        if reason == .asked { return true }
        if share.rows >= rowsMin || share.points >= pointsMin || share.bytes >= bytesMin { return true }
        let idle = now.adding(seconds: -idleSeconds)
        return share.newest < idle || share.newest > now.adding(seconds: settleSeconds)
    }

    /// Whether a row of a run goes in this pass, once the run is chosen.
    func takes(rowOf share: Share, at: Timestamp, _ reason: Reason, now: Timestamp) -> Bool {
        reason == .full || share.hasEnded || isSettled(at, now: now)
    }
}
