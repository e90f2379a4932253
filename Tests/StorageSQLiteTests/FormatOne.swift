import MartletDomain
import MartletStorage

@testable import MartletStorageSQLite

/// A store as the first format had it: what `Schema.create` wrote before there were cards. Never brought up to date.
enum FormatOne {
    static func make(in folder: String) throws {
        let connection = try Connection(path: folder + "/martlet.db", mode: .writer, creates: true)
        defer { connection.close(checkpointing: true) }
        _ = try connection.first("PRAGMA journal_mode=WAL") { $0.text(0) }
        for table in tables { try connection.run(table) }
        let facts: [(String, any Bindable)] = [
            ("format", 1), ("store", "6d6172746c6574000000000000000001"), ("rev", 1), ("created", noon),
        ]
        for (key, value) in facts { try connection.run("INSERT INTO meta(k, v) VALUES (?, ?)", key, value) }
        let project = Project(id: .standard, slug: "default", title: "Default", created: noon, updated: noon)
        try connection.run(
            """
            INSERT INTO project(id, slug, title, life, created_us, updated_us, doc, rev)
            VALUES (1, 'default', 'Default', 0, ?, ?, ?, 1)
            """, noon, noon, project.document)
        let experiment = Experiment(id: .standard, project: .standard, name: "Default", created: noon, updated: noon)
        try connection.run(
            """
            INSERT INTO experiment(id, project, name, next_no, life, created_us, updated_us, location, doc, rev)
            VALUES (0, 1, 'Default', 1, 0, ?, ?, '', ?, 1)
            """, noon, noon, experiment.document)
    }

