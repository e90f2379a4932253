import MartletClient
import MartletHTTPMessages
import MartletJSON

/// Reads what was recorded, in a folder or on a server.
///
/// What this program logged to the same store before is delivered first, so that it is found. Each question is there
/// twice: one that waits on the calling thread, and one to be awaited.
public final class Client: Sendable {
    private let courier: Courier
    private let connection: Connection

    /// `uri` is an http(s) address or a folder; else the store is the one that ``startRun(experiment:name:params:tags:project:parent:group:jobType:id:uri:settings:)``
    /// writes to. A token is only needed where it is neither in `MARTLET_TOKEN` nor stored by `martlet login`.
    public init(_ uri: String? = nil, token: String? = nil) throws(MartletError) {
        do throws(ClientFailure) {
            let place = try Machine.place(uri)
            courier = Couriers.courier(for: uri, LoggingSettings())
            connection = token == nil ? courier.connection : Connection(place, token: token)
        } catch {
            throw MartletError(error)
        }
    }

    // MARK: Questions

    /// A run by its id, short id (`run_03`, with its experiment), name, or the beginning of its id.
    public func run(_ reference: String, in experiment: String? = nil) throws(MartletError) -> RecordedRun {
        let path = experiment.map { ["experiments", $0, "runs", reference] } ?? ["runs", reference]
        return RecordedRun(try get(path))
    }

    /// The runs of an experiment that fit, all of them unless a limit is given; in order of their creation unless
    /// `orderBy` says otherwise, such as `metrics.f1 DESC`.
    public func runs(
        in experiment: String, filter: String? = nil, orderBy: String? = nil, limit: Int? = nil
    ) throws(MartletError) -> [RecordedRun] {
        try pages(
            ["experiments", experiment, "runs"],
            [("filter", filter), ("order_by", orderBy ?? "start_time, short_id")], limit)
    }

    /// The runs of all experiments that fit a filter such as `metrics.accuracy > 0.9 AND params.model = 'bert'`.
    public func search(
        _ filter: String, orderBy: String? = nil, limit: Int? = 100
    ) throws(MartletError) -> [RecordedRun] {
        try pages(["runs", "search"], [("filter", filter), ("order_by", orderBy)], limit)
    }

    /// The best of the runs that ended well; nil when none of them has the metric. Without a goal the metric's
    /// definition decides, else its name.
    public func bestRun(
        by metric: String, in experiment: String, goal: Goal? = nil, filter: String? = nil
    ) throws(MartletError) -> RecordedRun? {
        do throws(MartletError) {
            let answer = try get(
                ["runs", "best"],
                [("experiment", experiment), ("metric", metric), ("mode", goal?.rawValue), ("filter", filter)])
            return answer["run"].map { RecordedRun($0) }
        } catch {
            // An experiment that is not there is a mistake; one without such a run is an answer.
            guard error.code == .notFound, error.message.hasPrefix("No run ") else { throw error }
            return nil
        }
    }

    /// The runs side by side.
    public func compare(_ references: [String], in experiment: String? = nil) throws(MartletError) -> Comparison {
        var runs: [RecordedRun] = []
        for reference in references { runs.append(try run(reference, in: experiment)) }
        return Comparison(runs)
    }

    /// Every point of a run's metrics, never sampled; all metrics, or those whose name is given (`*` is any text).
    public func history(of run: String, metrics: [String] = ["*"]) throws(MartletError) -> [Curve] {
        var curves: [Curve] = []
        var token: String?
        repeat {
            let query: API.Query = metrics.map { ("metric", $0) } + [("limit", "10000"), ("page_token", token)]
            let page = try get(["runs", run, "history"], query)
            for series in page["series"]?.array ?? [] {
                let part = Curve(series)
                if let last = curves.indices.last(where: { curves[$0].metric == part.metric }) {
                    curves[last].points += part.points
                } else {
                    curves.append(part)
                }
            }
            token = page["next_page_token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        } while token != nil
        return curves
    }

    /// The bytes of an artifact.
    public func artifact(_ path: String, of run: String) throws(MartletError) -> [UInt8] {
        let segments = ["runs", run, "artifacts"] + path.split(separator: "/").map(String.init)
        do throws(ClientFailure) {
            return try API(backend()).bytes(segments)
        } catch {
            throw MartletError(error)
        }
    }

    // MARK: The same, awaited

    public func run(_ reference: String, in experiment: String? = nil) async throws(MartletError) -> RecordedRun {
        try await aside { client throws(MartletError) in try client.run(reference, in: experiment) }
    }

    public func runs(
        in experiment: String, filter: String? = nil, orderBy: String? = nil, limit: Int? = nil
    ) async throws(MartletError) -> [RecordedRun] {
        try await aside { client throws(MartletError) in
            try client.runs(in: experiment, filter: filter, orderBy: orderBy, limit: limit)
        }
    }

    public func search(
        _ filter: String, orderBy: String? = nil, limit: Int? = 100
    ) async throws(MartletError) -> [RecordedRun] {
        try await aside { client throws(MartletError) in
            try client.search(filter, orderBy: orderBy, limit: limit)
        }
    }

    public func bestRun(
        by metric: String, in experiment: String, goal: Goal? = nil, filter: String? = nil
    ) async throws(MartletError) -> RecordedRun? {
        try await aside { client throws(MartletError) in
            try client.bestRun(by: metric, in: experiment, goal: goal, filter: filter)
        }
    }

    public func compare(
        _ references: [String], in experiment: String? = nil
    ) async throws(MartletError) -> Comparison {
        try await aside { client throws(MartletError) in try client.compare(references, in: experiment) }
    }

    public func history(of run: String, metrics: [String] = ["*"]) async throws(MartletError) -> [Curve] {
        try await aside { client throws(MartletError) in try client.history(of: run, metrics: metrics) }
    }

    public func artifact(_ path: String, of run: String) async throws(MartletError) -> [UInt8] {
        try await aside { client throws(MartletError) in try client.artifact(path, of: run) }
    }

    // MARK: How

    private func aside<Answer: Sendable>(
        _ body: @escaping @Sendable (Client) throws(MartletError) -> Answer
    ) async throws(MartletError) -> Answer {
        try await Aside.run { Result { () throws(MartletError) in try body(self) } }.get()
    }

    private func backend() throws(ClientFailure) -> any Backend {
        _ = courier.wait(seconds: courier.settings.finishSeconds)
        return try connection.backend(creates: false)
    }

    private func get(_ path: [String], _ query: API.Query = []) throws(MartletError) -> JSONValue {
        do throws(ClientFailure) { return try API(backend()).get(path, query) } catch { throw MartletError(error) }
    }

    private func pages(
        _ path: [String], _ query: API.Query, _ limit: Int?
    ) throws(MartletError) -> [RecordedRun] {
        do throws(ClientFailure) {
            return try API(backend()).all(path, query, under: "runs", limit: limit).items.map { RecordedRun($0) }
        } catch {
            throw MartletError(error)
        }
    }
}
