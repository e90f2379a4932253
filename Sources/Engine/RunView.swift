package import MartletDomain
package import MartletStorage

/// A run with all that a face shows of it, gathered in one consistent view.
package struct RunView: Sendable {
    package var run: Run
    package var project: Project
    package var experiment: Experiment
    package var parent: RunID?
    package var fork: (run: RunID, step: Int64)?
    package var attributes: RunAttributes
    package var metrics: [MetricState]
    package var artifacts: [Artifact]
    /// How many lines of its record could not be used.
    package var problems: Int

    /// What is gathered beside the row, the params and the tags.
    package struct Parts: OptionSet, Sendable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }
        package static let metrics = Parts(rawValue: 1)
        package static let artifacts = Parts(rawValue: 2)
        package static let problems = Parts(rawValue: 4)
        package static let all: Parts = [.metrics, .artifacts, .problems]
    }

    /// The value that `metrics.name` means.
    package func metric(_ name: String) -> Double? { metrics.first { $0.name == name }?.value }
}

/// Gathers views and remembers what many runs share: their experiment and project.
package struct RunViewer {
    let reader: any StoreReader
    private var experiments: [ExperimentID: (Experiment, Project)] = [:]

    package init(_ reader: any StoreReader) { self.reader = reader }

    package mutating func view(_ run: Run, _ parts: RunView.Parts = .all) throws(Refusal) -> RunView {
        try views([run], parts)[0]
    }

    /// Views of many runs, whose documents and metrics are each read in one pass.
    package mutating func views(
        _ runs: [Run], _ parts: RunView.Parts = .all, metrics names: [String]? = nil
    ) throws(Refusal) -> [RunView] {
        let documents = try reader.documents(of: runs.map(\.key))
        var metrics = [[MetricState]](repeating: [], count: runs.count)
        if parts.contains(.metrics) {
            metrics = try reader.metrics(of: runs, named: names, summaries: documents.map(\.summary))
        }
        var views: [RunView] = []
        views.reserveCapacity(runs.count)
        for (place, run) in runs.enumerated() {
            let (experiment, project) = try home(of: run)
            var fork: (run: RunID, step: Int64)?
            if let from = run.fork, let source = try reader.run(from.run) { fork = (source.id, from.step) }
            var parent: RunID?
            if let key = run.parent { parent = try reader.run(key)?.id }
            views.append(
                RunView(
                    run: run, project: project, experiment: experiment, parent: parent, fork: fork,
                    attributes: documents[place].attributes, metrics: metrics[place],
                    artifacts: parts.contains(.artifacts) ? try artifacts(of: run) : [],
                    problems: parts.contains(.problems)
                        ? try reader.items(of: .run(run.key), kind: "problem", key: nil).count : 0))
        }
        return views
    }

    /// The newest at each path.
    private func artifacts(of run: Run) throws(Refusal) -> [Artifact] {
        var newest: [String: Artifact] = [:]
        for artifact in try reader.artifacts(of: run.key) where artifact.life == .active {
            newest[artifact.path] = artifact
        }
        return newest.values.sorted { precedes($0.path, $1.path) }
    }

    package mutating func home(of run: Run) throws(Refusal) -> (Experiment, Project) {
        if let known = experiments[run.experiment] { return known }
        guard let experiment = try reader.experiment(run.experiment), let project = try reader.project(run.project)
        else {
            throw Refusal(
                .damaged, "The run \(run.id) belongs to an experiment that is not there.",
                remedy: "Run `martlet fsck` on the store.")
        }
        experiments[run.experiment] = (experiment, project)
        return (experiment, project)
    }
}
