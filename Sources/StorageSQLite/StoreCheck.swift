import MartletDomain
package import MartletStorage

/// What is wrong with a store. A check never stops at the first finding, nor at a part that cannot be read.
package struct StoreCheck: Sendable {
    package struct Finding: Equatable, Sendable, CustomStringConvertible {
        /// `run_doc 14`, `artifact 3`, `file` …
        package var place: String
        package var message: String
        package var description: String { "\(place): \(message)" }
    }

    package private(set) var findings: [Finding] = []
    /// Of one kind no more are listed; a damaged page can hurt a million rows.
    package static let listedMax = 1000
    package private(set) var count = 0
    package var isClean: Bool { count == 0 }

    package mutating func note(_ place: String, _ message: String) {
        count += 1
        if findings.count < Self.listedMax { findings.append(Finding(place: place, message: message)) }
    }

    /// Runs a part of the check; one that fails is a finding, and the next part is tried.
    mutating func part(_ place: String, _ body: (inout StoreCheck) throws(StorageError) -> Void) {
        do throws(StorageError) { try body(&self) } catch { note(place, error.description) }
    }
}

extension SQLiteStore {
    /// Looks at everything: the file's structure, each document, each reference from one row to another.
    package func fsck() throws(StorageError) -> StoreCheck {
        try view { (view) throws(StorageError) in view.check() }
    }
}

extension SQLiteView {
    func check() -> StoreCheck {
        var report = StoreCheck()
        report.part("file") { (report) throws(StorageError) in
            try connection.each("PRAGMA integrity_check(100)") { row in
                let verdict = row.text(0)
                if verdict != "ok" { report.note("file", verdict) }
            }
        }
        report.part("meta") { (report) throws(StorageError) in
            for key in ["format", "store", "rev", "created"]
            where try connection.integer("SELECT 1 FROM meta WHERE k = ?", key) == nil {
                report.note("meta", "The entry “\(key)” is missing.")
            }
        }
        checkDocuments(&report)
        for reference in Self.references {
            report.part(reference.from) { (report) throws(StorageError) in
                try connection.each(reference.query) { row in
                    report.note(
                        "\(reference.from) \(row.text(0))",
                        "It refers to \(reference.to) \(row.text(1)), which is not there.")
                }
            }
        }
        report.part("points") { (report) throws(StorageError) in try checkPoints(&report) }
        return report
    }

    /// Each by each: one that cannot be read is noted, and the next one is tried.
    private func checkDocuments(_ report: inout StoreCheck) {
        func each(
            _ table: String, _ columns: String, _ read: (Statement) throws(StorageError) -> Void
        ) {
            report.part(table) { (report) throws(StorageError) in
                try connection.each("SELECT \(columns) FROM \(table)") { row in
                    report.part("\(table) \(row.text(0))") { (_) throws(StorageError) in try read(row) }
                }
            }
        }
        each("project", Project.columns) { (row) throws(StorageError) in _ = try Project(row) }
        each("experiment", Experiment.columns) { (row) throws(StorageError) in _ = try Experiment(row) }
        each("run", Run.columns) { (row) throws(StorageError) in _ = try Run(row) }
        each("item", Item.columns) { (row) throws(StorageError) in _ = try Item(row) }
        each("card", Card.columns) { (row) throws(StorageError) in try Card(row).checkDocument() }
        each("artifact", Artifact.columns) { (row) throws(StorageError) in _ = try Artifact(row) }
        each("blob", Blob.columns) { (row) throws(StorageError) in _ = try Blob(row) }
        each("named_version", NamedVersion.columns) { (row) throws(StorageError) in _ = try NamedVersion(row) }
        each("token", AccessToken.columns) { (row) throws(StorageError) in _ = try AccessToken(row) }
        each("audit", AuditEntry.columns) { (row) throws(StorageError) in _ = try AuditEntry(row) }
        each("run_doc", "id, data") { (row) throws(StorageError) in
            let ids: [Int64]
            switch RunDocument.Kind(rawValue: row.int(0) & 3) {
            case .attributes:
                let found = try row.withBlob(1, RunDocument.attributes)
                ids = found.params.map(\.id) + found.tags.map(\.id) + found.properties.map(\.id)
            case .summary: ids = try row.withBlob(1, RunDocument.summary).map(\.id)
            case .latest: return
            case nil: throw .damaged("There is no such kind of document.")
            }
            // From the table, not from the cache: that one may know what the file has lost.
            _ = try resolve(ids.map { _ in nil }, ids) { _, _ in }
        }
    }

