import MartletDomain
import MartletJSON

// Addresses that hear of the registry.
extension Schemas {
    private static let event = Schema.word(of: WebhookEvent.all.map(\.word))
    private static let name = Schema.text("1 to 63 letters, digits, dots, underscores and hyphens.")
    private static let url = Schema.text(
        "http or https, without a password. Addresses of this machine and its networks are refused unless the operator "
            + "allowed them.")

    static let webhooks: [Named] = [
        (
            "NewWebhook",
            Schema.object(
                "An address, and what it is to hear of.", required: ["name", "url", "events"],
                [
                    "name": name, "url": url, "events": Schema.list(of: event), "description": Schema.text(),
                    "secret": Schema.text("Signs what is sent. It is not shown again."),
                    "active": Schema.flag("Whether it is told anything now; true if not given."),
                    "project": Schema.text("Id, slug or name; the default project if not given."),
                ],
                example: [
                    "name": "deploy", "url": "https://example.org/hooks/deploy",
                    "events": ["model_version.created", "model_version_alias.created"], "secret": "between you and me",
                ])
        ),
        (
            "WebhookChange",
            Schema.object(
                "What is to change; what is left out stays.",
                [
                    "name": name, "url": url, "events": Schema.list(of: event), "description": Schema.text(),
                    "secret": Schema.text("A new one; an empty one takes it away."), "active": Schema.flag(),
                ], example: ["active": false])
        ),
        (
            "Webhook",
            Schema.object(
                "A webhook.",
                required: [
                    "id", "name", "project_id", "url", "events", "active", "signed", "created_at", "updated_at",
                ],
                [
                    "id": Schema.text(), "name": Schema.text(), "project_id": Schema.text(),
                    "description": Schema.text(), "url": Schema.text(), "events": Schema.list(of: event),
                    "active": Schema.flag(), "signed": Schema.flag("Whether it has a secret."),
                    "created_at": Schema.time(), "updated_at": Schema.time(),
                ])
        ),
        ("WebhookList", Schema.page("webhooks", of: "Webhook")),
        (
            "WebhookTrial",
            Schema.object(
                "Which event to play; the first of the webhook's own if not given.", ["event": event],
                example: ["event": "model_version.created"])
        ),
        (
            "WebhookTrialAnswer",
            Schema.object(
                "What came of it.", required: ["success"],
                [
                    "success": Schema.flag(), "status": Schema.orNull(Schema.integer("Of the answer.")),
                    "body": Schema.orNull(Schema.text("Its first 64 KiB.")),
                    "problem": Schema.orNull(Schema.text("Why there was no answer.")),
                ])
        ),
    ]
}
