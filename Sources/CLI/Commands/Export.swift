import MartletClient
import MartletJSON

extension World {
    var export: Command {
        var export = runExport
        export.subcommands = [mlflowExport]
        return export
    }

    private var runExport: Command {
        command(
            "export", "Write an experiment's runs as JSON, CSV or JSON lines",
            discussion: """
                Without --columns every param and metric is written. With --history the points of every metric are \
                written too: in JSON inside each run, as CSV a line a point.
                """,
            arguments: [Shared.experimentArgument()],
            options: [
                Option("format", value: "FORMAT", "How", standard: "json", choices: ["json", "csv", "jsonl"]),
                Option(
                    "columns", short: "c", value: "LIST", "Only these, as KEY=FIELD: id=run_id,lambda=params.lambda",
                    repeats: true),
                Option("filter", short: "f", value: "EXPR", "Only runs for which this holds"),
                Option("sort", short: "s", value: "FIELD", "Order by these; else as they were started", repeats: true),
                Option("decimals", value: "N", "Round metrics to so many decimals", shape: .integer(0...15)),
                .flag("history", "Every point of every metric"),
                Option("output", short: "o", value: "FILE", "Into this file", candidates: .files),
            ],
            examples: [
                Example("martlet export ridge --format csv -o ridge.csv"),
                Example("martlet export ridge -c 'id=run_id,algo=params.algorithm,test_r2=metrics.test_r2'"),
            ]
        ) { session in
            let reference = session.parsed.text("experiment") ?? ""
            let name = try session.experiment(reference)["name"]?.string ?? reference
            let order = try session.orderTerms(session.parsed.all("sort"), of: reference)
            let runs = try session.runs(
                of: reference, filter: session.parsed.text("filter"), order: order, limit: nil
            ).runs
            let export = RunExport(
                experiment: name, columns: RunColumn.list(session.parsed.all("columns")),
                decimals: session.parsed.integer("decimals"))
            let sink = try ExportSink(session)
            try export.write(
                runs, as: session.parsed.text("format") ?? "json", history: session.parsed.isOn("history"), session,
                to: sink)
            try sink.finish()
            return .good
        }
    }
}

/// Where an export goes: the output, or a file that appears when it is whole.
final class ExportSink {
    private let session: Session
    private let path: String?
    private var gathered: [UInt8] = []

    init(_ session: Session) throws(CommandFailure) {
        self.session = session
        path = session.parsed.text("output").flatMap {
            $0 == "-" ? nil : Disk.absolute($0, from: session.world.workingFolder)
        }
    }

    func write(_ text: String) {
        guard path == nil else {
            gathered += text.utf8
            return
        }
        session.write(text)
    }

    func finish() throws(CommandFailure) {
        guard let path else { return }
        try Disk.replace(path, with: gathered)
        session.note("\(path) (\(NumberText.bytes(Int64(gathered.count))))")
    }
}

/// Runs on their way out, a run a line, keys in the order that was asked for.
struct RunExport {
    var experiment: String
    /// Empty: everything.
    var columns: [RunColumn]
    var decimals: Int?

    func write(
        _ runs: [RunRecord], as format: String, history: Bool, _ session: Session, to sink: ExportSink
    ) throws(CommandFailure) {
        switch format {
        case "csv":
            if history { try writePoints(runs, session, to: sink) } else { sink.write(table(runs).csv()) }
        case "jsonl":
            for run in runs { sink.write(RunExport.line(try object(run, history, session)) + "\n") }
        default:
            sink.write("{\n  \"experiment\": \(RunExport.line(.string(experiment))),\n  \"n_runs\": \(runs.count),\n")
            sink.write("  \"runs\": [")
            for (place, run) in runs.enumerated() {
                sink.write((place == 0 ? "\n    " : ",\n    ") + RunExport.line(try object(run, history, session)))
            }
            sink.write(runs.isEmpty ? "]\n}\n" : "\n  ]\n}\n")
        }
    }

    // MARK: JSON

