import MartletDomain
import MartletStorage

/// The way from every older format to this one, a step at a time.
struct Migrations: Sendable {
    /// The format that this program writes.
    var format: Int
    /// What leads from a format to the next one. Each step and its new number are one transaction.
    var steps: [Int: @Sendable (Connection) throws(StorageError) -> Void]

    /// Format 1 is the first.
    static var standard: Migrations {
        Migrations(
            format: Schema.format,
            steps: [
                1: { (connection) throws(StorageError) in
                    for statement in Schema.cards { try connection.run(statement) }
                }
            ])
    }
}

extension Schema {
    /// What a database says of itself before anything in it is touched.
    enum State: Equatable {
        case empty
        case format(Int)
    }

    static func state(of connection: Connection) throws(StorageError) -> State {
        let hasMeta =
            try connection.integer("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'meta'") != nil
        if hasMeta, let format = try connection.integer("SELECT v FROM meta WHERE k = 'format'") {
            return .format(Int(format))
        }
        if try connection.integer("SELECT count(*) FROM sqlite_schema") == 0 { return .empty }
        throw StorageError(
            .invalid, "The database \(connection.path) belongs to another program.",
            remedy: "Choose another folder, or move that file away.")
    }

    /// Everything that a new store has, in one transaction.
    static func create(
        in connection: Connection, id: String, now: Timestamp, format: Int
    ) throws(StorageError) {
        try connection.run("BEGIN IMMEDIATE")
        do throws(StorageError) {
            for table in tables { try connection.run(table) }
            let facts: [(String, any Bindable)] = [("format", format), ("store", id), ("rev", 1), ("created", now)]
            for (key, value) in facts { try connection.run("INSERT INTO meta(k, v) VALUES (?, ?)", key, value) }
            let project = Project(id: .standard, slug: "default", title: "Default", created: now, updated: now)
            try connection.run(
                """
                INSERT INTO project(id, slug, title, life, created_us, updated_us, doc, rev)
                VALUES (?, ?, ?, 0, ?, ?, ?, 1)
                """, project.id, project.slug, project.title, now, now, project.document)
            let experiment = Experiment(
                id: .standard, project: project.id, name: "Default", created: now, updated: now)
            try connection.run(
                """
                INSERT INTO experiment(id, project, name, next_no, life, created_us, updated_us, location, doc, rev)
                VALUES (?, ?, ?, 1, 0, ?, ?, '', ?, 1)
                """, experiment.id, project.id, experiment.name, now, now, experiment.document)
            try connection.run("COMMIT")
        } catch {
            connection.rollback()
            throw error
        }
    }

    static func refuseNewer(_ found: Int, than known: Int) -> StorageError {
        StorageError(
            .newerFormat, "This store has format \(found); this program knows formats up to \(known).",
            remedy: "Update martlet to the version that wrote the store, or a later one. Nothing was changed.")
    }

    /// Brings an older store up to date, after a copy of it was made and verified. Under the write lock.
    static func migrate(
        _ connection: Connection, from old: Int, by migrations: Migrations, now: Timestamp
    ) throws(StorageError) {
        let backup = "\(connection.path).format-\(old).\(now.micros)"
        try connection.backup(to: backup)
        for format in old..<migrations.format {
            guard let step = migrations.steps[format] else {
                throw StorageError(
                    .unsupported,
                    "This store has format \(old), from which this program knows no way to \(format + 1).",
                    remedy: "Open it once with the version in between.")
            }
            try connection.run("BEGIN IMMEDIATE")
            do throws(StorageError) {
                try step(connection)
                try connection.run("UPDATE meta SET v = ? WHERE k = 'format'", format + 1)
                try connection.run("COMMIT")
            } catch {
                connection.rollback()
                throw StorageError(
                    error.code,
                    "The store could not be brought from format \(format) to \(format + 1): \(error.message)",
                    remedy: "It is as it was. A copy is at \(backup).", cause: error.cause)
            }
        }
    }
}
