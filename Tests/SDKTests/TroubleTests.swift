import Foundation
import MartletServer
import Testing

@testable import Martlet

@Suite("Trouble with the store never becomes trouble of the training", .serialized) struct TroubleTests {
    @Test("what is logged while the server is away is delivered when it is back, each value once")
    func awayAndBack() async throws {
        let bench = Bench()
        let first = try Served(bench.store())
        let (address, port) = (first.address, first.port)
        let run = Martlet.startRun(experiment: "away", params: ["a": 1], uri: address, settings: bench.settings())
        for step in 0..<50 { run.log(["loss": Double(step)], step: step) }
        #expect(run.flush().isComplete)
        first.stop()

        for step in 50..<150 { run.log(["loss": Double(step)], step: step) }
        run.logArtifact([7], as: "late.bin")
        // Without `await`, after which the clock would also count how long this test waits for a thread of its own.
        func finish() -> Delivery { run.finish() }
        let start = ContinuousClock.now
        let delivery = finish()
        #expect(!delivery.isComplete && delivery.waiting > 100, "\(delivery)")
        #expect(ContinuousClock.now - start < .seconds(15), "A store that is away is not waited for.")
        let problem = try #require(delivery.problem)
        #expect(problem.hasSuffix("sent again.") && problem.contains("127.0.0.1"), "\(problem)")

        let unsent = bench.folder + "/unsent/logbooks/unsent"
        let file = try #require(try FileManager.default.contentsOfDirectory(atPath: unsent).first)
        let waiting = try String(contentsOfFile: unsent + "/" + file, encoding: .utf8).split(separator: "\n")
        #expect(
            waiting.count == 101 && waiting[0].contains("\"step\":50,"), "A file keeps them if this program is killed.")

        let second = try Served(bench.store(), port: port)
        var last = run.flush()
        for _ in 0..<40 where !last.isComplete { last = run.flush() }
        #expect(last.isComplete && last.dropped == 0 && last.problem == nil, "\(last)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: unsent).isEmpty)
        let client = try Client(address)
        let curve = try #require(try await client.history(of: run.id).first)
        #expect(curve.values == (0..<150).map(Double.init))
        #expect(try await client.run(run.id).state == "finished")
        #expect(try await client.artifact("late.bin", of: run.id) == [7])
        #expect(bench.sentences.last?.hasSuffix("takes what is logged.") == true, "\(bench.sentences)")
        Martlet.closeStore(address)
        second.stop()
    }

    @Test("a store that was replaced by an empty one gets the open runs anew")
    func forgetful() async throws {
        let bench = Bench()
        let first = try Served(bench.store("one"))
        let (address, port) = (first.address, first.port)
        let run = Martlet.startRun(experiment: "e", uri: address, settings: bench.settings())
        run.log(["a": 1], step: 0)
        #expect(run.flush().isComplete)
        first.stop()
        let second = try Served(bench.store("two"), port: port)
        run.log(["a": 2], step: 1)
        var last = await run.finish()
        for _ in 0..<40 where !last.isComplete { last = run.flush() }
        #expect(last.isComplete, "\(last)")
        #expect(try await Client(address).run(run.id).metrics == ["a": 2])
        #expect(run.problem?.contains("has lost what this program sent before") == true)
        Martlet.closeStore(address)
        second.stop()
    }

    @Test("beyond its limit it drops values, says so, and counts the gap with the run")
    func limit() async throws {
        let bench = Bench()
        let address = "http://127.0.0.1:1"
        let run = Martlet.startRun(
            experiment: "e", uri: address,
            settings: bench.settings {
                $0.memoryBytesMax = 1 << 16
                $0.exitSeconds = 0.1
            })
        for step in 0..<5000 { run.log(["loss": Double(step)], step: step) }
        let delivery = run.flush()
        #expect(delivery.dropped > 3000 && delivery.dropped + delivery.waiting >= 5000, "\(delivery)")
        #expect(bench.sentences.contains { $0.contains("dropped") || $0.contains("sent again") })
        _ = Couriers.close(address, keepsRest: false)
    }

    @Test("logging costs a few microseconds a call, whatever the store does")
    func callerIsNotHeld() async throws {
        let bench = Bench()
        let address = "http://127.0.0.1:1"
        let run = Martlet.startRun(experiment: "e", uri: address, settings: bench.settings { $0.exitSeconds = 0.1 })
        let values = ["a": 1.0, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6]
        let start = ContinuousClock.now
        for step in 0..<20_000 { run.log(values, step: step) }
        // A debug build on a busy machine; a wait for the store would take a thousand times as long.
        #expect(ContinuousClock.now - start < .seconds(10))
        _ = Couriers.close(address, keepsRest: false)
    }

    @Test("an address that is none is told, and the run is kept in the usual folder's place")
    func wrongAddress() throws {
        #expect(throws: MartletError.self) { try Client("ftp://example.org/runs") }
        do throws(MartletError) { _ = try Client("ftp://example.org/runs") } catch {
            #expect(error.code == .invalid)
            #expect(error.message == "“ftp://example.org/runs” is neither a folder nor an http or https address.")
            #expect(error.remedy != nil)
        }
    }

    @Test("questions that cannot be answered are errors with a sentence and a remedy")
    func questions() async throws {
        let bench = Bench()
        do throws(MartletError) {
            _ = try await Client(bench.store("none")).run("run_01")
            Issue.record("There is no such store.")
        } catch {
            #expect(error.code == .notFound && error.message.hasPrefix("There is no store at"), "\(error)")
        }
        #expect(!FileManager.default.fileExists(atPath: bench.store("none")), "Looking never makes a store.")
        try await withStore(.server) { uri, bench in
            let run = Martlet.startRun(experiment: "digits", uri: uri, settings: bench.settings())
            run.log(["loss": 1])
            let client = try Client(uri)
            await #expect(throws: MartletError.self) { try await client.run("run_77") }
            do throws(MartletError) { _ = try await client.search("metrics.loss >") } catch {
                #expect(error.code == .invalid && !error.message.isEmpty)
            }
            do throws(MartletError) { _ = try await client.bestRun(by: "loss", in: "digit") } catch {
                #expect(error.code == .notFound, "\(error)")
            }
        }
    }

    @Test("a server that wants a token says so once, and takes everything when it gets one")
    func token() async throws {
        let bench = Bench()
        let served = try Served(bench.store()) { $0.authMode = "tokens" }
        let run = Martlet.startRun(
            experiment: "e", uri: served.address, settings: bench.settings { $0.exitSeconds = 0.1 })
        run.log(["a": 1])
        let delivery = run.flush()
        #expect(!delivery.isComplete && delivery.dropped == 0)
        #expect(delivery.problem?.contains("token") == true, "\(delivery)")
        _ = Couriers.close(served.address, keepsRest: false)
        served.stop()
    }

    @Test("a line that no store would take is refused at once, and those behind it are not held up")
    func hugeLine() async throws {
        try await withStore(.folder) { uri, bench in
            let run = Martlet.startRun(experiment: "e", uri: uri, settings: bench.settings())
            run.note(String(repeating: "x", count: 20 << 20))
            run.log(["a": 1])
            let delivery = await run.finish()
            #expect(delivery.isComplete && delivery.dropped == 1)
            #expect(delivery.problem?.hasSuffix("Log it as an artifact.") == true)
            let read = try await Client(uri).run(run.id)
            #expect(read.metrics == ["a": 1])
        }
    }

    @Test("a refused value is no sign that the store was away")
    func noFalseAlarm() async throws {
        try await withStore(.folder) { uri, bench in
            let run = Martlet.startRun(experiment: "e", params: ["lr": 1], uri: uri, settings: bench.settings())
            run.logParam("lr", 2)
            run.flush()
            run.log(["a": 1])
            await run.finish()
            #expect(bench.sentences.count == 2, "Where it goes, and what was refused: \(bench.sentences)")
            #expect(run.problem?.contains("lr") == true)
        }
    }

    @Test("an artifact that is not there is said by its path")
    func missingArtifact() async throws {
        try await withStore(.folder) { uri, bench in
            let run = Martlet.startRun(experiment: "e", uri: uri, settings: bench.settings())
            run.logArtifact("/nowhere/model.bin")
            let delivery = await run.finish()
            #expect(delivery.isComplete && delivery.dropped == 1)
            #expect(
                delivery.problem
                    == "The artifact /nowhere/model.bin was not logged: there is no such file.")
        }
    }
}

