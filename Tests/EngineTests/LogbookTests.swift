import Foundation
import MartletDomain
import MartletEngine
import MartletJSON
import MartletSeries
import MartletStorage
import Testing

private let id = Logbook.id

private func line(_ sequence: Int, _ op: String, _ rest: String = "", writer: String = "w1") -> String {
    Logbook.line(sequence, op, rest, writer: writer)
}

@Suite("A logbook counts exactly once") struct LogbookTests {
    private let begin = line(1, "run", ",\"experiment\":\"risk\",\"name\":\"first\",\"start\":1768478400000")

    private func run(_ stage: Stage) throws -> Run {
        try #require(try stage.see { try $0.run(RunID(id)!) })
    }

    @Test("lines become a run with its params, points, notes and end")
    func everything() throws {
        let stage = Stage()
        let receipt = try stage.ingest([
            begin, line(2, "params", ",\"p\":{\"lr\":0.1,\"model\":\"mlp\"}"),
            line(3, "metrics", ",\"step\":0,\"m\":{\"loss\":1.5,\"acc\":NaN}"),
            line(4, "metrics", ",\"step\":1,\"m\":{\"loss\":1.25}"), line(5, "metrics", ",\"m\":{\"final\":0.9}"),
            line(6, "tags", ",\"tags\":[\"baseline\"]"), line(7, "note", ",\"text\":\"went well\""),
            line(8, "console", ",\"stream\":\"stdout\",\"text\":\"epoch 1\\n\""),
            line(9, "define", ",\"metric\":\"loss\",\"goal\":\"min\""),
            line(10, "facts", ",\"kind\":\"dataset\",\"data\":{\"name\":\"mnist\"}"),
            line(11, "state", ",\"status\":\"FINISHED\""),
        ])
        #expect(receipt.accepted == 11 && receipt.problems == 0 && receipt.acked == ["w1": 11])
        let run = try run(stage)
        try stage.engine.read { reader throws(Refusal) in
            #expect(run.status.word == "FINISHED" && run.name == "first" && run.shortID == "run_01")
            let attributes = try reader.attributes(of: run.key)
            #expect(attributes.params["lr"]?.text == "0.1" && attributes.tags.keys == ["baseline"])
            #expect(try reader.curve(of: run, "loss").values == [1.5, 1.25])
            #expect(try reader.curve(of: run, "acc").values.first?.isNaN == true)
            #expect(try reader.metrics(of: run).first { $0.name == "final" }?.value == 0.9)
            #expect(try reader.items(of: .run(run.key), kind: "note", key: nil).count == 1)
            #expect(try reader.console(run.key, stream: "stdout", after: 0, limit: 5).count == 1)
            #expect(try reader.goal(of: "loss", in: run.experiment) == .min)
        }
    }

    @Test("many steps of a line are columns, as lists, counted, or as numbers lie in memory")
    func columns() throws {
        let stage = Stage()
        // f8: 0.5, 0.25, NaN; i4: 7, 9, -1.
        let packed = "f8:AAAAAAAA4D8AAAAAAADQPwAAAAAAAPh/"
        let receipt = try stage.ingest([
            begin,
            line(
                2, "points",
                ",\"n\":3,\"step\":{\"from\":5,\"by\":2},\"dt\":[0,10,20],\"m\":{\"a\":\"\(packed)\",\"b\":[1,2,\"NaN\"]}"
            ),
            line(3, "points", ",\"n\":3,\"step\":\"i4:BwAAAAkAAAD/////\",\"m\":{\"c\":[1,2,3]}"),
            line(4, "points", ",\"n\":2,\"m\":{\"d\":[1,2]}"),
            line(5, "points", ",\"n\":2,\"step\":[0,1],\"m\":{\"e\":[1]}"),
            line(6, "points", ",\"n\":2,\"step\":[0,1],\"m\":{\"e\":\"f8:AAAA\"}"),
            line(7, "points", ",\"n\":-1,\"m\":{}"),
            line(8, "points", ",\"n\":1,\"step\":\"f8:AA?=\",\"m\":{\"e\":[1]}"),
        ])
        #expect(receipt.acked == ["w1": 8] && receipt.problems == 4)
        let run = try run(stage)
        let a = try stage.see { try $0.curve(of: run, "a") }
        #expect(a.steps == [5, 7, 9] && Array(a.values.prefix(2)) == [0.5, 0.25] && a.values[2].isNaN)
        #expect(a.times.map { $0 - a.times[0] } == [0, 10_000, 20_000])
        #expect(try stage.see { try $0.curve(of: run, "c") }.steps == [-1, 7, 9])
        #expect(try stage.see { try $0.metrics(of: run) }.first { $0.name == "d" }?.value == 2)
    }

