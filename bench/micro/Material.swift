import Glibc
import MartletSeries
import MartletStorage

/// Kinds of series that training really logs. Each draws its own kind of bytes from a codec.
enum Kind: String, CaseIterable {
    /// Falls, with noise, computed in single precision.
    case loss
    /// Four decimals.
    case accuracy
    /// Whole numbers that rise.
    case counter
    /// A cosine in full double precision: the hardest that is common.
    case lr

    func value(_ step: Int, _ chance: inout Chance) -> Double {
        switch self {
        case .loss: Double(Float(2 / (1 + Double(step) * 0.0003) + 0.05 * (chance.unit() - 0.5)))
        case .accuracy: ((1 - 0.9 / (1 + Double(step) * 0.001) + 0.02 * chance.unit()) * 1e4).rounded() / 1e4
        case .counter: Double(step * 64)
        case .lr: 0.0005 * (1 + cos(Double(step) / 50_000))
        }
    }

    /// Points a few milliseconds apart, with jitter, as a loop logs them.
    func points(_ count: Int, from step: Int = 0, seed: UInt64 = 7) -> SeriesPoints {
        var chance = Chance(seed &+ UInt64(step))
        var points = SeriesPoints()
        points.reserveCapacity(count)
        for index in step..<step + count {
            let time = Material.start + Int64(index) * 50_000 + Int64(chance.next() % 6) * 1000
            points.append(step: Int64(index), time: time, value: value(index, &chance))
        }
        return points
    }
}

/// Batches of 1,000 points in the three shapes of the gates.
struct Material {
    /// A moment in 2024, in microseconds.
    static let start: Int64 = 1_700_000_000_000_000

    struct Shape {
        var keys: Int
        var pointsOfKey: Int
        var name: String { "\(keys)x\(pointsOfKey)" }
        var count: Int { keys * pointsOfKey }

        static let standard = [
            Shape(keys: 1, pointsOfKey: 1000), Shape(keys: 50, pointsOfKey: 20), Shape(keys: 1000, pointsOfKey: 1),
        ]
        static let single = Shape(keys: 1, pointsOfKey: 1)
    }

    /// `count` batches that follow one another, values of all kinds by key.
    static func batches(_ shape: Shape, count: Int, from first: Int = 0) -> [PointBatch] {
        (first..<first + count).map { number in
            PointBatch(
                entries: (0..<shape.keys).map { key in
                    PointBatch.Entry(
                        name: name(key),
                        points: Kind.allCases[key % 4].points(
                            shape.pointsOfKey, from: number * shape.pointsOfKey, seed: UInt64(key)))
                })
        }
    }

    static func name(_ key: Int) -> String { "train/metric_\(key)" }
}
