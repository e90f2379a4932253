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
