import MartletClient
import MartletHTTPMessages
import MartletJSON

extension World {
    var models: Command {
        Command(
            "models", summary: "Models: names under which versions are kept, with aliases and stages",
            subcommands: [
                modelsList, modelsShow, modelsRegister, modelsAlias, modelsStage, modelsTag, modelsRename, modelsDelete,
            ])
    }

    private static let modelArgument = Argument(
        "model", "Its name", candidates: .answer(["complete", "models"]))
    private static let versionArgument = Argument("version", "A number, an alias, or latest")

    private var modelsList: Command {
        command(
            "list", "List the registered models",
            options: Shared.tables + [
                Shared.project,
                Option("filter", short: "f", value: "EXPR", "Only those for which this holds: tags.team = 'crm'"),
            ], examples: [Example("martlet models list"), Example("martlet models list -f \"name LIKE 'churn%'\"")]
        ) { session in
            let query: API.Query = [
                ("project", session.parsed.text("project")), ("filter", session.parsed.text("filter")),
            ]
            let found = try session.api.all(["models"], query, under: "models")
            let projects = Set(found.items.compactMap { $0["project"]?.string })
            var table = Table([.text("Model", priority: 3, truncation: .middle)])
            if projects.count > 1 { table.columns.append(.text("Project", priority: 1)) }
            table.columns += [.number("Versions", priority: 2), .text("Aliases"), .text("Updated")]
            for item in found.items {
                var row: [Table.Cell] = [.init(item["name"]?.string, .bold)]
                if projects.count > 1 { row.append(.init(item["project"]?.string)) }
                let aliases = (item["aliases"]?.object?.members ?? []).map { "\($0.key)=\(Numbers.text($0.value))" }
                row += [
                    .init(session.number(item["version_count"])),
                    .init(aliases.isEmpty ? nil : aliases.joined(separator: " ")),
                    .init(session.age(item["updated_at"])),
                ]
                table.add(row)
            }
            session.show(
                table, json: ["models": .array(found.items)],
                empty: "There are no models. Register one with: martlet models register NAME --run RUN --path PATH")
            return .good
        }
    }

    private var modelsShow: Command {
        command(
            "show", "Show a model and its versions, or one of them",
            arguments: [
                World.modelArgument, Argument("version", "A number, an alias, or latest", count: .optional),
            ], options: Shared.tables + [Shared.project],
            examples: [Example("martlet models show churn"), Example("martlet models show churn champion --json")]
        ) { session in
            let name = session.parsed.text("model") ?? ""
            let query: API.Query = [("project", session.parsed.text("project"))]
            guard let version = session.parsed.text("version") else {
                return try session.showModel(name, query)
            }
            let found = try session.api.get(["models", name, "versions", version], query)
            if session.parsed.isOn("json") {
                session.writeJSON(found)
                return .good
            }
            session.write(session.details(ofVersion: found).rendered(width: session.width, paint: session.paint))
            return .good
        }
    }

    private var modelsRegister: Command {
        command(
            "register", "Register a version of a model, and the model if it is new",
            arguments: [Argument("model", "Its name", candidates: .answer(["complete", "models"]))],
            options: [
                Option(
                    "run", short: "r", value: "RUN", "The run that made it", candidates: .answer(["complete", "runs"])),
                Shared.experiment,
                Option("path", value: "PATH", "A file or folder among the run's artifacts"),
                Option("source", value: "URI", "Where its files are, if they are no artifact of a run"),
                Option("alias", value: "ALIAS", "A word that shall stand for it", repeats: true),
                Option("description", value: "TEXT", "What is to be said of it"),
                Option("tag", value: "TAG", "A tag, or key=value", repeats: true), Shared.project, Shared.json,
            ],
            examples: [
                Example("martlet models register churn --run run_03 --path model.pkl --alias champion"),
                Example("martlet models register churn --source s3://models/churn/7"),
            ], creates: true
        ) { session in
            var body: JSONObject = JSONObject()
            body["create_model"] = true
            if let run = session.parsed.text("run") { body["run_id"] = .string(try session.runReference(run)) }
            for key in ["path", "source", "description"] {
                if let text = session.parsed.text(key) { body[key] = .string(text) }
            }
            let aliases = session.parsed.all("alias")
            if !aliases.isEmpty { body["aliases"] = .array(aliases.map { .string($0) }) }
            let tags = Session.tags(session.parsed.all("tag"))
            if !tags.isEmpty { body["tags"] = .object(tags) }
            guard body["run_id"] != nil || body["source"] != nil else {
                throw CommandFailure(
                    .usage, "What is to be registered is not said.",
                    remedy: "Name a run's artifact with --run RUN --path PATH, or an address with --source URI.")
            }
            let name = session.parsed.text("model") ?? ""
            let version = try session.api.send(
                .post, ["models", name, "versions"], [("project", session.parsed.text("project"))], .object(body))
            if session.parsed.isOn("json") {
                session.writeJSON(version)
            } else {
                session.line(session.number(version["version"]) ?? "")
            }
            session.note("\(name) \(session.number(version["version"]) ?? ""): \(version["source"]?.string ?? "")")
            return .good
        }
    }

