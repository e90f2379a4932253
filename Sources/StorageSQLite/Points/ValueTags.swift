/// How one double of a document is written: by a tag of four bits, and as few bytes as that needs.
///
/// The extremes of a series are mostly one of its own values, which the entry already says, or 32-bit floats, or short
/// decimals; so most columns cost four bytes or none.
enum ValueTag: UInt8 {
    case whole = 0
    /// A 32-bit float that widens to exactly this double.
    case float32
    /// 24 bits of integer over a power of ten: 0.9371, 12, -3.5.
    case decimal
    /// There is none.
    case absent
    case asLast, asFirst, asMinimum, asMaximum

    var byteCount: Int {
        switch self {
        case .whole: 8
        case .float32, .decimal: 4
        default: 0
        }
    }

    /// Writes a value, given those that the entry already said: last, first, minimum, maximum.
    static func write(
        _ value: Double?, knowing known: ArraySlice<Double?>, tags: inout [UInt8], bytes: inout [UInt8]
    ) {
        guard let value else { return tags.append(ValueTag.absent.rawValue) }
        if let same = known.firstIndex(where: { $0?.bitPattern == value.bitPattern }) {
            return tags.append(ValueTag.asLast.rawValue + UInt8(same))
        }
        if let decimal = decimalBits(of: value) {
            tags.append(ValueTag.decimal.rawValue)
            withUnsafeBytes(of: decimal.littleEndian) { bytes.append(contentsOf: $0) }
        } else if Double(Float(value)).bitPattern == value.bitPattern {
            tags.append(ValueTag.float32.rawValue)
            withUnsafeBytes(of: Float(value).bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        } else {
            tags.append(ValueTag.whole.rawValue)
            withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        }
    }

    /// The exponent in the low byte, the integer above it; nil where the quotient is not bit for bit the value.
    private static func decimalBits(of value: Double) -> UInt32? {
        guard value.isFinite, value.magnitude < 8_388_608 else { return nil }
        for exponent in 0...6 {
            let scaled = value * powersOfTen[exponent]
            guard scaled.magnitude < 8_388_607 else { return nil }
            // By way of the integer, which has no -0.
            let integer = Int32(scaled.rounded())
            if (Double(integer) / powersOfTen[exponent]).bitPattern == value.bitPattern {
                return UInt32(bitPattern: integer) << 8 | UInt32(exponent)
            }
        }
        return nil
    }

    static func decimal(_ bits: UInt32) -> Double? {
        let exponent = Int(bits & 0xFF)
        guard exponent < powersOfTen.count else { return nil }
        return Double(Int32(bitPattern: bits) >> 8) / powersOfTen[exponent]
    }
}

private let powersOfTen: [Double] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]

/// A column of such values: the tags, two to a byte, then the bytes.
struct TaggedValues {
    private let tags: UnsafeRawBufferPointer
    private let bytes: UnsafeRawBufferPointer

    init(_ reader: inout ColumnReader, count: Int) throws(SeriesDamage) {
        tags = try reader.bytes((count + 1) / 2)
        bytes = try reader.bytes(Int(clamping: try reader.varint()))
    }

    static func write(tags: [UInt8], bytes: [UInt8], into out: inout [UInt8]) {
        for index in stride(from: 0, to: tags.count, by: 2) {
            out.append(tags[index] | (index + 1 < tags.count ? tags[index + 1] << 4 : 0))
        }
        writeVarint(UInt64(bytes.count), into: &out)
        out.append(contentsOf: bytes)
    }

    /// A value of an entry, given those that the entry already said. Its bytes begin at `offset`, which moves behind them.
    func value(
        at index: Int, _ offset: inout Int,
        knowing known: (last: Double?, first: Double?, minimum: Double?, maximum: Double?)
    ) throws(SeriesDamage) -> Double? {
        guard let tag = ValueTag(rawValue: tag(at: index)) else { throw SeriesDamage("a value has an unknown tag") }
        let referred: Double?
        switch tag {
        case .absent: return nil
        case .asLast: referred = known.last
        case .asFirst: referred = known.first
        case .asMinimum: referred = known.minimum
        case .asMaximum: referred = known.maximum
        case .whole, .float32, .decimal:
            let start = offset
            offset += tag.byteCount
            guard start + tag.byteCount <= bytes.count else { throw SeriesDamage("a value lies behind its column") }
            if tag == .whole {
                let bits = bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)
                return Double(bitPattern: UInt64(littleEndian: bits))
            }
            let bits = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
            if tag == .float32 { return Double(Float(bitPattern: bits)) }
            guard let value = ValueTag.decimal(bits) else { throw SeriesDamage("a decimal has an unknown exponent") }
            return value
        }
        guard let referred else { throw SeriesDamage("a value refers to one that is not there") }
        return referred
    }

    private func tag(at index: Int) -> UInt8 { tags[index &>> 1] &>> UInt8((index & 1) &* 4) & 15 }

    /// Where the bytes of an entry begin: the lengths of those before it, added up.
    func offset(of index: Int) -> Int {
        var offset = 0
        for pair in 0..<index &>> 1 { offset &+= Int(pairLengths[Int(tags[pair])]) }
        if index & 1 == 1 { offset &+= Int(pairLengths[Int(tags[index &>> 1] & 15 | 0x30)]) }
        return offset
    }
}

/// The bytes that two tags need together, by the byte that holds them.
private let pairLengths: [UInt8] = (0..<256).map { pair in
    let low = ValueTag(rawValue: UInt8(pair & 15))?.byteCount ?? 0
    let high = ValueTag(rawValue: UInt8(pair >> 4))?.byteCount ?? 0
    return UInt8(low + high)
}
