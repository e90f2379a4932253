import Foundation
import MartletClient
import MartletHTTPClient
import MartletHTTPMessages
import Synchronization
import Testing

@testable import Martlet

@Suite("A program that ends without a word loses nothing") struct ExitTests {
    @Test("what was logged is delivered, and runs that nobody ended have the program's ending", arguments: [0, 3])
    func flush(_ code: Int) async throws {
        try await withStore(.folder) { uri, _ in
            let id = String(repeating: "a", count: 32)
            await #expect(processExitsWith: .exitCode(Int32(code))) {
                [uri = uri as String, id = id as String, code = code as Int] in
                let run = Martlet.startRun(experiment: "e", id: id, uri: uri)
                for step in 0..<1000 { run.log(["loss": Double(step)], step: step) }
                exit(Int32(code))
            }
            let client = try Client(uri)
            #expect(try await client.run(id).state == (code == 0 ? "finished" : "failed"))
            #expect(try await client.history(of: id).first?.points.count == 1000)
        }
    }

    @Test("what no server took is left in a file within the deadline, in order, and the way to send it is said")
    func leftBehind() async throws {
        let bench = Bench()
        let folder = bench.folder
        let ended = await #expect(processExitsWith: .exitCode(0), observing: [\.standardErrorContent]) {
            [folder = folder as String] in
            chdir(folder)
            // Told by the program itself, once the run's own farewell is over: how long its start took says nothing.
            atexit { Ending.tell() }
            var settings = LoggingSettings()
            settings.exitSeconds = 1
            let run = Martlet.startRun(experiment: "e", uri: "http://127.0.0.1:1", settings: settings)
            for step in 0..<100 { run.log(["loss": Double(step)], step: step) }
            Ending.began.withLock { $0 = .now }
            exit(0)
        }
        let errors = String(decoding: ended?.standardErrorContent ?? [], as: UTF8.self)
        let took = try #require(errors.split(separator: "\n").compactMap(Ending.seconds).first, "\(errors)")
        #expect(took >= 0.5 && took < 10)
        let store = folder + "/.martlet"
        #expect(errors.contains("martlet sync \(store) http://127.0.0.1:1"), "\(errors)")
        let unsent = store + "/logbooks/unsent"
        let file = try #require(try FileManager.default.contentsOfDirectory(atPath: unsent).first)
        let lines = try String(contentsOfFile: unsent + "/" + file, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 102)
        #expect(lines.first?.contains("\"seq\":1,") == true && lines.first?.contains("\"op\":\"run\"") == true)
        #expect(lines.last?.contains("\"seq\":102,") == true && lines.last?.contains("\"op\":\"state\"") == true)

        // What was left is what the server takes.
        let served = try Served(bench.store())
        let connection = Connection(.server(served.address))
        let answer = try connection.backend(creates: true).send(
            ClientRequest(
                .post, "/api/v1/logbook", headers: ["Content-Type": "application/x-ndjson"],
                body: .bytes(Array(lines.joined(separator: "\n").utf8))))
        #expect(String(decoding: answer.body, as: UTF8.self).contains("\"accepted\":102"))
        served.stop()
    }

    @Test("files that no server took are kept with the lines, and one command sends them when it is back")
    func filesLeftBehind() async throws {
        let bench = Bench()
        let folder = bench.folder
        let id = String(repeating: "c", count: 32)
        let ended = await #expect(processExitsWith: .exitCode(0), observing: [\.standardErrorContent]) {
            [folder = folder as String, id = id as String] in
            chdir(folder)
            try Data(repeating: 7, count: 3_000_000).write(to: URL(filePath: folder + "/model.bin"))
            var settings = LoggingSettings()
            settings.exitSeconds = 1
            let run = Martlet.startRun(experiment: "e", id: id, uri: "http://127.0.0.1:1", settings: settings)
            run.logArtifact(folder + "/model.bin", type: "model")
            run.logArtifact([1, 2, 3], as: "small/three.bin")
            exit(0)
        }
        let errors = String(decoding: ended?.standardErrorContent ?? [], as: UTF8.self)
        let said = errors.split(separator: "\n").filter { $0.contains("not delivered") }
        #expect(said.count == 1 && said[0].contains(" with 2 files beside it. Send it by: martlet sync "), "\(errors)")

        // The bytes are those of then, whatever has become of the file.
        try FileManager.default.removeItem(atPath: folder + "/model.bin")
        let served = try Served(bench.store())
        for _ in 0..<2 {
            let sync = try ProgramTests.run(
                "martlet", ["sync", folder + "/.martlet", served.address], store: served.address, in: bench)
            #expect(sync.status == 0, "\(sync.errors)")
        }
        let client = try Client(served.address)
        let run = try await client.run(id)
        #expect(run.state == "finished")
        #expect(try await client.artifact("model.bin", of: id) == [UInt8](repeating: 7, count: 3_000_000))
        #expect(try await client.artifact("small/three.bin", of: id) == [1, 2, 3])
        Martlet.closeStore(served.address)
        served.stop()
    }

    @Test("a server that comes back while a program ends gets its files, and nothing is left")
    func backInTime() async throws {
        let bench = Bench()
        let before = try Served(bench.store())
        let port = before.port
        before.stop()
        let program = try ProgramTests.start(
            "martlet-spirals", ["6", "2"], store: "http://127.0.0.1:\(port)", in: bench)
        // It asks for its runs last, finds nobody, says so, and ends: with all that it has logged still to be sent. From
        // here to its end this thread is not given back: other tests would take it for longer than the program's deadline.
        while try !program.errors.contains("martlet-spirals: Nothing answers") {
            try #require(program.process.isRunning, "It ended without a word of that.")
            usleep(20_000)
        }
        let served = try Served(bench.store(), port: port)
        let ended = try program.end()
        #expect(ended.status == 1 && !ended.errors.contains("not delivered"), "\(ended.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: bench.folder + "/.martlet/logbooks/unsent") == [])
        let client = try Client(served.address)
        let seeds = try await client.runs(in: "two spirals", filter: "tags.kind = 'seed'")
        #expect(seeds.count == 2)
        for seed in seeds {
            #expect(try await client.artifact("plane.txt", of: seed.id).count > 100)
            #expect(try await client.artifact("model/weights.json", of: seed.id).first == UInt8(ascii: "["))
        }
        Martlet.closeStore(served.address)
        served.stop()
    }

    @Test("a folder that could not be written gets what was left when it can")
    func leftForTheFolder() async throws {
        let bench = Bench()
        let store = bench.store()
        // A file stands where the database belongs.
        try FileManager.default.createDirectory(atPath: store + "/martlet.db", withIntermediateDirectories: true)
        let id = String(repeating: "b", count: 32)
        await #expect(processExitsWith: .exitCode(0)) { [store = store as String, id = id as String] in
            var settings = LoggingSettings()
            settings.exitSeconds = 1
            let run = Martlet.startRun(experiment: "e", id: id, uri: store, settings: settings)
            run.log(["loss": 1], step: 0)
            await run.finish()
            exit(0)
        }
        try FileManager.default.removeItem(atPath: store + "/martlet.db")
        #expect(try await Client(store).run(id).metrics == ["loss": 1])
        Martlet.closeStore(store)
    }
}

/// How long a program takes to end, from its last statement on.
private enum Ending {
    static let began = Mutex(ContinuousClock.now)
    private static let words = "ended within "

    static func tell() {
        let took = began.withLock { ContinuousClock.now - $0 }
        let text = words + "\(Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18)\n"
        FileHandle.standardError.write(Data(text.utf8))
    }

    static func seconds(_ line: some StringProtocol) -> Double? {
        line.hasPrefix(words) ? Double(line.dropFirst(words.count)) : nil
    }
}
