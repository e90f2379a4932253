extension JSONScanner {
    /// Reads a number as the nearest double. One that only infinity could stand for is refused.
    package mutating func double() throws(JSONError) -> Double { try double(of: number()) }

    /// The double nearest to the number just read.
    func double(of number: JSONNumber) throws(JSONError) -> Double {
        let double = number.double
        guard double.isFinite || !number.isFinite else {
            throw error(
                .numberTooLarge, "The number \(Self.excerpt(number.text)) is too large for a double",
                remedy: "Send at most 1.8e308, or \"Infinity\" if that is meant.", at: position - number.bytes.count)
        }
        return double
    }

    /// Reads a number, or a string that names one which JSON cannot write: `"NaN"`, `"Infinity"`, `"-Infinity"`, and the
    /// `nan`, `inf` and `-inf` of C and Python.
    package mutating func doubleOrName() throws(JSONError) -> Double {
        guard nextByte() == UInt8(ascii: "\"") else { return try double() }
        let start = position
        let name = try text()
        if name.is("NaN") || name.is("nan") { return .nan }
        if name.is("Infinity") || name.is("inf") { return .infinity }
        if name.is("-Infinity") || name.is("-inf") { return -.infinity }
        throw error(
            .wrongKind, "The string “\(Self.excerpt(name.string))” is no number",
            remedy: "Send a number, or \"NaN\", \"Infinity\" or \"-Infinity\".", at: start)
    }

    /// Reads a whole number. `5.0` is whole; `5.5` and numbers beyond 64 bits are refused.
    package mutating func int64() throws(JSONError) -> Int64 {
        let number = try number()
        if let value = number.int64 { return value }
        let start = position - number.bytes.count
        let text = Self.excerpt(number.text)
        if number.isInteger || number.double.magnitude > 0x1p53 {
            throw error(
                .integerTooLarge, "The whole number \(text) does not fit in 64 bits",
                remedy: "Send a number from \(Int64.min) to \(Int64.max).", at: start)
        }
        throw error(
            .notAnInteger, "Found \(text) where a whole number should stand", remedy: "Send it without a fraction.",
            at: start)
    }

    /// Reads a number without rounding it to any type yet.
    package mutating func number() throws(JSONError) -> JSONNumber {
        let first = nextByte()
        let start = position
        let isNegative = first == UInt8(ascii: "-")
        if isNegative { position += 1 }

        let wholeStart = position
        var mantissa: UInt64 = 0
        passDigits(&mantissa)
        var digitCount = position - wholeStart
        guard digitCount > 0 else { return try wordForNumber(from: start, isNegative: isNegative) }
        if digitCount > 1, bytes[wholeStart] == UInt8(ascii: "0") {
            throw error(
                .invalidNumber, "A number starts with a zero that means nothing", remedy: "Leave leading zeros out.",
                at: wholeStart)
        }
        var exponent = 0
        var shape = JSONNumber.Shape.integer
        if position < count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            let fractionStart = position
            passDigits(&mantissa)
            guard position > fractionStart else { throw missingDigits("the decimal point") }
            exponent = fractionStart - position
            digitCount -= exponent
            shape = .fraction
        }
        if position < count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            exponent += try exponentPart()
            shape = .fraction
        }
        return JSONNumber(
            bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<position]), shape: shape, isNegative: isNegative,
            isLong: digitCount > 19 && isLong(digitCount, from: wholeStart), mantissa: mantissa, exponent: exponent)
    }

    /// Passes over digits and appends them to `mantissa`, wrapping around past 19 of them. Eight at a time where there are
    /// eight: three multiplications instead of eight.
    @inline(__always)
    private mutating func passDigits(_ mantissa: inout UInt64) {
        while position + 8 <= count {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self).littleEndian
            // A byte is a digit when neither adding 0x46 nor taking away 0x30 sets its top bit.
            guard ((word &+ 0x4646_4646_4646_4646) | (word &- 0x3030_3030_3030_3030)) & 0x8080_8080_8080_8080 == 0
            else { break }
            // Digits to pairs, pairs to fours, fours to eight.
            let digits = word &- 0x3030_3030_3030_3030
            let pairs = digits &* 10 &+ digits >> 8
            let even = (pairs & 0x0000_00FF_0000_00FF) &* (100 + 1_000_000 << 32)
            let odd = (pairs >> 16 & 0x0000_00FF_0000_00FF) &* (1 + 10_000 << 32)
            mantissa = mantissa &* 100_000_000 &+ (even &+ odd) >> 32
            position += 8
        }
        while position < count {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            mantissa = mantissa &* 10 &+ UInt64(digit)
            position += 1
        }
    }

    private mutating func exponentPart() throws(JSONError) -> Int {
        position += 1
        var isNegative = false
        if position < count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
            isNegative = bytes[position] == UInt8(ascii: "-")
            position += 1
        }
        let start = position
        var exponent = 0
        while position < count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit < 10 {
            // Past any count of digits that memory could hold against it, more changes nothing.
            if exponent < 100_000_000_000_000 { exponent = exponent * 10 + Int(digit) }
            position += 1
        }
        guard position > start else { throw missingDigits("the exponent's mark") }
        return isNegative ? -exponent : exponent
    }

    /// Whether more than 19 digits are left when those zeros are taken off that only place the decimal point.
    private func isLong(_ digitCount: Int, from wholeStart: Int) -> Bool {
        var significant = digitCount
        for byte in bytes[wholeStart..<position] {
            if byte == UInt8(ascii: "0") { significant -= 1 } else if byte != UInt8(ascii: ".") { break }
        }
        return significant > 19
    }

    /// No digit where a number should start: a bare word if those are allowed, else the reason why not.
    private mutating func wordForNumber(from start: Int, isNegative: Bool) throws(JSONError) -> JSONNumber {
        var shape: JSONNumber.Shape?
        if allowsNonFinite, position < count {
            if bytes[position] == UInt8(ascii: "I") {
                try word("Infinity")
                shape = .infinity
            } else if bytes[position] == UInt8(ascii: "N"), !isNegative {
                try word("NaN")
                shape = .nan
            }
        }
        guard let shape else {
            if isNegative { throw missingDigits("the minus") }
            throw try wrongKind(wanted: .number)
        }
        return JSONNumber(
            bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<position]), shape: shape, isNegative: isNegative,
            isLong: false, mantissa: 0, exponent: 0)
    }

    private func missingDigits(_ place: String) -> JSONError {
        guard position < count else { return unexpected("a digit after \(place)") }
        return error(
            .invalidNumber, "Found \(byteName(at: position)) where a digit after \(place) should stand",
            remedy: "Write numbers as JSON does, such as -0.5 or 1e-3.")
    }
}
