/// A column of 64-bit integers: differences or plain values, packed to the bits that each 128 of them need.
///
/// The shape of Parquet's DELTA_BINARY_PACKED and of frame-of-reference coding (Zukowski et al., 2006): in a
/// miniblock of 128 the smallest number is stored once and the others as distances from it, all at the width of the
/// largest distance. An outlier widens only its own 128. All arithmetic wraps, so `Int64.min` beside `Int64.max`
/// survives.
///
///     one number:   zigzag
///     more:         mode, then
///       0 even      first, difference                  steps 0, 1, 2 … of any length are three bytes
///       1 plain     { smallest, width, bits } per 128
///       2 delta     first, { smallest, width, bits } per 128 differences
enum PackedIntegers {
    static let miniblock = 128

    fileprivate enum Mode: UInt8 { case even = 0, plain, delta }

    /// How a column is best written, and what it costs; made once, then written or dropped for a cheaper column.
    struct Plan {
        fileprivate var mode: Mode
        fileprivate var blocks: [(smallest: Int64, width: UInt8)]
        /// Bytes that `encode` will take, within a few.
        var cost: Int
    }

    static func plan(_ numbers: UnsafeBufferPointer<Int64>) -> Plan {
        let count = numbers.count
        guard count > 1 else { return Plan(mode: .even, blocks: [], cost: count * 6) }
        if isEven(numbers) { return Plan(mode: .even, blocks: [], cost: 8) }
        var plain: [(smallest: Int64, width: UInt8)] = []
        var delta: [(smallest: Int64, width: UInt8)] = []
        plain.reserveCapacity(count / miniblock + 1)
        delta.reserveCapacity(count / miniblock + 1)
        var plainBits = 0
        var deltaBits = 0
        var start = 0
        while start < count {
            let end = min(start + miniblock, count)
            var (low, high) = (numbers[start], numbers[start])
            for index in start + 1..<end {
                let number = numbers[index]
                low = number < low ? number : low
                high = number > high ? number : high
            }
            plain.append((low, width(from: low, to: high)))
            plainBits += Int(width(from: low, to: high)) * (end - start) + 8 + bits(ofZigzag: low)
            start = end
        }
        start = 1
        while start < count {
            let end = min(start + miniblock, count)
            var before = numbers[start]
            var low = before &- numbers[start - 1]
            var high = low
            for index in start + 1..<end {
                let number = numbers[index]
                let difference = number &- before
                before = number
                low = difference < low ? difference : low
                high = difference > high ? difference : high
            }
            delta.append((low, width(from: low, to: high)))
            deltaBits += Int(width(from: low, to: high)) * (end - start) + 8 + bits(ofZigzag: low)
            start = end
        }
        deltaBits += bits(ofZigzag: numbers[0])
        return deltaBits < plainBits
            ? Plan(mode: .delta, blocks: delta, cost: deltaBits / 8 + delta.count + 2)
            : Plan(mode: .plain, blocks: plain, cost: plainBits / 8 + plain.count + 1)
    }

    static func encode(_ numbers: UnsafeBufferPointer<Int64>, into writer: inout ByteWriter) {
        encode(numbers, as: plan(numbers), into: &writer)
    }

    static func encode(_ numbers: [Int64], into writer: inout ByteWriter) {
        numbers.withUnsafeBufferPointer { encode($0, into: &writer) }
    }

