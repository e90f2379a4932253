import MartletClient
import MartletDomain
import MartletJSON

/// A run as it was recorded.
public struct RecordedRun: Sendable, Identifiable {
    /// 32 hex digits.
    public let id: String
    /// Its number in its experiment, such as `run_03`.
    public let shortID: String?
    public let name: String
    public let experiment: String
    /// The word that was given, such as `done` or `overfit`.
    public let status: String
    /// What that means: `running`, `finished`, `failed`, `cancelled`, `lost`, `queued` or `archived`.
    public let state: String
    public let params: [String: ParamValue]
    /// The last value of each metric.
    public let metrics: [String: Double]
    /// A tag without a value has an empty one.
    public let tags: [String: String]
    /// Names in the order in which they were logged.
    public let paramNames: [String]
    public let metricNames: [String]
    public let artifactPaths: [String]
    public let parentID: String?
    /// Seconds since 1970.
    public let startTime: Double?
    public let endTime: Double?

    /// What people call it: the short id, or the beginning of the id while there is none.
    public var shownID: String { shortID ?? String(id.prefix(8)) }

    init(_ json: JSONValue) {
        id = json["id"]?.string ?? ""
        shortID = json["short_id"]?.string
        name = json["name"]?.string ?? ""
        experiment = json["experiment_name"]?.string ?? ""
        status = json["status"]?.string ?? ""
        state = json["state"]?.string ?? ""
        let params = json["params"]?.object?.members ?? []
        let metrics = json["metrics"]?.object?.members ?? []
        paramNames = params.map(\.key)
        metricNames = metrics.map(\.key)
        self.params = Dictionary(params.map { ($0.key, ParamValue($0.value)) }) { first, _ in first }
        self.metrics = Dictionary(
            metrics.compactMap { member in Numeral.double(member.value).map { (member.key, $0) } }
        ) {
            first, _ in first
        }
        tags = Dictionary((json["tags"]?.object?.members ?? []).map { ($0.key, $0.value.string ?? "") }) { first, _ in
            first
        }
        artifactPaths = (json["artifacts"]?.array ?? []).compactMap { $0["path"]?.string }
        parentID = json["parent_id"]?.string
        startTime = json["start_time"]?.string.flatMap { Timestamp(iso: $0) }.map { Double($0.micros) / 1e6 }
        endTime = json["end_time"]?.string.flatMap { Timestamp(iso: $0) }.map { Double($0.micros) / 1e6 }
    }
}

/// The points of one metric.
public struct Curve: Sendable {
    public struct Point: Sendable, Equatable {
        public let step: Int
        /// Seconds since 1970.
        public let time: Double
        public let value: Double
    }

    public let metric: String
    public internal(set) var points: [Point]

    init(_ json: JSONValue) {
        metric = json["metric"]?.string ?? ""
        points = (json["points"]?.array ?? []).map { point in
            Point(
                step: Int(point["step"]?.int64 ?? 0),
                time: point["timestamp"]?.string.flatMap { Timestamp(iso: $0) }.map { Double($0.micros) / 1e6 } ?? 0,
                value: point["value"].flatMap { Numeral.double($0) } ?? .nan)
        }
    }

    public var values: [Double] { points.map(\.value) }
}

/// Runs side by side.
public struct Comparison: Sendable {
    public let runs: [RecordedRun]
    /// Params that are not the same in all of them, with the value of each run in the order of `runs`.
    public let differingParams: [(name: String, values: [ParamValue?])]
    /// Metrics that any of them has, with the value of each run.
    public let metrics: [(name: String, values: [Double?])]

    init(_ runs: [RecordedRun]) {
        self.runs = runs
        differingParams = Comparison.union(runs.map(\.paramNames)).map { name in
            (name, runs.map { $0.params[name] })
        }.filter { Set($0.values).count > 1 }
        metrics = Comparison.union(runs.map(\.metricNames)).map { name in (name, runs.map { $0.metrics[name] }) }
    }

    /// What a metric gained from the first run to another; nil where either has none.
    public func change(of metric: String, to index: Int = 1) -> Double? {
        guard runs.indices.contains(index), let first = runs[0].metrics[metric],
            let other = runs[index].metrics[metric]
        else { return nil }
        return other - first
    }

    private static func union(_ lists: [[String]]) -> [String] {
        var seen: Set<String> = []
        return lists.joined().filter { seen.insert($0).inserted }
    }
}

enum Numeral {
    /// A number, or one of the words for what JSON has no number for.
    static func double(_ value: JSONValue) -> Double? {
        switch value {
        case .string("NaN"): .nan
        case .string("Infinity"): .infinity
        case .string("-Infinity"): -.infinity
        default: value.double
        }
    }
}
