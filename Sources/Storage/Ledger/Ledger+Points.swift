package import MartletDomain
import MartletSeries

/// Who writes: a plain client, or one of several writers of a run.
package struct WriterRole: Hashable, Sendable {
    package var role: String
    package var rank: Int
    package init(role: String = "", rank: Int = 0) { (self.role, self.rank) = (role, rank) }
    package static let plain = WriterRole()
}

/// Values that were logged without a step, in order of arrival.
package struct UnsteppedValue: Sendable {
    package var name: String
    package var value: Double
    package var time: Timestamp?
    package init(name: String, value: Double, time: Timestamp? = nil) {
        (self.name, self.value, self.time) = (name, value, time)
    }
}

extension Ledger {
    /// Points with steps. They are kept whatever the run's state; those that come after its end are marked late, and
    /// the answer says so.
    @discardableResult
    package func logPoints(
        _ points: PreparedPoints, to key: RunKey, as writer: WriterRole = .plain, evenDeleted: Bool = false
    ) throws(StorageError) -> Bool {
        var run = try writableRun(key, evenDeleted: evenDeleted)
        let count = points.pointCount
        guard count > 0 else { return false }
        let names = points.batch.names
        try checkSeriesLimit(names, of: key)
        var ready = points
        if run.attempt > 1 || writer != .plain {
            let lane = try lane(of: run, writer: writer)
            if lane != .plain {
                ready.batch.movePlain(to: lane)
                ready.blobs = nil
            }
        }
        try tx.append(ready, to: key, at: now)
        let isLate = try heard(from: &run, logged: names)
        note("points.log", .run(key, run.id), in: run.project, count: count)
        return isLate
    }

    /// Values without a step: the last one stands as the summary value, and all are kept in order of arrival. The
    /// answer says whether they came after the run's end.
    @discardableResult
    package func logUnstepped(
        _ values: [UnsteppedValue], to key: RunKey, evenDeleted: Bool = false
    ) throws(StorageError) -> Bool {
        var run = try writableRun(key, evenDeleted: evenDeleted)
        guard !values.isEmpty else { return false }
        try checkSeriesLimit(values.map(\.name), of: key)
        var summary = try tx.summary(of: key)
        var arrived = PointCollector(lane: .unstepped)
        var lastTime = Int64.min
        for value in values {
            // Two values that arrive in one request keep their order: the later one is a microsecond younger.
            let time = max((value.time ?? now).micros, lastTime == .min ? .min : lastTime + 1)
            lastTime = time
            arrived.add(value.name, Point(step: 0, time: time, value: value.value))
            summary[value.name] = SummaryValue(value: value.value, time: Timestamp(micros: time))
        }
        try tx.append(PreparedPoints(batch: arrived.batch, blobs: nil), to: key, at: now)
        try tx.setSummary(summary, of: key)
        let isLate = try heard(from: &run, logged: values.map(\.name))
        note("points.log", .run(key, run.id), in: run.project, count: values.count)
        return isLate
    }

    /// Values that stand for a metric without being points of it; the last one set counts.
    package func setSummary(
        _ values: [(key: String, value: Double)], of key: RunKey, evenDeleted: Bool = false
    ) throws(StorageError) {
        let run = try writableRun(key, evenDeleted: evenDeleted)
        var summary = try tx.summary(of: key)
        for (name, value) in values {
            try limits.checkKey(name, "metric")
            summary[name] = SummaryValue(value: value, time: now)
        }
        try limits.check(summary.count, limits.metricNames, "metric names", setting: "--limit-metrics")
        try tx.setSummary(summary, of: key)
        note("summary.set", .run(key, run.id), in: run.project, after: values.map { ($0.key, "\($0.value)") })
    }

