import MartletDomain
import MartletStorage

extension SQLiteTransaction {
    // MARK: Beside runs

    @discardableResult func append(_ item: Item) throws(StorageError) -> Item {
        try connection.run(
            "INSERT INTO item(owner, kind, key, at_us, who, data) VALUES (?, ?, ?, ?, ?, ?)", item.owner.coded,
            item.kind, item.key, item.at, item.who, item.data)
        var kept = item
        kept.id = connection.lastInsertID
        if case .run(let run) = item.owner { try touch(run) }
        return kept
    }

    func insert(_ artifact: Artifact) throws(StorageError) -> Artifact {
        try connection.run(
            """
            INSERT INTO artifact(run, path, sha, uri, type, size, meta, at_us, life)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, artifact.run, artifact.path, artifact.digest, artifact.uri, artifact.type, artifact.size,
            artifact.metadata, artifact.at, artifact.life.rawValue)
        var kept = artifact
        kept.id = connection.lastInsertID
        try touch(kept.run)
        return kept
    }

    func update(_ artifact: Artifact) throws(StorageError) {
        try connection.run(
            """
            UPDATE artifact SET run = ?, path = ?, sha = ?, uri = ?, type = ?, size = ?, meta = ?, at_us = ?, life = ?
            WHERE id = ?
            """, artifact.run, artifact.path, artifact.digest, artifact.uri, artifact.type, artifact.size,
            artifact.metadata, artifact.at, artifact.life.rawValue, artifact.id)
        try touch(artifact.run)
    }

    func put(_ blob: Blob) throws(StorageError) {
        try connection.run(
            "REPLACE INTO blob(sha, size, state, seen_us) VALUES (?, ?, ?, ?)", blob.digest, blob.size,
            blob.state.rawValue, blob.seen)
    }

    func removeBlob(_ digest: Digest) throws(StorageError) {
        try connection.run("DELETE FROM blob WHERE sha = ?", digest)
    }

    func insert(_ version: NamedVersion, in project: ProjectID) throws(StorageError) {
        try connection.run(
            """
            INSERT INTO named_version(project, name, version, sha, size, type, at_us, run, meta)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, project, version.name, version.version, version.digest, version.size, version.type, version.at,
            version.run, version.metadata)
    }

    func setNamedAlias(
        _ alias: String, of name: String, version: Int?, in project: ProjectID
    ) throws(StorageError) {
        guard let version else {
            return try connection.run(
                "DELETE FROM named_alias WHERE project = ? AND name = ? AND alias = ?", project, name, alias)
        }
        try connection.run(
            "REPLACE INTO named_alias(project, name, alias, version) VALUES (?, ?, ?, ?)", project, name, alias,
            version)
    }

    func put(_ writer: LogbookWriter) throws(StorageError) {
        try connection.run(
            "REPLACE INTO writer(id, acked, source, seen_us) VALUES (?, ?, ?, ?)", writer.id, writer.acked,
            writer.source, writer.seen)
    }

    // MARK: Access and accountability

    func put(_ user: User) throws(StorageError) {
        try connection.run(
            "REPLACE INTO user(name, role, disabled, created_us) VALUES (?, ?, ?, ?)", user.name, user.role?.rawValue,
            user.isDisabled, user.created)
        try connection.run("DELETE FROM user_grant WHERE user = ?", user.name)
        for (project, role) in user.grants {
            try connection.run(
                "INSERT INTO user_grant(user, project, role) VALUES (?, ?, ?)", user.name, project, role.rawValue)
        }
    }

    func put(_ token: AccessToken) throws(StorageError) {
        try connection.run(
            """
            INSERT INTO token(id, user, kind, hash, label, created_us, expires_us, revoked_us)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET user = excluded.user, kind = excluded.kind,
            hash = excluded.hash, label = excluded.label, created_us = excluded.created_us,
            expires_us = excluded.expires_us, revoked_us = excluded.revoked_us
            """, token.id, token.user, token.kind.rawValue, token.hash, token.label, token.created, token.expires,
            token.revoked)
    }

    /// The number is the store's: one row of numbers over all projects.
    func appendAudit(_ entry: AuditEntry) throws(StorageError) {
        try connection.run(
            """
            INSERT INTO audit(project, at_us, who, via, request, action, subject, detail, hash)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, entry.project, entry.at, entry.who, entry.via, entry.request, entry.action, entry.subject,
            entry.detail, entry.hash)
    }

    func remember(_ answer: RememberedAnswer, for key: IdempotencyKey) throws(StorageError) {
        try connection.run(
            """
            REPLACE INTO idem(project, caller, route, key, body, status, at_us, answer)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """, key.project, key.caller, key.route, key.key, answer.body, answer.status, answer.at,
            blob: answer.answer)
    }

    func forgetAnswers(before: Timestamp) throws(StorageError) {
        try connection.run("DELETE FROM idem WHERE at_us < ?", before)
    }

    func setSetting(_ name: String, _ value: String?) throws(StorageError) {
        guard let value else { return try connection.run("DELETE FROM setting WHERE name = ?", name) }
        try connection.run("REPLACE INTO setting(name, value) VALUES (?, ?)", name, value)
    }
}
