import MartletCLI
import MartletObservability
import MartletServer
import MartletStorage
import Testing

@Suite("Which store is meant, and what is done to its folder") struct FolderTests {
    @Test("a store is found upward, at the git root, or where one is told to look")
    func place() async {
        let desk = Desk()
        _ = await desk.run("log run digits --uri \(desk.folder)/elsewhere")
        #expect(desk.exists("elsewhere/martlet.db"))
        let byEnvironment = await desk.run("experiments list --csv", adding: ["MARTLET_TRACKING_URI": "elsewhere"])
        #expect(byEnvironment.output.contains("digits"))
        _ = await desk.run("log run here")
        #expect(desk.exists(".martlet/martlet.db"))
        let byProject = await desk.run("experiments list --csv --uri \(desk.folder)")
        #expect(byProject.output.contains("here") && !byProject.output.contains("digits"))
    }

    @Test("du counts all that is there, and its parts add up")
    func usage() async {
        let desk = Desk()
        _ = await desk.run("log run digits --metric acc=0.9")
        desk.write(String(repeating: "x", count: 100_000), to: "big.txt")
        _ = await desk.run("log artifact run_01 big.txt")
        let seen = await desk.run("du --csv")
        var disk: [String: Int] = [:]
        for line in seen.output.split(whereSeparator: \.isNewline).dropFirst() {
            let fields = line.split(separator: ",")
            disk[String(fields[0])] = Int(fields[3])
        }
        let parts = disk.filter { $0.key != "total" }.values.reduce(0, +)
        #expect(disk["total"] == parts && parts > 0)
        #expect((100_000...).contains(disk["artifacts"] ?? 0))
    }

    @Test("a backup made while the store is open becomes a store again, whole")
    func backup() async {
        let desk = Desk()
        _ = await desk.run("log run digits --param lr=0.1 --metric acc=0.9")
        desk.write("bytes", to: "model.bin")
        _ = await desk.run("log artifact run_01 model.bin")
        #expect(await desk.run("backup saved").code == .good)
        _ = await desk.run("log run digits --metric acc=0.7")
        #expect(await desk.run("backup saved").code == .good)
        #expect(await desk.run("restore saved again").code == .good)
        #expect(await desk.run("runs list digits -c run_id --uri again").output == "run_id\n------\nrun_01\nrun_02\n")
        #expect(await desk.run("artifacts get run_01 model.bin -o out.bin --uri again -e digits").code == .good)
        #expect(desk.read("out.bin") == "bytes")
        #expect(await desk.run("fsck --read --uri again").code == .good)
        #expect(await desk.run("restore saved again").code == .refused)
        #expect(await desk.run("backup .martlet/inside").code == .usage)
    }

