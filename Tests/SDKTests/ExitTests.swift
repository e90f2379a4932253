import Foundation
import MartletCLI
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
