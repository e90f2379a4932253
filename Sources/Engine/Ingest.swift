package import MartletDomain
package import MartletSeries
package import MartletStorage

/// Points as a face has read them: some with a step, some without.
package struct MetricInput: Sendable {
    private var places: [String: Int] = [:]
    package private(set) var batch = PointBatch()
    package private(set) var unstepped: [UnsteppedValue] = []
    package private(set) var count = 0

    package init() {}

    /// From a face that gathers columns of its own: complete, nothing is added to it afterwards.
    package init(batch: PointBatch, unstepped: [UnsteppedValue]) {
        (self.batch, self.unstepped) = (batch, unstepped)
        count = batch.pointCount + unstepped.count
    }

    package mutating func add(_ name: String, step: Int64?, time: Timestamp?, value: Double, now: Timestamp) {
        count += 1
        guard let step else {
            unstepped.append(UnsteppedValue(name: name, value: value, time: time))
            return
        }
        add(name, Point(step: step, time: (time ?? now).micros, value: value))
    }

    package mutating func add(_ name: String, _ point: Point) {
        if let place = places[name] {
            batch.entries[place].points.append(point)
        } else {
            places[name] = batch.entries.count
            var points = SeriesPoints()
            points.append(point)
            batch.entries.append(.init(name: name, points: points))
        }
    }

    package var isEmpty: Bool { batch.entries.isEmpty && unstepped.isEmpty }

    /// About what the change holds while it waits.
    package var bytes: Int { 256 + batch.entries.count * 64 + batch.pointCount * 24 + unstepped.count * 80 }
}

extension Engine {
    /// Names become ids and points become a journal row here, on the caller's thread and outside of every lock. What is
    /// given back logs them in a transaction, and says whether they came after the run's end.
    package func prepare(_ input: MetricInput) -> @Sendable (Ledger, RunKey, WriterRole) throws(Refusal) -> Bool {
        let stepped = input.batch.entries.isEmpty ? nil : store.prepare(input.batch)
        let unstepped = input.unstepped
        return { ledger, run, writer throws(Refusal) in
            var isLate = false
            if let stepped { isLate = try ledger.logPoints(stepped, to: run, as: writer) }
            if !unstepped.isEmpty, try ledger.logUnstepped(unstepped, to: run) { isLate = true }
            return isLate
        }
    }
}
