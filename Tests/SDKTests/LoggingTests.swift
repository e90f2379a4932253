import Foundation
import MartletJSON
import Synchronization
import Testing

@testable import Martlet

@Suite("What a program logs is found again, in a folder and on a server") struct LoggingTests {
    @Test("a run has its params, tags, values, notes and files", arguments: Place.allCases)
    func everything(_ place: Place) async throws {
        try await withStore(place) { uri, bench in
            let run = Martlet.startRun(
                experiment: "digits", name: "first", params: ["lr": 0.1, "depth": 6, "model": "tree", "bag": true],
                tags: ["team": "vision"], group: "sweep", uri: uri, settings: bench.settings())
            for step in 0..<100 { run.log(["loss": 1 / Double(step + 1)], step: step) }
            run.logMetric("accuracy", 0.75)
            run.setTag("reviewed")
            run.setTags(["owner": "ada"])
            run.note("It **works**.")
            run.defineMetric("loss", goal: .min, unit: "nats")
            let file = bench.folder + "/model.bin"
            try Data([1, 2, 3]).write(to: URL(filePath: file))
            run.logArtifact(file, type: "model")
            run.logArtifact([4, 5], as: "deep/weights.bin")
            run.logArtifact(text: "{}", as: "config.json")
            let delivery = await run.finish(status: "done")
            #expect(delivery.isComplete && delivery.dropped == 0, "\(delivery)")

            let client = try Client(uri)
            let read = try await client.run(run.id)
            #expect(read.name == "first" && read.shortID == "run_01" && read.experiment == "digits")
            #expect(read.status == "done" && read.state == "finished")
            #expect(read.params == ["lr": 0.1, "depth": 6, "model": "tree", "bag": true])
            #expect(read.paramNames == ["lr", "depth", "model", "bag"])
            #expect(read.metrics == ["loss": 0.01, "accuracy": 0.75])
            #expect(read.tags["team"] == "vision" && read.tags["owner"] == "ada" && read.tags["reviewed"] == "")
            #expect(Set(read.artifactPaths) == ["model.bin", "deep/weights.bin", "config.json"])
            #expect(try await client.artifact("model.bin", of: run.id) == [1, 2, 3])
            #expect(try await client.artifact("deep/weights.bin", of: run.id) == [4, 5])
            let curve = try #require(try await client.history(of: run.id, metrics: ["loss"]).first)
            #expect(curve.points.map(\.step) == Array(0..<100))
            #expect(curve.values == (0..<100).map { 1 / Double($0 + 1) })
            #expect(try await client.bestRun(by: "loss", in: "digits")?.id == run.id)
        }
    }

    @Test("NaN and infinities are values like any other", arguments: Place.allCases)
    func nonFinite(_ place: Place) async throws {
        try await withStore(place) { uri, bench in
            let run = Martlet.startRun(experiment: "wild", uri: uri, settings: bench.settings())
            let values = [1.5, .nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
            for (step, value) in values.enumerated() { run.log(["loss": value], step: step) }
            await run.finish()
            let curve = try #require(try await Client(uri).history(of: run.id).first)
            #expect(curve.values.map(\.bitPattern) == values.map(\.bitPattern))
        }
    }

    @Test("a run counts its steps where none is given, and goes on from one that is")
    func steps() async throws {
        try await withStore(.folder) { uri, bench in
            let run = Martlet.startRun(experiment: "steps", uri: uri, settings: bench.settings())
            #expect(run.lastStep == nil)
            run.log(["a": 0])
            run.log(["a": 1])
            run.log(["a": 2], step: 10)
            run.log(["a": 3])
            run.log(["a": 4], step: 3)
            run.log(["a": 5])
            #expect(run.lastStep == 12)
            run.log(["a": 6], step: .max)
            await run.finish()
            let curve = try #require(try await Client(uri).history(of: run.id).first)
            #expect(curve.points.map(\.step) == [0, 1, 3, 10, 11, 12, .max])
        }
    }

    @Test(
        "a param that changes is refused in a sentence with both values, and the run goes on", arguments: Place.allCases
    )
    func changedParam(_ place: Place) async throws {
        try await withStore(place) { uri, bench in
            let run = Martlet.startRun(experiment: "e", params: ["lr": 0.1], uri: uri, settings: bench.settings())
            run.logParam("lr", 0.2)
            run.logParam("lr", 0.1)
            run.log(["loss": 1])
            #expect(await run.finish().isComplete)
            let problem = try #require(run.problem)
            #expect(problem.contains("lr") && problem.contains("0.1") && problem.contains("0.2"), "\(problem)")
            #expect(bench.sentences.contains(problem))
            let read = try await Client(uri).run(run.id)
            #expect(read.params["lr"] == 0.1 && read.metrics["loss"] == 1)
        }
    }

    @Test("an error of the closure fails the run, is recorded, and goes on to the caller")
    func failing() async throws {
        struct Broken: Error, CustomStringConvertible { var description: String { "The loss is NaN." } }
        try await withStore(.folder) { uri, bench in
            let ids = Mutex<[String]>([])
            let answer = Martlet.withRun(experiment: "e", uri: uri, settings: bench.settings()) { run in
                ids.withLock { $0.append(run.id) }
                return 42
            }
            #expect(answer == 42)
            #expect(throws: Broken.self) {
                try Martlet.withRun(experiment: "e", uri: uri, settings: bench.settings()) { run in
                    ids.withLock { $0.append(run.id) }
                    throw Broken()
                }
            }
            await #expect(throws: Broken.self) {
                try await Martlet.withRun(experiment: "e", uri: uri, settings: bench.settings()) { run in
                    ids.withLock { $0.append(run.id) }
                    await Task.yield()
                    throw Broken()
                }
            }
            await #expect(throws: CancellationError.self) {
                try await Martlet.withRun(experiment: "e", uri: uri, settings: bench.settings()) { run in
                    ids.withLock { $0.append(run.id) }
                    await Task.yield()
                    throw CancellationError()
                }
            }
            let client = try Client(uri)
            var states: [String] = []
            for id in ids.withLock({ $0 }) { states.append(try await client.run(id).state) }
            #expect(states == ["finished", "failed", "failed", "cancelled"])
            #expect(try await client.bestRun(by: "loss", in: "e") == nil)
        }
    }

    @Test("many threads log into one run, and every value is there once", arguments: Place.allCases)
    func manyThreads(_ place: Place) async throws {
        try await withStore(place) { uri, bench in
            let run = Martlet.startRun(experiment: "threads", uri: uri, settings: bench.settings())
            await withTaskGroup(of: Void.self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        for step in 0..<500 { run.log(["m\(writer)": Double(step)], step: step) }
                    }
                }
            }
            #expect(await run.finish().isComplete)
            let curves = try await Client(uri).history(of: run.id)
            #expect(curves.count == 8)
            for curve in curves { #expect(curve.values == (0..<500).map(Double.init)) }
        }
    }

    @Test("runs of one program keep their order, and their parents")
    func order() async throws {
        try await withStore(.folder) { uri, bench in
            let parent = Martlet.startRun(experiment: "tree", name: "study", uri: uri, settings: bench.settings())
            let children = (0..<20).map { index in
                Martlet.startRun(experiment: "tree", name: "trial \(index)", parent: parent, uri: uri)
            }
            for child in children { child.end(status: "done", error: nil) }
            await parent.finish()
            let client = try Client(uri)
            let runs = try await client.runs(in: "tree")
            #expect(runs.map(\.shortID) == (1...21).map { String(format: "run_%02d", $0) })
            #expect(runs.dropFirst().allSatisfy { $0.parentID == parent.id })
            #expect(try await client.runs(in: "tree", filter: "name = 'trial 7'").map(\.id) == [children[7].id])
        }
    }
}

