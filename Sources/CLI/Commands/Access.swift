import MartletClient
import MartletHTTPClient
import MartletHTTPMessages
import MartletJSON

extension World {
    var users: Command {
        Command(
            "users", summary: "Users: who may read and write",
            subcommands: [
                command(
                    "list", "List the users", options: Shared.tables, examples: [Example("martlet users list")]
                ) { session in
                    let found = try session.api.all(["users"], [], under: "users")
                    var table = Table([
                        .text("User", priority: 3), .text("Role", priority: 2), .text("Projects"), .text("State"),
                        .text("Since"),
                    ])
                    for user in found.items {
                        let grants = user["grants"]?.object?.members.map { "\($0.key)=\(Numbers.text($0.value))" } ?? []
                        let isDisabled = user["disabled"]?.bool == true
                        table.add([
                            .init(user["name"]?.string, .bold), .init(user["role"]?.string),
                            .init(grants.isEmpty ? nil : grants.joined(separator: " ")),
                            isDisabled ? .init("disabled", .red) : .init("active"),
                            .init(session.age(user["created_at"])),
                        ])
                    }
                    session.show(
                        table, json: ["users": .array(found.items)], empty: "There are no users: everyone may do all.")
                    return .good
                },
                command(
                    "add", "Add a user, or change a user's role",
                    discussion: "Prints a token of the new user once; it is not kept anywhere.",
                    arguments: [Argument("name", "The user's name")],
                    options: [
                        Option(
                            "role", value: "ROLE", "In every project", standard: "write",
                            choices: ["read", "write", "admin", "none"]),
                        .flag("no-token", "Without a token"), Shared.json,
                    ], examples: [Example("martlet users add ada --role write")], creates: true
                ) { session in
                    let name = session.parsed.text("name") ?? ""
                    try session.api.send(
                        .put, ["users", name], [], ["role": .string(session.parsed.text("role") ?? "write")])
                    guard !session.parsed.isOn("no-token") else { return .good }
                    return try session.createToken(for: name, label: "first", days: nil)
                },
                userSwitch("disable", "Let a user in no more; what the user did stays", isDisabled: true),
                userSwitch("enable", "Let a disabled user in again", isDisabled: false),
                command(
                    "grant", "Give a user a role in one project",
                    arguments: [Argument("name", "The user's name")],
                    options: [
                        Option("project", value: "NAME", "The project: id or name", isRequired: true),
                        Option(
                            "role", value: "ROLE", "Which", choices: ["read", "write", "admin", "none"],
                            isRequired: true),
                    ], examples: [Example("martlet users grant ada --project vision --role admin")]
                ) { session in
                    var grants = JSONObject()
                    grants[session.parsed.text("project") ?? ""] = .string(session.parsed.text("role") ?? "")
                    try session.api.send(
                        .put, ["users", session.parsed.text("name") ?? ""], [], ["grants": .object(grants)])
                    return .good
                },
            ])
    }

    private func userSwitch(_ name: String, _ summary: String, isDisabled: Bool) -> Command {
        command(
            name, summary, arguments: [Argument("name", "The user's name")],
            examples: [Example("martlet users \(name) ada")]
        ) { session in
            let user = session.parsed.text("name") ?? ""
            // Changing a user who is not there would add one.
            let known = try session.api.all(["users"], [], under: "users").items.compactMap { $0["name"]?.string }
            guard known.contains(user) else {
                throw CommandFailure(
                    .notFound, "There is no user “\(user)”.\(Nearest.question(user, among: known))",
                    remedy: "List them with: martlet users list")
            }
            try session.api.send(.put, ["users", user], [], ["disabled": .bool(isDisabled)])
            return .good
        }
    }

