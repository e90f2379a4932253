// Eight ridge regressions, logged and compared: what an experiment looks like from its first line to its last. Everything
// that is printed was read back from the store.
//
//     MARTLET_TRACKING_URI=/tmp/ridge swift run martlet-ridge
import Foundation
import Martlet

let experiment = "ridge_regression_tuning"
print("=== Experiment Tracking ===\n")

var source = NormalSource()
let training = Table(count: 150, from: &source)
let test = Table(count: 50, from: &source)

for configuration in Configuration.tried {
    let run = Martlet.startRun(experiment: experiment, params: configuration)
    let model = Ridge(configuration, on: training)
    let trainingError = model.meanSquaredError(on: training)
    let testError = model.meanSquaredError(on: test)
    run.logMetrics([
        "train_mse": trainingError, "test_mse": testError, "train_r2": model.rSquared(on: training),
        "test_r2": model.rSquared(on: test), "weight_norm": model.norm,
    ])
    let weights = try JSONEncoder().encode(model.weights)
    run.logArtifact(Array(weights), as: "weights.json", type: "model")
    run.finish(status: testError > trainingError * 2 ? "overfit" : "done")
}

do {
    let report = try Report(experiment)
    report.printAllRuns()
    guard let best = try report.client.bestRun(by: "test_r2", in: experiment, goal: .max) else {
        print("\nNo run ended well.")
        exit(1)
    }
    report.printBest(best)
    try report.printEffectOfLambda()
    report.printLog()
    report.printChecklist()
    report.printSummary(best)
} catch {
    FileHandle.standardError.write(Data("martlet-ridge: \(error)\n".utf8))
    exit(1)
}
