import MartletSeries

/// Chance with a seed (SplitMix64, Steele et al., 2014), so that a failure can be seen again.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func number(_ range: ClosedRange<Double> = 0...1) -> Double { .random(in: range, using: &self) }
    mutating func integer(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &self) }
}

/// Shapes of values that training code logs, and those that try a codec.
enum Shape: String, CaseIterable, Sendable {
    case zeros, loss, lossAroundZero, accuracy, counter, cosine, noise, mixed, odd, bits, nanPayloads, fewOdd, huge

    func values(_ count: Int, _ chance: inout Seeded) -> [Double] {
        (0..<count).map { value($0, &chance) }
    }

    private func value(_ index: Int, _ chance: inout Seeded) -> Double {
        switch self {
        case .zeros: 0
        case .loss: Double(Float(1 / (1 + Double(index) / 500) + chance.number(0...0.05)))
        case .lossAroundZero: Double(Float(chance.number(-0.5...0.5)))
        case .accuracy: (chance.number(0.8...0.99) * 10_000).rounded() / 10_000
        case .counter: Double(index * 32)
        case .cosine: 0.5e-3 * (1 + cosine(Double(index) / 4096))
        case .noise: chance.number(-1...1)
        case .mixed: chance.integer(0...1) == 0 ? chance.number(-1...1) : Double(chance.integer(-100...100))
        case .odd:
            [0.0, -0.0, .infinity, -.infinity, .nan, 1, -1, .leastNonzeroMagnitude, .greatestFiniteMagnitude][
                chance.integer(0...8)]
        case .bits: Double(bitPattern: chance.next())
        case .nanPayloads:
            chance.integer(0...2) == 0
                ? Double(bitPattern: 0x7FF8_0000_0000_0000 | chance.next() >> 20) : Double(Float(chance.number()))
        case .fewOdd:
            chance.integer(0...39) == 0
                ? [-0.0, .nan, .infinity, 1 / 3][chance.integer(0...3)] : Double(chance.integer(0...9999)) / 100
        case .huge: chance.number(-1...1) * .greatestFiniteMagnitude
        }
    }

    /// Good enough a cosine of 0...pi for a smooth curve of full doubles.
    private func cosine(_ turn: Double) -> Double {
        let x = turn * 3.141592653589793 / 8
        return 1 - x * x / 2 + x * x * x * x / 24
    }
}

/// Shapes of steps and times.
enum Axis: String, CaseIterable, Sendable {
    case even, jitter, milliseconds, seconds, repeated, unordered, extreme

    func numbers(_ count: Int, _ chance: inout Seeded) -> [Int64] {
        var now: Int64 = 1_763_600_000_000_000
        return (0..<count).map { index in
            switch self {
            case .even: return Int64(index * 10)
            case .jitter:
                now += Int64(100_000 + chance.integer(-6000...6000) + (index % 500 == 0 ? 60_000_000 : 0))
                return now
            case .milliseconds:
                now += Int64(chance.integer(1...200)) * 1000
                return now
            case .seconds:
                now += Int64(chance.integer(1...9)) * 1_000_000
                return now
            case .repeated: return Int64(index / 3)
            case .unordered: return Int64(chance.integer(-1000...1000))
            case .extreme: return [Int64.min, .max, 0, -1, 1][chance.integer(0...4)]
            }
        }
    }
}

extension SeriesPoints {
    static func make(_ count: Int, _ shape: Shape, steps: Axis = .even, times: Axis = .jitter, _ chance: inout Seeded)
        -> SeriesPoints
    {
        SeriesPoints(
            steps: steps.numbers(count, &chance), times: times.numbers(count, &chance),
            values: shape.values(count, &chance))
    }
}
