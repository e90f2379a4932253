import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

extension NativeAPI {
    static let experimentRoutes: [Route] = [
        Route(
            .post, "/api/v1/experiments", "Create an experiment, or get the one of that name",
            .change { exchange, bytes throws(Refusal) in try createExperiment(exchange, bytes) },
            RouteDoc(
                "experiments", body: "NewExperiment",
                answers: [
                    (200, "The experiment of that name that was there.", "Experiment"),
                    (201, "A new experiment.", "Experiment"),
                ], failures: [400, 404, 409, 415, 422], once: true,
                details: "Experiments are shared by name inside a project; `created` says which it was.")),
        Route(
            .get, "/api/v1/experiments", "List experiments",
            .read { exchange throws(Refusal) in try listExperiments(exchange) },
            RouteDoc(
                "experiments",
                query: [
                    .query("project", "Only those of this project: id, slug or name."),
                    .query("name", "Only those of this name; `*` stands for any text."),
                    .query("tag", "Only those with this tag (`nlp`, `stage=pilot`); repeat it for more."), .life,
                    .limit,
                    .pageToken,
                ], answers: [(200, "Experiments, in order of id. All filters must hold.", "ExperimentList")],
                failures: [404, 422], access: .anyone)),
        Route(
            .get, "/api/v1/experiments/{experiment}", "Show an experiment",
            .read { exchange throws(Refusal) in try showExperiment(exchange) },
            RouteDoc("experiments", answers: [(200, "The experiment.", "Experiment")], failures: [404, 409])),
        Route(
            .patch, "/api/v1/experiments/{experiment}", "Change an experiment",
            .change { exchange, bytes throws(Refusal) in try updateExperiment(exchange, bytes) },
            RouteDoc(
                "experiments", body: "ExperimentChange", answers: [(200, "The experiment.", "Experiment")],
                failures: [400, 404, 409, 415, 422])),
        Route(
            .delete, "/api/v1/experiments/{experiment}", "Delete an experiment",
            .change { exchange, bytes throws(Refusal) in try deleteExperiment(exchange, bytes) },
            RouteDoc(
                "experiments", query: [.permanent], answers: [(204, "It is deleted.", nil)], failures: [404, 409],
                details: "Its runs go with it and come back with it. `permanent=true` also deletes every run of it for "
                    + "good; the name is free afterwards, the ids are not.")),
        Route(
            .post, "/api/v1/experiments/{experiment}/restore", "Bring a deleted experiment back",
            .change { exchange, bytes throws(Refusal) in try restoreExperiment(exchange, bytes) },
            RouteDoc(
                "experiments",
                answers: [(200, "The experiment, with the runs that were deleted with it.", "Experiment")],
                failures: [404, 409])),
    ]

    /// What an experiment keeps beside its own fields.
    static let experimentExtras = ["type", "domain", "metrics", "validation_criteria", "model_registry_integration"]