    @Test("a run that is begun again by a writer that goes on with it is in its next attempt")
    func resumed() throws {
        let stage = Stage()
        _ = try stage.ingest([begin, line(2, "state", ",\"status\":\"failed\"")])
        _ = try stage.ingest([line(1, "run", ",\"experiment\":\"risk\"", writer: "w2")])
        #expect(try run(stage).attempt == 1, "another writer of it begins nothing")
        _ = try stage.ingest([line(1, "run", ",\"experiment\":\"risk\",\"resume\":true", writer: "w3")])
        let run = try run(stage)
        #expect(run.attempt == 2 && run.status.state == .running)
    }

    @Test("a run whose writer sends from afar and is silent is lost, and is itself again when it is heard")
    func silence() throws {
        let stage = Stage()
        let silence = LogbookSilence(engine: stage.engine)
        _ = try stage.ingest([begin], source: "http")
        let other = try stage.run(named: "by hand")
        stage.clock.advance(seconds: LogbookSilence.secondsMax - 1)
        try silence.look()
        #expect(try run(stage).status.state == .running)
        stage.clock.advance(seconds: 2)
        try silence.look()
        #expect(try run(stage).status.state == .lost)
        #expect(try stage.see { try $0.run(other.key) }?.status.state == .running, "nobody said that it would beat")
        _ = try stage.ingest([line(2, "beat")], source: "http")
        #expect(try run(stage).status.state == .running)
        _ = try stage.ingest([line(3, "state", ",\"status\":\"finished\"")], source: "http")
        stage.clock.advance(seconds: 1000)
        try silence.look()
        #expect(try run(stage).status.state == .finished)
    }

    @Test("an artifact's line may publish it under a name, and one may take a file away")
    func artifacts() throws {
        let stage = Stage()
        let digest = String(repeating: "ab", count: 32)
        let file = ",\"path\":\"model.bin\",\"sha256\":\"\(digest)\",\"size\":3"
        let receipt = try stage.ingest([
            begin, line(2, "artifact", file + ",\"publish\":\"digits-model\",\"aliases\":[\"best\"]"),
            line(3, "artifact", file), line(4, "artifact", file.replacing("model", with: "other")),
            line(5, "artifact", ",\"path\":\"other.bin\",\"gone\":true"),
            line(6, "artifact", ",\"path\":\"never.bin\",\"gone\":true"),
        ])
        #expect(receipt.acked == ["w1": 6] && receipt.problems == 1)
        let run = try run(stage)
        try stage.engine.read { reader throws(Refusal) in
            let kept = try reader.artifacts(of: run.key).filter { $0.life == .active }
            #expect(kept.map(\.path) == ["model.bin"], "the same bytes at the same path are there once")
            let versions = try reader.namedVersions(of: "digits-model", in: run.project)
            #expect(versions.map(\.version) == [1] && versions[0].run == run.key)
            #expect(try reader.namedAliases(of: "digits-model", in: run.project) == ["best": 1, "latest": 1])
        }
    }

