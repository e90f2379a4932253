import Glibc
import MartletJSON
import Testing

private func read(_ text: String) throws(JSONError) -> Double {
    try JSONScanner.read(Array(text.utf8)) { scanner throws(JSONError) in try scanner.double() }
}

/// Checks one text against C's own reading, bit for bit.
private func expectSame(_ text: String, _ note: @autoclosure () -> String = "") {
    let wanted = strtod(text, nil)
    let found = try? read(text)
    if wanted.isInfinite {
        if found != nil { Issue.record("\(text) should be too large \(note())") }
    } else if found?.bitPattern != wanted.bitPattern {
        Issue.record("\(text) is \(wanted) to strtod and \(String(describing: found)) to the scanner \(note())")
    }
}

@Suite("Numbers are read exactly") struct NumberTests {
    @Test("random bit patterns come back, whether written short, with 17 digits or with hundreds")
    func randomBits() {
        let seed: UInt64 = 20_260_101
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let double = Double(bitPattern: random.next())
            guard double.isFinite else { continue }
            let short = "\(double)"
            if (try? read(short))?.bitPattern != double.bitPattern { Issue.record("\(short), seed \(seed)") }
            expectSame(formatted(double, digits: 17), "seed \(seed)")
            expectSame(formatted(double, digits: 16 + random.below(40)), "seed \(seed)")
        }
    }

    @Test("random digits with random exponents are what strtod reads")
    func randomDigits() {
        let seed: UInt64 = 7
        var random = SeededGenerator(seed: seed)
        for _ in 0..<30_000 {
            var text = random.below(2) == 0 ? "-" : ""
            text += "\(1 + random.below(9))"
            for _ in 0..<random.below(25) { text += "\(random.below(10))" }
            if random.below(2) == 0 {
                text += "."
                for _ in 0...random.below(25) { text += "\(random.below(10))" }
            }
            if random.below(3) > 0 { text += "e\(random.below(700) - 360)" }
            expectSame(text, "seed \(seed)")
        }
    }

    @Test("values halfway between two doubles, and a hair to either side, round as strtod does")
    func halfway() {
        let seed: UInt64 = 11
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            // 54-bit odd integers are exact ties; so are their products with powers of two that stay short in decimal.
            let tie = (random.next() >> 10) | (1 << 53) | 1
            for text in ["\(tie)", "\(tie).0", "\(tie).00000000000000000000001", "\(tie - 1).99999999999999999999999"] {
                expectSame(text, "seed \(seed)")
            }
            let (doubled, overflow) = tie.multipliedReportingOverflow(by: 1 << UInt64(random.below(10)))
            if !overflow { expectSame("\(doubled)e\(random.below(23))", "seed \(seed)") }
            // Halves, quarters and so on: 2^-k written out in full.
            expectSame("\(tie / 2).5", "seed \(seed)")
            expectSame("\(tie / 4).25", "seed \(seed)")
            // Full decimal expansion of the midpoint above a random double.
            let double = Double(bitPattern: random.next() & ~(1 << 63))
            if double.isFinite {
                let expansion = formatted(double, digits: 780)
                expectSame(expansion, "seed \(seed)")
            }
        }
    }

    @Test(
        "the edges of the format are read as strtod reads them",
        arguments: [
            "0", "-0", "-0.0", "0e999", "0.000e-999", "5e-324", "4.9e-324", "2.4703282292062327e-324",
            "2.4703282292062328e-324", "2.5e-324", "1e-400", "1e-99999999999999999999", "2.2250738585072014e-308",
            "2.2250738585072011e-308", "2.225073858507201e-308", "1.7976931348623157e308", "1.7976931348623158e308",
            "1.7976931348623159e308", "179769313486231580793728971405301e276", "1e308", "1e309", "9007199254740992",
            "9007199254740993", "9007199254740993.0000000000000001", "18446744073709551615", "18446744073709551616",
            "9999999999999999999", "99999999999999999999", "1e22", "1e23", "8.5e22", "123456789012345678e-10",
            "0.1", "0.2", "0.3", "0.30000000000000004", "6.02214076e23", "3.141592653589793238462643383279502884",
            "100000000000000000000000000000000000000000000000000000000000000", "7.2057594037927933e16",
            "1090544144181609348671888949248", "1090544144181609348835077142190",
            "9355950000000000000.00000000000000000",
            "0.00000000000000000000000000000000000000000000000012345", "1E5", "1e+5", "12345678", "123456789.12345678",
        ])
    func edges(_ text: String) {
        expectSame(text)
        expectSame("-" + text.drop { $0 == "-" })
    }

    @Test("numbers of a million digits are read, in bounded memory")
    func endlessDigits() throws {
        let zeros = String(repeating: "0", count: 1_000_000)
        let nines = String(repeating: "9", count: 1_000_000)
        #expect(try read("0.\(zeros)1") == 0)
        #expect(try read("1\(zeros)e-1000000") == 1)
        #expect(try read("0.\(zeros)1e1000001") == 1)
        #expect(try read("0.\(nines)") == 1)
        #expect(try read("9007199254740993.\(zeros)") == 9_007_199_254_740_992)
        #expect(try read("9007199254740993.\(zeros)1") == 9_007_199_254_740_994)
        #expect(throws: JSONError.self) { try read(nines) }
    }

    @Test("every power of ten is the double that strtod gives")
    func powersOfTen() {
        for exponent in -350...320 {
            for digits in ["1", "9", "1.2345678901234567", "9999999999999999999"] {
                expectSame("\(digits)e\(exponent)")
            }
        }
    }

    @Test(
        "whole numbers are read to the last one that fits",
        arguments: [
            ("0", 0), ("-0", 0), ("9223372036854775807", .max), ("-9223372036854775808", .min),
            ("1234567890123456789", 1_234_567_890_123_456_789), ("5.0", 5), ("1e3", 1000), ("-2.50e1", -25),
            ("9007199254740992.0", 9_007_199_254_740_992),
        ] as [(String, Int64)])
    func int64(_ text: String, _ wanted: Int64) throws {
        #expect(try JSONScanner.read(Array(text.utf8)) { s throws(JSONError) in try s.int64() } == wanted)
    }

    @Test(
        "whole numbers that do not fit, and fractions, are refused as whole numbers only",
        arguments: [
            ("9223372036854775808", .integerTooLarge), ("-9223372036854775809", .integerTooLarge),
            ("18446744073709551616", .integerTooLarge), ("100000000000000000000000000000", .integerTooLarge),
            ("1e300", .integerTooLarge), ("1.5", .notAnInteger), ("1e-1", .notAnInteger), ("5e-324", .notAnInteger),
        ] as [(String, JSONError.Code)])
    func notInt64(_ text: String, _ code: JSONError.Code) throws {
        let error = #expect(throws: JSONError.self) {
            try JSONScanner.read(Array(text.utf8)) { s throws(JSONError) in try s.int64() }
        }
        #expect(error?.code == code)
        #expect(error?.offset == 0)
        expectSame(text)
        let raw = try JSONScanner.read(Array(text.utf8)) { s throws(JSONError) in try s.number().text }
        #expect(raw == text)
    }

    /// C's `%.*e`, which Swift's own printing has no match for.
    private func formatted(_ value: Double, digits: Int) -> String {
        var room = [CChar](repeating: 0, count: digits + 40)
        _ = withVaList([Int32(digits - 1), value]) { vsnprintf(&room, room.count, "%.*e", $0) }
        return String(decoding: room.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
