/// Doubles of full precision that follow a curve: a learning rate's schedule, a moving average.
///
/// The bit patterns of positive doubles are ordered as the doubles are, so on a smooth curve the differences between
/// neighbouring patterns change little, and the packed integers take the differences of those once more where that is
/// smaller. A cosine over a million steps takes 0.8 bytes a point, where byte planes and zstd take 4.8.
struct SmoothCoding {
    private let differences: [Int64]
    private let plan: PackedIntegers.Plan

    /// Bytes that `encode` will take, within a few.
    var cost: Int { plan.cost }

    init(_ values: UnsafeBufferPointer<Double>) {
        let count = values.count
        differences = [Int64](unsafeUninitializedCapacity: count) { buffer, initialized in
            var before: Int64 = 0
            for index in 0..<count {
                let bits = Int64(bitPattern: values[index].bitPattern)
                buffer[index] = bits &- before
                before = bits
            }
            initialized = count
        }
        // The first difference is the first pattern itself; alone it would widen its whole miniblock.
        plan = differences.withUnsafeBufferPointer {
            PackedIntegers.plan(UnsafeBufferPointer(rebasing: $0.dropFirst()))
        }
    }

    func encode(into writer: inout ByteWriter) {
        writer.put(UInt64(bitPattern: differences[0]))
        differences.withUnsafeBufferPointer {
            PackedIntegers.encode(UnsafeBufferPointer(rebasing: $0.dropFirst()), as: plan, into: &writer)
        }
    }

    static func decode(
        _ reader: inout ByteReader, count: Int, into target: UnsafeMutablePointer<Double>
    ) throws(SeriesError) {
        var bits = Int64(bitPattern: try reader.word64())
        try ValueColumn.withIntegers(target, count: count) { integers throws(SeriesError) in
            integers[0] = bits
            try PackedIntegers.decode(&reader, count: count - 1, into: integers + 1)
        }
        let raw = UnsafeMutableRawPointer(target)
        for index in 1..<max(count, 1) {
            bits &+= raw.load(fromByteOffset: index &* 8, as: Int64.self)
            raw.storeBytes(of: bits, toByteOffset: index &* 8, as: Int64.self)
        }
    }
}
