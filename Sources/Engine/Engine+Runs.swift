package import MartletDomain
package import MartletStorage

// Use cases about runs that more than one face needs.
extension Engine {
    /// Finds a run and checks the caller's rights on it, in the transaction that changes it.
    package func writable(
        _ text: String, in experiment: String? = nil, by caller: Caller, _ ledger: Ledger,
        _ strictness: ReferenceStrictness = .any
    ) throws(Refusal) -> Run {
        var scope: ExperimentID?
        if let experiment { scope = try ledger.tx.resolveExperiment(experiment, for: caller).id }
        let run = try ledger.tx.resolveRun(text, in: scope, strictness, for: caller)
        try caller.require(.write, on: run.project)
        return run
    }

    package func readable(
        _ text: String, in experiment: String? = nil, by caller: Caller, _ reader: any StoreReader
    ) throws(Refusal) -> Run {
        var scope: ExperimentID?
        if let experiment { scope = try reader.resolveExperiment(experiment, for: caller).id }
        let run = try reader.resolveRun(text, in: scope, for: caller)
        try caller.require(.read, on: run.project)
        return run
    }

    /// The best run of an experiment by a metric: among runs that ended well, NaN never wins, ties are named.
    package func best(
        of experiment: ExperimentID, metric: String, goal: Goal?, filter: String? = nil, by caller: Caller
    ) throws(Refusal) -> BestRuns {
        let direction: Goal
        let guessed: Bool
        if let goal {
            (direction, guessed) = (goal, false)
        } else {
            let defined = try read { (reader: any StoreReader) throws(Refusal) in
                try reader.goal(of: metric, in: experiment)
            }
            direction = defined ?? Goal.guess(for: metric) ?? .max
            guessed = defined == nil
        }
        var request = SearchRequest()
        request.experiments = ["id:\(experiment)"]
        request.filter = filter ?? ""
        request.limit = 10_000
        request.parts = [.metrics]
        var candidates: [RunView] = []
        var page = try search(request, by: caller)
        while true {
            candidates += page.runs.filter { view in
                view.run.status.verdict == .ok && !(view.metric(metric) ?? .nan).isNaN
            }
            guard let next = page.nextPageToken else { break }
            request.pageToken = next
            page = try search(request, by: caller)
        }
        let values = candidates.compactMap { $0.metric(metric) }
        guard let best = direction == .max ? values.max() : values.min() else {
            return BestRuns(runs: [], value: nil, goal: direction, isGuessed: guessed)
        }
        let winners = candidates.filter { $0.metric(metric) == best }.sorted { $0.run.number < $1.run.number }
        return BestRuns(runs: winners, value: best, goal: direction, isGuessed: guessed)
    }
}

package struct BestRuns: Sendable {
    /// More than one where they tie, in order of number.
    package var runs: [RunView]
    package var value: Double?
    package var goal: Goal
    /// Nobody said which way is better; the metric's name did.
    package var isGuessed: Bool
}

extension StoreReader {
    /// The goal that a metric's definition in the experiment gives, if any.
    package func goal(of metric: String, in experiment: ExperimentID) throws(Refusal) -> Goal? {
        try metricDefinition(for: metric, in: experiment)?.goal
    }

    /// The definition whose glob fits best: the exact name, else the longest pattern, the latest of each.
    package func metricDefinition(
        for metric: String, in experiment: ExperimentID
    ) throws(Refusal) -> MetricDefinition? {
        var latest: [String: String] = [:]
        for item in try items(of: .experiment(experiment), kind: "metric", key: nil) { latest[item.key] = item.data }
        guard let key = Glob.best(of: Array(latest.keys), for: metric) else { return nil }
        return MetricDefinition(glob: key, json: latest[key] ?? "{}")
    }
}
