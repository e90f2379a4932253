/// Something that happens in the registry, by the words in which it is told: `model_version.created`.
package struct WebhookEvent: Hashable, Sendable {
    package enum Entity: String, Sendable, CaseIterable {
        case model = "registered_model"
        case version = "model_version"
        case versionTag = "model_version_tag"
        case versionAlias = "model_version_alias"
        case prompt = "prompt"
        case promptVersion = "prompt_version"
        case promptTag = "prompt_tag"
        case promptVersionTag = "prompt_version_tag"
        case promptAlias = "prompt_alias"

        package var actions: [Action] {
            switch self {
            case .model, .version, .prompt, .promptVersion: [.created]
            case .versionTag, .promptTag, .promptVersionTag: [.deleted, .set]
            case .versionAlias, .promptAlias: [.created, .deleted]
            }
        }
    }

    package enum Action: String, Sendable, CaseIterable {
        case created, updated, deleted, set
    }

    package let entity: Entity
    package let action: Action

    /// Nil for what cannot happen: a model's version is created, and never set.
    package init?(_ entity: Entity, _ action: Action) {
        guard entity.actions.contains(action) else { return nil }
        (self.entity, self.action) = (entity, action)
    }

    package init?(word: some StringProtocol) {
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let entity = Entity(rawValue: String(parts[0])),
            let action = Action(rawValue: String(parts[1]))
        else { return nil }
        self.init(entity, action)
    }

    package var word: String { "\(entity.rawValue).\(action.rawValue)" }

    package static let all = Entity.allCases.flatMap { entity in
        entity.actions.compactMap { WebhookEvent(entity, $0) }
    }
}

/// An address that hears of what happens in a project's registry.
package struct Webhook: Equatable, Sendable {
    /// Of the card; given by the store.
    package var card: Int64
    /// What it is known by outside, never given twice.
    package var id: String
    package var project: ProjectID
    package var name: String
    package var description: String
    package var url: String
    package var events: [WebhookEvent]
    package var isActive: Bool
    /// Signs what is sent; empty where nothing is signed. It is shown to nobody, written into no log and no audit.
    package var secret: String
    package var created: Timestamp
    package var updated: Timestamp

    package init(
        card: Int64 = 0, id: String, project: ProjectID, name: String, description: String = "", url: String,
        events: [WebhookEvent], isActive: Bool = true, secret: String = "", created: Timestamp, updated: Timestamp
    ) {
        (self.card, self.id, self.project, self.name, self.description) = (card, id, project, name, description)
        (self.url, self.events, self.isActive, self.secret) = (url, events, isActive, secret)
        (self.created, self.updated) = (created, updated)
    }

    /// Scheme and host. What follows may hold a key, as the addresses of chat services do: it is told to admins alone.
    package var origin: String {
        guard let scheme = url.firstRange(of: "://") else { return "" }
        let rest = url[scheme.upperBound...]
        let host = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return String(url[..<scheme.upperBound]) + host
    }
}
