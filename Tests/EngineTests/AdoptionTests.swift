import Foundation
import MartletDomain
import MartletEngine
import MartletSeries
import MartletStorage
import Synchronization
import Testing

private let id = Logbook.id

private func line(_ sequence: Int, _ op: String, _ rest: String = "", writer: String = "w1") -> String {
    Logbook.line(sequence, op, rest, writer: writer)
}

@Suite("A folder's logbooks are taken in while they grow") struct AdoptionTests {
    @Test("lines count as they come, a torn one waits, and the file is put away when its writer is gone")
    func grows() throws {
        try Logbook.withFolder { folder in
            let stage = Stage()
            let adopter = LogbookAdopter(folder: folder, engine: stage.engine)
            let path = folder + "/live/w1.jsonl"
            let file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
            #expect(flock(file, LOCK_EX) == 0)
            func append(_ text: String) { _ = text.withCString { write(file, $0, strlen($0)) } }
            append(line(1, "run", ",\"experiment\":\"risk\"") + "\n")
            let second = line(2, "metrics", ",\"step\":1,\"m\":{\"loss\":1}") + "\n"
            append(String(second.prefix(30)))
            #expect(adopter.look())
            let run = try #require(try stage.see { try $0.run(RunID(id)!) })
            #expect(try stage.see { try $0.curve(of: run, "loss") }.isEmpty)
            append(String(second.dropFirst(30)))
            #expect(adopter.look())
            #expect(try stage.see { try $0.curve(of: run, "loss") }.count == 1)
            #expect(FileManager.default.fileExists(atPath: path))
            close(file)
            adopter.catchUp()
            #expect(!FileManager.default.fileExists(atPath: path))
            #expect(FileManager.default.fileExists(atPath: folder + "/done/2026-01/w1.jsonl.gz"))
            #expect(try stage.see { try $0.run(run.key) }?.status.state == .lost)
        }
    }

    @Test("a run with several writers goes on when one of them dies, which is told of")
    func oneOfSeveral() throws {
        try Logbook.withFolder { folder in
            let stage = Stage()
            let adopter = LogbookAdopter(folder: folder, engine: stage.engine)
            var files: [Int32] = []
            for writer in ["w1", "w2", "w3"] {
                let file = open("\(folder)/live/\(writer).jsonl", O_WRONLY | O_CREAT | O_APPEND, 0o644)
                #expect(flock(file, LOCK_EX) == 0)
                let text = line(1, "run", ",\"experiment\":\"risk\"", writer: writer) + "\n"
                _ = text.withCString { write(file, $0, strlen($0)) }
                files.append(file)
            }
            adopter.catchUp()
            let run = try #require(try stage.see { try $0.run(RunID(id)!) })
            close(files[1])
            let bye = line(2, "beat", ",\"end\":true", writer: "w3") + "\n"
            _ = bye.withCString { write(files[2], $0, strlen($0)) }
            close(files[2])
            adopter.catchUp()
            #expect(try stage.see { try $0.run(run.key) }?.status.state == .running)
            let problems = try stage.see { try $0.items(of: .run(run.key), kind: "problem", key: nil) }
            #expect(problems.count == 1 && problems[0].data.contains("w2.jsonl ended without a word"))
            close(files[0])
            adopter.catchUp()
            #expect(try stage.see { try $0.run(run.key) }?.status.state == .lost)
        }
    }

    @Test("the same lines by file and by request count once, in either order")
    func twoWays() throws {
        try Logbook.withFolder { folder in
            let stage = Stage()
            let lines = [
                line(1, "run", ",\"experiment\":\"risk\""), line(2, "metrics", ",\"step\":1,\"m\":{\"loss\":1}"),
                line(3, "metrics", ",\"step\":2,\"m\":{\"loss\":2}"), line(4, "state", ",\"status\":\"done\""),
            ]
            _ = try stage.ingest(Array(lines.prefix(2)))
            try (lines.joined(separator: "\n") + "\n").write(
                toFile: folder + "/live/w1.jsonl", atomically: true, encoding: .utf8)
            LogbookAdopter(folder: folder, engine: stage.engine).catchUp()
            _ = try stage.ingest(lines)
            let run = try #require(try stage.see { try $0.run(RunID(id)!) })
            #expect(try stage.see { try $0.curve(of: run, "loss") }.values == [1, 2])
            #expect(run.status.word == "done")
        }
    }

    @Test("a file that grows while it is put away stays, and what came is counted")
    func growsAtTheEnd() throws {
        try Logbook.withFolder { folder in
            let stage = Stage()
            let path = folder + "/live/w1.jsonl"
            let archive = folder + "/done/2026-01/w1.jsonl.gz"
            try Logbook.write([line(1, "run", ",\"experiment\":\"risk\"")], to: path)
            let hasGrown = Atomic(false)
            // The commit that says that the file is in; its writer, which takes no lock, goes on at that moment.
            stage.engine.store.onCommit {
                guard FileManager.default.fileExists(atPath: archive), !hasGrown.exchange(true, ordering: .relaxed)
                else { return }
                try? Logbook.write([line(2, "metrics", ",\"step\":1,\"m\":{\"loss\":1}")], to: path)
            }
            let adopter = LogbookAdopter(folder: folder, engine: stage.engine)
            _ = adopter.look()
            let grew = hasGrown.load(ordering: .relaxed)
            #expect(grew)
            #expect(FileManager.default.fileExists(atPath: path))
            #expect(!FileManager.default.fileExists(atPath: archive))
            adopter.catchUp()
            let run = try #require(try stage.see { try $0.run(RunID(id)!) })
            #expect(try stage.see { try $0.curve(of: run, "loss") }.count == 1)
            #expect(!FileManager.default.fileExists(atPath: path))
            #expect(FileManager.default.fileExists(atPath: archive))
            #expect(try LogbookKeeper(folder: folder, engine: stage.engine).survey().kept == [.age: 1])
        }
    }

    @Test("a writer that comes back under its name leaves the archive of before alone")
    func sameName() throws {
        try Logbook.withFolder { folder in
            let stage = Stage()
            let adopter = LogbookAdopter(folder: folder, engine: stage.engine)
            try Logbook.write([line(1, "run", ",\"experiment\":\"risk\"")], to: folder + "/live/w1.jsonl")
            adopter.catchUp()
            let first = try Data(contentsOf: URL(filePath: folder + "/done/2026-01/w1.jsonl.gz"))
            try Logbook.write([line(2, "note", ",\"text\":\"again\"")], to: folder + "/live/w1.jsonl")
            adopter.catchUp()
            #expect(try Data(contentsOf: URL(filePath: folder + "/done/2026-01/w1.jsonl.gz")) == first)
            #expect(FileManager.default.fileExists(atPath: folder + "/done/2026-01/w1~2.jsonl.gz"))
        }
    }
}
