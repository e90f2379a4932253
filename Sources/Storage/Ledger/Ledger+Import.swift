package import MartletDomain
package import MartletSeries

// What another tracker kept, written down here as it was there: with its ids, and with the times of then. Bringing the
// same thing twice changes nothing, so that an import may be broken off and begun again, or follow a store that grows.
extension Ledger {
    /// The experiment that this one is here. It is the one of its id, made at the same moment or called the same; else
    /// the one of its name; else a new one, under its id where that is free.
    package func importExperiment(_ given: Experiment) throws(StorageError) -> (experiment: Experiment, created: Bool) {
        let project = try activeProject(given.project)
        try checkName(given.name, "experiment")
        if let known = try tx.experiment(given.id), known.project == project.id, try !tx.isPurged(known.id) {
            if known.name == given.name { return (try takeOver(given, into: known), false) }
            if known.created.millis == given.created.millis {
                // It was renamed there since.
                guard known.life == .active else { return (known, false) }
                let renamed = try updateExperiment(known.id, name: given.name)
                return (try takeOver(given, into: renamed), false)
            }
        }
        if let known = try tx.experiment(named: given.name, in: project.id) {
            return (try takeOver(given, into: known), false)
        }
        var draft = ExperimentDraft(name: given.name, project: project.id)
        (draft.description, draft.location, draft.tags) = (given.description, given.location, given.tags)
        let isFree = try tx.experiment(given.id) == nil && given.id > .standard
        return try dated(given.created) { past throws(StorageError) in
            (try past.createExperiment(draft, id: isFree ? given.id : nil).experiment, true)
        }
    }

    /// Tags and words that it has there and not here. What was changed here stays.
    private func takeOver(_ given: Experiment, into known: Experiment) throws(StorageError) -> Experiment {
        guard known.life == .active else { return known }
        var missing: [(key: String, value: TagValue)] = []
        for (key, value) in given.tags.entries where known.tags[key] == nil { missing.append((key, value)) }
        let describes = known.description.isEmpty && !given.description.isEmpty
        guard !missing.isEmpty || describes else { return known }
        return try dated(max(given.updated, known.updated)) { past throws(StorageError) in
            try past.updateExperiment(
                known.id, description: describes ? given.description : nil, tags: missing)
        }
    }

    /// A run as it is there. It is under way until `endImport`, so that its points are not late ones.
    package func importRun(_ draft: RunDraft) throws(StorageError) -> (run: Run, created: Bool) {
        guard let id = draft.id else { return (try createRun(draft), true) }
        guard let known = try tx.run(id) else {
            var begun = draft
            (begun.status, begun.end) = (Status(state: .running, word: "RUNNING"), nil)
            return try dated(draft.start ?? now) { past throws(StorageError) in (try past.createRun(begun), true) }
        }
        guard known.life == .active else { return (known, false) }
        return (try takeOver(draft, into: known), false)
    }

    /// What was said of a run there since, or is not here: what was said last there counts.
    private func takeOver(_ draft: RunDraft, into known: Run) throws(StorageError) -> Run {
        var run = known
        let params = try tx.attributes(of: run.key).params
        let given = draft.attributes.params.entries.map { ($0.key, $0.value) }
        try logParams(given.filter { params[$0.0] == nil }, to: run.key)
        try logParams(given.filter { params[$0.0] != nil }, to: run.key, allowingChange: true)
        try setTags(draft.attributes.tags.entries.map { ($0.key, $0.value) }, of: run.key)
        try setProperties(draft.attributes.properties.entries.map { ($0.key, $0.value) }, of: run.key)
        if let name = draft.name, name != run.name {
            var update = RunUpdate()
            update.name = name
            update.cause = "import"
            run = try updateRun(run.key, update)
        }
        if let parent = draft.parent, run.parent == nil, parent != run.key {
            run.parent = parent
            try tx.update(run)
        }
        return run
    }

    /// Points that are not here yet; how many those were. The store keeps an exact repeat of a point once, so what is
    /// there already is known by its step, time and value.
    package func importPoints(_ name: String, _ points: SeriesPoints, to key: RunKey) throws(StorageError) -> Int {
        let run = try writableRun(key)
        guard let first = points.steps.min(), let last = points.steps.max() else { return 0 }
        var seen: Set<PointIdentity> = []
        if try tx.series(of: key, named: [name]).contains(where: { $0.lane == .plain }) {
            let known = try tx.points(key, name, .plain, in: PointRange(from: first, to: last))
            for index in 0..<known.count { seen.insert(PointIdentity(known[index])) }
        }
        var fresh = SeriesPoints()
        for index in 0..<points.count where seen.insert(PointIdentity(points[index])).inserted {
            fresh.append(points[index])
        }
        guard fresh.count > 0 else { return 0 }
        var batch = PointBatch()
        batch.append(name, fresh)
        try dated(max(run.seen, run.start)) { past throws(StorageError) in
            _ = try past.logPoints(PreparedPoints(batch: batch, blobs: nil), to: key)
        }
        return fresh.count
    }

