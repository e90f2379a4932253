import MartletClient
import MartletDomain
import MartletJSON

extension World {
    var tail: Command {
        command(
            "tail", "Follow a run, or an experiment, while it goes on",
            discussion: """
                Prints metrics as they arrive and what the run prints. Ends with the run; an experiment is followed \
                until you stop it with Ctrl-C.
                """,
            arguments: [
                Argument("what", "A run, or an experiment", candidates: .answer(["complete", "runs"]))
            ],
            options: [
                Shared.experiment, .flag("no-console", "Metrics only"),
                Option("for", value: "SECONDS", "Stop after so long", shape: .number),
                .flag("json", "Print the frames as they come, a line each"),
            ], examples: [Example("martlet tail run_03 -e digits")]
        ) { session in
            var tail = try Tail(session, following: session.parsed.text("what") ?? "")
            return try tail.follow()
        }
    }
}

/// Follows the change feed by long polls.
private struct Tail {
    let session: Session
    private var run: RunRecord?
    private let experiment: String
    /// Short ids by id, for the lines of an experiment.
    private var names: [String: String] = [:]
    /// Pieces are numbered over all streams of a run.
    private var consoleAfter: Int64 = 0
    private let deadline: Double?

    init(_ session: Session, following what: String) throws(CommandFailure) {
        self.session = session
        deadline = session.parsed.number("for").map { session.world.seconds() + $0 }
        do throws(CommandFailure) {
            let found = try session.run(what)
            run = found
            experiment = ""
        } catch {
            guard error.exitCode == .notFound else { throw error }
            do throws(CommandFailure) { experiment = try session.experimentID(what) } catch let other {
                // Neither: the run's error says more, unless only the experiment's has a suggestion.
                throw other.message.contains("Did you mean") && !error.message.contains("Did you mean") ? other : error
            }
        }
    }

    mutating func follow() throws(CommandFailure) -> ExitCode {
        var cursor: String?
        if let run {
            session.note("Following \(run.shown) of \(run.experiment). Ctrl-C stops looking, not the run.")
        }
        // The cursor is taken before what is there is printed: what comes in between is seen twice, never lost.
        cursor = try poll(since: nil, wait: 0).cursor
        if var run {
            run = RunRecord(try session.api.get(["runs", run.id]))
            if !run.metricNames.isEmpty, !session.parsed.isOn("json") {
                let values = run.metricNames.map { "\($0)=\(run.metric($0).map(NumberText.compact) ?? "-")" }
                session.line(values.joined(separator: "  "))
            }
            try printConsole(of: run.id)
            if run.state?.isEnded == true { return end(run.statusText) }
        }
        while deadline.map({ session.world.seconds() < $0 }) ?? true {
            let left = deadline.map { max(0, min(25, $0 - session.world.seconds())) } ?? 25
            let (frames, next) = try poll(since: cursor, wait: left)
            cursor = next ?? cursor
            var ended: String?
            for frame in frames { ended = try print(frame) ?? ended }
            guard let ended else { continue }
            // A run's end is told before the points that came with it.
            for frame in try poll(since: cursor, wait: 0).frames { _ = try print(frame) }
            if let run { try printConsole(of: run.id) }
            return end(ended)
        }
        return .good
    }

    private func end(_ status: String) -> ExitCode {
        session.note("The run has ended: \(Escape.text(status)).")
        return .good
    }

    private func poll(
        since cursor: String?, wait: Double
    ) throws(CommandFailure) -> (frames: [JSONValue], cursor: String?) {
        let answer = try session.api.get(
            ["changes"],
            [
                ("since", cursor), ("run", run?.id), ("experiment", run == nil ? experiment : nil),
                ("wait", "\(Int(wait.rounded(.up)))"),
            ])
        return (answer["changes"]?.array ?? [], answer["cursor"]?.string)
    }

    /// Prints a frame; the status of the run when it says that the run has ended.
    private mutating func print(_ frame: JSONValue) throws(CommandFailure) -> String? {
        let id = frame["run_id"]?.string
        if let run, let id, id != run.id { return nil }
        if session.parsed.isOn("json") {
            var writer = JSONWriter()
            writer.value(frame)
            session.line(writer.text)
        } else if let metrics = frame["metrics"]?.object, let id {
            session.line(try text(of: metrics, at: frame, run: id))
        }
        if frame["reset"]?.bool == true { session.note("Some points came too fast to be shown; the run has them all.") }
        guard let run, id == run.id, frame["event"]?.string == "run" else { return nil }
        try printConsole(of: run.id)
        let state = frame["state"]?.string.flatMap { word in RunState.allCases.first { $0.word == word } }
        return state?.isEnded == true ? frame["status"]?.string ?? frame["state"]?.string : nil
    }

    private mutating func text(
        of metrics: JSONObject, at frame: JSONValue, run id: String
    ) throws(CommandFailure) -> String {
        var parts: [String] = []
        if run == nil { parts.append(session.paint(Escape.text(try name(of: id)), .bold)) }
        if let step = frame["step"]?.int64 { parts.append(session.paint("step \(step)", .dim)) }
        for metric in metrics.members where metric.key != "step" {
            parts.append(
                "\(Escape.text(metric.key))=\(Numbers.double(metric.value).map(NumberText.compact) ?? "-")")
        }
        return parts.joined(separator: "  ")
    }

    private mutating func name(of id: String) throws(CommandFailure) -> String {
        if let known = names[id] { return known }
        let name = RunRecord(try session.api.get(["runs", id])).shown
        names[id] = name
        return name
    }

    private mutating func printConsole(of id: String) throws(CommandFailure) {
        guard !session.parsed.isOn("no-console"), !session.parsed.isOn("json") else { return }
        var isWhole = false
        while !isWhole {
            let answer: JSONValue
            do throws(CommandFailure) {
                answer = try session.api.get(
                    ["runs", id, "console"], [("after", "\(consoleAfter)"), ("limit", "\(Tail.piecesMax)")])
            } catch {
                // A server that keeps no console has nothing to show.
                if error.exitCode == .notFound { return }
                throw error
            }
            let chunks = answer["chunks"]?.array ?? answer["console"]?.array ?? []
            for chunk in chunks {
                if let number = chunk["number"]?.int64 ?? chunk["n"]?.int64 { consoleAfter = max(consoleAfter, number) }
                let lines = (chunk["text"]?.string ?? "").split(separator: "\n", omittingEmptySubsequences: true)
                for line in lines { session.line(session.paint("| ", .dim) + Escape.text(String(line))) }
            }
            isWhole = chunks.count < Tail.piecesMax
        }
    }

    private static let piecesMax = 1000
}