    private var modelsAlias: Command {
        command(
            "alias", "Let a word stand for a version, or take it away",
            arguments: [
                World.modelArgument, Argument("alias", "The word: champion"),
                Argument("version", "A number, another alias, or latest", count: .optional),
            ], options: [.flag("delete", "Take the alias away"), Shared.project],
            examples: [
                Example("martlet models alias churn champion 3"),
                Example("martlet models alias churn champion --delete"),
            ]
        ) { session in
            let path = ["models", session.parsed.text("model") ?? "", "aliases", session.parsed.text("alias") ?? ""]
            let query: API.Query = [("project", session.parsed.text("project"))]
            if session.parsed.isOn("delete") {
                try session.api.send(.delete, path, query)
                session.note("The alias \(path[3]) is gone.")
                return .good
            }
            guard let version = session.parsed.text("version") else {
                let found = try session.api.get(path, query)
                session.line(session.number(found["version"]) ?? "")
                return .good
            }
            let model = try session.api.send(.put, path, query, ["version": .string(version)])
            session.note("\(path[1]) \(path[3]) is version \(Numbers.text(model["aliases"]?[path[3]] ?? .null)).")
            return .good
        }
    }

    private var modelsStage: Command {
        command(
            "stage", "Move a version to a stage",
            arguments: [
                World.modelArgument, World.versionArgument,
                Argument("stage", "None, Staging, Production or Archived"),
            ],
            options: [
                .flag("archive-existing", "Archive the versions that are there, for Staging and Production"),
                Shared.project,
            ], examples: [Example("martlet models stage churn 3 Production --archive-existing")]
        ) { session in
            let name = session.parsed.text("model") ?? ""
            let version = try session.api.send(
                .post, ["models", name, "versions", session.parsed.text("version") ?? "", "stage"],
                [("project", session.parsed.text("project"))],
                [
                    "stage": .string(session.parsed.text("stage") ?? ""),
                    "archive_existing_versions": .bool(session.parsed.isOn("archive-existing")),
                ])
            session.note(
                "\(name) \(session.number(version["version"]) ?? "") is in \(version["stage"]?.string ?? "").")
            return .good
        }
    }

    private var modelsTag: Command {
        command(
            "tag", "Tag a model, or one of its versions",
            arguments: [World.modelArgument, Argument("tag", "A tag, or key=value", count: .any)],
            options: [
                Option("version", value: "VERSION", "This version: a number, an alias, or latest"),
                Option("remove", value: "TAG", "Take this tag away", repeats: true), Shared.project,
            ],
            examples: [
                Example("martlet models tag churn team=crm"),
                Example("martlet models tag churn --version latest checked=yes --remove draft"),
            ]
        ) { session in
            var path = ["models", session.parsed.text("model") ?? ""]
            if let version = session.parsed.text("version") { path += ["versions", version] }
            let tags = Session.tags(session.parsed.all("tag"))
            let removed = session.parsed.all("remove")
            guard !tags.isEmpty || !removed.isEmpty else {
                throw CommandFailure(
                    .usage, "No tag is named.", remedy: "Give tags as words or key=value, or --remove TAG.")
            }
            var body = JSONObject()
            if !tags.isEmpty { body["tags"] = .object(tags) }
            if !removed.isEmpty { body["remove_tags"] = .array(removed.map { .string($0) }) }
            try session.api.send(.patch, path, [("project", session.parsed.text("project"))], .object(body))
            return .good
        }
    }

