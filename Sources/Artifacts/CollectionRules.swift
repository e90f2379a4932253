package import MartletDomain

/// When a blob may go: the decision alone, made of what is known at one moment.
///
/// Whoever stores a blob does so before anything refers to it, so a missing reference proves little at first. A blob
/// goes only after it was left alone for a day, no logbook can still name it, and an hour's notice has passed; and
/// then into the trash, where it can be taken back from for another day.
package struct CollectionRules: Equatable, Sendable {
    package var idleSeconds: Double = 86_400
    package var noticeSeconds: Double = 3600
    package var trashSeconds: Double = 86_400

    package init() {}

    package struct Facts: Equatable, Sendable {
        package var row: Blob?
        /// When the file was stored or last said to be in use; nil when it is not there.
        package var modified: Timestamp?
        package var isReferenced: Bool
        package var oldestOpenLogbook: Timestamp?
        package var now: Timestamp
        package init(
            row: Blob?, modified: Timestamp?, isReferenced: Bool, oldestOpenLogbook: Timestamp?, now: Timestamp
        ) {
            (self.row, self.modified, self.isReferenced) = (row, modified, isReferenced)
            (self.oldestOpenLogbook, self.now) = (oldestOpenLogbook, now)
        }
    }

    package enum Verdict: Equatable, Sendable {
        case keep
        /// Someone refers to a file that has no live row: give it one.
        case revive
        /// Give notice: the row says dying from now on.
        case mark
        /// Remove the row, put the file in the trash.
        case discard
    }

    package func verdict(_ facts: Facts) -> Verdict {
        if facts.isReferenced { return facts.row?.state == .live ? .keep : .revive }
        guard let row = facts.row, row.state == .dying else {
            let used = [facts.row?.seen, facts.modified].compactMap { $0 }.max()
            guard let used else { return .keep }
            let isIdle = used.adding(seconds: idleSeconds) <= facts.now
            return isIdle && !mayBeNamed(used, facts) ? .mark : .keep
        }
        // A dying row's time is that of the notice. A file that was touched since then was uploaded again.
        if let modified = facts.modified {
            if modified > row.seen { return .revive }
            if mayBeNamed(modified, facts) { return .keep }
        }
        return row.seen.adding(seconds: noticeSeconds) <= facts.now ? .discard : .keep
    }

    /// A logbook's writer stores a blob, or touches it, after the logbook's beginning and before the line that names it.
    private func mayBeNamed(_ used: Timestamp, _ facts: Facts) -> Bool {
        facts.oldestOpenLogbook.map { $0 <= used } ?? false
    }
}
