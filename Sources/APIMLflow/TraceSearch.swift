import Glibc
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Searches of traces, and how often two filters meet.
extension MLflowAPI {
    static let traceSearchEndpoints: [Endpoint] = [
        .read(.post, "3.0/mlflow/traces/search") { call, message throws(Refusal) in
            var experiments: [String] = []
            for place in try message.messages("locations") {
                guard let id = try place.message("mlflow_experiment")?.text("experiment_id") else { continue }
                experiments.append(id)
            }
            guard message.has("locations") else { throw .missing("locations") }
            return try searchTraces(call, message, experiments) { writer, trace in writer.traceInfo(trace) }
        },
        .read(.get, "2.0/mlflow/traces") { call, message throws(Refusal) in
            let experiments = try message.texts("experiment_ids")
            guard !experiments.isEmpty else { throw .missing("experiment_ids") }
            return try searchTraces(call, message, experiments) { writer, trace in writer.traceInfoV2(trace) }
        },
        .read(.post, "3.0/mlflow/traces/calculate-filter-correlation") { call, message throws(Refusal) in
            try correlate(call, message)
        },
    ]

    private static func searchTraces(
        _ call: Call, _ message: Message, _ experiments: [String], _ write: (inout JSONWriter, Trace) -> Void
    ) throws(Refusal) -> Response {
        let limit = try message.maxResults(standard: 100, atMost: 500)
        let query = try TraceQuery(try message.text("filter") ?? "")
        let order = try TraceOrder(try message.texts("order_by"))
        let offset = try PageOffset.read(try message.text("page_token"))
        return try readTraces(call, in: experiments) { reader, traces throws(Refusal) in
            let found = try query.select(traces) { trace throws(Refusal) in try reader.spans(of: trace).documents }
            let shown = order.first(found, from: offset, count: limit)
            let next = found.count > offset + limit ? PageOffset.token(offset + limit) : nil
            // Now what the search did not look at; one that was deleted meanwhile is not shown.
            var whole: [Trace] = []
            for trace in shown { if let one = try reader.trace(card: trace.card) { whole.append(one) } }
            return list("traces", whole, next: next, write)
        }
    }

    /// Experiments that are not there have no traces.
    private static func readTraces(
        _ call: Call, in experiments: [String], _ body: (any StoreReader, [Trace]) throws(Refusal) -> Response
    ) throws(Refusal) -> Response {
        let caller = try call.caller()
        return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            let project = try call.project(reader)
            try caller.require(.read, on: project.id)
            var traces: [Trace] = []
            for number in Set(experiments.compactMap { Int64($0) }) {
                guard let experiment = try reader.experiment(ExperimentID(number)), experiment.project == project.id
                else { continue }
                traces += try call.engine.traceFacts(in: experiment.id, reader)
            }
            return try body(reader, traces)
        }
    }

    // MARK: Correlation

    private static func correlate(_ call: Call, _ message: Message) throws(Refusal) -> Response {
        let experiments = try message.texts("experiment_ids")
        guard !experiments.isEmpty else { throw .missing("experiment_ids") }
        let base = try TraceQuery(try message.text("base_filter") ?? "")
        let first = try TraceQuery(try message.required("filter_string1"))
        let second = try TraceQuery(try message.required("filter_string2"))
        return try readTraces(call, in: experiments) { reader, traces throws(Refusal) in
            func select(_ query: TraceQuery, _ traces: [Trace]) throws(Refusal) -> [Trace] {
                try query.select(traces) { trace throws(Refusal) in try reader.spans(of: trace).documents }
            }
            let all = try select(base, traces)
            let (one, two) = (try select(first, all), try select(second, all))
            let ids = Set(one.map(\.id))
            let counts = FilterCounts(
                both: two.count { ids.contains($0.id) }, first: one.count, second: two.count, all: all.count)
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        writer.member("npmi", counts.association(smoothing: 0))
                        writer.member("npmi_smoothed", counts.association(smoothing: 0.5))
                        writer.member("filter1_count", counts.first)
                        writer.member("filter2_count", counts.second)
                        writer.member("joint_count", counts.both)
                        writer.member("total_count", counts.all)
                    }
                })
        }
    }
}

/// How often two things happen, alone and together.
struct FilterCounts {
    var both: Int
    var first: Int
    var second: Int
    var all: Int

    /// Normalized pointwise mutual information: 1 always together, 0 independent, -1 never together, NaN when one of
    /// them never happens. Smoothing adds to each of the four cells.
    func association(smoothing: Double) -> Double {
        guard first > 0, second > 0 else { return .nan }
        if both == 0, smoothing == 0 { return -1 }
        if both == all { return 1 }
        let joint = Double(both) + smoothing
        let whole = Double(all) + 4 * smoothing
        let (one, two) = (Double(first) + 2 * smoothing, Double(second) + 2 * smoothing)
        let mutual = log(joint * whole / (one * two))
        return max(-1, min(1, mutual / -log(joint / whole)))
    }
}
