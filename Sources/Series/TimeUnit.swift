/// Times are kept in the coarsest unit that holds all of them exactly: a client that logs milliseconds pays for those.
enum TimeUnit: UInt8 {
    case microseconds = 0, milliseconds, seconds

    var microseconds: Int64 {
        switch self {
        case .microseconds: 1
        case .milliseconds: 1000
        case .seconds: 1_000_000
        }
    }

    /// Writes the times in this unit, or returns false if it does not hold one of them exactly.
    func scale(_ times: UnsafeBufferPointer<Int64>, into scaled: UnsafeMutableBufferPointer<Int64>) -> Bool {
        // A division by a number that is known here is a multiplication; by one that is not it costs ten times as much.
        switch self {
        case .microseconds: false
        case .milliseconds:
            Self.scale(times, into: scaled) {
                $0 / 1000
            } back: {
                $0 &* 1000
            }
        case .seconds:
            Self.scale(times, into: scaled) {
                $0 / 1_000_000
            } back: {
                $0 &* 1_000_000
            }
        }
    }

    @inline(__always)
    private static func scale(
        _ times: UnsafeBufferPointer<Int64>, into scaled: UnsafeMutableBufferPointer<Int64>,
        _ there: (Int64) -> Int64, back: (Int64) -> Int64
    ) -> Bool {
        for index in 0..<times.count {
            let time = there(times[index])
            guard back(time) == times[index] else { return false }
            scaled.initializeElement(at: index, to: time)
        }
        return true
    }
}

/// A column of times: the unit, then packed integers.
enum TimeColumn {
    static func encode(_ times: UnsafeBufferPointer<Int64>, into writer: inout ByteWriter) {
        guard !times.isEmpty else { return }
        let isScaled = withUnsafeTemporaryAllocation(of: Int64.self, capacity: times.count) { scaled in
            for unit in [TimeUnit.seconds, .milliseconds] where unit.scale(times, into: scaled) {
                writer.put(unit.rawValue)
                PackedIntegers.encode(UnsafeBufferPointer(scaled), into: &writer)
                return true
            }
            return false
        }
        guard !isScaled else { return }
        writer.put(TimeUnit.microseconds.rawValue)
        PackedIntegers.encode(times, into: &writer)
    }

    static func decode(
        _ reader: inout ByteReader, count: Int, into target: UnsafeMutablePointer<Int64>
    ) throws(SeriesError) {
        guard count > 0 else { return }
        let rawUnit = try reader.byte()
        guard let unit = TimeUnit(rawValue: rawUnit) else { throw .damaged("There is no unit of time \(rawUnit).") }
        try PackedIntegers.decode(&reader, count: count, times: unit.microseconds, into: target)
    }

    static func decode(_ reader: inout ByteReader, count: Int) throws(SeriesError) -> [Int64] {
        var failure: SeriesError?
        let times = [Int64](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let base = buffer.baseAddress else { return }
            do throws(SeriesError) {
                try decode(&reader, count: count, into: base)
                initialized = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return times
    }
}
