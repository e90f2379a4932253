import MartletDomain
import MartletEngine
import MartletJSON
import MartletSeries
import MartletStorage

/// Takes the lines of an import, in one transaction.
struct Importer {
    let ledger: Ledger
    let project: ProjectID
    let call: Call
    let caller: Caller

    func take(_ line: ImportLine) throws(Refusal) -> JSONObject {
        switch line.kind {
        case .experiment: try experiment(line.fields)
        case .run: try run(line.fields)
        case .metrics: try metrics(line.fields)
        case .endRun: try endRun(line.fields)
        case .endExperiment: try endExperiment(line.fields)
        case .registeredModel: try registeredModel(line.fields)
        case .modelVersion: try modelVersion(line.fields)
        case .loggedModel: try loggedModel(line.fields)
        case .trace: try trace(line.fields)
        case .state: try state(line.fields)
        }
    }

    // MARK: Experiments

    private func experiment(_ fields: Message) throws(Refusal) -> JSONObject {
        let id = try fields.required("experiment_id")
        guard let number = Int64(id), number >= 0 else {
            throw .mlflow("“\(id.prefix(60))” is not the id of an experiment.")
        }
        var tags = Pairs<TagValue>()
        for (key, value) in try fields.pairs("tags") where key != RunTags.note { tags[key] = .some(value) }
        let created = try fields.time("creation_time") ?? ledger.now
        let found = try ledger.importExperiment(
            Experiment(
                id: ExperimentID(number), project: project, name: try fields.required("name"), created: created,
                updated: try fields.time("last_update_time") ?? created,
                location: try fields.text("artifact_location") ?? "",
                description: try fields.pairs("tags").last { $0.key == RunTags.note }?.value ?? "", tags: tags))
        return JSONObject([
            .init("experiment_id", .string("\(found.experiment.id)")),
            .init("artifact_location", .string(call.api.places.location(of: found.experiment))),
            .init("is_deleted", .bool(found.experiment.life != .active)), .init("created", .bool(found.created)),
        ])
    }

    private func endExperiment(_ fields: Message) throws(Refusal) -> JSONObject {
        let experiment = try ledger.tx.experiment(mlflow: try fields.required("experiment_id"), call)
        let updated = try fields.time("last_update_time") ?? ledger.now
        try ledger.dated(max(updated, experiment.updated)) { past throws(Refusal) in
            try past.deleteExperiment(experiment.id)
        }
        return JSONObject()
    }

    // MARK: Runs

    private func run(_ fields: Message) throws(Refusal) -> JSONObject {
        let home = try ledger.tx.experiment(mlflow: try fields.required("experiment_id"), call)
        let id = try fields.required("run_id")
        guard let runID = RunID(id) else { throw .mlflow("“\(id.prefix(60))” is not the id of a run: 32 hex digits.") }
        if let known = try ledger.tx.run(runID), known.project != project {
            throw .mlflow("The run \(runID) is in another project here.", .conflict)
        }
        var draft = RunDraft(experiment: home.id)
        draft.id = runID
        draft.start = try fields.time("start_time")
        var name = try fields.text("run_name") ?? ""
        for (key, value) in try fields.pairs("params") {
            draft.attributes.params[key] = ParamValue(text: value)
        }
        for (key, value) in try fields.pairs("tags") {
            if key == RunTags.name, !value.isEmpty { name = value }
            if let property = RunTags.property(of: key) { draft.attributes.properties[property] = value }
            if !RunTags.isField.contains(key) { draft.attributes.tags[key] = .some(value) }
            if key == RunTags.parent, let parent = RunID(value) { draft.parent = try ledger.tx.run(parent)?.key }
        }
        if let user = try fields.text("user_id"), !user.isEmpty, draft.attributes.properties["user"] == nil {
            draft.attributes.properties["user"] = user
        }
        draft.name = name.isEmpty ? nil : name
        let found = try ledger.importRun(draft)
        if found.run.life == .active { try flow(fields, found.run) }
        return JSONObject([
            .init("run_id", .string(found.run.id.text)),
            .init("artifact_uri", .string(call.api.places.location(of: found.run, in: home))),
            .init("is_deleted", .bool(found.run.life != .active)), .init("created", .bool(found.created)),
            .init("has_parent", .bool(found.run.parent != nil)),
        ])
    }

