package import MartletDomain

/// On whose behalf, by which door and with which rights something is asked of the engine.
package struct Caller: Sendable {
    /// A user's name; `local` where no users are set up.
    package var principal: String
    /// The role in every project; nil where only grants count.
    package var role: Role?
    package var grants: [ProjectID: Role]
    package var requestID: String
    /// `native`, `mlflow`, `cli`, `logbook`, `system`.
    package var via: String

    package init(
        principal: String, role: Role?, grants: [ProjectID: Role] = [:], requestID: String = "", via: String
    ) {
        (self.principal, self.role, self.grants) = (principal, role, grants)
        (self.requestID, self.via) = (requestID, via)
    }

    /// The engine's own jobs.
    package static let system = Caller(principal: "martlet", role: .admin, via: "system")

    /// Whoever opens a folder on this machine, or a server that has no users.
    package static func local(requestID: String = "", via: String) -> Caller {
        Caller(principal: "local", role: .admin, requestID: requestID, via: via)
    }

    package func role(in project: ProjectID) -> Role? {
        let granted = grants[project]
        guard let role else { return granted }
        return max(role, granted ?? role)
    }

    /// The one question of rights, asked by every use case.
    package func may(_ needed: Role, on project: ProjectID) -> Bool {
        (role(in: project)).map { $0 >= needed } ?? false
    }

    package func require(_ needed: Role, on project: ProjectID) throws(Refusal) {
        guard may(needed, on: project) else {
            let has = role(in: project)?.word ?? "no role"
            throw Refusal(
                .forbidden, "“\(principal)” has \(has) in project \(project); this needs the role \(needed.word).",
                remedy:
                    "An admin gives it with `martlet users grant \(principal) --project \(project) --role \(needed.word)`."
            )
        }
    }

    /// What concerns the whole store: users, tokens, projects.
    package func require(_ needed: Role) throws(Refusal) {
        guard let role, role >= needed else {
            throw Refusal(
                .forbidden,
                "“\(principal)” is \(role?.word ?? "no") user of the store; this needs the role \(needed.word).",
                remedy: "An admin gives it with `martlet users add \(principal) --role \(needed.word)`.")
        }
    }
}
