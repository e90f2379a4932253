/// What is sent to whom and when: decisions alone, without a clock, a thread or a socket.
///
/// Each webhook has a lane of its own, in which deliveries go one after the other in the order of what happened; one
/// that waits to be tried again holds up its own lane and no other.
struct WebhookPlan {
    struct Rules: Sendable {
        var countMax = 10_000
        var bytesMax = 32 << 20
        /// So that one receiver that is away cannot fill the queue of all.
        var perWebhookMax = 1_000
        var attemptsMax = 4
        /// Seconds before the second try; doubled for each further one.
        var firstPause = 1.0
        var pauseMax = 60.0
    }

    struct Parcel: Sendable {
        var delivery: WebhookDelivery
        var attempt = 1
        fileprivate var number: Int
        /// Microseconds of the monotonic clock.
        fileprivate var due: Int64
    }

    enum Offer: Equatable {
        case queued
        /// The queue is full. `isFirst` while it has not been said yet.
        case dropped(isFirst: Bool)
    }

    enum Step {
        case send(Parcel)
        /// Milliseconds until there may be something to do.
        case wait(Int)
    }

    enum Outcome { case taken, refused, again(after: Double?) }

    enum Verdict: Equatable {
        case done
        case again(seconds: Double)
        case givenUp(attempts: Int)
    }

    private struct Lane {
        var parcels: [Parcel] = []
        var isBusy = false
        var isDropping = false
    }

    private let rules: Rules
    private var lanes: [Int64: Lane] = [:]
    private var bytes = 0
    private var nextNumber = 0
    private(set) var count = 0

    init(_ rules: Rules = Rules()) { self.rules = rules }

    mutating func offer(_ delivery: WebhookDelivery, at now: Int64) -> Offer {
        var lane = lanes[delivery.webhook] ?? Lane()
        defer { lanes[delivery.webhook] = lane }
        let isFull =
            count >= rules.countMax || bytes + delivery.body.count > rules.bytesMax
            || lane.parcels.count >= rules.perWebhookMax
        guard !isFull else {
            defer { lane.isDropping = true }
            return .dropped(isFirst: !lane.isDropping)
        }
        lane.isDropping = false
        lane.parcels.append(Parcel(delivery: delivery, number: nextNumber, due: now))
        nextNumber += 1
        count += 1
        bytes += delivery.body.count
        return .queued
    }

    /// The parcel whose turn it is; its lane is busy until it is `finished`.
    mutating func next(at now: Int64) -> Step {
        var best: Parcel?
        for lane in lanes.values where !lane.isBusy {
            guard let head = lane.parcels.first else { continue }
            if let known = best, (known.due, known.number) < (head.due, head.number) { continue }
            best = head
        }
        guard let best else { return .wait(WebhookPlan.idleMilliseconds) }
        guard best.due <= now else { return .wait(min(WebhookPlan.idleMilliseconds, Int((best.due - now) / 1000) + 1)) }
        lanes[best.delivery.webhook]?.isBusy = true
        return .send(best)
    }

    private static let idleMilliseconds = 60_000

    /// `chance`, from 0 to 1, spreads the tries of receivers that fell together.
    mutating func finished(_ parcel: Parcel, _ outcome: Outcome, at now: Int64, chance: Double) -> Verdict {
        let key = parcel.delivery.webhook
        guard var lane = lanes[key], !lane.parcels.isEmpty else { return .done }
        lane.isBusy = false
        let verdict = verdict(parcel, outcome, chance)
        if case .again(let seconds) = verdict {
            lane.parcels[0].attempt += 1
            lane.parcels[0].due = now + Int64(seconds * 1e6)
        } else {
            lane.parcels.removeFirst()
            count -= 1
            bytes -= parcel.delivery.body.count
        }
        lanes[key] = lane.parcels.isEmpty ? nil : lane
        return verdict
    }

    private func verdict(_ parcel: Parcel, _ outcome: Outcome, _ chance: Double) -> Verdict {
        switch outcome {
        case .taken: return .done
        case .refused: return .givenUp(attempts: parcel.attempt)
        case .again(let wanted):
            guard parcel.attempt < rules.attemptsMax else { return .givenUp(attempts: parcel.attempt) }
            var pause = rules.firstPause
            for _ in 1..<parcel.attempt { pause *= 2 }
            return .again(seconds: min(rules.pauseMax, max(wanted ?? 0, pause * (1 + chance / 2))))
        }
    }
}
