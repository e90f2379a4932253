import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Datasets and models that runs took and made.
extension MLflowAPI {
    static let inputEndpoints: [Endpoint] = [
        .change(.post, "2.0/mlflow/runs/log-inputs") { call, message throws(Refusal) in
            let id = try message.required("run_id")
            try Names.check(runID: id)
            let inputs = try message.messages("datasets").map { input throws(Refusal) in try DatasetInput(input) }
            let models = try message.messages("models").map { model throws(Refusal) in try model.required("model_id") }
            try call.change(bytes: 4096) { ledger, caller throws(Refusal) in
                let run = try ledger.writableRun(id, call, caller)
                for model in models { _ = try ledger.tx.loggedModel(mlflow: model, call) }
                try ledger.logInputs(inputs, models: models, to: run.key, who: caller.principal)
                return Call.empty
            }
        },
        .change(.post, "2.0/mlflow/runs/outputs") { call, message throws(Refusal) in
            let id = try message.required("run_id")
            let outputs = try message.messages("models").map { model throws(Refusal) in
                RunFlow.Output(model: try model.required("model_id"), step: try model.integer("step") ?? 0)
            }
            try call.change { ledger, caller throws(Refusal) in
                let run = try ledger.writableRun(id, call, caller)
                for output in outputs { _ = try ledger.tx.loggedModel(mlflow: output.model, call) }
                try ledger.logOutputs(outputs, to: run.key, who: caller.principal)
                return Call.empty
            }
        },
        .read(.post, "2.0/mlflow/experiments/search-datasets") { call, message throws(Refusal) in
            try searchDatasets(call, message)
        },
    ]

    private static let summariesMax = 1000

    private static func searchDatasets(_ call: Call, _ message: Message) throws(Refusal) -> Response {
        let ids = try message.texts("experiment_ids")
        guard !ids.isEmpty else {
            throw .mlflow("SearchDatasets request must specify at least one experiment_id.")
        }
        guard ids.count <= 20 else {
            throw .mlflow(
                "SearchDatasets request cannot specify more than 20 experiment_ids. Received \(ids.count) experiment_ids."
            )
        }
        let caller = try call.caller()
        return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            var rows: [DatasetSummary] = []
            for id in ids {
                guard let experiment = try? reader.experiment(mlflow: id, call) else { continue }
                try caller.require(.read, on: experiment.project)
                rows += try DatasetSummary.all(in: experiment.id, reader, limit: summariesMax - rows.count)
            }
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        guard !rows.isEmpty else { return }
                        writer.array("dataset_summaries") { writer in for row in rows { row.write(to: &writer) } }
                    }
                })
        }
    }
}

/// A dataset and one context in which runs of an experiment used it.
private struct DatasetSummary: Hashable {
    var experiment: String
    var name: String
    var digest: String
    var context: String?

    static func all(
        in experiment: ExperimentID, _ reader: any StoreReader, limit: Int
    ) throws(Refusal) -> [DatasetSummary] {
        guard limit > 0, try !reader.datasets(in: experiment).isEmpty else { return [] }
        var found: [DatasetSummary] = []
        var known: Set<DatasetSummary> = []
        var after: RunKey?
        while true {
            let page = try reader.runs(in: experiment, after: after, limit: 500)
            for run in page where run.life == .active {
                for input in try reader.flow(of: run).datasets {
                    let summary = DatasetSummary(
                        experiment: "\(experiment)", name: input.dataset.name, digest: input.dataset.digest,
                        context: input.tags["mlflow.data.context"])
                    if known.insert(summary).inserted { found.append(summary) }
                    if found.count == limit { return found }
                }
            }
            guard page.count == 500, let last = page.last else { return found }
            after = last.key
        }
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("experiment_id", experiment)
            writer.member("name", name)
            writer.member("digest", digest)
            if let context { writer.member("context", context) }
        }
    }
}

extension DatasetInput {
    init(_ message: Message) throws(Refusal) {
        guard let dataset = try message.message("dataset") else {
            throw .mlflow("Dataset input must have a dataset associated with it.")
        }
        func text(_ field: String, _ limit: Int) throws(Refusal) -> String {
            guard let text = try dataset.text(field) else {
                throw .mlflow("Dataset \(field) cannot be None")
            }
            guard text.unicodeScalars.count <= limit else { throw .tooLong(field, limit) }
            return text
        }
        func optional(_ field: String, _ limit: Int) throws(Refusal) -> String? {
            guard let text = try dataset.text(field) else { return nil }
            guard text.unicodeScalars.count <= limit else { throw .tooLong(field, limit) }
            return text
        }
        var tags = Pairs<String>()
        for (key, value) in try message.pairs("tags") {
            guard key.unicodeScalars.count <= 255 else { throw .tooLong("key", 255) }
            guard value.unicodeScalars.count <= 500 else { throw .tooLong("value", 500) }
            tags[key] = value
        }
        self.init(
            dataset: Dataset(
                name: try text("name", 500), digest: try text("digest", 36),
                sourceType: try text("source_type", 36), source: try text("source", 65_535),
                schema: try optional("schema", 1_048_575), profile: try optional("profile", 16_777_215)), tags: tags)
    }
}

/// What a run shows of what it took and made.
struct RunInputs {
    var flow: RunFlow
    init(_ flow: RunFlow) { self.flow = flow }

    func write(to writer: inout JSONWriter) {
        writer.object("inputs") { writer in
            if !flow.datasets.isEmpty {
                writer.array("dataset_inputs") { writer in
                    for input in flow.datasets {
                        writer.object { writer in
                            writer.tags("tags", input.tags.entries.map { ($0.key, $0.value) })
                            writer.key("dataset")
                            writer.dataset(input.dataset)
                        }
                    }
                }
            }
            if !flow.models.isEmpty {
                writer.array("model_inputs") { writer in
                    for model in flow.models { writer.object { $0.member("model_id", model) } }
                }
            }
        }
        guard !flow.outputs.isEmpty else { return }
        writer.object("outputs") { writer in
            writer.array("model_outputs") { writer in
                for output in flow.outputs {
                    writer.object { writer in
                        writer.member("model_id", output.model)
                        writer.member("step", output.step)
                    }
                }
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func dataset(_ dataset: Dataset) {
        object { writer in
            writer.member("name", dataset.name)
            writer.member("digest", dataset.digest)
            writer.member("source_type", dataset.sourceType)
            writer.member("source", dataset.source)
            if let schema = dataset.schema { writer.member("schema", schema) }
            if let profile = dataset.profile { writer.member("profile", profile) }
        }
    }
}
