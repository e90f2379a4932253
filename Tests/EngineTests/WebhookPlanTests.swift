import MartletDomain
import Testing

@testable import MartletEngine

@Suite("Deliveries wait their turn, and are given up in the end") struct WebhookPlanTests {
    private func delivery(to webhook: Int64 = 1, bytes: Int = 10) -> WebhookDelivery {
        WebhookDelivery(WebhookEvent(.model, .created)!, to: webhook, body: [UInt8](repeating: 32, count: bytes))
    }

    private func send(_ plan: inout WebhookPlan, at now: Int64) -> WebhookPlan.Parcel? {
        guard case .send(let parcel) = plan.next(at: now) else { return nil }
        return parcel
    }

    private func pause(_ plan: inout WebhookPlan, at now: Int64) -> Int? {
        guard case .wait(let milliseconds) = plan.next(at: now) else { return nil }
        return milliseconds
    }

    @Test("one webhook hears one thing after the other, several at the same time")
    func lanes() throws {
        var plan = WebhookPlan()
        let deliveries = [delivery(to: 1), delivery(to: 1), delivery(to: 2)]
        for delivery in deliveries { #expect(plan.offer(delivery, at: 0) == .queued) }
        let first = try #require(send(&plan, at: 0))
        let second = try #require(send(&plan, at: 0))
        #expect([first, second].map(\.delivery.id) == [deliveries[0].id, deliveries[2].id])
        #expect(send(&plan, at: 0) == nil)
        #expect(plan.finished(first, .taken, at: 0, chance: 0) == .done)
        #expect(send(&plan, at: 0)?.delivery.id == deliveries[1].id)
        #expect(plan.count == 2)
    }

    @Test("a receiver that is away is tried four times, at 1, 2 and 4 seconds, and holds up its own lane alone")
    func retries() throws {
        var plan = WebhookPlan()
        _ = plan.offer(delivery(to: 1), at: 0)
        _ = plan.offer(delivery(to: 1), at: 0)
        var (now, pauses): (Int64, [Double]) = (0, [])
        for _ in 1...3 {
            let parcel = try #require(send(&plan, at: now))
            guard case .again(let seconds) = plan.finished(parcel, .again(after: nil), at: now, chance: 0) else {
                Issue.record("given up early")
                return
            }
            pauses.append(seconds)
            #expect(pause(&plan, at: now) == Int(seconds * 1000) + 1)
            _ = plan.offer(delivery(to: 2), at: now)
            let other = try #require(send(&plan, at: now))
            #expect(other.delivery.webhook == 2)
            _ = plan.finished(other, .taken, at: now, chance: 0)
            now += Int64(seconds * 1e6)
        }
        #expect(pauses == [1, 2, 4])
        let last = try #require(send(&plan, at: now))
        #expect(last.attempt == 4)
        #expect(plan.finished(last, .again(after: nil), at: now, chance: 0) == .givenUp(attempts: 4))
        #expect(send(&plan, at: now)?.attempt == 1)
    }

    @Test("what a receiver asks for is waited, up to a minute; what it will never take is not sent again")
    func answers() throws {
        var plan = WebhookPlan()
        for _ in 1...3 { _ = plan.offer(delivery(), at: 0) }
        #expect(
            plan.finished(try #require(send(&plan, at: 0)), .again(after: 7), at: 0, chance: 1) == .again(seconds: 7))
        let again = try #require(send(&plan, at: 7_000_000))
        #expect(plan.finished(again, .again(after: 3600), at: 0, chance: 1) == .again(seconds: 60))
        let third = try #require(send(&plan, at: 60_000_000))
        #expect(plan.finished(third, .refused, at: 0, chance: 1) == .givenUp(attempts: 3))
        #expect(plan.count == 2)
    }

    @Test("the queue is bounded by count, by bytes and by webhook, and says once that it is full")
    func bounds() throws {
        var rules = WebhookPlan.Rules()
        (rules.countMax, rules.bytesMax, rules.perWebhookMax) = (4, 100, 2)
        var plan = WebhookPlan(rules)
        #expect(plan.offer(delivery(to: 1), at: 0) == .queued)
        #expect(plan.offer(delivery(to: 1), at: 0) == .queued)
        #expect(plan.offer(delivery(to: 1), at: 0) == .dropped(isFirst: true))
        #expect(plan.offer(delivery(to: 1), at: 0) == .dropped(isFirst: false))
        #expect(plan.offer(delivery(to: 2, bytes: 81), at: 0) == .dropped(isFirst: true))
        #expect(plan.offer(delivery(to: 2), at: 0) == .queued)
        #expect(plan.offer(delivery(to: 3), at: 0) == .queued)
        #expect(plan.offer(delivery(to: 4), at: 0) == .dropped(isFirst: true))
        let first = try #require(send(&plan, at: 0))
        _ = plan.finished(first, .taken, at: 0, chance: 0)
        #expect(plan.offer(delivery(to: 1), at: 0) == .queued)
        #expect(plan.offer(delivery(to: 1), at: 0) == .dropped(isFirst: true))
    }
}
