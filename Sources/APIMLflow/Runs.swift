import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Runs: how they begin, change, go and come back. What is logged into them is in Logging and LogBatch.
extension MLflowAPI {
    static let runEndpoints: [Endpoint] = [
        .change(.post, "2.0/mlflow/runs/create") { call, message throws(Refusal) in try createRun(call, message) },
        .change(.post, "2.0/mlflow/runs/update") { call, message throws(Refusal) in try updateRun(call, message) },
        .read(.get, "2.0/mlflow/runs/get") { call, message throws(Refusal) in
            let id = try message.runID()
            let caller = try call.caller()
            return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
                let run = try reader.run(mlflow: id, call)
                try caller.require(.read, on: run.project)
                let answer = try reader.answer(run, call.api.places)
                return .json(answer)
            }
        },
        .change(.post, "2.0/mlflow/runs/delete") { call, message throws(Refusal) in
            let id = try message.required("run_id")
            try call.change { ledger, caller throws(Refusal) in
                let run = try ledger.tx.run(mlflow: id, call)
                try caller.require(.write, on: run.project)
                try ledger.deleteRun(run.key, withChildren: false)
                return Call.empty
            }
        },
        .change(.post, "2.0/mlflow/runs/restore") { call, message throws(Refusal) in
            let id = try message.required("run_id")
            try call.change { ledger, caller throws(Refusal) in
                let run = try ledger.tx.run(mlflow: id, call)
                try caller.require(.write, on: run.project)
                _ = try ledger.restoreRun(run.key)
                return Call.empty
            }
        },
    ]

    private static func createRun(_ call: Call, _ message: Message) throws(Refusal) {
        let home = try message.text("experiment_id") ?? ""
        let start = try message.integer("start_time").map(Timestamp.init(millis:))
        let user = try message.text("user_id") ?? ""
        var name = try message.text("run_name") ?? ""
        let tags = try TagChange(try message.pairs("tags"))
        if let tagged = tags.name, !tagged.isEmpty {
            guard name.isEmpty || name == tagged else {
                throw .mlflow(
                    "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='\(name)', mlflow.runName='\(tagged)')."
                )
            }
            name = tagged
        }
        let chosen = name
        try call.change { ledger, caller throws(Refusal) in
            let experiment = try ledger.writableExperiment(home.isEmpty ? "0" : home, call, caller)
            var draft = RunDraft(experiment: experiment.id)
            draft.name = chosen.isEmpty ? RandomName.make() : chosen
            draft.start = start.flatMap { $0.micros > 0 ? $0 : nil }
            draft.status = Status(state: .running, word: RunStatus.running.rawValue)
            draft.attributes.tags = Pairs(tags.tags.map { ($0.key, .some($0.value)) })
            for (key, value) in tags.properties { draft.attributes.properties[key] = value }
            if !user.isEmpty { draft.attributes.properties["user"] = user }
            if let parent = tags.tags.last(where: { $0.key == RunTags.parent })?.value, let id = RunID(parent) {
                draft.parent = try ledger.tx.run(id)?.key
            }
            let run = try ledger.createRun(draft)
            return try ledger.tx.answer(run, call.api.places)
        }
    }

    private static func updateRun(_ call: Call, _ message: Message) throws(Refusal) {
        let id = try message.runID()
        let status = try message.status()
        let end = try message.integer("end_time").map(Timestamp.init(millis:))
        let name = try message.text("run_name") ?? ""
        try call.change { ledger, caller throws(Refusal) in
            let found = try ledger.writableRun(id, call, caller)
            var update = Ledger.RunUpdate()
            update.status = status.map { Status(word: $0.rawValue) }
            update.end = end
            update.isEndExact = true
            update.name = name.isEmpty ? nil : name
            let run = try ledger.updateRun(found.key, update)
            if update.name != nil { try RunTags.showName(of: run, true, ledger) }
            var viewer = RunViewer(ledger.tx)
            let view = try viewer.view(run, [])
            return try encoded { writer in
                writer.object { writer in
                    writer.key("run_info")
                    writer.runInfo(view, call.api.places)
                }
            }
        }
    }
}

extension Message {
    /// A word or protobuf's number of it.
    fileprivate func status() throws(Refusal) -> RunStatus? {
        guard let value = self["status"] else { return nil }
        if let text = value.string, let status = RunStatus(rawValue: text) { return status }
        if let number = value.int64, let status = RunStatus(number: number) { return status }
        throw .wrongValue(
            "status", value, "Valid values are \(RunStatus.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
}

/// Tags as a client sends them, cut to MLflow's length, and what they say about a run's own fields.
struct TagChange: Sendable {
    /// What is kept as a tag.
    private(set) var tags: [(key: String, value: String)] = []
    private(set) var properties: [(key: String, value: String?)] = []
    private(set) var name: String?

    init(_ pairs: [(key: String, value: String)], at path: (Int) -> String = { "tags[\($0)].key" }) throws(Refusal) {
        for (index, pair) in pairs.enumerated() {
            try Names.check(tag: pair.key, at: path(index))
            let value = Names.cut(pair.value, to: Names.tagMax)
            if pair.key == RunTags.name { name = value }
            if let property = RunTags.property(of: pair.key) { properties.append((property, value)) }
            if !RunTags.isField.contains(pair.key) { tags.append((pair.key, value)) }
        }
    }

    /// Puts them down on a run that is there.
    func apply(to run: Run, _ ledger: Ledger) throws(Refusal) {
        if !tags.isEmpty { try ledger.setTags(tags.map { ($0.key, $0.value) }, of: run.key) }
        if let listed = tags.last(where: { $0.key == LoggedMedia.tableTag })?.value {
            try LoggedMedia.keepTables(listedIn: listed, of: run, ledger)
        }
        if !properties.isEmpty { try ledger.setProperties(properties, of: run.key) }
        if let name, !name.isEmpty {
            var update = Ledger.RunUpdate()
            update.name = name
            _ = try ledger.updateRun(run.key, update)
            try RunTags.showName(of: run, true, ledger)
        }
    }
}

extension StoreReader {
    /// By its id, or whatever else names a run here, as long as the client may see its project.
    func run(mlflow id: String, _ call: Call) throws(Refusal) -> Run {
        var found: Run?
        if let known = RunID(id) {
            found = try run(known)
        } else {
            for space in ["import", ""] where found == nil {
                if let key = try alias(id, space: space) { found = try run(key) }
            }
        }
        let project = try call.project(self)
        guard let found, found.project == project.id else { throw .noRun(id) }
        return found
    }

    /// A run as `runs/get` and `runs/create` answer it.
    func answer(_ run: Run, _ places: ArtifactPlaces) throws(Refusal) -> [UInt8] {
        var viewer = RunViewer(self)
        let view = try viewer.view(run, [.metrics])
        let inputs = RunInputs(try flow(of: run))
        return try encoded { writer in
            writer.object { writer in
                writer.key("run")
                writer.run(view, inputs, places)
            }
        }
    }
}

extension Ledger {
    /// A run that the caller may write to and that is not deleted, or MLflow's word why not.
    func writableRun(_ id: String, _ call: Call, _ caller: Caller) throws(Refusal) -> Run {
        let run = try tx.run(mlflow: id, call)
        try caller.require(.write, on: run.project)
        guard run.life == .active else { throw .runIsDeleted(run.id) }
        return run
    }
}

extension Refusal {
    static func runIsDeleted(_ id: RunID) -> Refusal {
        .mlflow("The run \(id) must be in the 'active' state. Current state is deleted.")
    }
}
