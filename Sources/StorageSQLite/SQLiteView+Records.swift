import Glibc
import MartletDomain
import MartletStorage

extension SQLiteView {
    // MARK: Beside runs

    func items(of owner: Item.Owner, kind: String?, key: String?) throws(StorageError) -> [Item] {
        if case .run(let run) = owner {
            guard try hasRun(run) else { return [] }
        } else if try isBuried(owner) {
            return []
        }
        let all = "SELECT \(Item.columns) FROM item WHERE owner = ?"
        switch (kind, key) {
        case (let kind?, let key?):
            return try connection.all(
                all + " AND kind = ? AND key = ? ORDER BY id", owner.coded, kind, key, row: Item.init)
        case (let kind?, nil):
            return try connection.all(all + " AND kind = ? ORDER BY id", owner.coded, kind, row: Item.init)
        case (nil, let key?):
            return try connection.all(all + " AND key = ? ORDER BY id", owner.coded, key, row: Item.init)
        case (nil, nil):
            return try connection.all(all + " ORDER BY id", owner.coded, row: Item.init)
        }
    }

    func runs(among runs: [RunKey], withItems kinds: [String]) throws(StorageError) -> Set<RunKey> {
        let owners = try connection.leap(
            "SELECT owner FROM item WHERE owner >= ? ORDER BY owner LIMIT 1", runs.map { Item.Owner.run($0).coded })
        let marks = Array(repeating: "?", count: kinds.count).joined(separator: ", ")
        let sql = "SELECT 1 FROM item WHERE owner = ? AND kind IN (\(marks)) LIMIT 1"
        return try connection.with(sql) { (statement) throws(StorageError) in
            var holders: Set<RunKey> = []
            for owner in owners {
                statement.reset()
                try statement.bind(owner, at: 1)
                for (place, kind) in kinds.enumerated() { try statement.bind(kind, at: place + 2) }
                guard try statement.step(), case .run(let run)? = Item.Owner(coded: owner), try hasRun(run) else {
                    continue
                }
                holders.insert(run)
            }
            return holders
        }
    }

    func artifacts(of run: RunKey) throws(StorageError) -> [Artifact] {
        guard try hasRun(run) else { return [] }
        return try connection.all(
            "SELECT \(Artifact.columns) FROM artifact WHERE run = ? ORDER BY id", run, row: Artifact.init)
    }

    func artifact(of run: RunKey, path: String) throws(StorageError) -> Artifact? {
        guard try hasRun(run) else { return nil }
        return try connection.first(
            "SELECT \(Artifact.columns) FROM artifact WHERE run = ? AND path = ? AND life = 0 ORDER BY id DESC LIMIT 1",
            run, path, row: Artifact.init)
    }

    func artifacts(holding digest: Digest, limit: Int) throws(StorageError) -> [Artifact] {
        try connection.all(
            """
            SELECT \(Artifact.columns) FROM artifact WHERE sha = ? AND life = 0 AND run IN (SELECT id FROM run)
            ORDER BY id LIMIT ?
            """, digest, limit, row: Artifact.init)
    }

    func blob(_ digest: Digest) throws(StorageError) -> Blob? {
        try connection.first("SELECT \(Blob.columns) FROM blob WHERE sha = ?", digest, row: Blob.init)
    }

    func blobs(after: Digest?, limit: Int) throws(StorageError) -> [Blob] {
        try connection.all(
            "SELECT \(Blob.columns) FROM blob WHERE sha > ? ORDER BY sha LIMIT ?", after?.bytes ?? [], limit,
            row: Blob.init)
    }

    func isReferenced(_ digest: Digest) throws(StorageError) -> Bool {
        let bytes = digest.bytes
        return try connection.integer(
            """
            SELECT EXISTS(SELECT 1 FROM artifact WHERE sha = ?1 AND uri = '' AND life = 0
            AND run IN (SELECT id FROM run))
            OR EXISTS(SELECT 1 FROM card WHERE sha = ?1)
            OR EXISTS(SELECT 1 FROM named_version WHERE sha = ?1
            AND NOT EXISTS(SELECT 1 FROM setting WHERE name = 'buried/' || (named_version.project << 2)))
            OR EXISTS(SELECT 1 FROM rich_blob JOIN rich ON rich.id = rich_blob.rich JOIN run ON run.id = rich.run
            WHERE rich_blob.sha = ?1)
            """, bytes) == 1
    }

    /// Whether what stands beside a project or experiment waits to be removed.
    func isBuried(_ owner: Item.Owner) throws(StorageError) -> Bool { try setting(Burial.setting(owner)) != nil }

    func namedVersions(of name: String, in project: ProjectID) throws(StorageError) -> [NamedVersion] {
        if try isBuried(.project(project)) { return [] }
        return try connection.all(
            "SELECT \(NamedVersion.columns) FROM named_version WHERE project = ? AND name = ? ORDER BY version",
            project, name, row: NamedVersion.init)
    }

