import MartletArtifacts
import MartletDomain

/// One thing that happened, on its way to one webhook.
struct WebhookDelivery: Sendable {
    /// The same for every try, so that a receiver can tell them from two events.
    var id: String
    /// The webhook's card. Its address and secret are looked up when it is sent: they may be others by then.
    var webhook: Int64
    /// For the log: its name and where it leads, without what may be a key.
    var label: String
    var event: WebhookEvent
    var body: [UInt8]

    init(_ event: WebhookEvent, to webhook: Int64, label: String = "", body: [UInt8]) {
        (id, self.event, self.body) = (UniqueID.make(), event, body)
        (self.webhook, self.label) = (webhook, label)
    }

    /// With the headers of MLflow's deliveries, by which their receivers check what came: `v1,` and the base 64 of the
    /// HMAC over `<delivery id>.<unix seconds>.<body>`.
    func headers(secret: String, at now: Timestamp) -> [(name: String, value: String)] {
        let seconds = "\(now.millis / 1000)"
        var headers = [
            (name: "Content-Type", value: "application/json"), (name: "X-MLflow-Delivery-Id", value: id),
            (name: "X-MLflow-Timestamp", value: seconds),
        ]
        guard !secret.isEmpty else { return headers }
        let code = MessageCode.sha256(key: Array(secret.utf8), Array("\(id).\(seconds).".utf8) + body)
        headers.append((name: "X-MLflow-Signature", value: "v1,\(Base64Text.encode(code))"))
        return headers
    }
}

/// A random UUID as text.
package enum UniqueID {
    package static func make() -> String {
        var bytes = Chance.bytes(16)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let text = Array(Digest(bytes: bytes).text)
        return [text[0..<8], text[8..<12], text[12..<16], text[16..<20], text[20..<32]].map { String($0) }
            .joined(separator: "-")
    }
}
