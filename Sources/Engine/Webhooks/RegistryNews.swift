import MartletDomain
import MartletJSON
import MartletStorage

/// What a transaction did to the registry, in the words in which webhooks tell it.
struct RegistryNews {
    var event: WebhookEvent
    var project: ProjectID
    /// The whole body of a delivery.
    var body: [UInt8]

    /// Cheap where nothing of the registry changed, which is nearly always.
    static func deliveries(of ledger: Ledger) throws(Refusal) -> [WebhookDelivery] {
        guard ledger.changes.contains(where: { isRegistry($0.action) }) else { return [] }
        var due: [WebhookDelivery] = []
        var listeners: [ProjectID: [Webhook]] = [:]
        for change in ledger.changes where isRegistry(change.action) {
            if listeners[change.project] == nil {
                listeners[change.project] = try ledger.tx.webhooks(in: change.project).filter(\.isActive)
            }
            guard let known = listeners[change.project], !known.isEmpty else { continue }
            for news in try news(of: change, ledger.tx, at: ledger.now) {
                for webhook in known where webhook.events.contains(news.event) {
                    due.append(
                        WebhookDelivery(
                            news.event, to: webhook.card, label: "\(webhook.name) (\(webhook.origin))",
                            body: news.body))
                }
            }
        }
        return due
    }

    private static func isRegistry(_ action: String) -> Bool {
        ["model.create", "model.tags", "model.alias", "model-version.create", "model-version.tags"].contains(action)
    }

    private static func news(
        of change: Change, _ reader: any StoreReader, at now: Timestamp
    ) throws(Refusal) -> [RegistryNews] {
        switch change.subject {
        case .model(let name):
            guard let model = try reader.model(named: name, in: change.project) else { return [] }
            let teller = Teller(model: model, now: now)
            switch change.action {
            case "model.create": return [teller.modelCreated()]
            case "model.alias": return teller.aliases(change)
            // Tags of models are told of prompts alone, as in MLflow.
            case "model.tags": return model.isPrompt ? teller.tags(change, .promptTag, version: nil) : []
            default: return []
            }
        case .modelVersion(let name, let number):
            guard let model = try reader.model(named: name, in: change.project) else { return [] }
            let teller = Teller(model: model, now: now)
            if change.action == "model-version.tags" {
                return teller.tags(change, model.isPrompt ? .promptVersionTag : .versionTag, version: number)
            }
            guard let version = try reader.modelVersion(number, of: model) else { return [] }
            return [teller.versionCreated(version)]
        default: return []
        }
    }

    /// An example of what an event tells, for a webhook that is tried.
    static func example(_ event: WebhookEvent, at now: Timestamp) -> [UInt8] {
        let noun = event.entity.rawValue.hasPrefix("prompt") ? "prompt" : "model"
        let isVersion = [.version, .promptVersion].contains(event.entity)
        let isTag = [.versionTag, .promptTag, .promptVersionTag].contains(event.entity)
        let isAlias = [.versionAlias, .promptAlias].contains(event.entity)
        return body(event, at: now) { writer in
            writer.member("name", "example_\(noun)")
            if isAlias { writer.member("alias", "example_alias") }
            let hasVersion = isVersion || [.versionTag, .promptVersionTag].contains(event.entity)
            if hasVersion || isAlias && event.action == .created { writer.member("version", "1") }
            if event.entity == .version {
                writer.member("source", "models:/123")
                writer.member("run_id", "abcd1234abcd5678")
            }
            if event.entity == .promptVersion { writer.member("template", "Hello {{name}}!") }
            if isTag {
                writer.member("key", "example_key")
                if event.action == .set { writer.member("value", "example_value") }
            }
            if event.action == .created, !isAlias {
                writer.object("tags") { $0.member("example_key", "example_value") }
                let kind = isVersion ? "\(noun) version" : noun == "model" ? "registered model" : noun
                writer.member("description", "An example \(kind)")
            }
        }
    }

    fileprivate static func body(
        _ event: WebhookEvent, at now: Timestamp, _ data: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: 256)
        writer.object { writer in
            writer.member("entity", event.entity.rawValue)
            writer.member("action", event.action.rawValue)
            // Python before 3.11 reads an offset and no Z.
            writer.member("timestamp", now.iso.replacing("Z", with: "+00:00"))
            writer.object("data") { data(&$0) }
        }
        return writer.bytes
    }
}

/// Tells what happened to one model or prompt.
private struct Teller {
    var model: RegisteredModel
    var now: Timestamp

    private func news(
        _ entity: WebhookEvent.Entity, _ action: WebhookEvent.Action, _ data: (inout JSONWriter) -> Void
    ) -> RegistryNews {
        guard let event = WebhookEvent(entity, action) else { preconditionFailure("\(entity) is never \(action)") }
        let body = RegistryNews.body(event, at: now) { writer in
            writer.member("name", model.name)
            data(&writer)
        }
        return RegistryNews(event: event, project: model.project, body: body)
    }

    func modelCreated() -> RegistryNews {
        news(model.isPrompt ? .prompt : .model, .created) { writer in
            tags(model.tags, &writer)
            writer.member("description", model.description)
        }
    }

    func versionCreated(_ version: ModelVersion) -> RegistryNews {
        news(model.isPrompt ? .promptVersion : .version, .created) { writer in
            writer.member("version", "\(version.number)")
            if model.isPrompt {
                writer.member("template", version.tags[PromptTags.text] ?? nil)
            } else {
                writer.member("source", version.source)
                writer.member("run_id", version.run.isEmpty ? nil : version.run)
            }
            tags(version.tags, &writer)
            writer.member("description", version.description.isEmpty ? nil : version.description)
        }
    }

    /// A prompt's marks are no tags of its user's.
    private func tags(_ tags: Pairs<TagValue>, _ writer: inout JSONWriter) {
        let marks = [PromptTags.isPrompt, PromptTags.type, PromptTags.text]
        writer.object("tags") { writer in
            for (key, value) in tags.entries where !(model.isPrompt && marks.contains(key)) {
                writer.member(dynamic: key, value ?? "")
            }
        }
    }

    func tags(_ change: Change, _ entity: WebhookEvent.Entity, version: Int?) -> [RegistryNews] {
        let set = change.after.filter { pair in !change.before.contains { $0 == pair } }
        let gone = change.before.map(\.0).filter { key in !change.after.contains { $0.0 == key } }
        func head(_ key: String, _ writer: inout JSONWriter) {
            if let version { writer.member("version", "\(version)") }
            writer.member("key", key)
        }
        return set.map { key, value in
            news(entity, .set) { writer in
                head(key, &writer)
                writer.member("value", value)
            }
        } + gone.map { key in news(entity, .deleted) { head(key, &$0) } }
    }

    func aliases(_ change: Change) -> [RegistryNews] {
        let entity = model.isPrompt ? WebhookEvent.Entity.promptAlias : .versionAlias
        if change.after.isEmpty {
            return change.before.map { alias, _ in news(entity, .deleted) { $0.member("alias", alias) } }
        }
        return change.after.map { alias, version in
            news(entity, .created) { writer in
                writer.member("alias", alias)
                writer.member("version", version)
            }
        }
    }
}
