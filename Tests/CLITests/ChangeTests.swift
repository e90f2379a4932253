import MartletCLI
import Testing

@Suite("Commands change what they are told to, and say no with a code that scripts know") struct ChangeTests {
    private func desk() async -> Desk {
        let desk = Desk()
        _ = await desk.run("log run digits --param lr=0.1 --metric acc=0.9")
        _ = await desk.run("log run digits --param lr=0.2 --metric acc=0.8")
        return desk
    }

    @Test("what is not there is 3, what cannot be understood is 2, what is refused is 4")
    func codes() async {
        let desk = await desk()
        #expect(await desk.run("runs show run_09").code == .notFound)
        #expect(await desk.run("experiments show nothing").code == .notFound)
        #expect(await desk.run("runs list digits --filter 'metrics.acc >'").code == .usage)
        #expect(await desk.run("runs list digits --nonsense").code == .usage)
        #expect(await desk.run("runs compare run_01").code == .usage)
        #expect(await desk.run("runs list --uri http://127.0.0.1:9").code == .refused)
        #expect(await desk.run("log param run_01 lr=0.3").code == .refused)
        #expect(await desk.run("experiments list --uri ftp://somewhere").code == .usage)
    }

    @Test("a wrong name is answered with the right one")
    func nearest() async {
        let desk = await desk()
        let experiment = await desk.run("runs list digist")
        #expect(experiment.errors.hasPrefix("error: There is no experiment “digist”. Did you mean “digits”?"))
        let metric = await desk.run("runs best digits --metric ac")
        #expect(metric.code == .notFound && metric.errors.contains("Did you mean “acc”?"))
        let column = await desk.run("runs list digits -c run_id,params.lrr")
        #expect(column.code == .good && column.errors == "No run has params.lrr. Did you mean “lr”?\n")
    }

    @Test("a store that is not there is not made by looking for it")
    func noStore() async {
        let desk = Desk()
        let seen = await desk.run("runs list")
        #expect(seen.code == .notFound)
        #expect(seen.errors.hasPrefix("error: There is no store at \(desk.folder)/.martlet yet.\n"))
        #expect(!desk.exists(".martlet"))
    }

    @Test("metrics and params are logged to a run that is there, and a param keeps its first value")
    func log() async {
        let desk = await desk()
        #expect(await desk.run("log metric run_01 loss=0.5 norm=NaN --step 3").code == .good)
        #expect(await desk.run("log param run_01 depth=6 flag=true name=0.10").code == .good)
        let shown = await desk.run("runs show run_01 --json")
        for part in ["\"loss\": 0.5", "\"depth\": 6", "\"flag\": true", "\"norm\": \"NaN\""] {
            #expect(shown.output.contains(part), "\(part)")
        }
        let again = await desk.run("log param run_01 depth=7")
        #expect(again.code == .refused && again.errors.contains("6") && again.errors.contains("7"))
    }

