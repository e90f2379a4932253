import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Models as training logged them, to look at.
extension NativeAPI {
    static let loggedModelRoutes: [Route] = [
        Route(
            .get, "/api/v1/logged-models", "List or search logged models",
            .read { exchange throws(Refusal) in
                let experiments = exchange.request.query.all("experiment")
                let page = try exchange.engine.searchLoggedModels(
                    try exchange.registryRequest(), in: experiments, by: try exchange.caller())
                return .json(
                    try encoded { writer throws(Refusal) in
                        try writer.registryPage("logged_models", page) { writer, document throws(Refusal) in
                            writer.loggedModel(document.model)
                        }
                    })
            },
            RouteDoc(
                "models",
                query: [
                    .query("experiment", "Only those of this experiment; repeated for several."),
                    .query("project", "Only those of this project."),
                    .query("filter", "Such as `metrics.accuracy > 0.9 AND type = 'sklearn'`."),
                    .query("order_by", "Such as `metrics.accuracy DESC`; repeated, or one comma list."), .limit,
                    .pageToken,
                ], answers: [(200, "The newest first, if no other order is asked for.", "LoggedModelList")],
                failures: [400, 404, 409, 422], access: .anyone)),
        Route(
            .get, "/api/v1/logged-models/{logged}", "Show a logged model",
            .read { exchange throws(Refusal) in
                let model = try loggedModel(exchange)
                return .json(try encoded { $0.loggedModel(model) })
            },
            RouteDoc("models", answers: [(200, "The logged model.", "LoggedModel")], failures: [404])),
        Route(
            .get, "/api/v1/logged-models/{logged}/metrics", "List every number that was logged of a model",
            .read { exchange throws(Refusal) in
                let model = try loggedModel(exchange)
                let metrics = try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
                    try reader.metrics(of: model)
                }
                return .json(
                    try encoded { writer in
                        writer.object { writer in
                            writer.array("metrics") { writer in for metric in metrics { writer.modelMetric(metric) } }
                            writer.nextPage(nil)
                        }
                    })
            },
            RouteDoc("models", answers: [(200, "In order of arrival.", "ModelMetricList")], failures: [404])),
    ]

    private static func loggedModel(_ exchange: Exchange) throws(Refusal) -> LoggedModel {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            guard let model = try reader.loggedModel(exchange["logged"]), model.life == .active else {
                throw .loggedModelNotFound(exchange["logged"])
            }
            try caller.require(.read, on: model.project)
            return model
        }
    }
}

extension JSONWriter {
    mutating func loggedModel(_ model: LoggedModel) {
        object { writer in
            writer.member("id", model.id)
            writer.member("model_id", model.id)
            writer.member("name", model.name)
            writer.member("project_id", "\(model.project)")
            writer.member("experiment_id", "\(model.experiment)")
            writer.text("type", model.type.isEmpty ? nil : model.type)
            writer.member("status", model.state.rawValue)
            writer.text("status_message", model.stateMessage.isEmpty ? nil : model.stateMessage)
            writer.text("run_id", model.sourceRun.isEmpty ? nil : model.sourceRun)
            writer.params("params", model.params)
            writer.tags(model.tags)
            writer.array("metrics") { writer in for metric in model.metrics { writer.modelMetric(metric) } }
            writer.time("created_at", model.created)
            writer.time("updated_at", model.updated)
        }
    }

    mutating func modelMetric(_ metric: ModelMetric) {
        object { writer in
            writer.member("metric", metric.key)
            writer.member("value", metric.value)
            writer.member("step", metric.step)
            writer.time("timestamp", metric.time)
            writer.text("run_id", metric.run.isEmpty ? nil : metric.run)
            writer.text("dataset", metric.dataset.isEmpty ? nil : metric.dataset)
            writer.text("dataset_digest", metric.datasetDigest.isEmpty ? nil : metric.datasetDigest)
        }
    }
}
