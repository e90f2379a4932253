package import MartletDomain
package import MartletJSON

/// What someone says when a dataset for evaluation is made.
package struct EvaluationDatasetDraft: Sendable {
    package var project: ProjectID
    package var name: String
    package var tags = Pairs<String>()
    package var experiments: [ExperimentID] = []
    package var user = ""
    package init(project: ProjectID, name: String) { (self.project, self.name) = (project, name) }
}

/// A record as it is sent: the parts that are not there stay as they are when its inputs are known already.
package struct EvaluationRecordDraft: Sendable {
    package var inputs: JSONObject
    /// Nil: not said; null: none.
    package var outputs: JSONValue?
    package var expectations: JSONObject?
    package var tags: JSONObject?
    package var source: JSONObject?
    /// Who sends it, if someone said so.
    package var user: String?
    package init(inputs: JSONObject) { self.inputs = inputs }
}

// Datasets for evaluation. Equal inputs are one record, whatever order their fields came in.
extension Ledger {
    package func createEvaluationDataset(_ draft: EvaluationDatasetDraft) throws(StorageError) -> EvaluationDataset {
        guard !draft.name.isEmpty else {
            throw StorageError(
                .invalid, "The dataset has no name.", remedy: "Send a name.", field: "name")
        }
        try limits.checkText(draft.name, limits.nameBytes, "dataset name", setting: "--limit-name-bytes")
        try check(datasetTags: draft.tags, of: draft.name)
        var dataset = EvaluationDataset(
            id: "d-\(RunID.make())", project: draft.project, name: draft.name, tags: draft.tags,
            experiments: draft.experiments, revised: now, createdBy: draft.user, updatedBy: draft.user, created: now,
            updated: now)
        dataset.card = try tx.insert(dataset.asCard).id
        note("evaluation-dataset.create", of: dataset)
        return dataset
    }

    /// Its records go with it. One that is not there is gone already: false.
    @discardableResult
    package func deleteEvaluationDataset(_ id: String, in project: ProjectID) throws(StorageError) -> Bool {
        guard let dataset = try tx.evaluationDataset(id, in: project) else { return false }
        try tx.removeCards(in: project, owner: Card.owner(card: dataset.card))
        try tx.removeCard(dataset.card)
        note("evaluation-dataset.delete", of: dataset)
        return true
    }

    package func updateEvaluationDataset(
        _ id: String, in project: ProjectID, tags: [(key: String, value: String)] = [], removingTags: [String] = []
    ) throws(StorageError) -> EvaluationDataset {
        var dataset = try writableEvaluationDataset(id, in: project)
        let before = dataset.tags
        for (key, value) in tags { dataset.tags[key] = value }
        for key in removingTags { dataset.tags[key] = nil }
        guard dataset.tags != before else { return dataset }
        try check(datasetTags: dataset.tags, of: dataset.name)
        try tx.update(dataset.asCard)
        note("evaluation-dataset.tags", of: dataset)
        return dataset
    }

    /// Which experiments point to it: those that are there already or not there to take away change nothing.
    package func linkEvaluationDataset(
        _ id: String, in project: ProjectID, adding: [ExperimentID] = [], removing: [ExperimentID] = []
    ) throws(StorageError) -> EvaluationDataset {
        var dataset = try writableEvaluationDataset(id, in: project)
        for experiment in adding where !dataset.experiments.contains(experiment) {
            guard try tx.experiment(experiment)?.project == project else { throw .experimentNotFound("\(experiment)") }
            dataset.experiments.append(experiment)
        }
        dataset.experiments.removeAll { removing.contains($0) }
        dataset.updated = max(now, dataset.updated)
        try tx.update(dataset.asCard)
        note("evaluation-dataset.experiments", of: dataset)
        return dataset
    }

    // MARK: - Records

