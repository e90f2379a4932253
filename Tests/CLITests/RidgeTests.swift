import MartletCLI
import Testing

@Suite("Eight runs of ridge regression, as a lab notebook shows them") struct RidgeTests {
    @Test("log run prints short ids in order, and says once where the new store is")
    func log() async {
        let desk = Desk()
        let seen = await desk.logRidge()
        #expect(seen.map(\.output) == (1...8).map { "run_0\($0)\n" })
        #expect(seen[0].errors == "New store: \(desk.folder)/.martlet\n")
        #expect(seen.dropFirst().allSatisfy { $0.errors.isEmpty && $0.code == .good })
    }

    @Test("runs list shows params as they were logged and metrics to four decimals, `-` where there is none")
    func list() async {
        let desk = Desk()
        _ = await desk.logRidge()
        let seen = await desk.run("runs list ridge_regression_tuning")
        #expect(seen.code == .good)
        #expect(
            seen.output == """
                Run ID  algorithm  learning_rate  lambda  n_iter  test_mse  test_r2  train_mse  train_r2  weight_norm  Status
                -------------------------------------------------------------------------------------------------------------
                run_01  LinReg              0.01       0     500    0.2375   0.9132     0.2084    0.9054       1.4932  done
                run_02  LinReg             0.001       0    1000    0.7506   0.7258     0.5597         -            -  done
                run_03  Ridge               0.01    0.01     500    0.2381   0.9130     0.2094         -       1.4770  done
                run_04  Ridge               0.01     0.1     500    0.2676   0.9022     0.2337         -       1.3430  done
                run_05  Ridge               0.01       1     500    1.0239   0.6260     0.7759         -       0.7010  done
                run_06  Ridge               0.01      10     500    2.5084   0.0837     1.8885         -       0.1230  done
                run_07  Ridge              0.001     0.1    1000    0.8047   0.7060     0.6000         -            -  done
                run_08  Ridge              0.001       1    1000    1.2530   0.5423     0.9345         -            -  done

                """)
    }

    @Test("columns, their titles and the order are the user's; a param orders by its number")
    func columns() async {
        let desk = Desk()
        _ = await desk.logRidge()
        let columns = "Run=run_id,Algo=params.algorithm,Lam=lambda,Train MSE=metrics.train_mse,Test R2=test_r2"
        let seen = await desk.run([
            "runs", "list", Desk.experiment, "--filter", "params.algorithm = 'Ridge' AND params.learning_rate = 0.01",
            "--sort", "lambda", "-c", columns,
        ])
        #expect(
            seen.output == """
                Run     Algo    Lam  Train MSE  Test R2
                ---------------------------------------
                run_03  Ridge  0.01     0.2094   0.9130
                run_04  Ridge   0.1     0.2337   0.9022
                run_05  Ridge     1     0.7759   0.6260
                run_06  Ridge    10     1.8885   0.0837

                """)
    }

    @Test("the best run is reported with every param, and every metric to six decimals")
    func best() async {
        let desk = Desk()
        _ = await desk.logRidge()
        let seen = await desk.run("runs best ridge_regression_tuning --metric test_r2 --goal max")
        #expect(
            seen.output == """
                Run ID: run_01
                Parameters:
                  algorithm: LinReg
                  learning_rate: 0.01
                  lambda: 0
                  n_iter: 500
                Metrics:
                  test_mse: 0.237527
                  test_r2: 0.913230
                  train_mse: 0.208422
                  train_r2: 0.905399
                  weight_norm: 1.493178

                """)
        let worst = await desk.run("runs best ridge_regression_tuning --metric test_r2 --goal min")
        #expect(worst.output.hasPrefix("Run ID: run_06\n"))
    }

    @Test("the export has the keys that were asked for, in their order, a run a line")
    func export() async {
        let desk = Desk()
        _ = await desk.logRidge()
        let columns = "id=run_id,algo=params.algorithm,lambda=params.lambda,test_r2=metrics.test_r2"
        let seen = await desk.run([
            "export", Desk.experiment, "--format", "json", "--columns", columns, "--decimals", "4",
        ])
        #expect(
            seen.output == """
                {
                  "experiment": "ridge_regression_tuning",
                  "n_runs": 8,
                  "runs": [
                    {"id": "run_01", "algo": "LinReg", "lambda": 0, "test_r2": 0.9132},
                    {"id": "run_02", "algo": "LinReg", "lambda": 0, "test_r2": 0.7258},
                    {"id": "run_03", "algo": "Ridge", "lambda": 0.01, "test_r2": 0.913},
                    {"id": "run_04", "algo": "Ridge", "lambda": 0.1, "test_r2": 0.9022},
                    {"id": "run_05", "algo": "Ridge", "lambda": 1, "test_r2": 0.626},
                    {"id": "run_06", "algo": "Ridge", "lambda": 10, "test_r2": 0.0837},
                    {"id": "run_07", "algo": "Ridge", "lambda": 0.1, "test_r2": 0.706},
                    {"id": "run_08", "algo": "Ridge", "lambda": 1, "test_r2": 0.5423}
                  ]
                }

                """)
        let table = await desk.run([
            "export", Desk.experiment, "--format", "csv", "--columns", columns, "--filter", "metrics.test_r2 > 0.9",
            "-o", "ridge.csv",
        ])
        #expect(table.output == "")
        #expect(
            desk.read("ridge.csv")
                == "id,algo,lambda,test_r2\r\nrun_01,LinReg,0,0.91323\r\nrun_03,Ridge,0.01,0.913\r\n"
                + "run_04,Ridge,0.1,0.9022\r\n")
    }

    @Test("the summary is key=value lines, calls, or JSON")
    func summary() async {
        let desk = Desk()
        _ = await desk.logRidge()
        let lines = await desk.run("summary ridge_regression_tuning --metric test_r2")
        #expect(
            lines.output == """
                experiment=ridge_regression_tuning
                n_runs=8
                n_experiments=8
                n_finished=8
                best_test_r2=0.9132
                best_run_id=run_01

                """)
        let calls = await desk.run("summary ridge_regression_tuning --metric test_r2 --call kata_metric")
        for line in [
            "kata_metric(\"n_experiments\", 8)\n", "kata_metric(\"best_test_r2\", 0.9132)\n",
            "kata_metric(\"best_run_id\", \"run_01\")\n",
        ] {
            #expect(calls.output.contains(line))
        }
        let json = await desk.run("summary ridge_regression_tuning --metric test_r2 --json")
        #expect(json.output.contains("\"best_run_id\": \"run_01\""))
    }

    @Test("a run is shown in full, times and all")
    func show() async {
        let desk = Desk()
        _ = await desk.logRidge()
        let seen = await desk.run("runs show run_01 --experiment ridge_regression_tuning")
        #expect(
            seen.output == """
                Run ID         run_01
                ID             00000000000000000000000000000000
                Experiment     ridge_regression_tuning
                Status         done
                Started        2024-01-15 10:30
                Ended          2024-01-15 10:30
                Duration       30 s

                Params
                  algorithm      LinReg
                  learning_rate  0.01
                  lambda         0
                  n_iter         500

                Metrics
                  test_mse       0.2375
                  test_r2        0.9132
                  train_mse      0.2084
                  train_r2       0.9054
                  weight_norm    1.493

                """)
    }

    @Test("a comparison shows what differs, the distance, and what else differs")
    func compare() async {
        let desk = Desk()
        _ = await desk.logRidge()
        let seen = await desk.run("runs compare run_03 run_04 run_05 -m test_r2 -m weight_norm")
        #expect(
            seen.output == """
                Params that differ

                  Param   run_03  run_04  run_05
                  ------------------------------
                  lambda    0.01     0.1       1
                (+3 params the same in all: --all)

                Metrics

                  Metric       run_03             run_04            run_05
                  --------------------------------------------------------
                  test_r2      0.913*  0.9022  (-0.0108)  0.626   (-0.287)
                  weight_norm   1.477     1.343 (-0.134)    0.701 (-0.776)
                * best

                """)
        let two = await desk.run("runs compare run_03 run_05 --metric test_r2")
        #expect(two.output.hasSuffix("\nrun_03 vs run_05: -0.287 test_r2 for +0.99 lambda\n"))
    }

    @Test("a run's own answer comes in any of the forms that scripts read")
    func forms() async {
        let desk = Desk()
        _ = await desk.logRidge()
        let csv = await desk.run("runs list ridge_regression_tuning -c run_id,lambda --csv")
        #expect(csv.output.hasPrefix("run_id,lambda\r\nrun_01,0\r\nrun_02,0\r\nrun_03,0.01\r\n"))
        let json = await desk.run("runs list ridge_regression_tuning -c id=run_id,l=lambda --json --limit 1")
        #expect(
            json.output == """
                {
                  "runs": [
                    {
                      "id": "run_08",
                      "l": 1
                    }
                  ],
                  "total": 8
                }

                """)
        let short = await desk.run("runs list ridge_regression_tuning -c run_id --limit 2")
        #expect(short.output == "run_id\n------\nrun_07\nrun_08\n(+6 earlier runs: --limit 0)\n")
    }
}