    private static let tables = [
        "CREATE TABLE meta(k TEXT PRIMARY KEY, v ANY NOT NULL) STRICT, WITHOUT ROWID",
        "CREATE TABLE name(id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL UNIQUE) STRICT",
        """
        CREATE TABLE project(id INTEGER PRIMARY KEY AUTOINCREMENT, slug TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
        life INTEGER NOT NULL, created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL, doc BLOB NOT NULL,
        rev INTEGER NOT NULL) STRICT
        """,
        "CREATE INDEX project_rev ON project(rev)",
        """
        CREATE TABLE experiment(id INTEGER PRIMARY KEY AUTOINCREMENT, project INTEGER NOT NULL, name TEXT NOT NULL,
        next_no INTEGER NOT NULL, life INTEGER NOT NULL, created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL,
        location TEXT NOT NULL, doc BLOB NOT NULL, rev INTEGER NOT NULL, UNIQUE(project, name)) STRICT
        """,
        "CREATE INDEX experiment_rev ON experiment(rev)",
        """
        CREATE TABLE run(id INTEGER PRIMARY KEY AUTOINCREMENT, uuid BLOB NOT NULL UNIQUE, project INTEGER NOT NULL,
        exp INTEGER NOT NULL, no INTEGER NOT NULL, parent INTEGER, attempt INTEGER NOT NULL, title TEXT NOT NULL,
        state INTEGER NOT NULL, status TEXT NOT NULL, life INTEGER NOT NULL, start_us INTEGER NOT NULL,
        end_us INTEGER, seen_us INTEGER NOT NULL, created_us INTEGER NOT NULL, fork_run INTEGER, fork_step INTEGER,
        rev INTEGER NOT NULL, UNIQUE(exp, no)) STRICT
        """,
        "CREATE INDEX run_exp ON run(exp)",
        "CREATE INDEX run_count ON run(exp, life, state)",
        "CREATE INDEX run_title ON run(title)",
        "CREATE INDEX run_no ON run(no)",
        "CREATE INDEX run_parent ON run(parent) WHERE parent IS NOT NULL",
        "CREATE INDEX run_seen ON run(seen_us) WHERE state = 1",
        "CREATE INDEX run_rev ON run(rev)",
        "CREATE TABLE run_doc(id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT",
        """
        CREATE TABLE lane(id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, attempt INTEGER NOT NULL,
        role TEXT NOT NULL, rank INTEGER NOT NULL) STRICT
        """,
        "CREATE INDEX lane_run ON lane(run)",
        """
        CREATE TABLE alias(space TEXT NOT NULL, text TEXT NOT NULL, run INTEGER NOT NULL,
        PRIMARY KEY(space, text)) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX alias_run ON alias(run)",
        """
        CREATE TABLE grave(uuid BLOB PRIMARY KEY, run INTEGER NOT NULL, at_us INTEGER NOT NULL,
        purged INTEGER NOT NULL, rev INTEGER NOT NULL) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX grave_rev ON grave(rev)",
        "CREATE INDEX grave_open ON grave(run) WHERE purged = 0",
        """
        CREATE TABLE journal(seq INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, n INTEGER NOT NULL,
        at_us INTEGER NOT NULL, data BLOB NOT NULL) STRICT
        """,
        "CREATE INDEX journal_run ON journal(run)",
        """
        CREATE TABLE series(id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, name INTEGER NOT NULL,
        lane INTEGER NOT NULL, upto INTEGER NOT NULL, n INTEGER NOT NULL, UNIQUE(run, name, lane)) STRICT
        """,
        """
        CREATE TABLE chunk(id INTEGER PRIMARY KEY, n INTEGER NOT NULL, min_step INTEGER NOT NULL,
        max_step INTEGER NOT NULL, min_ts INTEGER NOT NULL, max_ts INTEGER NOT NULL, stats BLOB NOT NULL,
        data BLOB NOT NULL) STRICT
        """,
        "CREATE TABLE metric_doc(id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT",
        """
        CREATE TABLE pack(run INTEGER NOT NULL, no INTEGER NOT NULL, upto INTEGER NOT NULL, dir BLOB NOT NULL,
        data BLOB NOT NULL, UNIQUE(run, no)) STRICT
        """,
        """
        CREATE TABLE rich(id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, name INTEGER NOT NULL,
        lane INTEGER NOT NULL, step INTEGER NOT NULL, time_us INTEGER NOT NULL, kind TEXT NOT NULL,
        data TEXT NOT NULL) STRICT
        """,
        "CREATE INDEX rich_place ON rich(run, name, step)",
        """
        CREATE TABLE rich_blob(rich INTEGER NOT NULL, sha BLOB NOT NULL, PRIMARY KEY(rich, sha)) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX rich_blob_sha ON rich_blob(sha)",
        """
        CREATE TABLE console(id INTEGER PRIMARY KEY, run INTEGER NOT NULL, stream TEXT NOT NULL, no INTEGER NOT NULL,
        at_us INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE(run, stream, no)) STRICT
        """,
        """
        CREATE TABLE item(id INTEGER PRIMARY KEY AUTOINCREMENT, owner INTEGER NOT NULL, kind TEXT NOT NULL,
        key TEXT NOT NULL, at_us INTEGER NOT NULL, who TEXT NOT NULL, data TEXT NOT NULL) STRICT
        """,
        "CREATE INDEX item_owner ON item(owner, kind, key)",
        """
        CREATE TABLE blob(sha BLOB PRIMARY KEY, size INTEGER NOT NULL, state INTEGER NOT NULL,
        seen_us INTEGER NOT NULL) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE artifact(id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, path TEXT NOT NULL, sha BLOB,
        uri TEXT NOT NULL, type TEXT NOT NULL, size INTEGER NOT NULL, meta TEXT NOT NULL, at_us INTEGER NOT NULL,
        life INTEGER NOT NULL) STRICT
        """,
        "CREATE INDEX artifact_run ON artifact(run, path)",
        "CREATE INDEX artifact_sha ON artifact(sha) WHERE sha IS NOT NULL",
        """
        CREATE TABLE named_version(project INTEGER NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,
        sha BLOB NOT NULL, size INTEGER NOT NULL, type TEXT NOT NULL, at_us INTEGER NOT NULL, run INTEGER,
        meta TEXT NOT NULL, PRIMARY KEY(project, name, version)) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX named_version_sha ON named_version(sha)",
        """
        CREATE TABLE named_alias(project INTEGER NOT NULL, name TEXT NOT NULL, alias TEXT NOT NULL,
        version INTEGER NOT NULL, PRIMARY KEY(project, name, alias)) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE writer(id TEXT PRIMARY KEY, acked INTEGER NOT NULL, source TEXT NOT NULL,
        seen_us INTEGER NOT NULL) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE user(name TEXT PRIMARY KEY, role INTEGER, disabled INTEGER NOT NULL,
        created_us INTEGER NOT NULL) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE user_grant(user TEXT NOT NULL, project INTEGER NOT NULL, role INTEGER NOT NULL,
        PRIMARY KEY(user, project)) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE token(id TEXT PRIMARY KEY, user TEXT NOT NULL, kind INTEGER NOT NULL, hash BLOB NOT NULL UNIQUE,
        label TEXT NOT NULL, created_us INTEGER NOT NULL, expires_us INTEGER, revoked_us INTEGER) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX token_user ON token(user)",
        """
        CREATE TABLE audit(number INTEGER PRIMARY KEY AUTOINCREMENT, project INTEGER NOT NULL,
        at_us INTEGER NOT NULL, who TEXT NOT NULL, via TEXT NOT NULL, request TEXT NOT NULL, action TEXT NOT NULL,
        subject TEXT NOT NULL, detail TEXT NOT NULL, hash BLOB NOT NULL) STRICT
        """,
        "CREATE INDEX audit_project ON audit(project)",
        """
        CREATE TABLE idem(id INTEGER PRIMARY KEY, project INTEGER NOT NULL, caller TEXT NOT NULL, route TEXT NOT NULL,
        key TEXT NOT NULL, body BLOB NOT NULL, status INTEGER NOT NULL, answer BLOB NOT NULL, at_us INTEGER NOT NULL,
        UNIQUE(project, caller, route, key)) STRICT
        """,
        "CREATE INDEX idem_at ON idem(at_us)",
        "CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    ]
}