    package func upsertEvaluationRecords(
        _ drafts: [EvaluationRecordDraft], of id: String, in project: ProjectID
    ) throws(StorageError) -> (inserted: Int, updated: Int) {
        var dataset = try writableEvaluationDataset(id, in: project)
        var counts = (inserted: 0, updated: 0)
        for draft in drafts {
            if try upsert(draft, into: dataset) { counts.inserted += 1 } else { counts.updated += 1 }
        }
        dataset.records += counts.inserted
        guard dataset.records <= EvaluationDataset.recordsMax else {
            throw StorageError(
                .limit,
                "“\(dataset.name)” would have \(dataset.records) records; the limit is \(EvaluationDataset.recordsMax).",
                remedy: "Delete some first, or begin another dataset.", field: "records")
        }
        dataset.schema = EvaluationDataset.schema(dataset.schema, with: drafts)
        // The digest is made of this moment, and two writes within one tick of the clock are two states.
        dataset.revised = max(now, Timestamp(micros: dataset.revised.micros + 1))
        dataset.updated = max(now, dataset.updated)
        dataset.updatedBy = drafts.compactMap(\.user).last ?? ""
        try tx.update(dataset.asCard)
        note("evaluation-records.log", of: dataset, count: drafts.count)
        return counts
    }

    package func deleteEvaluationRecords(
        _ ids: [String], of id: String, in project: ProjectID
    ) throws(StorageError) -> Int {
        var dataset = try writableEvaluationDataset(id, in: project)
        var deleted = 0
        for key in Set(ids) {
            let owner = Card.owner(card: dataset.card)
            guard let card = try tx.card(EvaluationRecord.kind, in: project, owner: owner, key: key) else { continue }
            try tx.removeCard(card.id)
            deleted += 1
        }
        guard deleted > 0 else { return 0 }
        dataset.records = max(0, dataset.records - deleted)
        try tx.update(dataset.asCard)
        note("evaluation-records.delete", of: dataset, count: deleted)
        return deleted
    }

    /// True when it is new.
    private func upsert(_ draft: EvaluationRecordDraft, into dataset: EvaluationDataset) throws(StorageError) -> Bool {
        guard let (known, id) = try place(of: draft.inputs, in: dataset) else {
            throw StorageError(
                .conflict, "The record finds no place beside those that are there.",
                remedy: "Change its inputs a little.", field: "records")
        }
        guard var record = known else {
            var record = EvaluationRecord(
                card: 0, id: id, inputs: draft.inputs, outputs: draft.outputs ?? .object(JSONObject()),
                expectations: draft.expectations, tags: draft.tags ?? JSONObject(), source: draft.source,
                createdBy: draft.user ?? "", updatedBy: draft.user ?? "", created: now, updated: now)
            if record.outputs == .null { record.outputs = nil }
            let card = record.asCard(of: dataset)
            try check(record: card)
            _ = try tx.insert(card)
            return true
        }
        if let outputs = draft.outputs { record.outputs = outputs.isNull ? nil : outputs }
        if let expectations = draft.expectations, !expectations.isEmpty {
            var merged = record.expectations ?? JSONObject()
            for member in expectations.members { merged[member.key] = member.value }
            record.expectations = merged
        }
        for member in draft.tags?.members ?? [] { record.tags[member.key] = member.value }
        record.updatedBy = draft.user ?? record.updatedBy
        record.updated = max(now, record.updated)
        let card = record.asCard(of: dataset)
        try check(record: card)
        try tx.update(card)
        return false
    }

    /// The record with these inputs, or the id that a new one gets.
    private func place(
        of inputs: JSONObject, in dataset: EvaluationDataset
    ) throws(StorageError) -> (record: EvaluationRecord?, id: String)? {
        let text = inputs.canonicalText
        for attempt in 0..<8 {
            let id = "dr-\(ContentSum("\(dataset.id) \(attempt) \(text)").text)"
            let owner = Card.owner(card: dataset.card)
            guard let card = try tx.card(EvaluationRecord.kind, in: dataset.project, owner: owner, key: id) else {
                return (nil, id)
            }
            let record = try EvaluationRecord(card)
            if record.inputs.canonicalText == text { return (record, id) }
        }
        return nil
    }

    // MARK: - Pieces

    private func writableEvaluationDataset(
        _ id: String, in project: ProjectID
    ) throws(StorageError) -> EvaluationDataset {
        guard let dataset = try tx.evaluationDataset(id, in: project) else { throw .evaluationDatasetNotFound(id) }
        return dataset
    }

