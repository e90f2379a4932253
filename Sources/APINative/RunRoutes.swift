import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Runs: how they begin, what they look like, what can be said of them afterwards. How they go on and end is in
// RunLifeRoutes, what is recorded on them in RunRecordRoutes.
extension NativeAPI {
    static let runRoutes: [Route] = [
        Route(
            .post, "/api/v1/experiments/{experiment}/runs", "Start a run",
            .change { exchange, bytes throws(Refusal) in try createRun(exchange, bytes) },
            RouteDoc(
                "runs", body: "NewRun", isBodyRequired: false, answers: [(201, "The run.", "Run")],
                failures: [400, 404, 409, 415, 422], once: true,
                details:
                    "Everything may be left out. An `id` of 32 hex digits becomes the run's id; any other text is a "
                    + "further name by which the run is found.")),
        Route(
            .post, "/api/v1/runs", "Store a whole run at once",
            .change { exchange, bytes throws(Refusal) in try createWhole(exchange, bytes) },
            RouteDoc(
                "runs", body: "WholeRun", isBodyRequired: false, answers: [(201, "The run, finished.", "Run")],
                failures: [400, 404, 409, 415, 422], once: true,
                details: "For a script that logs once, at its end. An experiment that is not there is created.")),
        Route(
            .get, "/api/v1/runs/{run}", "Show a run",
            .read { exchange throws(Refusal) in try showRun(exchange, in: nil) },
            RouteDoc(
                "runs", query: [.artifacts], answers: [(200, "The run.", "Run")], failures: [400, 404, 409, 422])),
        Route(
            .get, "/api/v1/experiments/{experiment}/runs/{run}", "Show a run of an experiment",
            .read { exchange throws(Refusal) in try showRun(exchange, in: exchange["experiment"]) },
            RouteDoc(
                "runs", query: [.artifacts], answers: [(200, "The run.", "Run")], failures: [400, 404, 409, 422],
                details: "The address for short ids: `run_01` is looked for in this experiment alone.")),
        Route(
            .patch, "/api/v1/runs/{run}", "Change a run",
            .change { exchange, bytes throws(Refusal) in try updateRun(exchange, bytes) },
            RouteDoc(
                "runs", body: "RunChange", answers: [(200, "The run.", "Run")], failures: [400, 404, 409, 415, 422],
                details: "Possible after the end too. `null` takes a property away.")),
        Route(
            .get, "/api/v1/runs/{run}/children", "List a run's children",
            .read { exchange throws(Refusal) in try listChildren(exchange) },
            RouteDoc(
                "runs", query: [.life, .limit, .pageToken],
                answers: [(200, "The runs whose parent this is, oldest first.", "RunList")], failures: [404, 409, 422])),
    ]

