import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletStorage
import Synchronization
import Testing

@Suite("A request with a key counts once") struct OnceTests {
    @Test("the same request again gets the first answer, and does nothing")
    func repeats() throws {
        let stage = Stage()
        let once = Once(key: "k1", route: "POST /runs", body: SHA256.digest(of: "a"))
        @Sendable func create(_ ledger: Ledger) throws(Refusal) -> Answer {
            let run = try ledger.createRun(RunDraft(experiment: .standard))
            return Answer(status: 201, body: Array(run.shortID.utf8))
        }
        let first = try stage.answer(once, create).get()
        let second = try stage.answer(once, create).get()
        #expect(first.body == second.body && second.status == 201)
        #expect(!first.isRepeat && second.isRepeat)
        #expect(try stage.see { try $0.runs(in: .standard, after: nil, limit: 10) }.count == 1)
    }

    @Test("another body under the same key is refused")
    func otherBody() throws {
        let stage = Stage()
        let answer = Answer(body: [])
        _ = stage.answer(Once(key: "k", route: "r", body: SHA256.digest(of: "a"))) { _ in answer }
        let second = stage.answer(Once(key: "k", route: "r", body: SHA256.digest(of: "b"))) { _ in answer }
        #expect(throws: Refusal.self) { try second.get() }
    }

    @Test("a refused request is not remembered")
    func refused() throws {
        let stage = Stage()
        let once = Once(key: "k", route: "r", body: SHA256.digest(of: "a"))
        _ = stage.answer(once) { _ throws(Refusal) in throw Refusal(.invalid, "no", remedy: "") }
        #expect(try stage.answer(once) { _ in Answer(status: 201, body: [1]) }.get().body == [1])
    }
}

@Suite("Everyone who may not is told what they need") struct RightsTests {
    @Test("a role includes the lower ones, and a grant counts in its project alone")
    func may() {
        let reader = Caller(principal: "ada", role: .read, grants: [ProjectID(2): .admin], via: "test")
        #expect(reader.may(.read, on: .standard) && !reader.may(.write, on: .standard))
        #expect(reader.may(.admin, on: ProjectID(2)))
        let nobody = Caller(principal: "x", role: nil, via: "test")
        #expect(!nobody.may(.read, on: .standard))
        let error = #expect(throws: Refusal.self) { try reader.require(.write, on: .standard) }
        #expect(error?.code == .forbidden && error?.remedy.contains("martlet users grant ada") == true)
    }

    @Test("a token opens until it is revoked, expires, or its user is disabled")
    func tokens() throws {
        let stage = Stage()
        let engine = stage.engine
        _ = try engine.putUser(.system, name: "ada", role: .write)
        let (token, secret) = try engine.createToken(.system, for: "ada", label: "ci", lifetime: 90 * 86_400)
        #expect(try engine.authenticate(secret: secret, requestID: "r", via: "native").principal == "ada")
        #expect(throws: Refusal.self) { try engine.authenticate(secret: secret + "x", requestID: "r", via: "native") }
        stage.clock.advance(seconds: 91 * 86_400)
        let expired = #expect(throws: Refusal.self) {
            try engine.authenticate(secret: secret, requestID: "r", via: "native")
        }
        #expect(expired?.code == .unauthenticated && expired?.message.contains("expired") == true)
        let (second, secondSecret) = try engine.createToken(.system, for: "ada", label: "ci")
        _ = try engine.revokeToken(.system, id: second.id)
        #expect(throws: Refusal.self) { try engine.authenticate(secret: secondSecret, requestID: "r", via: "native") }
        let (_, third) = try engine.createToken(.system, for: "ada", label: "ci")
        _ = try engine.putUser(.system, name: "ada", role: nil, disabled: true)
        #expect(throws: Refusal.self) { try engine.authenticate(secret: third, requestID: "r", via: "native") }
        #expect(token.hash == SHA256.digest(of: secret), "the secret itself is kept nowhere")
    }

    @Test("Basic and Bearer carry a token, and a cookie does")
    func credentials() {
        #expect(Credentials(authorization: "Bearer abc").secret == "abc")
        #expect(Credentials(authorization: "Basic YWRhOm1sdF94").secret == "mlt_x")
        #expect(Credentials(session: "s").secret == "s")
        #expect(Credentials(authorization: "Basic !!!").secret == nil)
        #expect(Credentials(authorization: "Digest x").secret == nil)
    }

    @Test("an invitation opens a session once")
    func invitation() throws {
        let engine = Stage().engine
        _ = try engine.putUser(.system, name: "admin", role: .admin)
        let link = try engine.createToken(.system, for: "admin", label: "first", kind: .invitation)
        #expect(throws: Refusal.self) { try engine.authenticate(secret: link.secret, requestID: "", via: "native") }
        let session = try engine.redeem(invitation: link.secret)
        #expect(try engine.authenticate(secret: session.session, requestID: "", via: "native").role == .admin)
        #expect(throws: Refusal.self) { try engine.redeem(invitation: link.secret) }
    }
}

