import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletSearch
import MartletStorage

// Runs by a filter, in order, a page at a time.
extension MLflowAPI {
    static let searchEndpoints: [Endpoint] = [
        .read(.post, "2.0/mlflow/runs/search") { call, message throws(Refusal) in try searchRuns(call, message) }
    ]

    /// What MLflow lets a client ask for at once; a page of ours holds fewer, and its token leads on.
    private static let runsMax = 50_000

    private static func searchRuns(_ call: Call, _ message: Message) throws(Refusal) -> Response {
        let wanted = try message.maxResults(standard: 1000, atMost: runsMax)
        let view = try message.view("run_view_type") ?? .active
        let filter = try message.text("filter") ?? ""
        let order = try message.texts("order_by")
        let homes = try message.texts("experiment_ids")
        let token = try message.text("page_token") ?? ""
        let caller = try call.caller()
        var request = SearchRequest()
        let experiments = try experiments(homes, call, caller)
        request.experiments = experiments.map { "id:\($0.id)" }
        let query = try RunQuery.make(filter: filter, orderBy: order) { () throws(Refusal) in
            try artifactURIs(of: experiments, call)
        }
        guard !request.experiments.isEmpty else { return .json(Call.empty) }
        request.limit = min(wanted, SearchLimits.rows)
        request.life = view.choice
        request.query = query
        request.parts = [.metrics]
        request.pageToken = token.isEmpty ? nil : token
        let page: SearchPage
        do throws(Refusal) {
            page = try call.engine.search(request, by: caller)
        } catch {
            if error.field == "page_token" {
                throw .mlflow(
                    "Invalid page token, could not base64-decode: it is damaged or belongs to another search.")
            }
            throw error
        }
        let flows = try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            try reader.flows(of: page.runs.map(\.run)).map(RunInputs.init)
        }
        return .json(
            try encoded { writer in
                writer.object { writer in
                    if !page.runs.isEmpty {
                        writer.array("runs") { writer in
                            for (view, flow) in zip(page.runs, flows) { writer.run(view, flow, call.api.places) }
                        }
                    }
                    if let next = page.nextPageToken { writer.member("next_page_token", next) }
                }
            })
    }

    /// Those that are there and that the client may see; unknown ones have no runs.
    private static func experiments(
        _ ids: [String], _ call: Call, _ caller: Caller
    ) throws(Refusal) -> [Experiment] {
        try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            let project = try call.project(reader)
            var found: [Experiment] = []
            for id in ids {
                guard let number = Int64(id) else {
                    throw Refusal.mlflow("Invalid experiment ID '\(id)'. Experiment ID must be a valid integer.")
                }
                guard let experiment = try reader.experiment(ExperimentID(number)), experiment.project == project.id,
                    try !reader.isPurged(experiment.id)
                else { continue }
                try caller.require(.read, on: experiment.project)
                found.append(experiment)
            }
            return found
        }
    }

    private static func artifactURIs(
        of experiments: [Experiment], _ call: Call
    ) throws(Refusal) -> [(id: RunID, uri: String)] {
        try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            var found: [(id: RunID, uri: String)] = []
            for experiment in experiments {
                for run in try reader.runs(in: experiment.id, after: nil, limit: .max) {
                    found.append((run.id, call.api.places.location(of: run, in: experiment)))
                }
            }
            return found
        }
    }
}
