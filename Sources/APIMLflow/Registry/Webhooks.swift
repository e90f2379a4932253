import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Webhooks of the registry, as MLflow's clients make them. They are the project's own, and an admin's: who names an
// address makes the server call it.
extension MLflowAPI {
    static let webhookEndpoints: [Endpoint] = [
        .change(.post, "2.0/mlflow/webhooks") { call, message throws(Refusal) in try createWebhook(call, message) },
        .read(.get, "2.0/mlflow/webhooks") { call, message throws(Refusal) in try listWebhooks(call, message) },
        .read(.get, "2.0/mlflow/webhooks/{webhook_id}") { call, _ throws(Refusal) in
            let id = call["webhook_id"]
            return try call.readRegistry(as: .admin) { reader, project throws(Refusal) in
                guard let webhook = try reader.webhook(id, in: project) else { throw .noWebhook(id) }
                return try WebhookAnswer.one(webhook)
            }
        },
        .change(.patch, "2.0/mlflow/webhooks/{webhook_id}") { call, message throws(Refusal) in
            try updateWebhook(call, message)
        },
        .change(.delete, "2.0/mlflow/webhooks/{webhook_id}") { call, _ throws(Refusal) in
            let id = call["webhook_id"]
            try call.change { ledger, caller throws(Refusal) in
                let project = try call.project(ledger.tx).id
                try caller.require(.admin, on: project)
                guard try ledger.tx.webhook(id, in: project) != nil else { throw .noWebhook(id) }
                try ledger.deleteWebhook(id, in: project)
                return Call.empty
            }
        },
        .change(.post, "2.0/mlflow/webhooks/{webhook_id}/test") { call, message throws(Refusal) in
            try testWebhook(call, message)
        },
    ]

    private static func createWebhook(_ call: Call, _ message: Message) throws(Refusal) {
        let name = try message.required("name")
        try WebhookWords.check(name: name)
        let url = try message.required("url")
        try WebhookWords.check(url: url)
        guard message.has("events") else { throw .missing("events") }
        var draft = WebhookDraft(name: name, url: url, events: try message.webhookEvents())
        draft.description = try message.text("description") ?? ""
        draft.secret = try message.text("secret") ?? ""
        draft.isActive = try message.webhookStatus() ?? true
        // Before anybody's address is looked up for them.
        try call.requireRegistry(.admin)
        try WebhookWords.check(url: url, call.engine)
        let (made, id) = (draft, UniqueID.make())
        try call.change { ledger, caller throws(Refusal) in
            let project = try call.project(ledger.tx).id
            try caller.require(.admin, on: project)
            return try WebhookAnswer.one(try ledger.createWebhook(made, id: id, in: project))
        }
    }

    /// The newest first, as in MLflow.
    private static func listWebhooks(_ call: Call, _ message: Message) throws(Refusal) -> Response {
        let limit = try message.integer("max_results") ?? 100
        guard (1...1000).contains(limit) else { throw .mlflow("max_results must be between 1 and 1000.") }
        let offset = try PageOffset.read(try message.text("page_token"))
        return try call.readRegistry(as: .admin) { reader, project throws(Refusal) in
            let page = PageOffset.page(
                try reader.webhooks(in: project).reversed(), from: offset, limit: Int(limit))
            return try encoded { writer in
                writer.object { writer in
                    if !page.rows.isEmpty {
                        writer.array("webhooks") { writer in for webhook in page.rows { writer.webhook(webhook) } }
                    }
                    if let next = page.next { writer.member("next_page_token", next) }
                }
            }
        }
    }

    /// What is left out or empty stays.
    private static func updateWebhook(_ call: Call, _ message: Message) throws(Refusal) {
        let id = call["webhook_id"]
        func written(_ field: String) throws(Refusal) -> String? {
            guard let text = try message.text(field), !text.isEmpty else { return nil }
            return text
        }
        var update = WebhookUpdate()
        update.name = try written("name")
        update.url = try written("url")
        update.description = try written("description")
        update.secret = try written("secret")
        if try !message.list("events").isEmpty { update.events = try message.webhookEvents() }
        update.isActive = try message.webhookStatus()
        if let name = update.name { try WebhookWords.check(name: name) }
        if let url = update.url { try WebhookWords.check(url: url) }
        try call.requireRegistry(.admin)
        if let url = update.url { try WebhookWords.check(url: url, call.engine) }
        let wanted = update
        try call.change { ledger, caller throws(Refusal) in
            let project = try call.project(ledger.tx).id
            try caller.require(.admin, on: project)
            guard try ledger.tx.webhook(id, in: project) != nil else { throw .noWebhook(id) }
            return try WebhookAnswer.one(try ledger.updateWebhook(id, in: project, wanted))
        }
    }

    private static func testWebhook(_ call: Call, _ message: Message) throws(Refusal) {
        let id = call["webhook_id"]
        let event = try message.message("event").map { event throws(Refusal) in try event.webhookEvent() }
        let caller = try call.caller()
        let webhook = try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            let project = try call.project(reader).id
            try caller.require(.admin, on: project)
            guard let webhook = try reader.webhook(id, in: project) else { throw .noWebhook(id) }
            return webhook
        }
        call.engine.testWebhook(webhook, event) { result in
            switch result {
            case .success(let trial): call.respond(.json(WebhookAnswer.trial(trial)))
            case .failure(let error): call.fail(error)
            }
        }
    }
}

enum WebhookWords {
    static func check(name: String) throws(Refusal) {
        guard !WebhookNames.isName(name) else { return }
        throw .mlflow(
            "Webhook name '\(name)' is invalid. It must start and end with a letter or digit, be less than 63 characters long, and contain only letters, digits, dots (.), underscores (_), and hyphens (-)."
        )
    }

