import MartletDomain
import Synchronization

/// The names of the series that runs have, for the limit on them: kept for the runs that were written to lately.
///
/// What another process adds is seen when a run is loaded again, and what a rolled-back change added stays until then:
/// the limit guards against a loop that makes up names, and a few more or less do not matter to it.
final class SeriesNames: Sendable {
    private struct Known {
        var names: Set<String>
        var used: Int
        /// What was asked for or written last, all of it in `names`. A run mostly logs one list of names over and over,
        /// and a thousand names are compared in a tenth of the time in which they are hashed.
        var last: [String] = []
    }
    private struct State {
        var runs: [RunKey: Known] = [:]
        var total = 0
        var clock = 0

        /// Lets go of the half that was least lately used: to look for one at a time among thousands would take longer
        /// than what is remembered saves.
        mutating func forgetHalf(but run: RunKey) {
            let uses = runs.values.map(\.used).sorted()
            let middle = uses[uses.count / 2]
            runs = runs.filter { $0.key == run || $0.value.used > middle }
            total = runs.values.reduce(0) { $0 + $1.names.count + SeriesNames.runWeight }
        }
    }
    private let state = Mutex(State())
    /// What a run weighs beside its names: its set and list cost as much as so many names, and there may be 100,000 runs.
    private static let runWeight = 16
    /// In names: about 60 MB where runs have a thousand of them, about 15 MB where they have a few.
    private static let weightMax = 500_000

    /// How many names there are with these, nil when the run has to be loaded first.
    func count(of run: RunKey, with names: [String]) -> Int? {
        state.withLock { state in
            state.clock += 1
            guard let place = state.runs.index(forKey: run) else { return nil }
            state.runs.values[place].used = state.clock
            let known = state.runs.values[place]
            if known.last == names { return known.names.count }
            var fresh: Set<String> = []
            for name in names where !known.names.contains(name) { fresh.insert(name) }
            if fresh.isEmpty { state.runs.values[place].last = names }
            return known.names.count + fresh.count
        }
    }

    func load(_ run: RunKey, _ names: Set<String>) {
        state.withLock { state in
            state.total += names.count - (state.runs[run].map(\.names.count) ?? -Self.runWeight)
            state.runs[run] = Known(names: names, used: state.clock)
            if state.total > Self.weightMax { state.forgetHalf(but: run) }
        }
    }

    /// Notes names that were written, where the run is known.
    func add(_ run: RunKey, _ names: [String]) {
        state.withLock { state in
            guard let place = state.runs.index(forKey: run), state.runs.values[place].last != names else { return }
            let before = state.runs.values[place].names.count
            for name in names { state.runs.values[place].names.insert(name) }
            state.runs.values[place].last = names
            state.total += state.runs.values[place].names.count - before
        }
    }

    func forget(_ run: RunKey) {
        state.withLock { state in
            guard let known = state.runs.removeValue(forKey: run) else { return }
            state.total -= known.names.count + Self.runWeight
        }
    }
}