@Suite("Params are any Codable value") struct ParamTests {
    struct Settings: Codable {
        struct Optimizer: Codable {
            var name = "adam"
            var rate: Float = 0.1
            var schedule: Schedule?
        }
        enum Schedule: String, Codable { case cosine }
        var depth = 6
        var big: UInt64 = .max
        var optimizer = Optimizer(schedule: .cosine)
        var layers = [16, 16]
        var limit = Double.infinity
        var note: String?
    }

    class Base: Encodable {
        var seed = 1
    }

    final class Derived: Base {
        var rate = 0.5
        enum Keys: String, CodingKey { case rate, inner, list }
        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(rate, forKey: .rate)
            var inner = container.nestedContainer(keyedBy: Keys.self, forKey: .inner)
            try inner.encode(true, forKey: .rate)
            var list = container.nestedUnkeyedContainer(forKey: .list)
            try list.encode("a")
            try list.encodeNil()
            try super.encode(to: encoder)
        }
    }

    @Test("nested members become a.b.c, in their order, with the digits that were written")
    func nested() {
        let flat = Params(Settings()).flat
        #expect(
            flat.members.map(\.key) == [
                "depth", "big", "optimizer.name", "optimizer.rate", "optimizer.schedule", "layers", "limit",
            ])
        #expect(flat["depth"] == 6 && flat["big"] == "18446744073709551615")
        #expect(flat["optimizer.rate"] == 0.1 && flat["optimizer.schedule"] == "cosine")
        #expect(flat["layers"] == [16, 16] && flat["limit"] == .double(.infinity))
    }

    @Test("encoders that use every container come out whole")
    func containers() {
        let flat = Params(Derived()).flat
        #expect(flat["rate"] == 0.5 && flat["inner.rate"] == true && flat["list"] == ["a", nil] && flat["seed"] == 1)
        #expect(Params(["b": 2, "a": 1] as [String: Int]).flat["a"] == 1)
        #expect(Params(3.5).flat == ["value": 3.5])
    }

    @Test("a literal mixes kinds, and keeps a whole number whole")
    func literal() {
        let params: Params = ["lr": 0.1, "depth": 6, "deep": ["a": ["b": "x"]], "none": nil]
        #expect(params.flat == ["lr": 0.1, "depth": 6, "deep.a.b": "x", "none": nil])
    }

    @Test("what cannot be encoded is said, and the run goes on")
    func broken() async throws {
        struct Stubborn: Encodable {
            struct No: Error, CustomStringConvertible { var description: String { "no" } }
            func encode(to encoder: any Encoder) throws { throw No() }
        }
        try await withStore(.folder) { uri, bench in
            let run = Martlet.startRun(experiment: "e", params: Stubborn(), uri: uri, settings: bench.settings())
            #expect(run.problem == "The params were not logged: Stubborn cannot be encoded: no")
            #expect(await run.finish().isComplete)
        }
    }

    @Test("values print as tables show them")
    func text() {
        #expect(ParamValue.double(0).description == "0" && ParamValue.double(0.001).description == "0.001")
        #expect(ParamValue.int(500).description == "500" && ParamValue.string("Ridge").description == "Ridge")
        #expect(ParamValue.array([1, "a"]).description == "[1,\"a\"]")
    }
}
