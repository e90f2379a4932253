import MartletClient
import MartletDomain
import MartletHTTPMessages
import MartletJSON

extension World {
    var projects: Command {
        Command(
            "projects", summary: "Projects: where experiments that belong together live",
            subcommands: [
                command(
                    "list", "List the projects",
                    options: Shared.tables + [
                        Option("team", value: "TEAM", "Only those of this team"),
                        Option("tag", value: "TAG", "Only those with this tag"),
                    ], examples: [Example("martlet projects list --team vision")]
                ) { session in
                    let query: API.Query = [
                        ("team", session.parsed.text("team")), ("tag", session.parsed.text("tag")),
                    ]
                    let found = try session.api.all(["projects"], query, under: "projects")
                    var table = Table([
                        .number("ID"), .text("Project", priority: 3), .text("Title"), .text("Team"),
                        .number("Experiments"), .number("Runs"), .text("Last activity"),
                    ])
                    for project in found.items {
                        table.add(
                            session.number(project["id"]), project["slug"]?.string,
                            session.textOrNil(project["name"]), session.textOrNil(project["team"]),
                            session.number(project["experiment_count"]), session.number(project["run_count"]),
                            session.age(project["last_activity"] ?? project["updated_at"]))
                    }
                    session.show(table, json: ["projects": .array(found.items)], empty: "There are no projects.")
                    return .good
                },
                command(
                    "show", "Show a project",
                    arguments: [Argument("project", "Id or name")], options: [Shared.json],
                    examples: [Example("martlet projects show default")]
                ) { session in
                    let project = try session.api.get(["projects", session.parsed.text("project") ?? ""])
                    if session.parsed.isOn("json") {
                        session.writeJSON(project)
                        return .good
                    }
                    var details = Details()
                    details.value("Project", project["slug"]?.string)
                    details.value("ID", session.number(project["id"]))
                    session.add(
                        [
                            ("Title", "name"), ("Description", "description"), ("Team", "team"),
                            ("Experiments", "experiment_count"), ("Runs", "run_count"), ("Created", "created_at"),
                            ("Last activity", "last_activity"),
                        ], of: project, to: &details)
                    session.addTags(of: project, to: &details)
                    session.write(details.rendered(width: session.width, paint: session.paint))
                    return .good
                },
                command(
                    "create", "Create a project",
                    arguments: [Argument("name", "Its name")],
                    options: [
                        Option("description", value: "TEXT", "What it is about"),
                        Option("team", value: "TEAM", "Whose it is"),
                        Option("tag", value: "TAG", "A tag, or key=value", repeats: true), Shared.json,
                    ], examples: [Example("martlet projects create vision --team ml")], creates: true
                ) { session in
                    var body: JSONObject = JSONObject()
                    body["name"] = .string(session.parsed.text("name") ?? "")
                    if let text = session.parsed.text("description") { body["description"] = .string(text) }
                    if let team = session.parsed.text("team") { body["team"] = .string(team) }
                    let tags = Session.tags(session.parsed.all("tag"))
                    if !tags.isEmpty { body["tags"] = .object(tags) }
                    let project = try session.api.send(.post, ["projects"], [], .object(body))
                    if session.parsed.isOn("json") {
                        session.writeJSON(project)
                    } else {
                        session.line(project["slug"]?.string ?? "")
                    }
                    return .good
                },
            ])
    }
}

// MARK: Values of the API in words

extension Session {
    /// A whole number whether it came as a number or as text.
    func number(_ value: JSONValue?) -> String? {
        guard let value, !value.isNull else { return nil }
        return value.string ?? value.int64.map { "\($0)" }
    }

    func textOrNil(_ value: JSONValue?) -> String? { value?.string.flatMap { $0.isEmpty ? nil : $0 } }

    /// How long ago, for tables.
    func age(_ value: JSONValue?) -> String? {
        guard let time = value?.string.flatMap({ Timestamp(iso: $0) }) else { return nil }
        return TimeText.relative(time.millis, now: world.now().millis)
    }

    /// The members of an object under labels; what is missing or empty is left out.
    func add(_ labels: [(label: String, key: String)], of object: JSONValue, to details: inout Details) {
        for (label, key) in labels {
            guard let value = object[key], !value.isNull, value.string != "" else { continue }
            details.value(label, Numbers.text(value))
        }
    }

    func addTags(of object: JSONValue, to details: inout Details) {
        guard let tags = object["tags"]?.object, !tags.isEmpty else { return }
        details.heading("Tags")
        for tag in tags.members { details.value(tag.key, tag.value.isNull ? "" : Numbers.text(tag.value)) }
    }

    /// `team=vision` or just `baseline`.
    static func tags(_ texts: [String]) -> JSONObject {
        var tags = JSONObject()
        for text in texts {
            if let pair = ValueShape.pair(in: text) { tags[pair.key] = .string(pair.value) } else { tags[text] = .null }
        }
        return tags
    }
}
