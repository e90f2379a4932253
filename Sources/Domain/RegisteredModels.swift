/// A name in the registry, under which versions of a model are kept.
package struct RegisteredModel: Equatable, Sendable {
    /// Given by the store; what its versions hang on, so that a new name takes them along.
    package var id: Int64
    package var project: ProjectID
    /// Unique in its project.
    package var name: String
    package var description: String
    package var tags: Pairs<TagValue>
    /// Which version a word stands for.
    package var aliases: Pairs<Int>
    /// The highest number that a version was ever given; none is given twice while the model lives.
    package var lastVersion: Int
    package var created: Timestamp
    /// Of the model, or of any of its versions.
    package var updated: Timestamp

    package init(
        id: Int64 = 0, project: ProjectID, name: String, description: String = "", tags: Pairs<TagValue> = .init(),
        aliases: Pairs<Int> = .init(), lastVersion: Int = 0, created: Timestamp, updated: Timestamp
    ) {
        (self.id, self.project, self.name, self.description) = (id, project, name, description)
        (self.tags, self.aliases, self.lastVersion) = (tags, aliases, lastVersion)
        (self.created, self.updated) = (created, updated)
    }

    package func aliases(of version: Int) -> [String] {
        aliases.entries.filter { $0.value == version }.map(\.key)
    }
}

/// How far a version has come.
package enum ModelStage: String, Sendable, CaseIterable {
    case none = "None"
    case staging = "Staging"
    case production = "Production"
    case archived = "Archived"

    /// In any case.
    package init?(word: String) {
        guard let stage = ModelStage.allCases.first(where: { $0.rawValue.lowercased() == word.lowercased() }) else {
            return nil
        }
        self = stage
    }

    /// In use: what another version takes over from.
    package var isActive: Bool { self == .staging || self == .production }
}

/// One version of a registered model: where its bytes are, and which run made them.
package struct ModelVersion: Equatable, Sendable {
    package enum State: String, Sendable, CaseIterable {
        case ready = "READY"
        case pending = "PENDING_REGISTRATION"
        case failed = "FAILED_REGISTRATION"
    }

    package var id: Int64
    /// The model's id.
    package var model: Int64
    package var project: ProjectID
    /// From 1.
    package var number: Int
    package var stage: ModelStage
    package var description: String
    /// An address: `runs:/<run>/<path>` for an artifact of a run here, else whatever was registered.
    package var source: String
    /// The run's id as it was given; empty where none was.
    package var run: String
    /// An address of the run in another tracker.
    package var runLink: String
    /// The id of the logged model that was registered, else empty.
    package var loggedModel: String
    package var user: String
    package var state: State
    package var stateMessage: String
    package var tags: Pairs<TagValue>
    /// JSON: what was said of it when it was registered.
    package var metadata: String
    package var created: Timestamp
    package var updated: Timestamp

    package init(
        id: Int64 = 0, model: Int64, project: ProjectID, number: Int, stage: ModelStage = .none,
        description: String = "", source: String, run: String = "", runLink: String = "", loggedModel: String = "",
        user: String = "", state: State = .ready, stateMessage: String = "", tags: Pairs<TagValue> = .init(),
        metadata: String = "{}", created: Timestamp, updated: Timestamp
    ) {
        (self.id, self.model, self.project, self.number) = (id, model, project, number)
        (self.stage, self.description, self.source, self.run) = (stage, description, source, run)
        (self.runLink, self.loggedModel, self.user) = (runLink, loggedModel, user)
        (self.state, self.stateMessage, self.tags, self.metadata) = (state, stateMessage, tags, metadata)
        (self.created, self.updated) = (created, updated)
    }

    /// The run and the path in it, where the bytes are an artifact of a run here.
    package var artifact: (run: String, path: String)? {
        guard source.hasPrefix("runs:/") else { return nil }
        let parts = source.dropFirst(6).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        return (String(parts[0]), String(parts[1]))
    }
}