    /// Closes a run as it was closed there.
    package func endImport(
        of key: RunKey, status: Status, end: Timestamp?, isDeleted: Bool, note imported: String
    ) throws(StorageError) -> Run {
        var run = try writableRun(key)
        try setProperties([(key: "imported", value: imported)], of: key)
        if run.status != status || run.end != end {
            run.status = status
            run.end = end
            run.seen = end ?? run.seen
            try tx.update(run)
            try dated(end ?? run.start) { past throws(StorageError) in
                try past.appendState(run, cause: "import")
            }
            note(
                "run.update", .run(run.key, run.id), in: run.project, after: [("status", status.word)])
        }
        if isDeleted {
            try deleteRun(key, withChildren: false)
            run.life = .deleted
        }
        return run
    }

    // MARK: - The registry

    /// A name of the registry as it is there; its versions follow.
    package func importModel(_ given: RegisteredModel) throws(StorageError) -> RegisteredModel {
        var model: RegisteredModel
        if let known = try tx.model(named: given.name, in: given.project) {
            model = known
        } else {
            model = try dated(given.created) { past throws(StorageError) in
                try past.createModel(
                    given.name, in: given.project, description: given.description, tags: given.tags)
            }
        }
        let before = model
        if model.description.isEmpty { model.description = given.description }
        for (key, value) in given.tags.entries where model.tags[key] == nil { model.tags[key] = .some(value) }
        model.lastVersion = max(model.lastVersion, given.lastVersion)
        try check(modelTags: model.tags)
        try limits.checkText(model.description, limits.noteBytes, "description", setting: "--limit-note-bytes")
        guard model != before || model.updated < given.updated else { return model }
        model.updated = max(model.updated, given.updated)
        try tx.update(model.card)
        return model
    }

    /// A version under its own number. The one that is here under it must be the same one.
    package func importVersion(
        _ given: ModelVersion, of name: String, aliases: [String]
    ) throws(StorageError) -> (version: ModelVersion, created: Bool) {
        var model = try writableModel(name, in: given.project)
        try ModelNames.check(source: given.source, limits)
        try limits.checkText(given.description, limits.noteBytes, "description", setting: "--limit-note-bytes")
        try check(modelTags: given.tags)
        for alias in aliases { try ModelNames.check(alias: alias) }
        var version = given
        version.model = model.id
        let known = try tx.modelVersion(given.number, of: model)
        if let known {
            guard known.created.millis == given.created.millis else {
                throw StorageError(
                    .conflict, "The version \(given.number) of “\(name)” is another one here.",
                    remedy: "Import into another project, or rename the model that is here first.", field: "version")
            }
            version.id = known.id
            // The files of a version that is here may lie elsewhere by now.
            (version.source, version.metadata) = (known.source, known.metadata)
            if version != known { try tx.update(version.card) }
        } else {
            version.id = try tx.insert(version.card).id
            note(
                "model-version.create", .modelVersion(name, version.number), in: given.project,
                after: [("source", version.source), ("run", version.run)])
        }
        let before = model
        model.lastVersion = max(model.lastVersion, given.number)
        for alias in aliases { model.aliases[alias] = given.number }
        try limits.checkCount(model.aliases.count, limits.tags, "aliases", of: name)
        if model != before { try tx.update(model.card) }
        return (version, known == nil)
    }

    /// A logged model under its own id, as it is there.
    package func importLoggedModel(
        _ given: LoggedModel, metrics: [ModelMetric]
    ) throws(StorageError) -> (model: LoggedModel, created: Bool) {
        var model = given
        let known = try tx.loggedModel(given.id)
        if let known {
            guard known.life == .active else { return (known, false) }
            model = known
        } else {
            var draft = LoggedModelDraft(experiment: given.experiment)
            (draft.id, draft.name, draft.type) = (given.id, given.name, given.type)
            (draft.sourceRun, draft.params, draft.tags) = (given.sourceRun, given.params, given.tags)
            model = try dated(given.created) { past throws(StorageError) in try past.createLoggedModel(draft) }
        }
        model = try dated(max(given.updated, model.updated)) { past throws(StorageError) in
            let seen = Set(try tx.metrics(of: model))
            let fresh = metrics.filter { !seen.contains($0) }
            var model = try past.logLoggedModelMetrics(fresh, of: given.id)
            model = try past.updateLoggedModel(
                given.id, ModelUpdate(tags: given.tags.entries.map { ($0.key, $0.value) }))
            if model.state != given.state || model.stateMessage != given.stateMessage {
                model = try past.setLoggedModelState(given.state, message: given.stateMessage, of: given.id)
            }
            if given.life != .active { try past.deleteLoggedModel(given.id) }
            return model
        }
        return (model, known == nil)
    }
}

/// A point as the store tells one from another.
private struct PointIdentity: Hashable {
    let step: Int64
    let time: Int64
    let bits: UInt64

    init(_ point: Point) { (step, time, bits) = (point.step, point.time, point.value.bitPattern) }
}
