import MartletDomain
import MartletStorage
import Testing

@Suite("Every store keeps cards") struct CardsContract {
    private func card(
        _ key: String, kind: String = "model", in project: ProjectID = .standard, owner: String = "",
        data: String = "{}"
    ) -> Card {
        Card(kind: kind, project: project, owner: owner, key: key, created: noon, updated: noon, data: data)
    }

    @Test("a card is replaced whole, and found by its name and by its id", arguments: StoreUnderTest.available)
    func replaced(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let given = card("grüße 🐦", data: "{\"a\":\"“\\u0000”\"}")
            let made = try store.alter { try $0.insert(given) }
            #expect(try store.see { try $0.card("model", in: .standard, owner: "", key: "grüße 🐦") } == made)
            var changed = made
            changed.key = "swift"
            changed.life = .deleted
            changed.updated = noon.adding(seconds: 1)
            changed.data = "[]"
            let update = changed
            try store.alter { try $0.update(update) }
            #expect(try store.see { try $0.card(made.id) } == update)
            #expect(try store.see { try $0.card("model", in: .standard, owner: "", key: "grüße 🐦") } == nil)
            try store.alter { try $0.removeCard(made.id) }
            #expect(try store.see { try $0.card(made.id) } == nil)
            let next = try store.alter { try $0.insert(given) }
            #expect(next.id > made.id, "an id is never given twice")
        }
    }

    @Test(
        "a card keeps the content that it stands for, until it stands for another or is gone",
        arguments: StoreUnderTest.available)
    func content(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let (first, second) = (
                try #require(Digest(String(repeating: "a", count: 64))),
                try #require(Digest(String(repeating: "b", count: 64)))
            )
            func kept(_ digest: Digest) throws -> Bool { try store.see { try $0.isReferenced(digest) } }
            var given = card("a")
            given.digest = first
            let wanted = given
            var made = try store.alter { try $0.insert(wanted) }
            #expect(made.digest == first)
            #expect(try kept(first))
            made.digest = second
            let update = made
            try store.alter { try $0.update(update) }
            #expect(try store.see { try $0.card(update.id) } == update)
            #expect(try !kept(first) && kept(second))
            try store.alter { try $0.removeCard(update.id) }
            #expect(try !kept(second))
        }
    }

    @Test(
        "cards of a project are read in order of the bytes of their keys, from a key on",
        arguments: StoreUnderTest.available)
    func fromKey(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let other = try store.change { try $0.createProject(.init(title: "Birds")) }.project
            let given =
                ["b", "a/z", "a", "ä", "a.b"].map { card($0, owner: "experiment/1") } + [card("a", in: other.id)]
            try store.alter { tx in for card in given { _ = try tx.insert(card) } }
            func keys(_ from: String, _ limit: Int) throws -> [String] {
                try store.see { try $0.cards("model", in: .standard, fromKey: from, limit: limit).map(\.key) }
            }
            #expect(try keys("", 10) == ["a", "a.b", "a/z", "b", "ä"])
            #expect(try keys("a/", 2) == ["a/z", "b"])
        }
    }

    @Test(
        "a name is taken once among the cards of a kind, a project and an owner, by a new card and by a renamed one",
        arguments: StoreUnderTest.available)
    func taken(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let other = try store.change { try $0.createProject(.init(title: "Birds")) }.project
            let first = card("a")
            _ = try store.alter { try $0.insert(first) }
            #expect(throws: Refusal.self) { try store.alter { try $0.insert(first) } }
            let elsewhere = [
                card("a", kind: "view"), card("a", in: other.id), card("a", owner: "card/1"), card("b"),
            ]
            let made = try store.alter { tx in try elsewhere.map { try tx.insert($0) } }
            var renamed = made[3]
            renamed.key = "a"
            let update = renamed
            let refused = #expect(throws: Refusal.self) { try store.alter { try $0.update(update) } }
            #expect(refused?.code == .conflict)
            #expect(try store.see { try $0.cardCount("model", owner: nil) } == 4)
        }
    }

    @Test(
        "cards are listed by kind, project and owner in order of id, a page at a time",
        arguments: StoreUnderTest.available)
    func listed(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let cards = (0..<10).map { card("\(9 - $0)", owner: $0 % 2 == 0 ? "experiment/0" : "") }
            let made = try store.alter { tx in try cards.map { try tx.insert($0) } }
            try store.see { reader throws in
                let all = try reader.cards("model", in: nil, owner: nil, after: nil, limit: 100)
                #expect(all == made)
                let owned = try reader.cards("model", in: .standard, owner: "experiment/0", after: made[2].id, limit: 2)
                #expect(owned == [made[4], made[6]])
                let own = try reader.cards("model", in: .standard, owner: "", after: nil, limit: 2)
                #expect(own == [made[1], made[3]])
                #expect(try reader.cards("model", in: ProjectID(9), owner: nil, after: nil, limit: 9).isEmpty)
                #expect(try reader.cards("model", key: "6") == [made[3]])
                #expect(try reader.cardCount("model", owner: "experiment/0") == 5)
                #expect(try reader.cards("view", in: nil, owner: nil, after: nil, limit: 9).isEmpty)
            }
        }
    }

    @Test(
        "a follower hears of cards that were written, and counts those that went", arguments: StoreUnderTest.available)
    func followed(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let cards = (0..<3).map { card("\($0)") }
            let made = try store.alter { tx in try cards.map { try tx.insert($0) } }
            let cursor = try store.see { try $0.cursor() }
            var changed = made[1]
            changed.data = "{\"a\":1}"
            let update = changed
            try store.alter { try $0.update(update) }
            try store.alter { try $0.removeCard(made[0].id) }
            try store.see { reader throws in
                #expect(try reader.cards("model", owner: nil, changedAfter: 0) == [update, made[2]])
                #expect(try reader.cards("model", owner: nil, changedAfter: cursor.revision) == [update])
                #expect(try reader.cards("model", owner: "card/1", changedAfter: cursor.revision).isEmpty)
                #expect(try reader.cardCount("model", owner: nil) == 2)
                #expect(try reader.changes(since: cursor, limit: 10).cards == [update.id])
            }
        }
    }

    @Test("what is deleted for good takes its cards along", arguments: StoreUnderTest.available)
    func purged(_ kind: StoreUnderTest) throws {
        try kind.with { store in
            let project = try store.change { try $0.createProject(.init(title: "Birds")) }.project
            let experiment = try store.change {
                try $0.createExperiment(.init(name: "flight", project: project.id))
            }.experiment
            let cards = [
                card("a", in: project.id, owner: Card.owner(experiment.id)), card("b", in: project.id), card("c"),
                card("d", owner: Card.owner(.standard)),
            ]
            _ = try store.alter { tx in try cards.map { try tx.insert($0) } }
            func left() throws -> [String] {
                try store.see { try $0.cards("model", in: nil, owner: nil, after: nil, limit: 9) }.map(\.key)
            }
            try store.change { try $0.purgeExperiment(experiment.id) }
            #expect(try left() == ["b", "c", "d"])
            try store.change { try $0.purgeProject(project.id) }
            #expect(try left() == ["c", "d"])
        }
    }
}
