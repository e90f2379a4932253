import Foundation

/// A small network of layers with tanh between them and a logistic output, trained by Adam on one batch after the other.
///
/// Weights lie in one array, layer after layer: of each neuron first its inputs' weights, then its bias.
struct Network: Sendable {
    let sizes: [Int]
    private(set) var weights: [Double]
    private var momentum: [Double]
    private var energy: [Double]
    private var updates = 0

    init(sizes: [Int], using random: inout SeededSource) {
        self.sizes = sizes
        var weights: [Double] = []
        for (inputs, outputs) in zip(sizes, sizes.dropFirst()) {
            // Glorot and Bengio, 2010: as large as keeps the signal's size from layer to layer.
            let limit = (6 / Double(inputs + outputs)).squareRoot()
            for _ in 0..<outputs {
                for _ in 0..<inputs { weights.append(random.uniform(-limit, limit)) }
                weights.append(0)
            }
        }
        self.weights = weights
        momentum = weights.map { _ in 0 }
        energy = weights.map { _ in 0 }
    }

    /// The probability of class 1.
    func predict(_ point: [Double]) -> Double { activations(point).last?[0] ?? 0 }

    private func activations(_ point: [Double]) -> [[Double]] {
        var layers = [point]
        var at = 0
        for layer in 1..<sizes.count {
            let input = layers[layer - 1]
            let isLast = layer == sizes.count - 1
            var output = [Double](repeating: 0, count: sizes[layer])
            for neuron in output.indices {
                var sum = weights[at + input.count]
                for index in input.indices { sum += weights[at + index] * input[index] }
                at += input.count + 1
                output[neuron] = isLast ? 1 / (1 + exp(-sum)) : tanh(sum)
            }
            layers.append(output)
        }
        return layers
    }

    /// One step of Adam (Kingma and Ba, 2015) on a batch; its mean cross entropy, and the length of its gradient.
    mutating func train(on batch: [Sample], _ optimizer: Configuration.Optimizer) -> (loss: Double, gradient: Double) {
        var gradient = [Double](repeating: 0, count: weights.count)
        var loss = 0.0
        for sample in batch {
            let layers = activations(sample.point)
            let predicted = min(max(layers[layers.count - 1][0], 1e-12), 1 - 1e-12)
            loss -= sample.label == 1 ? log(predicted) : log(1 - predicted)
            back(layers, error: predicted - Double(sample.label), into: &gradient)
        }
        let scale = 1 / Double(batch.count)
        updates += 1
        let rate =
            optimizer.learningRate * (1 - pow(optimizer.beta2, Double(updates))).squareRoot()
            / (1 - pow(optimizer.beta1, Double(updates)))
        var length = 0.0
        for index in weights.indices {
            let slope = gradient[index] * scale + optimizer.weightDecay * weights[index]
            length += slope * slope
            momentum[index] = optimizer.beta1 * momentum[index] + (1 - optimizer.beta1) * slope
            energy[index] = optimizer.beta2 * energy[index] + (1 - optimizer.beta2) * slope * slope
            weights[index] -= rate * momentum[index] / (energy[index].squareRoot() + 1e-8)
        }
        return (loss * scale, length.squareRoot())
    }

    private func back(_ layers: [[Double]], error: Double, into gradient: inout [Double]) {
        var deltas = [error]
        var end = weights.count
        for layer in stride(from: sizes.count - 1, to: 0, by: -1) {
            let input = layers[layer - 1]
            let width = input.count + 1
            let start = end - deltas.count * width
            var before = [Double](repeating: 0, count: input.count)
            for (neuron, delta) in deltas.enumerated() {
                let at = start + neuron * width
                for index in input.indices {
                    gradient[at + index] += delta * input[index]
                    before[index] += delta * weights[at + index]
                }
                gradient[at + input.count] += delta
            }
            for index in before.indices { before[index] *= 1 - input[index] * input[index] }
            (deltas, end) = (before, start)
        }
    }

    /// Mean cross entropy and share of right answers.
    func score(on samples: [Sample]) -> (loss: Double, accuracy: Double) {
        var loss = 0.0
        var right = 0
        for sample in samples {
            let predicted = min(max(predict(sample.point), 1e-12), 1 - 1e-12)
            loss -= sample.label == 1 ? log(predicted) : log(1 - predicted)
            if (predicted >= 0.5) == (sample.label == 1) { right += 1 }
        }
        return (loss / Double(samples.count), Double(right) / Double(samples.count))
    }
}
