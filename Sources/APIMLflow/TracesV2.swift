import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Traces as clients before 3.0 speak of them: begun by one call and ended by another.
extension MLflowAPI {
    static let traceV2Endpoints: [Endpoint] = [
        .change(.post, "2.0/mlflow/traces") { call, message throws(Refusal) in
            let experiment = try message.required("experiment_id")
            let start = Timestamp(millis: try message.integer("timestamp_ms") ?? 0)
            let (metadata, tags) = (Pairs(try message.pairs("request_metadata")), Pairs(try message.pairs("tags")))
            try call.change(bytes: 2048) { ledger, caller throws(Refusal) in
                let home = try ledger.writableExperiment(experiment, call, caller)
                var trace = Trace(
                    id: "tr-\(RunID.make())", project: home.project, experiment: home.id, start: start,
                    metadata: metadata, tags: tags, created: ledger.now, updated: ledger.now)
                trace.tags[TraceKeys.artifacts] = call.api.places.location(ofTrace: trace.id, in: home)
                return try traceV2Body(try ledger.beginTrace(trace))
            }
        },
        .change(.patch, "2.0/mlflow/traces/{trace_id}") { call, message throws(Refusal) in
            let end = Timestamp(millis: try message.integer("timestamp_ms") ?? 0)
            let state = try message.traceState("status") ?? .unspecified
            let (metadata, tags) = (try message.pairs("request_metadata"), try message.pairs("tags"))
            try changeTrace(call, call["trace_id"], bytes: 2048) { ledger, id throws(Refusal) in
                try traceV2Body(try ledger.endTrace(id, at: end, state, metadata: metadata, tags: tags))
            }
        },
        .read(.get, "2.0/mlflow/traces/{trace_id}/info") { call, _ throws(Refusal) in
            try readTrace(call, call["trace_id"]) { _, trace throws(Refusal) in .json(try traceV2Body(trace)) }
        },
    ]

    private static func traceV2Body(_ trace: Trace) throws(Refusal) -> [UInt8] {
        try encoded { writer in
            writer.object { writer in
                writer.key("trace_info")
                writer.traceInfoV2(trace)
            }
        }
    }
}