    private func object(_ run: RunRecord, _ history: Bool, _ session: Session) throws(CommandFailure) -> JSONValue {
        var object = JSONObject()
        if columns.isEmpty {
            object["id"] = .string(run.shown)
            object["run_id"] = .string(run.id)
            for key in ["name", "status", "start_time", "end_time"] { object[key] = run.json[key] ?? .null }
            object["params"] = run.json["params"] ?? .object(JSONObject())
            var metrics = JSONObject()
            for name in run.metricNames { metrics[name] = run.metric(name).map { .double(rounded($0)) } ?? .null }
            object["metrics"] = .object(metrics)
            object["tags"] = run.json["tags"] ?? .object(JSONObject())
        } else {
            for column in columns { object[column.title] = value(run, column) ?? .null }
        }
        guard history else { return .object(object) }
        var curves = JSONObject()
        for curve in try session.history(of: run) {
            curves[curve.metric] = .array(
                curve.points.map { point in [.int(point.step), .double(point.value)] })
        }
        object["history"] = .object(curves)
        return .object(object)
    }

    private func value(_ run: RunRecord, _ column: RunColumn) -> JSONValue? {
        guard let value = run.value(column.field) else { return nil }
        switch column.field {
        case .metric: return Numbers.double(value).map { .double(rounded($0)) } ?? value
        case .any(let name) where run.param(name) == nil:
            return Numbers.double(value).map { .double(rounded($0)) } ?? value
        default: return value
        }
    }

    private func rounded(_ value: Double) -> Double {
        guard let decimals, value.isFinite else { return value }
        return Double(NumberText.fixed(value, decimals: decimals)) ?? value
    }

    /// One value in one line, with blanks where a person wants them.
    static func line(_ value: JSONValue) -> String {
        switch value {
        case .array(let elements): return "[" + elements.map(line).joined(separator: ", ") + "]"
        case .object(let object):
            return "{" + object.members.map { "\(line(.string($0.key))): \(line($0.value))" }.joined(separator: ", ")
                + "}"
        case .double(let number) where number.isFinite && number == number.rounded() && number.magnitude < 1e15:
            return number.description
        default:
            var writer = JSONWriter()
            writer.value(value)
            return writer.text
        }
    }

    // MARK: CSV

    private func table(_ runs: [RunRecord]) -> Table {
        var columns = columns
        if columns.isEmpty {
            columns = ["run_id", "id", "name", "status", "start_time", "end_time"].map { RunColumn($0) }
            columns += RunTable.union(runs.map(\.paramNames)).map { RunColumn("params.\($0)", .param($0)) }
            columns += RunTable.union(runs.map(\.metricNames)).map { RunColumn("metrics.\($0)", .metric($0)) }
        }
        var table = Table(columns.map { .text($0.title) })
        for run in runs {
            table.add(columns.map { column in Table.Cell(value(run, column).map(RunExport.field)) })
        }
        return table
    }

    private static func field(_ value: JSONValue) -> String {
        if case .double(let number) = value { return NumberText.exact(number) }
        return Numbers.text(value)
    }

    private func writePoints(
        _ runs: [RunRecord], _ session: Session, to sink: ExportSink
    ) throws(CommandFailure) {
        sink.write("run_id,metric,step,timestamp,value\r\n")
        for run in runs {
            for curve in try session.history(of: run) {
                let head = "\(CSV.field(run.shown)),\(CSV.field(curve.metric))"
                for point in curve.points {
                    sink.write("\(head),\(point.step),\(point.time),\(NumberText.exact(point.value))\r\n")
                }
            }
        }
    }
}

/// The points of one metric of one run.
struct Curve: Sendable {
    struct Point: Sendable {
        var step: Int64
        /// ISO 8601.
        var time: String
        var value: Double
    }
    var metric: String
    var points: [Point]
}

extension Session {
    /// Every point of every metric, never sampled.
    func history(of run: RunRecord) throws(CommandFailure) -> [Curve] {
        guard !run.metricNames.isEmpty else { return [] }
        var curves: [String: [Curve.Point]] = [:]
        var order: [String] = []
        var token: String?
        repeat {
            let page = try api.get(["runs", run.id, "history"], [("metric", "*"), ("page_token", token)])
            for series in page["series"]?.array ?? [] {
                let name = series["metric"]?.string ?? ""
                if curves[name] == nil { order.append(name) }
                curves[name, default: []] += (series["points"]?.array ?? []).map { point in
                    Curve.Point(
                        step: point["step"]?.int64 ?? 0, time: point["timestamp"]?.string ?? "",
                        value: point["value"].flatMap(Numbers.double) ?? .nan)
                }
            }
            token = page["next_page_token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        } while token != nil
        return order.map { Curve(metric: $0, points: curves[$0] ?? []) }
    }
}