    @Test("numbers are short for people and whole for programs")
    func numbers() async {
        let desk = Desk()
        _ = await desk.run("log run n --param lr=0.12345678901234 --metric tiny=0.0000123 --metric big=12345.678")
        let seen = await desk.run("runs list n -c lr,tiny,big")
        #expect(
            seen.output
                == "      lr      tiny        big\n-----------------------------\n0.123457  1.23e-05  12345.678\n")
        #expect(
            await desk.run("runs list n -c lr,tiny,big --csv").output.hasSuffix(
                "0.12345678901234,1.23e-05,12345.678\r\n"))
    }

    @Test("completion offers the store's own names, and nothing when there is no store")
    func complete() async {
        let desk = await desk()
        #expect(await desk.run("complete experiments").output == "Default\ndigits\n")
        #expect(await desk.run("complete runs").output == "run_02\nrun_01\n")
    }

    @Test("tags come and go, notes are kept in order, an end may be corrected")
    func words() async {
        let desk = await desk()
        #expect(await desk.run("runs tag run_01 production team=vision").code == .good)
        #expect(
            await desk.run(["runs", "list", "digits", "--filter", "tags.team = 'vision'", "-c", "run_id"])
                .output.contains("run_01"))
        #expect(await desk.run("runs untag run_01 production").code == .good)
        let shown = await desk.run("runs show run_01")
        #expect(shown.output.contains("  team") && !shown.output.contains("production"))
        #expect(await desk.run("runs note run_01 'First *idea*.'").code == .good)
        #expect(await desk.run("runs note run_01 'Second.'").code == .good)
        let notes = await desk.run("runs note run_01")
        #expect(notes.output.contains("First *idea*.\n") && notes.output.contains("Second.\n"))
        #expect(await desk.run("runs end run_01 --status overfit").code == .good)
        #expect(await desk.run("runs show run_01").output.contains("overfit (finished)"))
    }

    @Test("deleting asks nothing and can be undone; for good needs --yes")
    func delete() async {
        let desk = await desk()
        #expect(await desk.run("runs delete run_02 -e digits").code == .good)
        #expect(await desk.run("runs list digits -c run_id").output == "run_id\n------\nrun_01\n")
        #expect(await desk.run("runs list digits -c run_id --deleted").output == "run_id\n------\nrun_02\n")
        #expect(await desk.run("runs restore run_02 -e digits").code == .good)
        #expect(await desk.run("runs list digits -c run_id").output == "run_id\n------\nrun_01\nrun_02\n")
        let refused = await desk.run("runs delete run_02 --permanent")
        #expect(refused.code == .usage && refused.errors.contains("--yes"))
        #expect(await desk.run("runs delete run_02 --permanent --yes").code == .good)
        #expect(await desk.run("runs restore run_02").code == .notFound)
    }

    @Test("experiments are created, listed, deleted and restored")
    func experiments() async {
        let desk = await desk()
        #expect(await desk.run("experiments create wide --hypothesis 'Wider is better.' --tag vision").code == .good)
        #expect(await desk.run("experiments list").output.contains("wide"))
        #expect(await desk.run("experiments show wide").output.contains("Wider is better."))
        #expect(await desk.run("experiments delete wide").code == .good)
        #expect(await !desk.run("experiments list").output.contains("wide"))
        #expect(await desk.run("experiments restore wide").code == .good)
        #expect(await desk.run("experiments list --csv").output.contains("wide"))
        #expect(await desk.run("projects create vision --team ml").output == "vision\n")
        #expect(await desk.run("projects list --team ml").output.contains("vision"))
    }

    @Test("an artifact comes back byte for byte, and a file that is there is not overwritten unasked")
    func artifacts() async {
        let desk = await desk()
        desk.write("weights \u{1}\r\n", to: "model.bin")
        #expect(await desk.run("log artifact run_01 model.bin --as out/model.bin --type model").code == .good)
        let listed = await desk.run("artifacts list run_01")
        #expect(listed.output.contains("out/model.bin") && listed.output.contains("model"))
        #expect(await desk.run("artifacts get run_01 out/model.bin -o copy.bin").code == .good)
        #expect(desk.read("copy.bin") == "weights \u{1}\r\n")
        #expect(await desk.run("artifacts get run_01 out/model.bin").code == .refused)
        #expect(await desk.run("artifacts get run_01 nothing.bin").code == .notFound)
        #expect(!desk.exists("nothing.bin"))
        #expect(await desk.run("artifacts delete run_01 out/model.bin").code == .good)
        #expect(await desk.run("artifacts get run_01 out/model.bin -o more.bin").code == .notFound)
    }

    @Test("prune keeps what is young, running, or tagged production, and shows before it acts")
    func prune() async {
        let desk = Desk()
        for (end, tag) in [("2023-01-01", "a"), ("2023-01-02", "production"), ("2024-02-20", "b")] {
            _ = await desk.run("log run old --start 2022-12-31 --end \(end) --tag \(tag)")
        }
        let shown = await desk.run("prune --older-than 6m --dry-run")
        #expect(shown.output == "old/run_01  2023-01-01  run_01\n" || shown.output.hasPrefix("old/run_01  2023-01-01"))
        #expect(shown.errors == "1 run would be deleted, ended before 2023-08-31. 1 kept for their tags.\n")
        #expect(await desk.run("runs list old -c run_id").output.contains("run_01"))
        #expect(await desk.run("prune --older-than 6m").code == .good)
        #expect(await desk.run("runs list old -c run_id").output == "run_id\n------\nrun_02\nrun_03\n")
        #expect(await desk.run("prune --older-than 6m --purge").code == .usage)
        #expect(await desk.run("prune --older-than never").code == .usage)
    }

    @Test("users and tokens are kept in a folder too; a secret is shown once")
    func users() async {
        let desk = await desk()
        let added = await desk.run("users add ada --role admin")
        #expect(added.code == .good && added.output.hasPrefix("mlt_"))
        #expect(await desk.run("users list").output.contains("ada"))
        #expect(await desk.run("users disable adda").errors.contains("Did you mean “ada”?"))
        let secret = await desk.run("tokens create ada --label laptop --days 30")
        #expect(secret.output.hasPrefix("mlt_"))
        let tokens = await desk.run("tokens list")
        #expect(tokens.output.contains("laptop") && !tokens.output.contains("mlt_"))
    }
}
