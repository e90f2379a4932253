/// A column of doubles, written by whichever coding suits the numbers and read back bit for bit.
///
///     kind, then
///       raw       8 bytes each
///       constant  its first bytes, up to the last that is not zero; how many is in the kind's upper half
///       decimal   integers and the power of ten they are divided by          accuracy 0.9371, counters
///       float32   the bit patterns of 32-bit floats as integers              what most training code logs
///       smooth    differences of the bit patterns                            schedules, moving averages
///       shuffled  the first bytes of all numbers, then the second … in zstd  everything else
///
/// Chosen in that order of cheapness; XOR coding (Gorilla) was measured and was never the smallest.
enum ValueColumn {
    enum Kind: UInt8 { case raw = 0, constant, decimal, float32, smooth, shuffled }

    /// Writes the column; `rawBelow` is the length under which coding is not tried, since a short column in a journal
    /// row is worth more as speed than as bytes.
    static func encode(_ values: UnsafeBufferPointer<Double>, rawBelow: Int = 64, into writer: inout ByteWriter) {
        _ = encode(values, rawBelow: rawBelow, mayShuffle: true, into: &writer)
    }

    static func encode(
        _ values: UnsafeBufferPointer<Double>, rawBelow: Int, mayShuffle: Bool, into writer: inout ByteWriter
    ) -> Kind {
        guard let first = values.first else { return .raw }
        if isConstant(values) {
            encodeConstant(first.bitPattern, into: &writer)
            return .constant
        }
        if values.count >= rawBelow {
            let float32 = Float32Coding(values)
            let decimal = DecimalCoding(values, cheaperThan: float32?.cost ?? values.count * 8)
            if let decimal {
                writer.put(Kind.decimal.rawValue)
                decimal.encode(values, into: &writer)
                return .decimal
            }
            if let float32, float32.cost < values.count * 8 {
                writer.put(Kind.float32.rawValue)
                float32.encode(into: &writer)
                return .float32
            }
            let smooth = SmoothCoding(values)
            let size = values.count * 8
            // A curve that already fits in a quarter is not worth zstd's time.
            let planes = mayShuffle && smooth.cost > size / 4 ? ShuffleCoding.encode(values) : nil
            if smooth.cost + 8 < min(planes?.count ?? size, size - size / 16) {
                writer.put(Kind.smooth.rawValue)
                smooth.encode(into: &writer)
                return .smooth
            }
            if let planes {
                writer.put(Kind.shuffled.rawValue)
                writer.putVarint(planes.count)
                writer.put(planes)
                return .shuffled
            }
        }
        writer.put(Kind.raw.rawValue)
        writer.put(UnsafeRawBufferPointer(values))
        return .raw
    }

    /// Reads `count` values into `target`, which has room for them.
    static func decode(
        _ reader: inout ByteReader, count: Int, into target: UnsafeMutablePointer<Double>
    ) throws(SeriesError) {
        guard count > 0 else { return }
        let rawKind = try reader.byte()
        guard let kind = Kind(rawValue: rawKind & 15), kind == .constant ? rawKind >> 4 <= 8 : rawKind < 16 else {
            throw .damaged("There is no value coding \(rawKind).")
        }
        switch kind {
        case .raw:
            let bytes = try reader.bytes(count * 8)
            UnsafeMutableRawBufferPointer(start: target, count: count * 8).copyMemory(from: bytes)
        case .constant:
            let bits = try decodeConstant(&reader, length: Int(rawKind >> 4))
            target.update(repeating: Double(bitPattern: bits), count: count)
        case .decimal:
            try DecimalCoding.decode(&reader, count: count, into: target)
        case .float32:
            try Float32Coding.decode(&reader, count: count, into: target)
        case .smooth:
            try SmoothCoding.decode(&reader, count: count, into: target)
        case .shuffled:
            let length = try reader.count(of: "bytes of values", most: reader.remaining)
            try ShuffleCoding.decode(try reader.bytes(length), count: count, into: target)
        }
    }

    static func decode(_ reader: inout ByteReader, count: Int) throws(SeriesError) -> [Double] {
        var failure: SeriesError?
        let values = [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let base = buffer.baseAddress else { return }
            do throws(SeriesError) {
                try decode(&reader, count: count, into: base)
                initialized = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return values
    }

    /// Highest byte first; 0.5 is two bytes, a 32-bit float five at most.
    private static func encodeConstant(_ bits: UInt64, into writer: inout ByteWriter) {
        let length = 8 - bits.trailingZeroBitCount / 8
        writer.put(Kind.constant.rawValue | UInt8(length) << 4)
        for index in 0..<length { writer.put(UInt8(truncatingIfNeeded: bits >> (56 - 8 * UInt64(index)))) }
    }

    private static func decodeConstant(_ reader: inout ByteReader, length: Int) throws(SeriesError) -> UInt64 {
        var bits: UInt64 = 0
        for index in 0..<length { bits |= UInt64(try reader.byte()) << (56 - 8 * UInt64(index)) }
        return bits
    }

    private static func isConstant(_ values: UnsafeBufferPointer<Double>) -> Bool {
        let first = values[0].bitPattern
        for value in values where value.bitPattern != first { return false }
        return true
    }

    /// The memory of `count` doubles, seen as integers while a coding unpacks into it.
    ///
    /// Doubles and 64-bit integers are alike in size and alignment and are trivial, and the integers are gone when the
    /// closure returns.
    static func withIntegers(
        _ target: UnsafeMutablePointer<Double>, count: Int,
        _ body: (UnsafeMutablePointer<Int64>) throws(SeriesError) -> Void
    ) throws(SeriesError) {
        let raw = UnsafeMutableRawPointer(target)
        let integers = raw.bindMemory(to: Int64.self, capacity: count)
        defer { _ = raw.bindMemory(to: Double.self, capacity: count) }
        try body(integers)
    }
}
