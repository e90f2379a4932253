import Foundation
import Martlet

/// What is printed about an experiment, from what was recorded of it.
struct Report {
    let experiment: String
    let client: Client
    let runs: [RecordedRun]

    init(_ experiment: String) throws {
        self.experiment = experiment
        client = try Client()
        runs = try client.runs(in: experiment)
    }

    private static let metrics = ["train_mse", "test_mse", "train_r2", "test_r2", "weight_norm"]

    func printAllRuns() {
        print("=== All Experiment Runs ===\n")
        line([
            ("Run", 8), ("Algo", 8), ("LR", 6), ("Lam", 6), ("Iter", 6), ("Train MSE", 10), ("Test MSE", 10),
            ("Test R2", 8), ("Status", 8),
        ])
        print(String(repeating: "-", count: 78))
        for run in runs {
            line([
                (run.shownID, 8), (param("algorithm", of: run), 8), (param("learning_rate", of: run), 6),
                (param("lambda", of: run), 6), (param("n_iter", of: run), 6), (metric("train_mse", of: run), 10),
                (metric("test_mse", of: run), 10), (metric("test_r2", of: run), 8), (run.status, 8),
            ])
        }
    }

    func printBest(_ best: RecordedRun) {
        print("\n=== Best Run (by test R2) ===\n")
        print("Run ID: \(best.shownID)")
        print("Parameters:")
        for name in best.paramNames { print("  \(name): \(param(name, of: best))") }
        print("Metrics:")
        for name in Report.metrics { print("  \(name): \(metric(name, of: best, decimals: 6))") }
    }

    /// One setting is changed and the others are held, so that what moves is its effect.
    func printEffectOfLambda() throws {
        print("\n=== Effect of Regularization (lambda) ===\n")
        line([("Lambda", 8), ("Train MSE", 10), ("Test MSE", 10), ("Test R2", 10), ("||w||", 10)])
        print(String(repeating: "-", count: 52))
        let held = try client.runs(
            in: experiment, filter: "params.algorithm = 'Ridge' AND params.learning_rate = 0.01",
            orderBy: "params.lambda")
        for run in held {
            line([
                (param("lambda", of: run), 8), (metric("train_mse", of: run), 10), (metric("test_mse", of: run), 10),
                (metric("test_r2", of: run), 10), (metric("weight_norm", of: run, decimals: 3), 10),
            ])
        }
        print("\nAs lambda increases: train MSE rises (underfitting), weight norm decreases (regularization).")
        print("Optimal lambda balances bias and variance.")
    }

    func printLog() {
        print("\n=== Experiment Log (JSON format) ===\n")
        print("{\n  \"experiment\": \"\(experiment)\",\n  \"n_runs\": \(runs.count),\n  \"runs\": [")
        let lines = runs.map { run in
            "    {\"id\": \"\(run.shownID)\", \"algo\": \"\(param("algorithm", of: run))\", "
                + "\"lambda\": \(param("lambda", of: run)), \"test_r2\": \(metric("test_r2", of: run))}"
        }
        print(lines.joined(separator: ",\n") + "\n  ]\n}")
    }

    func printChecklist() {
        print("\n=== Reproducibility Checklist ===\n")
        for item in [
            "Hyperparameters logged for each run", "Train and test metrics recorded",
            "Model status tracked (done, overfit, failed)", "Experiment comparison and filtering",
        ] { print("  [x] \(item)") }
        for item in [
            "Git commit hash (production systems)", "Data version hash (production systems)",
            "Environment info (Rust version, platform)", "Random seed for exact reproducibility",
        ] { print("  [ ] \(item)") }
    }

    func printSummary(_ best: RecordedRun) {
        print("\nkata_metric(\"n_experiments\", \(runs.count))")
        print("kata_metric(\"best_test_r2\", \(metric("test_r2", of: best)))")
        print("kata_metric(\"best_run_id\", \"\(best.shownID)\")")
    }

    // MARK: Cells

    /// A value that is missing is a dash, as in any table.
    private func param(_ name: String, of run: RecordedRun) -> String { run.params[name]?.description ?? "-" }

    private func metric(_ name: String, of run: RecordedRun, decimals: Int = 4) -> String {
        run.metrics[name].map { String(format: "%.\(decimals)f", $0) } ?? "-"
    }

    private func line(_ cells: [(text: String, width: Int)]) {
        print(
            cells.map { String(repeating: " ", count: max(0, $0.width - $0.text.count)) + $0.text }
                .joined(separator: " "))
    }
}
