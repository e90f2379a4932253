// Foreign: the stores of other trackers, read as they lie there and written as those trackers read them. What comes out
// has MLflow's own field names, as its REST API spells them, so that one shape serves files, a database and a server.

package import MartletDomain
package import MartletJSON

/// A store of MLflow's: a folder of files, a database, a server.
package protocol MLflowStore: AnyObject {
    var place: String { get }
    /// `experiment_id`, `name`, `artifact_location`, `lifecycle_stage`, `creation_time`, `last_update_time`, `tags`.
    func experiments() throws(Refusal) -> [JSONObject]
    /// The ids of an experiment's runs, oldest first where that is known, deleted ones too.
    func runs(of experiment: String) throws(Refusal) -> [String]
    /// `run_id`, `run_name`, `user_id`, `status`, `start_time`, `end_time`, `lifecycle_stage`, `artifact_uri`, `params`,
    /// `tags`, `dataset_inputs`, `model_inputs`, `model_outputs`.
    func run(_ id: String, of experiment: String) throws(Refusal) -> JSONObject
    /// Every point of a run, one metric after another, in the order in which they were logged where that is known.
    func metrics(
        of run: JSONObject, in experiment: String, _ body: (String, MetricColumns) throws(Refusal) -> Void
    ) throws(Refusal)
    /// A text that changes when anything of a run does, for as long as this process runs; nil where only a look tells.
    func stamp(of run: String, in experiment: String) throws(Refusal) -> String?
    /// A text that changes when a run gets more points.
    func mark(of run: JSONObject, in experiment: String) throws(Refusal) -> String
    /// `name`, `creation_timestamp`, `last_updated_timestamp`, `description`, `tags`, and under `versions` its versions.
    func registeredModels() throws(Refusal) -> [JSONObject]
    /// `model_id`, `name`, `artifact_uri`, `status`, `model_type`, `source_run_id`, `params`, `tags`, `metrics` …
    func loggedModels(of experiment: String) throws(Refusal) -> [JSONObject]
    /// `trace_id`, `request_time` or `timestamp_ms`, `execution_duration` or `execution_time_ms`, `state`, previews,
    /// `trace_metadata` and `tags` as maps, `assessments`, and `spans` as they lie there.
    func traces(of experiment: String, _ body: (JSONObject) throws(Refusal) -> Void) throws(Refusal)
    /// The files at a place that a run or a model names; nil when they cannot be read from here.
    func files(at location: String, of owner: ArtifactOwner) throws(Refusal) -> [ForeignFile]?
    /// Brings a file of a server to a path of this machine.
    func fetch(_ address: String, to path: String) throws(Refusal)
}

/// Whose artifacts they are: a store may keep them beside its records, wherever they say they were.
package struct ArtifactOwner: Sendable {
    package enum Kind: String, Sendable { case run, loggedModel, trace }
    package var kind: Kind
    package var experiment: String
    package var id: String
    package init(_ kind: Kind, _ id: String, of experiment: String) {
        (self.kind, self.id, self.experiment) = (kind, id, experiment)
    }
}

package struct ForeignFile: Sendable {
    package enum Place: Sendable {
        case path(String)
        /// To be fetched.
        case address(String)
    }
    /// Relative to its owner's artifacts.
    package var path: String
    package var size: Int64
    package var place: Place
}

/// The points of one metric.
package struct MetricColumns: Sendable {
    package var steps: [Int64] = []
    /// Milliseconds since 1970.
    package var times: [Int64] = []
    package var values: [Double] = []
    /// What could not be read, in words.
    package var problems: [String] = []
    package init() {}
    package var count: Int { steps.count }

    package mutating func append(step: Int64, time: Int64, value: Double) {
        steps.append(step)
        times.append(time)
        values.append(value)
    }
}

extension JSONObject {
    init(fields: [(String, JSONValue?)]) {
        self.init(fields.compactMap { field in field.1.map { Member(field.0, $0) } })
    }

    /// `[{"key": …, "value": …}]`, as every list of MLflow's texts is spelled.
    static func pairs(_ entries: [(key: String, value: String)]) -> JSONValue {
        .array(
            entries.map {
                .object(JSONObject([Member("key", .string($0.key)), Member("value", .string($0.value))]))
            })
    }
}