    @Test("sending lines again changes nothing")
    func again() throws {
        let stage = Stage()
        let lines = [
            begin, line(2, "metrics", ",\"step\":1,\"m\":{\"loss\":1}"), line(3, "note", ",\"text\":\"once\""),
        ]
        _ = try stage.ingest(lines)
        let receipt = try stage.ingest(lines + [line(4, "metrics", ",\"step\":2,\"m\":{\"loss\":1}")])
        #expect(receipt.accepted == 4 && receipt.acked == ["w1": 4])
        let run = try run(stage)
        #expect(try stage.see { try $0.curve(of: run, "loss") }.count == 2)
        #expect(try stage.see { try $0.items(of: .run(run.key), kind: "note", key: nil) }.count == 1)
    }

    @Test("a line that skips a number is not applied, and the next one is named")
    func gap() throws {
        let stage = Stage()
        let receipt = try stage.ingest([begin, line(3, "note", ",\"text\":\"too early\"")])
        #expect(receipt.expected?.sequence == 2 && receipt.acked == ["w1": 1])
        let run = try run(stage)
        #expect(try stage.see { try $0.items(of: .run(run.key), kind: "note", key: nil) }.isEmpty)
    }

    @Test("a line's own fault is kept with the run and does not stop the rest")
    func problems() throws {
        let stage = Stage()
        let receipt = try stage.ingest([
            begin, line(2, "params", ",\"p\":{\"lr\":0.1}"), line(3, "params", ",\"p\":{\"lr\":0.2}"),
            line(4, "teleport"), line(5, "note", ",\"text\":\"still here\""),
        ])
        #expect(receipt.problems == 2 && receipt.acked == ["w1": 5])
        let run = try run(stage)
        let problems = try stage.see { try $0.items(of: .run(run.key), kind: "problem", key: nil) }
        #expect(problems.count == 2 && problems[0].data.contains("0.2") && problems[1].data.contains("teleport"))
        #expect(try stage.see { try $0.items(of: .run(run.key), kind: "note", key: nil) }.count == 1)
    }

