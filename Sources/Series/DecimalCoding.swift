/// Numbers that a person would write with few digits, as integers divided by a power of ten.
///
/// After ALP (Afroozeh, Kuffó and Boncz, 2023): the exponent is chosen from a sample, every number is tried, and
/// those that would not come back bit for bit (NaN, infinities, -0.0, longer fractions) are kept apart as exceptions.
/// Division by a power of ten up to 10^10 is correctly rounded, so a decimal that was parsed from text comes back
/// exactly.
struct DecimalCoding {
    private let exponent: Int
    private let integers: [Int64]
    private let exceptions: [Int32]
    private let plan: PackedIntegers.Plan

    static let exponentMax = 10
    static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10]

    /// 1.5 x 2^52: added to a number under 2^51, it leaves the nearest integer in the low bits of the sum.
    private static let rounding = 6_755_399_441_055_744.0

    /// Nil if the numbers are not decimals, or if something else writes them in `cost` bytes or fewer.
    init?(_ values: UnsafeBufferPointer<Double>, cheaperThan cost: Int) {
        guard let exponent = Self.sampledExponent(values) else { return nil }
        let power = Self.powers[exponent]
        let count = values.count
        let exceptionsMax = count / 10
        var exceptions: [Int32] = []
        var failed = false
        integers = [Int64](unsafeUninitializedCapacity: count) { buffer, initialized in
            var before: Int64 = 0
            for index in 0..<count {
                let value = values[index]
                let integer = Self.integer(value, power)
                if (Double(integer) / power).bitPattern == value.bitPattern {
                    before = integer
                } else {
                    exceptions.append(Int32(truncatingIfNeeded: index))
                    if exceptions.count > exceptionsMax {
                        failed = true
                        return
                    }
                }
                // An exception repeats its neighbour, so that it does not widen its miniblock.
                buffer[index] = before
            }
            initialized = count
        }
        if failed { return nil }
        plan = integers.withUnsafeBufferPointer { PackedIntegers.plan($0) }
        guard plan.cost + exceptions.count * 9 + 2 < cost else { return nil }
        self.exponent = exponent
        self.exceptions = exceptions
    }

    func encode(_ values: UnsafeBufferPointer<Double>, into writer: inout ByteWriter) {
        writer.put(UInt8(exponent))
        writer.putVarint(exceptions.count)
        var before: Int32 = 0
        for index in exceptions {
            writer.putVarint(Int(index - before))
            writer.put(values[Int(index)].bitPattern)
            before = index
        }
        integers.withUnsafeBufferPointer { PackedIntegers.encode($0, as: plan, into: &writer) }
    }

    static func decode(
        _ reader: inout ByteReader, count: Int, into target: UnsafeMutablePointer<Double>
    ) throws(SeriesError) {
        let exponent = Int(try reader.byte())
        guard exponent <= exponentMax else { throw .damaged("A decimal column has the exponent \(exponent).") }
        let exceptionCount = try reader.count(of: "exceptions", most: count)
        var patches = reader
        for _ in 0..<exceptionCount {
            _ = try reader.varint()
            _ = try reader.bytes(8)
        }
        try ValueColumn.withIntegers(target, count: count) { integers throws(SeriesError) in
            try PackedIntegers.decode(&reader, count: count, into: integers)
        }
        let power = powers[exponent]
        let raw = UnsafeMutableRawPointer(target)
        if exponent == 0 {
            for index in 0..<count {
                let integer = raw.load(fromByteOffset: index &* 8, as: Int64.self)
                raw.storeBytes(of: Double(integer), toByteOffset: index &* 8, as: Double.self)
            }
        } else {
            for index in 0..<count {
                let integer = raw.load(fromByteOffset: index &* 8, as: Int64.self)
                raw.storeBytes(of: Double(integer) / power, toByteOffset: index &* 8, as: Double.self)
            }
        }
        var at = 0
        for _ in 0..<exceptionCount {
            let skipped = try patches.varint()
            guard skipped < UInt64(count), at + Int(skipped) < count else {
                throw .damaged("An exception lies outside of its \(count) values.")
            }
            at += Int(skipped)
            target[at] = Double(bitPattern: try patches.word64())
        }
    }

    /// The nearest integer to `value` x `power` if that is under 2^51, else some integer that will fail the comparison.
    @inline(__always)
    private static func integer(_ value: Double, _ power: Double) -> Int64 {
        let sum = value * power + rounding
        return Int64(bitPattern: sum.bitPattern &- rounding.bitPattern)
    }

    /// The smallest exponent with which at least 95 % of a sample comes back exactly.
    private static func sampledExponent(_ values: UnsafeBufferPointer<Double>) -> Int? {
        let count = values.count
        let samples = min(count, 64)
        let failuresMax = samples / 20
        for exponent in 0...exponentMax {
            let power = powers[exponent]
            var failures = 0
            for sample in 0..<samples {
                let value = values[sample &* count / samples]
                if (Double(integer(value, power)) / power).bitPattern != value.bitPattern {
                    failures += 1
                    if failures > failuresMax { break }
                }
            }
            if failures <= failuresMax { return exponent }
        }
        return nil
    }
}
