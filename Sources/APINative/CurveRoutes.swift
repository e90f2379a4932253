import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletSeries
import MartletStorage

// Curves of many runs at once, over one grid of buckets: what a chart draws, in one answer of columns. And the names
// that an experiment's runs have logged, from which a page makes its charts and columns.
extension NativeAPI {
    static let curveRoutes: [Route] = [
        Route(
            .post, "/api/v1/curves", "Show curves of many runs over one grid",
            .change(limit: 1 << 20) { exchange, bytes throws(Refusal) in
                let question = try CurveQuestion(try exchange.object(bytes))
                exchange.respond(try curves(exchange, question))
            },
            RouteDoc(
                "metrics", body: "CurvesWanted",
                answers: [(200, "A curve for each run and metric that has points, in columns.", "Curves")],
                failures: [400, 404, 409, 413, 415, 422], access: .read,
                details:
                    "A pair of run and metric without points has no curve; a summary value is one point with `summary`. "
                    + "The grid spans all curves unless "
                    + "`from` and `to` say otherwise; on the axis `time` places are epoch milliseconds.")),
        Route(
            .get, "/api/v1/experiments/{experiment}/names", "List the names that an experiment's runs have logged",
            .slowRead { exchange throws(Refusal) in try names(exchange) },
            RouteDoc(
                "experiments",
                answers: [(200, "Names of metrics, params and tags, in order.", "LoggedNames")],
                failures: [404, 409],
                details: "Of every active run where there are few, of runs evenly spread where there are many; the "
                    + "newest is always among them.")),
    ]

    private static func names(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let names = try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            try exchange.engine.names(in: try exchange.readableExperiment(reader, by: caller), reader)
        }
        return .json(
            try encoded { writer in
                writer.object { writer in
                    writer.array("metrics") { writer in for name in names.metrics { writer.string(name) } }
                    writer.array("params") { writer in for name in names.params { writer.string(name) } }
                    writer.array("tags") { writer in for name in names.tags { writer.string(name) } }
                }
            })
    }

    private static func curves(_ exchange: Exchange, _ question: CurveQuestion) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            var runs: [Run] = []
            for text in question.runs { runs.append(try exchange.engine.readable(text, by: caller, reader)) }
            return .json(try encoded { writer throws(Refusal) in try question.write(to: &writer, runs, reader) })
        }
    }
}

/// Which curves are wanted, and over which part of which axis.
struct CurveQuestion: Sendable {
    var runs: [String]
    var metrics: [String]
    var axis: HistoryQuestion.Axis
    /// In the axis's own unit: steps, microseconds since 1970, microseconds since each run's start.
    var from: Int64?
    var to: Int64?
    var buckets: Int
    /// Without what makes a band.
    var onlyMean = false

    static let runsMax = 1000
    static let metricsMax = 200

    init(_ fields: Fields) throws(Refusal) {
        runs = try fields.textList("runs")
        metrics = try fields.textList("metrics")
        guard !runs.isEmpty, runs.count <= CurveQuestion.runsMax else {
            throw Refusal(
                .invalid, "\(runs.count) runs are named.", remedy: "Name 1 to \(CurveQuestion.runsMax) runs.",
                field: "runs")
        }
        guard !metrics.isEmpty, metrics.count <= CurveQuestion.metricsMax else {
            throw Refusal(
                .invalid, "\(metrics.count) metrics are named.",
                remedy: "Name 1 to \(CurveQuestion.metricsMax) metrics.", field: "metrics")
        }
        let axisName = try fields.text("axis") ?? "step"
        guard let axis = HistoryQuestion.Axis(rawValue: axisName) else {
            throw Refusal(
                .invalid, "There is no axis “\(axisName.prefix(40))”.", remedy: "Use step, time or relative.",
                field: "axis")
        }
        self.axis = axis
        buckets = Int(clamping: try fields.integer("buckets") ?? 400)
        guard (1...8192).contains(buckets), buckets * runs.count * metrics.count <= HistoryQuestion.bucketsMax else {
            throw Refusal(
                .invalid,
                "\(runs.count) runs, \(metrics.count) metrics and \(buckets) buckets cannot be answered at once.",
                remedy: "Ask for 1 to 8192 buckets, and at most \(HistoryQuestion.bucketsMax) over all curves.",
                field: "buckets")
        }
        onlyMean = try fields.flag("only_mean") ?? false
        from = try CurveQuestion.place(fields, "from", axis, .down)
        to = try CurveQuestion.place(fields, "to", axis, .up)
    }

    /// All of some curves over steps.
    init(metrics: [String], buckets: Int) {
        (runs, self.metrics, axis, self.buckets) = ([], metrics, .step, buckets)
    }

