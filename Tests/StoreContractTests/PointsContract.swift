import MartletDomain
import MartletSeries
import MartletStorage
import Testing

@Suite("Every store keeps every point") struct PointsContract {
    @Test("two points at one step are both kept, in order of arrival", arguments: StoreUnderTest.available)
    func twoPointsAtOneStep(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            try store.log(run, "loss", [(1, 0.5)])
            try store.log(run, "loss", [(1, 0.4)])
            for _ in 0..<2 {
                let points = try store.see { try $0.points(run.key, "loss", .plain, in: .all) }
                #expect(points.values == [0.5, 0.4])
                _ = try store.compact()
            }
        }
    }

    @Test("an exact repeat of a point counts once", arguments: StoreUnderTest.available)
    func repeats(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            for _ in 0..<3 { try store.log(run, "loss", [(1, 0.5), (2, .nan)]) }
            let state = try store.see { try $0.series(of: run.key, named: nil) }
            #expect(state.count == 1)
            #expect(state.first?.count == 2)
            #expect(state.first?.nan == 1)
        }
    }

    @Test("NaN, infinities and negative zero come back bit for bit", arguments: StoreUnderTest.available)
    func specials(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            let values: [Double] = [.nan, .infinity, -.infinity, -0.0, 0.1, .leastNonzeroMagnitude, 1e308]
            try store.log(run, "x", values.enumerated().map { (Int64($0.offset), $0.element) })
            let points = try store.see { try $0.points(run.key, "x", .plain, in: .all) }
            #expect(points.values.map(\.bitPattern) == values.map(\.bitPattern))
            let state = try #require(try store.see { try $0.series(of: run.key, named: ["x"]) }.first)
            #expect(state.nan == 1 && state.infinite == 2 && state.finite == 4)
            #expect(state.minimum == -0.0 && state.maximum == 1e308)
        }
    }

    @Test("steps may come late and out of order, and are read in order", arguments: StoreUnderTest.available)
    func outOfOrder(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            try store.log(run, "loss", [(5, 5), (3, 3)])
            try store.log(
                run, "loss", [(4, 4), (-1, -1), (.max, 9), (.min, -9)].map { ($0.0, Double($0.1)) },
                time: Timestamp(micros: 0))
            let points = try store.see { try $0.points(run.key, "loss", .plain, in: .all) }
            #expect(points.steps == [.min, -1, 3, 4, 5, .max])
            let part = try store.see { try $0.points(run.key, "loss", .plain, in: PointRange(from: 3, to: 4)) }
            #expect(part.values == [3, 4])
        }
    }

    @Test("the latest is the greatest step, then time, then value", arguments: StoreUnderTest.available)
    func latest(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            try store.log(run, "loss", [(7, 0.7)])
            try store.log(run, "loss", [(2, 0.2)])
            try store.log(run, "loss", [(7, 0.9)])
            let state = try #require(try store.see { try $0.series(of: run.key, named: ["loss"]) }.first)
            #expect(state.last.step == 7 && state.last.value == 0.9)
            #expect(state.minStep == 2 && state.maxStep == 7 && state.first.value == 0.2)
        }
    }

    @Test(
        "a value without a step is a summary value; from the second on there is a curve",
        arguments: StoreUnderTest.available)
    func unstepped(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            func log(_ value: Double) throws {
                try store.change { try $0.logUnstepped([UnsteppedValue(name: "auc", value: value)], to: run.key) }
            }
            try log(0.94)
            #expect(try store.see { try $0.curve(of: run, "auc") }.isEmpty)
            #expect(try store.see { try $0.metrics(of: run) }.first?.value == 0.94)
            try log(0.95)
            try log(0.93)
            let curve = try store.see { try $0.curve(of: run, "auc") }
            #expect(curve.steps == [0, 1, 2])
            #expect(curve.values == [0.94, 0.95, 0.93])
            let metric = try #require(try store.see { try $0.metrics(of: run) }.first)
            #expect(metric.isUnstepped && metric.value == 0.93 && metric.series?.count == 3)
        }
    }

    @Test("a summary value wins over the last point and stays out of the curve", arguments: StoreUnderTest.available)
    func summaryWins(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            try store.log(run, "acc", [(1, 0.8), (2, 0.9)])
            try store.change { try $0.setSummary([("acc", 0.99)], of: run.key) }
            let metric = try #require(try store.see { try $0.metrics(of: run) }.first)
            #expect(metric.value == 0.99)
            #expect(metric.series?.last.value == 0.9)
            #expect(try store.see { try $0.curve(of: run, "acc") }.values == [0.8, 0.9])
        }
    }

    @Test(
        "where two attempts overlap the later one counts, the earlier one stays as a ghost",
        arguments: StoreUnderTest.available)
    func attempts(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            try store.log(run, "loss", (0..<800).map { (Int64($0), 1) })
            let resumed = try store.change { try $0.beginAttempt(run.key, reason: "killed", fromStep: 500) }
            try store.log(resumed, "loss", (500..<1000).map { (Int64($0), 2) })
            let clean = try store.see { try $0.curve(of: resumed, "loss") }
            #expect(clean.steps == (0..<1000).map(Int64.init))
            #expect(clean.values == (0..<1000).map { $0 < 500 ? 1 : 2 })
            let all = try store.see { try $0.curve(of: resumed, "loss", in: .all, .all) }
            #expect(all.count == 1300)
            let metric = try #require(try store.see { try $0.metrics(of: resumed) }.first)
            #expect(metric.series?.count == 1000 && metric.series?.last.step == 999)
        }
    }

    @Test("ranks are lanes of their own; rank 0 is what is shown", arguments: StoreUnderTest.available)
    func ranks(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            try store.log(run, "loss", [(0, 1)], as: WriterRole(rank: 1))
            #expect(try store.see { try $0.curve(of: run, "loss") }.values == [1])
            try store.log(run, "loss", [(0, 5)], as: WriterRole(rank: 0))
            #expect(try store.see { try $0.curve(of: run, "loss") }.values == [5])
            #expect(try store.see { try $0.series(of: run.key, named: nil) }.count == 2)
        }
    }

    @Test(
        "the series of many runs in one pass are those of each run, settled or not, whatever order they are asked in",
        arguments: StoreUnderTest.available)
    func onePass(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            var runs: [RunKey] = []
            for number in 0..<4 { runs.append(try store.newRun("run \(number)").key) }
            let first = try #require(try store.see { try $0.run(runs[0]) })
            for name in ["loss", "acc", "a/b"] { try store.log(first, name, [(1, 0.5), (2, 0.25)]) }
            let second = try #require(try store.see { try $0.run(runs[1]) })
            for name in ["loss", "acc"] { try store.log(second, name, [(1, 7)], as: WriterRole(rank: 1)) }
            while try store.compact() {}
            try store.log(second, "loss", [(2, 8)])
            let third = try #require(try store.see { try $0.run(runs[2]) })
            try store.log(third, "other", [(1, 1)])
            try store.change { try $0.setSummary([("best", 1)], of: first.key) }
            let orders = [
                runs, runs.reversed(), [runs[3], runs[1]], [], [runs[2], runs[0], runs[2], runs[2], runs[1]],
            ]
            try store.see { reader in
                for order in orders {
                    let documents = try reader.documents(of: order)
                    #expect(documents.count == order.count)
                    for (run, found) in zip(order, documents) {
                        let alone = try (reader.attributes(of: run), reader.summary(of: run))
                        #expect(found == RunDocuments(attributes: alone.0, summary: alone.1), "\(run)")
                    }
                }
                for names in [nil, [], ["acc"], ["loss", "acc"], ["nothing", "loss"]] {
                    for order in orders {
                        var found: [Int: [SeriesState]] = [:]
                        try reader.eachSeries(of: order, named: names) { place, series throws(Refusal) in
                            #expect(found[place] == nil, "called twice for \(order[place])")
                            found[place] = series
                        }
                        #expect(found.count == order.count)
                        for (place, run) in order.enumerated() {
                            let alone = try reader.series(of: run, named: names)
                            #expect(found[place] == alone, "\(names ?? []) of \(run)")
                        }
                    }
                }
            }
        }
    }

    @Test("a fork has its parent's points up to the step, and its own after it", arguments: StoreUnderTest.available)
    func forks(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            try store.log(run, "loss", (0..<10).map { (Int64($0), 1) })
            let fork = try store.change { try $0.fork(run.key, at: 4) }
            try store.log(fork, "loss", [(5, 2), (6, 2)])
            let curve = try store.see { try $0.curve(of: fork, "loss") }
            #expect(curve.steps == [0, 1, 2, 3, 4, 5, 6])
            #expect(curve.values == [1, 1, 1, 1, 1, 2, 2])
            #expect(try store.see { try $0.curve(of: run, "loss") }.count == 10)
            #expect(try store.see { try $0.metrics(of: fork) }.first?.series?.count == 7)
        }
    }

    @Test("points that come after the end are kept and marked late", arguments: StoreUnderTest.available)
    func late(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            try store.change { _ = try $0.endRun(run.key, status: nil) }
            try store.log(run, "loss", [(1, 1)])
            try store.log(run, "loss", [(2, 1)])
            #expect(try store.see { try $0.curve(of: run, "loss") }.count == 2)
            #expect(try store.see { try $0.items(of: .run(run.key), kind: "late", key: nil) }.map(\.key) == ["loss"])
        }
    }

    @Test("history can be deleted, in part and whole", arguments: StoreUnderTest.available)
    func deletion(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            try store.log(run, "loss", (0..<10).map { (Int64($0), Double($0)) })
            while try store.compact() {}
            try store.log(run, "loss", (10..<20).map { (Int64($0), Double($0)) })
            try store.change { try $0.deletePoints(of: run.key, "loss", in: PointRange(from: 5, to: 14)) }
            #expect(try store.see { try $0.curve(of: run, "loss") }.steps == [0, 1, 2, 3, 4, 15, 16, 17, 18, 19])
            try store.change { try $0.deletePoints(of: run.key, "loss", in: .all) }
            #expect(try store.see { try $0.curve(of: run, "loss") }.isEmpty)
            #expect(try store.see { try $0.metrics(of: run) }.isEmpty)
        }
    }

    @Test("buckets show true extremes and count every point", arguments: StoreUnderTest.available)
    func buckets(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            var values = (0..<5000).map { (Int64($0), Double($0 % 17)) }
            values[1234].1 = 1e6
            values[4321].1 = .nan
            try store.log(run, "loss", values)
            for _ in 0..<2 {
                let buckets = try store.read { reader throws(Refusal) in
                    try reader.buckets(run.key, "loss", .plain, axis: .step, from: nil, to: nil, count: 10)
                }
                #expect(buckets.count == 10)
                #expect(buckets.reduce(0) { $0 + $1.count } == 5000)
                #expect(buckets.reduce(0) { $0 + $1.nan } == 1)
                #expect(buckets.compactMap(\.max).max() == 1e6)
                while try store.compact() {}
            }
        }
    }

    @Test("rich points share the coordinates and have one kind a key", arguments: StoreUnderTest.available)
    func rich(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            @Sendable func point(_ step: Int64, _ kind: String = "histogram") -> RichPoint {
                RichPoint(key: "weights", step: step, time: noon, kind: kind, data: #"{"counts":[1,2]}"#)
            }
            try store.change { try $0.logRich([point(2), point(1)], to: run.key) }
            #expect(throws: Refusal.self) {
                try store.change { try $0.logRich([point(3, "image")], to: run.key) }
            }
            let read = try store.see { try $0.rich(run.key, key: "weights", from: .min, to: .max, limit: 10) }
            #expect(read == [point(1), point(2)])
        }
    }

    private func print(
        _ store: any Store, _ run: Run, _ pieces: [(String, String)], limit: Int = Limits.standard.consoleBytes
    ) throws {
        var limits = Limits.standard
        limits.consoleBytes = limit
        let chunks = pieces.map { ConsoleChunk(stream: $0.0, number: 0, at: noon, text: Array($0.1.utf8)) }
        try store.change(limits: limits) { try $0.logConsole(chunks, to: run.key, who: "t") }
    }

    private func printed(
        _ store: any Store, _ run: Run, _ stream: String? = nil, after: Int64 = 0, limit: Int = 100
    ) throws -> [String] {
        try store.see { try $0.console(run.key, stream: stream, after: after, limit: limit) }.map {
            "\($0.number) \($0.stream) \(String(decoding: $0.text, as: UTF8.self))"
        }
    }

    @Test("the console keeps the order of arrival over all streams", arguments: StoreUnderTest.available)
    func console(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let (run, other) = (try store.newRun(), try store.newRun())
            try print(store, run, [("stdout", "one"), ("stderr", "two")])
            try print(store, other, [("stdout", "elsewhere")])
            try print(store, run, [("stdout", "three")])
            try print(store, run, [("stderr", "four"), ("a", "five")])
            let all = ["1 stdout one", "2 stderr two", "3 stdout three", "4 stderr four", "5 a five"]
            try #expect(printed(store, run) == all)
            try #expect(printed(store, run, limit: 2) == Array(all[..<2]))
            // One number is a place in all streams: what follows it is neither missed nor doubled.
            for after in 0...5 { try #expect(printed(store, run, after: Int64(after)) == Array(all[after...])) }
            try #expect(printed(store, run, "stderr") == [all[1], all[3]])
            try #expect(printed(store, run, "stderr", after: 2) == [all[3]])
            try #expect(printed(store, run, "none").isEmpty)
            #expect(try store.see { try $0.consoleStreams(of: run.key) } == ["a", "stderr", "stdout"])
            #expect(try store.see { try $0.consoleStreams(of: other.key) } == ["stdout"])
        }
    }

    @Test(
        "beyond its limit the newest of a console is dropped, counted and said once",
        arguments: StoreUnderTest.available)
    func consoleLimit(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            func problems() throws -> Int {
                try store.see { try $0.items(of: .run(run.key), kind: "problem", key: nil) }.count
            }
            func dropped() throws -> Int { try store.see { try $0.consoleUse(of: run.key) }.droppedBytes }
            try print(store, run, [("stdout", "12345"), ("stderr", "12345")], limit: 10)
            #expect(try problems() == 0 && dropped() == 0)
            try print(store, run, [("stdout", "123"), ("stderr", "")], limit: 10)
            try print(store, run, [("stdout", "45")], limit: 10)
            #expect(try problems() == 1 && dropped() == 5)
            try #expect(printed(store, run) == ["1 stdout 12345", "2 stderr 12345", "3 stderr "])
            let item = try #require(try store.see { try $0.items(of: .run(run.key), kind: "problem", key: nil) }.first)
            #expect(item.data.contains("--limit-console-bytes"))
            // A higher limit has room again; the gap stays counted.
            try print(store, run, [("stdout", "67")], limit: 20)
            try #expect(printed(store, run, after: 3) == ["4 stdout 67"])
            #expect(try problems() == 1 && dropped() == 5)
        }
    }

    @Test(
        "a piece that does not fit ends the console, even if a smaller one would", arguments: StoreUnderTest.available)
    func consoleHole(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            try print(store, run, [("stdout", "123"), ("stdout", "12345678"), ("stdout", "4")], limit: 10)
            try #expect(printed(store, run) == ["1 stdout 123"])
            #expect(try store.see { try $0.consoleUse(of: run.key) }.droppedBytes == 9)
            try store.change { try $0.purgeRun(run.key) }
            #expect(try store.see { try $0.consoleUse(of: run.key) }.droppedBytes == 0)
        }
    }

    @Test("a run has a limited number of console streams", arguments: StoreUnderTest.available)
    func consoleStreams(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            try print(store, run, (0..<32).map { ("s\($0)", "x") })
            try print(store, run, [("s7", "again")])
            let error = #expect(throws: Refusal.self) { try print(store, run, [("s32", "x")]) }
            #expect(error?.code == .limit)
            try #expect(printed(store, run).count == 33)
        }
    }
}