    static func encode(_ numbers: UnsafeBufferPointer<Int64>, as plan: Plan, into writer: inout ByteWriter) {
        let count = numbers.count
        guard count > 1, let base = numbers.baseAddress else {
            if let only = numbers.first { writer.putZigzag(only) }
            return
        }
        writer.put(plan.mode.rawValue)
        switch plan.mode {
        case .even:
            writer.putZigzag(base[0])
            writer.putZigzag(base[1] &- base[0])
        case .plain:
            var start = 0
            for block in plan.blocks {
                let length = min(miniblock, count - start)
                writer.putZigzag(block.smallest)
                writer.put(block.width)
                let from = base + start
                writer.put(count: (length * Int(block.width) + 7) / 8) { target in
                    BitPacking.pack(count: length, width: Int(block.width), into: target) { index in
                        UInt64(bitPattern: from[index] &- block.smallest)
                    }
                }
                start += length
            }
        case .delta:
            writer.putZigzag(base[0])
            var start = 1
            for block in plan.blocks {
                let length = min(miniblock, count - start)
                writer.putZigzag(block.smallest)
                writer.put(block.width)
                let from = base + start
                writer.put(count: (length * Int(block.width) + 7) / 8) { target in
                    BitPacking.pack(count: length, width: Int(block.width), into: target) { index in
                        UInt64(bitPattern: from[index] &- from[index - 1] &- block.smallest)
                    }
                }
                start += length
            }
        }
    }

    /// Reads `count` numbers, each times `factor`, into `target`, which has room for them.
    static func decode(
        _ reader: inout ByteReader, count: Int, times factor: Int64 = 1, into target: UnsafeMutablePointer<Int64>
    ) throws(SeriesError) {
        guard count > 1 else {
            if count == 1 { target[0] = try reader.zigzag() &* factor }
            return
        }
        let rawMode = try reader.byte()
        guard let mode = Mode(rawValue: rawMode) else { throw .damaged("There is no integer coding \(rawMode).") }
        switch mode {
        case .even:
            var number = try reader.zigzag() &* factor
            let difference = try reader.zigzag() &* factor
            for index in 0..<count {
                target[index] = number
                number &+= difference
            }
        case .plain:
            var start = 0
            while start < count {
                let length = min(miniblock, count - start)
                let smallest = try reader.zigzag()
                let to = target + start
                try unpackBlock(&reader, length: length) { index, number in
                    to[index] = (Int64(bitPattern: number) &+ smallest) &* factor
                }
                start += length
            }
        case .delta:
            var number = try reader.zigzag()
            target[0] = number &* factor
            var start = 1
            while start < count {
                let length = min(miniblock, count - start)
                let smallest = try reader.zigzag()
                let to = target + start
                try unpackBlock(&reader, length: length) { index, difference in
                    number &+= Int64(bitPattern: difference) &+ smallest
                    to[index] = number &* factor
                }
                start += length
            }
        }
    }

    static func decode(_ reader: inout ByteReader, count: Int) throws(SeriesError) -> [Int64] {
        var failure: SeriesError?
        let numbers = [Int64](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let base = buffer.baseAddress else { return }
            do throws(SeriesError) {
                try decode(&reader, count: count, into: base)
                initialized = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return numbers
    }

    /// Reads the width and the packed bits of one miniblock, which must be there.
    @inline(__always)
    private static func unpackBlock(
        _ reader: inout ByteReader, length: Int, _ body: (Int, UInt64) -> Void
    ) throws(SeriesError) {
        let width = Int(try reader.byte())
        guard width <= 64 else { throw .damaged("A miniblock is \(width) bits wide.") }
        let ahead = reader.ahead
        _ = try reader.bytes((length * width + 7) / 8)
        BitPacking.unpack(ahead, count: length, width: width, body)
    }

    private static func isEven(_ numbers: UnsafeBufferPointer<Int64>) -> Bool {
        let difference = numbers[1] &- numbers[0]
        for index in 1..<numbers.count where numbers[index] &- numbers[index - 1] != difference { return false }
        return true
    }

    private static func width(from low: Int64, to high: Int64) -> UInt8 {
        UInt8(64 - UInt64(bitPattern: high &- low).leadingZeroBitCount)
    }

    private static func bits(ofZigzag number: Int64) -> Int {
        let magnitude = UInt64(bitPattern: number &<< 1 ^ number &>> 63)
        return max(1, (64 - magnitude.leadingZeroBitCount + 6) / 7) * 8
    }
}
