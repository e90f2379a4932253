import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletSeries
import MartletStorage

// What is logged into a run, one thing at a time or as a batch.
extension MLflowAPI {
    static let loggingEndpoints: [Endpoint] = [
        .change(.post, "2.0/mlflow/runs/log-metric") { call, message throws(Refusal) in try logMetric(call, message) },
        .change(.post, "2.0/mlflow/runs/log-parameter") { call, message throws(Refusal) in try logParam(call, message)
        },
        .change(.post, "2.0/mlflow/runs/set-tag") { call, message throws(Refusal) in
            let id = try message.runID()
            let key = try message.required("key")
            let tags = try TagChange([(key, try message.text("value") ?? "")]) { _ in "key" }
            try call.change { ledger, caller throws(Refusal) in
                try tags.apply(to: try ledger.writableRun(id, call, caller), ledger)
                return Call.empty
            }
        },
        .change(.post, "2.0/mlflow/runs/delete-tag") { call, message throws(Refusal) in
            let id = try message.runID()
            let key = try message.required("key")
            try call.change { ledger, caller throws(Refusal) in
                try deleteTag(key, of: try ledger.writableRun(id, call, caller), ledger)
                return Call.empty
            }
        },
        Endpoint(
            .post, "2.0/mlflow/runs/log-batch",
            .change { call, bytes throws(Refusal) in try logBatch(call, bytes) }),
        .change(.post, "2.0/mlflow/runs/log-model") { call, message throws(Refusal) in
            try logModel(call, message)
        },
    ]

    // MARK: One thing

    private static func logMetric(_ call: Call, _ message: Message) throws(Refusal) {
        let id = try message.runID()
        let key = try message.required("key")
        guard let given = message["value"] else { throw .missing("value") }
        guard let value = given.metricValue else { throw .wrongType("value", given) }
        guard let time = try message.integer("timestamp") else { throw .missing("timestamp") }
        try Names.check(metric: key)
        guard time >= 0 else { throw .negativeTime(time, at: "timestamp", key, value) }
        let point = Point(step: try message.integer("step") ?? 0, time: Timestamp(millis: time).micros, value: value)
        var input = MetricInput()
        input.add(key, point)
        var subject = MetricSubject()
        subject.model = try message.text("model_id") ?? ""
        subject.dataset = try message.text("dataset_name") ?? ""
        subject.digest = try message.text("dataset_digest") ?? ""
        let measured = subject.metric(key, point, run: "").map { [(model: subject.model, metric: $0)] } ?? []
        try log(input, measured, to: id, call)
    }

