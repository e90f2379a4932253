import Glibc
import MartletCLI
import MartletObservability
import MartletServer
import Synchronization
import Testing

/// A server on a free port of this machine, on a thread of its own, until it is let go.
private final class TestServer: Sendable {
    private final class Stop: @unchecked Sendable {
        // A POSIX semaphore is thread-safe by its nature and must not move.
        let raw = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        init() { sem_init(raw, 0, 0) }
        deinit { raw.deallocate() }
        func wait() { while sem_wait(raw) != 0 && errno == EINTR {} }
        func ring() { sem_post(raw) }
    }

    private let terminal = RecordedTerminal()
    private let stop = Stop()
    private let ended = Stop()

    init(folder: String) {
        var options = ServerSettings(folder: folder)
        options.port = 0
        options.logLevel = .error
        let work = Work { [terminal, stop, ended, options] in
            _ = try? World.serve(options, in: terminal, until: stop.wait)
            ended.ring()
        }
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { raw in
                if let raw { Unmanaged<Work>.fromOpaque(raw).takeRetainedValue().body() }
                return nil
            }, Unmanaged.passRetained(work).toOpaque())
        pthread_detach(thread)
    }

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Waits until it answers.
    var address: String? {
        for _ in 0..<500 {
            let line = terminal.output.split(separator: "\n").first { $0.contains("http://") }
            if let word = line?.split(separator: " ").last { return String(word) }
            usleep(20_000)
        }
        return nil
    }

    func close() {
        stop.ring()
        ended.wait()
    }
}

@Suite("A server and a folder give the same answers") struct ServerTests {
    @Test(
        "what is printed does not tell where it came from",
        arguments: [
            "runs list ridge_regression_tuning", "runs list --csv", "runs show run_03", "runs show run_03 --json",
            "runs compare run_03 run_05 --all", "runs best ridge_regression_tuning -m test_mse",
            "export ridge_regression_tuning", "export ridge_regression_tuning --format csv --history",
            "summary ridge_regression_tuning", "experiments list", "experiments show ridge_regression_tuning",
            "search 'metrics.test_r2 > 0.9' --sort -test_r2", "runs list digist", "search 'metrics.'",
            "artifacts list run_01", "plot run_01 curve --height 8", "runs show nothing",
        ])
    func same(_ line: String) async throws {
        let desk = Desk()
        _ = await desk.logRidge()
        for step in 0..<5 { _ = await desk.run("log metric run_01 curve=\(step * step) --step \(step)") }
        desk.write("bytes", to: "model.bin")
        _ = await desk.run("artifacts put run_01 model.bin")
        let server = TestServer(folder: desk.folder + "/.martlet")
        defer { server.close() }
        let address = try #require(server.address)
        let near = await desk.run(line)
        let far = await desk.run("--uri \(address) \(line)")
        #expect(near.output == far.output)
        #expect(near.errors == far.errors)
        #expect(near.code == far.code)
        #expect(!near.output.isEmpty || !near.errors.isEmpty)
    }

    @Test("files go to a server and come back, and logbooks are sent once, however often one asks")
    func transfers() async throws {
        let desk = Desk()
        let server = TestServer(folder: desk.folder + "/served")
        defer { server.close() }
        let address = try #require(server.address)
        let far = ["MARTLET_TRACKING_URI": address]

        _ = await desk.run("log run digits", adding: far)
        let text = String(repeating: "weights ", count: 300_000)
        desk.write(text, to: "model.bin")
        #expect(await desk.run("log artifact run_01 model.bin", adding: far).code == .good)
        #expect(await desk.run("artifacts get run_01 model.bin -o copy.bin", adding: far).code == .good)
        #expect(desk.read("copy.bin") == text)

        for folder in ["lab", "lab/logbooks", "lab/logbooks/live", "lab/artifacts", "lab/artifacts/27"] {
            desk.makeFolder(folder)
        }
        let run = String(repeating: "ab", count: 16)
        let digest = "277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9"
        desk.write("bytes", to: "lab/artifacts/27/\(digest.dropFirst(2))")
        desk.write(
            """
            {"w":"w1","seq":1,"t":1700000000000,"run":"\(run)","op":"run","experiment":"lab","start":1700000000000}
            {"w":"w1","seq":2,"t":1700000001000,"run":"\(run)","op":"metrics","step":1,"m":{"loss":0.5}}
            {"w":"w1","seq":3,"t":1700000002000,"run":"\(run)","op":"artifact","path":"m.bin","sha256":"\(digest)","size":5}
            {"w":"w1","seq":4,"t":1700000002000,"run":"\(run)","op":"state","status":"done","end":1700000003000}
            {"w":"w1","seq":5,"t":17000000020
            """, to: "lab/logbooks/live/w1.jsonl")
        let first = await desk.run("sync lab \(address)")
        #expect(first.code == .good && first.errors == "1 logbook: 4 lines sent; 1 file sent.\n")
        let again = await desk.run("sync lab \(address)")
        #expect(again.errors == "1 logbook: 0 lines sent, 4 there before; 0 files sent.\n")
        let seen = await desk.run("runs list lab -c run_id,metrics.loss,status", adding: far)
        #expect(seen.output == "run_id  loss  status\n--------------------\nrun_01   0.5  done\n")
        #expect(await desk.run("artifacts get run_01 m.bin -e lab -o m.bin", adding: far).code == .good)
        #expect(desk.read("m.bin") == "bytes")

        // Once a folder was opened its logbooks are put away compressed, and are sent all the same.
        _ = await desk.run("runs list --uri lab")
        #expect(!desk.exists("lab/logbooks/live/w1.jsonl"))
        let archived = await desk.run("sync lab \(address)")
        #expect(archived.errors == "1 logbook: 0 lines sent, 4 there before; 0 files sent.\n")
    }

    @Test("a token is kept for its server where nobody else may read it")
    func login() async throws {
        let desk = Desk()
        let server = TestServer(folder: desk.folder + "/served")
        defer { server.close() }
        let address = try #require(server.address)
        let terminal = RecordedTerminal(environment: ["HOME": desk.folder])
        var world = World.system(terminal)
        world.readSecret = { _ in "mlt_secret" }
        let code = await CLI.program(world).run(["login", address], in: terminal)
        #expect(code == .good)
        #expect(!terminal.output.contains("mlt_secret") && !terminal.errors.contains("mlt_secret"))
        #expect(desk.read(".config/martlet/credentials") == "\"\(address)\" = \"mlt_secret\"\n")
        var facts = stat()
        #expect(stat(desk.folder + "/.config/martlet/credentials", &facts) == 0 && facts.st_mode & 0o777 == 0o600)
        _ = await desk.run("login --forget \(address)")
        #expect(desk.read(".config/martlet/credentials") == "")
    }
}