    /// What can be said without looking the host up.
    static func check(url: String) throws(Refusal) {
        guard url.contains(where: { !$0.isWhitespace }) else {
            throw .mlflow("Webhook URL cannot be empty or just whitespace: '\(url)'")
        }
        let scheme = ArtifactLocation.scheme(of: url) ?? ""
        guard scheme == "http" || scheme == "https" else {
            throw .mlflow("Invalid webhook URL scheme: '\(scheme)'. Allowed schemes are: http, https.")
        }
    }

    static func check(url: String, _ engine: Engine) throws(Refusal) {
        do throws(Refusal) { try engine.checkWebhook(url: url) } catch {
            throw .mlflow("Invalid webhook URL '\(url.prefix(200))': \(error.message) \(error.remedy)")
        }
    }

    /// In the numbers of the protocol, from 1.
    private static let entities: [WebhookEvent.Entity] = [
        .model, .version, .versionTag, .versionAlias, .prompt, .promptVersion, .promptTag, .promptVersionTag,
        .promptAlias,
    ]
    private static let actions: [WebhookEvent.Action] = [.created, .updated, .deleted, .set]

    static func entity(_ value: JSONValue) -> WebhookEvent.Entity? {
        if let number = value.int64 { return (1...9).contains(number) ? entities[Int(number) - 1] : nil }
        return value.string.flatMap { WebhookEvent.Entity(rawValue: $0.lowercased()) }
    }

    static func action(_ value: JSONValue) -> WebhookEvent.Action? {
        if let number = value.int64 { return (1...4).contains(number) ? actions[Int(number) - 1] : nil }
        return value.string.flatMap { WebhookEvent.Action(rawValue: $0.lowercased()) }
    }
}

extension Message {
    fileprivate func webhookEvents() throws(Refusal) -> [WebhookEvent] {
        let events = try messages("events").map { event throws(Refusal) in try event.webhookEvent() }
        guard !events.isEmpty else {
            throw .mlflow("Webhook events must be a non-empty list of WebhookEvent objects: [].")
        }
        return events
    }

    fileprivate func webhookEvent() throws(Refusal) -> WebhookEvent {
        guard let entityValue = self["entity"] else { throw .missing("entity") }
        guard let actionValue = self["action"] else { throw .missing("action") }
        if entityValue.string?.lowercased() == "budget_policy" || entityValue.int64 == 10 {
            throw .mlflow("This server keeps no budget policies, so nobody can be told that one was exceeded.")
        }
        guard let entity = WebhookWords.entity(entityValue) else { throw .wrongType("entity", entityValue) }
        guard let action = WebhookWords.action(actionValue) else { throw .wrongType("action", actionValue) }
        guard let event = WebhookEvent(entity, action) else {
            let valid = entity.actions.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            throw .mlflow(
                "Invalid action '\(action.rawValue)' for entity '\(entity.rawValue)'. Valid actions are: [\(valid)]")
        }
        return event
    }

    /// Whether it is active; nil where nothing is said of it.
    fileprivate func webhookStatus() throws(Refusal) -> Bool? {
        guard let value = self["status"] else { return nil }
        switch value.string ?? value.int64.map(String.init) {
        case "ACTIVE", "1": return true
        case "DISABLED", "2": return false
        default: throw .wrongType("status", value)
        }
    }
}

enum WebhookAnswer {
    static func one(_ webhook: Webhook) throws(Refusal) -> [UInt8] {
        try encoded { writer in
            writer.object { writer in
                writer.key("webhook")
                writer.webhook(webhook)
            }
        }
    }

    static func trial(_ trial: WebhookTrial) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.object("result") { writer in
                writer.member("success", trial.succeeded)
                if let status = trial.status { writer.member("response_status", status) }
                if let body = trial.body { writer.member("response_body", body) }
                if let problem = trial.problem { writer.member("error_message", "Failed to test webhook: \(problem)") }
            }
        }
        return writer.bytes
    }
}

extension JSONWriter {
    /// All but the secret.
    fileprivate mutating func webhook(_ webhook: Webhook) {
        object { writer in
            writer.member("webhook_id", webhook.id)
            writer.member("name", webhook.name)
            if !webhook.description.isEmpty { writer.member("description", webhook.description) }
            writer.member("url", webhook.url)
            writer.array("events") { writer in
                for event in webhook.events {
                    writer.object { writer in
                        writer.member("entity", event.entity.rawValue.uppercased())
                        writer.member("action", event.action.rawValue.uppercased())
                    }
                }
            }
            writer.member("status", webhook.isActive ? "ACTIVE" : "DISABLED")
            writer.member("creation_timestamp", webhook.created.millis)
            writer.member("last_updated_timestamp", webhook.updated.millis)
        }
    }
}

extension Call {
    /// Of the project that the client sees.
    fileprivate func requireRegistry(_ role: Role) throws(Refusal) {
        let caller = try caller()
        let project = try engine.read { (reader: any StoreReader) throws(Refusal) -> ProjectID in
            try self.project(reader).id
        }
        try caller.require(role, on: project)
    }

    fileprivate func readRegistry(
        as role: Role, _ body: (any StoreReader, ProjectID) throws(Refusal) -> [UInt8]
    ) throws(Refusal) -> Response {
        let caller = try caller()
        return try engine.read { (reader: any StoreReader) throws(Refusal) in
            let project = try self.project(reader).id
            try caller.require(role, on: project)
            return .json(try body(reader, project))
        }
    }
}

extension Refusal {
    fileprivate static func noWebhook(_ id: String) -> Refusal {
        .mlflow("Webhook with ID \(id.prefix(100)) not found.", .notFound)
    }
}
