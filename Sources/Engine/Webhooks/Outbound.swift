package import MartletDomain

/// The way out for requests that a user can cause; the composition root gives one whose rules the operator set.
package protocol Outbound: Sendable {
    /// Refuses an address that may not be called. May wait for a name server.
    func check(_ url: String) throws(Refusal)
    /// Sends and waits for the answer, or until `goesOn` says no.
    func post(
        _ url: String, headers: [(name: String, value: String)], body: [UInt8], goesOn: @escaping @Sendable () -> Bool
    ) throws(OutboundFailure) -> OutboundAnswer
}

package struct OutboundAnswer: Sendable {
    package var status: Int
    package var body: [UInt8]
    /// Seconds, where the receiver names some.
    package var retryAfter: Double?
    package init(status: Int, body: [UInt8] = [], retryAfter: Double? = nil) {
        (self.status, self.body, self.retryAfter) = (status, body, retryAfter)
    }
}

package struct OutboundFailure: Error, Sendable {
    /// A sentence without the address' path, which may hold a key.
    package var message: String
    /// A later try may go better.
    package var isPassing: Bool
    package init(_ message: String, isPassing: Bool) { (self.message, self.isPassing) = (message, isPassing) }
}
