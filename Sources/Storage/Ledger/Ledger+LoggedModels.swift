package import MartletDomain
import MartletJSON
import MartletSeries

/// What someone says when a model is logged.
package struct LoggedModelDraft: Sendable {
    package var experiment: ExperimentID
    /// Made by the writer, or by us.
    package var id: String?
    /// Nil: it is called by its id.
    package var name: String?
    package var type = ""
    package var sourceRun = ""
    package var state = LoggedModel.State.pending
    package var params = Pairs<ParamValue>()
    package var tags = Pairs<TagValue>()
    package init(experiment: ExperimentID) { self.experiment = experiment }
}

// Models as training writes them, before or without a place in the registry.
extension Ledger {
    package func createLoggedModel(_ draft: LoggedModelDraft) throws(StorageError) -> LoggedModel {
        let experiment = try activeExperiment(draft.experiment)
        let id = draft.id ?? LoggedModel.makeID()
        guard LoggedModel.isID(id) else {
            throw StorageError(
                .invalid, "“\(id.prefix(60))” is not the id of a logged model.",
                remedy: "Send “m-” and 32 hex digits, or none.", field: "model_id")
        }
        guard try tx.cards(LoggedModel.kind, key: id).isEmpty else {
            throw StorageError(
                .conflict, "There is already a logged model \(id).", remedy: "Log it under a new id.",
                field: "model_id")
        }
        let name = draft.name ?? id
        try ModelNames.check(loggedModel: name, limits)
        try limits.checkText(draft.type, limits.nameBytes, "model type", setting: "--limit-name-bytes")
        try check(loggedParams: draft.params)
        try check(modelTags: draft.tags)
        var model = LoggedModel(
            id: id, project: experiment.project, experiment: experiment.id, name: name, type: draft.type,
            state: draft.state, sourceRun: draft.sourceRun, params: draft.params, tags: draft.tags, created: now,
            updated: now)
        model.card = try tx.insert(model.asCard).id
        note("logged-model.create", .loggedModel(id), in: model.project, after: [("name", name)])
        return model
    }

    /// A logged model that may be changed.
    package func writableLoggedModel(_ id: String) throws(StorageError) -> LoggedModel {
        guard let model = try tx.loggedModel(id), model.life == .active else { throw .loggedModelNotFound(id) }
        _ = try activeExperiment(model.experiment)
        return model
    }

    package func setLoggedModelState(
        _ state: LoggedModel.State, message: String = "", of id: String
    ) throws(StorageError) -> LoggedModel {
        var model = try writableLoggedModel(id)
        let before = model.state
        guard (model.state, model.stateMessage) != (state, message) else { return model }
        (model.state, model.stateMessage) = (state, message)
        try save(&model)
        note(
            "logged-model.update", .loggedModel(id), in: model.project, before: [("status", before.rawValue)],
            after: [("status", state.rawValue)])
        return model
    }

    /// The same text again is nothing; another one is refused, as a run's would be.
    package func logLoggedModelParams(
        _ params: [(key: String, value: ParamValue)], of id: String
    ) throws(StorageError) -> LoggedModel {
        var model = try writableLoggedModel(id)
        var logged: [(String, String)] = []
        for (key, value) in params {
            if let old = model.params[key] {
                guard old.agrees(with: value) else {
                    throw StorageError(
                        .conflict,
                        "The param “\(key)” of the logged model is “\(old.text)” and cannot become “\(value.text)”.",
                        remedy: "Params do not change once logged. Log it under another name.", field: key)
                }
                continue
            }
            model.params[key] = value
            logged.append((key, value.text))
        }
        guard !logged.isEmpty else { return model }
        try check(loggedParams: model.params)
        try save(&model)
        note(
            "logged-model.params", .loggedModel(id), in: model.project, after: logged, count: logged.count)
        return model
    }

    package func updateLoggedModel(_ id: String, _ update: ModelUpdate) throws(StorageError) -> LoggedModel {
        var model = try writableLoggedModel(id)
        let before = model.tags
        try apply(update, to: &model.tags)
        guard model.tags != before else { return model }
        try save(&model)
        noteTags(
            "logged-model.tags", .loggedModel(id), in: model.project, update, before: before, after: model.tags)
        return model
    }

