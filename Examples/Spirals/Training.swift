import Foundation
import Martlet

/// Trains one network and logs it as it goes.
struct Training: Sendable {
    let configuration: Configuration

    /// The accuracy on points that were not trained on.
    func run(_ run: Run) throws -> Double {
        var random = SeededSource(seed: configuration.seed)
        let training = Sample.spirals(
            count: configuration.data.training, noise: configuration.data.noise, using: &random)
        let test = Sample.spirals(count: configuration.data.test, noise: configuration.data.noise, using: &random)
        var network = Network(sizes: [2] + configuration.hidden + [1], using: &random)
        run.logParam("weights", network.weights.count)

        var best = 0.0
        var step = 0
        for epoch in 0..<configuration.epochs {
            let order = training.shuffled(using: &random)
            for start in stride(from: 0, to: order.count, by: configuration.batch) {
                let batch = Array(order[start..<min(start + configuration.batch, order.count)])
                let (loss, gradient) = network.train(on: batch, configuration.optimizer)
                run.log(["batch/loss": loss, "batch/gradient": gradient], step: step)
                step += 1
            }
            let now = network.score(on: training)
            let unseen = network.score(on: test)
            best = max(best, unseen.accuracy)
            run.log(
                [
                    "train/loss": now.loss, "train/accuracy": now.accuracy, "test/loss": unseen.loss,
                    "test/accuracy": unseen.accuracy,
                ], step: epoch)
            guard unseen.loss.isFinite else { throw Diverged(epoch: epoch) }
        }
        run.logMetric("best_test_accuracy", best)
        run.logArtifact(Array(try JSONEncoder().encode(network.weights)), as: "model/weights.json", type: "model")
        run.logArtifact(text: predictions(of: network, on: test), as: "predictions.csv", type: "data")
        run.logArtifact(text: plane(of: network), as: "plane.txt", type: "report")
        return network.score(on: test).accuracy
    }

    private func predictions(of network: Network, on samples: [Sample]) -> String {
        let rows = samples.map { "\($0.point[0]),\($0.point[1]),\($0.label),\(network.predict($0.point))" }
        return "x,y,label,probability\n" + rows.joined(separator: "\n") + "\n"
    }

    /// Which parts of the plane the network gives to which spiral, drawn in letters.
    private func plane(of network: Network) -> String {
        stride(from: 1.2, through: -1.2, by: -0.1).map { y in
            stride(from: -1.2, through: 1.2, by: 0.05).map { x in network.predict([x, y]) < 0.5 ? "." : "#" }.joined()
        }.joined(separator: "\n") + "\n"
    }
}

struct Diverged: Error, CustomStringConvertible {
    var epoch: Int
    var description: String { "The loss is no number any more in epoch \(epoch). A smaller learning rate may help." }
}
