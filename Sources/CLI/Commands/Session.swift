import MartletClient
import MartletDomain
import MartletHTTPMessages
import MartletJSON

/// One command at work: what was asked, where text goes, and the API of the store that is meant.
struct Session: Sendable {
    let parsed: Parsed
    let terminal: any Terminal
    let world: World
    let api: API

    var place: String { api.backend.place }
    var isQuiet: Bool { parsed.isOn("quiet") }
    var paint: Paint { Session.paint(parsed, terminal) }
    /// Nil where no text has to be cut: in a pipe, or when the whole width was asked for.
    var width: Int? { terminal.fittingWidth(of: .output) }

    static func paint(_ parsed: Parsed, _ terminal: any Terminal, _ stream: TerminalStream = .output) -> Paint {
        let choice = parsed.text("color").flatMap(ColourChoice.init(rawValue:)) ?? .automatic
        return terminal.paint(for: stream, choice: choice)
    }

    // MARK: What is meant

    func experiment(_ reference: String) throws(CommandFailure) -> JSONValue {
        try api.get(["experiments", reference])
    }

    /// The id of an experiment that may be named in any way.
    func experimentID(_ reference: String) throws(CommandFailure) -> String {
        try experiment(reference)["id"]?.string ?? reference
    }

    /// What stands for a run in an address. With --experiment a short id is looked for there.
    func runReference(_ reference: String) throws(CommandFailure) -> String {
        guard let experiment = parsed.text("experiment") else { return reference }
        return try api.get(["experiments", experiment, "runs", reference])["id"]?.string ?? reference
    }

    func run(_ reference: String) throws(CommandFailure) -> RunRecord {
        guard let experiment = parsed.text("experiment") else { return RunRecord(try api.get(["runs", reference])) }
        return RunRecord(try api.get(["experiments", experiment, "runs", reference]))
    }

    // MARK: Text

    func write(_ text: String) { terminal.write(text, to: .output) }
    func line(_ text: String = "") { terminal.line(text) }

    /// What a person wants to know beside the answer; not for programs.
    func note(_ text: String) {
        if !isQuiet { terminal.line(text, to: .error) }
    }

    func writeJSON(_ value: JSONValue) {
        var writer = JSONWriter(pretty: true)
        writer.value(value)
        writer.endLine()
        write(writer.text)
    }

    /// A table, or the same as CSV or JSON where that was asked for.
    func show(_ table: Table, json: @autoclosure () -> JSONValue, empty: String) {
        if parsed.isOn("json") {
            writeJSON(json())
        } else if parsed.isOn("csv") {
            write(table.csv())
        } else if table.rows.isEmpty {
            note(empty)
        } else {
            write(table.rendered(width: parsed.isOn("wide") ? nil : width, paint: paint))
        }
    }

    /// Where progress of long work goes, with the bar's own state.
    func progress(_ title: String, total: Int64?, unit: ProgressBar.Unit) -> Progress {
        Progress(title, total: total, unit: unit, terminal: terminal, isQuiet: isQuiet, seconds: world.seconds)
    }
}

/// Options that many commands share, in the same words.
enum Shared {
    static let json = Option.flag("json", "Print JSON")
    static let csv = Option.flag("csv", "Print CSV")
    static let wide = Option.flag("wide", short: "w", "Show every column, whatever the width of the window")
    static let tables = [json, csv, wide]
    static let experiment = Option(
        "experiment", short: "e", value: "NAME", "The experiment that the runs are in: id or name",
        candidates: .answer(["complete", "experiments"]))
    static let project = Option("project", value: "NAME", "The project: id or name")
    static let yes = Option.flag("yes", short: "y", "Do not ask back: I mean it")
    static let permanent = Option.flag("permanent", "Delete for good, which nothing brings back (needs --yes)")
    static let limit = Option(
        "limit", short: "n", value: "N", "At most so many; 0 for all", shape: .count, standard: "100")
    static func run(_ help: String = "Id, short id (run_03), name, or the beginning of an id") -> Argument {
        Argument("run", help, candidates: .answer(["complete", "runs"]))
    }
    static func experimentArgument(_ count: Argument.Count = .one) -> Argument {
        Argument(
            "experiment", "Id or name of the experiment", count: count,
            candidates: .answer(["complete", "experiments"]))
    }
}

extension Session {
    /// `--limit`, nil for all.
    var limit: Int? { parsed.integer("limit").flatMap { $0 == 0 ? nil : $0 } }

    /// The query that DELETE is sent with. For good only with --yes, because nothing brings it back.
    func deletion(of what: String) throws(CommandFailure) -> API.Query {
        guard parsed.isOn("permanent") else { return [] }
        guard parsed.isOn("yes") else {
            throw CommandFailure(
                .usage, "--permanent deletes \(what) for good.",
                remedy: "Add --yes if you mean it; without --permanent it can be restored.")
        }
        return [("permanent", "true")]
    }
}