    /// Every number is kept beside the model; the latest of each metric and dataset also on its card, where a search
    /// finds it.
    package func logLoggedModelMetrics(
        _ metrics: [ModelMetric], of id: String, who: String = ""
    ) throws(StorageError) -> LoggedModel {
        var model = try writableLoggedModel(id)
        guard !metrics.isEmpty else { return model }
        var seen: Set<ModelMetric> = []
        let fresh = metrics.filter { seen.insert($0).inserted }
        for metric in fresh {
            try limits.checkKey(metric.key, "metric")
            model.take(metric)
        }
        try limits.checkCount(model.metrics.count, limits.metricNames, "metrics", of: model.name)
        var writer = JSONWriter()
        writer.array { writer in for metric in fresh { metric.write(to: &writer) } }
        try tx.append(
            Item(
                id: 0, owner: .experiment(model.experiment), kind: LoggedModel.metricKind, key: id, at: now, who: who,
                data: writer.text))
        try save(&model)
        note("logged-model.metrics", .loggedModel(id), in: model.project, count: fresh.count)
        return model
    }

    /// Deleted, not gone: it is out of sight, and its id stays taken.
    package func deleteLoggedModel(_ id: String) throws(StorageError) {
        var model = try writableLoggedModel(id)
        model.life = .deleted
        try save(&model)
        note("logged-model.delete", .loggedModel(id), in: model.project, before: [("name", model.name)])
    }

    private func save(_ model: inout LoggedModel) throws(StorageError) {
        model.updated = max(now, model.updated)
        try tx.update(model.asCard)
    }

    private func check(loggedParams params: Pairs<ParamValue>) throws(StorageError) {
        for (key, value) in params.entries {
            try limits.checkKey(key, "param")
            try limits.checkText(value.text, limits.paramBytes, "param “\(key)”", setting: "--limit-param-bytes")
        }
        try limits.checkCount(params.count, limits.params, "params", of: "logged model")
    }
}

extension LoggedModel {
    static let metricKind = "model-metric"

    /// Puts a number in the place of an earlier one of its metric and dataset.
    fileprivate mutating func take(_ metric: ModelMetric) {
        func point(_ metric: ModelMetric) -> Point {
            Point(step: metric.step, time: metric.time.micros, value: metric.value)
        }
        let place = metrics.firstIndex {
            $0.key == metric.key && $0.dataset == metric.dataset && $0.datasetDigest == metric.datasetDigest
        }
        guard let place else { return metrics.append(metric) }
        if Latest.isLater(point(metric), than: point(metrics[place])) { metrics[place] = metric }
    }
}

extension StoreReader {
    /// Whatever its life.
    package func loggedModel(_ id: String) throws(StorageError) -> LoggedModel? {
        guard LoggedModel.isID(id), let card = try cards(LoggedModel.kind, key: id).first else { return nil }
        return try LoggedModel(card)
    }

    /// Every number that was logged of a model, in order of arrival, exact duplicates once.
    package func metrics(of model: LoggedModel) throws(StorageError) -> [ModelMetric] {
        var seen: Set<ModelMetric> = []
        var metrics: [ModelMetric] = []
        for item in try items(of: .experiment(model.experiment), kind: LoggedModel.metricKind, key: model.id) {
            guard let list = (try? JSONValue(parsing: item.data))?.array else {
                throw StorageError(
                    .damaged, "The metrics \(item.id) of the logged model \(model.id) cannot be read.",
                    remedy: "Run `martlet fsck` to see what is hurt.")
            }
            for value in list {
                guard let metric = ModelMetric(value) else {
                    throw StorageError(
                        .damaged, "The metrics \(item.id) of the logged model \(model.id) cannot be read.",
                        remedy: "Run `martlet fsck` to see what is hurt.")
                }
                if seen.insert(metric).inserted { metrics.append(metric) }
            }
        }
        return metrics
    }
}

extension StorageError {
    package static func loggedModelNotFound(_ id: String) -> StorageError {
        StorageError(
            .notFound, "There is no logged model “\(id.prefix(60))”.",
            remedy: "List an experiment's with GET /api/v1/logged-models?experiment=….", field: "model_id")
    }
}
