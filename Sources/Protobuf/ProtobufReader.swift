// Protobuf's wire format, read field by field: spans and other trackers' events come in it. What a message means is left
// to the rooms that know it, and nothing is written here.
package import MartletDomain

/// Reads protobuf's wire format, as far as OpenTelemetry's messages and TensorBoard's events need it. Every length is
/// checked against what is there before anything is taken, and what a message does not know is passed over.
package struct ProtobufReader {
    package enum Wire: UInt8, Sendable {
        case varint = 0
        case fixed64 = 1
        case bytes = 2
        case fixed32 = 5
    }

    private let bytes: [UInt8]
    private var at: Int
    private let end: Int
    private let damaged: Refusal

    /// `damaged` is thrown where the message is cut off or makes no sense.
    package init(_ bytes: [UInt8], damaged: Refusal) {
        (self.bytes, at, end, self.damaged) = (bytes, 0, bytes.count, damaged)
    }

    private init(_ whole: ProtobufReader, _ range: Range<Int>) {
        (bytes, at, end, damaged) = (whole.bytes, range.lowerBound, range.upperBound, whole.damaged)
    }

    /// Nothing is left: of packed numbers, the end.
    package var isAtEnd: Bool { at >= end }

    /// Calls back for each field; who does not take the value leaves it to be skipped.
    package mutating func forEachField(
        _ body: (inout ProtobufReader, Int, Wire) throws(Refusal) -> Bool
    ) throws(Refusal) {
        while at < end {
            let tag = try varint()
            guard let wire = Wire(rawValue: UInt8(tag & 7)), tag >> 3 > 0, tag >> 3 < 1 << 29 else {
                throw damaged
            }
            if try !body(&self, Int(tag >> 3), wire) { try skip(wire) }
        }
    }

    package mutating func varint() throws(Refusal) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard at < end else { throw damaged }
            let byte = bytes[at]
            at += 1
            if shift < 64 { value |= UInt64(byte & 0x7F) << shift }
            if byte < 0x80 { return value }
        }
        throw damaged
    }

    package mutating func fixed64() throws(Refusal) -> UInt64 {
        guard end - at >= 8 else { throw damaged }
        defer { at += 8 }
        return bytes[at..<at + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    package mutating func fixed32() throws(Refusal) -> UInt32 {
        guard end - at >= 4 else { throw damaged }
        defer { at += 4 }
        return bytes[at..<at + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    package mutating func data() throws(Refusal) -> ArraySlice<UInt8> { bytes[try range()] }

    package mutating func text() throws(Refusal) -> String {
        guard let text = String(validating: bytes[try range()], as: UTF8.self) else { throw damaged }
        return text
    }

    package mutating func message() throws(Refusal) -> ProtobufReader { ProtobufReader(self, try range()) }

    private mutating func range() throws(Refusal) -> Range<Int> {
        let count = try varint()
        guard count <= UInt64(end - at) else { throw damaged }
        let start = at
        at += Int(count)
        return start..<at
    }

    private mutating func skip(_ wire: Wire) throws(Refusal) {
        switch wire {
        case .varint: _ = try varint()
        case .fixed64: _ = try fixed64()
        case .bytes: _ = try range()
        case .fixed32:
            guard end - at >= 4 else { throw damaged }
            at += 4
        }
    }
}
