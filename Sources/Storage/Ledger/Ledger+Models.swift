package import MartletDomain

/// What someone says when a version is registered; everything but the source may be left out.
package struct ModelVersionDraft: Sendable {
    package var source: String
    package var run = ""
    package var runLink = ""
    package var loggedModel = ""
    package var description = ""
    package var user = ""
    package var state = ModelVersion.State.ready
    package var stateMessage = ""
    package var tags = Pairs<TagValue>()
    /// JSON.
    package var metadata = "{}"
    /// Words that shall stand for it from now on.
    package var aliases: [String] = []
    package init(source: String) { self.source = source }
}

/// What changes about a model or a version; nil leaves it as it is.
package struct ModelUpdate: Sendable {
    package var description: String?
    package var tags: [(key: String, value: TagValue)] = []
    package var removingTags: [String] = []
    package init(
        description: String? = nil, tags: [(key: String, value: TagValue)] = [], removingTags: [String] = []
    ) {
        (self.description, self.tags, self.removingTags) = (description, tags, removingTags)
    }
}

// The registry: names under which versions of a model are kept. Versions hang on the model's card and not on its name.
extension Ledger {
    package func createModel(
        _ name: String, in project: ProjectID, description: String = "", tags: Pairs<TagValue> = .init()
    ) throws(StorageError) -> RegisteredModel {
        _ = try activeProject(project)
        try ModelNames.check(model: name, limits)
        guard try tx.model(named: name, in: project) == nil else { throw .modelTaken(name) }
        try checkDescription(description)
        try check(modelTags: tags)
        var model = RegisteredModel(
            project: project, name: name, description: description, tags: tags, created: now, updated: now)
        model.id = try tx.insert(model.card).id
        note("model.create", .model(name), in: project, after: [("name", name)])
        return model
    }

    /// A model that may be changed.
    package func writableModel(_ name: String, in project: ProjectID) throws(StorageError) -> RegisteredModel {
        _ = try activeProject(project)
        guard let model = try tx.model(named: name, in: project) else { throw .modelNotFound(name) }
        return model
    }

    /// Versions, aliases and tags come along: they hang on the model and not on its name.
    package func renameModel(
        _ name: String, in project: ProjectID, to newName: String
    ) throws(StorageError) -> RegisteredModel {
        var model = try writableModel(name, in: project)
        try ModelNames.check(model: newName, limits)
        guard newName != name else { return model }
        guard try tx.model(named: newName, in: project) == nil else { throw .modelTaken(newName) }
        model.name = newName
        try save(&model)
        note("model.rename", .model(newName), in: project, before: [("name", name)], after: [("name", newName)])
        return model
    }

    package func updateModel(
        _ name: String, in project: ProjectID, _ update: ModelUpdate
    ) throws(StorageError) -> RegisteredModel {
        var model = try writableModel(name, in: project)
        let before = model
        if let description = update.description {
            try checkDescription(description)
            model.description = description
        }
        try apply(update, to: &model.tags)
        guard model != before else { return model }
        try save(&model)
        if model.description != before.description {
            note(
                "model.update", .model(name), in: project, before: [("description", before.description)],
                after: [("description", model.description)])
        }
        noteTags("model.tags", .model(name), in: project, update, before: before.tags, after: model.tags)
        return model
    }

    /// Its versions go with it. The name is free from then on.
    package func deleteModel(_ name: String, in project: ProjectID) throws(StorageError) {
        let model = try writableModel(name, in: project)
        let versions = try tx.cardCount(ModelVersion.kind, owner: Card.owner(card: model.id))
        try tx.removeCards(in: project, owner: Card.owner(card: model.id))
        try tx.removeCard(model.id)
        // Nobody can be told of a card that is gone: who follows the project hears that something in it changed.
        if let home = try tx.project(project) { try tx.update(home) }
        note("model.delete", .model(name), in: project, before: [("name", name), ("versions", "\(versions)")])
    }

    /// Lets a word stand for a version; nil takes it away, and taking away what is not there changes nothing.
    package func setModelAlias(
        _ alias: String, of name: String, in project: ProjectID, version: Int?
    ) throws(StorageError) -> RegisteredModel {
        var model = try writableModel(name, in: project)
        try ModelNames.check(alias: alias)
        if let version { _ = try writableVersion(version, of: model) }
        let before = model.aliases[alias]
        guard before != version else { return model }
        model.aliases[alias] = version
        try limits.checkCount(model.aliases.count, limits.tags, "aliases", of: name)
        try save(&model)
        note(
            "model.alias", .model(name), in: project, before: before.map { [(alias, "\($0)")] } ?? [],
            after: version.map { [(alias, "\($0)")] } ?? [])
        return model
    }

    // MARK: - Versions

