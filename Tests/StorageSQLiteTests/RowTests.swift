import Foundation
import MartletDomain
import MartletStorage
import Testing

@testable import MartletStorageSQLite

@Suite("Rows come back as they were written") struct RowTests {
    @Test("a new store has the default project, experiment 0 and nothing else")
    func fresh() throws {
        try withStore { store in
            try store.look { view throws in
                #expect(try view.projects().map(\.slug) == ["default"])
                #expect(try view.project(.standard)?.title == "Default")
                #expect(try view.experiments(in: nil).map(\.id) == [.standard])
                #expect(try view.experiment(named: "Default", in: .standard)?.nextNumber == 1)
                #expect(try view.cursor() == ChangeCursor(revision: 1, sequence: 0))
                #expect(try view.runs(in: .standard, after: nil, limit: 10).isEmpty)
            }
            #expect(store.about.kind == "sqlite")
            #expect(store.about.format == 2)
        }
    }

    @Test("every field of a project, an experiment and a run is kept")
    func fields() throws {
        try withStore { store in
            var project = Project(
                id: ProjectID(0), slug: "birds", title: "Birds", life: .deleted, created: noon,
                updated: noon.adding(seconds: 1), description: "Swifts & martins", team: "air")
            project.tags["a"] = .some("b")
            project.tags["bare"] = .some(nil)
            var experiment = Experiment(
                id: ExperimentID(0), project: .standard, name: "flight", life: .deletedWithParent, created: noon,
                updated: noon.adding(seconds: 2), location: "s3://here", nextNumber: 7, description: "d",
                hypothesis: "h")
            experiment.tags["t"] = .some("")
            experiment.extras["type"] = "\"sweep\""
            let given = (project, experiment)
            let (keptProject, keptExperiment) = try store.write { tx throws(StorageError) in
                (try tx.insert(given.0), try tx.insert(given.1))
            }
            project.id = ProjectID(2)
            experiment.id = ExperimentID(1)
            #expect(keptProject == project)
            #expect(keptExperiment == experiment)

            let run = Run(
                key: RunKey(0), id: .make(), project: .standard, experiment: keptExperiment.id, number: 3,
                parent: RunKey(9), attempt: 2, name: "näme", status: Status(word: "overfit"), life: .deleted,
                start: noon, end: noon.adding(seconds: 60), seen: noon.adding(seconds: 61),
                created: noon.adding(seconds: -5), fork: .init(run: RunKey(4), step: -17))
            let keptRun = try store.write { tx throws(StorageError) in
                try tx.insert(run, attributes: RunAttributes())
            }
            try store.look { view throws in
                #expect(try view.project(slug: "birds") == project)
                #expect(try view.experiment(experiment.id) == experiment)
                #expect(try view.run(run.id) == keptRun)
            }
            var expected = run
            expected.key = keptRun.key
            #expect(keptRun == expected)

            var changed = keptRun
            changed.fork = nil
            changed.end = nil
            changed.parent = nil
            changed.status = .running
            let update = changed
            try store.write { tx throws(StorageError) in try tx.update(update) }
            #expect(try store.look { view throws in try view.run(update.key) } == update)
        }
    }

