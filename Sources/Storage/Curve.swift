package import MartletDomain
package import MartletSeries

/// Whether a curve leaves out what a later attempt logged again, or shows everything.
package enum AttemptChoice: Sendable { case counting, all }

/// One strand of a run's series: a lane, and the steps of it that count.
package struct Strand: Sendable, Equatable {
    package var run: RunKey
    package var lane: Lane
    package var range: PointRange

    package static func == (a: Strand, b: Strand) -> Bool {
        a.run == b.run && a.lane == b.lane && a.range.from == b.range.from && a.range.to == b.range.to
    }
}

/// A metric of a run as tables and charts show it: its strands joined, its summary value beside it.
package struct MetricState: Sendable {
    package var name: String
    /// Nil when only a summary value was given.
    package var series: SeriesState?
    package var summary: SummaryValue?
    /// True for values logged without steps: their order of arrival stands for the step.
    package var isUnstepped: Bool

    /// What `metrics.name` means: a summary value wins over the last point.
    package var value: Double { summary?.value ?? series?.last.value ?? .nan }
}

extension StoreReader {
    /// The strands that make up the curve of a metric, oldest attempt first.
    ///
    /// Where two attempts of one writer overlap in steps the later one counts from its first step on. Rank 0, or the
    /// only writer, is what is shown. A fork begins with its parent's points up to the forking step.
    package func strands(
        of run: Run, _ name: String, _ choice: AttemptChoice = .counting
    ) throws(StorageError) -> [Strand] {
        var strands: [Strand] = []
        if let fork = run.fork, let parent = try self.run(fork.run) {
            for var strand in try self.strands(of: parent, name, choice) where strand.range.from <= fork.step {
                strand.range.to = min(strand.range.to, fork.step)
                strands.append(strand)
            }
        }
        let own = try ownStrands(of: run, name, choice)
        if choice == .counting, let first = own.first, first.range.from != .min {
            strands = strands.compactMap { cut($0, before: first.range.from) }
        }
        return strands + own
    }

    private func ownStrands(
        of run: Run, _ name: String, _ choice: AttemptChoice
    ) throws(StorageError) -> [Strand] {
        let states = try series(of: run.key, named: [name]).filter { $0.lane != .unstepped }
        guard !states.isEmpty else { return [] }
        if states.count == 1, states[0].lane == .plain, run.fork == nil {
            return [Strand(run: run.key, lane: .plain, range: .all)]
        }
        var lanes = try lanes(of: run.key).filter { lane in states.contains { $0.lane == lane.id } }
        if states.contains(where: { $0.lane == .plain }) { lanes.append(.plain) }
        // Rank 0 without a role if it wrote this metric, else the first writer that did.
        let writer =
            lanes.map { WriterRole(role: $0.role, rank: $0.rank) }
            .min { ($0.role, $0.rank) < ($1.role, $1.rank) } ?? .plain
        lanes = lanes.filter { $0.role == writer.role && $0.rank == writer.rank }
            .sorted { ($0.attempt, $0.id) < ($1.attempt, $1.id) }
        var strands: [Strand] = []
        for lane in lanes {
            guard let state = states.first(where: { $0.lane == lane.id }) else { continue }
            if choice == .counting {
                strands = strands.compactMap { cut($0, before: state.minStep) }
            }
            strands.append(
                Strand(run: run.key, lane: lane, range: PointRange(from: state.minStep, to: state.maxStep)))
        }
        return strands
    }

    private func cut(_ strand: Strand, before step: Int64) -> Strand? {
        guard strand.range.to >= step else { return strand }
        guard strand.range.from < step else { return nil }
        var shorter = strand
        shorter.range.to = step - 1
        return shorter
    }

    /// The points of a metric's curve in order of step. Values without steps stand in their order of arrival, from the
    /// second one on; a lone one is a summary value and no curve.
    package func curve(
        of run: Run, _ name: String, in range: PointRange = .all, _ choice: AttemptChoice = .counting
    ) throws(StorageError) -> SeriesPoints {
        let strands = try strands(of: run, name, choice)
        if strands.isEmpty { return try arrivals(of: run, name, in: range) }
        if strands.count == 1 {
            return try points(strands[0].run, name, strands[0].lane.id, in: overlap(strands[0].range, range))
        }
        var joined = SeriesPoints()
        for strand in strands {
            let part = overlap(strand.range, range)
            guard part.from <= part.to else { continue }
            joined.append(try points(strand.run, name, strand.lane.id, in: part))
        }
        return choice == .counting ? joined : joined.inOrderOfStep()
    }

    private func arrivals(of run: Run, _ name: String, in range: PointRange) throws(StorageError) -> SeriesPoints {
        let stored = try points(run.key, name, .unstepped, in: .all)
        var shown = SeriesPoints()
        guard stored.count > 1 else { return shown }
        for index in 0..<stored.count where range.from <= Int64(index) && Int64(index) <= range.to {
            var point = stored[index]
            point.step = Int64(index)
            shown.append(point)
        }
        return shown
    }

    private func overlap(_ a: PointRange, _ b: PointRange) -> PointRange {
        PointRange(from: max(a.from, b.from), to: min(a.to, b.to))
    }

    /// Every metric of a run, or the named ones: in order of name.
    package func metrics(of run: Run, named names: [String]? = nil) throws(StorageError) -> [MetricState] {
        try metrics(
            of: run, named: names, try series(of: run.key, named: names), try summary(of: run.key))
    }

