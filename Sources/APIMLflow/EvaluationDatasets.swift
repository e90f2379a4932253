import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Datasets for evaluation. Tags and records travel as JSON inside a text, as MLflow has it.
extension MLflowAPI {
    static let evaluationDatasetEndpoints: [Endpoint] = [
        .change(.post, "3.0/mlflow/datasets/create") { call, message throws(Refusal) in
            try createEvaluationDataset(call, message)
        },
        .read(.post, "3.0/mlflow/datasets/search") { call, message throws(Refusal) in
            try searchEvaluationDatasets(call, message)
        },
        .read(.get, "3.0/mlflow/datasets/search") { call, message throws(Refusal) in
            try searchEvaluationDatasets(call, message)
        },
        .read(.get, "3.0/mlflow/datasets/{dataset_id}") { call, _ throws(Refusal) in
            try readEvaluationDataset(call) { _, dataset throws(Refusal) in try evaluationDatasetAnswer(dataset) }
        },
        .change(.delete, "3.0/mlflow/datasets/{dataset_id}") { call, _ throws(Refusal) in
            let id = call["dataset_id"]
            try call.change { ledger, caller throws(Refusal) in
                let project = try call.writableProject(ledger, caller)
                try ledger.deleteEvaluationDataset(id, in: project)
                return Call.empty
            }
        },
        .change(.patch, "3.0/mlflow/datasets/{dataset_id}/tags") { call, message throws(Refusal) in
            let tags = try evaluationTags(try message.required("tags"))
            try changeEvaluationDataset(call) { ledger, id, project throws(Refusal) in
                _ = try ledger.updateEvaluationDataset(id, in: project, tags: tags.entries)
                return Call.empty
            }
        },
        .change(.delete, "3.0/mlflow/datasets/{dataset_id}/tags/{key}") { call, _ throws(Refusal) in
            let (id, key) = (call["dataset_id"], call["key"])
            try call.change { ledger, caller throws(Refusal) in
                let project = try call.writableProject(ledger, caller)
                // Taking away what is not there is no mistake here.
                guard try ledger.tx.evaluationDataset(id, in: project) != nil else { return Call.empty }
                _ = try ledger.updateEvaluationDataset(id, in: project, removingTags: [key])
                return Call.empty
            }
        },
        .change(.post, "3.0/mlflow/datasets/{dataset_id}/add-experiments") { call, message throws(Refusal) in
            let experiments = try experimentIDs(try message.texts("experiment_ids"))
            try changeEvaluationDataset(call) { ledger, id, project throws(Refusal) in
                for experiment in experiments { _ = try ledger.tx.experiment(mlflow: "\(experiment)", call) }
                let dataset = try ledger.linkEvaluationDataset(id, in: project, adding: experiments)
                return try evaluationDatasetBody(dataset)
            }
        },
        .change(.post, "3.0/mlflow/datasets/{dataset_id}/remove-experiments") { call, message throws(Refusal) in
            let experiments = try experimentIDs(try message.texts("experiment_ids"))
            try changeEvaluationDataset(call) { ledger, id, project throws(Refusal) in
                let dataset = try ledger.linkEvaluationDataset(id, in: project, removing: experiments)
                return try evaluationDatasetBody(dataset)
            }
        },
        .read(.get, "3.0/mlflow/datasets/{dataset_id}/experiment-ids") { call, _ throws(Refusal) in
            try readEvaluationDataset(call) { _, dataset throws(Refusal) in
                .json(
                    try encoded { writer in
                        writer.object { writer in
                            guard !dataset.experiments.isEmpty else { return }
                            writer.member("experiment_ids", dataset.experiments.map { "\($0)" })
                        }
                    })
            }
        },
    ]

    // MARK: Pieces

