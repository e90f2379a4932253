import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletSeries
import MartletStorage

// Numbers of a run: logging them, listing them, taking them away. Their history is in HistoryRoutes.
extension NativeAPI {
    static let metricRoutes: [Route] = [
        Route(
            .post, "/api/v1/runs/{run}/metrics", "Log metrics",
            .change(limit: 32 << 20) { exchange, bytes throws(Refusal) in try logMetrics(exchange, bytes) },
            RouteDoc(
                "metrics", body: "MetricPoints",
                answers: [(200, "How many points were logged; they are on disk.", "LoggedMetrics")],
                failures: [400, 404, 409, 413, 415, 422], once: true)),
        Route(
            .get, "/api/v1/runs/{run}/metrics", "List a run's metrics with their statistics",
            .read { exchange throws(Refusal) in try listMetrics(exchange) },
            RouteDoc(
                "metrics", answers: [(200, "Every metric; as CSV with Accept: text/csv.", "MetricList")],
                failures: [404, 409])),
        Route(
            .delete, "/api/v1/runs/{run}/metrics/{metric…}", "Delete a metric's history",
            .change { exchange, bytes throws(Refusal) in try deleteMetric(exchange, bytes) },
            RouteDoc(
                "metrics",
                query: [
                    .query("from", "The first step to delete; left out, from the beginning.", ["type": "integer"]),
                    .query("to", "The last step to delete; left out, to the end.", ["type": "integer"]),
                ], isBodyRequired: false, answers: [(200, "What was deleted.", "DeletedHistory")],
                failures: [400, 404, 409])),
    ]

    /// Parsed and prepared here, on a worker; inside the writer's transaction the points are only put down.
    private static func logMetrics(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        try exchange.requireJSON()
        let caller = try exchange.caller()
        let input = try MetricBody.read(bytes, now: exchange.engine.clock.now)
        let run = try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            try exchange.readableRun(reader, by: caller)
        }
        try caller.require(.write, on: run.project)
        let log = exchange.engine.prepare(input)
        let key = run.key
        let onTime = try logged(input.count, to: run.id, isLate: false)
        let late = try logged(input.count, to: run.id, isLate: true)
        try exchange.change(bytes, size: input.bytes) { ledger, _ throws(Refusal) in
            Answer(body: try log(ledger, key, .plain) ? late : onTime)
        }
    }

    private static func logged(_ count: Int, to run: RunID, isLate: Bool) throws(Refusal) -> [UInt8] {
        try encoded { writer in
            writer.object { writer in
                writer.member("run_id", run.text)
                writer.member("logged", count)
                if isLate { writer.member("late", true) }
            }
        }
    }

    private static func listMetrics(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let run = try exchange.readableRun(reader, by: caller)
            let metrics = try reader.metrics(of: run)
            if exchange.wantsCSV { return csv(metrics) }
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        writer.member("run_id", run.id.text)
                        writer.array("metrics") { writer in for metric in metrics { writer.metric(metric) } }
                        writer.nextPage(nil)
                    }
                })
        }
    }

    private static func csv(_ metrics: [MetricState]) -> Response {
        var sheet = CSVSheet([
            "metric", "value", "last", "min", "max", "mean", "count", "nan", "inf", "first_step", "last_step",
        ])
        for metric in metrics {
            let series = metric.series
            sheet.text(metric.name)
            sheet.number(metric.value)
            for value in [series?.last.value, series?.minimum, series?.maximum, series?.mean] { sheet.number(value) }
            for count in [series?.count, series?.nan, series?.infinite] { sheet.integer(count.map(Int64.init) ?? 0) }
            sheet.integer(series?.minStep)
            sheet.integer(series?.maxStep)
            sheet.endRow()
        }
        return sheet.response
    }

    private static func deleteMetric(_ exchange: Exchange, _ bytes: [UInt8]) throws(Refusal) {
        let name = exchange["metric"]
        let range = try exchange.steps()
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let run = try exchange.writableRun(ledger, by: caller, .exact)
            try ledger.deletePoints(of: run.key, name, in: range)
            return Answer(body: try deleted("metric", name, of: run, from: range.from, to: range.to))
        }
    }

    static func deleted(
        _ what: StaticString, _ name: String, of run: Run, from: Int64, to: Int64
    ) throws(Refusal) -> [UInt8] {
        try encoded { writer in
            writer.object { writer in
                writer.member("run_id", run.id.text)
                writer.member(what, name)
                writer.member("from", from == .min ? nil : from)
                writer.member("to", to == .max ? nil : to)
                writer.member("deleted", true)
            }
        }
    }
}

extension JSONWriter {
    mutating func metric(_ metric: MetricState) {
        object { writer in
            let series = metric.series
            writer.member("metric", metric.name)
            writer.member("value", metric.value)
            writer.member("last", series?.last.value)
            writer.member("min", series?.minimum)
            writer.member("max", series?.maximum)
            writer.member("mean", series?.mean)
            writer.member("count", series?.count ?? 0)
            writer.member("nan", series?.nan ?? 0)
            writer.member("inf", series?.infinite ?? 0)
            writer.member("first_step", series?.minStep)
            writer.member("last_step", series?.maxStep)
            writer.time("last_timestamp", (series?.last.time).map(Timestamp.init(micros:)) ?? metric.summary?.time)
            writer.member("summary", metric.summary != nil)
            writer.member("unstepped", metric.isUnstepped)
        }
    }
}
