package import MartletDomain

// Webhooks are an admin's: who names an address makes this server call it.
extension Engine {
    /// Refuses an address that may not be called. May wait for a name server, so it is asked outside of the writer.
    package func checkWebhook(url: String) throws(Refusal) { try outbound?.check(url) }

    /// Sends an example to a webhook, of one of its own events when none is named.
    package func testWebhook(
        _ webhook: Webhook, _ event: WebhookEvent? = nil,
        then: @escaping @Sendable (Result<WebhookTrial, Refusal>) -> Void
    ) {
        guard let courier, let event = event ?? webhook.events.first else {
            return then(
                .failure(
                    Refusal(
                        .unsupported, "Nothing is sent from here.",
                        remedy: "Ask a server: webhooks are told by `martlet serve` alone.")))
        }
        courier.test(webhook, event, then: then)
    }

    /// No more is told from here on; what is being sent is given up.
    package func stopTelling() { courier?.stop() }
}
