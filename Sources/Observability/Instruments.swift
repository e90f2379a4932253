import Synchronization

/// A number that only grows.
package final class Counter: Sendable {
    private let cell = Atomic<Int>(0)

    package func add(_ amount: Int = 1) { cell.wrappingAdd(amount, ordering: .relaxed) }
    package var value: Int { cell.load(ordering: .relaxed) }
}

/// A number that goes up and down.
package final class Gauge: Sendable {
    private let cell = Atomic<Int>(0)

    package func add(_ amount: Int) { cell.wrappingAdd(amount, ordering: .relaxed) }
    package func set(_ value: Int) { cell.store(value, ordering: .relaxed) }
    package var value: Int { cell.load(ordering: .relaxed) }
}

/// How often a measured quantity fell below each bound.
package final class Histogram: Sendable {
    /// From half a millisecond to half a minute: answers of a server.
    package static let seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

    private let bounds: [Double]
    private let counts: [Counter]
    private let sumBits = Atomic<UInt64>(0)

    init(bounds: [Double]) {
        self.bounds = bounds.sorted()
        counts = (0...bounds.count).map { _ in Counter() }
    }

    /// NaN counts in no bucket but the last, and not in the sum, which it would spoil for ever.
    package func observe(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count].add()
        guard value.isFinite else { return }
        var old = sumBits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + value).bitPattern
            let (exchanged, original) = sumBits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = original
        }
    }

    struct Snapshot {
        /// Cumulative, the last one at infinity.
        var buckets: [(bound: Double, count: Int)]
        var sum: Double
        var count: Int
    }

    func snapshot() -> Snapshot {
        var total = 0
        var buckets: [(bound: Double, count: Int)] = []
        for (index, counter) in counts.enumerated() {
            total += counter.value
            buckets.append((index < bounds.count ? bounds[index] : .infinity, total))
        }
        return Snapshot(buckets: buckets, sum: Double(bitPattern: sumBits.load(ordering: .relaxed)), count: total)
    }
}
