package import MartletDomain
import MartletSearch
package import MartletStorage

/// The names that runs have logged, for suggestions and for questions: of every run where there are few, of runs evenly
/// spread where there are many. What a search finds never depends on it.
struct NameSample {
    private static let runsMax = 300
    private var metrics: Set<String> = []
    private var params: Set<String> = []
    private var tags: Set<String> = []

    init(
        _ experiments: [ExperimentID], _ reader: any StoreReader, _ deadline: SearchDeadline
    ) throws(Refusal) {
        var keys: [RunKey] = []
        for experiment in experiments {
            var after: RunKey?
            while true {
                try deadline.check()
                let page = try reader.runs(in: experiment, after: after, limit: 5000)
                keys += page.filter { $0.life == .active }.map(\.key)
                guard page.count == 5000, let last = page.last else { break }
                after = last.key
            }
        }
        let step = max(1, (keys.count + NameSample.runsMax - 1) / NameSample.runsMax)
        // From the end, so that the newest run is always among them.
        let chosen = stride(from: keys.count - 1, through: 0, by: -step).map { keys[$0] }
        for documents in try reader.documents(of: chosen) {
            params.formUnion(documents.attributes.params.keys)
            tags.formUnion(documents.attributes.tags.keys)
            metrics.formUnion(documents.summary.keys)
        }
        try reader.eachSeries(of: chosen, named: nil) { (_, series) throws(StorageError) in
            try deadline.check()
            for one in series { metrics.insert(one.name) }
        }
    }

    /// All of them, in order.
    var names: LoggedNames {
        LoggedNames(
            metrics: metrics.sorted(by: precedes), params: params.sorted(by: precedes), tags: tags.sorted(by: precedes))
    }

    /// A name that is known from elsewhere.
    mutating func add(_ key: ColumnKey) {
        switch key {
        case .numbers(.metric(let name, _)): metrics.insert(name)
        case .values(.param(let name)): params.insert(name)
        case .values(.tag(let name)): tags.insert(name)
        default: break
        }
    }

    var known: KnownNames {
        let (metrics, params, tags) = (metrics.sorted(), params.sorted(), tags.sorted())
        return KnownNames { space in
            switch space {
            case .metric: metrics
            case .param: params
            case .tag: tags
            }
        }
    }
}

/// The names that runs of an experiment have logged.
package struct LoggedNames: Sendable {
    package var metrics: [String]
    package var params: [String]
    package var tags: [String]
}

extension Engine {
    /// The names that an experiment's runs have logged: from them a page makes its charts and its columns.
    package func names(in experiment: Experiment, _ reader: any StoreReader) throws(Refusal) -> LoggedNames {
        try NameSample(
            [experiment.id], reader, SearchDeadline(instant: .now.advanced(by: .seconds(Engine.searchSeconds)))
        )
        .names
    }
}
