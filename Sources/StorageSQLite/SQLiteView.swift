import MartletDomain
import MartletStorage

/// One consistent view of the database: a read transaction on a pooled connection, or the writer's own.
class SQLiteView: StoreReader {
    let connection: Connection
    let names: NameTable

    init(_ connection: Connection, names: NameTable) { (self.connection, self.names) = (connection, names) }

    /// The id of a key, nil when the store has never seen it.
    func nameID(_ text: String) throws(StorageError) -> Int64? {
        if let known = names.id(of: text) { return known }
        // A read transaction sees committed rows only, so that what it finds may be shared at once.
        guard let id = try storedNameID(text) else { return nil }
        names.publish([(text, id)])
        return id
    }

    final func storedNameID(_ text: String) throws(StorageError) -> Int64? {
        try connection.integer("SELECT id FROM name WHERE text = ?", text)
    }

    /// The keys behind ids, in their order.
    func nameTexts(_ ids: [Int64]) throws(StorageError) -> [String] {
        let known = names.texts(of: ids)
        var found: [(text: String, id: Int64)] = []
        let texts = try resolve(known, ids) { found.append(($1, $0)) }
        names.publish(found)
        return texts
    }

    /// Fills the gaps among known keys from the table, and says which those were.
    final func resolve(
        _ known: [String?], _ ids: [Int64], found: (Int64, String) -> Void
    ) throws(StorageError) -> [String] {
        var texts: [String] = []
        texts.reserveCapacity(ids.count)
        for (place, id) in ids.enumerated() {
            if let text = known[place] {
                texts.append(text)
                continue
            }
            guard let text = try connection.first("SELECT text FROM name WHERE id = ?", id, row: { $0.text(0) }) else {
                throw .damaged("A document names key \(id), which the store does not have.")
            }
            found(id, text)
            texts.append(text)
        }
        return texts
    }

    /// False for a run that was buried: what hangs on it is not there for anyone, even while its rows are.
    final func hasRun(_ key: RunKey) throws(StorageError) -> Bool {
        try connection.integer("SELECT 1 FROM run WHERE id = ?", key) != nil
    }
}