    static func readEvaluationDataset(
        _ call: Call, _ body: (any StoreReader, EvaluationDataset) throws(Refusal) -> Response
    ) throws(Refusal) -> Response {
        let caller = try call.caller()
        return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            let project = try call.project(reader)
            try caller.require(.read, on: project.id)
            return try body(reader, try reader.evaluationDataset(mlflow: call["dataset_id"], in: project.id))
        }
    }

    static func changeEvaluationDataset(
        _ call: Call, bytes: Int = 1024,
        _ body: @escaping @Sendable (Ledger, String, ProjectID) throws(Refusal) -> [UInt8]
    ) throws(Refusal) {
        let id = call["dataset_id"]
        try call.change(bytes: bytes) { ledger, caller throws(Refusal) in
            let project = try call.writableProject(ledger, caller)
            _ = try ledger.tx.evaluationDataset(mlflow: id, in: project)
            return try body(ledger, id, project)
        }
    }

    private static func createEvaluationDataset(_ call: Call, _ message: Message) throws(Refusal) {
        let name = try message.required("name")
        let tags = try evaluationTags(try message.text("tags") ?? "")
        let experiments = try experimentIDs(try message.texts("experiment_ids"))
        try call.change(bytes: 2048) { ledger, caller throws(Refusal) in
            let project = try call.writableProject(ledger, caller)
            for experiment in experiments { _ = try ledger.tx.experiment(mlflow: "\(experiment)", call) }
            var draft = EvaluationDatasetDraft(project: project, name: name)
            (draft.tags, draft.experiments, draft.user) = (tags, experiments, tags[RunTags.user] ?? "")
            return try evaluationDatasetBody(try ledger.createEvaluationDataset(draft))
        }
    }

    private static func searchEvaluationDatasets(_ call: Call, _ message: Message) throws(Refusal) -> Response {
        let limit = try message.maxResults(standard: 1000, atMost: 50_000)
        let query = try EvaluationDatasetQuery(
            filter: try message.text("filter_string") ?? "", orderBy: try message.texts("order_by"))
        let wanted = Set(try experimentIDs(try message.texts("experiment_ids")))
        let offset = try PageOffset.read(try message.text("page_token"))
        let caller = try call.caller()
        return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            let project = try call.project(reader)
            try caller.require(.read, on: project.id)
            let found = try reader.evaluationDatasets(in: project.id).filter { dataset in
                (wanted.isEmpty || dataset.experiments.contains(where: wanted.contains)) && query.matches(dataset)
            }
            let page = PageOffset.page(query.sorted(found), from: offset, limit: limit)
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        if !page.rows.isEmpty {
                            writer.array("datasets") { writer in
                                // Where they belong is asked for one by one: a search does not say it.
                                for dataset in page.rows { writer.evaluationDataset(dataset, withExperiments: false) }
                            }
                        }
                        if let next = page.next { writer.member("next_page_token", next) }
                    }
                })
        }
    }

    private static func evaluationDatasetAnswer(_ dataset: EvaluationDataset) throws(Refusal) -> Response {
        .json(try evaluationDatasetBody(dataset, withExperiments: false))
    }

    private static func evaluationDatasetBody(
        _ dataset: EvaluationDataset, withExperiments: Bool = true
    ) throws(Refusal) -> [UInt8] {
        try encoded { writer in
            writer.object { writer in
                writer.key("dataset")
                writer.evaluationDataset(dataset, withExperiments: withExperiments)
            }
        }
    }

    /// A JSON object inside a text. What is no text in it is kept as its JSON, and null is passed over.
    private static func evaluationTags(_ text: String) throws(Refusal) -> Pairs<String> {
        guard !text.isEmpty else { return Pairs() }
        guard let object = (try? JSONValue(parsing: text, allowsNonFinite: true))?.object else {
            throw .wrongValue("tags", .string(String(text.prefix(100))), "It must be a JSON object.")
        }
        var tags = Pairs<String>()
        for member in object.members where !member.value.isNull {
            tags[member.key] = member.value.string ?? member.value.text
        }
        return tags
    }

    private static func experimentIDs(_ texts: [String]) throws(Refusal) -> [ExperimentID] {
        var ids: [ExperimentID] = []
        for text in texts {
            guard let number = Int64(text) else {
                throw .mlflow("Invalid experiment ID '\(text)'. Experiment ID must be a valid integer.")
            }
            ids.append(ExperimentID(number))
        }
        return ids
    }
}

extension Call {
    func writableProject(_ ledger: Ledger, _ caller: Caller) throws(Refusal) -> ProjectID {
        let project = try project(ledger.tx)
        try caller.require(.write, on: project.id)
        return project.id
    }
}

extension StoreReader {
    func evaluationDataset(mlflow id: String, in project: ProjectID) throws(Refusal) -> EvaluationDataset {
        guard let dataset = try evaluationDataset(id, in: project) else {
            throw .mlflow("Evaluation dataset with id '\(id)' not found", .notFound)
        }
        return dataset
    }
}

extension JSONWriter {
    mutating func evaluationDataset(_ dataset: EvaluationDataset, withExperiments: Bool) {
        object { writer in
            writer.member("dataset_id", dataset.id)
            writer.member("name", dataset.name)
            var tags = JSONWriter()
            tags.object { tags in
                for (key, value) in dataset.tags.entries { tags.member(dynamic: key, value) }
            }
            writer.member("tags", tags.text)
            if !dataset.schema.isEmpty { writer.member("schema", dataset.schema) }
            if dataset.records > 0 { writer.member("profile", "{\"num_records\": \(dataset.records)}") }
            writer.member("digest", dataset.digest)
            writer.member("created_time", dataset.created.millis)
            writer.member("last_update_time", dataset.updated.millis)
            if !dataset.createdBy.isEmpty { writer.member("created_by", dataset.createdBy) }
            if !dataset.updatedBy.isEmpty { writer.member("last_updated_by", dataset.updatedBy) }
            if withExperiments, !dataset.experiments.isEmpty {
                writer.member("experiment_ids", dataset.experiments.map { "\($0)" })
            }
        }
    }
}
