package import MartletDomain

/// What is to change about a user; what is nil stays.
package struct UserUpdate: Sendable {
    /// `.some(nil)` takes the role away, so that only grants count.
    package var role: Role??
    /// Nil takes a project's grant away.
    package var grants: [ProjectID: Role?] = [:]
    package var isDisabled: Bool?
    package init(role: Role?? = nil, grants: [ProjectID: Role?] = [:], isDisabled: Bool? = nil) {
        (self.role, self.grants, self.isDisabled) = (role, grants, isDisabled)
    }
}

// Users and tokens: names are checked, secrets never get here, and nobody can lock everyone out.
extension Ledger {
    package func putUser(_ name: String, _ update: UserUpdate) throws(StorageError) -> (user: User, created: Bool) {
        guard !name.isEmpty, name.utf8.count <= 100,
            name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ":") })
        else {
            throw StorageError(
                .invalid, "“\(name.prefix(40))” cannot be a user's name.",
                remedy: "Use 1 to 100 printable characters without blanks or colons.", field: "name")
        }
        let known = try tx.user(name)
        var user = known ?? User(name: name, role: nil, created: now)
        if let role = update.role { user.role = role }
        for (project, role) in update.grants {
            guard try tx.project(project) != nil else { throw .projectNotFound("\(project)") }
            user.grants[project] = role
        }
        if let isDisabled = update.isDisabled { user.isDisabled = isDisabled }
        guard user != known else { return (user, false) }
        try checkAdminRemains(without: known, with: user)
        try tx.put(user)
        note(
            known == nil ? "user.add" : "user.update", .user(name), in: .standard,
            before: known.map(described) ?? [], after: described(user))
        return (user, known == nil)
    }

    /// `hash` is all that is ever kept of the secret.
    package func addToken(
        for name: String, hash: Digest, label: String, kind: AccessToken.Kind, lifetime: Double?
    ) throws(StorageError) -> AccessToken {
        guard let user = try tx.user(name) else {
            throw StorageError(
                .notFound, "There is no user “\(name.prefix(100))”.",
                remedy: "Add one with `martlet users add \(name.prefix(100)) --role write`.", field: "user")
        }
        guard !user.isDisabled else {
            throw StorageError(
                .conflict, "The user “\(name)” is disabled.", remedy: "Enable it with `martlet users enable \(name)`.")
        }
        try limits.checkText(label, limits.keyBytes, "label", setting: "--limit-key-bytes")
        let token = AccessToken(
            id: String(hash.text.prefix(12)), user: name, kind: kind, hash: hash, label: label, created: now,
            expires: lifetime.map { now.adding(seconds: $0) })
        try tx.put(token)
        note(
            kind == .session ? "session.begin" : "token.create", .user(name), in: .standard,
            after: [("token", token.id), ("label", label)])
        return token
    }

    /// Revoking what is revoked changes nothing.
    package func revoke(_ token: AccessToken) throws(StorageError) -> AccessToken {
        guard token.revoked == nil else { return token }
        var token = token
        token.revoked = now
        try tx.put(token)
        note(
            token.kind == .session ? "session.end" : "token.revoke", .user(token.user), in: .standard,
            before: [("token", token.id), ("label", token.label)])
        return token
    }

    /// A store that had an admin keeps one: without any, nobody could ever make one again.
    private func checkAdminRemains(without before: User?, with after: User) throws(StorageError) {
        func rules(_ user: User) -> Bool { user.role == .admin && !user.isDisabled }
        guard let before, rules(before), !rules(after) else { return }
        guard try !tx.users().contains(where: { $0.name != after.name && rules($0) }) else { return }
        throw StorageError(
            .conflict, "“\(after.name)” is the last admin of this store.",
            remedy: "Make someone else an admin first.", field: "role")
    }

    private func described(_ user: User) -> [(String, String)] {
        [("role", user.role?.word ?? "none"), ("disabled", "\(user.isDisabled)")]
            + user.grants.sorted { $0.key < $1.key }.map { ("project \($0.key)", $0.value.word) }
    }
}