    package func createModelVersion(
        of name: String, in project: ProjectID, _ draft: ModelVersionDraft
    ) throws(StorageError) -> (model: RegisteredModel, version: ModelVersion) {
        var model = try writableModel(name, in: project)
        guard !draft.source.isEmpty else {
            throw StorageError(
                .invalid, "The version has no source.",
                remedy: "Say where its files are, or which run's artifact it is.",
                field: "source")
        }
        try ModelNames.check(source: draft.source, limits)
        try checkDescription(draft.description)
        try check(modelTags: draft.tags)
        try limits.checkText(draft.metadata, limits.noteBytes, "metadata", setting: "--limit-note-bytes")
        for alias in draft.aliases { try ModelNames.check(alias: alias) }
        model.lastVersion += 1
        var version = ModelVersion(
            model: model.id, project: project, number: model.lastVersion, description: draft.description,
            source: draft.source, run: draft.run, runLink: draft.runLink, loggedModel: draft.loggedModel,
            user: draft.user, state: draft.state, stateMessage: draft.stateMessage, tags: draft.tags,
            metadata: draft.metadata, created: now, updated: now)
        version.id = try tx.insert(version.card).id
        for alias in draft.aliases { model.aliases[alias] = version.number }
        try limits.checkCount(model.aliases.count, limits.tags, "aliases", of: name)
        try save(&model)
        note(
            "model-version.create", .modelVersion(name, version.number), in: project,
            after: [("source", draft.source), ("run", draft.run)])
        for alias in draft.aliases {
            note("model.alias", .model(name), in: project, after: [(alias, "\(version.number)")])
        }
        return (model, version)
    }

    package func updateModelVersion(
        _ number: Int, of name: String, in project: ProjectID, _ update: ModelUpdate
    ) throws(StorageError) -> (model: RegisteredModel, version: ModelVersion) {
        var model = try writableModel(name, in: project)
        var version = try writableVersion(number, of: model)
        let before = version
        if let description = update.description {
            try checkDescription(description)
            version.description = description
        }
        try apply(update, to: &version.tags)
        guard version != before else { return (model, version) }
        // A new description says nothing new about the model.
        try save(&version, of: &model, touchesModel: version.tags != before.tags)
        let subject = Change.Subject.modelVersion(name, number)
        if version.description != before.description {
            note(
                "model-version.update", subject, in: project, before: [("description", before.description)],
                after: [("description", version.description)])
        }
        noteTags("model-version.tags", subject, in: project, update, before: before.tags, after: version.tags)
        return (model, version)
    }

    /// Whether a registration that takes its time has come to an end.
    package func setModelVersionState(
        _ state: ModelVersion.State, message: String = "", of number: Int, of name: String, in project: ProjectID
    ) throws(StorageError) -> ModelVersion {
        var model = try writableModel(name, in: project)
        var version = try writableVersion(number, of: model)
        let before = version
        (version.state, version.stateMessage) = (state, message)
        guard version != before else { return version }
        try save(&version, of: &model)
        note(
            "model-version.update", .modelVersion(name, number), in: project,
            before: [("status", before.state.rawValue)], after: [("status", state.rawValue)])
        return version
    }

    /// Moves a version to a stage; `archiving` moves those that are there to Archived, which only makes sense where
    /// versions are in use.
    package func transition(
        _ number: Int, of name: String, in project: ProjectID, to stage: ModelStage, archiving: Bool = false
    ) throws(StorageError) -> (model: RegisteredModel, version: ModelVersion) {
        var model = try writableModel(name, in: project)
        var version = try writableVersion(number, of: model)
        guard !archiving || stage.isActive else {
            throw StorageError(
                .invalid, "Versions cannot be archived by a move to \(stage.rawValue): it is not in use.",
                remedy: "Archive the others when a version moves to Staging or Production.",
                field: "archive_existing_versions")
        }
        if archiving {
            for var other in try tx.modelVersions(of: model) where other.stage == stage && other.number != number {
                other.stage = .archived
                try save(&other, of: &model)
                note(
                    "model-version.stage", .modelVersion(name, other.number), in: project,
                    before: [("stage", stage.rawValue)], after: [("stage", ModelStage.archived.rawValue)])
            }
        }
        let before = version.stage
        guard before != stage else { return (model, version) }
        version.stage = stage
        try save(&version, of: &model)
        note(
            "model-version.stage", .modelVersion(name, number), in: project, before: [("stage", before.rawValue)],
            after: [("stage", stage.rawValue)])
        return (model, version)
    }

    /// Its aliases go with it; its number is not given again.
    package func deleteModelVersion(
        _ number: Int, of name: String, in project: ProjectID
    ) throws(StorageError) -> RegisteredModel {
        var model = try writableModel(name, in: project)
        let version = try writableVersion(number, of: model)
        try tx.removeCard(version.id)
        for alias in model.aliases(of: number) { model.aliases[alias] = nil }
        try save(&model)
        note("model-version.delete", .modelVersion(name, number), in: project, before: [("source", version.source)])
        return model
    }

    // MARK: - Pieces

