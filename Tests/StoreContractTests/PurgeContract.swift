import MartletDomain
import MartletStorage
import Testing

@Suite("Every store lets go of what was beside a thing that is deleted for good") struct PurgeContract {
    private func writeBeside(_ store: any Store, _ project: ProjectID, _ experiment: ExperimentID, notes: Int) throws {
        try store.change { ledger in
            for owner in [Item.Owner.project(project), .experiment(experiment)] {
                for number in 0..<notes {
                    _ = try ledger.tx.append(
                        Item(
                            id: 0, owner: owner, kind: "note", key: "\(number)", at: noon, who: "t",
                            data: String(repeating: "x", count: 10_000)))
                }
            }
            _ = try ledger.put(kind: "metric", key: "loss", data: "{}", on: .experiment(experiment), who: "t")
        }
    }

    @Test(
        "notes, definitions and named artifacts go with their project, and no others",
        arguments: StoreUnderTest.available)
    func project(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let digest = try #require(Digest(String(repeating: "ab", count: 32)))
            let (doomed, kept) = try store.change { ledger in
                let made = try ["doomed", "kept"].map { name in
                    let project = try ledger.createProject(.init(title: name)).project
                    let experiment = try ledger.createExperiment(.init(name: "e", project: project.id)).experiment
                    return (project.id, experiment.id)
                }
                _ = try ledger.publish(
                    "model", in: made[0].0, digest: digest, size: 1, type: "model", from: nil, metadata: "{}",
                    aliases: ["production"])
                return (made[0], made[1])
            }
            for place in [doomed, kept] { try writeBeside(store, place.0, place.1, notes: 600) }
            #expect(try store.see { try $0.isReferenced(digest) })
            try store.change { try $0.purgeProject(doomed.0) }
            // Out of sight at once, whatever rows are left.
            func check() throws {
                try store.see { (reader: any StoreReader) throws in
                    #expect(try reader.items(of: .project(doomed.0), kind: nil, key: nil).isEmpty)
                    #expect(try reader.items(of: .experiment(doomed.1), kind: "metric", key: "loss").isEmpty)
                    #expect(try reader.namedArtifacts(in: doomed.0).isEmpty)
                    #expect(try reader.namedVersions(of: "model", in: doomed.0).isEmpty)
                    #expect(try reader.namedAliases(of: "model", in: doomed.0).isEmpty)
                    #expect(try !reader.isReferenced(digest))
                    #expect(try reader.items(of: .project(kept.0), kind: nil, key: nil).count == 600)
                    #expect(try reader.items(of: .experiment(kept.1), kind: nil, key: nil).count == 601)
                }
            }
            try check()
            var steps = 1
            while try store.alter({ try $0.purgeStep() }) { steps += 1 }
            // Twelve megabytes in steps of two.
            if kind == .sqlite { #expect(steps >= 5) }
            try check()
        }
    }

    @Test("an experiment that is deleted for good leaves its project as it is", arguments: StoreUnderTest.available)
    func experiment(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let made = try store.change { try $0.createExperiment(.init(name: "e")) }.experiment
            try writeBeside(store, .standard, made.id, notes: 3)
            let run = try store.newRun(in: made.id)
            try store.log(run, "loss", [(1, 1)])
            try store.change { try $0.purgeExperiment(made.id) }
            while try store.alter({ try $0.purgeStep() }) {}
            #expect(try store.see { try $0.items(of: .experiment(made.id), kind: nil, key: nil) }.isEmpty)
            #expect(try store.see { try $0.items(of: .project(.standard), kind: nil, key: nil) }.count == 3)
            #expect(try store.see { try $0.isPurged(made.id) })
        }
    }
}