    package func logRich(
        _ points: [RichPoint], to key: RunKey, as writer: WriterRole = .plain, evenDeleted: Bool = false
    ) throws(StorageError) {
        var run = try writableRun(key, evenDeleted: evenDeleted)
        let lane = try lane(of: run, writer: writer)
        var placed: [RichPoint] = []
        for var point in points {
            try limits.checkKey(point.key, "series")
            guard RichKinds.all.contains(point.kind) else {
                throw StorageError(
                    .invalid, "“\(point.kind)” is not a kind of rich value.",
                    remedy: "Use one of \(RichKinds.all.sorted().joined(separator: ", ")).", field: "kind")
            }
            if let kind = try tx.richKind(of: key, key: point.key), kind != point.kind {
                throw StorageError(
                    .conflict, "“\(point.key)” holds values of kind \(kind), not \(point.kind).",
                    remedy: "A series has one kind: log it under another key.", field: "kind")
            }
            if point.lane == .plain { point.lane = lane }
            placed.append(point)
        }
        try tx.append(placed, to: key)
        try heard(from: &run, logged: points.map(\.key))
        note("rich.log", .run(key, run.id), in: run.project, count: points.count)
    }

    package func deletePoints(of key: RunKey, _ name: String, in range: PointRange) throws(StorageError) {
        let run = try writableRun(key)
        let known = try tx.series(of: key, named: [name])
        let summary = try tx.summary(of: key)
        guard !known.isEmpty || summary[name] != nil else {
            throw StorageError(
                .notFound, "Run \(run.shortID) has no metric “\(name)”.",
                remedy: "List them with GET /api/v1/runs/\(run.id)/metrics.", field: "metric")
        }
        try tx.deletePoints(of: key, name, in: range)
        if range.from == .min && range.to == .max, summary[name] != nil {
            var rest = summary
            rest[name] = nil
            try tx.setSummary(rest, of: key)
        }
        try tx.touch(key)
        note(
            "points.delete", .run(key, run.id), in: run.project,
            before: [("metric", name), ("from", "\(range.from)"), ("to", "\(range.to)")],
            count: known.reduce(0) { $0 + $1.count })
    }

    /// The lane of a writer in the run's present attempt, made when it first writes.
    package func lane(of run: Run, writer: WriterRole) throws(StorageError) -> LaneID {
        if run.attempt == 1 && writer == .plain { return .plain }
        let known = try tx.lanes(of: run.key)
        if let lane = known.first(where: {
            $0.attempt == run.attempt && $0.role == writer.role && $0.rank == writer.rank
        }) {
            return lane.id
        }
        return try tx.insertLane(of: run.key, attempt: run.attempt, role: writer.role, rank: writer.rank).id
    }

    // MARK: - Pieces

    package func checkMetricKey(_ name: String) throws(StorageError) { try limits.checkKey(name, "metric") }

    private func checkSeriesLimit(_ names: [String], of key: RunKey) throws(StorageError) {
        for name in names { try limits.checkKey(name, "metric") }
        let count = try tx.seriesCount(of: key, with: names)
        try limits.check(count, limits.metricNames, "metric names", setting: "--limit-metrics")
    }

    /// Notes that a writer of this run lives, at most every ten seconds, and marks what came after the end; true if
    /// it did.
    @discardableResult
    private func heard(from run: inout Run, logged names: [String]) throws(StorageError) -> Bool {
        if run.status.state == .lost || run.status.state == .queued {
            run.status = .running
            run.end = nil
            run.seen = now
            try tx.update(run)
            try appendState(run, cause: "heard from again")
            return false
        }
        if run.status.state.isEnded {
            let marked = Set(try tx.items(of: .run(run.key), kind: "late", key: nil).map(\.key))
            for name in Set(names).subtracting(marked).sorted() {
                try tx.append(
                    Item(id: 0, owner: .run(run.key), kind: "late", key: name, at: now, who: "", data: "{}"))
            }
            return true
        }
        if now.micros - run.seen.micros > 10_000_000 {
            run.seen = now
            try tx.update(run)
        }
        return false
    }
}

package enum RichKinds {
    package static let all: Set<String> = [
        "histogram", "image", "audio", "video", "text", "table", "figure", "html", "object3d",
    ]
}
