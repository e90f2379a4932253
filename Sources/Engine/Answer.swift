import MartletArtifacts
package import MartletDomain
package import MartletStorage

/// What a face sends back, made inside the transaction so that it can be remembered with it.
package struct Answer: Sendable {
    package var status: Int
    package var body: [UInt8]
    /// True when this is the first answer over again.
    package var isRepeat = false
    package init(status: Int = 200, body: [UInt8]) { (self.status, self.body) = (status, body) }
}

/// What makes a request count once: the client's key, the route, and a digest of the body to know it again.
package struct Once: Sendable {
    package var key: String
    package var route: String
    package var body: Digest
    package init(key: String, route: String, body: Digest) { (self.key, self.route, self.body) = (key, route, body) }

    package static let keyBytesMax = 128
}

extension Engine {
    /// A change whose answer is given again when the same request comes again. The writer runs one change at a time, so
    /// a twin in flight finds the first one's answer.
    package func answer(
        _ caller: Caller, once: Once?, _ priority: WritePriority = .live, bytes: Int = 512,
        _ body: @escaping @Sendable (Ledger) throws(Refusal) -> Answer,
        then: @escaping @Sendable (Result<Answer, Refusal>) -> Void
    ) {
        guard let once else { return change(caller, priority, bytes: bytes, body, then: then) }
        let key = IdempotencyKey(
            project: .standard, caller: caller.principal, route: once.route, key: once.key)
        change(caller, priority, bytes: bytes) { ledger throws(Refusal) in
            if let known = try ledger.tx.remembered(key) {
                guard known.body == once.body else {
                    throw Refusal(
                        .conflict, "The Idempotency-Key “\(once.key)” was used with another body.",
                        remedy: "Use a new key for a new request.", field: "Idempotency-Key")
                }
                var answer = Answer(status: known.status, body: known.answer)
                answer.isRepeat = true
                return answer
            }
            let answer = try body(ledger)
            try ledger.tx.remember(
                RememberedAnswer(body: once.body, status: answer.status, answer: answer.body, at: ledger.now), for: key)
            return answer
        } then: {
            then($0)
        }
    }
}
