import MartletDomain
import MartletStorage

extension SQLiteView {
    func attributes(of run: RunKey) throws(StorageError) -> RunAttributes {
        let found = try connection.first(
            "SELECT data FROM run_doc WHERE id = ?", RunDocument.id(.attributes, of: run)
        ) { (row) throws(StorageError) in
            var reader = KeyedDocuments(self)
            return try reader.attributes(row, 0, of: run)
        }
        return found ?? RunAttributes()
    }

    func summary(of run: RunKey) throws(StorageError) -> Pairs<SummaryValue> {
        let found = try connection.first(
            "SELECT data FROM run_doc WHERE id = ?", RunDocument.id(.summary, of: run)
        ) { (row) throws(StorageError) in
            var reader = KeyedDocuments(self)
            return try reader.summary(row, 0, of: run)
        }
        return found ?? Pairs()
    }

    func documents(of runs: [RunKey]) throws(StorageError) -> [RunDocuments] {
        guard let last = runs.max() else { return [] }
        let sql = "SELECT id, data FROM run_doc WHERE id BETWEEN ? AND ? ORDER BY id"
        return try connection.with(sql) { (statement) throws(StorageError) in
            var reader = KeyedDocuments(self)
            var all = [RunDocuments](repeating: RunDocuments(), count: runs.count)
            var rows = RisingRows(statement, through: RunDocument.id(.summary, of: last))
            var before: Int?
            for place in runs.indices.sorted(by: { runs[$0] < runs[$1] }) {
                let run = runs[place]
                if let before, runs[before] == run {
                    all[place] = all[before]
                    continue
                }
                before = place
                if try rows.stand(on: RunDocument.id(.attributes, of: run), near: 4) {
                    all[place].attributes = try reader.attributes(statement, 1, of: run)
                }
                if try rows.stand(on: RunDocument.id(.summary, of: run), near: 1) {
                    all[place].summary = try reader.summary(statement, 1, of: run)
                }
            }
            return all
        }
    }
}

/// Reads documents and spells their keys. A run mostly has the keys that the run before it had: those texts are then not
/// looked up again.
private struct KeyedDocuments {
    private struct Keys {
        private var ids: [Int64] = []
        private var texts: [String] = []

        mutating func spell<Value>(
            _ column: RunDocument.Column<Value>, in view: SQLiteView
        ) throws(StorageError) -> Pairs<Value> {
            guard !column.isEmpty else { return Pairs() }
            if !column.elementsEqual(ids, by: { $0.id == $1 }) {
                ids = column.map(\.id)
                texts = try view.nameTexts(ids)
            }
            return Pairs(unique: column.indices.map { (texts[$0], column[$0].value) })
        }
    }

    private let view: SQLiteView
    private var params = Keys()
    private var tags = Keys()
    private var properties = Keys()
    private var summary = Keys()

    init(_ view: SQLiteView) { self.view = view }

    mutating func attributes(_ row: Statement, _ column: Int, of run: RunKey) throws(StorageError) -> RunAttributes {
        do throws(StorageError) {
            let found = try row.withBlob(column, RunDocument.attributes)
            return RunAttributes(
                params: try params.spell(found.params, in: view), tags: try tags.spell(found.tags, in: view),
                properties: try properties.spell(found.properties, in: view))
        } catch {
            throw error.inDocument(of: run)
        }
    }

    mutating func summary(
        _ row: Statement, _ column: Int, of run: RunKey
    ) throws(StorageError) -> Pairs<SummaryValue> {
        do throws(StorageError) {
            return try summary.spell(try row.withBlob(column, RunDocument.summary), in: view)
        } catch {
            throw error.inDocument(of: run)
        }
    }
}

extension StorageError {
    fileprivate func inDocument(of run: RunKey) -> StorageError {
        guard code == .damaged else { return self }
        return .damaged("\(message) It belongs to run \(run).")
    }
}
