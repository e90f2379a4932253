/// Data that runs read: one for each name and digest in an experiment.
package struct Dataset: Equatable, Sendable {
    package var name: String
    package var digest: String
    /// How `source` is to be read: `local`, `s3`, `hugging_face` …
    package var sourceType: String
    package var source: String
    /// As the client wrote them, JSON mostly.
    package var schema: String?
    package var profile: String?

    package init(
        name: String, digest: String, sourceType: String, source: String, schema: String? = nil,
        profile: String? = nil
    ) {
        (self.name, self.digest, self.sourceType, self.source) = (name, digest, sourceType, source)
        (self.schema, self.profile) = (schema, profile)
    }
}

/// A dataset as a run used it.
package struct DatasetInput: Equatable, Sendable {
    package var dataset: Dataset
    package var tags: Pairs<String>

    package init(dataset: Dataset, tags: Pairs<String> = .init()) { (self.dataset, self.tags) = (dataset, tags) }
}

/// What a run took and what it made.
package struct RunFlow: Equatable, Sendable {
    package struct Output: Equatable, Sendable {
        package var model: String
        package var step: Int64
        package init(model: String, step: Int64) { (self.model, self.step) = (model, step) }
    }

    package var datasets: [DatasetInput] = []
    /// Ids of logged models that the run read.
    package var models: [String] = []
    /// Logged models that it made.
    package var outputs: [Output] = []

    package init() {}
    package var isEmpty: Bool { datasets.isEmpty && models.isEmpty && outputs.isEmpty }
}