    /// Checked here, on a worker; inside the writer's transaction the points are only put down.
    private static func log(
        _ input: MetricInput, _ measured: [(model: String, metric: ModelMetric)], to id: String, _ call: Call
    ) throws(Refusal) {
        let caller = try call.caller()
        let run = try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            let run = try reader.run(mlflow: id, call)
            try caller.require(.write, on: run.project)
            return run
        }
        guard run.life == .active else { throw .runIsDeleted(run.id) }
        let log = call.engine.prepare(input)
        let key = run.key
        try call.change(bytes: input.bytes) { ledger, caller throws(Refusal) in
            _ = try log(ledger, key, .plain)
            try keep(measured, of: run, ledger, caller, call)
            return Call.empty
        }
    }

    /// Numbers that were measured of logged models are theirs too.
    private static func keep(
        _ measured: [(model: String, metric: ModelMetric)], of run: Run, _ ledger: Ledger, _ caller: Caller,
        _ call: Call
    ) throws(Refusal) {
        var byModel = Pairs<[ModelMetric]>()
        for (id, metric) in measured {
            var metric = metric
            metric.run = run.id.text
            byModel[id] = (byModel[id] ?? []) + [metric]
        }
        for (id, metrics) in byModel.entries {
            let model = try ledger.tx.loggedModel(mlflow: id, call)
            try caller.require(.write, on: model.project)
            _ = try ledger.logLoggedModelMetrics(metrics, of: model.id, who: caller.principal)
        }
    }

    private static func logParam(_ call: Call, _ message: Message) throws(Refusal) {
        let id = try message.runID()
        let key = try message.required("key")
        let value = Names.cut(try message.text("value") ?? "", to: Names.paramMax)
        try Names.check(param: key)
        try call.change { ledger, caller throws(Refusal) in
            let run = try ledger.writableRun(id, call, caller)
            if let old = try ledger.tx.attributes(of: run.key).params[key], old.text != value {
                throw Refusal.mlflow(
                    "Changing param values is not allowed. Param with key='\(key)' was already logged with value='\(old.text)' for run ID='\(run.id)'. Attempted logging new value '\(value)'."
                )
            }
            try ledger.logParams([(key, ParamValue(text: value))], to: run.key)
            return Call.empty
        }
    }

    private static func deleteTag(_ key: String, of run: Run, _ ledger: Ledger) throws(Refusal) {
        let attributes = try ledger.tx.attributes(of: run.key)
        if key == RunTags.name {
            try RunTags.showName(of: run, false, ledger)
        } else if key == RunTags.note, attributes.properties["description"] != nil {
            try ledger.setProperties([("description", nil)], of: run.key)
        } else if attributes.tags.keys.contains(key) {
            try ledger.setTags([], removing: [key], of: run.key)
        } else {
            throw .mlflow("No tag with name: \(key) in run with id \(run.id)", .notFound)
        }
    }

    /// A model as clients before 3.0 record it: one more entry in a tag.
    private static func logModel(_ call: Call, _ message: Message) throws(Refusal) {
        let id = try message.required("run_id")
        let text = try message.required("model_json")
        guard let model = try? JSONValue(parsing: text) else {
            throw .mlflow("Malformed model info. \n \(text) \n is not a valid JSON.")
        }
        let missing = ["artifact_path", "flavors", "utc_time_created", "run_id"].filter { model[$0] == nil }
        guard missing.isEmpty else {
            throw .mlflow(
                "Model json is missing mandatory fields: {\(missing.map { "'\($0)'" }.joined(separator: ", "))}")
        }
        try call.change(bytes: text.utf8.count) { ledger, caller throws(Refusal) in
            let run = try ledger.writableRun(id, call, caller)
            let key = "mlflow.log-model.history"
            let known = try ledger.tx.attributes(of: run.key).tags[key] ?? nil
            let history = known.flatMap { (try? JSONValue(parsing: $0))?.array } ?? []
            try ledger.setTags([(key, JSONValue.array(history + [model]).text)], of: run.key)
            return Call.empty
        }
    }

    // MARK: A batch

    /// Params, then metrics, then tags, all of them or none.
    private static func logBatch(_ call: Call, _ bytes: [UInt8]) throws(Refusal) {
        try Message.requireJSON(call.request)
        let batch = try BatchBody.read(bytes)
        guard let id = batch.run, !id.isEmpty else { throw .missing("run_id") }
        try batch.check()
        try Names.check(runID: id)
        let tags = try TagChange(batch.tags)
        let params = batch.params.map {
            (key: $0.key, value: ParamValue(text: Names.cut($0.value, to: Names.paramMax)))
        }
        let measured = batch.modelMetrics
        if params.isEmpty, batch.tags.isEmpty, !batch.metrics.isEmpty {
            return try log(batch.metrics, measured, to: id, call)
        }
        let log = call.engine.prepare(batch.metrics)
        let isEmpty = batch.metrics.isEmpty
        try call.change(bytes: batch.metrics.bytes + bytes.count) { ledger, caller throws(Refusal) in
            let run = try ledger.writableRun(id, call, caller)
            if !params.isEmpty {
                try refuseChanges(params, of: run, ledger)
                try ledger.logParams(params, to: run.key)
            }
            if !isEmpty { _ = try log(ledger, run.key, .plain) }
            try keep(measured, of: run, ledger, caller, call)
            try tags.apply(to: run, ledger)
            return Call.empty
        }
    }

    private static func refuseChanges(
        _ params: [(key: String, value: ParamValue)], of run: Run, _ ledger: Ledger
    ) throws(Refusal) {
        let known = try ledger.tx.attributes(of: run.key).params
        let changed = params.compactMap { param -> String? in
            guard let old = known[param.key], old.text != param.value.text else { return nil }
            return "{'key': '\(param.key)', 'old_value': '\(old.text)', 'new_value': '\(param.value.text)'}"
        }
        guard changed.isEmpty else {
            throw .mlflow(
                "Changing param values is not allowed. Params were already logged='[\(changed.joined(separator: ", "))]' for run ID='\(run.id)'."
            )
        }
    }
}

extension Refusal {
    static func negativeTime(_ time: Int64, at path: String, _ key: String, _ value: Double) -> Refusal {
        .wrongValue(
            path, .int(time),
            "metric '\(key)' (value=\(value)). Timestamp must be a nonnegative long (64-bit integer) ")
    }
}

extension JSONValue {
    /// A number, or the words for those that JSON has none for.
    var metricValue: Double? {
        if let number = double { return number }
        switch string {
        case "NaN", "nan": return .nan
        case "Infinity", "inf": return .infinity
        case "-Infinity", "-inf": return -.infinity
        case let text?: return Double(text)
        case nil: return nil
        }
    }
}
