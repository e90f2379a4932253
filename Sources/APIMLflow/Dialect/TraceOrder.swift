import MartletDomain

/// The order of a search of traces: what has no value comes last in both directions, and what is equal newest first.
struct TraceOrder {
    private enum Key: Hashable {
        case experiment, start, duration, end, state, id
        case tag(String), metadata(String)
    }

    private enum Value: Comparable {
        case number(Int64)
        case text(String)
    }

    private let terms: [(key: Key, isDescending: Bool)]

    init(_ orderBy: [String]) throws(Refusal) {
        var terms: [(Key, Bool)] = []
        for text in orderBy {
            let term = try ClauseParser.orderTerm(text)
            let key = try TraceOrder.key(term.entity, term.key)
            guard !terms.contains(where: { $0.0 == key }) else {
                throw .mlflow("`order_by` contains duplicate fields: \(orderBy)")
            }
            terms.append((key, term.isDescending))
        }
        for (key, isDescending) in [(Key.start, true), (.id, false)] where !terms.contains(where: { $0.0 == key }) {
            terms.append((key, isDescending))
        }
        self.terms = terms
    }

    private static func key(_ entity: String?, _ key: String) throws(Refusal) -> Key {
        switch entity {
        case "tag", "tags": return .tag(key)
        case "request_metadata", "metadata": return .metadata(key)
        case nil, "attribute", "attributes", "trace": break
        case let other?: throw .mlflow("Invalid identifier type '\(other)'")
        }
        switch key {
        case "experiment_id": return .experiment
        case "timestamp", "timestamp_ms": return .start
        case "execution_time", "execution_time_ms": return .duration
        case "end_time", "end_time_ms": return .end
        case "status": return .state
        case "request_id": return .id
        case "name": return .tag(TraceKeys.name)
        case "run_id": return .metadata(TraceKeys.run)
        default:
            throw .mlflow(
                "Invalid attribute key '\(key)' specified. Valid keys are '{'experiment_id', 'timestamp', 'timestamp_ms', 'execution_time', 'execution_time_ms', 'end_time', 'end_time_ms', 'status', 'request_id', 'name', 'run_id'}'"
            )
        }
    }

    private static func value(of key: Key, in trace: Trace) -> Value? {
        switch key {
        case .experiment: .number(trace.experiment.raw)
        case .start: .number(trace.start.millis)
        case .duration: trace.duration.map { .number($0) }
        case .end: .number(trace.end.millis)
        case .state: .text(trace.state.rawValue)
        case .id: .text(trace.id)
        case .tag(let key): trace.tags[key].map { .text($0) }
        case .metadata(let key): trace.metadata[key].map { .text($0) }
        }
    }

    private func comes(_ a: Trace, before b: Trace) -> Bool {
        for (key, isDescending) in terms {
            switch (TraceOrder.value(of: key, in: a), TraceOrder.value(of: key, in: b)) {
            case (nil, nil): continue
            case (nil, _): return false
            case (_, nil): return true
            case (let a?, let b?):
                if a != b { return isDescending ? a > b : a < b }
            }
        }
        return false
    }

    /// A page of the traces in this order. A page near the beginning, which nearly all are, costs one look at each
    /// trace and no sorting of them all.
    func first(_ traces: [Trace], from offset: Int, count: Int) -> ArraySlice<Trace> {
        let end = min(traces.count, offset + count)
        guard offset < end else { return [] }
        guard end <= 1000, end * 8 < traces.count else {
            return traces.sorted { comes($0, before: $1) }[offset..<end]
        }
        var best: [Trace] = []
        best.reserveCapacity(end + 1)
        // The last to arrive are mostly the first to be shown.
        for trace in traces.reversed() {
            if best.count == end, !comes(trace, before: best[end - 1]) { continue }
            var (low, high) = (0, best.count)
            while low < high {
                let middle = (low + high) / 2
                if comes(trace, before: best[middle]) { high = middle } else { low = middle + 1 }
            }
            best.insert(trace, at: low)
            if best.count > end { best.removeLast() }
        }
        return best[offset..<end]
    }
}
