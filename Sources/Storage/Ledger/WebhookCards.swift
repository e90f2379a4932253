package import MartletDomain
import MartletJSON

// How webhooks lie on cards.
extension Webhook {
    package static let kind = "webhook"

    var asCard: Card {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("name", name)
            writer.some("description", description)
            writer.member("url", url)
            writer.array("events") { writer in for event in events { writer.string(event.word) } }
            if !isActive { writer.member("disabled", true) }
            writer.some("secret", secret)
        }
        return Card(
            id: card, kind: Self.kind, project: project, key: id, created: created, updated: updated, data: writer.text)
    }

    package init(_ card: Card) throws(StorageError) {
        let fields = try CardFields(card)
        var events: [WebhookEvent] = []
        for value in try fields.list("events") {
            guard let word = value.string else { throw fields.damaged("events") }
            // One that a later version knows and this one does not never happens here.
            if let event = WebhookEvent(word: word) { events.append(event) }
        }
        self.init(
            card: card.id, id: card.key, project: card.project, name: try fields.text("name"),
            description: try fields.text("description"), url: try fields.text("url"), events: events,
            isActive: fields.value("disabled")?.bool != true, secret: try fields.text("secret"), created: card.created,
            updated: card.updated)
    }
}
