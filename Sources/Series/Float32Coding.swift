/// Doubles that are all 32-bit floats, as the integers of the floats' bit patterns.
///
/// Neighbours of one size share sign and exponent, so their patterns lie close together and pack into the bits of the
/// fraction that differ. Where signs are mixed, the sign moves to the lowest bit: else a series around zero would need
/// all 32.
struct Float32Coding {
    private let integers: [Int64]
    private let isRotated: Bool
    private let plan: PackedIntegers.Plan

    /// Bytes that `encode` will take, within a few.
    let cost: Int

    /// Nil if one of the values would not come back bit for bit.
    init?(_ values: UnsafeBufferPointer<Double>) {
        let count = values.count
        var exact = true
        var anySign: UInt32 = 0
        var allSigns: UInt32 = 1
        var integers = [Int64](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0..<count {
                let value = values[index]
                let float = Float(value)
                // A NaN is compared by its bits: a payload that a float cannot hold must not be lost.
                guard Double(float).bitPattern == value.bitPattern else {
                    exact = false
                    return
                }
                let sign = float.bitPattern &>> 31
                anySign |= sign
                allSigns &= sign
                buffer[index] = Int64(float.bitPattern)
            }
            initialized = count
        }
        guard exact else { return nil }
        isRotated = anySign != allSigns
        if isRotated {
            for index in integers.indices {
                let bits = UInt32(truncatingIfNeeded: integers[index])
                integers[index] = Int64(bits &<< 1 | bits &>> 31)
            }
        }
        self.integers = integers
        plan = integers.withUnsafeBufferPointer { PackedIntegers.plan($0) }
        cost = plan.cost + 1
    }

    func encode(into writer: inout ByteWriter) {
        writer.put(isRotated ? 1 : 0 as UInt8)
        integers.withUnsafeBufferPointer { PackedIntegers.encode($0, as: plan, into: &writer) }
    }

    static func decode(
        _ reader: inout ByteReader, count: Int, into target: UnsafeMutablePointer<Double>
    ) throws(SeriesError) {
        let rotated = try reader.byte()
        guard rotated <= 1 else { throw .damaged("A float column has the flags \(rotated).") }
        try ValueColumn.withIntegers(target, count: count) { integers throws(SeriesError) in
            try PackedIntegers.decode(&reader, count: count, into: integers)
        }
        let raw = UnsafeMutableRawPointer(target)
        if rotated == 1 {
            for index in 0..<count {
                let integer = raw.load(fromByteOffset: index &* 8, as: Int64.self)
                let bits = UInt32(truncatingIfNeeded: integer)
                let float = Float(bitPattern: bits &>> 1 | bits &<< 31)
                raw.storeBytes(of: Double(float), toByteOffset: index &* 8, as: Double.self)
            }
        } else {
            for index in 0..<count {
                let integer = raw.load(fromByteOffset: index &* 8, as: Int64.self)
                let float = Float(bitPattern: UInt32(truncatingIfNeeded: integer))
                raw.storeBytes(of: Double(float), toByteOffset: index &* 8, as: Double.self)
            }
        }
    }
}
