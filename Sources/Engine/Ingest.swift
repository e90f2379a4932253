package import MartletDomain
package import MartletSeries
package import MartletStorage

/// Points as a face has read them: some with a step, some without.
package struct MetricInput: Sendable {
    private var collected = PointCollector()
    /// What a face has gathered in columns of its own; nothing is added to it.
    private var given: PointBatch?
    package private(set) var unstepped: [UnsteppedValue] = []
    package private(set) var count = 0

    package init() {}

    package init(batch: PointBatch, unstepped: [UnsteppedValue]) {
        (given, self.unstepped) = (batch, unstepped)
        count = batch.pointCount + unstepped.count
    }

    package var batch: PointBatch { given ?? collected.batch }

    package mutating func add(_ name: String, step: Int64?, time: Timestamp?, value: Double, now: Timestamp) {
        count += 1
        guard let step else {
            unstepped.append(UnsteppedValue(name: name, value: value, time: time))
            return
        }
        add(name, Point(step: step, time: (time ?? now).micros, value: value))
    }

    package mutating func add(_ name: String, _ point: Point) { collected.add(name, point) }

    /// How many names there are among those that were added.
    package var nameCount: Int { given?.names.count ?? collected.nameCount }

    private var hasSteps: Bool { !(given?.isEmpty ?? collected.isEmpty) }
    package var isEmpty: Bool { !hasSteps && unstepped.isEmpty }

    /// About what the change holds while it waits.
    package var bytes: Int {
        256 + nameCount * 64 + (given?.pointCount ?? collected.pointCount) * 24 + unstepped.count * 80
    }
}

extension Engine {
    /// Names become ids and points become a journal row here, on the caller's thread and outside of every lock. What is
    /// given back logs them in a transaction, and says whether they came after the run's end.
    package func prepare(_ input: MetricInput) -> @Sendable (Ledger, RunKey, WriterRole) throws(Refusal) -> Bool {
        let batch = input.batch
        let stepped = batch.isEmpty ? nil : store.prepare(batch)
        let unstepped = input.unstepped
        return { ledger, run, writer throws(Refusal) in
            var isLate = false
            if let stepped { isLate = try ledger.logPoints(stepped, to: run, as: writer) }
            if !unstepped.isEmpty, try ledger.logUnstepped(unstepped, to: run) { isLate = true }
            return isLate
        }
    }
}