@Suite("Every store tells what has changed") struct ChangesContract {
    @Test("a follower sees every run and every point once it asks again", arguments: StoreUnderTest.available)
    func follow(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            var cursor = try store.see { try $0.cursor() }
            let before = try store.generation()
            let run = try store.newRun()
            try store.log(run, "loss", [(1, 0.5)])
            #expect(try store.generation() != before)
            let changes = try store.see { try $0.changes(since: cursor, limit: 100) }
            #expect(changes.runs == [run.key])
            #expect(changes.arrivals.map(\.run) == [run.key])
            #expect(changes.arrivals.first?.batch.entries.first?.name == "loss")
            cursor = changes.cursor
            let none = try store.see { try $0.changes(since: cursor, limit: 100) }
            #expect(none.runs.isEmpty && none.arrivals.isEmpty && !none.isReset)
        }
    }

    @Test(
        "a cursor from before a compaction still leads to every run that changed", arguments: StoreUnderTest.available)
    func reset(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            let cursor = try store.see { try $0.cursor() }
            try store.log(run, "loss", [(1, 0.5)])
            try store.change { _ = try $0.endRun(run.key, status: nil) }
            while try store.compact() {}
            let changes = try store.see { try $0.changes(since: cursor, limit: 100) }
            #expect(changes.runs == [run.key])
            #expect(!changes.arrivals.isEmpty || changes.isReset)
        }
    }
}

