import MartletDomain
import MartletEngine
import MartletJSON
import MartletStorage

/// What a client says of a run: both bodies of conflict C2 in one, for a new run, a whole one and a change.
struct RunBody: Sendable {
    var id: String?
    var name: String?
    var parent: String?
    var status: Status?
    var start: Timestamp?
    var end: Timestamp?
    var tags: [(key: String, value: TagValue)]
    var params: [(key: String, value: ParamValue)]
    /// Nil takes a property away.
    var properties: [(key: String, value: String?)] = []

    static let propertyNames = ["description", "git_commit", "code_version", "user", "source"]

    init(_ fields: Fields, _ bytes: [UInt8]) throws(Refusal) {
        id = try fields.text("id", or: "run_id")
        name = try fields.text("name", or: "run_name")
        parent = try fields.text("parent", or: "parent_run_id")
        if parent == nil { parent = try fields.text("parent_id") }
        status = try fields.status()
        start = try fields.time("start_time")
        end = try fields.time("end_time")
        tags = try fields.tags()
        params = try ExactParams.read(bytes, under: ["params", "parameters"])
        for name in RunBody.propertyNames where fields.has(name) { properties.append((name, try fields.text(name))) }
        if fields.has("environment") {
            let environment = fields["environment"]
            if let environment, environment.object == nil {
                throw fields.wrong("environment", "an object", environment)
            }
            let json = try environment.map { value throws(Refusal) in
                String(decoding: try encoded { $0.value(value) }, as: UTF8.self)
            }
            properties.append(("environment", json))
        }
    }

    /// Makes the run. `status` stands for what was given, where a run must begin otherwise.
    func create(
        in experiment: Experiment, _ ledger: Ledger, by caller: Caller, status: Status? = nil
    ) throws(Refusal) -> Run {
        var draft = RunDraft(experiment: experiment.id)
        var alias: String?
        if let id {
            draft.id = RunID(id)
            if draft.id == nil { alias = id }
        }
        draft.name = name
        if let parent {
            let found = try ledger.tx.resolveRun(parent, in: nil, for: caller)
            try caller.require(.read, on: found.project)
            draft.parent = found.key
        }
        draft.status = status ?? self.status ?? .running
        draft.start = start
        draft.end = status == nil ? end : nil
        draft.attributes.params = Pairs(params)
        draft.attributes.tags = Pairs(tags)
        if caller.principal != Caller.local(via: "").principal {
            draft.attributes.properties["user"] = caller.principal
        }
        for (key, value) in properties { draft.attributes.properties[key] = value }
        let run = try ledger.createRun(draft)
        if let alias { try ledger.addAlias(alias, to: run.key) }
        return run
    }
}

extension StoreReader {
    func body(of run: Run) throws(Refusal) -> [UInt8] {
        var viewer = RunViewer(self)
        let view = try viewer.view(run)
        return try encoded { $0.run(view) }
    }
}
