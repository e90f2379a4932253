/// The double nearest to `mantissa × 10^exponent`, halves to even, infinite past the largest.
///
/// Eisel and Lemire's method: multiply by a 128-bit approximation of the power of five, and read the answer off the top
/// bits. D. Lemire, “Number parsing at a gigabyte per second”, Software: Practice and Experience 51(8), 2021; N. Mushtak and
/// D. Lemire, “Fast number parsing without fallback”, 2023, proves that the approximation always decides. Constant time.
func nearestDouble(_ mantissa: UInt64, exponent: Int) -> Double {
    guard mantissa != 0, exponent >= PowersOfFive.least else { return 0 }
    guard exponent <= PowersOfFive.greatest else { return .infinity }

    let leadingZeros = mantissa.leadingZeroBitCount
    let (high, low) = PowersOfFive.product(mantissa << UInt64(leadingZeros), exponent)
    let upperBit = Int(high >> 63)
    // 52 bits of fraction, the leading one, and one more to round by.
    let shift = UInt64(upperBit + 64 - 52 - 3)
    var bits = high >> shift
    // 217706 / 2^16 approximates log2(10) well enough for floor(log2(10^exponent)) to be right for every exponent here.
    var power = (217706 * exponent) >> 16 + 63 + upperBit - leadingZeros + 1023

    if power <= 0 {  // Below the least normal number: fewer bits, fixed exponent.
        guard -power + 1 < 64 else { return 0 }
        bits >>= UInt64(-power + 1)
        bits = (bits + bits & 1) >> 1
        return Double(bitPattern: bits)  // A carry into bit 52 makes the least normal number, as it should.
    }
    // Exactly halfway is possible for small powers only; then the even neighbour is the one below when bit 1 is clear.
    if low <= 1, (-4...23).contains(exponent), bits & 3 == 1, bits << shift == high {
        bits &= ~1
    }
    bits = (bits + bits & 1) >> 1
    if bits >= 1 << 53 {
        bits = 1 << 52
        power += 1
    }
    guard power < 0x7FF else { return .infinity }
    return Double(bitPattern: bits & ~(1 << 52) | UInt64(power) << 52)
}

/// The top 128 bits of 5^-342 to 5^308, made once: about 7,000 divisions of one limb, a tenth of a millisecond.
enum PowersOfFive {
    /// 10^-343 times any 64-bit mantissa rounds to zero.
    static let least = -342
    /// 10^309 is past the largest double.
    static let greatest = 308

    /// High and low half of each, from `least` up.
    static let halves: [UInt64] = {
        var below: [(high: UInt64, low: UInt64)] = []
        // 2^960 divided by 5 again and again: each quotient is exact but for its fraction, and never shorter than 128 bits.
        var limbs = [UInt64](repeating: 0, count: 15) + [1]
        for n in 1...(-least) {
            divideByFive(&limbs)
            var top = topBits(limbs)
            if n <= 27 {  // Rounded up: for these, so that exact ties come out of the multiplication as ties.
                let (low, carry) = top.low.addingReportingOverflow(1)
                top = (carry ? top.high + 1 : top.high, low)
            }
            below.append(top)
        }
        var halves = below.reversed().flatMap { [$0.high, $0.low] }
        limbs = [1] + [UInt64](repeating: 0, count: 11)
        for _ in 0...greatest {
            let top = topBits(limbs)
            halves += [top.high, top.low]
            multiplyByFive(&limbs)
        }
        return halves
    }()

    /// The top bits of `mantissa × 5^exponent`, for a mantissa with its highest bit set.
    @inline(__always)
    static func product(_ mantissa: UInt64, _ exponent: Int) -> (high: UInt64, low: UInt64) {
        let index = 2 * (exponent - least)
        var (high, low) = mantissa.multipliedFullWidth(by: halves[index])
        // Nine bits below those that a double needs: all ones there mean that the power's low half could still carry.
        if high & 0x1FF == 0x1FF {
            let carry: Bool
            (low, carry) = low.addingReportingOverflow(mantissa.multipliedFullWidth(by: halves[index + 1]).high)
            if carry { high += 1 }
        }
        return (high, low)
    }

    private static func divideByFive(_ limbs: inout [UInt64]) {
        var remainder: UInt64 = 0
        for i in limbs.indices.reversed() {
            (limbs[i], remainder) = UInt64(5).dividingFullWidth((remainder, limbs[i]))
        }
    }

    private static func multiplyByFive(_ limbs: inout [UInt64]) {
        var carry: UInt64 = 0
        for i in limbs.indices {
            let (high, low) = limbs[i].multipliedFullWidth(by: 5)
            let (sum, overflow) = low.addingReportingOverflow(carry)
            limbs[i] = sum
            carry = overflow ? high + 1 : high
        }
    }

    /// The 128 bits from the highest set one down.
    private static func topBits(_ limbs: [UInt64]) -> (high: UInt64, low: UInt64) {
        guard let top = limbs.lastIndex(where: { $0 != 0 }) else { return (0, 0) }
        func limb(_ i: Int) -> UInt64 { i >= 0 ? limbs[i] : 0 }
        let shift = limb(top).leadingZeroBitCount
        return (
            limb(top) << shift | limb(top - 1) >> (64 - shift),
            limb(top - 1) << shift | limb(top - 2) >> (64 - shift)
        )
    }
}