    var tokens: Command {
        Command(
            "tokens", summary: "Tokens: what programs and browsers show instead of a password",
            subcommands: [
                command(
                    "list", "List tokens; the secrets are not kept",
                    options: [
                        Option("user", value: "NAME", "Only this user's"), .flag("all", "Revoked and expired ones too"),
                    ] + Shared.tables, examples: [Example("martlet tokens list --user ada")]
                ) { session in
                    var items = try session.api.all(
                        ["tokens"], [("user", session.parsed.text("user"))], under: "tokens"
                    ).items
                    if !session.parsed.isOn("all") { items.removeAll { $0["state"]?.string != "active" } }
                    var table = Table([
                        .text("ID", priority: 3), .text("User", priority: 2), .text("Kind"), .text("Label"),
                        .text("State"), .text("Created"), .text("Expires"),
                    ])
                    for token in items {
                        table.add(
                            token["id"]?.string, token["user"]?.string, token["kind"]?.string,
                            session.textOrNil(token["label"]), token["state"]?.string,
                            session.age(token["created_at"]), session.age(token["expires_at"]))
                    }
                    session.show(table, json: ["tokens": .array(items)], empty: "There are no tokens.")
                    return .good
                },
                command(
                    "create", "Make a token, and print it once",
                    arguments: [Argument("user", "Whose it is; else your own", count: .optional)],
                    options: [
                        Option("label", value: "TEXT", "What it is for"),
                        Option("days", value: "N", "It ends after so many days", shape: .integer(1...36_500)),
                        Shared.json,
                    ], examples: [Example("martlet tokens create ada --label laptop --days 90")]
                ) { session in
                    try session.createToken(
                        for: session.parsed.text("user"), label: session.parsed.text("label") ?? "",
                        days: session.parsed.integer("days"))
                },
                command(
                    "revoke", "Make a token worthless at once", arguments: [Argument("token", "Its id")],
                    examples: [Example("martlet tokens revoke 3f2a91c0aa17")]
                ) { session in
                    try session.api.send(.delete, ["tokens", session.parsed.text("token") ?? ""])
                    return .good
                },
            ])
    }

    var login: Command {
        plainCommand(
            "login", "Keep a token for a server",
            discussion: """
                Asks for the token without showing it, tries it, and keeps it in a file that only you may read. A token \
                is made with: martlet tokens create. In scripts, set MARTLET_TOKEN instead.
                """,
            arguments: [Argument("url", "The server's address")],
            options: [.flag("forget", "Forget the token that is kept for it")],
            examples: [Example("martlet login https://martlet.example.org")]
        ) { parsed, terminal in
            let address = parsed.text("url") ?? ""
            guard case .server = try StorePlace(address, from: workingFolder) else {
                throw CommandFailure(
                    .usage, "“\(address)” is not a server's address.", remedy: "Give one such as http://localhost:8003."
                )
            }
            let files = UserFiles(environment: terminal.environment)
            if parsed.isOn("forget") {
                _ = try files.store(token: nil, for: address)
                return .good
            }
            guard let typed = readSecret("Token for \(address): "), !typed.trimmed.isEmpty else {
                throw CommandFailure(.usage, "No token was given.", remedy: "Make one with: martlet tokens create")
            }
            let token = String(typed.trimmed)
            let backend = RemoteBackend(
                address: address, token: token, version: version, authorities: try authorities(parsed))
            let me = try API(backend).get(["me"])
            let path = try files.store(token: token, for: address)
            let who = me["principal"]?.string ?? me["name"]?.string ?? "?"
            let role = me["role"]?.string.map { ", role \($0)" } ?? ""
            terminal.line("You are \(Escape.text(who))\(role). The token is kept in \(path).", to: .error)
            if address.hasPrefix("http://"), !StorePlace.isLoopback(address) {
                terminal.line("Warning: over http the token travels in the clear; use https.", to: .error)
            }
            return .good
        }
    }
}

extension Session {
    func createToken(for user: String?, label: String, days: Int?) throws(CommandFailure) -> ExitCode {
        var body = JSONObject()
        if let user { body["user"] = .string(user) }
        body["label"] = .string(label)
        if let days { body["expires_days"] = .int(Int64(days)) }
        let token = try api.send(.post, ["tokens"], [], .object(body))
        if parsed.isOn("json") { writeJSON(token) } else { line(token["secret"]?.string ?? "") }
        note("This is shown once. Use it as MARTLET_TOKEN, or with: martlet login URL")
        return .good
    }
}

extension StorePlace {
    static func isLoopback(_ address: String) -> Bool {
        let host = address.split(separator: "/", omittingEmptySubsequences: true).dropFirst().first ?? ""
        return ["localhost", "127.", "[::1]"].contains { host.hasPrefix($0) }
    }
}