    private static func createRun(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let body = try RunBody(try exchange.object(bytes), bytes)
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let experiment = try ledger.tx.resolveExperiment(exchange["experiment"], for: caller)
            try caller.require(.write, on: experiment.project)
            let run = try body.create(in: experiment, ledger, by: caller)
            return Answer(status: 201, body: try ledger.tx.body(of: run))
        }
    }

    /// A run that is over when it arrives. It begins as running, so that its metrics do not count as late.
    private static func createWhole(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        let body = try RunBody(fields, bytes)
        let ending = body.status ?? Status(word: "FINISHED")
        guard ending.state.isEnded else {
            throw Refusal(
                .invalid, "“\(ending.word)” is no ending, and this route stores runs that are over.",
                remedy: "Send FINISHED, failed or the like; start a running one with POST …/experiments/{id}/runs.",
                field: "status")
        }
        let project = try fields.references("project_id", "project")
        let experiments = try fields.references("experiment", "experiment_id", "experiment_name")
        var notes: [String] = []
        if let text = fields["notes"]?.string { notes = [text] } else { notes = try fields.texts("notes") }
        if let text = try fields.text("note") { notes.append(text) }
        let texts = notes
        let metrics = try finalMetrics(exchange, fields, at: body.end ?? body.start)
        let log = exchange.engine.prepare(metrics)
        try exchange.change(bytes, size: bytes.count + metrics.bytes) { ledger, caller throws(Refusal) in
            let experiment = try findOrCreate(experiments, in: project, ledger, caller)
            try caller.require(.write, on: experiment.project)
            let run = try body.create(in: experiment, ledger, by: caller, status: .running)
            _ = try log(ledger, run.key, .plain)
            for text in texts { _ = try ledger.addNote(text, to: .run(run.key), who: caller.principal) }
            let ended = try ledger.endRun(run.key, status: ending, at: body.end ?? max(run.start, ledger.now))
            return Answer(status: 201, body: try ledger.tx.body(of: ended))
        }
    }

    /// The metrics of a run that is over: a value each, or under a `step` a point each.
    private static func finalMetrics(
        _ exchange: Exchange, _ fields: Fields, at time: Timestamp?
    ) throws(Refusal) -> MetricInput {
        var input = MetricInput()
        guard let value = fields["metrics"] else { return input }
        guard let object = value.object else { throw fields.wrong("metrics", "an object", value) }
        let step = try fields.integer("step")
        let now = exchange.engine.clock.now
        try FlatMetrics.flatten(object) { name, value throws(Refusal) in
            input.add(name, step: step, time: time, value: value, now: now)
        }
        return input
    }

    /// The experiment that is named, made when nothing but its name is known; the default one when none is named.
    private static func findOrCreate(
        _ references: [(field: String, text: String)], in projects: [(field: String, text: String)], _ ledger: Ledger,
        _ caller: Caller
    ) throws(Refusal) -> Experiment {
        let project = try ledger.tx.project(of: projects, for: caller)
        guard let first = references.first else { return try ledger.activeExperiment(.standard) }
        var found: Experiment?
        do throws(Refusal) {
            found = try ledger.tx.resolveExperiment(first.text, in: projects.isEmpty ? nil : project.id, for: caller)
        } catch {
            guard error.code == .notFound, first.field != "experiment_id", !first.text.hasPrefix("id:") else {
                throw error
            }
        }
        guard let found else {
            try caller.require(.write, on: project.id)
            let name = first.text.hasPrefix("name:") ? String(first.text.dropFirst(5)) : first.text
            return try ledger.createExperiment(ExperimentDraft(name: name, project: project.id)).experiment
        }
        for other in references.dropFirst() {
            let named = try ledger.tx.resolveExperiment(other.text, in: found.project, for: caller)
            guard named.id == found.id else {
                throw Refusal(
                    .invalid, "“\(first.field)” and “\(other.field)” name different experiments.",
                    remedy: "Send one of them.", field: other.field)
            }
        }
        return found
    }

    private static func showRun(_ exchange: Exchange, in experiment: String?) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let listed = try exchange.integer("artifacts") ?? .max
        guard listed >= 0 else {
            throw Refusal(
                .invalid, "\(listed) artifacts cannot be listed.", remedy: "Send artifacts=0 or more.",
                field: "artifacts")
        }
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let run = try exchange.engine.readable(exchange["run"], in: experiment, by: caller, reader)
            var viewer = RunViewer(reader)
            let view = try viewer.view(run)
            let registered = try exchange.engine.modelVersions(of: run, reader).filter {
                caller.may(.read, on: $0.model.project)
            }
            return .json(try encoded { $0.run(view, registered: registered, listed: Int(clamping: listed)) })
        }
    }

    private static func updateRun(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        try fields.requireAny(
            of: ["name", "run_name", "status", "state", "start_time", "end_time", "tags", "environment"]
                + RunBody.propertyNames)
        let body = try RunBody(fields, bytes)
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let found = try exchange.engine.writable(exchange["run"], by: caller, ledger)
            var update = Ledger.RunUpdate()
            (update.name, update.status, update.start, update.end) = (body.name, body.status, body.start, body.end)
            let run = try ledger.updateRun(found.key, update)
            if !body.tags.isEmpty { try ledger.setTags(body.tags, of: run.key) }
            if !body.properties.isEmpty { try ledger.setProperties(body.properties, of: run.key) }
            return Answer(body: try ledger.tx.body(of: run))
        }
    }

    private static func listChildren(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let life = try exchange.lifeFilter()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let run = try exchange.engine.readable(exchange["run"], by: caller, reader)
            let children = try reader.children(of: run.key)
                .filter { life.includes($0.life) && caller.may(.read, on: $0.project) }.sorted { $0.key < $1.key }
            var viewer = RunViewer(reader)
            let page = try exchange.page(children) { $0.key.raw }.map { child throws(Refusal) in
                try viewer.view(child)
            }
            return .json(try encoded { $0.list("runs", page) { $0.run($1) } })
        }
    }
}

extension RouteDoc.Parameter {
    fileprivate static let artifacts = query(
        "artifacts", "How many artifacts are listed at most, in order of their paths; left out, all of them.",
        ["type": "integer", "minimum": 0])
}