    /// Every metric of each of many runs, or the named ones, read in one pass; their summaries are known already.
    package func metrics(
        of runs: [Run], named names: [String]? = nil, summaries: [Pairs<SummaryValue>]
    ) throws(StorageError) -> [[MetricState]] {
        var found = [[MetricState]](repeating: [], count: runs.count)
        try eachSeries(of: runs.map(\.key), named: names) { (place, states) throws(StorageError) in
            found[place] = try metrics(of: runs[place], named: names, states, summaries[place])
        }
        return found
    }

    private func metrics(
        of run: Run, named names: [String]?, _ states: [SeriesState], _ summary: Pairs<SummaryValue>
    ) throws(StorageError) -> [MetricState] {
        if run.fork == nil, states.allSatisfy({ $0.lane == .plain }) {
            return plainMetrics(states, summary, named: names)
        }
        let lanes = try lanes(of: run.key)
        var byName: [String: [SeriesState]] = [:]
        var order: [String] = []
        func add(_ states: [SeriesState]) {
            for state in states {
                if byName[state.name] == nil { order.append(state.name) }
                byName[state.name, default: []].append(state)
            }
        }
        add(states)
        if let fork = run.fork, let parent = try self.run(fork.run) {
            // A fork's curves reach into another run: what it inherits is found by reading those curves.
            for inherited in try metrics(of: parent, named: names) where inherited.series != nil {
                if byName[inherited.name] == nil { order.append(inherited.name) }
                byName[inherited.name, default: []] = []
            }
        }
        for (name, _) in summary.entries where byName[name] == nil && (names == nil || names!.contains(name)) {
            byName[name] = []
            order.append(name)
        }
        var result: [MetricState] = []
        for name in order {
            let states = byName[name] ?? []
            let stepped = states.filter { $0.lane != .unstepped }
            var state: SeriesState?
            var isUnstepped = false
            if run.fork == nil, stepped.count == 1, stepped[0].lane == .plain || lanes.count <= 1 {
                state = stepped[0]
            } else if !stepped.isEmpty || run.fork != nil {
                state = SeriesState(describing: try curve(of: run, name), name: name)
            }
            if state == nil, let arrived = states.first(where: { $0.lane == .unstepped }) {
                state = arrived
                isUnstepped = true
                state?.minStep = 0
                state?.maxStep = Int64(arrived.count - 1)
            }
            if state == nil && summary[name] == nil { continue }
            result.append(MetricState(name: name, series: state, summary: summary[name], isUnstepped: isUnstepped))
        }
        return result.sorted { precedes($0.name, $1.name) }
    }
}

/// The metrics of a run that one plain client wrote: its series as they are, in their order. Most runs are like this, and
/// a page of a thousand of them is to be shown at once.
private func plainMetrics(
    _ states: [SeriesState], _ summary: Pairs<SummaryValue>, named names: [String]?
) -> [MetricState] {
    guard !summary.isEmpty else {
        return states.map { MetricState(name: $0.name, series: $0, summary: nil, isUnstepped: false) }
    }
    var metrics = states.map {
        MetricState(name: $0.name, series: $0, summary: summary[$0.name], isUnstepped: false)
    }
    let known = Set(states.map(\.name))
    for (name, value) in summary.entries where !known.contains(name) && names?.contains(name) ?? true {
        metrics.append(MetricState(name: name, series: nil, summary: value, isUnstepped: false))
    }
    return metrics.sorted { precedes($0.name, $1.name) }
}

extension SeriesState {
    /// The state of a list of points; nil when it is empty.
    package init?(describing points: SeriesPoints, name: String, lane: LaneID = .plain) {
        guard points.count > 0 else { return nil }
        var state = SeriesState(
            name: name, lane: lane, count: points.count, nan: 0, infinite: 0, last: points[0], first: points[0],
            minimum: nil, maximum: nil, sum: 0, minStep: points[0].step, maxStep: points[0].step)
        for index in 0..<points.count {
            let point = points[index]
            if Latest.isLater(point, than: state.last) { state.last = point }
            if point.step < state.first.step { state.first = point }
            state.minStep = min(state.minStep, point.step)
            state.maxStep = max(state.maxStep, point.step)
            if point.value.isNaN {
                state.nan += 1
            } else if point.value.isInfinite {
                state.infinite += 1
            } else {
                state.minimum = min(state.minimum ?? point.value, point.value)
                state.maximum = max(state.maximum ?? point.value, point.value)
                state.sum += point.value
            }
        }
        self = state
    }
}

/// Names in the order of their UTF-8 bytes: the one order of every store.
package func precedes(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
}

extension SeriesPoints {
    /// In order of step, and of arrival within a step.
    package func inOrderOfStep(in range: PointRange = .all) -> SeriesPoints {
        let order = (0..<count).filter { range.from <= steps[$0] && steps[$0] <= range.to }
            .sorted { (steps[$0], $0) < (steps[$1], $1) }
        return SeriesPoints(order.map { self[$0] })
    }

    /// These points in buckets between two places on an axis; nil means their own ends.
    package func buckets(axis: Buckets.Axis, from: Int64?, to: Int64?, count: Int) -> [Bucket] {
        guard !isEmpty else { return [] }
        let places: [Int64] =
            switch axis {
            case .step: steps
            case .time: times
            case .relative(let start): times.map { $0 &- start }
            }
        guard let low = from ?? places.min(), let high = to ?? places.max(), low <= high else { return [] }
        var buckets = Buckets(axis: axis, from: low, to: high, count: count)
        buckets.add(self)
        return buckets.buckets
    }
}
