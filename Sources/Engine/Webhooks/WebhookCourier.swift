import MartletDomain
import MartletObservability
import MartletStorage
import MartletThreads
import Synchronization

/// What came of trying a webhook.
package struct WebhookTrial: Sendable {
    package var succeeded: Bool
    package var status: Int?
    package var body: String?
    package var problem: String?
}

/// Brings what happened to those who want to hear of it, after it is on disk and on threads of its own.
///
/// What is queued lies in memory: a delivery that the process does not live to make is not made.
final class WebhookCourier: Sendable {
    private struct State {
        var plan: WebhookPlan
        var trials: [@Sendable () -> Void] = []
        var isRunning = false
    }

    private static let threadCount = 4
    private static let trialsMax = 32
    /// What a receiver says is shown to whoever tries it, and no more of it than is read by a person.
    private static let answerBytesMax = 64 << 10

    private let outbound: any Outbound
    private let store: any Store
    private let clock: any Clock
    private let log: Log
    private let state: Mutex<State>
    private let threads = (0..<WebhookCourier.threadCount).map { _ in BackgroundThread() }

    init(
        _ outbound: any Outbound, store: any Store, clock: any Clock, log: Log,
        rules: WebhookPlan.Rules = WebhookPlan.Rules()
    ) {
        (self.outbound, self.store, self.clock, self.log) = (outbound, store, clock, log)
        state = Mutex(State(plan: WebhookPlan(rules)))
    }

    func deliver(_ deliveries: [WebhookDelivery]) {
        guard !deliveries.isEmpty else { return }
        let now = clock.monotonic
        let offers = state.withLock { state in deliveries.map { state.plan.offer($0, at: now) } }
        for (delivery, offer) in zip(deliveries, offers) where offer == .dropped(isFirst: true) {
            log.warning(
                "The queue of a webhook is full, so what happens meanwhile is not told to it.",
                ("webhook", delivery.label), ("event", delivery.event.word))
        }
        run()
    }

    /// Sends an example, once; `then` is called on a thread of the courier's.
    func test(
        _ webhook: Webhook, _ event: WebhookEvent, then: @escaping @Sendable (Result<WebhookTrial, Refusal>) -> Void
    ) {
        let trial: @Sendable () -> Void = { [self] in
            let delivery = WebhookDelivery(
                event, to: webhook.card, body: RegistryNews.example(event, at: clock.now))
            do throws(OutboundFailure) {
                let answer = try send(delivery, to: webhook)
                let text = String(decoding: answer.body.prefix(WebhookCourier.answerBytesMax), as: UTF8.self)
                then(.success(WebhookTrial(succeeded: answer.status < 400, status: answer.status, body: text)))
            } catch {
                then(.success(WebhookTrial(succeeded: false, problem: error.message)))
            }
        }
        let isTaken = state.withLock { state in
            guard state.trials.count < WebhookCourier.trialsMax else { return false }
            state.trials.append(trial)
            return true
        }
        guard isTaken else {
            return then(
                .failure(
                    Refusal(.busy, "Too many webhooks are being tried.", remedy: "Try again in a few seconds.")))
        }
        run()
    }

    /// Waits for what is being sent, which is told to give up.
    func stop() {
        for thread in threads { thread.stop() }
        let left = state.withLock { state in
            defer { state.trials = [] }
            return (state.plan.count, state.trials)
        }
        // Whoever waits for an answer hears that there is none.
        for trial in left.1 { trial() }
        if left.0 > 0 { log.warning("\(left.0) deliveries to webhooks were not made before the end.") }
    }

    private var isStopped: Bool { threads[0].isStopped }

    private func run() {
        let mustStart = state.withLock { state in
            defer { state.isRunning = true }
            return !state.isRunning
        }
        for thread in threads {
            if mustStart { thread.start { [self] _ in round() } } else { thread.wake() }
        }
    }

    /// One thing done; the milliseconds until the next.
    private func round() -> Int {
        let now = clock.monotonic
        let (trial, step) = state.withLock { state -> ((@Sendable () -> Void)?, WebhookPlan.Step?) in
            if !state.trials.isEmpty { return (state.trials.removeFirst(), nil) }
            return (nil, state.plan.next(at: now))
        }
        trial?()
        switch step {
        case nil: return 0
        case .wait(let milliseconds): return milliseconds
        case .send(let parcel):
            attempt(parcel)
            return 0
        }
    }

    private func attempt(_ parcel: WebhookPlan.Parcel) {
        let delivery = parcel.delivery
        let (outcome, why) = outcome(of: delivery)
        let verdict = state.withLock {
            $0.plan.finished(parcel, outcome, at: clock.monotonic, chance: .random(in: 0...1))
        }
        switch verdict {
        case .done: break
        case .again(let seconds):
            log.info(
                "A webhook is tried again in \(Int(seconds.rounded())) s: \(why)", ("webhook", delivery.label),
                ("delivery", delivery.id))
        case .givenUp(let attempts):
            log.warning(
                "A webhook was not told of \(delivery.event.word), after \(attempts == 1 ? "one try" : "\(attempts) tries"): \(why)",
                ("webhook", delivery.label), ("delivery", delivery.id))
        }
    }

    private func outcome(of delivery: WebhookDelivery) -> (WebhookPlan.Outcome, why: String) {
        let webhook: Webhook?
        do throws(Refusal) {
            webhook = try store.read { (reader: any StoreReader) throws(Refusal) in
                try reader.webhook(card: delivery.webhook)
            }
        } catch {
            return (.again(after: nil), error.message)
        }
        // Deleted or switched off since.
        guard let webhook, webhook.isActive else { return (.taken, "") }
        do throws(OutboundFailure) {
            let answer = try send(delivery, to: webhook)
            switch answer.status {
            case ..<400: return (.taken, "")
            case 429, 500, 502, 503, 504: return (.again(after: answer.retryAfter), "it answered \(answer.status).")
            default: return (.refused, "it answered \(answer.status).")
            }
        } catch {
            return (error.isPassing ? .again(after: nil) : .refused, error.message)
        }
    }

    private func send(_ delivery: WebhookDelivery, to webhook: Webhook) throws(OutboundFailure) -> OutboundAnswer {
        guard !isStopped else { throw OutboundFailure("The server is stopping.", isPassing: false) }
        return try outbound.post(
            webhook.url, headers: delivery.headers(secret: webhook.secret, at: clock.now), body: delivery.body,
            goesOn: { [self] in !isStopped })
    }
}