@Suite("Every store keeps what stands beside runs") struct RecordsContract {
    @Test("the newest artifact at a path counts, and must have its bytes", arguments: StoreUnderTest.available)
    func artifacts(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            let digest = try #require(Digest(String(repeating: "ab", count: 32)))
            func artifact() -> Artifact {
                Artifact(id: 0, run: run.key, path: "models/model.pkl", digest: digest, type: "", size: 3, at: noon)
            }
            let draft = artifact()
            let error = #expect(throws: Refusal.self) { try store.change { _ = try $0.addArtifact(draft) } }
            #expect(error?.code == .busy)
            try store.alter { try $0.put(Blob(digest: digest, size: 3, seen: noon)) }
            let first = try store.change { try $0.addArtifact(draft) }
            let second = try store.change { try $0.addArtifact(draft) }
            #expect(first.type == "model" && first.id != second.id)
            #expect(try store.see { try $0.artifact(of: run.key, path: "models/model.pkl") }?.id == second.id)
            #expect(try store.see { try $0.isReferenced(digest) })
            #expect(try store.change { try $0.deleteArtifacts(of: run.key, path: "models") } == 2)
            #expect(try store.see { try $0.artifact(of: run.key, path: "models/model.pkl") } == nil)
            #expect(try store.see { try !$0.isReferenced(digest) })
        }
    }

    @Test("the same bytes under a name are the same version", arguments: StoreUnderTest.available)
    func named(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let one = try #require(Digest(String(repeating: "01", count: 32)))
            let two = try #require(Digest(String(repeating: "02", count: 32)))
            func publish(_ digest: Digest) throws -> Int {
                try store.change { ledger in
                    try ledger.publish(
                        "corpus", in: .standard, digest: digest, size: 1, type: "dataset", from: nil, metadata: "{}",
                        aliases: ["best"]
                    ).version.version
                }
            }
            #expect(try [publish(one), publish(two), publish(one)] == [1, 2, 1])
            #expect(try store.see { try $0.namedVersions(of: "corpus", in: .standard) }.map(\.version) == [1, 2])
            #expect(try store.see { try $0.namedAliases(of: "corpus", in: .standard) } == ["best": 1, "latest": 1])
            #expect(try store.see { try $0.namedArtifacts(in: .standard) } == ["corpus"])
        }
    }

    @Test(
        "a logbook's writer, an alias, a token and an answer come back as they were put",
        arguments: StoreUnderTest.available)
    func rows(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let run = try store.newRun()
            let writer = LogbookWriter(id: "w1", acked: 17, source: "host", seen: noon)
            let digest = try #require(Digest(String(repeating: "0f", count: 32)))
            let user = User(name: "ada", role: .write, created: noon, grants: [.standard: .admin])
            let token = AccessToken(id: "t1", user: "ada", kind: .token, hash: digest, label: "ci", created: noon)
            let key = IdempotencyKey(project: .standard, caller: "ada", route: "POST /runs", key: "k")
            let answer = RememberedAnswer(body: digest, status: 201, answer: [1, 2, 3], at: noon)
            try store.write { tx throws(Refusal) in
                try tx.put(writer)
                try tx.put(user)
                try tx.put(token)
                try tx.remember(answer, for: key)
                try tx.setSetting("theme", "dark")
                #expect(try tx.setAlias("exp-001", space: "import", run: run.key))
                #expect(try tx.setAlias("exp-001", space: "import", run: run.key))
            }
            let other = try store.newRun()
            #expect(try !store.alter { try $0.setAlias("exp-001", space: "import", run: other.key) })
            try store.read { reader throws(Refusal) in
                #expect(try reader.writer("w1") == writer)
                #expect(try reader.user("ada") == user)
                #expect(try reader.token(hash: digest) == token)
                #expect(try reader.tokens(of: "ada") == [token])
                #expect(try reader.remembered(key) == answer)
                #expect(try reader.setting("theme") == "dark")
                #expect(try reader.alias("exp-001", space: "import") == run.key)
                #expect(try reader.aliases(of: run.key).map(\.text) == ["exp-001"])
            }
            try store.alter { try $0.forgetAnswers(before: noon.adding(seconds: 1)) }
            #expect(try store.see { try $0.remembered(key) } == nil)
        }
    }

    @Test("the audit trail is numbered and read newest first", arguments: StoreUnderTest.available)
    func audit(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let digest = try #require(Digest(String(repeating: "0f", count: 32)))
            for index in 0..<3 {
                let entry = AuditEntry(
                    number: 0, project: .standard, at: noon, who: "ada", via: "native", request: "r",
                    action: "a\(index)",
                    subject: "run/x", detail: "{}", hash: digest)
                try store.alter { try $0.appendAudit(entry) }
            }
            let all = try store.see { try $0.audit(.standard, before: nil, limit: 10) }
            #expect(all.map(\.action) == ["a2", "a1", "a0"])
            let older = try store.see { try $0.audit(nil, before: all[0].number, limit: 1) }
            #expect(older.map(\.action) == ["a1"])
        }
    }
}
