import MartletDomain
import MartletStorage

extension SQLiteView {
    func card(_ kind: String, in project: ProjectID, owner: String, key: String) throws(StorageError) -> Card? {
        try connection.first(
            "SELECT \(Card.columns) FROM card WHERE kind = ? AND project = ? AND owner = ? AND key = ?", kind, project,
            owner, key, row: Card.init)
    }

    func card(_ id: Int64) throws(StorageError) -> Card? {
        try connection.first("SELECT \(Card.columns) FROM card WHERE id = ?", id, row: Card.init)
    }

    /// Each page starts where the last one ended, in an index that is in order of id, so that nothing is sorted.
    func cards(
        _ kind: String, in project: ProjectID?, owner: String?, after: Int64?, limit: Int
    ) throws(StorageError) -> [Card] {
        if let owner {
            return try connection.all(
                """
                SELECT \(Card.columns) FROM card INDEXED BY card_owner WHERE owner = ? AND kind = ?
                AND (?3 IS NULL OR project = ?3) AND id > ? ORDER BY id LIMIT ?
                """, owner, kind, project, after ?? 0, limit, row: Card.init)
        }
        return try connection.all(
            """
            SELECT \(Card.columns) FROM card INDEXED BY card_kind WHERE kind = ?
            AND (?2 IS NULL OR project = ?2) AND id > ? ORDER BY id LIMIT ?
            """, kind, project, after ?? 0, limit, row: Card.init)
    }

    func cards(_ kind: String, key: String) throws(StorageError) -> [Card] {
        try connection.all(
            // Left to itself SQLite takes card_kind, where the order is for nothing and the key is not.
            "SELECT \(Card.columns) FROM card INDEXED BY card_name WHERE kind = ? AND key = ? ORDER BY id", kind, key,
            row: Card.init)
    }

    func cards(_ kind: String, owner: String?, changedAfter revision: Int64) throws(StorageError) -> [Card] {
        // From the start on it is all of them, and those lie together.
        guard revision > 0 else { return try cards(kind, in: nil, owner: owner, after: nil, limit: .max) }
        return try connection.all(
            """
            SELECT \(Card.columns) FROM card INDEXED BY card_rev WHERE rev > ? AND kind = ?
            AND (?3 IS NULL OR owner = ?3) ORDER BY id
            """, revision, kind, owner, row: Card.init)
    }

    func cards(
        _ kind: String, in project: ProjectID, fromKey: String, limit: Int
    ) throws(StorageError) -> [Card] {
        try connection.all(
            "SELECT \(Card.columns) FROM card WHERE kind = ? AND key >= ? AND project = ? ORDER BY key LIMIT ?", kind,
            fromKey, project, limit, row: Card.init)
    }

    func cardCount(_ kind: String, owner: String?) throws(StorageError) -> Int {
        guard let owner else {
            return Int(try connection.integer("SELECT count(*) FROM card WHERE kind = ?", kind) ?? 0)
        }
        return Int(
            try connection.integer("SELECT count(*) FROM card WHERE owner = ? AND kind = ?", owner, kind) ?? 0)
    }
}