    /// The answer for these runs, which the question may have named.
    func write(to writer: inout JSONWriter, _ runs: [Run], _ reader: any StoreReader) throws(Refusal) {
        let grid = try grid(over: runs, reader)
        try writer.object { (writer: inout JSONWriter) throws(Refusal) in
            writer.member("axis", axis.rawValue)
            writer.key("from")
            if let grid { writer.double(place(grid.lowerBound)) } else { writer.null() }
            writer.key("to")
            if let grid { writer.double(place(grid.upperBound)) } else { writer.null() }
            writer.member("buckets", buckets)
            writer.key("curves")
            try writer.array { (writer: inout JSONWriter) throws(Refusal) in
                for run in runs {
                    for metric in metrics {
                        let buckets = try buckets(of: run, metric, grid, reader)
                        if !buckets.isEmpty {
                            writer.curve(run, metric, buckets, self)
                        } else if let value = try summary(of: run, metric, reader) {
                            writer.summary(run, metric, value)
                        }
                    }
                }
            }
        }
    }

    private static func place(
        _ fields: Fields, _ name: String, _ axis: HistoryQuestion.Axis, _ rounding: FloatingPointRoundingRule
    ) throws(Refusal) -> Int64? {
        guard let value = fields[name] else { return nil }
        guard let number = value.double, number.magnitude < 9e15 else {
            throw fields.wrong(name, "a number on the axis", value)
        }
        switch axis {
        case .step: return Int64(number.rounded(rounding))
        case .time: return Int64((number * 1e3).rounded(rounding).clamped)
        case .relative: return Int64((number * 1e6).rounded(rounding).clamped)
        }
    }

    /// A place as the answer says it.
    func place(_ place: Int64) -> Double {
        switch axis {
        case .step: Double(place)
        case .time: Double(place) / 1e3
        case .relative: Double(place) / 1e6
        }
    }

    /// From the least to the greatest place of all curves, as far as the question leaves it open; nil without points.
    func grid(over runs: [Run], _ reader: any StoreReader) throws(Refusal) -> ClosedRange<Int64>? {
        if let from, let to { return from <= to ? from...to : nil }
        var low = Int64.max
        var high = Int64.min
        for run in runs {
            for metric in try reader.metrics(of: run, named: metrics) {
                guard let series = metric.series, series.count > 0 else { continue }
                switch axis {
                case .step: (low, high) = (min(low, series.minStep), max(high, series.maxStep))
                case .time, .relative:
                    let origin = axis == .relative ? run.start.micros : 0
                    low = min(low, series.first.time &- origin, series.last.time &- origin)
                    high = max(high, series.first.time &- origin, series.last.time &- origin)
                }
            }
        }
        guard low <= high else { return nil }
        (low, high) = (from ?? low, to ?? high)
        return low <= high ? low...high : nil
    }

    func buckets(
        of run: Run, _ metric: String, _ grid: ClosedRange<Int64>?, _ reader: any StoreReader
    ) throws(Refusal) -> [Bucket] {
        guard let grid, try !reader.metrics(of: run, named: [metric]).isEmpty else { return [] }
        return try HistoryQuestion(axis: axis, from: grid.lowerBound, to: grid.upperBound, buckets: buckets)
            .buckets(of: run, metric, reader)
    }

    /// The value of a metric that was only summed up.
    func summary(of run: Run, _ metric: String, _ reader: any StoreReader) throws(Refusal) -> Double? {
        guard let state = try reader.metrics(of: run, named: [metric]).first else { return nil }
        return state.series == nil || state.isUnstepped && state.series?.count == 1 ? state.value : nil
    }
}

extension Double {
    /// Where it can become an integer.
    fileprivate var clamped: Double { Swift.min(Swift.max(self, -9e18), 9e18) }
}

extension JSONWriter {
    /// A value without a place.
    fileprivate mutating func summary(_ run: Run, _ metric: String, _ value: Double) {
        object { writer in
            writer.member("run_id", run.id.text)
            writer.member("metric", metric)
            writer.member("exact", true)
            writer.member("summary", true)
            writer.member("points", 1)
            writer.array("from") { $0.int(0) }
            writer.array("mean") { $0.double(value) }
        }
    }

    /// Columns, because a chart reads columns and a name before each number would be most of the answer.
    fileprivate mutating func curve(_ run: Run, _ metric: String, _ buckets: [Bucket], _ question: CurveQuestion) {
        func column(_ writer: inout JSONWriter, _ key: StaticString, _ value: (Bucket) -> Double?) {
            writer.array(key) { writer in
                for bucket in buckets { if let value = value(bucket) { writer.double(value) } else { writer.null() } }
            }
        }
        let isExact = buckets.allSatisfy { $0.count == 1 }
        object { writer in
            writer.member("run_id", run.id.text)
            writer.member("metric", metric)
            writer.member("exact", isExact)
            writer.member("points", buckets.reduce(0) { $0 + $1.count })
            column(&writer, "from") { question.place($0.from) }
            column(&writer, "mean") { $0.mean }
            if !isExact, !question.onlyMean {
                column(&writer, "to") { question.place($0.to) }
                column(&writer, "min") { $0.min }
                column(&writer, "max") { $0.max }
                writer.array("count") { writer in for bucket in buckets { writer.int(Int64(bucket.count)) } }
            }
            if buckets.contains(where: { $0.nan > 0 }) {
                writer.array("nan") { writer in for bucket in buckets { writer.int(Int64(bucket.nan)) } }
            }
            if buckets.contains(where: { $0.inf > 0 }) {
                writer.array("inf") { writer in for bucket in buckets { writer.int(Int64(bucket.inf)) } }
            }
        }
    }
}
