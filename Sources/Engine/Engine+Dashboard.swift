package import MartletDomain
package import MartletStorage

/// How an experiment stands at a moment, for someone who watches it.
package struct ExperimentBoard: Sendable {
    package struct Best: Sendable {
        package var metric: String
        package var value: Double
        package var goal: Goal
        /// Nobody said which way is better; the metric's name did.
        package var isGuessed: Bool
        package var run: Run
    }

    package var experiment: Experiment
    package var project: Project
    package var counts: [RunState: Int]
    /// In order of metric.
    package var best: [Best]
    /// The youngest first, a hundred at most.
    package var running: [Run]
    package var lastActivity: Timestamp
    /// Runs that were looked at for the best values, where there are more than that.
    package var lookedAt: Int
    package var isCut: Bool
}

extension Engine {
    /// Runs of an experiment that a board looks through, the newest ones: a board is for watching, a search for finding.
    package static let boardRunsMax = 5_000

    package func board(of experiment: Experiment, _ reader: any StoreReader) throws(Refusal) -> ExperimentBoard {
        guard let project = try reader.project(experiment.project) else {
            throw Refusal(
                .damaged, "The experiment \(experiment.id) belongs to a project that is not there.",
                remedy: "Run `martlet fsck` on the store.")
        }
        var runs: [Run] = []
        var after: RunKey?
        while true {
            let page = try reader.runs(in: experiment.id, after: after, limit: 1000)
            runs += page.filter { $0.life == .active }
            if runs.count > 2 * Engine.boardRunsMax { runs.removeFirst(runs.count - Engine.boardRunsMax - 1) }
            guard page.count == 1000, let last = page.last else { break }
            after = last.key
        }
        let looked = runs.suffix(Engine.boardRunsMax)
        var best: [String: ExperimentBoard.Best] = [:]
        var goals: [String: (goal: Goal?, isGuessed: Bool, isHidden: Bool)] = [:]
        for run in looked where run.status.verdict != .bad {
            for metric in try reader.metrics(of: run) where !metric.name.hasPrefix("system/") {
                let value = metric.value
                guard !value.isNaN else { continue }
                if goals[metric.name] == nil {
                    let definition = try reader.metricDefinition(for: metric.name, in: experiment.id)
                    goals[metric.name] = (
                        definition?.goal ?? Goal.guess(for: metric.name), definition?.goal == nil,
                        definition?.isHidden ?? false
                    )
                }
                guard let known = goals[metric.name], let goal = known.goal, !known.isHidden else { continue }
                if let best = best[metric.name], goal == .max ? best.value >= value : best.value <= value {
                    continue
                }
                best[metric.name] = .init(
                    metric: metric.name, value: value, goal: goal, isGuessed: known.isGuessed, run: run)
            }
        }
        let running = looked.filter { !$0.status.state.isEnded }.reversed().prefix(100)
        return ExperimentBoard(
            experiment: experiment, project: project, counts: try reader.runCounts(in: experiment.id),
            best: best.values.sorted { precedes($0.metric, $1.metric) }, running: Array(running),
            lastActivity: looked.reduce(experiment.updated) { max($0, $1.seen, $1.end ?? $1.seen) },
            lookedAt: looked.count, isCut: runs.count > looked.count)
    }
}
