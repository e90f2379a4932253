import MartletThreads
import Synchronization
import Testing

@Suite("Threads wait and are woken") struct ThreadsTests {
    @Test("a bell that is rung early wakes the next wait at once, and rung twice wakes one")
    func bell() {
        let bell = Bell()
        bell.ring()
        bell.ring()
        let clock = ContinuousClock()
        #expect(clock.measure { bell.wait(milliseconds: 5000) } < .seconds(1))
        #expect(clock.measure { bell.wait(milliseconds: 30) } >= .milliseconds(20))
    }

    @Test("a monitor wakes whoever its state now suits, and lets others wait on")
    func monitor() {
        let count = Monitor(0)
        let seen = Mutex<[Int]>([])
        let threads = [3, 1, 2].map { wanted in
            let thread = BackgroundThread()
            thread.start { _ in
                if count.wait(seconds: 10, for: { $0 >= wanted ? wanted : nil }) != nil {
                    seen.withLock { if !$0.contains(wanted) { $0.append(wanted) } }
                }
                return 10_000
            }
            return thread
        }
        for value in 1...3 {
            count.change { $0 = value }
            while seen.withLock({ $0.count }) < value { _ = count.wait(seconds: 0.001) { _ in Int?.none } }
        }
        #expect(seen.withLock { $0 } == [1, 2, 3])
        for thread in threads { thread.stop() }
        #expect(count.wait(seconds: 0.01) { $0 > 3 ? $0 : nil } == nil)
    }

    @Test("a background thread works in rounds until it is stopped, and stop waits for the round")
    func background() {
        let thread = BackgroundThread()
        let rounds = Mutex(0)
        let waiter = Waiter<Int>()
        thread.start { round in
            rounds.withLock { $0 = round + 1 }
            if round == 2 { waiter.fulfil(round) }
            return 1
        }
        #expect(waiter.wait() == 2)
        thread.stop()
        let last = rounds.withLock { $0 }
        #expect(last >= 3)
        thread.wake()
        #expect(rounds.withLock { $0 } == last)
    }

    @Test("a waiter gets what another thread brings")
    func waiter() {
        let waiter = Waiter<String>()
        let thread = BackgroundThread()
        thread.start { _ in
            waiter.fulfil("here")
            return 10_000
        }
        #expect(waiter.wait() == "here")
        thread.stop()
    }
}
