import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletSeries
import MartletStorage

// The points of a run's metrics: all of them, page by page, or as many buckets as a chart has pixels.
extension NativeAPI {
    static let historyRoutes: [Route] = [
        Route(
            .get, "/api/v1/runs/{run}/history", "Show the history of metrics",
            .read { exchange throws(Refusal) in try showHistory(exchange) },
            RouteDoc(
                "metrics",
                query: [
                    .query(
                        "metric", "A metric's name, repeated for several; `*` and `?` stand for other characters.",
                        ["type": "array", "items": ["type": "string"]]),
                    .query(
                        "axis", "What `from`, `to` and buckets count in.",
                        ["type": "string", "enum": ["step", "time", "relative"], "default": "step"]),
                    .query("from", "The beginning: a step; for `time` ISO 8601 or epoch ms; for `relative` seconds."),
                    .query("to", "The end, itself included."),
                    .query(
                        "buckets", "Sum the points up in so many buckets, with their true extremes.",
                        ["type": "integer", "minimum": 1, "maximum": 65536]),
                    .query(
                        "attempts", "`all` shows also what a later attempt logged again.",
                        ["type": "string", "enum": ["all"]]),
                    .query(
                        "limit", "How many points at most in a page.",
                        ["type": "integer", "minimum": 1, "maximum": 10000, "default": 10000]),
                    .pageToken,
                ],
                answers: [(200, "Points or buckets; as CSV with Accept: text/csv, then whole.", "History")],
                failures: [400, 404, 409, 422]))
    ]

    private static func showHistory(_ exchange: Exchange) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let run = try exchange.readableRun(reader, by: caller)
            let question = try HistoryQuestion(exchange)
            let names = try question.names(of: run, reader)
            if question.buckets != nil { return try bucketed(exchange, question, run, names, reader) }
            if exchange.wantsCSV {
                let source = HistoryTable(exchange.engine, question, run, names)
                return Response(
                    .ok, headers: ["Content-Type": CSVSheet.type], body: .pull(source, length: nil))
            }
            let limit = try exchange.limit(default: 10_000)
            let (parts, next) = try question.page(of: run, names, after: try question.place(exchange), limit, reader)
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        writer.member("run_id", run.id.text)
                        writer.member("axis", question.axis.rawValue)
                        writer.array("series") { writer in
                            for part in parts {
                                writer.object { writer in
                                    writer.member("metric", part.name)
                                    writer.array("points") { writer in
                                        for point in part.points { writer.point(point, question, run) }
                                    }
                                }
                            }
                        }
                        writer.nextPage(next?.token)
                    }
                })
        }
    }

    private static func bucketed(
        _ exchange: Exchange, _ question: HistoryQuestion, _ run: Run, _ names: [String], _ reader: any StoreReader
    ) throws(Refusal) -> Response {
        var series: [(name: String, buckets: [Bucket])] = []
        for name in names { series.append((name, try question.buckets(of: run, name, reader))) }
        if exchange.wantsCSV {
            var sheet = CSVSheet([
                "metric", "from", "to", "count", "nan", "inf", "first", "last", "min", "max", "mean",
            ])
            for (name, buckets) in series {
                for bucket in buckets {
                    sheet.text(name)
                    for end in [bucket.from, bucket.to] { sheet.place(end, question.axis) }
                    for count in [bucket.count, bucket.nan, bucket.inf] { sheet.integer(Int64(count)) }
                    for value in [bucket.first, bucket.last, bucket.min, bucket.max, bucket.mean] {
                        sheet.number(value)
                    }
                    sheet.endRow()
                }
            }
            return sheet.response
        }
        return .json(
            try encoded { writer in
                writer.object { writer in
                    writer.member("run_id", run.id.text)
                    writer.member("axis", question.axis.rawValue)
                    writer.array("series") { writer in
                        for (name, buckets) in series {
                            writer.object { writer in
                                writer.member("metric", name)
                                writer.array("buckets") { writer in
                                    for bucket in buckets { writer.bucket(bucket, question.axis) }
                                }
                            }
                        }
                    }
                    writer.nextPage(nil)
                }
            })
    }
}

/// What a request wants to see of a run's history.
struct HistoryQuestion: Sendable {
    enum Axis: String, Sendable { case step, time, relative }

    var wanted: [String]
    var axis: Axis
    /// In the axis's own unit: steps, microseconds since 1970, microseconds since the run's start.
    var from: Int64?
    var to: Int64?
    var buckets: Int?
    var attempts: AttemptChoice

    /// What one answer may hold, over all its series.
    static let bucketsMax = 1 << 20

    /// Buckets over a range that is known already.
    init(axis: Axis, from: Int64, to: Int64, buckets: Int) {
        (wanted, self.axis, self.from, self.to) = ([], axis, from, to)
        (self.buckets, attempts) = (buckets, .counting)
    }

