/// The public id of a run: 128 bits, written as 32 hex digits as MLflow's clients expect.
package struct RunID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads 32 hex digits, in either case, with or without the dashes of a UUID.
    package init?(_ text: some StringProtocol) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var digits = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "-") && text.utf8.count == 36 { continue }
            guard let digit = hexDigit(byte), digits < 32 else { return nil }
            if digits < 16 { high = high << 4 | digit } else { low = low << 4 | digit }
            digits += 1
        }
        guard digits == 32 else { return nil }
        self.init(high: high, low: low)
    }

    /// A fresh id from the given source of chance.
    package static func make(using generator: inout some RandomNumberGenerator) -> RunID {
        RunID(high: generator.next(), low: generator.next())
    }

    package static func make() -> RunID {
        var generator = SystemRandomNumberGenerator()
        return make(using: &generator)
    }

    package var text: String {
        var bytes = [UInt8]()
        bytes.reserveCapacity(32)
        for word in [high, low] {
            for shift in stride(from: 60, through: 0, by: -4) {
                bytes.append(hexDigits[Int(word >> UInt64(shift) & 15)])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    package var description: String { text }

    package static func < (a: RunID, b: RunID) -> Bool {
        a.high != b.high ? a.high < b.high : a.low < b.low
    }
}

let hexDigits = Array("0123456789abcdef".utf8)

func hexDigit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
}

/// A project's number in its store; the default project is 1.
package struct ProjectID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let raw: Int64
    package init(_ raw: Int64) { self.raw = raw }
    package static let standard = ProjectID(1)
    package var description: String { String(raw) }
    package static func < (a: ProjectID, b: ProjectID) -> Bool { a.raw < b.raw }
}

/// An experiment's number, unique across the store because MLflow's clients know no project; `0` is MLflow's default.
package struct ExperimentID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let raw: Int64
    package init(_ raw: Int64) { self.raw = raw }
    package static let standard = ExperimentID(0)
    /// Ids from here on were brought along from elsewhere (a folder of MLflow's numbers by 18 digits); new experiments
    /// go on with the small numbers.
    package static let foreign = ExperimentID(1_000_000_000_000)
    package var description: String { String(raw) }
    package static func < (a: ExperimentID, b: ExperimentID) -> Bool { a.raw < b.raw }
}

/// Where a run stands inside one store: small, dense and never shown to anyone.
package struct RunKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let raw: Int64
    package init(_ raw: Int64) { self.raw = raw }
    package var description: String { "#\(raw)" }
    package static func < (a: RunKey, b: RunKey) -> Bool { a.raw < b.raw }
}

/// A SHA-256 as 64 lower-case hex digits: the name of a blob.
package struct Digest: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let text: String

    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == 64, text.utf8.allSatisfy({ hexDigit($0) != nil }) else { return nil }
        self.text = text.lowercased()
    }

    package init(bytes: some Sequence<UInt8>) {
        var out = [UInt8]()
        out.reserveCapacity(64)
        for byte in bytes {
            out.append(hexDigits[Int(byte >> 4)])
            out.append(hexDigits[Int(byte & 15)])
        }
        text = String(decoding: out, as: UTF8.self)
    }

    package var description: String { text }
    package static func < (a: Digest, b: Digest) -> Bool { a.text < b.text }
}