@Suite("Every change leaves a line that cannot be changed unseen") struct AuditTests {
    @Test("a chain that is whole has no broken entry, one that was changed has")
    func chain() throws {
        let stage = Stage()
        let run = try stage.run()
        _ = try stage.engine.changeAndWait(stage.caller) { ledger throws(Refusal) in
            try ledger.setTags([("a", "b")], of: run.key)
        }
        #expect(try stage.engine.brokenAuditEntries(in: .standard).isEmpty)
        let entries = try stage.see { try $0.audit(.standard, before: nil, limit: 10) }
        #expect(entries.map(\.action) == ["tags.set", "run.create"])
        #expect(entries[0].who == "local" && entries[0].subject == "run/\(run.id)")
        try stage.engine.store.write { tx throws(Refusal) in
            var forged = entries[0]
            forged.detail = "{}"
            try tx.appendAudit(forged)
        }
        #expect(try stage.engine.brokenAuditEntries(in: .standard).count == 1)
    }

    @Test("points are one line for each run, writer and minute")
    func points() throws {
        let stage = Stage()
        let run = try stage.run()
        func log(_ step: Int64) throws {
            var input = MetricInput()
            input.add("loss", step: step, time: nil, value: 1, now: stage.clock.now)
            let write = stage.engine.prepare(input)
            _ = try stage.engine.changeAndWait(stage.caller) { ledger throws(Refusal) in
                try write(ledger, run.key, .plain)
            }
        }
        for step in 0..<5 { try log(Int64(step)) }
        stage.clock.advance(seconds: 61)
        try log(9)
        let actions = try stage.see { try $0.audit(nil, before: nil, limit: 50) }.map(\.action)
        #expect(actions.filter { $0 == "points.log" }.count == 2)
    }
}

@Suite("Things answer to the names that people use") struct ResolveTests {
    @Test("a run is found by id, short id, alias, name and prefix, in that order")
    func runs() throws {
        let stage = Stage()
        let id = try #require(RunID("00aabbccddeeff000000000000000001"))
        let run = try stage.run(named: "ridge", id: id)
        _ = try stage.alter { try $0.setAlias("exp-001", space: "import", run: run.key) }
        for text in [id.text, "run_01", "exp-001", "ridge", "00aabbcc", "name:ridge", "id:00aabb"] {
            #expect(try stage.see { try $0.resolveRun(text, for: .system) }.key == run.key, "\(text)")
        }
        for text in ["ridge", "00aabbcc"] {
            #expect(throws: Refusal.self) { try stage.see { try $0.resolveRun(text, in: nil, .exact, for: .system) } }
        }
    }

    @Test("what two things answer to is refused with both")
    func ambiguous() throws {
        let stage = Stage()
        let first = try stage.run(named: "same")
        let second = try stage.run(named: "same")
        let error = #expect(throws: Refusal.self) { try stage.see { try $0.resolveRun("same", for: .system) } }
        #expect(error?.code == .ambiguous)
        #expect(Set(error?.candidates ?? []) == [first.id.text, second.id.text])
    }

    @Test("a name that is nearly right is suggested")
    func near() throws {
        let stage = Stage()
        _ = try stage.engine.changeAndWait(stage.caller) { ledger throws(Refusal) in
            try ledger.createExperiment(ExperimentDraft(name: "risk_prediction"))
        }
        let error = #expect(throws: Refusal.self) {
            try stage.see { try $0.resolveExperiment("risk_predicton", for: .system) }
        }
        #expect(error?.message.contains("risk_prediction") == true)
    }
}

@Suite("The best run is the best of those that ended well") struct BestTests {
    private func stage(_ runs: [(name: String, status: String, value: Double?)]) throws -> Stage {
        let stage = Stage()
        for (name, status, value) in runs {
            let run = try stage.run(named: name)
            try stage.engine.changeAndWait(stage.caller) { ledger throws(Refusal) in
                if let value { try ledger.setSummary([("val_acc", value)], of: run.key) }
                _ = try ledger.endRun(run.key, status: Status(word: status))
            }
        }
        return stage
    }

    @Test("overfit runs, NaN and missing values do not win; ties are all named")
    func best() throws {
        let stage = try stage([
            ("a", "done", 0.82), ("b", "done", .nan), ("c", "overfit", 0.99), ("d", "done", 0.86), ("e", "done", 0.86),
            ("f", "done", nil), ("g", "running", 0.97),
        ])
        let best = try stage.engine.best(of: .standard, metric: "val_acc", goal: .max, by: stage.caller)
        #expect(best.runs.map(\.run.name) == ["d", "e"] && best.value == 0.86)
        let worst = try stage.engine.best(of: .standard, metric: "val_acc", goal: .min, by: stage.caller)
        #expect(worst.runs.map(\.run.name) == ["a"])
    }
}
