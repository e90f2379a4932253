package import MartletDomain
package import MartletStorage

// Traces are searched in memory, like the registry: a filter looks at many of them and shows few.
extension Engine {
    /// An experiment's traces in order of arrival, without what went in and out of them: no search looks at that, and it is
    /// most of a trace. Kept while they fit a quarter of the memory for searches, else read anew for each search.
    package func traceFacts(in experiment: ExperimentID, _ reader: any StoreReader) throws(Refusal) -> [Trace] {
        try traces.all(owner: Card.owner(experiment), reader)
    }
}

extension Trace {
    var withoutPreviews: Trace {
        var trace = self
        (trace.requestPreview, trace.responsePreview) = (nil, nil)
        return trace
    }

    /// About what it takes: the value, and for each text its bytes and what the heap adds.
    var memoryBytes: Int {
        let texts = metadata.entries.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 96 }
        let marks = tags.entries.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 96 }
        let judgements = assessments.reduce(0) { sum, one in
            sum + one.value.utf8.count + one.source.utf8.count + (one.rationale?.utf8.count ?? 0) + 600
        }
        return 600 + texts + marks + judgements + (runs.count + prompts.count) * 64
    }
}
