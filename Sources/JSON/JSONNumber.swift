import Glibc

/// A number of the document, taken apart but not yet rounded to any type.
///
/// `mantissa × 10^exponent` is its exact magnitude unless it has more than 19 significant digits; then the bytes are read
/// again. Like `JSONText` it points into the bytes being read.
package struct JSONNumber {
    enum Shape: UInt8 {
        /// Digits only, with or without a minus.
        case integer
        /// With a fraction or an exponent.
        case fraction
        /// One of the bare words that a reader may allow.
        case nan, infinity
    }

    /// The bytes of the number.
    package let bytes: UnsafeRawBufferPointer
    let shape: Shape
    let isNegative: Bool
    /// More than 19 significant digits, so that `mantissa` has wrapped around.
    let isLong: Bool
    let mantissa: UInt64
    let exponent: Int

    /// As the client wrote it.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Whether it is written without fraction and exponent.
    package var isInteger: Bool { shape == .integer }

    /// Whether it is digits rather than one of the bare words.
    package var isFinite: Bool { shape == .integer || shape == .fraction }

    /// The nearest double, halves to even, as C's `strtod` gives it; infinite when none is large enough.
    package var double: Double {
        let magnitude: Double =
            switch shape {
            case .nan: .nan
            case .infinity: .infinity
            case .integer, .fraction:
                if isLong {
                    nearestDoubleToLongNumber()
                } else if exponent == 0, mantissa <= 1 << 53 {
                    Double(mantissa)
                } else {
                    nearestDouble(mantissa, exponent: exponent)
                }
            }
        return isNegative ? -magnitude : magnitude
    }

    /// The same number as an `Int64`; nil when it has a fraction or does not fit.
    ///
    /// `5.0` and `1e3` are whole too, since JavaScript and Python write whole floats in such ways; up to 2^53, where
    /// doubles stop telling neighbours apart.
    package var int64: Int64? {
        guard shape == .integer else {
            let double = double
            return double.magnitude <= 0x1p53 ? Int64(exactly: double) : nil
        }
        guard !isLong else { return nil }
        guard isNegative else { return Int64(exactly: mantissa) }
        return mantissa <= Int64.min.magnitude ? Int64(truncatingIfNeeded: 0 &- mantissa) : nil
    }

    /// Rounds a number of 20 digits or more: C's `strtod` on a copy of at most 800 digits.
    ///
    /// No more than 767 digits can matter to where a double rounds, so a single 1 stands for all that follow. The copy has
    /// no decimal point, which makes the reading independent of the process's locale.
    private func nearestDoubleToLongNumber() -> Double {
        let keptMax = 800
        var copy: [CChar] = []
        copy.reserveCapacity(keptMax + 32)
        var exponent = exponent
        var isCutShort = false
        for byte in bytes where byte != UInt8(ascii: ".") && byte != UInt8(ascii: "-") {
            guard byte | 0x20 != UInt8(ascii: "e") else { break }
            if copy.isEmpty, byte == UInt8(ascii: "0") { continue }
            if copy.count < keptMax {
                copy.append(CChar(bitPattern: byte))
            } else {
                exponent += 1
                isCutShort = isCutShort || byte != UInt8(ascii: "0")
            }
        }
        if isCutShort {
            copy.append(CChar(bitPattern: UInt8(ascii: "1")))
            exponent -= 1
        }
        copy += "e\(exponent)".utf8CString
        return strtod(copy, nil)
    }
}