@Suite("The table that a lab notebook begins with") struct NotebookTests {
    @Test("is reproduced cell for cell")
    func table() async {
        let desk = Desk()
        await desk.logNotebook()
        let columns =
            "Run ID=run_id,Algorithm=params.algorithm,LR=params.learning_rate,Reg=params.regularization,"
            + "Val Acc=metrics.val_accuracy,Test Acc=metrics.test_accuracy,Status=status"
        let seen = await desk.run(["runs", "list", "notebook", "--columns", columns])
        #expect(
            seen.output == """
                Run ID  Algorithm     LR  Reg  Val Acc  Test Acc  Status
                ---------------------------------------------------------
                run_01  LinReg      0.01  0.0     0.82      0.81  done
                run_02  LinReg      0.01  0.1     0.84      0.83  done
                run_03  Ridge      0.001  1.0     0.85      0.84  done
                run_04  GBT          0.1  0.5     0.87      0.82  overfit
                run_05  GBT         0.05  1.0     0.86      0.85  done

                """)
    }

    @Test("answers its three questions")
    func questions() async {
        let desk = Desk()
        await desk.logNotebook()
        let best = await desk.run(["ask", "Best val_accuracy where algorithm=Ridge"])
        #expect(best.output.hasPrefix("run_03 of notebook: val_accuracy 0.85 (algorithm=Ridge"))
        let all = await desk.run(["ask", "All runs where test_acc > 0.83"])
        #expect(all.output.contains("run_03") && all.output.contains("run_05") && !all.output.contains("run_02"))
        #expect(all.errors.contains("test_accuracy"))
        let compared = await desk.run(["ask", "Compare run_02 vs run_03"])
        #expect(compared.output.contains("run_02 vs run_03: +0.01 test_accuracy, +0.01 val_accuracy for"))
        #expect(compared.output.contains("+0.9 regularization"))
        #expect(compared.output.contains("3 params differ at once"))
        #expect(compared.output.contains("algorithm (LinReg → Ridge)"))
    }

    @Test("a comparison about one param and one metric is the notebook's own sentence, with its warning")
    func sentence() async {
        let desk = Desk()
        await desk.logNotebook()
        let seen = await desk.run("runs compare run_02 run_03 -m val_accuracy -p regularization")
        #expect(seen.output.contains("\nrun_02 vs run_03: +0.01 val_accuracy for +0.9 regularization\n"))
        #expect(
            seen.output.contains(
                "Also different: algorithm (LinReg → Ridge), learning_rate (0.01 → 0.001)."))
    }

    @Test("overfit is no result: the best run is one that ended well")
    func overfit() async {
        let desk = Desk()
        await desk.logNotebook()
        let seen = await desk.run("runs best notebook -m val_accuracy")
        #expect(seen.output.hasPrefix("Run ID: run_05\n"))
        #expect(seen.errors == "More is taken to be better by the metric's name; --goal min for the other way.\n")
    }
}
