import MartletDomain
import MartletStorage

extension SQLiteTransaction {
    func insert(_ card: Card) throws(StorageError) -> Card {
        try checkFree(card)
        try connection.run(
            """
            INSERT INTO card(kind, project, owner, key, life, created_us, updated_us, data, sha, rev)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, card.kind, card.project, card.owner, card.key, card.life.rawValue, card.created, card.updated,
            card.data, card.digest?.bytes, try revision())
        var kept = card
        kept.id = connection.lastInsertID
        return kept
    }

    func update(_ card: Card) throws(StorageError) {
        guard try self.card(card.id) != nil else { return }
        try checkFree(card)
        try connection.run(
            """
            UPDATE card SET kind = ?, project = ?, owner = ?, key = ?, life = ?, created_us = ?, updated_us = ?,
            data = ?, sha = ?, rev = ? WHERE id = ?
            """, card.kind, card.project, card.owner, card.key, card.life.rawValue, card.created, card.updated,
            card.data, card.digest?.bytes, try revision(), card.id)
    }

    private func checkFree(_ card: Card) throws(StorageError) {
        let taken = try connection.integer(
            "SELECT id FROM card WHERE kind = ? AND project = ? AND owner = ? AND key = ?", card.kind, card.project,
            card.owner, card.key)
        if let taken, taken != card.id { throw .cardTaken(card) }
    }

    /// A removal moves the revision too: what is the same revision is the same cards.
    func removeCard(_ id: Int64) throws(StorageError) {
        _ = try revision()
        try connection.run("DELETE FROM card WHERE id = ?", id)
    }

    func removeCards(in project: ProjectID, owner: String?) throws(StorageError) {
        _ = try revision()
        if let owner {
            return try connection.run("DELETE FROM card WHERE owner = ? AND project = ?", owner, project)
        }
        try connection.run("DELETE FROM card WHERE project = ?", project)
    }
}
