import Glibc
package import MartletDomain

/// The machine's clocks.
package struct SystemClock: Clock {
    package init() {}
    package var now: Timestamp { Timestamp(micros: SystemClock.read(CLOCK_REALTIME)) }
    package var monotonic: Int64 { SystemClock.read(CLOCK_MONOTONIC) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
