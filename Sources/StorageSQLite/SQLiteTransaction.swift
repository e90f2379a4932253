import MartletDomain
import MartletStorage

/// The writer's view: one change inside a group that is committed together.
final class SQLiteTransaction: SQLiteView, StoreTransaction {
    /// Names that this transaction made or looked up. They may be rolled back, so nobody else sees them before COMMIT.
    private var fresh: [(text: String, id: Int64)] = []
    private var freshIDs: [String: Int64] = [:]
    private var freshTexts: [Int64: String] = [:]
    private var ownRevision: Int64?

    // MARK: Names

    override func nameID(_ text: String) throws(StorageError) -> Int64? {
        if let known = names.id(of: text) ?? freshIDs[text] { return known }
        guard let id = try storedNameID(text) else { return nil }
        keep(text, id)
        return id
    }

    override func nameTexts(_ ids: [Int64]) throws(StorageError) -> [String] {
        var known = names.texts(of: ids)
        for (place, id) in ids.enumerated() where known[place] == nil { known[place] = freshTexts[id] }
        return try resolve(known, ids) { keep($1, $0) }
    }

    /// The id of a key, given now if the store has never seen it.
    func intern(_ text: String) throws(StorageError) -> Int64 {
        if let known = try nameID(text) { return known }
        try connection.run("INSERT INTO name(text) VALUES (?)", text)
        let id = connection.lastInsertID
        keep(text, id)
        return id
    }

    private func keep(_ text: String, _ id: Int64) {
        fresh.append((text, id))
        freshIDs[text] = id
        freshTexts[id] = text
    }

    // MARK: The group

    /// The number of this transaction in the order of changes; the first to ask makes it.
    func revision() throws(StorageError) -> Int64 {
        if let ownRevision { return ownRevision }
        let revision = try connection.integer("UPDATE meta SET v = v + 1 WHERE k = 'rev' RETURNING v") ?? 0
        ownRevision = revision
        return revision
    }

    /// Where a change began, to forget what it did to this object when its rows are rolled back.
    struct Mark {
        fileprivate var fresh: Int
        fileprivate var revision: Int64?
    }

    var mark: Mark { Mark(fresh: fresh.count, revision: ownRevision) }

    func forget(since mark: Mark) {
        for (text, id) in fresh[mark.fresh...] {
            freshIDs[text] = nil
            freshTexts[id] = nil
        }
        fresh.removeSubrange(mark.fresh...)
        ownRevision = mark.revision
    }

    /// After COMMIT, and only then.
    func committed() {
        names.publish(fresh)
        began()
    }

    /// A new group begins, or one has failed: nothing of the old one counts.
    func began() {
        fresh.removeAll(keepingCapacity: true)
        freshIDs.removeAll(keepingCapacity: true)
        freshTexts.removeAll(keepingCapacity: true)
        ownRevision = nil
    }

    // MARK: Runs

    func touch(_ run: RunKey) throws(StorageError) {
        try connection.run("UPDATE run SET rev = ? WHERE id = ?", try revision(), run)
    }
}
