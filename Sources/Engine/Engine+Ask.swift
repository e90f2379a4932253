package import MartletDomain
import MartletSearch
import MartletStorage

/// The answer to a question in words.
package struct AskedAnswer: Sendable {
    package enum Found: Sendable {
        case best(BestRuns, metric: String)
        case runs(SearchPage)
        /// In the order in which they were named.
        case compare([RunView])
    }

    package var found: Found
    /// What a shortened name was taken for, a sentence each; whoever shows the answer shows these.
    package var taken: [String]
}

extension Engine {
    /// Answers `best val_acc where algorithm=Ridge`, `all runs where test_acc > 0.83` or `compare run_02 vs run_03`.
    ///
    /// Names are looked for among those that the experiment's runs have logged.
    package func ask(
        _ sentence: String, experiment: String?, by caller: Caller
    ) throws(Refusal) -> AskedAnswer {
        let deadline = SearchDeadline(instant: .now.advanced(by: .seconds(Engine.searchSeconds)))
        let (scope, names) = try read { (reader: any StoreReader) throws(Refusal) in
            var scope: [Experiment] = []
            if let experiment {
                scope = [try reader.resolveExperiment(experiment, for: caller)]
                try caller.require(.read, on: scope[0].project)
            } else {
                for experiment in try reader.experiments(in: nil)
                where experiment.life == .active && caller.may(.read, on: experiment.project) {
                    if try !reader.runs(in: experiment.id, after: nil, limit: 1).isEmpty { scope.append(experiment) }
                }
            }
            return (scope, try NameSample(scope.map(\.id), reader, deadline).known)
        }
        let question: Question
        do throws(SearchError) {
            question = try Question.parse(sentence, names: names)
        } catch {
            throw Refusal(error, field: "question")
        }
        let taken = question.taken.map { "Took “\($0.asked)” for \($0.field)." }
        switch question.kind {
        case .best(let metric, let mode, let filter):
            let only = try one(of: scope)
            let best = try best(by: metric, mode, filter, in: only, caller)
            return AskedAnswer(found: .best(best.runs, metric: best.metric), taken: taken)
        case .all(let filter, let order, let limit):
            var request = SearchRequest()
            if let experiment { request.experiments = [experiment] }
            request.query = Query(filter: filter, order: order, limit: limit)
            return AskedAnswer(found: .runs(try search(request, by: caller)), taken: taken)
        case .compare(let ids):
            let views = try read { (reader: any StoreReader) throws(Refusal) in
                var viewer = RunViewer(reader)
                var views: [RunView] = []
                for id in ids { views.append(try viewer.view(try readable(id, in: experiment, by: caller, reader))) }
                return views
            }
            return AskedAnswer(found: .compare(views), taken: taken)
        }
    }

    private func best(
        by field: Field, _ mode: Question.Mode?, _ filter: Filter, in experiment: ExperimentID, _ caller: Caller
    ) throws(Refusal) -> (runs: BestRuns, metric: String) {
        guard case .metric(let metric, .latest) = field.name, field.relation == .run else {
            throw Refusal(
                .invalid, "The best run goes by a metric's latest value, not by \(field).",
                remedy: "Ask “all runs ORDER BY \(field) DESC LIMIT 1”.", field: "question")
        }
        let goal: Goal? = mode.map { $0 == .max ? .max : .min }
        let runs = try best(of: experiment, metric: metric, goal: goal, filter: "\(filter)", by: caller)
        return (runs, metric)
    }

    private func one(of scope: [Experiment]) throws(Refusal) -> ExperimentID {
        if scope.count == 1 { return scope[0].id }
        if scope.isEmpty {
            throw Refusal(
                .notFound, "There is no run to be the best one.", remedy: "Log a run, or name another experiment.")
        }
        throw Refusal(
            .invalid, "There are \(scope.count) experiments, and a best run is one of an experiment.",
            remedy: "Say which one: --experiment NAME.", field: "experiment",
            candidates: scope.prefix(10).map(\.name))
    }
}
