import MartletDomain
import MartletEngine
import MartletJSON
import MartletSeries

/// The body of `runs/log-batch`, read in one pass straight into columns: a training loop sends it for every step.
///
/// What is wrong in it is noted and thrown by `check`, after the counts: MLflow complains about a batch that is too large
/// before it looks at any entry.
struct BatchBody {
    private(set) var run: String?
    private(set) var metrics = MetricInput()
    private(set) var params: [(key: String, value: String)] = []
    private(set) var tags: [(key: String, value: String)] = []
    /// The same points again for the logged models that they speak of, in order.
    private(set) var modelMetrics: [(model: String, metric: ModelMetric)] = []
    private var metricCount = 0
    private var trouble: Refusal?

    private static let bytesMax = 1_000_000
    private static let metricsMax = 1000
    private static let othersMax = 100

    static func read(_ bytes: [UInt8]) throws(Refusal) -> BatchBody {
        guard bytes.count <= bytesMax else {
            throw .mlflow(
                "Batched logging API requests must be at most \(bytesMax) bytes, got a request of size \(bytes.count).")
        }
        do {
            return try JSONScanner.read(bytes, allowsNonFinite: true) { scanner in
                var batch = BatchBody()
                try batch.read(&scanner)
                return batch
            }
        } catch let error as Refusal {
            throw error
        } catch let error as JSONError {
            throw .mlflow("The body is not valid JSON: \(error.message) (line \(error.line), column \(error.column))")
        } catch {
            throw .mlflow("The body cannot be read.")
        }
    }

    func check() throws(Refusal) {
        let total = metricCount + params.count + tags.count
        for (count, limit, what) in [
            (metricCount, BatchBody.metricsMax, "metrics"), (params.count, BatchBody.othersMax, "params"),
            (tags.count, BatchBody.othersMax, "tags"), (total, BatchBody.metricsMax, "metrics, params, and tags"),
        ] where count > limit {
            throw .mlflow(
                "A batch logging request can contain at most \(limit) \(what). Got \(count) \(what). Please split up \(what) across multiple requests and try again."
            )
        }
        if let trouble { throw trouble }
        for (index, param) in params.enumerated() { try Names.check(param: param.key, at: "params[\(index)].key") }
        var seen: Set<String> = []
        let doubled = params.map(\.key).filter { !seen.insert($0).inserted }
        guard doubled.isEmpty else {
            throw .mlflow(
                "Duplicate parameter keys have been submitted: [\(doubled.map { "'\($0)'" }.joined(separator: ", "))]. Please ensure the request contains only one param value per param key."
            )
        }
    }

    // MARK: Reading