    private func note(_ action: String, of dataset: EvaluationDataset, count: Int = 1) {
        note(
            action, .project(dataset.project), in: dataset.project,
            after: [("dataset", dataset.id), ("name", dataset.name)], count: count)
    }

    private func check(datasetTags tags: Pairs<String>, of name: String) throws(StorageError) {
        for (key, value) in tags.entries {
            try limits.checkKey(key, "tag")
            try limits.checkText(value, limits.tagBytes, "tag “\(key)”", setting: "--limit-tag-bytes")
        }
        try limits.checkCount(tags.count, limits.tags, "tags", of: name)
    }

    private func check(record card: Card) throws(StorageError) {
        guard card.data.utf8.count > EvaluationRecord.bytesMax else { return }
        throw StorageError(
            .limit, "A record has \(card.data.utf8.count) bytes; the limit is \(EvaluationRecord.bytesMax).",
            remedy: "Keep what is large as an artifact, and its address in the record.", field: "records")
    }
}

extension EvaluationRecord {
    static let bytesMax = 1 << 20
}

extension EvaluationDataset {
    static let recordsMax = 100_000

    /// The fields of the records join those that are known; a field keeps the type that it had first.
    fileprivate static func schema(_ known: String, with drafts: [EvaluationRecordDraft]) -> String {
        guard !known.isEmpty || !drafts.isEmpty else { return "" }
        var parts: [(name: String, fields: JSONValue)] = []
        let before = (try? JSONValue(parsing: known))?.object ?? JSONObject()
        for name in ["inputs", "outputs", "expectations"] {
            parts.append((name, before[name] ?? .object(JSONObject())))
        }
        func take(_ part: Int, _ values: JSONObject) {
            guard var fields = parts[part].fields.object else { return }
            for member in values.members where fields[member.key] == nil {
                fields[member.key] = .string(member.value.typeName)
            }
            parts[part].fields = .object(fields)
        }
        for draft in drafts {
            take(0, draft.inputs)
            if let outputs = draft.outputs?.object {
                take(1, outputs)
            } else if let outputs = draft.outputs, !outputs.isNull, parts[1].fields.object?.isEmpty == true {
                parts[1].fields = .string(outputs.typeName)
            }
            take(2, draft.expectations ?? JSONObject())
        }
        var writer = JSONWriter()
        writer.object { writer in
            for (name, fields) in parts { writer.member(dynamic: name, fields) }
            writer.member("version", "1.0")
        }
        return writer.text
    }
}

extension JSONValue {
    fileprivate var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .int: "integer"
        case .double: "float"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

extension StoreReader {
    package func evaluationDataset(_ id: String, in project: ProjectID) throws(StorageError) -> EvaluationDataset? {
        guard let card = try card(EvaluationDataset.kind, in: project, owner: "", key: id) else { return nil }
        return try EvaluationDataset(card)
    }

    /// Oldest first.
    package func evaluationDatasets(in project: ProjectID) throws(StorageError) -> [EvaluationDataset] {
        var datasets: [EvaluationDataset] = []
        for card in try cards(EvaluationDataset.kind, in: project, owner: "", after: nil, limit: .max) {
            datasets.append(try EvaluationDataset(card))
        }
        return datasets
    }

    /// In order of arrival, after a record's card.
    package func evaluationRecords(
        of dataset: EvaluationDataset, after card: Int64?, limit: Int
    ) throws(StorageError) -> [EvaluationRecord] {
        var records: [EvaluationRecord] = []
        for card in try cards(
            EvaluationRecord.kind, in: dataset.project, owner: Card.owner(card: dataset.card), after: card,
            limit: limit)
        {
            records.append(try EvaluationRecord(card))
        }
        return records
    }
}

extension StorageError {
    package static func evaluationDatasetNotFound(_ id: String) -> StorageError {
        StorageError(
            .notFound, "There is no dataset for evaluation with the id “\(id.prefix(60))”.",
            remedy: "Search for it by its name.", field: "dataset_id")
    }
}
