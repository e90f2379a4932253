/// The columns of a series while they are filled, for a reader that knows beforehand how many points will come.
///
/// Decoders write into memory that is not theirs to resize: there is room for so many points and no more.
package struct PointColumns: ~Copyable {
    private let steps: UnsafeMutableBufferPointer<Int64>
    private let times: UnsafeMutableBufferPointer<Int64>
    private let values: UnsafeMutableBufferPointer<Double>
    package private(set) var count = 0

    fileprivate init(
        _ steps: UnsafeMutableBufferPointer<Int64>, _ times: UnsafeMutableBufferPointer<Int64>,
        _ values: UnsafeMutableBufferPointer<Double>
    ) {
        (self.steps, self.times, self.values) = (steps, times, values)
    }

    /// Lends the room for so many points more; they are there if `fill` does not throw.
    mutating func append(
        _ more: Int,
        _ fill: (
            UnsafeMutablePointer<Int64>, UnsafeMutablePointer<Int64>, UnsafeMutablePointer<Double>
        ) throws(SeriesError) -> Void
    ) throws(SeriesError) {
        guard more > 0 else { return }
        guard more <= steps.count - count, let step = steps.baseAddress, let time = times.baseAddress,
            let value = values.baseAddress
        else { throw .tooLarge("points", UInt64(count + more), most: steps.count) }
        try fill(step + count, time + count, value + count)
        count += more
    }

    /// Of the last so many points, keeps those with a step in the range; their steps rise.
    package mutating func keepLast(_ last: Int, in range: ClosedRange<Int64>) {
        let start = count - last
        var kept = start
        for index in start..<count where range.contains(steps[index]) {
            (steps[kept], times[kept], values[kept]) = (steps[index], times[index], values[index])
            kept += 1
        }
        count = kept
    }
}

extension SeriesPoints {
    /// The points that `fill` appends, at most so many.
    package init<Failure: Error>(
        room: Int, _ fill: (inout PointColumns) throws(Failure) -> Void
    ) throws(Failure) {
        var failure: Failure?
        var (times, values): ([Int64], [Double]) = ([], [])
        let steps = [Int64](unsafeUninitializedCapacity: room) { steps, stepsFilled in
            times = [Int64](unsafeUninitializedCapacity: room) { times, timesFilled in
                values = [Double](unsafeUninitializedCapacity: room) { values, valuesFilled in
                    var columns = PointColumns(
                        UnsafeMutableBufferPointer(rebasing: steps[..<room]),
                        UnsafeMutableBufferPointer(rebasing: times[..<room]),
                        UnsafeMutableBufferPointer(rebasing: values[..<room]))
                    do throws(Failure) { try fill(&columns) } catch { failure = error }
                    (stepsFilled, timesFilled, valuesFilled) = (columns.count, columns.count, columns.count)
                }
            }
        }
        if let failure { throw failure }
        self.init(steps: steps, times: times, values: values)
    }
}
