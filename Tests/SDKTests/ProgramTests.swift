import Foundation
import Testing

@testable import Martlet

/// The example programs, started as anyone would start them.
@Suite("Whole programs track what they do", .serialized) struct ProgramTests {
    struct Ended {
        var status: Int32
        var output: String
        var errors: String
    }

    /// A program at work.
    struct Started {
        let process: Process
        fileprivate let outputPath: String
        fileprivate let errorsPath: String

        var errors: String { get throws { try String(contentsOfFile: errorsPath, encoding: .utf8) } }

        func end() throws -> Ended {
            process.waitUntilExit()
            return Ended(
                status: process.terminationStatus, output: try String(contentsOfFile: outputPath, encoding: .utf8),
                errors: try errors)
        }
    }

    static func run(_ name: String, _ arguments: [String] = [], store: String, in bench: Bench) throws -> Ended {
        try start(name, arguments, store: store, in: bench).end()
    }

    static func start(_ name: String, _ arguments: [String], store: String, in bench: Bench) throws -> Started {
        let here = URL(filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        // The tests run from the folder that the programs are built in, or as a bundle that lies there.
        let folder = here.deletingLastPathComponent()
        let built = [folder, URL(filePath: Bundle.main.bundlePath), URL(filePath: CommandLine.arguments[0])]
            .flatMap { [$0, $0.deletingLastPathComponent()] }.map { $0.appending(path: name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
        let program: URL = try #require(built, "There is no program \(name) beside the tests.")
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = [
            "MARTLET_TRACKING_URI": store, "HOME": bench.folder, "PATH": "/usr/bin:/bin",
        ]
        process.currentDirectoryURL = URL(filePath: bench.folder)
        let (output, errors) = (bench.folder + "/out-\(UUID())", bench.folder + "/err-\(UUID())")
        for path in [output, errors] { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: errors)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return Started(process: process, outputPath: output, errorsPath: errors)
    }

    @Test("eight ridge regressions come out as they do in any language", arguments: Place.allCases)
    func ridge(_ place: Place) async throws {
        try await withStore(place) { uri, bench in
            let ended = try ProgramTests.run("martlet-ridge", store: uri, in: bench)
            #expect(ended.status == 0, "\(ended.errors)")
            #expect(ended.output == RidgeOutput.text)
            #expect(ended.errors.split(separator: "\n").count == 1, "One line says where the runs are: \(ended.errors)")

            let client = try Client(uri)
            let runs = try await client.runs(in: "ridge_regression_tuning")
            #expect(runs.count == 8 && runs.allSatisfy { $0.status == "done" && $0.artifactPaths == ["weights.json"] })
            let best = try #require(try await client.bestRun(by: "test_r2", in: "ridge_regression_tuning", goal: .max))
            #expect(best.shortID == "run_01")
            #expect(abs((best.metrics["test_r2"] ?? 0) - 0.913230) < 5e-7)
            let comparison = try await client.compare(["run_03", "run_06"], in: "ridge_regression_tuning")
            #expect(comparison.differingParams.map(\.name) == ["lambda"])
            #expect((comparison.change(of: "weight_norm") ?? 0) < -1.3)
        }
    }

    @Test("a network learns, and its curves, settings and files are kept for each seed")
    func spirals() async throws {
        try await withStore(.folder) { uri, bench in
            let ended = try ProgramTests.run("martlet-spirals", ["6", "2"], store: uri, in: bench)
            #expect(ended.status == 0, "\(ended.errors)")
            let client = try Client(uri)
            let seeds = try await client.runs(in: "two spirals", filter: "tags.kind = 'seed'", orderBy: "name")
            #expect(seeds.map(\.name) == ["seed 1", "seed 2"])
            for run in seeds {
                #expect(run.state == "finished" && run.params["optimizer.learning_rate"] == 0.02)
                #expect(run.params["hidden"] == [16, 16] && run.params["data.noise"] == 0.03)
                #expect(Set(run.artifactPaths) == ["model/weights.json", "predictions.csv", "plane.txt"])
                let curves = try await client.history(of: run.id)
                let loss = try #require(curves.first { $0.metric == "train/loss" })
                #expect(loss.points.count == 6 && loss.values[5] < loss.values[0])
                #expect(curves.first { $0.metric == "batch/loss" }?.points.count == 60)
            }
            let study = try #require(try await client.runs(in: "two spirals", filter: "tags.kind = 'study'").first)
            #expect(seeds.allSatisfy { $0.parentID == study.id })
            #expect(study.metrics["accuracy/mean"] != nil)
        }
    }
}

/// What the eight regressions print.
enum RidgeOutput {
    static let text = """
        === Experiment Tracking ===

        === All Experiment Runs ===

             Run     Algo     LR    Lam   Iter  Train MSE   Test MSE  Test R2   Status
        ------------------------------------------------------------------------------
          run_01   LinReg   0.01      0    500     0.2084     0.2375   0.9132     done
          run_02   LinReg  0.001      0   1000     0.5597     0.7506   0.7258     done
          run_03    Ridge   0.01   0.01    500     0.2094     0.2381   0.9130     done
          run_04    Ridge   0.01    0.1    500     0.2337     0.2676   0.9022     done
          run_05    Ridge   0.01      1    500     0.7759     1.0239   0.6260     done
          run_06    Ridge   0.01     10    500     1.8885     2.5084   0.0837     done
          run_07    Ridge  0.001    0.1   1000     0.6000     0.8047   0.7060     done
          run_08    Ridge  0.001      1   1000     0.9345     1.2530   0.5423     done

        === Best Run (by test R2) ===

        Run ID: run_01
        Parameters:
          algorithm: LinReg
          learning_rate: 0.01
          lambda: 0
          n_iter: 500
        Metrics:
          train_mse: 0.208422
          test_mse: 0.237527
          train_r2: 0.905399
          test_r2: 0.913230
          weight_norm: 1.493178

        === Effect of Regularization (lambda) ===

          Lambda  Train MSE   Test MSE    Test R2      ||w||
        ----------------------------------------------------
            0.01     0.2094     0.2381     0.9130      1.477
             0.1     0.2337     0.2676     0.9022      1.343
               1     0.7759     1.0239     0.6260      0.701
              10     1.8885     2.5084     0.0837      0.123

        As lambda increases: train MSE rises (underfitting), weight norm decreases (regularization).
        Optimal lambda balances bias and variance.

        === Experiment Log (JSON format) ===

        {
          "experiment": "ridge_regression_tuning",
          "n_runs": 8,
          "runs": [
            {"id": "run_01", "algo": "LinReg", "lambda": 0, "test_r2": 0.9132},
            {"id": "run_02", "algo": "LinReg", "lambda": 0, "test_r2": 0.7258},
            {"id": "run_03", "algo": "Ridge", "lambda": 0.01, "test_r2": 0.9130},
            {"id": "run_04", "algo": "Ridge", "lambda": 0.1, "test_r2": 0.9022},
            {"id": "run_05", "algo": "Ridge", "lambda": 1, "test_r2": 0.6260},
            {"id": "run_06", "algo": "Ridge", "lambda": 10, "test_r2": 0.0837},
            {"id": "run_07", "algo": "Ridge", "lambda": 0.1, "test_r2": 0.7060},
            {"id": "run_08", "algo": "Ridge", "lambda": 1, "test_r2": 0.5423}
          ]
        }

        === Reproducibility Checklist ===

          [x] Hyperparameters logged for each run
          [x] Train and test metrics recorded
          [x] Model status tracked (done, overfit, failed)
          [x] Experiment comparison and filtering
          [ ] Git commit hash (production systems)
          [ ] Data version hash (production systems)
          [ ] Environment info (Rust version, platform)
          [ ] Random seed for exact reproducibility

        kata_metric("n_experiments", 8)
        kata_metric("best_test_r2", 0.9132)
        kata_metric("best_run_id", "run_01")

        """
}
