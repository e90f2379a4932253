/// What a run is doing, in the seven words that the product reasons with.
package enum RunState: UInt8, Sendable, CaseIterable {
    case queued, running, finished, failed, cancelled, lost, archived

    package var word: String {
        switch self {
        case .queued: "queued"
        case .running: "running"
        case .finished: "finished"
        case .failed: "failed"
        case .cancelled: "cancelled"
        case .lost: "lost"
        case .archived: "archived"
        }
    }

    package var isEnded: Bool { self != .queued && self != .running }
}

/// Whether a run may stand as a result: only `ok` runs can be the best one.
package enum Verdict: UInt8, Sendable { case ok, bad, active }

/// The word that someone gave, kept as given, beside the state that it means.
///
/// Five vocabularies meet here (`done`, `FINISHED`, `completed`, `KILLED`, `overfit` …). The word is echoed back;
/// comparisons go by state.
package struct Status: Hashable, Sendable {
    package var state: RunState
    package var word: String

    package init(state: RunState, word: String) {
        self.state = state
        self.word = word
    }

    /// Reads any word. One that no vocabulary has is taken for an ending of its own: finished, as good as any.
    package init(word: String) {
        let known = Status.synonyms[word.lowercased()]
        self.init(state: known?.state ?? .finished, word: word)
    }

    package static let running = Status(state: .running, word: "running")

    package var verdict: Verdict {
        if !state.isEnded { return .active }
        if let known = Status.synonyms[word.lowercased()], known.state == state { return known.verdict }
        switch state {
        case .finished, .archived: return .ok
        default: return .bad
        }
    }

    package static func isKnown(_ word: String) -> Bool { synonyms[word.lowercased()] != nil }

    private static let synonyms: [String: (state: RunState, verdict: Verdict)] = {
        var table: [String: (state: RunState, verdict: Verdict)] = [:]
        func add(_ state: RunState, _ verdict: Verdict, _ words: String) {
            for word in words.split(separator: " ") { table[String(word)] = (state, verdict) }
        }
        add(.queued, .active, "queued scheduled pending planned created waiting")
        add(.running, .active, "running active started in_progress resumed")
        add(.finished, .ok, "finished done completed complete success succeeded ok passed")
        add(.finished, .bad, "overfit underfit diverged unstable rejected")
        add(.failed, .bad, "failed fail failure error crashed oom timeout")
        add(.cancelled, .bad, "cancelled canceled killed stopped aborted preempted pruned interrupted")
        add(.lost, .bad, "lost stale unknown_end")
        add(.archived, .ok, "archived")
        return table
    }()
}
