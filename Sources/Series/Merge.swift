/// A series as it is read: its chunks, then what is still in the journal, in order of arrival.
///
/// Exact duplicates (step, time and value bit for bit) are removed, the first one staying: they are a client's retries.
/// Points of one step keep their order of arrival. Sorts, stably and by step, only if some step falls; a series that
/// was logged in order costs one look at its steps.
package func mergeSeries(chunks: consuming SeriesPoints, journal: SeriesPoints) -> SeriesPoints {
    guard let first = journal.steps.first, let last = chunks.steps.last else {
        return (journal.isEmpty ? chunks : journal).sortedByStep().withoutDuplicates()
    }
    guard last > first else {
        chunks.append(journal)
        return chunks.sortedByStep().withoutDuplicates()
    }
    // Late points are the rule after a retry or a resume: both parts are mostly in order and only overlap.
    return joined(chunks.sortedByStep(), journal.sortedByStep()).withoutDuplicates()
}

/// Two parts whose steps rise, as one; at equal steps all of `a` comes before all of `b`.
private func joined(_ a: SeriesPoints, _ b: SeriesPoints) -> SeriesPoints {
    var joined = SeriesPoints()
    joined.reserveCapacity(a.count + b.count)
    var (i, j) = (0, 0)
    while i < a.count, j < b.count {
        if b.steps[j] < a.steps[i] {
            joined.append(b[j])
            j += 1
        } else {
            let end = a.firstIndex(after: i, withStepAbove: b.steps[j])
            joined.append(a, in: i..<end)
            i = end
        }
    }
    joined.append(a, in: i..<a.count)
    joined.append(b, in: j..<b.count)
    return joined
}

extension SeriesPoints {
    /// Whether no step falls.
    package var stepsRise: Bool {
        steps.withUnsafeBufferPointer { steps in
            for index in stride(from: 1, to: steps.count, by: 1) where steps[index] < steps[index - 1] { return false }
            return true
        }
    }

    /// The first index behind `index` with a step above `step`; steps rise. It is looked for in doubling strides, since
    /// it is either near or, before the overlap begins, a million points away.
    fileprivate func firstIndex(after index: Int, withStepAbove step: Int64) -> Int {
        var (low, stride) = (index, 1)
        while low + stride < count, steps[low + stride] <= step {
            low += stride
            stride *= 2
        }
        var high = Swift.min(low + stride, count)
        low += 1
        while low < high {
            let middle = low + (high - low) / 2
            if steps[middle] > step { high = middle } else { low = middle + 1 }
        }
        return high
    }

    /// In order of step; points of one step keep their order.
    func sortedByStep() -> SeriesPoints {
        guard !stepsRise else { return self }
        let order = steps.withUnsafeBufferPointer { steps in
            steps.indices.sorted { steps[$0] != steps[$1] ? steps[$0] < steps[$1] : $0 < $1 }
        }
        return SeriesPoints(
            steps: order.map { steps[$0] }, times: order.map { times[$0] }, values: order.map { values[$0] })
    }

    /// Without exact duplicates; the steps must rise, so that duplicates have neighbours of their step.
    func withoutDuplicates() -> SeriesPoints {
        let doomed = duplicates()
        guard !doomed.isEmpty else { return self }
        var kept = SeriesPoints()
        kept.reserveCapacity(count - doomed.count)
        var from = 0
        for index in doomed {
            kept.append(self, in: from..<index)
            from = index + 1
        }
        kept.append(self, in: from..<count)
        return kept
    }

    /// The points that are not the first of their kind, in order.
    private func duplicates() -> [Int] {
        var doomed: [Int] = []
        steps.withUnsafeBufferPointer { steps in
            var start = 0
            while start < steps.count {
                var end = start + 1
                while end < steps.count, steps[end] == steps[start] { end += 1 }
                if end - start > 1 { appendDuplicates(of: start..<end, to: &doomed) }
                start = end
            }
        }
        return doomed
    }

    /// Finds the duplicates among the points of one step.
    private func appendDuplicates(of range: Range<Int>, to doomed: inout [Int]) {
        guard range.count > 8 else {
            for index in range.dropFirst() {
                let point = self[index]
                if (range.lowerBound..<index).contains(where: { self[$0] == point }) { doomed.append(index) }
            }
            return
        }
        // A series whose points all share one step would take the square of its length without a set.
        var seen = Set<Point>(minimumCapacity: range.count)
        for index in range where !seen.insert(self[index]).inserted { doomed.append(index) }
    }
}
