import Glibc
import MartletEngine
import Synchronization

/// Sentences for the person before the screen: few, because they stand among what the program itself prints.
final class Notices: Sendable {
    private struct State {
        var saidAt: Int64?
        var suppressed = 0
        var isInTrouble = false
    }
    private let state = Mutex(State())
    private let write: @Sendable (String) -> Void
    private static let pauseMicros: Int64 = 60_000_000

    init(_ write: (@Sendable (String) -> Void)?) {
        self.write = write ?? { if !Machine.isQuiet { Machine.writeError("martlet: \($0)\n") } }
    }

    /// Where a program's runs go; once.
    func greet(_ sentence: String) { write(sentence) }

    /// A problem, at most once a minute; how many were not said is said with the next one.
    func tell(_ sentence: String, isAway: Bool) {
        let now = SystemClock().monotonic
        let suppressed = state.withLock { state -> Int? in
            if let last = state.saidAt, now - last < Notices.pauseMicros {
                state.suppressed += 1
                return nil
            }
            defer { state.suppressed = 0 }
            state.saidAt = now
            state.isInTrouble = isAway
            return state.suppressed
        }
        guard let suppressed else { return }
        write(suppressed == 0 ? sentence : "\(sentence) (\(suppressed) more were not shown.)")
    }

    /// The store answers again. Said only where it was said that it did not, so that nobody goes on worrying.
    func recovered(_ place: String) {
        let wasInTrouble = state.withLock { state in
            defer { state.isInTrouble = false }
            return state.isInTrouble
        }
        if wasInTrouble { write("\(place) takes what is logged.") }
    }
}