    @Test("fsck says no when an artifact's bytes are not what they were")
    func fsck() async {
        let desk = Desk()
        _ = await desk.run("log run digits")
        desk.write("bytes", to: "model.bin")
        _ = await desk.run("log artifact run_01 model.bin")
        #expect(await desk.run("fsck --read").code == .good)
        let digest = "277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9"
        desk.write("betes", to: ".martlet/artifacts/\(digest.prefix(2))/\(digest.dropFirst(2))")
        #expect(await desk.run("fsck").code == .good)
        let seen = await desk.run("fsck --read")
        #expect(seen.code == .no && seen.output.contains("Its bytes are others now"))
        #expect(
            seen.output.contains("“model.bin” of digits/run_01") && seen.errors.contains("upload the same file again"))
        _ = await desk.run("log artifact run_01 model.bin --as again.bin")
        #expect(await desk.run("fsck --read").code == .good)
    }

    @Test("doctor finds nothing wrong with a healthy store, and says where it is")
    func doctor() async {
        let desk = Desk()
        _ = await desk.run("log run digits")
        let seen = await desk.run("doctor")
        #expect(seen.code == .good, "\(seen.output)")
        #expect(seen.output.contains("\(desk.folder)/.martlet\n") && seen.output.contains("SQLite "))
        let unreachable = await desk.run("doctor --uri http://127.0.0.1:9")
        #expect(unreachable.code == .no && unreachable.output.contains("FAULT"))
    }

    @Test("logbooks that a training program leaves are taken in by whoever opens the folder")
    func logbooks() async {
        let desk = Desk()
        _ = await desk.run("log run other")
        desk.makeFolder(".martlet/logbooks")
        desk.makeFolder(".martlet/logbooks/live")
        let run = String(repeating: "ab", count: 16)
        desk.write(
            """
            {"w":"w1","seq":1,"t":1700000000000,"run":"\(run)","op":"run","experiment":"digits","start":1700000000000}
            {"w":"w1","seq":2,"t":1700000001000,"run":"\(run)","op":"metrics","step":1,"m":{"loss":0.5}}
            {"w":"w1","seq":3,"t":1700000002000,"run":"\(run)","op":"state","status":"done","end":1700000003000}

            """, to: ".martlet/logbooks/live/w1.jsonl")
        let seen = await desk.run("runs list digits -c run_id,metrics.loss,status")
        #expect(seen.output == "run_id  loss  status\n--------------------\nrun_01   0.5  done\n")
    }

    @Test("du and doctor say what is kept of adopted logbooks and what for, and a backup is remembered")
    func adopted() async {
        let desk = Desk()
        _ = await desk.run("log run other")
        for folder in ["", "/live"] { desk.makeFolder(".martlet/logbooks" + folder) }
        let run = String(repeating: "ab", count: 16)
        desk.write(
            """
            {"w":"w1","seq":1,"t":1700000000000,"run":"\(run)","op":"run","experiment":"digits"}
            {"w":"w1","seq":2,"t":1700000002000,"run":"\(run)","op":"state","status":"done"}

            """, to: ".martlet/logbooks/live/w1.jsonl")
        _ = await desk.run("runs list digits")
        let kept = "1 adopted, "
        let doctor = await desk.run("doctor")
        #expect(doctor.code == .good && doctor.output.contains(kept), "\(doctor.output)")
        #expect(doctor.output.contains("1 until 30 days old"))
        let table = await desk.run("du")
        #expect(table.errors.contains(kept) && table.output.contains("adopted"))
        let json = await desk.run("du --json")
        #expect(json.output.replacing(" ", with: "").replacing("\n", with: "").contains("\"age\":1,"))
        #expect(await desk.run("backup saved").code == .good)
        #expect(await desk.run("restore saved again").code == .good)
        #expect(await desk.run("doctor --uri again").output.contains(kept))
    }

    @Test("the user's config file names a store, and what is said aloud wins over it")
    func config() async {
        let desk = Desk()
        _ = await desk.run("log run kept --uri \(desk.folder)/kept")
        desk.makeFolder(".config")
        desk.makeFolder(".config/martlet")
        desk.write("# where my runs are\nuri = \"\(desk.folder)/kept\"\n", to: ".config/martlet/config.toml")
        #expect(await desk.run("experiments list --csv").output.contains("kept"))
        #expect(await desk.run("experiments list --uri \(desk.folder)/other").code == .notFound)
    }

    @Test("the nearest .martlet upward is meant, but none above the git root")
    func upward() async {
        let desk = Desk()
        _ = await desk.run("log run outside")
        for folder in ["project", "project/.git", "project/src"] { desk.makeFolder(folder) }
        let seen = await desk.run("log run inside", in: "project/src")
        #expect(seen.errors == "New store: \(desk.folder)/project/.martlet\n")
        let again = await desk.run("experiments list --csv", in: "project/src")
        #expect(again.output.contains("inside") && !again.output.contains("outside"))
    }

    @Test("the history is exported point by point, in JSON inside each run, as CSV a line a point")
    func history() async {
        let desk = Desk()
        _ = await desk.run("log run digits --param lr=0.1")
        for step in 1...3 {
            _ = await desk.run("log metric run_01 loss=0.\(step) --step \(step) --time 170000000000\(step)")
        }
        let json = await desk.run("export digits -c id=run_id --format jsonl --history")
        #expect(
            json.output == "{\"id\": \"run_01\", \"history\": {\"loss\": [[1, 0.1], [2, 0.2], [3, 0.3]]}}\n")
        let csv = await desk.run("export digits --format csv --history")
        #expect(
            csv.output.hasPrefix("run_id,metric,step,timestamp,value\r\nrun_01,loss,1,2023-11-14T22:13:20.001Z,0.1\r\n")
        )
    }

    @Test("what is deleted for good gives its bytes back in a folder that no server opens")
    func purge() async {
        let desk = Desk()
        _ = await desk.run("log run old --end 2023-01-01 --start 2022-12-31 --metric acc=0.9")
        #expect(await desk.run("prune --older-than 6m --purge --yes").code == .good)
        #expect(await desk.run("runs list old -c run_id --csv").output == "run_id\r\n")
        #expect(await desk.run("runs restore run_01").code == .notFound)
        #expect(await desk.run("fsck").code == .good)
    }

    @Test("serve reads its options from the command line and the environment")
    func serve() async throws {
        let options = try await Served.options(
            "serve --host 0.0.0.0 --data /srv/martlet --allowed-hosts a.example,b.example --limit-params 5 --debug",
            environment: ["PORT": "9000", "COMPAT_PORTS": "8000, 8001", "AUTH_MODE": "none"])
        #expect(options?.host == "0.0.0.0" && options?.port == 9000 && options?.compatPorts == [8000, 8001])
        #expect(options?.folder == "/srv/martlet" && options?.allowedHosts == ["a.example", "b.example"])
        #expect(options?.limits.params == 5 && options?.logLevel == .debug && options?.authMode == "none")
        #expect(try await Served.options("serve --tls-cert x.pem", environment: [:]) == nil)
        #expect(options?.logbookDays == 30)
        #expect(try await Served.options("serve --keep-logbooks 0", environment: [:])?.logbookDays == 0)
    }
}
