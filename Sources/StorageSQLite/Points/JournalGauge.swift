import Synchronization

/// How full the journal is, for the high mark: counted now and then, and in between what this process adds.
///
/// 256 MiB or 20 million points are what compaction clears in some ten seconds and a read by run still answers from.
/// Between two counts the others' rows are not seen, so that the mark may be passed by what they write in that time.
final class JournalGauge: Sendable {
    struct Limits: Sendable {
        var bytes: Int64 = 256 << 20
        var points: Int64 = 20_000_000
    }

    private struct State {
        var limits = Limits()
        var bytes: Int64 = 0
        var points: Int64 = 0
        /// What was added since the last count; nil before the first.
        var uncounted: Int64?
        var isOver = false
        var checks = 0
    }

    private let state = Mutex(State())

    var limits: Limits {
        get { state.withLock { $0.limits } }
        set { state.withLock { $0.limits = newValue } }
    }

    func add(bytes: Int, points: Int) {
        state.withLock { state in
            state.bytes += Int64(bytes)
            state.points += Int64(points)
            state.uncounted? += Int64(bytes)
            judge(&state)
        }
    }

    func counted(_ sizes: (bytes: Int64, points: Int64)) {
        state.withLock { state in
            (state.bytes, state.points, state.uncounted) = (sizes.bytes, sizes.points, 0)
            judge(&state)
        }
    }

    /// Someone took rows away: count before the next one is refused.
    func recount() { state.withLock { $0.uncounted = nil } }

    /// Nothing waits, as far as this process knows.
    var isEmpty: Bool { state.withLock { $0.uncounted != nil && $0.bytes == 0 } }

    var isOver: Bool { state.withLock { $0.isOver } }

    /// Before the first row, after an eighth of the mark, and while rows are refused.
    var needsCounting: Bool {
        state.withLock { state in
            guard let uncounted = state.uncounted else { return true }
            if state.isOver {
                // A count looks at every row: not for each of a thousand impatient writers.
                state.checks += 1
                return state.checks % 64 == 0
            }
            return uncounted > state.limits.bytes / 8
        }
    }

    private func judge(_ state: inout State) {
        if state.bytes > state.limits.bytes || state.points > state.limits.points {
            state.isOver = true
        } else if state.bytes < state.limits.bytes / 4 * 3 && state.points < state.limits.points / 4 * 3 {
            state.isOver = false
        }
    }
}