    private var modelsRename: Command {
        command(
            "rename", "Give a model another name; versions, aliases and tags come along",
            arguments: [World.modelArgument, Argument("name", "The new name")], options: [Shared.project],
            examples: [Example("martlet models rename churn leavers")]
        ) { session in
            let (old, new) = (session.parsed.text("model") ?? "", session.parsed.text("name") ?? "")
            try session.api.send(
                .patch, ["models", old], [("project", session.parsed.text("project"))], ["name": .string(new)])
            session.note("\(old) is \(new) now.")
            return .good
        }
    }

    private var modelsDelete: Command {
        command(
            "delete", "Delete a version, or a model with all of them; nothing brings it back",
            arguments: [
                World.modelArgument, Argument("version", "A number, an alias, or latest; else all", count: .optional),
            ], options: [Shared.yes, Shared.project],
            examples: [Example("martlet models delete churn 2 --yes"), Example("martlet models delete churn --yes")]
        ) { session in
            let name = session.parsed.text("model") ?? ""
            let version = session.parsed.text("version")
            let what = version.map { "version \($0) of \(name)" } ?? "\(name) and all its versions"
            guard session.parsed.isOn("yes") else {
                throw CommandFailure(
                    .usage, "This deletes \(what), and nothing brings it back.",
                    remedy: "Add --yes if you mean it. The artifacts of runs stay either way.")
            }
            let path = ["models", name] + (version.map { ["versions", $0] } ?? [])
            try session.api.send(.delete, path, [("project", session.parsed.text("project"))])
            session.note("Deleted \(what).")
            return .good
        }
    }
}

extension Session {
    fileprivate func showModel(_ name: String, _ query: API.Query) throws(CommandFailure) -> ExitCode {
        let model = try api.get(["models", name], query)
        let versions = try api.all(["models", name, "versions"], query, under: "model_versions").items
        var table = Table([
            .number("Version", priority: 3), .text("Stage", priority: 2), .text("Aliases", priority: 1), .text("Run"),
            .text("Source", truncation: .middle), .text("Created"),
        ])
        for version in versions {
            let aliases = (version["aliases"]?.array ?? []).compactMap(\.string)
            let run = version["run_id"]?.string
            table.add([
                .init(number(version["version"]), .bold), .init(version["stage"]?.string),
                .init(aliases.isEmpty ? nil : aliases.joined(separator: " ")),
                .init(parsed.isOn("csv") ? run : run.map { String($0.prefix(8)) }), .init(version["source"]?.string),
                .init(age(version["created_at"])),
            ])
        }
        if parsed.isOn("json") || parsed.isOn("csv") {
            var whole = model.object ?? JSONObject()
            whole["versions"] = .array(versions)
            show(table, json: .object(whole), empty: "")
            return .good
        }
        var details = Details()
        details.value("Model", model["name"]?.string, .bold)
        add(
            [
                ("Project", "project"), ("Description", "description"), ("Versions", "version_count"),
                ("Created", "created_at"), ("Updated", "updated_at"),
            ], of: model, to: &details)
        addTags(of: model, to: &details)
        write(details.rendered(width: width, paint: paint))
        if !versions.isEmpty {
            line()
            show(table, json: .null, empty: "")
        }
        return .good
    }

    fileprivate func details(ofVersion version: JSONValue) -> Details {
        var details = Details()
        let name = version["name"]?.string ?? ""
        details.value("Version", "\(name) \(number(version["version"]) ?? "")", .bold)
        add(
            [
                ("Stage", "stage"), ("Status", "status"), ("Message", "status_message"), ("Source", "source"),
                ("Run", "run_id"), ("Run link", "run_link"), ("Logged model", "logged_model_id"), ("User", "user"),
                ("Description", "description"), ("Created", "created_at"), ("Updated", "updated_at"),
            ], of: version, to: &details)
        let aliases = (version["aliases"]?.array ?? []).compactMap(\.string)
        if !aliases.isEmpty { details.value("Aliases", aliases.joined(separator: " ")) }
        if let metadata = version["metadata"]?.object, !metadata.isEmpty {
            details.heading("Metadata")
            for member in metadata.members { details.value(member.key, Numbers.text(member.value)) }
        }
        addTags(of: version, to: &details)
        return details
    }
}
