import MartletSeries

/// A column of integers of which any one is read without the others: a line, and each number's distance above it.
///
///     base and slope (zigzag), width in bits, then `width` bits a number
///
/// Sorted ids, equal steps and times of one moment lie near a line, so a column mostly costs a few bits a number.
struct PackedColumn {
    private let base: Int64
    private let slope: Int64
    private let width: Int
    private let bits: UnsafeRawBufferPointer

    subscript(index: Int) -> Int64 {
        let onLine = base &+ slope &* Int64(truncatingIfNeeded: index)
        guard width > 0 else { return onLine }
        let start = index &* width
        let (byte, shift) = (start &>> 3, start & 7)
        guard width <= 56, byte &+ 8 <= bits.count, let memory = bits.baseAddress else {
            return onLine &+ Int64(bitPattern: distance(from: byte, shift))
        }
        let word = UInt64(littleEndian: memory.loadUnaligned(fromByteOffset: byte, as: UInt64.self))
        let mask = UInt64.max &>> UInt64(truncatingIfNeeded: 64 &- width)
        return onLine &+ Int64(bitPattern: word &>> UInt64(truncatingIfNeeded: shift) & mask)
    }

    /// Byte by byte: for the last numbers of a column, behind which no whole word lies, and for wide ones.
    private func distance(from first: Int, _ shift: Int) -> UInt64 {
        var (distance, byte, taken): (UInt64, Int, Int) = (0, first, -shift)
        while taken < width {
            let part = UInt64(bits[byte])
            distance |= taken < 0 ? part &>> UInt64(shift) : part &<< UInt64(taken)
            taken &+= 8
            byte &+= 1
        }
        return width == 64 ? distance : distance & (UInt64.max &>> UInt64(64 &- width))
    }

    init(_ reader: inout ColumnReader, count: Int) throws(SeriesDamage) {
        base = try reader.zigzag()
        slope = try reader.zigzag()
        width = Int(try reader.byte())
        guard width <= 64 else { throw SeriesDamage("a column is \(width) bits wide") }
        bits = try reader.bytes((count * width + 7) / 8)
    }

    static func write(_ numbers: [Int64], into out: inout [UInt8]) {
        var slope: Int64 = 0
        if numbers.count > 1, let first = numbers.first, let last = numbers.last {
            let (span, overflow) = last.subtractingReportingOverflow(first)
            if !overflow { slope = span / Int64(numbers.count - 1) }
        }
        var low = Int64.max
        for (index, number) in numbers.enumerated() { low = min(low, number &- slope &* Int64(index)) }
        // Only a line that wraps around could put a number below it; then no line is used.
        var widest: UInt64 = 0
        for (index, number) in numbers.enumerated() {
            widest |= UInt64(bitPattern: number &- slope &* Int64(index) &- low)
        }
        let width = 64 - widest.leadingZeroBitCount
        writeZigzag(numbers.isEmpty ? 0 : low, into: &out)
        writeZigzag(slope, into: &out)
        out.append(UInt8(width))
        var pending: UInt64 = 0
        var filled = 0
        for (index, number) in numbers.enumerated() where width > 0 {
            var distance = UInt64(bitPattern: number &- slope &* Int64(index) &- low)
            var left = width
            while left > 0 {
                let part = min(left, 8 - filled)
                pending |= (distance & ((1 << UInt64(part)) - 1)) << UInt64(filled)
                distance = distance &>> UInt64(part)
                filled += part
                left -= part
                if filled == 8 {
                    out.append(UInt8(pending))
                    (pending, filled) = (0, 0)
                }
            }
        }
        if filled > 0 { out.append(UInt8(pending)) }
    }
}

/// Why a document could not be read, in words.
struct SeriesDamage: Error {
    var words: String
    init(_ words: String) { self.words = words }
}

func writeVarint(_ number: UInt64, into out: inout [UInt8]) {
    var rest = number
    while rest >= 0x80 {
        out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
    }
    out.append(UInt8(truncatingIfNeeded: rest))
}

func writeZigzag(_ number: Int64, into out: inout [UInt8]) {
    writeVarint(UInt64(bitPattern: number &<< 1 ^ number &>> 63), into: &out)
}

/// Reads a document from front to back and never past its end. It borrows the memory.
struct ColumnReader {
    private let all: UnsafeRawBufferPointer
    private var at = 0

    init(_ bytes: UnsafeRawBufferPointer) { all = bytes }

    mutating func byte() throws(SeriesDamage) -> UInt8 {
        guard at < all.count else { throw SeriesDamage("it ends too early") }
        defer { at += 1 }
        return all[at]
    }

    mutating func bytes(_ count: Int) throws(SeriesDamage) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= all.count - at else { throw SeriesDamage("it ends too early") }
        defer { at += count }
        return UnsafeRawBufferPointer(rebasing: all[at..<at + count])
    }

    mutating func varint() throws(SeriesDamage) -> UInt64 {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = UInt64(try byte())
            guard shift < 63 || next <= 1 else { throw SeriesDamage("a number has more than 64 bits") }
            number |= (next & 0x7F) &<< shift
            if next < 0x80 { return number }
            shift += 7
        }
    }

    mutating func zigzag() throws(SeriesDamage) -> Int64 {
        let number = try varint()
        return Int64(bitPattern: number &>> 1) ^ -Int64(bitPattern: number & 1)
    }

    func finish() throws(SeriesDamage) {
        guard at == all.count else { throw SeriesDamage("\(all.count - at) bytes are left over") }
    }
}