    private struct Reference {
        var from: String
        var to: String
        /// Rows of (what it is called, what it refers to) whose target is missing.
        var query: String

        init(_ from: String, to: String, _ query: String) { (self.from, self.to, self.query) = (from, to, query) }

        init(_ from: String, _ key: String, _ column: String, _ to: String, also: String = "1") {
            self.init(
                from, to: to,
                """
                SELECT \(key), \(column) FROM \(from) WHERE \(column) IS NOT NULL AND \(also)
                AND \(column) NOT IN (SELECT id FROM \(to))
                """)
        }
    }

    /// A run that was buried is not missing: its rows go little by little, and what named it stays.
    private static let references: [Reference] = {
        func runOrGrave(_ column: String) -> String { "\(column) NOT IN (SELECT run FROM grave)" }
        return [
            Reference("experiment", "id", "project", "project"),
            Reference("run", "id", "exp", "experiment"),
            Reference("run", "id", "project", "project"),
            Reference("run", "id", "parent", "run", also: runOrGrave("parent")),
            Reference("run", "id", "fork_run", "run", also: runOrGrave("fork_run")),
            Reference("run_doc", "id", "id >> 2", "run"),
            Reference("lane", "id", "run", "run", also: runOrGrave("run")),
            Reference("alias", "space || ':' || text", "run", "run"),
            Reference("item", "id", "owner >> 2", "project", also: "owner & 3 = 0"),
            Reference("item", "id", "owner >> 2", "experiment", also: "owner & 3 = 1"),
            Reference("item", "id", "owner >> 2", "run", also: "owner & 3 = 2 AND " + runOrGrave("owner >> 2")),
            Reference("card", "id", "project", "project"),
            Reference(
                "card", to: "experiment",
                """
                SELECT id, owner FROM card WHERE owner LIKE 'experiment/%'
                AND CAST(substr(owner, 12) AS INTEGER) NOT IN (SELECT id FROM experiment)
                """),
            Reference(
                "card", to: "card",
                """
                SELECT id, owner FROM card WHERE owner LIKE 'card/%'
                AND CAST(substr(owner, 6) AS INTEGER) NOT IN (SELECT id FROM card)
                """),
            Reference("artifact", "id", "run", "run", also: runOrGrave("run")),
            Reference("named_version", "name", "project", "project"),
            Reference("user_grant", "user", "project", "project"),
            Reference(
                "user_grant", to: "user",
                "SELECT user, user FROM user_grant WHERE user NOT IN (SELECT name FROM user)"),
            Reference(
                "artifact", to: "blob",
                """
                SELECT id, lower(hex(sha)) FROM artifact WHERE sha IS NOT NULL AND uri = ''
                AND sha NOT IN (SELECT sha FROM blob)
                """),
            Reference(
                "card", to: "blob",
                "SELECT id, lower(hex(sha)) FROM card WHERE sha IS NOT NULL AND sha NOT IN (SELECT sha FROM blob)"),
            Reference(
                "named_version", to: "blob",
                "SELECT name, lower(hex(sha)) FROM named_version WHERE sha NOT IN (SELECT sha FROM blob)"),
            Reference(
                "named_alias", to: "named_version",
                """
                SELECT name || ':' || alias, version FROM named_alias AS a WHERE NOT EXISTS (SELECT 1
                FROM named_version AS v WHERE v.project = a.project AND v.name = a.name AND v.version = a.version)
                """),
        ]
    }()
}
