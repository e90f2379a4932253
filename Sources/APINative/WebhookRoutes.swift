import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Webhooks: addresses that hear of what happens in a project's registry. They are an admin's, because whoever names an
// address makes the server call it; a secret goes in and never comes out.
extension NativeAPI {
    static let webhookRoutes: [Route] = [
        Route(
            .get, "/api/v1/webhooks", "List webhooks",
            .read { exchange throws(Refusal) in try listWebhooks(exchange) },
            RouteDoc(
                "models", query: [.query("project", "Only those of this project."), .limit, .pageToken],
                answers: [(200, "Those of every project whose admin asks, oldest first.", "WebhookList")],
                failures: [400, 404, 409, 422], access: .anyone)),
        Route(
            .post, "/api/v1/webhooks", "Have an address told of what happens in the registry",
            .change { exchange, bytes throws(Refusal) in try createWebhook(exchange, bytes) },
            RouteDoc(
                "models", body: "NewWebhook", answers: [(201, "The webhook, without its secret.", "Webhook")],
                failures: [400, 404, 409, 415, 422], access: .admin,
                details:
                    "Each event is one POST of `{entity, action, timestamp, data}`, made after the change is on disk "
                    + "and tried four times at most. With a secret, `X-MLflow-Signature` is `v1,` and the base 64 of the "
                    + "HMAC-SHA256 over `<X-MLflow-Delivery-Id>.<X-MLflow-Timestamp>.<body>`.")),
        Route(
            .get, "/api/v1/webhooks/{webhook}", "Show a webhook",
            .read { exchange throws(Refusal) in
                let caller = try exchange.caller()
                return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
                    let webhook = try exchange.webhook(reader, by: caller)
                    return .json(try encoded { $0.webhook(webhook) })
                }
            },
            RouteDoc(
                "models", answers: [(200, "The webhook, without its secret.", "Webhook")], failures: [404],
                access: .admin)),
        Route(
            .patch, "/api/v1/webhooks/{webhook}", "Change a webhook",
            .change { exchange, bytes throws(Refusal) in try changeWebhook(exchange, bytes) },
            RouteDoc(
                "models", body: "WebhookChange", answers: [(200, "The webhook, without its secret.", "Webhook")],
                failures: [400, 404, 409, 415, 422], access: .admin)),
        Route(
            .delete, "/api/v1/webhooks/{webhook}", "Delete a webhook",
            .change { exchange, bytes throws(Refusal) in
                try exchange.change(bytes) { ledger, caller throws(Refusal) in
                    let webhook = try exchange.webhook(ledger.tx, by: caller)
                    try ledger.deleteWebhook(webhook.id, in: webhook.project)
                    return Answer(status: 204, body: [])
                }
            },
            RouteDoc("models", answers: [(204, "It hears nothing more.", nil)], failures: [404], access: .admin)),
        Route(
            .post, "/api/v1/webhooks/{webhook}/test", "Try a webhook with an example",
            .change { exchange, bytes throws(Refusal) in try testWebhook(exchange, bytes) },
            RouteDoc(
                "models", body: "WebhookTrial", isBodyRequired: false,
                answers: [(200, "What the address answered, or why nothing did.", "WebhookTrialAnswer")],
                failures: [400, 404, 415, 422], access: .admin)),
    ]

    private static func listWebhooks(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            var projects = try reader.projects().map(\.id).filter { caller.may(.admin, on: $0) }
            if let named = exchange.query("project"), !named.isEmpty {
                let project = try reader.resolveProject(named, for: caller)
                try caller.require(.admin, on: project.id)
                projects = [project.id]
            }
            var webhooks: [Webhook] = []
            for project in projects { webhooks += try reader.webhooks(in: project) }
            let page = try exchange.page(webhooks.sorted { $0.card < $1.card }) { $0.card }
            return .json(try encoded { $0.list("webhooks", page) { $0.webhook($1) } })
        }
    }

    private static func createWebhook(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        var draft = WebhookDraft(
            name: try fields.required("name", for: "webhook's name"), url: try fields.required("url", for: "address"),
            events: try fields.webhookEvents() ?? [])
        draft.description = try fields.text("description") ?? ""
        draft.secret = try fields.text("secret") ?? ""
        draft.isActive = try fields.flag("active") ?? true
        var home = try fields.references("project_id", "project")
        if let text = exchange.query("project"), !text.isEmpty { home.append(("project", text)) }
        let (named, made, id) = (home, draft, UniqueID.make())
        let caller = try exchange.caller()
        // Before anybody's address is looked up for them.
        try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            try caller.require(.admin, on: try reader.project(of: named, for: caller).id)
        }
        try exchange.engine.checkWebhook(url: draft.url)
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let project = try ledger.tx.project(of: named, for: caller)
            try caller.require(.admin, on: project.id)
            let webhook = try ledger.createWebhook(made, id: id, in: project.id)
            return Answer(status: 201, body: try encoded { $0.webhook(webhook) })
        }
    }

    private static func changeWebhook(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        try fields.requireAny(of: ["name", "url", "events", "description", "secret", "active"])
        var update = WebhookUpdate()
        update.name = try fields.text("name")
        update.url = try fields.text("url")
        update.events = try fields.webhookEvents()
        update.description = try fields.text("description")
        update.secret = try fields.text("secret")
        update.isActive = try fields.flag("active")
        let wanted = update
        let caller = try exchange.caller()
        try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            _ = try exchange.webhook(reader, by: caller)
        }
        if let url = update.url { try exchange.engine.checkWebhook(url: url) }
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let known = try exchange.webhook(ledger.tx, by: caller)
            let webhook = try ledger.updateWebhook(known.id, in: known.project, wanted)
            return Answer(body: try encoded { $0.webhook(webhook) })
        }
    }

    private static func testWebhook(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let fields = try exchange.object(bytes)
        let event = try fields.text("event").map { word throws(Refusal) in try Fields.webhookEvent(word) }
        let caller = try exchange.caller()
        let engine = exchange.engine
        engine.change(caller) { ledger throws(Refusal) in
            let webhook = try exchange.webhook(ledger.tx, by: caller)
            ledger.record("webhook.test", .webhook(webhook.id), in: webhook.project)
            return webhook
        } then: { result in
            switch result {
            case .success(let webhook):
                engine.testWebhook(webhook, event) { outcome in
                    switch outcome {
                    case .success(let trial): exchange.respond(.json(body(of: trial)))
                    case .failure(let error): exchange.fail(error)
                    }
                }
            case .failure(let error): exchange.fail(error)
            }
        }
    }

    private static func body(of trial: WebhookTrial) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("success", trial.succeeded)
            writer.member("status", trial.status)
            writer.member("body", trial.body)
            writer.member("problem", trial.problem)
        }
        return writer.bytes
    }
}