    private func flow(_ fields: Message, _ run: Run) throws(Refusal) {
        let inputs = try fields.messages("dataset_inputs").map { one throws(Refusal) in try DatasetInput(one) }
        let models = try fields.messages("model_inputs").map { one throws(Refusal) in try one.required("model_id") }
        if !inputs.isEmpty || !models.isEmpty {
            try ledger.logInputs(inputs, models: models, to: run.key, who: caller.principal)
        }
        let outputs = try fields.messages("model_outputs").map { one throws(Refusal) in
            RunFlow.Output(model: try one.required("model_id"), step: try one.integer("step") ?? 0)
        }
        if !outputs.isEmpty { try ledger.logOutputs(outputs, to: run.key, who: caller.principal) }
    }

    private func metrics(_ fields: Message) throws(Refusal) -> JSONObject {
        let run = try writable(fields)
        let key = try fields.required("key")
        let (steps, times) = (try fields.list("steps"), try fields.list("timestamps"))
        let values = try fields.list("values")
        guard steps.count == times.count, steps.count == values.count else {
            throw .mlflow("“steps”, “timestamps” and “values” are not of one length.")
        }
        var points = SeriesPoints()
        for index in steps.indices {
            guard let step = steps[index].int64, let millis = times[index].int64, let value = values[index].metricValue
            else { throw .mlflow("The point \(index + 1) of “\(key)” is not two whole numbers and a number.") }
            points.append(Point(step: step, time: Timestamp(millis: millis).micros, value: value))
        }
        let added = try ledger.importPoints(key, points, to: run.key)
        return JSONObject([.init("added", .int(Int64(added)))])
    }

    private func endRun(_ fields: Message) throws(Refusal) -> JSONObject {
        let run = try writable(fields)
        let word = try fields.text("status") ?? RunStatus.finished.rawValue
        _ = try ledger.endImport(
            of: run.key, status: Status(word: word), end: try fields.time("end_time"),
            isDeleted: try fields.text("lifecycle_stage") == "deleted", note: try fields.text("imported") ?? "{}")
        return try counts(run)
    }

    private func writable(_ fields: Message) throws(Refusal) -> Run {
        let id = try fields.runID()
        let run = try ledger.tx.run(mlflow: id, call)
        guard run.life == .active else { throw .runIsDeleted(run.id) }
        return run
    }

    private func counts(_ run: Run) throws(Refusal) -> JSONObject {
        let series = try ledger.tx.series(of: run.key, named: nil).filter { $0.lane == .plain }
        return JSONObject([
            .init("metrics", .int(Int64(series.count))),
            .init("points", .int(Int64(series.reduce(0) { $0 + $1.count }))),
        ])
    }

    /// What is here of a run, for an import that begins again.
    private func state(_ fields: Message) throws(Refusal) -> JSONObject {
        guard let id = RunID(try fields.runID()), let run = try ledger.tx.run(id), run.project == project else {
            return JSONObject()
        }
        var state = try counts(run)
        state["status"] = .string(run.status.word)
        if let end = run.end { state["end_time"] = .int(end.millis) }
        state["is_deleted"] = .bool(run.life != .active)
        let imported = try ledger.tx.attributes(of: run.key).properties["imported"]
        if let imported { state["imported"] = .string(imported) }
        return state
    }
}

extension Message {
    /// Milliseconds since 1970; nil where it is left out or 0, which MLflow writes for a time that nobody knows.
    func time(_ name: String) throws(Refusal) -> Timestamp? {
        try integer(name).flatMap { $0 > 0 ? Timestamp(millis: $0) : nil }
    }
}
