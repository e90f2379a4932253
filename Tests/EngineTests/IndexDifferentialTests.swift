import Foundation
import MartletDomain
import MartletEngine
import MartletStorage
import MartletStorageSQLite
import Testing

@Suite("The index answers as reading every document does")
struct IndexDifferentialTests {
    @Test("the same runs in the same order, while runs change, go, come back and get points", arguments: 1...12)
    func agrees(seed: Int) throws {
        try compare(in: MemoryStore(now: searchNoon), seed: seed)
    }

    @Test("the same on disk, while points move from the journal to where they stay", arguments: 101...104)
    func agreesOnDisk(seed: Int) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-index-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = try SQLiteStore.open(folder: folder.path)
        defer { store.close() }
        try compare(in: store, seed: seed)
    }

    private func compare(in store: any Store, seed: Int) throws {
        var dice = SearchDice(state: UInt64(seed))
        var world = try IndexWorld(store: store)
        for round in 0..<14 {
            for _ in 0..<(round == 0 ? 60 : dice.number(0..<8)) { world.change(&dice) }
            if dice.chance(40) { _ = try store.compact() }
            if dice.chance(10) { world.engine.index.removeAll() }
            for _ in 0..<6 {
                var request = SearchRequest()
                if dice.chance(85) { request.filter = IndexWorld.filter(&dice) }
                request.orderBy = IndexWorld.order(&dice)
                request.limit = 10_000
                if dice.chance(40) { request.experiments = [dice.pick(["ridge", "trees", "id:0"])] }
                if dice.chance(15) { request.project = "vision" }
                if request.project != nil { request.experiments = [] }
                request.life = dice.pick([nil, nil, .all, .deleted])
                request.parts = []
                let about =
                    "seed \(seed), round \(round): \(request.filter) ORDER BY \(request.orderBy) in "
                    + "\(request.experiments) \(request.project ?? "") \(request.life?.rawValue ?? "")"
                let caller = Caller.local(via: "test")
                let expected = try world.engine.searchByBruteForce(request, by: caller)
                let page = try world.engine.search(request, by: caller)
                #expect(page.runs.map(\.run.id) == expected.runs, "\(about)")
                #expect(page.total == expected.total, "\(about)")
                #expect(page.nextPageToken == nil, "\(about)")

                request.limit = dice.number(1..<9)
                var paged: [RunID] = []
                repeat {
                    let page = try world.engine.search(request, by: caller)
                    paged += page.runs.map(\.run.id)
                    #expect(page.total == expected.total, "\(about)")
                    request.pageToken = page.nextPageToken
                } while request.pageToken != nil && paged.count <= expected.runs.count
                #expect(paged == expected.runs, "in pages of \(request.limit ?? 0), \(about)")
                if paged != expected.runs || page.runs.map(\.run.id) != expected.runs { return }
            }
        }
    }
}
