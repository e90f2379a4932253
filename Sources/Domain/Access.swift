/// What someone may do. Each role includes those below it.
package enum Role: UInt8, Sendable, Comparable, CaseIterable {
    case read = 1
    case write = 2
    case admin = 3

    package init?(word: String) {
        guard let role = Role.allCases.first(where: { $0.word == word.lowercased() }) else { return nil }
        self = role
    }

    package var word: String {
        switch self {
        case .read: "read"
        case .write: "write"
        case .admin: "admin"
        }
    }

    package static func < (a: Role, b: Role) -> Bool { a.rawValue < b.rawValue }
}

package struct User: Equatable, Sendable {
    package var name: String
    /// The role in every project; nil means only where a project grants one.
    package var role: Role?
    package var isDisabled: Bool
    package var created: Timestamp
    /// Roles given project by project; the higher of this and `role` counts.
    package var grants: [ProjectID: Role]
    package init(
        name: String, role: Role?, isDisabled: Bool = false, created: Timestamp, grants: [ProjectID: Role] = [:]
    ) {
        (self.name, self.role, self.isDisabled) = (name, role, isDisabled)
        (self.created, self.grants) = (created, grants)
    }
}

/// A token as the store keeps it: never the secret, only its hash.
package struct AccessToken: Equatable, Sendable {
    package enum Kind: UInt8, Sendable {
        case token = 0
        case session = 1
        /// Shown once at the first start; turns into a session when it is used.
        case invitation = 2
    }
    package var id: String
    package var user: String
    package var kind: Kind
    package var hash: Digest
    package var label: String
    package var created: Timestamp
    package var expires: Timestamp?
    package var revoked: Timestamp?
    package init(
        id: String, user: String, kind: Kind, hash: Digest, label: String, created: Timestamp,
        expires: Timestamp? = nil, revoked: Timestamp? = nil
    ) {
        (self.id, self.user, self.kind, self.hash) = (id, user, kind, hash)
        (self.label, self.created, self.expires, self.revoked) = (label, created, expires, revoked)
    }
}

/// One line of the audit trail. `hash` covers the line and its predecessor's hash, so that a changed line shows.
package struct AuditEntry: Equatable, Sendable {
    package var number: Int64
    package var project: ProjectID
    package var at: Timestamp
    package var who: String
    /// `native`, `mlflow`, `cli`, `logbook` …
    package var via: String
    package var request: String
    /// `run.create`, `params.set`, `points.log` …
    package var action: String
    package var subject: String
    /// JSON: before and after, or counts.
    package var detail: String
    package var hash: Digest
    package init(
        number: Int64, project: ProjectID, at: Timestamp, who: String, via: String, request: String, action: String,
        subject: String, detail: String, hash: Digest
    ) {
        (self.number, self.project, self.at, self.who) = (number, project, at, who)
        (self.via, self.request, self.action) = (via, request, action)
        (self.subject, self.detail, self.hash) = (subject, detail, hash)
    }
}
