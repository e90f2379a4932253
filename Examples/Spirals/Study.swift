// A neural network that learns to part two spirals, once for each of several seeds, side by side: curves, params,
// artifacts, a parent run with what they have in common, and a look back at all of it.
//
//     MARTLET_TRACKING_URI=/tmp/spirals swift run -c release martlet-spirals [EPOCHS] [SEEDS]
import Foundation
import Martlet

@main struct Study {
    static let experiment = "two spirals"

    static func main() async {
        do { try await study() } catch {
            // An error that leaves `main` is a trap, and a trap does not wait for what was logged.
            FileHandle.standardError.write(Foundation.Data("martlet-spirals: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func study() async throws {
        let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        let epochs = max(1, numbers.first ?? 150)
        let seeds = Array(1...max(1, numbers.dropFirst().first ?? 3))

        let study = Martlet.startRun(
            experiment: experiment, name: "study of \(seeds.count) seeds", params: ["epochs": .int(epochs)],
            tags: ["kind": "study"])
        study.note("How much of the accuracy is the seed's? Same settings, \(seeds.count) seeds.")
        study.defineMetric("*loss", goal: .min)
        study.defineMetric("*accuracy", goal: .max, summary: "max")

        let accuracies = try await train(seeds, epochs: epochs, in: study)
        let mean = accuracies.reduce(0, +) / Double(accuracies.count)
        let variance = accuracies.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, seeds.count - 1))
        study.logMetrics(["accuracy/mean": mean, "accuracy/deviation": variance.squareRoot()])
        let delivery = await study.finish()

        try await printRuns(of: study)
        print(String(format: "mean accuracy %.4f, deviation %.4f", mean, variance.squareRoot()))
        if !delivery.isComplete { print("Not all is on disk yet: \(delivery.problem ?? "the store is slow").") }
    }

    /// Each seed on a thread of its own, as a child of the study. A network that diverges fails its run, and with it
    /// this program.
    private static func train(_ seeds: [Int], epochs: Int, in study: Run) async throws -> [Double] {
        try await withThrowingTaskGroup(of: Double.self) { group in
            for seed in seeds {
                group.addTask {
                    let configuration = Configuration(seed: seed, epochs: epochs)
                    return try Martlet.withRun(
                        experiment: experiment, name: "seed \(seed)", params: Params(configuration),
                        tags: ["kind": "seed"], parent: study, group: "seeds"
                    ) { run in
                        try Training(configuration: configuration).run(run)
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private static func printRuns(of study: Run) async throws {
        let client = try Client()
        print("run      name      test accuracy  best  points")
        for run in try await client.runs(in: experiment, filter: "parent = '\(study.id)'", orderBy: "name") {
            let curve = try await client.history(of: run.id, metrics: ["test/accuracy"]).first
            let cells = String(
                format: "%13.4f  %.2f  %6d", run.metrics["test/accuracy"] ?? .nan,
                run.metrics["best_test_accuracy"] ?? .nan, curve?.points.count ?? 0)
            print("\(run.shownID)   \(run.name)    \(cells)")
        }
    }
}