    init(_ exchange: Exchange) throws(Refusal) {
        wanted = exchange.request.query.all("metric").filter { !$0.isEmpty }
        let axisName = exchange.query("axis") ?? "step"
        guard let axis = Axis(rawValue: axisName) else {
            throw Refusal(
                .invalid, "There is no axis “\(axisName.prefix(40))”.", remedy: "Use step, time or relative.",
                field: "axis")
        }
        self.axis = axis
        switch axis {
        case .step: (from, to) = (try exchange.integer("from"), try exchange.integer("to"))
        case .time: (from, to) = (try exchange.time("from")?.micros, try exchange.time("to")?.micros)
        case .relative: (from, to) = (try exchange.seconds("from"), try exchange.seconds("to"))
        }
        attempts = exchange.query("attempts") == "all" ? .all : .counting
        if let count = try exchange.integer("buckets") {
            guard (1...Int64(Buckets.countMax)).contains(count) else {
                throw Refusal(
                    .invalid, "\(count) buckets cannot be made.", remedy: "Ask for 1 to \(Buckets.countMax).",
                    field: "buckets")
            }
            buckets = Int(count)
        }
        guard !wanted.isEmpty else {
            throw Refusal(
                .invalid, "No metric is named.", remedy: "Send ?metric=loss, repeated for several, or ?metric=*.",
                field: "metric")
        }
    }

    /// The metrics that are wanted, in the order in which they were named, patterns opened up.
    func names(of run: Run, _ reader: any StoreReader) throws(Refusal) -> [String] {
        var names: [String] = []
        var seen: Set<String> = []
        var known: [String]?
        for name in wanted {
            var fitting: [String] = []
            if try !reader.metrics(of: run, named: [name]).isEmpty {
                fitting = [name]
            } else {
                if known == nil { known = try reader.metrics(of: run).map(\.name) }
                let all = known ?? []
                if name.contains("*") || name.contains("?") { fitting = all.filter { Glob.matches(name, $0) } }
                if fitting.isEmpty { throw .metricNotFound(name, of: run, among: all) }
            }
            for name in fitting where seen.insert(name).inserted { names.append(name) }
        }
        if let buckets, names.count * buckets > HistoryQuestion.bucketsMax {
            throw Refusal(
                .invalid, "\(names.count) metrics in \(buckets) buckets each are too much for one answer.",
                remedy: "Ask for fewer metrics or buckets: at most \(HistoryQuestion.bucketsMax) in all.",
                field: "buckets")
        }
        return names
    }

    // MARK: Points

    /// Where a page ended: in which metric, at which step, after how many of that step's points.
    struct Place: Sendable {
        var name: String
        var step: Int64
        var given: Int
        var token: String { "\(step)~\(given)~\(name)" }
    }

    func place(_ exchange: Exchange) throws(Refusal) -> Place? {
        guard let parts = try exchange.pageToken(parts: 3) else { return nil }
        guard let step = Int64(parts[0]), let given = Int(parts[1]), given >= 0 else {
            throw exchange.wrongPageToken()
        }
        return Place(name: parts[2], step: step, given: given)
    }

    /// The next points, of one metric after the other, and where to go on.
    func page(
        of run: Run, _ names: [String], after place: Place?, _ limit: Int, _ reader: any StoreReader
    ) throws(Refusal) -> (parts: [(name: String, points: [Point])], next: Place?) {
        var parts: [(name: String, points: [Point])] = []
        var room = limit
        var last: Place?
        var start = 0
        if let place {
            guard let found = names.firstIndex(of: place.name) else {
                throw Refusal(
                    .invalid, "The page token belongs to other metrics than these.",
                    remedy: "Send it with the same parameters as the page before.", field: "page_token")
            }
            start = found
        }
        for name in names[start...] {
            if room == 0 { return (parts, last) }
            let resumed = place?.name == name ? place : nil
            var range = axis == .step ? PointRange(from: from ?? .min, to: to ?? .max) : .all
            if let resumed { range.from = max(range.from, resumed.step) }
            guard range.from <= range.to else { continue }
            let curve = try reader.curve(of: run, name, in: range, attempts)
            var points: [Point] = []
            var skip = resumed?.given ?? 0
            var given = 0
            for index in 0..<curve.count where contains(curve.times[index], run) {
                let step = curve.steps[index]
                if skip > 0, step == resumed?.step {
                    skip -= 1
                    given = (resumed?.given ?? 0) - skip
                    continue
                }
                if room == 0 {
                    parts.append((name, points))
                    return (parts, last)
                }
                given = step == points.last?.step || (points.isEmpty && step == resumed?.step) ? given + 1 : 1
                points.append(curve[index])
                last = Place(name: name, step: step, given: given)
                room -= 1
            }
            parts.append((name, points))
        }
        return (parts, nil)
    }