extension Exchange {
    /// The webhook that the address names, for an admin of its project.
    fileprivate func webhook(_ reader: any StoreReader, by caller: Caller) throws(Refusal) -> Webhook {
        let id = self["webhook"]
        guard let card = try reader.cards(Webhook.kind, key: id).first else { throw .webhookNotFound(id) }
        try caller.require(.admin, on: card.project)
        return try Webhook(card)
    }
}

extension Fields {
    fileprivate func webhookEvents() throws(Refusal) -> [WebhookEvent]? {
        guard has("events") else { return nil }
        return try texts("events").map { word throws(Refusal) in try Fields.webhookEvent(word) }
    }

    fileprivate static func webhookEvent(_ word: String) throws(Refusal) -> WebhookEvent {
        if let event = WebhookEvent(word: word) { return event }
        let known = WebhookEvent.all.map(\.word)
        throw Refusal(
            .invalid, "“\(word.prefix(60))” is no event of the registry.",
            remedy: "Name some of \(known.joined(separator: ", ")).", field: "events",
            candidates: Nearness.nearest(to: word, among: known))
    }
}

extension JSONWriter {
    fileprivate mutating func webhook(_ webhook: Webhook) {
        object { writer in
            writer.member("id", webhook.id)
            writer.member("name", webhook.name)
            writer.member("project_id", "\(webhook.project)")
            writer.member("description", webhook.description)
            writer.member("url", webhook.url)
            writer.array("events") { writer in for event in webhook.events { writer.string(event.word) } }
            writer.member("active", webhook.isActive)
            writer.member("signed", !webhook.secret.isEmpty)
            writer.time("created_at", webhook.created)
            writer.time("updated_at", webhook.updated)
        }
    }
}
