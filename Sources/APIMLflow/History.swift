import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletSeries
import MartletStorage

// The history of a metric: of one run, of many, or a sample of many that keeps every run's first and last step.
extension MLflowAPI {
    static let historyEndpoints: [Endpoint] = [
        .read(.get, "2.0/mlflow/metrics/get-history") { call, message throws(Refusal) in try history(call, message) },
        .read(.get, "2.0/mlflow/metrics/get-history-bulk") { call, message throws(Refusal) in
            try bulkHistory(call, message)
        },
        .read(.get, "2.0/mlflow/metrics/get-history-bulk-interval") { call, message throws(Refusal) in
            try sampledHistory(call, message)
        },
    ]

    private static let pageMax = 25_000
    private static let wholeMax = 250_000
    private static let runsMax = 100
    private static let sampleMax = 2500

    private static func history(_ call: Call, _ message: Message) throws(Refusal) -> Response {
        let id = try message.runID()
        let key = try message.required("metric_key")
        // Clients that ask for no page want the whole curve, and pay for each one that they have to come back for.
        let limit = try message.integer("max_results") ?? Int64(wholeMax)
        guard limit >= 0 else {
            throw .mlflow(
                "Invalid value \(limit) for parameter 'max_results' supplied. It must be a positive integer")
        }
        let offset = try PageOffset.read(try message.text("page_token"))
        let caller = try call.caller()
        return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            let run = try reader.run(mlflow: id, call)
            try caller.require(.read, on: run.project)
            let points = try reader.curve(of: run, key)
            let order = points.inOrderOfTime()
            // Our own tools want the infinities, which MLflow's clients must not see.
            let isExact = call.request.headers["x-martlet-exact"] != nil
            let start = min(offset, points.count)
            let end = min(points.count, start + Int(min(limit, Int64(pageMax * 40))))
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        if start < end {
                            writer.array("metrics") { writer in
                                for place in start..<end {
                                    writer.point(key, points[order?[place] ?? place], exact: isExact)
                                }
                            }
                        }
                        if end < points.count { writer.member("next_page_token", PageOffset.token(end)) }
                    }
                })
        }
    }

    private static func bulkHistory(_ call: Call, _ message: Message) throws(Refusal) -> Response {
        let ids = try message.texts("run_id")
        guard !ids.isEmpty else {
            throw .mlflow("GetMetricHistoryBulk request must specify at least one run_id.")
        }
        guard ids.count <= runsMax else {
            throw .mlflow(
                "GetMetricHistoryBulk request cannot specify more than \(runsMax) run_ids. Received \(ids.count) run_ids."
            )
        }
        guard let key = try message.text("metric_key"), !key.isEmpty else {
            throw .mlflow("GetMetricHistoryBulk request must specify a metric_key.")
        }
        let limit = min(Int(try message.integer("max_results") ?? Int64(pageMax)), pageMax)
        let caller = try call.caller()
        return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            var left = max(limit, 0)
            return .json(
                try encoded { writer throws(Refusal) in
                    try writer.object { writer throws(Refusal) in
                        try writer.array("metrics") { writer throws(Refusal) in
                            for run in try reader.known(ids.sorted(), call, caller) where left > 0 {
                                let points = try reader.curve(of: run, key)
                                let order = points.inOrderOfTime()
                                for place in 0..<min(points.count, left) {
                                    writer.point(key, points[order?[place] ?? place], run.id)
                                }
                                left -= min(points.count, left)
                            }
                        }
                    }
                })
        }
    }

    private static func sampledHistory(_ call: Call, _ message: Message) throws(Refusal) -> Response {
        let ids = try message.texts("run_ids")
        guard !ids.isEmpty else { throw .missing("run_ids") }
        guard ids.count <= runsMax else {
            throw .mlflow(
                "GetMetricHistoryBulkInterval request must specify at most \(runsMax) run_ids. Received \(ids.count) run_ids."
            )
        }
        let key = try message.required("metric_key")
        let from = try message.integer("start_step")
        let to = try message.integer("end_step")
        guard (from == nil) == (to == nil) else {
            throw .mlflow("If either start step or end step are specified, both must be specified.")
        }
        if let from, let to, from > to {
            throw .mlflow(
                "end_step must be greater than start_step. Found start_step=\(from) and end_step=\(to).")
        }
        let limit = Int(try message.integer("max_results") ?? Int64(sampleMax))
        guard (1...sampleMax).contains(limit) else {
            throw .mlflow("max_results must be between 1 and \(sampleMax).")
        }
        let caller = try call.caller()
        return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            var curves: [(run: Run, points: SeriesPoints)] = []
            let range = PointRange(from: from ?? 0, to: to ?? .max)
            for run in try reader.known(ids, call, caller) {
                curves.append((run, try reader.curve(of: run, key, in: range)))
            }
            let wanted = StepSample(curves.map(\.points), limit: limit)
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        guard curves.contains(where: { !$0.points.isEmpty }) else { return }
                        writer.array("metrics") { writer in
                            for (run, points) in curves {
                                for place in points.inOrderOfStepTimeValue() where wanted.contains(points.steps[place])
                                {
                                    writer.point(key, points[place], run.id)
                                }
                            }
                        }
                    }
                })
        }
    }
}