    @Test("a damaged line is found by its checksum")
    func damage() throws {
        let good = line(2, "note", ",\"text\":\"hello\"")
        let bad = good.replacing("hello", with: "hallo")
        #expect(throws: LogbookLine.Damage.self) { try LogbookLine(Array(bad.utf8)[...]) }
        _ = try LogbookLine(Array(good.utf8)[...])
        // Python's zlib.crc32 of what stands before.
        let zipped = #"{"w":"w","seq":1,"op":"beat","c":"zCRC"}"#
        #expect(throws: LogbookLine.Damage.self) {
            try LogbookLine(Array(zipped.replacing("CRC", with: "00000001").utf8)[...])
        }
        _ = try LogbookLine(Array(zipped.replacing("CRC", with: "34228dab").utf8)[...])
    }

    @Test("a damaged line of a file is kept with its run, and what comes after it counts")
    func damagedInFile() throws {
        let stage = Stage()
        let lost = line(3, "metrics", ",\"step\":2,\"m\":{\"loss\":2}").replacing("\"loss\":2", with: "\"loss\":3")
        let lines = [
            begin, line(2, "metrics", ",\"step\":1,\"m\":{\"loss\":1}"), lost, "{{{ noise",
            line(5, "metrics", ",\"step\":4,\"m\":{\"loss\":4}"), "noise without a number",
            line(6, "metrics", ",\"step\":5,\"m\":{\"loss\":5}"),
        ]
        let receipt = try stage.ingest(lines)
        #expect(receipt.acked == ["w1": 6] && receipt.problems == 3 && receipt.expected == nil)
        let run = try run(stage)
        #expect(try stage.see { try $0.curve(of: run, "loss") }.values == [1, 4, 5])
        let problems = try stage.see { try $0.items(of: .run(run.key), kind: "problem", key: nil) }
        #expect(problems.count == 3 && problems[1].data.contains("{{{ noise"))
        #expect(try stage.ingest(lines).problems == 0, "read again, they are told of once")
    }

    @Test("a deleted run still receives its lines, a purged one lets them pass")
    func deleted() throws {
        let stage = Stage()
        _ = try stage.ingest([begin])
        let run = try run(stage)
        try stage.engine.changeAndWait(stage.caller) { ledger throws(Refusal) in try ledger.deleteRun(run.key) }
        _ = try stage.ingest([line(2, "metrics", ",\"step\":1,\"m\":{\"loss\":1}")])
        #expect(try stage.see { try $0.curve(of: run, "loss") }.count == 1)
        try stage.engine.changeAndWait(stage.caller) { ledger throws(Refusal) in try ledger.purgeRun(run.key) }
        let receipt = try stage.ingest([line(3, "metrics", ",\"step\":2,\"m\":{\"loss\":1}")])
        #expect(receipt.acked == ["w1": 3] && receipt.problems == 0)
    }

    @Test("two writers of one run are two lanes, and rank 0 is what is shown")
    func ranks() throws {
        let stage = Stage()
        _ = try stage.ingest([
            begin, line(2, "metrics", ",\"step\":1,\"m\":{\"loss\":1}"),
            line(1, "metrics", ",\"step\":1,\"m\":{\"loss\":9},\"rank\":1", writer: "w2"),
        ])
        let run = try run(stage)
        #expect(try stage.see { try $0.curve(of: run, "loss") }.values == [1])
        #expect(try stage.see { try $0.series(of: run.key, named: ["loss"]) }.count == 2)
    }

    @Test("a metric of the user's and one of the machine's with the same bare name never share a point")
    func machineBesideUser() throws {
        let stage = Stage()
        let start = 1_768_478_400_000
        func machine(_ sequence: Int, second: Int, _ values: String) -> String {
            let body =
                "{\"w\":\"w1\",\"seq\":\(sequence),\"t\":\(start + second * 1000),\"run\":\"\(id)\",\"op\":\"system\","
                + "\"m\":{\(values)}"
            let sum = Array(body.utf8).withUnsafeBytes { crc32c($0) }
            return body + ",\"c\":\"\(String(sum, radix: 16))\"}"
        }
        // All of it waits for one flush, and each kind comes where the other's names were expected.
        _ = try stage.ingest([
            begin, line(2, "metrics", ",\"step\":0,\"m\":{\"cpu\":1,\"loss\":0.5}"),
            machine(3, second: 10, "\"cpu\":90,\"gpu\":40"), machine(4, second: 20, "\"cpu\":91,\"gpu\":41"),
            line(5, "metrics", ",\"step\":10,\"m\":{\"cpu\":2,\"loss\":0.25}"),
            line(6, "metrics", ",\"step\":20,\"m\":{\"gpu\":7}"), machine(7, second: 30, "\"gpu\":42,\"cpu\":92"),
        ])
        let run = try run(stage)
        func points(_ name: String) throws -> [Int64: Double] {
            let curve = try stage.see { try $0.curve(of: run, name) }
            return Dictionary(uniqueKeysWithValues: zip(curve.steps, curve.values))
        }
        #expect(try points("cpu") == [0: 1, 10: 2])
        #expect(try points("system/cpu") == [10: 90, 20: 91, 30: 92])
        #expect(try points("gpu") == [20: 7])
        #expect(try points("system/gpu") == [10: 40, 20: 41, 30: 42])
        #expect(try points("loss") == [0: 0.5, 10: 0.25])
        #expect(try Set(stage.see { try $0.metrics(of: run) }.map(\.name)).count == 5)
    }

    @Test("a reader never stops at random bytes")
    func noise() throws {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        let good = Array(line(2, "metrics", ",\"step\":1,\"m\":{\"loss\":0.5,\"acc\":NaN}").utf8)
        for _ in 0..<3000 {
            var bytes = good
            for _ in 0..<(1 + next() % 4) {
                bytes[Int(next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: next())
            }
            bytes.removeLast(Int(next() % 20))
            // Either it is damage, or the same line: a changed byte never passes the checksum.
            if let line = try? LogbookLine(bytes[...]) {
                #expect(line.text.utf8.elementsEqual(good) || line.body["c"] == nil)
            }
        }
    }
}
