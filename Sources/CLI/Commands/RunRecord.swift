import MartletClient
import MartletDomain
import MartletJSON

/// A run as the API shows it, with its params and metrics ready to be looked up.
struct RunRecord: Sendable {
    let json: JSONObject
    /// In the order in which they were logged.
    let paramNames: [String]
    let metricNames: [String]
    private let params: [String: JSONValue]
    private let metrics: [String: JSONValue]

    init(_ value: JSONValue) {
        json = value.object ?? JSONObject()
        let params = json["params"]?.object ?? JSONObject()
        let metrics = json["metrics"]?.object ?? JSONObject()
        paramNames = params.members.map(\.key)
        metricNames = metrics.members.map(\.key)
        self.params = Dictionary(params.members.map { ($0.key, $0.value) }) { first, _ in first }
        self.metrics = Dictionary(metrics.members.map { ($0.key, $0.value) }) { first, _ in first }
    }

    func text(_ key: String) -> String? { json[key]?.string }

    var id: String { text("id") ?? text("run_id") ?? "" }
    /// What people call it: the short id, or the beginning of the id while there is none.
    var shown: String { text("short_id") ?? String(id.prefix(8)) }
    var name: String { text("name") ?? text("run_name") ?? "" }
    /// Its name, unless nobody gave it one of its own.
    var ownName: String? { name.isEmpty || name == shown || name == id ? nil : name }
    var experiment: String { text("experiment_name") ?? text("experiment_id") ?? "" }
    var statusText: String { text("status") ?? text("state") ?? "" }
    var state: RunState? { text("state").flatMap { word in RunState.allCases.first { $0.word == word } } }
    /// Whether it may stand as a result.
    var verdict: Verdict { Status(state: state ?? .finished, word: statusText).verdict }
    var start: Timestamp? { text("start_time").flatMap { Timestamp(iso: $0) } }
    var end: Timestamp? { text("end_time").flatMap { Timestamp(iso: $0) } }

    func param(_ name: String) -> JSONValue? { params[name] }
    func metric(_ name: String) -> Double? { metrics[name].flatMap(Numbers.double) }

    /// The value of a column; nil when the run has none.
    func value(_ field: RunField) -> JSONValue? {
        let found: JSONValue? =
            switch field {
            case .param(let name): params[name]
            case .metric(let name): metrics[name]
            case .tag(let name): json["tags"]?[name].map { $0.isNull ? .string("") : $0 }
            case .attribute("run_id"): .string(shown)
            case .attribute("artifacts"): .int(Int64(json["artifacts"]?.array?.count ?? 0))
            case .attribute("duration"): json["duration_seconds"]
            case .attribute(let name): json[name]
            case .any(let name): params[name] ?? metrics[name] ?? json["tags"]?[name]
            }
        return found.flatMap { $0.isNull && field.isNullMissing ? nil : $0 }
    }
}

/// What stands in a column of runs.
enum RunField: Hashable, Sendable {
    case param(String)
    case metric(String)
    case tag(String)
    case attribute(String)
    /// A name without a prefix: a param, else a metric, else a tag.
    case any(String)

    /// `params.lr`, `metrics.loss`, `tags.team`, `status`, or just `lr`.
    init(_ text: String) {
        for (prefixes, make) in RunField.spaces {
            for prefix in prefixes where text.hasPrefix(prefix) && text.count > prefix.count {
                self = make(String(text.dropFirst(prefix.count)))
                return
            }
        }
        self = RunField.attributes[text].map { .attribute($0) } ?? .any(text)
    }

    private static let spaces: [([String], @Sendable (String) -> RunField)] = [
        (["params.", "param.", "parameters."], { .param($0) }),
        (["metrics.", "metric."], { .metric($0) }),
        (["tags.", "tag."], { .tag($0) }),
    ]

    /// Spellings of what every run has, and the API's name for it. `run_id` is the id that people use.
    private static let attributes: [String: String] = [
        "run_id": "run_id", "run": "run_id", "short_id": "run_id", "id": "id", "uuid": "id", "name": "name",
        "run_name": "name", "status": "status", "state": "state", "start_time": "start_time",
        "started": "start_time", "end_time": "end_time", "ended": "end_time", "duration": "duration",
        "experiment": "experiment_name", "experiment_name": "experiment_name", "experiment_id": "experiment_id",
        "project": "project", "user": "user", "description": "description", "git_commit": "git_commit",
        "code_version": "code_version", "parent": "parent_id", "parent_id": "parent_id", "attempt": "attempt",
        "artifacts": "artifacts", "source": "source",
    ]

    /// A param may be null and then says so; elsewhere null means that there is nothing.
    var isNullMissing: Bool {
        switch self {
        case .param, .any: false
        default: true
        }
    }

    /// As the filter and order languages write it.
    var searchName: String {
        switch self {
        case .param(let name): "params.\(RunField.quoted(name))"
        case .metric(let name): "metrics.\(RunField.quoted(name))"
        case .tag(let name): "tags.\(RunField.quoted(name))"
        case .attribute("run_id"): "short_id"
        case .attribute("experiment_name"): "experiment"
        case .attribute(let name), .any(let name): name
        }
    }

    private static func quoted(_ name: String) -> String {
        let isPlain = name.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0 & 0xDF) || "_./-".utf8.contains($0)
        }
        guard !isPlain else { return name }
        return "`" + name.split(separator: "`", omittingEmptySubsequences: false).joined(separator: "``") + "`"
    }
}

/// Values of the API as text.
enum Numbers {
    /// A number, or one of the words for what JSON has no number for.
    static func double(_ value: JSONValue) -> Double? {
        switch value {
        case .int(let number): Double(number)
        case .double(let number): number
        case .string("NaN"): .nan
        case .string("Infinity"): .infinity
        case .string("-Infinity"): -.infinity
        default: nil
        }
    }

    /// As it was logged: `0.01`, `1.0`, `Ridge`, `true`, compact JSON for what is nested.
    static func text(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): return text
        case .int(let number): return "\(number)"
        case .double(let number): return number.description
        case .bool(let flag): return flag ? "true" : "false"
        case .null: return "null"
        case .array, .object:
            var writer = JSONWriter()
            writer.value(value)
            return writer.text
        }
    }

    /// The same for people: of a number that fills half a line six digits are enough.
    static func short(_ value: JSONValue) -> String {
        guard case .double(let number) = value, number.description.count > 10 else { return text(value) }
        return NumberText.printed("%.6g", number)
    }

    /// How many decimals a column of metrics needs, up to four: `0.82` stays `0.82`, `0.913230` becomes `0.9132`.
    static func decimals(of values: [Double], most: Int = 4) -> Int {
        var needed = 0
        for value in values where value.isFinite && needed < most {
            while needed < most, !isExact(value, decimals: needed) { needed += 1 }
        }
        return needed
    }

    private static func isExact(_ value: Double, decimals: Int) -> Bool {
        Double(NumberText.fixed(value, decimals: decimals)) == value
    }

    /// A metric in a column; what four decimals would round to nothing is written short instead.
    static func metric(_ value: Double, decimals: Int) -> String {
        value != 0 && value.magnitude < 0.001 && value.isFinite
            ? NumberText.compact(value) : NumberText.fixed(value, decimals: decimals)
    }
}
