/// The tables of format 2.
///
/// Times are microseconds UTC. Numbers that may be NaN or infinite live in blobs only, because SQLite turns a NaN
/// into NULL. `rev` is the value of `meta.rev` in the transaction that last wrote the row: the cursor of changes.
enum Schema {
    static let format = 2
    static let file = "martlet.db"

    static let tables =
        [
            // format, store (uuid), rev, created, compacted_seq
            "CREATE TABLE meta(k TEXT PRIMARY KEY, v ANY NOT NULL) STRICT, WITHOUT ROWID",
            // Keys of metrics, params, tags, properties and rich points.
            "CREATE TABLE name(id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL UNIQUE) STRICT",

            """
            CREATE TABLE project(id INTEGER PRIMARY KEY AUTOINCREMENT, slug TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
            life INTEGER NOT NULL, created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL, doc BLOB NOT NULL,
            rev INTEGER NOT NULL) STRICT
            """,
            "CREATE INDEX project_rev ON project(rev)",

            // A deleted experiment's name stays taken.
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
            "CREATE INDEX run_exp ON run(exp)",  // pages in order of id, which every index carries behind its columns
            "CREATE INDEX run_count ON run(exp, life, state)",
            "CREATE INDEX run_title ON run(title)",
            "CREATE INDEX run_no ON run(no)",
            "CREATE INDEX run_parent ON run(parent) WHERE parent IS NOT NULL",
            "CREATE INDEX run_seen ON run(seen_us) WHERE state = 1",  // running
            "CREATE INDEX run_rev ON run(rev)",

            // id = run << 2 | kind (0 attributes, 1 summary): apart from run, so that a change of status does
            // not rewrite 33 KB.
            "CREATE TABLE run_doc(id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT",
            // Lane 0 is the plain one and has no row, nor has -1, the values without a step.
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
            // Ids that are never made again. `run` was its key; `purged` is 1 once no row of it is left. The row in `run`
            // goes at once, so reads of what hangs on a run ask whether it is there.
            """
            CREATE TABLE grave(uuid BLOB PRIMARY KEY, run INTEGER NOT NULL, at_us INTEGER NOT NULL,
            purged INTEGER NOT NULL, rev INTEGER NOT NULL) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX grave_rev ON grave(rev)",
            "CREATE INDEX grave_open ON grave(run) WHERE purged = 0",

            // MARK: Points
            // AUTOINCREMENT: a number is never given again after compaction has deleted its row.
            """
            CREATE TABLE journal(seq INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, n INTEGER NOT NULL,
            at_us INTEGER NOT NULL, data BLOB NOT NULL) STRICT
            """,
            "CREATE INDEX journal_run ON journal(run)",
            // The series that have chunks. Written by the compactor only; journal rows up to `upto` are in them.
            """
            CREATE TABLE series(id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, name INTEGER NOT NULL,
            lane INTEGER NOT NULL, upto INTEGER NOT NULL, n INTEGER NOT NULL, UNIQUE(run, name, lane)) STRICT
            """,
            // id = series << 22 | number: one clustered B-tree, no second index. In order of step, then of arrival.
            """
            CREATE TABLE chunk(id INTEGER PRIMARY KEY, n INTEGER NOT NULL, min_step INTEGER NOT NULL,
            max_step INTEGER NOT NULL, min_ts INTEGER NOT NULL, max_ts INTEGER NOT NULL, stats BLOB NOT NULL,
            data BLOB NOT NULL) STRICT
            """,
            // What the run's series come to: id = run << 16 | part, part 0 being the head. Apart from run_doc and in parts, so
            // that one metric of 10,000 runs is read without the others.
            "CREATE TABLE metric_doc(id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT",
            // The run's series of under 256 points. One that has a row in `series` is not read from here.
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
            // Every blob that a rich point's data names, for the collector of garbage.
            """
            CREATE TABLE rich_blob(rich INTEGER NOT NULL, sha BLOB NOT NULL, PRIMARY KEY(rich, sha)) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX rich_blob_sha ON rich_blob(sha)",
            """
            CREATE TABLE console(id INTEGER PRIMARY KEY, run INTEGER NOT NULL, stream TEXT NOT NULL, no INTEGER NOT NULL,
            at_us INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE(run, stream, no)) STRICT
            """,

            // MARK: Beside runs
            // owner = id << 2 | tag (0 project, 1 experiment, 2 run). Append-only.
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
            // The logbook's exactly-once.
            """
            CREATE TABLE writer(id TEXT PRIMARY KEY, acked INTEGER NOT NULL, source TEXT NOT NULL,
            seen_us INTEGER NOT NULL) STRICT, WITHOUT ROWID
            """,

            // MARK: Access and accountability
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
        ] + cards

    /// Since format 2: documents that are replaced whole. An index that ends before the key lists in order of id.
    static let cards = [
        """
        CREATE TABLE card(id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, project INTEGER NOT NULL,
        owner TEXT NOT NULL, key TEXT NOT NULL, life INTEGER NOT NULL, created_us INTEGER NOT NULL,
        updated_us INTEGER NOT NULL, data TEXT NOT NULL, sha BLOB, rev INTEGER NOT NULL) STRICT
        """,
        "CREATE UNIQUE INDEX card_name ON card(kind, key, project, owner)",
        "CREATE INDEX card_kind ON card(kind)",
        "CREATE INDEX card_owner ON card(owner, kind)",
        "CREATE INDEX card_rev ON card(rev)",
        "CREATE INDEX card_sha ON card(sha) WHERE sha IS NOT NULL",
    ]
}
