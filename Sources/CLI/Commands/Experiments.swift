import MartletClient
import MartletHTTPMessages
import MartletJSON

extension World {
    var experiments: Command {
        Command(
            "experiments", summary: "Experiments: a question, and the runs that try to answer it",
            subcommands: [experimentsList, experimentsShow, experimentsCreate, experimentsDelete, experimentsRestore])
    }

    private var experimentsList: Command {
        command(
            "list", "List the experiments",
            options: Shared.tables + [
                Shared.project, Option("tag", value: "TAG", "Only those with this tag"),
                Option("name", value: "GLOB", "Only those with such a name: digits-*"),
                .flag("deleted", "Those that were deleted and can be restored"),
            ],
            examples: [Example("martlet experiments list"), Example("martlet experiments list --json | jq length")]
        ) { session in
            let query: API.Query = [
                ("project", session.parsed.text("project")), ("tag", session.parsed.text("tag")),
                ("name", session.parsed.text("name")), ("state", session.parsed.isOn("deleted") ? "deleted" : nil),
            ]
            let found = try session.api.all(["experiments"], query, under: "experiments")
            let projects = Set(found.items.compactMap { $0["project"]?.string })
            var table = Table([.number("ID", priority: 2), .text("Experiment", priority: 3, truncation: .middle)])
            if projects.count > 1 { table.columns.append(.text("Project", priority: 1)) }
            let isRunning = found.items.contains { ($0["runs_by_state"]?["running"]?.int64 ?? 0) > 0 }
            table.columns.append(.number("Runs", priority: 1))
            if isRunning { table.columns.append(.number("Running")) }
            table.columns.append(.text("Updated"))
            for item in found.items {
                let running = item["runs_by_state"]?["running"]?.int64 ?? 0
                var row: [Table.Cell] = [.init(session.number(item["id"])), .init(item["name"]?.string, .bold)]
                if projects.count > 1 { row.append(.init(item["project"]?.string)) }
                row.append(.init(session.number(item["run_count"])))
                if isRunning { row.append(running > 0 ? .init("\(running)", .yellow) : .missing) }
                row.append(.init(session.age(item["updated_at"])))
                table.add(row)
            }
            session.show(table, json: ["experiments": .array(found.items)], empty: "There are no experiments.")
            return .good
        }
    }

    private var experimentsShow: Command {
        command(
            "show", "Show an experiment", arguments: [Shared.experimentArgument()], options: [Shared.json],
            examples: [Example("martlet experiments show ridge_regression_tuning")]
        ) { session in
            let experiment = try session.experiment(session.parsed.text("experiment") ?? "")
            if session.parsed.isOn("json") {
                session.writeJSON(experiment)
                return .good
            }
            var details = Details()
            details.value("Experiment", experiment["name"]?.string)
            session.add(
                [
                    ("ID", "id"), ("Project", "project"), ("Description", "description"),
                    ("Hypothesis", "hypothesis"), ("Runs", "run_count"), ("Created", "created_at"),
                    ("Updated", "updated_at"),
                ], of: experiment, to: &details)
            if experiment["life"]?.string == "deleted" { details.value("Life", "deleted", .red) }
            if let states = experiment["runs_by_state"]?.object, !states.isEmpty {
                details.heading("Runs by state")
                for state in states.members { details.value(state.key, Numbers.text(state.value)) }
            }
            session.addTags(of: experiment, to: &details)
            session.write(details.rendered(width: session.width, paint: session.paint))
            return .good
        }
    }

    private var experimentsCreate: Command {
        command(
            "create", "Create an experiment, or get the one of that name",
            arguments: [Argument("name", "Its name")],
            options: [
                Shared.project, Option("description", value: "TEXT", "What it is about"),
                Option("hypothesis", value: "TEXT", "What is expected"),
                Option("tag", value: "TAG", "A tag, or key=value", repeats: true), Shared.json,
            ],
            examples: [Example("martlet experiments create digits --hypothesis 'wider is better'")], creates: true
        ) { session in
            var body = JSONObject()
            body["name"] = .string(session.parsed.text("name") ?? "")
            for key in ["project", "description", "hypothesis"] {
                if let text = session.parsed.text(key) { body[key] = .string(text) }
            }
            let tags = Session.tags(session.parsed.all("tag"))
            if !tags.isEmpty { body["tags"] = .object(tags) }
            let experiment = try session.api.send(.post, ["experiments"], [], .object(body))
            if session.parsed.isOn("json") {
                session.writeJSON(experiment)
            } else {
                session.line(session.number(experiment["id"]) ?? "")
            }
            if experiment["created"]?.bool == false { session.note("It was there already.") }
            return .good
        }
    }

    private var experimentsDelete: Command {
        command(
            "delete", "Delete an experiment and its runs; they can be restored",
            arguments: [Shared.experimentArgument()], options: [Shared.permanent, Shared.yes],
            examples: [Example("martlet experiments delete digits")]
        ) { session in
            let reference = session.parsed.text("experiment") ?? ""
            let query = try session.deletion(of: "the experiment “\(reference)” and its runs")
            // What destroys wants an exact id; a name is made one here, where a person has typed it.
            let experiment = try session.experiment(reference)
            try session.api.send(.delete, ["experiments", experiment["id"]?.string ?? reference], query)
            let name = experiment["name"]?.string ?? reference
            session.note(
                query.isEmpty
                    ? "Deleted \(name). Back with: martlet experiments restore \(experiment["id"]?.string ?? name)"
                    : "Deleted \(name) for good.")
            return .good
        }
    }

    private var experimentsRestore: Command {
        command(
            "restore", "Bring a deleted experiment back, with the runs that went with it",
            arguments: [Shared.experimentArgument()], examples: [Example("martlet experiments restore digits")]
        ) { session in
            let reference = session.parsed.text("experiment") ?? ""
            let experiment = try session.experiment(reference)
            try session.api.send(.post, ["experiments", experiment["id"]?.string ?? reference, "restore"])
            session.note("Restored \(experiment["name"]?.string ?? reference).")
            return .good
        }
    }
}