    func namedArtifacts(in project: ProjectID) throws(StorageError) -> [String] {
        if try isBuried(.project(project)) { return [] }
        return try connection.all("SELECT DISTINCT name FROM named_version WHERE project = ? ORDER BY name", project) {
            $0.text(0)
        }
    }

    func namedAliases(of name: String, in project: ProjectID) throws(StorageError) -> [String: Int] {
        var found: [String: Int] = [:]
        if try isBuried(.project(project)) { return found }
        try connection.each("SELECT alias, version FROM named_alias WHERE project = ? AND name = ?", project, name) {
            found[$0.text(0)] = Int($0.int(1))
        }
        return found
    }

    func writer(_ id: String) throws(StorageError) -> LogbookWriter? {
        try connection.first("SELECT acked, source, seen_us FROM writer WHERE id = ?", id) {
            LogbookWriter(id: id, acked: $0.int(0), source: $0.text(1), seen: $0.time(2))
        }
    }

    // MARK: Access and accountability

    func user(_ name: String) throws(StorageError) -> User? {
        try connection.first("SELECT name, role, disabled, created_us FROM user WHERE name = ?", name, row: user)
    }

    func users() throws(StorageError) -> [User] {
        try connection.all("SELECT name, role, disabled, created_us FROM user ORDER BY name", row: user)
    }

    private func user(_ row: Statement) throws(StorageError) -> User {
        let name = row.text(0)
        var grants: [ProjectID: Role] = [:]
        try connection.each("SELECT project, role FROM user_grant WHERE user = ?", name) { (row) throws(StorageError) in
            grants[ProjectID(row.int(0))] = try row.small(1, "role")
        }
        return User(
            name: name, role: row.isNull(1) ? nil : try row.small(1, "role"), isDisabled: row.int(2) != 0,
            created: row.time(3), grants: grants)
    }

    func token(hash: Digest) throws(StorageError) -> AccessToken? {
        try connection.first("SELECT \(AccessToken.columns) FROM token WHERE hash = ?", hash, row: AccessToken.init)
    }

    func tokens(of user: String?) throws(StorageError) -> [AccessToken] {
        guard let user else {
            return try connection.all(
                "SELECT \(AccessToken.columns) FROM token ORDER BY created_us, id", row: AccessToken.init)
        }
        return try connection.all(
            "SELECT \(AccessToken.columns) FROM token WHERE user = ? ORDER BY created_us, id", user,
            row: AccessToken.init)
    }

    func audit(_ project: ProjectID?, before: Int64?, limit: Int) throws(StorageError) -> [AuditEntry] {
        guard let project else {
            return try connection.all(
                "SELECT \(AuditEntry.columns) FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?",
                before ?? .max, limit, row: AuditEntry.init)
        }
        return try connection.all(
            "SELECT \(AuditEntry.columns) FROM audit WHERE project = ? AND number < ? ORDER BY number DESC LIMIT ?",
            project, before ?? .max, limit, row: AuditEntry.init)
    }

    func remembered(_ key: IdempotencyKey) throws(StorageError) -> RememberedAnswer? {
        try connection.first(
            """
            SELECT body, status, answer, at_us FROM idem
            WHERE project = ? AND caller = ? AND route = ? AND key = ?
            """, key.project, key.caller, key.route, key.key
        ) { (row) throws(StorageError) in
            RememberedAnswer(
                body: try row.digest(0), status: Int(row.int(1)), answer: row.bytes(2), at: row.time(3))
        }
    }

    func setting(_ name: String) throws(StorageError) -> String? {
        try connection.first("SELECT value FROM setting WHERE name = ?", name) { $0.text(0) }
    }

    // MARK: The whole

    func cursor() throws(StorageError) -> ChangeCursor {
        ChangeCursor(
            revision: try connection.integer("SELECT v FROM meta WHERE k = 'rev'") ?? 0,
            // The highest number ever given, which compaction does not take back.
            sequence: try connection.integer("SELECT seq FROM sqlite_sequence WHERE name = 'journal'") ?? 0)
    }

    func sizes() throws(StorageError) -> StoreSizes {
        var disk: Int64 = 0
        for suffix in ["", "-wal", "-shm"] {
            var status = stat()
            if stat(connection.path + suffix, &status) == 0 { disk += Int64(status.st_blocks) * 512 }
        }
        let free = try connection.integer("PRAGMA freelist_count") ?? 0
        let page = try connection.integer("PRAGMA page_size") ?? 0
        let journal = try journalSizes()
        return StoreSizes(
            disk: disk, journalBytes: journal.bytes, journalPoints: journal.points, freeBytes: free * page)
    }
}