    @Test("documents keep texts, kinds, empty tags and special numbers, in the order in which names were first seen")
    func documents() throws {
        try withStore { store in
            let attributes = RunAttributes(
                params: Pairs([
                    ("z", ParamValue(text: "0.10", kind: .number)), ("a", ParamValue(text: "", kind: .text)),
                    ("m", ParamValue(text: "{}", kind: .json)),
                ]),
                tags: Pairs([("bare", nil), ("empty", .some("")), ("z", .some("x"))]),
                properties: Pairs([("user", "ada"), ("a", "…")]))
            let summary = Pairs([
                ("loss", SummaryValue(value: .nan, time: noon)),
                ("z", SummaryValue(value: -.infinity, time: Timestamp(micros: -1))),
                ("acc", SummaryValue(value: -0.0, time: Timestamp(micros: .max))),
            ])
            let run = try store.write { tx throws(StorageError) in
                let run = try tx.insert(.draft(1), attributes: attributes)
                try tx.setSummary(summary, of: run.key)
                return run
            }
            let kept = try store.look { view throws in
                try (view.attributes(of: run.key), view.summary(of: run.key))
            }
            #expect(kept.0.params == attributes.params)
            // z was a param first.
            #expect(kept.0.tags.keys == ["z", "bare", "empty"])
            #expect(kept.0.tags["bare"] == .some(nil))
            #expect(kept.0.tags["empty"] == .some(""))
            #expect(kept.0.properties.keys == ["a", "user"])
            #expect(kept.1.keys == ["z", "loss", "acc"])
            for key in summary.keys { #expect(kept.1[key] == summary[key]) }
            let both = try store.look { view throws in
                try view.documents(of: [run.key, RunKey(99)])
            }
            #expect(both == [RunDocuments(attributes: kept.0, summary: kept.1), RunDocuments()])
        }
    }

    @Test("a run is found by key, id, number, name, parent and by the beginning of its id")
    func finding() throws {
        try withStore { store in
            let ids = ["00ff", "00f0", "ab00", "ffff"].map { RunID($0 + String(repeating: "0", count: 28))! }
            let runs = try store.write { tx throws(StorageError) in
                var runs: [Run] = []
                for (place, id) in ids.enumerated() {
                    runs.append(
                        try tx.insert(
                            .draft(
                                place + 1, name: place < 2 ? "twin" : "", id: id, parent: runs.first?.key,
                                status: Status(word: place == 3 ? "done" : "running")),
                            attributes: RunAttributes()))
                }
                return runs
            }
            try store.look { view throws in
                #expect(try view.run(number: 3, in: .standard) == runs[2])
                #expect(try view.runs(named: "twin", in: .standard, limit: 9) == [runs[0], runs[1]])
                #expect(try view.runs(named: "twin", in: ExperimentID(5), limit: 9).isEmpty)
                #expect(try view.runs(number: 2, limit: 9) == [runs[1]])
                #expect(try view.children(of: runs[0].key) == Array(runs[1...]))
                #expect(try view.runs(idPrefix: "00f", limit: 9) == [runs[1], runs[0]])
                #expect(try view.runs(idPrefix: "00F", limit: 1) == [runs[1]])
                #expect(try view.runs(idPrefix: "ffff", limit: 9) == [runs[3]])
                #expect(try view.runs(idPrefix: "xyz", limit: 9).isEmpty)
                #expect(try view.runs(idPrefix: "00-f", limit: 9).isEmpty)
                #expect(try view.runs([runs[2].key, RunKey(77), runs[0].key]) == [runs[2], runs[0]])
                #expect(try view.runs(in: .standard, after: runs[1].key, limit: 1) == [runs[2]])
                #expect(try view.runsInProgress(limit: 2).map(\.key) == [runs[0].key, runs[1].key])
                #expect(try view.runCounts(in: .standard) == [.running: 3, .finished: 1])
            }
        }
    }

    @Test("what hangs on a run is out of sight the moment that it is buried, and its id stays taken")
    func burial() throws {
        try withStore { store in
            let run = try store.write { tx throws(StorageError) in
                let run = try tx.insert(.draft(1), attributes: RunAttributes(tags: Pairs([("a", "b")])))
                _ = try tx.setAlias("exp-001", space: "wandb", run: run.key)
                _ = try tx.insertLane(of: run.key, attempt: 1, role: "eval", rank: 3)
                try tx.append(
                    Item(id: 0, owner: .run(run.key), kind: "note", key: "1", at: noon, who: "ada", data: "{}"))
                _ = try tx.insert(
                    Artifact(
                        id: 0, run: run.key, path: "m.bin", digest: Digest(String(repeating: "a", count: 64)),
                        type: "model", size: 1, at: noon))
                return run
            }
            let digest = Digest(String(repeating: "a", count: 64))!
            try store.look { view throws in
                #expect(try view.items(of: .run(run.key), kind: nil, key: nil).count == 1)
                #expect(try view.isReferenced(digest))
                #expect(try view.lanes(of: run.key).map(\.rank) == [3])
                #expect(try view.alias("exp-001", space: "wandb") == run.key)
            }
            try store.write { tx throws(StorageError) in try tx.bury(run, at: noon) }
            try store.look { view throws in
                #expect(try view.run(run.key) == nil)
                #expect(try view.isPurged(run.id))
                #expect(try view.attributes(of: run.key) == RunAttributes())
                #expect(try view.items(of: .run(run.key), kind: nil, key: nil).isEmpty)
                #expect(try view.artifacts(of: run.key).isEmpty)
                #expect(try view.artifact(of: run.key, path: "m.bin") == nil)
                #expect(try !view.isReferenced(digest))
                #expect(try view.lanes(of: run.key).isEmpty)
                #expect(try view.alias("exp-001", space: "wandb") == nil)
            }
        }
    }

    @Test("users, tokens, answers, settings, audit lines, blobs and named versions are kept")
    func records() throws {
        try withStore { store in
            let digest = Digest(String(repeating: "0f", count: 32))!
            let user = User(name: "ada", role: nil, isDisabled: true, created: noon, grants: [.standard: .write])
            let token = AccessToken(
                id: "t1", user: "ada", kind: .session, hash: digest, label: "laptop", created: noon,
                expires: noon.adding(seconds: 9))
            let key = IdempotencyKey(project: .standard, caller: "ada", route: "POST /x", key: "k")
            let answer = RememberedAnswer(body: digest, status: 201, answer: [1, 0, 2], at: noon)
            let entry = AuditEntry(
                number: 0, project: .standard, at: noon, who: "ada", via: "cli", request: "r", action: "run.create",
                subject: "run_01", detail: "{}", hash: digest)
            let version = NamedVersion(
                name: "model", version: 2, digest: digest, size: 5, type: "model", at: noon, run: nil)
            try store.write { tx throws(StorageError) in
                try tx.put(user)
                try tx.put(token)
                try tx.put(LogbookWriter(id: "w", acked: 4, source: "http", seen: noon))
                try tx.put(LogbookWriter(id: "w", acked: 5, source: "file", seen: noon))
                try tx.remember(answer, for: key)
                try tx.setSetting("theme", "dark")
                for _ in 0..<3 { try tx.appendAudit(entry) }
                try tx.put(Blob(digest: digest, size: 5, seen: noon))
                try tx.insert(version, in: .standard)
                try tx.setNamedAlias("best", of: "model", version: 2, in: .standard)
            }
            try store.look { view throws in
                #expect(try view.users() == [user])
                #expect(try view.token(hash: digest) == token)
                #expect(try view.tokens(of: "ada") == [token])
                #expect(try view.writer("w")?.acked == 5)
                #expect(try view.remembered(key) == answer)
                #expect(try view.setting("theme") == "dark")
                #expect(try view.audit(.standard, before: 3, limit: 9).map(\.number) == [2, 1])
                #expect(try view.audit(nil, before: nil, limit: 1).map(\.number) == [3])
                #expect(try view.blobs(after: nil, limit: 9).map(\.digest) == [digest])
                #expect(try view.blobs(after: digest, limit: 9).isEmpty)
                #expect(try view.namedVersions(of: "model", in: .standard) == [version])
                #expect(try view.namedArtifacts(in: .standard) == ["model"])
                #expect(try view.namedAliases(of: "model", in: .standard) == ["best": 2])
                #expect(try view.isReferenced(digest))
            }
            try store.write { tx throws(StorageError) in
                try tx.forgetAnswers(before: noon.adding(seconds: 1))
                try tx.setSetting("theme", nil)
                try tx.setNamedAlias("best", of: "model", version: nil, in: .standard)
                try tx.removeBlob(digest)
            }
            try store.look { view throws in
                #expect(try view.remembered(key) == nil)
                #expect(try view.setting("theme") == nil)
                #expect(try view.namedAliases(of: "model", in: .standard).isEmpty)
                #expect(try view.blob(digest) == nil)
            }
        }
    }
}
