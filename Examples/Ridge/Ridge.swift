import Foundation

/// Normal numbers from a linear congruential generator, so that everybody who starts at 42 gets the same data.
struct NormalSource {
    var state: UInt64 = 42

    mutating func next() -> Double {
        let first = max(uniform(), 1e-10)
        let second = uniform()
        return (-2 * log(first)).squareRoot() * cos(2 * Double.pi * second)
    }

    private mutating func uniform() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 33) / 2_147_483_648
    }
}

/// Rows of features, and what they should predict.
struct Table {
    static let featureCount = 10
    private(set) var rows: [[Double]] = []
    private(set) var targets: [Double] = []

    /// Half of the features count, each less than the one before it; the others are noise.
    init(count: Int, from source: inout NormalSource) {
        let weights = (0..<Table.featureCount).map { $0 < 5 ? 1 - 0.2 * Double($0) : 0 }
        for _ in 0..<count {
            let row = (0..<Table.featureCount).map { _ in source.next() }
            rows.append(row)
            targets.append(Table.product(weights, row) + source.next() * 0.5)
        }
    }

    static func product(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for index in a.indices { sum += a[index] * b[index] }
        return sum
    }
}

/// How a model is trained; logged as it is, under the names of its coding keys.
struct Configuration: Codable {
    var algorithm: String
    var learningRate: Double
    var lambda: Double
    var iterations: Int

    enum CodingKeys: String, CodingKey {
        case algorithm
        case learningRate = "learning_rate"
        case lambda
        case iterations = "n_iter"
    }

    init(_ algorithm: String, _ learningRate: Double, _ lambda: Double, _ iterations: Int) {
        (self.algorithm, self.learningRate, self.lambda, self.iterations) = (
            algorithm, learningRate, lambda, iterations
        )
    }

    static let tried = [
        Configuration("LinReg", 0.01, 0, 500), Configuration("LinReg", 0.001, 0, 1000),
        Configuration("Ridge", 0.01, 0.01, 500), Configuration("Ridge", 0.01, 0.1, 500),
        Configuration("Ridge", 0.01, 1, 500), Configuration("Ridge", 0.01, 10, 500),
        Configuration("Ridge", 0.001, 0.1, 1000), Configuration("Ridge", 0.001, 1, 1000),
    ]
}

/// Linear regression whose weights are held back by `lambda`, by gradient descent.
struct Ridge {
    private(set) var weights = [Double](repeating: 0, count: Table.featureCount)

    init(_ configuration: Configuration, on table: Table) {
        let count = Double(table.rows.count)
        for _ in 0..<configuration.iterations {
            var gradient = [Double](repeating: 0, count: weights.count)
            for (row, target) in zip(table.rows, table.targets) {
                let error = Table.product(weights, row) - target
                for index in gradient.indices { gradient[index] += error * row[index] }
            }
            for index in weights.indices {
                let slope = gradient[index] / count + configuration.lambda * weights[index]
                weights[index] -= configuration.learningRate * slope
            }
        }
    }

    private func squaredError(on table: Table) -> Double {
        var sum = 0.0
        for (row, target) in zip(table.rows, table.targets) {
            let error = Table.product(weights, row) - target
            sum += error * error
        }
        return sum
    }

    func meanSquaredError(on table: Table) -> Double { squaredError(on: table) / Double(table.rows.count) }

    /// The share of the variance that is explained.
    func rSquared(on table: Table) -> Double {
        let mean = table.targets.reduce(0, +) / Double(table.targets.count)
        let variance = table.targets.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return 1 - squaredError(on: table) / variance
    }

    var norm: Double { Table.product(weights, weights).squareRoot() }
}