    /// Whether a point's time lies in the range, on the axes that count time.
    private func contains(_ time: Int64, _ run: Run) -> Bool {
        let place = axis == .relative ? time &- run.start.micros : time
        return axis == .step || (from ?? .min) <= place && place <= (to ?? .max)
    }

    // MARK: Buckets

    func buckets(of run: Run, _ name: String, _ reader: any StoreReader) throws(Refusal) -> [Bucket] {
        let count = buckets ?? 1
        let shape: Buckets.Axis =
            switch axis {
            case .step: .step
            case .time: .time
            case .relative: .relative(to: run.start.micros)
            }
        let strands = try reader.strands(of: run, name, attempts)
        if strands.count == 1, let strand = strands.first, try isWhole(strand, name, reader) {
            // The common case: the store makes them of its statistics, without decoding most points.
            return try reader.buckets(
                strand.run, name, strand.lane.id, axis: shape, from: from, to: to, count: count)
        }
        return try reader.curve(of: run, name, in: .all, attempts).buckets(
            axis: shape, from: from, to: to, count: count)
    }

    private func isWhole(_ strand: Strand, _ name: String, _ reader: any StoreReader) throws(Refusal) -> Bool {
        if strand.range.from == .min && strand.range.to == .max { return true }
        let state = try reader.series(of: strand.run, named: [name]).first { $0.lane == strand.lane.id }
        guard let state else { return false }
        return strand.range.from <= state.minStep && strand.range.to >= state.maxStep
    }
}

/// The whole history as a table, made while the client reads it.
final class HistoryTable: ChunkSource {
    private let engine: Engine
    private let question: HistoryQuestion
    private let run: Run
    private let names: [String]
    /// Only the one thread that asks for the next piece comes here.
    private nonisolated(unsafe) var place: HistoryQuestion.Place?
    private nonisolated(unsafe) var hasBegun = false
    private nonisolated(unsafe) var isOver = false

    init(_ engine: Engine, _ question: HistoryQuestion, _ run: Run, _ names: [String]) {
        (self.engine, self.question, self.run, self.names) = (engine, question, run, names)
    }

    func next() throws -> [UInt8]? {
        if isOver { return nil }
        var sheet = hasBegun ? CSVSheet() : CSVSheet(["metric", "step", "timestamp", "value"])
        hasBegun = true
        let (parts, next) = try engine.read { (reader: any StoreReader) throws(Refusal) in
            try question.page(of: run, names, after: place, 65_536, reader)
        }
        for (name, points) in parts {
            for point in points {
                sheet.text(name)
                sheet.integer(point.step)
                sheet.text(Timestamp(micros: point.time).iso)
                sheet.number(point.value)
                sheet.endRow()
            }
        }
        place = next
        isOver = next == nil
        return sheet.bytes
    }
}

extension Refusal {
    static func metricNotFound(_ name: String, of run: Run, among names: [String]) -> Refusal {
        let near = Nearness.nearest(to: name, among: names)
        let hint = near.isEmpty ? "" : " Did you mean \(near.map { "“\($0)”" }.joined(separator: ", "))?"
        return Refusal(
            .notFound, "Run \(run.shortID) has no metric “\(name.prefix(100))”.\(hint)",
            remedy: "List them with GET /api/v1/runs/\(run.id)/metrics.", field: "metric", candidates: near)
    }
}

extension JSONWriter {
    mutating func point(_ point: Point, _ question: HistoryQuestion, _ run: Run) {
        object { writer in
            writer.member("step", point.step)
            writer.member("timestamp", Timestamp(micros: point.time).iso)
            writer.member("value", point.value)
            if question.axis == .relative {
                writer.member("relative", Double(point.time &- run.start.micros) / 1e6)
            }
        }
    }

    mutating func bucket(_ bucket: Bucket, _ axis: HistoryQuestion.Axis) {
        object { writer in
            writer.place("from", bucket.from, axis)
            writer.place("to", bucket.to, axis)
            writer.member("count", bucket.count)
            writer.member("nan", bucket.nan)
            writer.member("inf", bucket.inf)
            writer.member("first", bucket.first)
            writer.member("last", bucket.last)
            writer.member("min", bucket.min)
            writer.member("max", bucket.max)
            writer.member("mean", bucket.mean)
        }
    }

    private mutating func place(_ key: StaticString, _ place: Int64, _ axis: HistoryQuestion.Axis) {
        switch axis {
        case .step: member(key, place)
        case .time: member(key, Timestamp(micros: place).iso)
        case .relative: member(key, Double(place) / 1e6)
        }
    }
}

extension CSVSheet {
    fileprivate mutating func place(_ place: Int64, _ axis: HistoryQuestion.Axis) {
        switch axis {
        case .step: integer(place)
        case .time: text(Timestamp(micros: place).iso)
        case .relative: number(Double(place) / 1e6)
        }
    }
}
