import Foundation

/// Chance that can be had again (SplitMix64, Steele, Lea and Flood, 2014).
struct SeededSource: RandomNumberGenerator, Sendable {
    private var state: UInt64
    init(seed: Int) { state = UInt64(bitPattern: Int64(seed)) }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func uniform(_ low: Double, _ high: Double) -> Double {
        low + (high - low) * Double(next() >> 11) / 9_007_199_254_740_992
    }
}

/// A point of the plane, and which of two spirals it lies on.
struct Sample: Sendable {
    var point: [Double]
    var label: Int

    /// Two spirals that are wound into one another: no straight line, and no small number of them, parts the two.
    static func spirals(count: Int, noise: Double, using random: inout SeededSource) -> [Sample] {
        (0..<count).map { index in
            let label = index % 2
            let distance = (Double(index / 2) + 0.5) / Double(max(1, count / 2))
            let angle = 1.25 * 2 * Double.pi * distance.squareRoot() + (label == 1 ? Double.pi : 0)
            let radius = distance.squareRoot()
            return Sample(
                point: [
                    radius * cos(angle) + random.uniform(-noise, noise),
                    radius * sin(angle) + random.uniform(-noise, noise),
                ], label: label)
        }
    }
}

/// Everything that decides how a run goes; logged as `hidden`, `optimizer.learning_rate`, `data.noise` and so on.
struct Configuration: Codable, Sendable {
    struct Optimizer: Codable, Sendable {
        var name = "adam"
        var learningRate = 0.02
        var beta1 = 0.9
        var beta2 = 0.999
        var weightDecay = 1e-4

        enum CodingKeys: String, CodingKey {
            case name, beta1, beta2
            case learningRate = "learning_rate"
            case weightDecay = "weight_decay"
        }
    }

    struct Data: Codable, Sendable {
        var training = 240
        var test = 120
        var noise = 0.03
    }

    var seed: Int
    var hidden = [16, 16]
    var epochs: Int
    var batch = 24
    var optimizer = Optimizer()
    var data = Data()
}