    private mutating func read(_ scanner: inout JSONScanner) throws {
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            if key.is("run_id") || key.is("run_uuid") {
                let value = try scanner.value()
                guard let text = value.string ?? (value.isNull ? "" : nil) else {
                    throw Refusal.wrongType("run_id", value)
                }
                if run == nil || run == "" { run = text }
            } else if key.is("metrics") {
                try list(&scanner, "metrics") { batch, scanner in try batch.readMetric(&scanner) }
            } else if key.is("params") {
                try list(&scanner, "params") { batch, scanner in
                    batch.params.append(try batch.pair(&scanner, "params", batch.params.count))
                }
            } else if key.is("tags") {
                try list(&scanner, "tags") { batch, scanner in
                    batch.tags.append(try batch.pair(&scanner, "tags", batch.tags.count))
                }
            } else {
                try scanner.skip()
            }
        }
    }

    private mutating func list(
        _ scanner: inout JSONScanner, _ name: String, _ element: (inout BatchBody, inout JSONScanner) throws -> Void
    ) throws {
        guard try scanner.peek() == .array else {
            let value = try scanner.value()
            if !value.isNull { throw Refusal.wrongType(name, value) }
            return
        }
        try scanner.beginArray()
        while try scanner.nextElement() {
            guard try scanner.peek() == .object else { throw Refusal.wrongType(name, .array([try scanner.value()])) }
            try element(&self, &scanner)
        }
    }

    private mutating func readMetric(_ scanner: inout JSONScanner) throws {
        var name: String?
        var value: Double?
        var time: Int64?
        var step: Int64 = 0
        var subject = MetricSubject()
        let index = metricCount
        metricCount += 1
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            if key.is("key") {
                guard try scanner.peek() == .string else {
                    note(.wrongType("metrics[\(index)].key", try scanner.value()))
                    continue
                }
                name = try scanner.string()
            } else if key.is("value") {
                if try scanner.peek() == .number {
                    value = try scanner.double()
                    continue
                }
                let given = try scanner.value()
                if given.isNull { continue }
                value = given.metricValue
                if value == nil {
                    note(
                        .wrongValue(
                            "metrics[\(index)].value", given,
                            "Please specify value as a valid double (64-bit floating point)"))
                }
            } else if key.is("timestamp") {
                time = try integer(&scanner, "metrics[\(index)].timestamp")
            } else if key.is("step") {
                step = try integer(&scanner, "metrics[\(index)].step") ?? 0
            } else if key.is("model_id") {
                subject.model = try text(&scanner, "metrics[\(index)].model_id")
            } else if key.is("dataset_name") {
                subject.dataset = try text(&scanner, "metrics[\(index)].dataset_name")
            } else if key.is("dataset_digest") {
                subject.digest = try text(&scanner, "metrics[\(index)].dataset_digest")
            } else {
                try scanner.skip()
            }
        }
        guard trouble == nil else { return }
        guard let name, !name.isEmpty else { return note(.missing("metrics[\(index)].key")) }
        guard let value else { return note(.missing("metrics[\(index)].value")) }
        guard let time else { return note(.missing("metrics[\(index)].timestamp")) }
        guard time >= 0 else {
            // What is wrong with the name would have been said first.
            if let refusal = refusal(of: name, index) { return note(refusal) }
            return note(.negativeTime(time, at: "metrics[\(index)].timestamp", name, value))
        }
        let point = Point(step: step, time: Timestamp(millis: time).micros, value: value)
        let known = metrics.nameCount
        metrics.add(name, point)
        // Each name is looked at once: a client may log one metric for many steps.
        if metrics.nameCount > known, let refusal = refusal(of: name, index) { return note(refusal) }
        if let metric = subject.metric(name, point, run: "") { modelMetrics.append((subject.model, metric)) }
    }

    private func refusal(of name: String, _ index: Int) -> Refusal? {
        do throws(Refusal) {
            try Names.check(metric: name, at: "metrics[\(index)].name")
            return nil
        } catch {
            return error
        }
    }

    /// Empty where it is null.
    private mutating func text(_ scanner: inout JSONScanner, _ path: String) throws -> String {
        let value = try scanner.value()
        if let text = value.string { return text }
        if !value.isNull { note(.wrongType(path, value)) }
        return ""
    }

    private mutating func integer(_ scanner: inout JSONScanner, _ path: String) throws -> Int64? {
        if try scanner.peek() == .number {
            let number = try scanner.number()
            if let whole = number.int64 { return whole }
            note(.wrongType(path, .double(number.double)))
            return nil
        }
        let value = try scanner.value()
        if value.isNull { return nil }
        if let number = value.int64 ?? value.string.flatMap({ Int64($0) }) { return number }
        note(.wrongType(path, value))
        return nil
    }

    private mutating func pair(
        _ scanner: inout JSONScanner, _ list: String, _ index: Int
    ) throws -> (key: String, value: String) {
        let message = Message(try scanner.value().object ?? JSONObject())
        do throws(Refusal) {
            guard let key = try message.text("key"), !key.isEmpty else {
                throw Refusal.missing("\(list)[\(index)].key")
            }
            return (key, try message.text("value") ?? "")
        } catch {
            note(error)
            return ("", "")
        }
    }

    /// The first thing that is wrong is what is told.
    private mutating func note(_ refusal: Refusal) { trouble = trouble ?? refusal }
}

/// What a number was measured of, beside its run: a logged model, on a dataset.
struct MetricSubject {
    var model = ""
    var dataset = ""
    var digest = ""

    /// Nil where no model is named.
    func metric(_ key: String, _ point: Point, run: String) -> ModelMetric? {
        guard !model.isEmpty else { return nil }
        return ModelMetric(
            key: key, value: point.value, step: point.step, time: Timestamp(micros: point.time), run: run,
            dataset: dataset, datasetDigest: digest)
    }
}
