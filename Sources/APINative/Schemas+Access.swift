import MartletJSON

// Users, tokens, the audit trail, and what the server says of itself.
extension Schemas {
    private static let role = Schema.word("", of: ["read", "write", "admin"])
    private static let grants = Schema.map(of: role, "Roles in single projects, by slug.")
    private static let roleOrNone = Schema.orNull(Schema.text("`read`, `write`, `admin`, or null for none."))
    private static let tokenFields: KeyValuePairs<String, JSONValue> = [
        "id": Schema.text(), "user": Schema.text(), "kind": Schema.word("", of: ["token", "session", "invitation"]),
        "label": Schema.text(), "state": Schema.word("", of: ["active", "expired", "revoked"]),
        "created_at": Schema.time(), "expires_at": Schema.orNull(Schema.time()),
        "revoked_at": Schema.orNull(Schema.time()),
        "secret": Schema.text("In the answer to its creation alone: send it as `Authorization: Bearer …`."),
    ]

    static let access: [Named] = [
        (
            "Me",
            Schema.object(
                "Who is asking.", required: ["principal", "role", "grants", "mode"],
                [
                    "principal": Schema.text("`local` where no users are set up."),
                    "role": Schema.orNull(Schema.text()),
                    "grants": grants, "mode": Schema.word("How callers are known.", of: ["open", "tokens", "proxy"]),
                ])
        ),
        (
            "UserChange",
            Schema.object(
                "What is to change; what is left out stays.",
                [
                    "role": roleOrNone, "grants": Schema.map(of: roleOrNone, "By the project's id or slug."),
                    "disabled": Schema.flag(),
                ], example: ["role": "read", "grants": ["default": "write"], "disabled": false])
        ),
        (
            "User",
            Schema.object(
                "A user.", required: ["name", "role", "grants", "disabled", "created_at"],
                [
                    "name": Schema.text(), "role": Schema.orNull(Schema.text()), "grants": grants,
                    "disabled": Schema.flag(), "created_at": Schema.time(),
                ])
        ),
        ("UserList", Schema.page("users", of: "User")),
        (
            "NewToken",
            Schema.object(
                "A token to create.",
                [
                    "user": Schema.text("Oneself, if not given."), "label": Schema.text("What it is for."),
                    "expires_days": Schema.number("It never expires, if not given."),
                ], example: ["label": "training cluster", "expires_days": 90])
        ),
        (
            "Token",
            Schema.object("A token, without its secret.", required: ["id", "user", "kind", "state"], tokenFields)
        ),
        (
            "NewTokenAnswer",
            Schema.object("A new token.", required: ["id", "user", "kind", "state", "secret"], tokenFields)
        ),
        ("TokenList", Schema.page("tokens", of: "Token")),
        (
            "NewSession",
            Schema.object(
                "One of the two.",
                ["invitation": Schema.text("From a one-time link."), "token": Schema.text("A token of one's own.")],
                example: ["invitation": "mlt_…"])
        ),
        ("Session", Schema.object("A session has begun.", required: ["principal"], ["principal": Schema.text()])),
        (
            "AuditEntry",
            Schema.object(
                "A change.", required: ["number", "at", "who", "action", "subject", "hash"],
                [
                    "number": Schema.integer(), "at": Schema.time(), "project_id": Schema.text(), "who": Schema.text(),
                    "via": Schema.text("By which door: `native`, `mlflow`, `cli`, `logbook` …"),
                    "request_id": Schema.text(), "action": Schema.text("`run.create`, `params.log` …"),
                    "subject": Schema.text("`run/…`, `experiment/…`"),
                    "detail": Schema.map(of: Schema.anything(), "What was before and what after."),
                    "hash": Schema.text("Covers this entry and the hash of the one before it in its project."),
                ])
        ),
        ("AuditList", Schema.page("entries", of: "AuditEntry")),
        (
            "AuditVerdict",
            Schema.object(
                "Whether the trail is whole.", required: ["whole", "projects", "broken"],
                [
                    "whole": Schema.flag(), "projects": Schema.list(of: Schema.text()),
                    "broken": Schema.list(
                        of: Schema.object(
                            "An entry that does not follow from the one before it.",
                            ["project_id": Schema.text(), "number": Schema.integer()])),
                ])
        ),
    ]

    static let about: [Named] = [
        (
            "Health",
            Schema.object(
                "Whether the server can read its store.", required: ["status", "version"],
                [
                    "status": Schema.word("", of: ["ok", "failing"]), "version": Schema.text(),
                    "store": Schema.text("What kind of store it has."), "reason": Schema.text("Where it is failing."),
                ])
        ),
        (
            "Version",
            Schema.object(
                "What is running.", required: ["name", "version", "commit", "api", "store_format"],
                [
                    "name": Schema.text(), "version": Schema.text(), "commit": Schema.text(), "api": Schema.text(),
                    "store": Schema.text(), "store_format": Schema.integer(),
                ])
        ),
        ("OpenAPI", Schema.map(of: Schema.anything(), "An OpenAPI 3.1 document.")),
        (
            "Error",
            Schema.object(
                "Why something was not done.", required: ["error"],
                [
                    "error": Schema.object(
                        "", required: ["code", "message", "remedy", "request_id"],
                        [
                            "code": Schema.text("A word to branch on."),
                            "message": Schema.text("What happened, with the value."),
                            "remedy": Schema.text("What to do about it."),
                            "field": Schema.text("The field of the request that is at fault."),
                            "column": Schema.integer("Where in a filter or a body, from 1."),
                            "candidates": Schema.list(of: Schema.text(), "What may have been meant."),
                            "expected": Schema.integer("The number that a logbook's writer must send next."),
                            "request_id": Schema.text("The same as in the server's log."),
                        ])
                ],
                example: [
                    "error": [
                        "code": "not_found",
                        "message": "There is no run “run_99”. Did you mean “run_09”?",
                        "remedy": "List an experiment's runs with `martlet runs list`.", "candidates": ["run_09"],
                        "request_id": "7f3a9c",
                    ]
                ])
        ),
    ]
}
