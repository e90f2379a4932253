package import MartletDomain

/// What is said of a new webhook.
package struct WebhookDraft: Sendable {
    package var name: String
    package var url: String
    package var events: [WebhookEvent]
    package var description = ""
    package var secret = ""
    package var isActive = true
    package init(name: String, url: String, events: [WebhookEvent]) {
        (self.name, self.url, self.events) = (name, url, events)
    }
}

/// What changes about one; nil leaves it as it is.
package struct WebhookUpdate: Sendable {
    package var name: String?
    package var url: String?
    package var events: [WebhookEvent]?
    package var description: String?
    /// An empty one takes it away.
    package var secret: String?
    package var isActive: Bool?
    package init() {}
}

// Webhooks: addresses that hear of the registry. Whether an address may be called is asked before, outside of the writer,
// because it takes a name server to know.
extension Ledger {
    /// Each change of the registry looks at all of them.
    private static let perProjectMax = 200
    private static let urlBytesMax = 2048
    private static let secretBytesMax = 1024

    /// `id` is made by the caller, from what nobody can guess.
    package func createWebhook(
        _ draft: WebhookDraft, id: String, in project: ProjectID
    ) throws(StorageError) -> Webhook {
        _ = try activeProject(project)
        let count = try tx.webhooks(in: project).count
        guard count < Ledger.perProjectMax else {
            throw StorageError(
                .limit, "This project has \(count) webhooks; the limit is \(Ledger.perProjectMax).",
                remedy: "Delete one, or let one address hear of several events.", field: "webhooks")
        }
        var webhook = Webhook(
            id: id, project: project, name: draft.name, description: draft.description, url: draft.url,
            events: unique(draft.events), isActive: draft.isActive, secret: draft.secret, created: now, updated: now)
        try check(webhook)
        webhook.card = try tx.insert(webhook.asCard).id
        note("webhook.create", .webhook(id), in: project, after: told(webhook))
        return webhook
    }

    package func updateWebhook(
        _ id: String, in project: ProjectID, _ update: WebhookUpdate
    ) throws(StorageError) -> Webhook {
        _ = try activeProject(project)
        guard var webhook = try tx.webhook(id, in: project) else { throw .webhookNotFound(id) }
        let before = webhook
        webhook.name = update.name ?? webhook.name
        webhook.url = update.url ?? webhook.url
        webhook.events = unique(update.events ?? webhook.events)
        webhook.description = update.description ?? webhook.description
        webhook.secret = update.secret ?? webhook.secret
        webhook.isActive = update.isActive ?? webhook.isActive
        guard webhook != before else { return webhook }
        try check(webhook)
        webhook.updated = max(now, webhook.updated)
        try tx.update(webhook.asCard)
        // That the secret is another one is told; what it was and is, never.
        let isNewSecret = webhook.secret != before.secret
        note(
            "webhook.update", .webhook(id), in: project, before: told(before),
            after: told(webhook) + (isNewSecret ? [("secret", "changed")] : []))
        return webhook
    }

    package func deleteWebhook(_ id: String, in project: ProjectID) throws(StorageError) {
        guard let webhook = try tx.webhook(id, in: project) else { throw .webhookNotFound(id) }
        try tx.removeCard(webhook.card)
        note("webhook.delete", .webhook(id), in: project, before: told(webhook))
    }

    private func told(_ webhook: Webhook) -> [(String, String)] {
        [
            ("name", webhook.name), ("origin", webhook.origin), ("status", webhook.isActive ? "ACTIVE" : "DISABLED"),
            ("events", webhook.events.map(\.word).joined(separator: " ")),
        ]
    }

    private func unique(_ events: [WebhookEvent]) -> [WebhookEvent] {
        var seen: Set<WebhookEvent> = []
        return events.filter { seen.insert($0).inserted }
    }

    private func check(_ webhook: Webhook) throws(StorageError) {
        guard WebhookNames.isName(webhook.name) else {
            throw StorageError(
                .invalid, "“\(webhook.name.prefix(80))” cannot be a webhook's name.",
                remedy:
                    "Use 1 to 63 letters, digits, dots, underscores and hyphens; begin and end with a letter or digit.",
                field: "name")
        }
        guard !webhook.events.isEmpty else {
            throw StorageError(
                .invalid, "The webhook names no event.",
                remedy: "Name some of \(WebhookEvent.all.map(\.word).joined(separator: ", ")).", field: "events")
        }
        let isPlain = webhook.url.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
        guard isPlain, !webhook.origin.isEmpty, webhook.url.utf8.count <= Ledger.urlBytesMax else {
            throw StorageError(
                .invalid, "“\(webhook.url.prefix(80))” is no address for a webhook.",
                remedy: "Give one such as https://example.org/hook, of at most \(Ledger.urlBytesMax) bytes.",
                field: "url")
        }
        guard webhook.secret.utf8.count <= Ledger.secretBytesMax else {
            throw StorageError(
                .limit, "The secret has \(webhook.secret.utf8.count) bytes; the limit is \(Ledger.secretBytesMax).",
                remedy: "32 random bytes as text are enough.", field: "secret")
        }
        try limits.checkText(webhook.description, limits.tagBytes, "description", setting: "--limit-tag-bytes")
    }
}

package enum WebhookNames {
    /// 1 to 63 of `[A-Za-z0-9._-]`, the first and the last a letter or digit.
    package static func isName(_ name: String) -> Bool {
        let bytes = name.utf8
        guard (1...63).contains(bytes.count), let first = bytes.first, let last = bytes.last else { return false }
        let marks = [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")]
        return isPlain(first) && isPlain(last) && bytes.allSatisfy { isPlain($0) || marks.contains($0) }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}

extension StoreReader {
    package func webhook(_ id: String, in project: ProjectID) throws(StorageError) -> Webhook? {
        guard let card = try card(Webhook.kind, in: project, owner: "", key: id) else { return nil }
        return try Webhook(card)
    }

    package func webhook(card id: Int64) throws(StorageError) -> Webhook? {
        guard let card = try card(id), card.kind == Webhook.kind else { return nil }
        return try Webhook(card)
    }

    /// Oldest first.
    package func webhooks(in project: ProjectID) throws(StorageError) -> [Webhook] {
        try cards(Webhook.kind, in: project, owner: "", after: nil, limit: .max).map { card throws(StorageError) in
            try Webhook(card)
        }
    }
}

extension StorageError {
    package static func webhookNotFound(_ id: String) -> StorageError {
        StorageError(
            .notFound, "There is no webhook “\(id.prefix(60))”.", remedy: "List them with GET /api/v1/webhooks.",
            field: "webhook_id")
    }
}