    private func writableVersion(_ number: Int, of model: RegisteredModel) throws(StorageError) -> ModelVersion {
        guard let version = try tx.modelVersion(number, of: model) else {
            throw .modelVersionNotFound("\(number)", of: model.name)
        }
        return version
    }

    private func save(_ model: inout RegisteredModel) throws(StorageError) {
        model.updated = max(now, model.updated)
        try tx.update(model.card)
    }

    private func save(
        _ version: inout ModelVersion, of model: inout RegisteredModel, touchesModel: Bool = true
    ) throws(StorageError) {
        version.updated = max(now, version.updated)
        try tx.update(version.card)
        if touchesModel { try save(&model) }
    }

    private func checkDescription(_ text: String) throws(StorageError) {
        try limits.checkText(text, limits.noteBytes, "description", setting: "--limit-note-bytes")
    }

    func apply(_ update: ModelUpdate, to tags: inout Pairs<TagValue>) throws(StorageError) {
        let before = tags
        for (key, value) in update.tags { tags[key] = .some(value) }
        for key in update.removingTags { tags[key] = .none }
        if tags != before { try check(modelTags: tags) }
    }

    func check(modelTags tags: Pairs<TagValue>) throws(StorageError) {
        for (key, value) in tags.entries {
            try limits.checkKey(key, "tag")
            try limits.checkText(value ?? "", limits.modelTagBytes, "tag “\(key)”", setting: "--limit-tag-bytes")
        }
        try limits.checkCount(tags.count, limits.tags, "tags", of: "model")
    }

    func noteTags(
        _ action: String, _ subject: Change.Subject, in project: ProjectID, _ update: ModelUpdate,
        before: Pairs<TagValue>, after: Pairs<TagValue>
    ) {
        guard before != after else { return }
        let keys = update.tags.map(\.key) + update.removingTags
        func values(_ tags: Pairs<TagValue>) -> [(String, String)] {
            keys.compactMap { key in tags[key].map { (key, $0 ?? "") } }
        }
        note(action, subject, in: project, before: values(before), after: values(after), count: keys.count)
    }
}

extension Limits {
    func checkCount(_ count: Int, _ limit: Int, _ what: String, of name: String) throws(StorageError) {
        guard count > limit else { return }
        throw StorageError(
            .limit, "“\(name)” would have \(count) \(what); the limit is \(limit).", remedy: "Take some away first.",
            field: what)
    }
}

extension StoreReader {
    package func model(named name: String, in project: ProjectID) throws(StorageError) -> RegisteredModel? {
        guard let card = try card(RegisteredModel.kind, in: project, owner: "", key: name) else { return nil }
        return try RegisteredModel(card)
    }

    package func model(_ id: Int64) throws(StorageError) -> RegisteredModel? {
        guard let card = try card(id), card.kind == RegisteredModel.kind else { return nil }
        return try RegisteredModel(card)
    }

    package func modelVersion(_ number: Int, of model: RegisteredModel) throws(StorageError) -> ModelVersion? {
        let owner = Card.owner(card: model.id)
        guard let card = try card(ModelVersion.kind, in: model.project, owner: owner, key: "\(number)") else {
            return nil
        }
        return try ModelVersion(card)
    }

    /// Oldest first.
    package func modelVersions(of model: RegisteredModel) throws(StorageError) -> [ModelVersion] {
        var versions: [ModelVersion] = []
        let owner = Card.owner(card: model.id)
        for card in try cards(ModelVersion.kind, in: model.project, owner: owner, after: nil, limit: .max) {
            versions.append(try ModelVersion(card))
        }
        return versions
    }

    /// The highest version of each stage, or of those asked for.
    package func latestVersions(
        of model: RegisteredModel, stages: [ModelStage]? = nil
    ) throws(StorageError) -> [ModelVersion] {
        var latest: [ModelStage: ModelVersion] = [:]
        for version in try modelVersions(of: model) { latest[version.stage] = version }
        return ModelStage.allCases.compactMap { stages?.contains($0) == false ? nil : latest[$0] }
    }
}

extension StorageError {
    package static func modelNotFound(_ name: String, near: [String] = []) -> StorageError {
        let hint = near.isEmpty ? "" : " Did you mean \(near.prefix(3).map { "“\($0)”" }.joined(separator: ", "))?"
        return StorageError(
            .notFound, "There is no registered model “\(name.prefix(100))”.\(hint)",
            remedy: "List the models with `martlet models list` or GET /api/v1/models.", field: "name",
            candidates: near)
    }

    package static func modelTaken(_ name: String) -> StorageError {
        StorageError(
            .conflict, "There is already a registered model “\(name.prefix(100))” in this project.",
            remedy: "Add a version to it, or choose another name.", field: "name")
    }

    package static func modelVersionNotFound(_ version: String, of name: String, near: [String] = []) -> StorageError {
        StorageError(
            .notFound, "The model “\(name.prefix(100))” has no version or alias “\(version.prefix(60))”.",
            remedy: "List them with `martlet models show \(name.prefix(100))`.", field: "version", candidates: near)
    }
}
