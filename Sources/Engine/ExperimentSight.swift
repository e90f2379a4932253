package import MartletDomain
package import MartletStorage

/// An experiment as a comparison sees it: of each metric how many runs have it, how they spread, and the best one.
package struct ExperimentSight: Sendable {
    package struct Metric: Sendable {
        package var name: String
        /// Runs with a number here; those with NaN or infinity are counted apart, and not in what follows.
        package var count = 0
        package var notFinite = 0
        package var mean: Double?
        /// Of a sample; nil below two runs.
        package var deviation: Double?
        package var least: Double?
        package var greatest: Double?
        /// The earliest of those that have the best value.
        package var best: (run: Run, value: Double)?
    }

    package var experiment: Experiment
    package var project: Project
    /// Runs that did not go wrong, of which the newest were looked at.
    package var lookedAt: Int
    package var total: Int
    package var metrics: [Metric]
    /// The newest ones, in the order of their start.
    package var runs: [RunView]
}

/// A metric with what is known of its direction over several experiments.
package struct ComparedMetric: Sendable {
    package var name: String
    /// Nil where definitions contradict one another.
    package var goal: Goal?
    package var isGuessed: Bool
}

extension Engine {
    /// Runs of one experiment that a comparison looks through.
    package static let comparedRunsMax = 5_000
    /// Metrics that are compared where none were named.
    package static let comparedMetricsMax = 20

    /// The metrics that all of these experiments have, else those that any has; without what the machine was doing.
    package func commonMetrics(of experiments: [Experiment], _ reader: any StoreReader) throws(Refusal) -> [String] {
        var sets: [Set<String>] = []
        for experiment in experiments {
            sets.append(Set(try names(in: experiment, reader).metrics.filter { !$0.hasPrefix("system/") }))
        }
        let shared = sets.dropFirst().reduce(sets.first ?? []) { $0.intersection($1) }
        let found = shared.isEmpty ? sets.reduce([]) { $0.union($1) } : shared
        return Array(found.sorted(by: precedes).prefix(Engine.comparedMetricsMax))
    }

    package func compared(
        _ metrics: [String], in experiments: [ExperimentID], _ reader: any StoreReader
    ) throws(Refusal) -> [ComparedMetric] {
        var answers: [ComparedMetric] = []
        for metric in metrics {
            var stated: Set<Goal> = []
            for experiment in Set(experiments) {
                if let goal = try reader.goal(of: metric, in: experiment) { stated.insert(goal) }
            }
            answers.append(
                ComparedMetric(
                    name: metric,
                    goal: stated.isEmpty ? Goal.guess(for: metric) : stated.count == 1 ? stated.first : nil,
                    isGuessed: stated.isEmpty))
        }
        return answers
    }

    /// What stands in one experiment now; `sample` is how many of its runs are kept one by one.
    package func sight(
        of experiment: Experiment, _ metrics: [ComparedMetric], sample: Int, by caller: Caller
    ) throws(Refusal) -> ExperimentSight {
        guard
            let project = try read({ (reader: any StoreReader) throws(Refusal) in try reader.project(experiment.project)
            })
        else { throw Refusal.projectNotFound("\(experiment.project)", near: []) }
        var request = SearchRequest()
        request.experiments = ["id:\(experiment.id)"]
        request.orderBy = ["start_time DESC"]
        request.limit = 1000
        request.metricNames = metrics.map(\.name)
        var sight = ExperimentSight(
            experiment: experiment, project: project, lookedAt: 0, total: 0,
            metrics: metrics.map { ExperimentSight.Metric(name: $0.name) }, runs: [])
        var spreads = [Spread](repeating: Spread(), count: metrics.count)
        repeat {
            let page = try search(request, by: caller)
            sight.total = page.total
            for view in page.runs where view.run.status.verdict != .bad {
                sight.lookedAt += 1
                if sight.runs.count < sample { sight.runs.append(view) }
                for (place, metric) in metrics.enumerated() {
                    guard let value = view.metric(metric.name) else { continue }
                    spreads[place].add(value, of: view.run, better: metric.goal)
                }
            }
            request.pageToken = page.nextPageToken
        } while request.pageToken != nil && sight.lookedAt < Engine.comparedRunsMax
        for place in metrics.indices { spreads[place].write(to: &sight.metrics[place]) }
        return sight
    }
}

/// Numbers as they come, by Welford's sums: no list of them is kept, and near values do not cancel out.
private struct Spread {
    private var count = 0
    private var notFinite = 0
    private var mean = 0.0
    private var squares = 0.0
    private var least = Double.infinity
    private var greatest = -Double.infinity
    private var best: (run: Run, value: Double)?

    mutating func add(_ value: Double, of run: Run, better goal: Goal?) {
        guard value.isFinite else {
            notFinite += 1
            return
        }
        count += 1
        let gap = value - mean
        mean += gap / Double(count)
        squares += gap * (value - mean)
        (least, greatest) = (min(least, value), max(greatest, value))
        guard let goal else { return }
        // The newest come first: an older run with the same value takes its place.
        if let best, goal == .max ? value < best.value : value > best.value { return }
        best = (run, value)
    }

    func write(to metric: inout ExperimentSight.Metric) {
        (metric.count, metric.notFinite, metric.best) = (count, notFinite, best)
        guard count > 0 else { return }
        (metric.mean, metric.least, metric.greatest) = (mean, least, greatest)
        if count > 1 { metric.deviation = (squares / Double(count - 1)).squareRoot() }
    }
}