/// The steps that a sample shows: evenly spread over all distinct ones, and each run's own first and last.
private struct StepSample {
    /// Nil shows every step.
    private let steps: Set<Int64>?

    init(_ curves: [SeriesPoints], limit: Int) {
        var all: Set<Int64> = []
        for curve in curves { all.formUnion(curve.steps) }
        guard all.count > limit else {
            steps = nil
            return
        }
        let sorted = all.sorted()
        let interval = Double(sorted.count) / Double(limit)
        var chosen = Set((0..<limit).map { sorted[Int(Double($0) * interval)] })
        if let last = sorted.last { chosen.insert(last) }
        for curve in curves {
            if let first = curve.steps.min() { chosen.insert(first) }
            if let last = curve.steps.max() { chosen.insert(last) }
        }
        steps = chosen
    }

    func contains(_ step: Int64) -> Bool { steps?.contains(step) ?? true }
}

extension StoreReader {
    /// Those of some runs that are there.
    fileprivate func known(_ ids: [String], _ call: Call, _ caller: Caller) throws(Refusal) -> [Run] {
        var runs: [Run] = []
        for id in ids {
            do throws(Refusal) {
                let run = try run(mlflow: id, call)
                try caller.require(.read, on: run.project)
                runs.append(run)
            } catch {
                if error.code != .notFound { throw error }
            }
        }
        return runs
    }
}

extension SeriesPoints {
    /// The places of the points by time, step and value; nil where they stand so already, as most do.
    fileprivate func inOrderOfTime() -> [Int]? {
        let isOrdered = (1..<Swift.max(count, 1)).allSatisfy { !comes($0, before: $0 - 1) }
        return isOrdered ? nil : (0..<count).sorted { comes($0, before: $1) }
    }

    private func comes(_ a: Int, before b: Int) -> Bool {
        // Milliseconds are what MLflow knows: two points of one millisecond are in order of step.
        let (first, second) = (Timestamp(micros: times[a]).millis, Timestamp(micros: times[b]).millis)
        return (first, steps[a], rank(a)) < (second, steps[b], rank(b))
    }

    fileprivate func inOrderOfStepTimeValue() -> [Int] {
        (0..<count).sorted { (steps[$0], times[$0], rank($0)) < (steps[$1], times[$1], rank($1)) }
    }

    private func rank(_ place: Int) -> Double { values[place].isNaN ? 0 : values[place] }
}

extension JSONWriter {
    fileprivate mutating func point(_ key: String, _ point: Point, _ run: RunID? = nil, exact: Bool = false) {
        metric(key, point.value, Timestamp(micros: point.time), step: point.step, run: run, exact: exact)
    }
}