@Suite("Lines keep their numbers until they are acknowledged") struct OutboxTests {
    private func box(_ count: Int) -> Outbox {
        var box = Outbox(writer: "w")
        for index in 1...count {
            box.add(Outbox.Line(body: Array("\"t\":\(index)".utf8), ordinal: index, run: "r"))
        }
        return box
    }

    private func numbers(_ box: Outbox, bytesMax: Int = .max) -> [String] {
        String(decoding: box.batch(bytesMax: bytesMax).text, as: UTF8.self).split(separator: "\n").map { line in
            let parts = line.split(whereSeparator: { ":,".contains($0) })
            return "\(parts[3])=\(parts[5])"
        }
    }

    @Test("what was acknowledged goes, and the rest is sent again as it was")
    func acknowledge() {
        var box = box(5)
        #expect(numbers(box) == ["1=1", "2=2", "3=3", "4=4", "5=5"])
        box.acknowledge(through: 2)
        box.acknowledge(through: 1)
        #expect(numbers(box) == ["3=3", "4=4", "5=5"])
        #expect(numbers(box, bytesMax: 1) == ["3=3"])
        box.acknowledge(through: 99)
        #expect(box.count == 0 && box.bytes == 0 && box.first == 6)
    }

    @Test("lines that are given up leave no gap in the numbers")
    func giveUp() {
        var box = box(4)
        box.giveUp(2)
        #expect(numbers(box) == ["1=3", "2=4"])
    }

    @Test("a new writer begins at 1 with what opens its runs")
    func startOver() {
        var box = box(3)
        box.acknowledge(through: 2)
        box.startOver(writer: "v", with: [Outbox.Line(body: Array("\"t\":0".utf8), ordinal: 0, run: "r")])
        #expect(numbers(box) == ["1=0", "2=3"])
        #expect(
            String(decoding: box.batch(bytesMax: 1).text, as: UTF8.self).hasPrefix("{\"w\":\"v\",\"seq\":1,\"t\":0,"))
    }
}
