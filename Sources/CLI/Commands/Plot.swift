import MartletClient
import MartletDomain
import MartletJSON

extension World {
    var plot: Command {
        command(
            "plot", "Draw metrics of a run in the terminal",
            discussion: "Every column of dots shows the true extremes of its points: no spike is lost.",
            arguments: [
                Shared.run(), Argument("metric", "Names, or patterns such as 'train/*'", count: .oneOrMore),
            ],
            options: [
                Shared.experiment, .flag("log", "A logarithmic axis"),
                Option(
                    "axis", value: "AXIS", "What runs to the right", standard: "step", choices: ["step", "relative"]),
                Option("from", value: "X", "From here", shape: .number),
                Option("to", value: "X", "To here", shape: .number),
                Option("height", value: "N", "Lines", shape: .integer(6...200), standard: "20"), Shared.json,
            ], examples: [Example("martlet plot run_03 train_loss val_loss -e digits --log")]
        ) { session in
            try session.plot()
        }
    }
}

extension Session {
    func plot() throws(CommandFailure) -> ExitCode {
        let id = try runReference(parsed.text("run") ?? "")
        let width = width ?? 80
        let axis = parsed.text("axis") ?? "step"
        var query: API.Query = [
            ("axis", axis), ("buckets", "\(max(50, width * 2))"), ("from", parsed.text("from")),
            ("to", parsed.text("to")),
        ]
        query += parsed.all("metric").map { ("metric", $0) }
        let history = try api.get(["runs", id, "history"], query)
        if parsed.isOn("json") {
            writeJSON(history)
            return .good
        }
        let series = (history["series"]?.array ?? []).map { series in
            LinePlot.Series(
                series["metric"]?.string ?? "", (series["buckets"]?.array ?? []).flatMap(Session.points))
        }
        guard series.contains(where: { !$0.points.isEmpty }) else {
            throw CommandFailure(.notFound, "There are no points to draw.")
        }
        var label: (@Sendable (Double) -> String)?
        if axis != "step" { label = { TimeText.duration(seconds: $0) } }
        let plot = LinePlot(
            series, xTitle: axis == "step" ? "step" : "time", isLogY: parsed.isOn("log"), xLabel: label)
        write(
            plot.rendered(width: width, height: parsed.integer("height") ?? 20, paint: paint))
        return .good
    }

    /// What a bucket holds, as points that show its ends and its extremes.
    static func points(_ bucket: JSONValue) -> [LinePlot.Point] {
        guard let from = bucket["from"].flatMap(Numbers.double), let to = bucket["to"].flatMap(Numbers.double) else {
            return []
        }
        let middle = from / 2 + to / 2
        let places = [("first", from), ("min", middle), ("max", middle), ("last", to)]
        var points: [LinePlot.Point] = []
        for (key, x) in places {
            guard let y = bucket[key].flatMap(Numbers.double) else { continue }
            let point = LinePlot.Point(x, y)
            if points.last != point { points.append(point) }
        }
        let odd = (bucket["nan"]?.int64 ?? 0) + (bucket["inf"]?.int64 ?? 0)
        if odd > 0 { points.append(LinePlot.Point(to, .nan)) }
        return points
    }
}
