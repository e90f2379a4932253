// A neural network that learns to part two spirals, once for each of several seeds, side by side: curves, params,
// artifacts, a parent run with what they have in common, and a look back at all of it.
//
//     MARTLET_TRACKING_URI=/tmp/spirals swift run -c release martlet-spirals [EPOCHS] [SEEDS]
import Foundation
import Martlet

let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let epochs = max(1, numbers.first ?? 150)
let seeds = Array(1...max(1, numbers.dropFirst().first ?? 3))
let experiment = "two spirals"

let study = Martlet.startRun(
    experiment: experiment, name: "study of \(seeds.count) seeds", params: ["epochs": .int(epochs)],
    tags: ["kind": "study"])
study.note("How much of the accuracy is the seed's? Same settings, \(seeds.count) seeds.")
study.defineMetric("*loss", goal: .min)
study.defineMetric("*accuracy", goal: .max, summary: "max")

let accuracies = try await withThrowingTaskGroup(of: Double.self) { group in
    for seed in seeds {
        group.addTask {
            let configuration = Configuration(seed: seed, epochs: epochs)
            // A network that diverges fails its run, and with it this program.
            return try await withRun(
                experiment: experiment, name: "seed \(seed)", params: Params(configuration), tags: ["kind": "seed"],
                parent: study, group: "seeds"
            ) { run in
                try Training(configuration: configuration).run(run)
            }
        }
    }
    return try await group.reduce(into: []) { $0.append($1) }
}
let mean = accuracies.reduce(0, +) / Double(accuracies.count)
let variance = accuracies.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, accuracies.count - 1))
study.logMetrics(["accuracy/mean": mean, "accuracy/deviation": variance.squareRoot()])
let delivery = await study.finish()

let client = try Client()
print("run      name      test accuracy  best  points")
for run in try await client.runs(in: experiment, filter: "parent = '\(study.id)'", orderBy: "name") {
    let points = try await client.history(of: run.id, metrics: ["test/accuracy"]).first?.points.count ?? 0
    print(
        String(
            format: "%@   %@    %13.4f  %.2f  %6d", run.shownID, run.name, run.metrics["test/accuracy"] ?? .nan,
            run.metrics["best_test_accuracy"] ?? .nan, points))
}
print(String(format: "mean accuracy %.4f, deviation %.4f", mean, variance.squareRoot()))
if !delivery.isComplete { print("Not all of it is on disk yet: \(delivery.problem ?? "the store is slow").") }