    /// Both bodies of conflict C1 in one.
    private static func createExperiment(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        let name = try fields.required("name", or: "experiment_name", for: "experiment's name")
        let project = try fields.references("project_id", "project")
        let description = try fields.text("description") ?? ""
        let hypothesis = try fields.text("hypothesis") ?? ""
        let tags = Pairs(try fields.tags())
        let extras = Pairs(try fields.extras().compactMap { entry in entry.value.map { (entry.key, $0) } })
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let home = try ledger.tx.project(of: project, for: caller)
            try caller.require(.write, on: home.id)
            var draft = ExperimentDraft(name: name, project: home.id)
            (draft.description, draft.hypothesis, draft.tags, draft.extras) = (description, hypothesis, tags, extras)
            let (experiment, created) = try ledger.createExperiment(draft)
            return Answer(
                status: created ? 201 : 200, body: try body(experiment, ledger.tx, created: created))
        }
    }

    private static func listExperiments(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let life = try exchange.lifeFilter()
        let name = exchange.query("name")
        let tags = exchange.request.query.all("tag").map(TagFilter.init)
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            var scope: ProjectID?
            if let text = exchange.query("project"), !text.isEmpty {
                let project = try reader.resolveProject(text, for: caller)
                try caller.require(.read, on: project.id)
                scope = project.id
            }
            let shown = try reader.experiments(in: scope, life).filter { experiment in
                caller.may(.read, on: experiment.project) && (name.map { Glob.matches($0, experiment.name) } ?? true)
                    && tags.allSatisfy { $0.matches(experiment.tags) }
            }
            let page = try exchange.page(shown) { $0.id.raw }
            let rows = try page.map { experiment throws(Refusal) in
                (experiment, try reader.project(experiment.project), try reader.runCounts(in: experiment.id))
            }
            return .json(
                try encoded { $0.list("experiments", rows) { $0.experiment($1.0, project: $1.1, counts: $1.2) } })
        }
    }

    private static func showExperiment(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let experiment = try reader.resolveExperiment(exchange["experiment"], for: caller)
            try caller.require(.read, on: experiment.project)
            return .json(try body(experiment, reader))
        }
    }

    private static func updateExperiment(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        try fields.requireAny(
            of: ["name", "experiment_name", "description", "hypothesis", "tags", "remove_tags"] + experimentExtras)
        let name = try fields.text("name", or: "experiment_name")
        let description = try fields.text("description")
        let hypothesis = try fields.text("hypothesis")
        let added = try fields.tags()
        let removed = try fields.texts("remove_tags")
        let extras = try fields.extras()
        let expected = try TagList.read(fields["if_tags"])
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let found = try ledger.tx.resolveExperiment(exchange["experiment"], for: caller)
            try caller.require(.write, on: found.project)
            for (key, text) in expected where (found.tags[key] ?? nil) != text {
                throw Refusal(
                    .conflict, "The tag “\(key.prefix(60))” was changed by somebody else meanwhile.",
                    remedy: "Read the experiment again, and decide which of both counts.", field: "if_tags")
            }
            let experiment = try ledger.updateExperiment(
                found.id, name: name, description: description, hypothesis: hypothesis, tags: added,
                removingTags: removed, extras: extras)
            return Answer(body: try body(experiment, ledger.tx))
        }
    }

    private static func deleteExperiment(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let isPermanent = try exchange.switchedOn("permanent")
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let experiment = try ledger.tx.resolveExperiment(exchange["experiment"], for: caller)
            try caller.require(isPermanent ? .admin : .write, on: experiment.project)
            if isPermanent {
                try ledger.purgeExperiment(experiment.id)
            } else {
                try ledger.deleteExperiment(experiment.id)
            }
            return Answer(status: 204, body: [])
        }
    }

    private static func restoreExperiment(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let found = try ledger.tx.resolveExperiment(exchange["experiment"], for: caller)
            try caller.require(.write, on: found.project)
            return Answer(body: try body(try ledger.restoreExperiment(found.id), ledger.tx))
        }
    }

    private static func body(
        _ experiment: Experiment, _ reader: any StoreReader, created: Bool? = nil
    ) throws(Refusal) -> [UInt8] {
        let project = try reader.project(experiment.project)
        let counts = try reader.runCounts(in: experiment.id)
        return try encoded { $0.experiment(experiment, project: project, counts: counts, created: created) }
    }
}

extension Fields {
    /// The ids or names given under these names, with where they stood; ids are accepted as numbers too.
    func references(_ names: String...) throws(Refusal) -> [(field: String, text: String)] {
        var found: [(field: String, text: String)] = []
        for name in names {
            if let number = self[name]?.int64 {
                found.append((name, "id:\(number)"))
            } else if let text = try text(name) {
                found.append((name, text))
            }
        }
        return found
    }

    /// What an experiment's definition holds beside its own fields, as JSON; nil takes a field away.
    fileprivate func extras() throws(Refusal) -> [(key: String, value: String?)] {
        _ = try text("type")
        _ = try text("domain")
        if let metrics = self["metrics"], metrics.array == nil {
            throw wrong("metrics", "a list of names", metrics)
        }
        var extras: [(key: String, value: String?)] = []
        for key in NativeAPI.experimentExtras where has(key) {
            guard let value = self[key] else {
                extras.append((key, nil))
                continue
            }
            extras.append((key, String(decoding: try encoded { $0.value(value) }, as: UTF8.self)))
        }
        return extras
    }
}

extension StoreReader {
    /// The one project that all of these name; the default one when there are none.
    func project(
        of references: [(field: String, text: String)], for caller: Caller
    ) throws(Refusal) -> Project {
        guard let first = references.first else { return try resolveProject("id:\(ProjectID.standard)", for: caller) }
        let project = try resolveProject(first.text, for: caller)
        for other in references.dropFirst() where try resolveProject(other.text, for: caller).id != project.id {
            throw Refusal(
                .invalid, "“\(first.field)” and “\(other.field)” name different projects.",
                remedy: "Send one of them.", field: other.field)
        }
        return project
    }
}
