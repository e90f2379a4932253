import MartletDomain

extension MemoryTransaction {
    private func all(_ kind: String) -> [Card] {
        state.cards.values.filter { $0.kind == kind }.sorted { $0.id < $1.id }
    }

    func card(_ kind: String, in project: ProjectID, owner: String, key: String) -> Card? {
        state.cards.values.first {
            $0.kind == kind && $0.project == project && $0.owner == owner && $0.key == key
        }
    }

    func card(_ id: Int64) -> Card? { state.cards[id] }

    func cards(_ kind: String, in project: ProjectID?, owner: String?, after: Int64?, limit: Int) -> [Card] {
        let found = all(kind).filter {
            (project == nil || $0.project == project) && (owner == nil || $0.owner == owner) && $0.id > (after ?? 0)
        }
        return Array(found.prefix(limit))
    }

    func cards(_ kind: String, key: String) -> [Card] { all(kind).filter { $0.key == key } }

    func cards(_ kind: String, owner: String?, changedAfter revision: Int64) -> [Card] {
        all(kind).filter { (owner == nil || $0.owner == owner) && (state.cardRevisions[$0.id] ?? 0) > revision }
    }

    func cardCount(_ kind: String, owner: String?) -> Int {
        all(kind).filter { owner == nil || $0.owner == owner }.count
    }

    func cards(_ kind: String, in project: ProjectID, fromKey: String, limit: Int) -> [Card] {
        let found = all(kind).filter {
            $0.project == project && !$0.key.utf8.lexicographicallyPrecedes(fromKey.utf8)
        }
        return Array(found.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.prefix(limit))
    }

    func insert(_ card: Card) throws(StorageError) -> Card {
        try checkFree(card)
        var kept = card
        kept.id = state.nextCard
        state.nextCard += 1
        put(kept)
        return kept
    }

    func update(_ card: Card) throws(StorageError) {
        guard state.cards[card.id] != nil else { return }
        try checkFree(card)
        put(card)
    }

    private func put(_ card: Card) {
        state.cards[card.id] = card
        state.cardRevisions[card.id] = state.revision
    }

    private func checkFree(_ card: Card) throws(StorageError) {
        if let taken = self.card(card.kind, in: card.project, owner: card.owner, key: card.key), taken.id != card.id {
            throw .cardTaken(card)
        }
    }

    func removeCard(_ id: Int64) {
        state.cards[id] = nil
        state.cardRevisions[id] = nil
    }

    func removeCards(in project: ProjectID, owner: String?) {
        for card in state.cards.values where card.project == project && (owner == nil || card.owner == owner) {
            removeCard(card.id)
        }
    }
}
