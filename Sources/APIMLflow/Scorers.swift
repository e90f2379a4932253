import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Scorers, kept for those who run them. None runs here, so what wants a model behind this server is refused.
extension MLflowAPI {
    static let scorerEndpoints: [Endpoint] = [
        .change(.post, "3.0/mlflow/scorers/register") { call, message throws(Refusal) in
            try registerScorer(call, message)
        },
        .read(.get, "3.0/mlflow/scorers/list") { call, message throws(Refusal) in
            try readScorers(call, message) { reader, home throws(Refusal) in
                let scorers = try reader.scorers(in: home)
                return list("scorers", scorers) { writer, scorer in
                    if let last = scorer.versions.last { writer.scorer(scorer, last) }
                }
            }
        },
        .read(.get, "3.0/mlflow/scorers/versions") { call, message throws(Refusal) in
            let name = try message.required("name")
            return try readScorers(call, message) { reader, home throws(Refusal) in
                guard let scorer = try reader.scorer(name, in: home) else { throw .noScorer(name, nil, home) }
                return list("scorers", scorer.versions) { writer, version in writer.scorer(scorer, version) }
            }
        },
        .read(.get, "3.0/mlflow/scorers/get") { call, message throws(Refusal) in
            let name = try message.required("name")
            let number = try message.integer("version").map { Int(clamping: $0) }
            return try readScorers(call, message) { reader, home throws(Refusal) in
                guard let scorer = try reader.scorer(name, in: home),
                    let version = scorer.versions.last(where: { number == nil || $0.number == number })
                else { throw .noScorer(name, number, home) }
                return .json(
                    try encoded { writer in
                        writer.object { writer in
                            writer.key("scorer")
                            writer.scorer(scorer, version)
                        }
                    })
            }
        },
        .change(.delete, "3.0/mlflow/scorers/delete") { call, message throws(Refusal) in
            let id = try message.required("experiment_id")
            let name = try message.required("name")
            let number = try message.integer("version").map { Int(clamping: $0) }
            try call.change { ledger, caller throws(Refusal) in
                let home = try ledger.tx.activeExperiment(mlflow: id, call)
                try caller.require(.write, on: home.project)
                guard let scorer = try ledger.tx.scorer(name, in: home),
                    number == nil || scorer.versions.contains(where: { $0.number == number })
                else { throw .noScorer(name, number, home) }
                try ledger.deleteScorer(name, version: number, in: home)
                return Call.empty
            }
        },
    ]

    private static func registerScorer(_ call: Call, _ message: Message) throws(Refusal) {
        let id = try message.required("experiment_id")
        // Missing, empty and blank are one to its clients.
        let name = try message.text("name") ?? ""
        guard name.contains(where: { !$0.isWhitespace }) else {
            throw .mlflow("Scorer name cannot be empty or contain only whitespace.")
        }
        let text = try message.required("serialized_scorer")
        guard let written = try? JSONValue(parsing: text) else {
            throw .mlflow("serialized_scorer must be valid JSON")
        }
        try check(written)
        let made = UniqueID.make()
        try call.change(bytes: text.utf8.count + 512) { ledger, caller throws(Refusal) in
            let home = try ledger.tx.activeExperiment(mlflow: id, call)
            try caller.require(.write, on: home.project)
            let scorer = try ledger.registerScorer(name, text: text, in: home.id, id: made)
            return try encoded { writer in
                writer.object { writer in
                    writer.member("version", scorer.lastNumber)
                    writer.member("scorer_id", scorer.id)
                    writer.member("experiment_id", "\(home.id)")
                    writer.member("name", name)
                    writer.member("serialized_scorer", text)
                    writer.member("creation_time", scorer.versions.last?.created.millis ?? 0)
                }
            }
        }
    }

    /// What holds a function as text would be run by whoever loads it, and is kept for nobody.
    private static func check(_ written: JSONValue) throws(Refusal) {
        guard written["call_source"] == nil || written["call_source"] == .null else {
            throw .mlflow(
                "Custom scorer registration (using @scorer decorator) is not supported outside of Databricks tracking environments due to security concerns."
            )
        }
        guard let model = model(of: written, depth: 4) else { return }
        guard let text = model.string else {
            throw .mlflow("Scorer model must be a string, got \(model.pythonType).")
        }
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw .mlflow("Scorer model cannot be empty or contain only whitespace.")
        }
        guard !text.hasPrefix("gateway:/") else {
            throw .mlflow(
                "This server is no gateway to language models. Name the model's provider, as in openai:/gpt-4o.")
        }
    }

    private static func model(of written: JSONValue, depth: Int) -> JSONValue? {
        for key in ["instructions_judge_pydantic_data", "builtin_scorer_pydantic_data", "third_party_scorer_data"] {
            if let model = written[key]?["model"], !model.isNull { return model }
        }
        guard depth > 0, let base = written["memory_augmented_judge_data"]?["base_judge"] else { return nil }
        return model(of: base, depth: depth - 1)
    }

    private static func readScorers(
        _ call: Call, _ message: Message, _ body: (any StoreReader, Experiment) throws(Refusal) -> Response
    ) throws(Refusal) -> Response {
        let id = try message.required("experiment_id")
        let caller = try call.caller()
        return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            let home = try reader.activeExperiment(mlflow: id, call)
            try caller.require(.read, on: home.project)
            return try body(reader, home)
        }
    }
}

extension StoreReader {
    fileprivate func activeExperiment(mlflow id: String, _ call: Call) throws(Refusal) -> Experiment {
        let experiment = try experiment(mlflow: id, call)
        guard experiment.life == .active else {
            throw .mlflow(
                "The experiment \(id) must be in the 'active' state. Current state is deleted.")
        }
        return experiment
    }
}

extension Refusal {
    fileprivate static func noScorer(_ name: String, _ version: Int?, _ home: Experiment) -> Refusal {
        let which = version.map { " and version \($0)" } ?? ""
        return .mlflow("Scorer with name '\(name)'\(which) not found for experiment \(home.id).", .notFound)
    }
}

extension JSONWriter {
    fileprivate mutating func scorer(_ scorer: Scorer, _ version: Scorer.Version) {
        object { writer in
            writer.member("experiment_id", scorer.experiment.raw)
            writer.member("scorer_name", scorer.name)
            writer.member("scorer_version", version.number)
            writer.member("serialized_scorer", version.text)
            writer.member("creation_time", version.created.millis)
            writer.member("scorer_id", scorer.id)
        }
    }
}
