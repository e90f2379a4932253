import MartletClient
import MartletHTTPClient
import MartletHTTPMessages
import MartletJSON

extension World {
    var log: Command {
        Command(
            "log", summary: "Log metrics, params and files from a shell",
            subcommands: [logMetric, logParam, logArtifact, logRun])
    }

    private var logMetric: Command {
        command(
            "metric", "Log values of metrics to a run",
            discussion:
                "Without --step a value stands for its metric; a second one under the same name begins a curve.",
            arguments: [Shared.run(), Argument("value", "name=number", count: .oneOrMore, shape: .numberPair)],
            options: [
                Shared.experiment, Option("step", short: "s", value: "N", "The step of all of them", shape: .integer),
                Option("time", value: "TIME", "When it was: ISO 8601, or epoch milliseconds"),
            ], examples: [Example("martlet log metric run_03 loss=0.1 acc=0.9 --step 3")]
        ) { session in
            let id = try session.runReference(session.parsed.text("run") ?? "")
            var body = JSONObject()
            body["metrics"] = .object(Session.metrics(session.parsed.numberPairs("value")))
            if let step = session.parsed.integer("step") { body["step"] = .int(Int64(step)) }
            if let time = session.parsed.text("time") {
                body["timestamp"] = Int64(time).map { .int($0) } ?? .string(time)
            }
            try session.api.send(.post, ["runs", id, "metrics"], [], .object(body))
            return .good
        }
    }

    private var logParam: Command {
        command(
            "param", "Log params to a run",
            discussion: "A param keeps its first value: the same one again changes nothing, another one is refused.",
            arguments: [Shared.run(), Argument("value", "name=value", count: .oneOrMore, shape: .pair)],
            options: [Shared.experiment], examples: [Example("martlet log param run_03 lr=0.1 optimizer=adam")]
        ) { session in
            let id = try session.runReference(session.parsed.text("run") ?? "")
            let params = Session.params(session.parsed.pairs("value"))
            try session.api.send(.post, ["runs", id, "params"], [], ["params": .object(params)])
            return .good
        }
    }

    private var logArtifact: Command {
        command(
            "artifact", "Store a file, or a folder, with a run",
            arguments: [
                Shared.run(), Argument("file", "The file or folder", candidates: .files),
            ], options: World.artifactOptions,
            examples: [Example("martlet log artifact run_03 out/model.bin --as model.bin --type model")]
        ) { session in
            try session.putArtifact(
                run: session.parsed.text("run") ?? "", file: session.parsed.text("file") ?? "")
        }
    }

    static let artifactOptions: [Option] = [
        Shared.experiment, Option("as", value: "PATH", "Under this path; else the file's own name"),
        Option("type", short: "t", value: "TYPE", "model, plot, data, report …; else told by the name"),
    ]

    private var logRun: Command {
        command(
            "run", "Store a whole run that is over, in one go",
            discussion: "Prints the run's id. An experiment that is not there is created.",
            arguments: [Shared.experimentArgument()],
            options: [
                Option("param", short: "p", value: "NAME=VALUE", "A param", shape: .pair, repeats: true),
                Option("metric", short: "m", value: "NAME=NUMBER", "A metric", shape: .numberPair, repeats: true),
                Option("tag", value: "TAG", "A tag, or key=value", repeats: true),
                Option("status", value: "WORD", "How it ended: done, failed, overfit, any word", standard: "done"),
                Option("id", value: "ID", "Its id: 32 hex digits, or another name by which it is found"),
                Option("name", value: "NAME", "Its name"), Option("note", value: "TEXT", "A note in Markdown"),
                Option("start", value: "TIME", "When it began: ISO 8601"),
                Option("end", value: "TIME", "When it ended: ISO 8601"), Shared.project, Shared.json,
            ],
            examples: [
                Example("martlet log run ridge --param algorithm=Ridge --metric test_r2=0.91 --status done")
            ], creates: true
        ) { session in
            let parsed = session.parsed
            var body = JSONObject()
            body["experiment"] = .string(parsed.text("experiment") ?? "")
            body["params"] = .object(Session.params(parsed.pairs("param")))
            body["metrics"] = .object(Session.metrics(parsed.numberPairs("metric")))
            body["status"] = .string(parsed.text("status") ?? "done")
            let tags = Session.tags(parsed.all("tag"))
            if !tags.isEmpty { body["tags"] = .object(tags) }
            for (option, key) in [
                ("id", "id"), ("name", "name"), ("note", "note"), ("start", "start_time"), ("end", "end_time"),
                ("project", "project"),
            ] {
                if let text = parsed.text(option) { body[key] = .string(text) }
            }
            let run = try session.api.send(.post, ["runs"], [], .object(body))
            if parsed.isOn("json") { session.writeJSON(run) } else { session.line(RunRecord(run).shown) }
            return .good
        }
    }
}

extension Session {
    static func metrics(_ pairs: [(key: String, value: Double)]) -> JSONObject {
        var metrics = JSONObject()
        for (name, value) in pairs { metrics[name] = .double(value) }
        return metrics
    }

    /// As text, so that `0.10` stays as it was typed; the API shows a number wherever the text is one.
    static func params(_ pairs: [(key: String, value: String)]) -> JSONObject {
        var params = JSONObject()
        for (name, text) in pairs {
            params[name] = text == "true" || text == "false" ? .bool(text == "true") : .string(text)
        }
        return params
    }
}
