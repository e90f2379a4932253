package import MartletDomain
import MartletJSON

// What runs took and made. A dataset's own record lies once with the experiment, since a schema can be large and a
// thousand runs read the same data; a run says which one it used, with tags of its own.
extension Ledger {
    /// The first one logged under a name and digest keeps its source, schema and profile. Logged to the run again, it
    /// changes nothing.
    package func logInputs(
        _ inputs: [DatasetInput], models: [String] = [], to key: RunKey, who: String
    ) throws(StorageError) {
        let run = try writableRun(key)
        var seen: Set<String> = []
        for input in inputs {
            let id = Flow.key(input.dataset)
            guard seen.insert(id).inserted else { continue }
            let home = Item.Owner.experiment(run.experiment)
            if try tx.items(of: home, kind: Flow.dataset, key: id).isEmpty {
                let document = Flow.document(input.dataset)
                try limits.checkText(document, Flow.datasetBytesMax, "dataset", setting: "schema or profile")
                try tx.append(
                    Item(id: 0, owner: home, kind: Flow.dataset, key: id, at: now, who: who, data: document))
            }
            guard try tx.items(of: .run(key), kind: Flow.dataset, key: id).isEmpty else { continue }
            try tx.append(
                Item(
                    id: 0, owner: .run(key), kind: Flow.dataset, key: id, at: now, who: who,
                    data: Flow.document(of: input.dataset, input.tags)))
        }
        for model in models where try tx.items(of: .run(key), kind: Flow.modelInput, key: model).isEmpty {
            try tx.append(
                Item(id: 0, owner: .run(key), kind: Flow.modelInput, key: model, at: now, who: who, data: "{}"))
        }
        try tx.touch(key)
        note(
            "inputs.log", .run(key, run.id), in: run.project, after: inputs.map { ("dataset", $0.dataset.name) },
            count: inputs.count + models.count)
    }

    package func logOutputs(_ outputs: [RunFlow.Output], to key: RunKey, who: String) throws(StorageError) {
        let run = try writableRun(key)
        for output in outputs where try tx.items(of: .run(key), kind: Flow.modelOutput, key: output.model).isEmpty {
            try tx.append(
                Item(
                    id: 0, owner: .run(key), kind: Flow.modelOutput, key: output.model, at: now, who: who,
                    data: "{\"step\":\(output.step)}"))
        }
        try tx.touch(key)
        note("outputs.log", .run(key, run.id), in: run.project, count: outputs.count)
    }
}

extension StoreReader {
    package func flows(of runs: [Run]) throws(StorageError) -> [RunFlow] {
        let kinds = [Flow.dataset, Flow.modelInput, Flow.modelOutput]
        let holders = try self.runs(among: runs.map(\.key), withItems: kinds)
        return try runs.map { (run) throws(StorageError) in
            holders.contains(run.key) ? try flow(of: run) : RunFlow()
        }
    }

    package func flow(of run: Run) throws(StorageError) -> RunFlow {
        var flow = RunFlow()
        var places: [String: Int] = [:]
        for item in try items(of: .run(run.key), kind: Flow.dataset, key: nil) {
            let tags = Flow.tags(item.data)
            if let place = places[item.key] {
                flow.datasets[place].tags = tags
                continue
            }
            let record = try items(of: .experiment(run.experiment), kind: Flow.dataset, key: item.key).first
            guard let dataset = Flow.dataset(record?.data ?? item.data) else { continue }
            places[item.key] = flow.datasets.count
            flow.datasets.append(DatasetInput(dataset: dataset, tags: tags))
        }
        flow.models = try items(of: .run(run.key), kind: Flow.modelInput, key: nil).map(\.key)
        flow.outputs = try items(of: .run(run.key), kind: Flow.modelOutput, key: nil).map { item in
            RunFlow.Output(model: item.key, step: (try? JSONValue(parsing: item.data))?["step"]?.int64 ?? 0)
        }
        return flow
    }

    package func uses(_ dataset: Dataset, by run: RunKey) throws(StorageError) -> Bool {
        try !items(of: .run(run), kind: Flow.dataset, key: Flow.key(dataset)).isEmpty
    }

    /// Whether a run read a logged model.
    package func uses(model: String, by run: RunKey) throws(StorageError) -> Bool {
        try !items(of: .run(run), kind: Flow.modelInput, key: model).isEmpty
    }

    /// Whether a run said that it made a logged model.
    package func makes(model: String, by run: RunKey) throws(StorageError) -> Bool {
        try !items(of: .run(run), kind: Flow.modelOutput, key: model).isEmpty
    }

    /// The datasets of an experiment that its runs used, each with the contexts in which they did.
    package func datasets(in experiment: ExperimentID) throws(StorageError) -> [Dataset] {
        try items(of: .experiment(experiment), kind: Flow.dataset, key: nil).compactMap { Flow.dataset($0.data) }
    }
}

/// How inputs and outputs lie among the items of a run and an experiment.
private enum Flow {
    static let dataset = "dataset"
    static let modelInput = "model-input"
    static let modelOutput = "model-output"
    /// MLflow lets a profile have 16 MiB; what is larger belongs into an artifact.
    static let datasetBytesMax = 20 << 20
    static let contextTag = "mlflow.data.context"

    static func key(_ dataset: Dataset) -> String { "\(dataset.name)\u{1F}\(dataset.digest)" }

    static func document(_ dataset: Dataset) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("name", dataset.name)
            writer.member("digest", dataset.digest)
            writer.member("source_type", dataset.sourceType)
            writer.member("source", dataset.source)
            if let schema = dataset.schema { writer.member("schema", schema) }
            if let profile = dataset.profile { writer.member("profile", profile) }
        }
        return writer.text
    }

    /// What the run's own item says: enough for a search, without the record's weight.
    static func document(of dataset: Dataset, _ tags: Pairs<String>) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("name", dataset.name)
            writer.member("digest", dataset.digest)
            if let context = tags[contextTag] { writer.member("context", context) }
            writer.object("tags") { writer in
                for (key, value) in tags.entries { writer.member(dynamic: key, value) }
            }
        }
        return writer.text
    }

    static func tags(_ data: String) -> Pairs<String> {
        let members = (try? JSONValue(parsing: data))?["tags"]?.object?.members ?? []
        return Pairs(members.compactMap { member in member.value.string.map { (member.key, $0) } })
    }

    static func dataset(_ data: String) -> Dataset? {
        guard let value = try? JSONValue(parsing: data), let name = value["name"]?.string else { return nil }
        return Dataset(
            name: name, digest: value["digest"]?.string ?? "", sourceType: value["source_type"]?.string ?? "",
            source: value["source"]?.string ?? "", schema: value["schema"]?.string,
            profile: value["profile"]?.string)
    }
}
