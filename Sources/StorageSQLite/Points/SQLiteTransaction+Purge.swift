import MartletDomain
import MartletStorage

extension SQLiteTransaction {
    /// About what one step removes.
    private static var purgeBytesMax: Int64 { 2 << 20 }

    /// Takes rows of a buried run away until the step is full; a run without any left is marked as purged. Where it
    /// stopped is where the rows are, so a step after a crash goes on by itself.
    func purgeStep() throws(StorageError) -> Bool {
        guard
            let run = try connection.integer("SELECT run FROM grave WHERE purged = 0 ORDER BY run LIMIT 1").map(
                RunKey.init)
        else { return try purgeBeside() }
        var left = Self.purgeBytesMax
        try purge("journal", "length(data)", where: "run = ?", run, &left)
        try purgeChunks(of: run, &left)
        try purge("pack", "length(dir) + length(data)", where: "run = ?", run, &left)
        try purge("console", "length(data)", where: "run = ?", run, &left)
        try purgeRich(of: run, &left)
        try purge("artifact", "length(path) + length(meta)", where: "run = ?", run, &left)
        let documents = PointRows.documentIDs(run)
        try connection.run("DELETE FROM metric_doc WHERE id BETWEEN ? AND ?", documents.head, documents.last)
        let owner = Item.Owner.run(run).coded
        try purge("item", "length(data)", where: "owner = ?", RunKey(owner), &left)
        guard left > 0 else { return true }
        try connection.run("DELETE FROM lane WHERE run = ?", run)
        try connection.run("UPDATE grave SET purged = 1 WHERE run = ?", run)
        shared.seriesNames.forget(run)
        shared.gauge.recount()
        if try connection.integer("SELECT 1 FROM grave WHERE purged = 0 LIMIT 1") != nil { return true }
        return try nextBurial() != nil
    }

    func bury(_ owner: Item.Owner) throws(StorageError) { try setSetting(Burial.setting(owner), "") }

    private func nextBurial() throws(StorageError) -> Item.Owner? {
        let name = try connection.first(
            "SELECT name FROM setting WHERE name >= 'buried/' AND name < 'buried0' ORDER BY name LIMIT 1"
        ) { $0.text(0) }
        return name.flatMap { Int64($0.dropFirst(Burial.prefix.utf8.count)) }.flatMap { Item.Owner(coded: $0) }
    }

    /// The rows beside a buried project or experiment, likewise: the mark goes when none is left.
    private func purgeBeside() throws(StorageError) -> Bool {
        guard let owner = try nextBurial() else { return false }
        var left = Self.purgeBytesMax
        try purge("item", "length(data)", where: "owner = ?", RunKey(owner.coded), &left)
        if case .project(let project) = owner {
            // These tables have no row numbers, and their rows are small.
            let rows = Int64(Self.purgeBytesMax / 1024)
            for (table, key) in [("named_version", "version"), ("named_alias", "alias")] where left > 0 {
                let place = "SELECT name, \(key) FROM \(table) WHERE project = ? LIMIT ?"
                let count = try connection.integer("SELECT count(*) FROM (\(place))", project, rows) ?? 0
                try connection.run(
                    "DELETE FROM \(table) WHERE project = ? AND (name, \(key)) IN (\(place))", project, project, rows)
                left -= count * 1024
            }
        }
        guard left > 0 else { return true }
        try setSetting(Burial.setting(owner), nil)
        return try nextBurial() != nil
    }

    /// Removes rows until the budget is spent. Each row counts as 64 bytes at the least, for its place in the indexes.
    private func purge(
        _ table: String, _ size: String, where condition: String, _ owner: RunKey, _ left: inout Int64
    ) throws(StorageError) {
        guard left > 0 else { return }
        var doomed: [Int64] = []
        try connection.with("SELECT rowid, \(size) FROM \(table) WHERE \(condition)") {
            (statement) throws(StorageError) in
            try statement.bind([owner])
            while left > 0, try statement.step() {
                doomed.append(statement.int(0))
                left -= 64 + statement.int(1)
            }
        }
        for row in doomed { try connection.run("DELETE FROM \(table) WHERE rowid = ?", row) }
    }

    private func purgeChunks(of run: RunKey, _ left: inout Int64) throws(StorageError) {
        while left > 0, let series = try connection.integer("SELECT id FROM series WHERE run = ? LIMIT 1", run) {
            let ids = PointRows.chunkIDs(of: series)
            var last: Int64?
            try connection.with(
                "SELECT id, length(stats) + length(data) FROM chunk WHERE id BETWEEN ? AND ? ORDER BY id"
            ) { (statement) throws(StorageError) in
                try statement.bind([ids.first, ids.last])
                while left > 0, try statement.step() {
                    last = statement.int(0)
                    left -= 64 + statement.int(1)
                }
            }
            if let last { try connection.run("DELETE FROM chunk WHERE id BETWEEN ? AND ?", ids.first, last) }
            guard left > 0 else { return }
            left -= 64
            try connection.run("DELETE FROM series WHERE id = ?", series)
        }
    }

    private func purgeRich(of run: RunKey, _ left: inout Int64) throws(StorageError) {
        guard left > 0 else { return }
        var doomed: [Int64] = []
        try connection.with("SELECT id, length(data) FROM rich WHERE run = ?") { (statement) throws(StorageError) in
            try statement.bind([run])
            while left > 0, try statement.step() {
                doomed.append(statement.int(0))
                left -= 128 + statement.int(1)
            }
        }
        for row in doomed {
            try connection.run("DELETE FROM rich_blob WHERE rich = ?", row)
            try connection.run("DELETE FROM rich WHERE id = ?", row)
        }
    }
}

/// The mark of a project or experiment whose rows beside it are to go: a setting, found by its beginning.
enum Burial {
    static let prefix = "buried/"
    static func setting(_ owner: Item.Owner) -> String { prefix + String(owner.coded) }
}
