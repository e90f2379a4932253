import Glibc
import MartletClient
import MartletForeign

extension World {
    var watch: Command {
        command(
            "watch", "Follow a folder that another tracker writes",
            discussion: """
                For programs that log to files: a folder of MLflow's (mlruns) that a program names as its tracking URI, \
                or one with event files of TensorBoard's. What is there is brought here, and what comes later is here \
                a moment after it was written. The folder is only read. Ctrl-C stops it; started again, it goes on \
                where it was.
                """,
            arguments: [Argument("folder", "The folder", candidates: .folders)],
            options: MLflowImport.options + [
                Option("experiment", value: "NAME", "Where runs of TensorBoard's go; else the folder's name"),
                Option("every", value: "SECONDS", "How often to look", shape: .count, standard: "2"),
                .flag("once", "Look once, and end"),
            ],
            examples: [Example("martlet watch ./mlruns"), Example("martlet watch ./runs --experiment digits")],
            creates: true
        ) { session in
            let place = session.parsed.text("folder") ?? ""
            let path = Disk.absolute(place, from: session.world.workingFolder)
            // A folder of MLflow's may hold event files among its artifacts.
            if Disk.isFolder(path), !MLflowFolder.isOne(path), !MLflowFolder.isOne(path + "/mlruns") {
                return try followEvents(path, session)
            }
            return try followMLflow(place, session)
        }
    }

    private func followMLflow(_ place: String, _ session: Session) throws -> ExitCode {
        let parsed = session.parsed
        let source = try MLflowSource.open(
            place, artifacts: parsed.text("artifacts"), session.world, session.terminal)
        guard source is MLflowFolder else {
            throw CommandFailure(
                .usage, "“\(place)” is not a folder of files.", remedy: "Use `martlet import mlflow` for it.")
        }
        session.note("Following \(source.place). Ctrl-C stops looking.")
        let work = MLflowImport(
            source, into: session.api.backend, artifacts: MLflowImport.Artifacts(parsed), follows: true,
            tell: { _ in })
        while true {
            try work.pass()
            if let news = work.report.news { session.note(news) }
            for problem in work.report.problems.prefix(5) {
                session.terminal.line("Not here: \(Escape.text(problem))", to: .error)
            }
            if parsed.isOn("once") { return work.report.problems.isEmpty ? .good : .no }
            sleep(UInt32(clamping: max(1, parsed.integer("every") ?? 2)))
        }
    }

    private func followEvents(_ path: String, _ session: Session) throws -> ExitCode {
        let parsed = session.parsed
        let name = path.split(separator: "/").last.map(String.init) ?? "tensorboard"
        var follower = EventFollower(
            path, experiment: parsed.text("experiment") ?? name, into: session.api.backend)
        StopSignal.expect()
        if !parsed.isOn("once") { session.note("Following event files beneath \(path). Ctrl-C stops looking.") }
        var told: Set<String> = []
        while true {
            let hasNews = try follower.pass()
            if hasNews {
                let points = "\(NumberText.grouped(follower.points)) point\(follower.points == 1 ? "" : "s")"
                session.note(
                    "Up to date: \(follower.runCount) run\(follower.runCount == 1 ? "" : "s"), \(points) read.")
            }
            for problem in follower.problems where told.insert(problem).inserted {
                session.terminal.line("Not here: \(Escape.text(problem))", to: .error)
            }
            if parsed.isOn("once"), follower.runCount == 0 {
                throw CommandFailure(
                    .notFound, "There are no event files beneath \(path), and it is no folder of MLflow's.",
                    remedy: "Give the folder that the program logs to; without --once it is waited for.")
            }
            if parsed.isOn("once") || StopSignal.comes(within: max(1, parsed.integer("every") ?? 2)) { break }
        }
        try follower.finish()
        return follower.problems.isEmpty ? .good : .no
    }
}

extension ImportReport {
    /// One line of what came; nil when nothing did.
    var news: String? {
        let parts = [(runs.here, "run"), (loggedModels.here, "logged model"), (versions.here, "model version")]
            .filter { $0.0 > 0 }.map { "\(NumberText.grouped($0.0)) \($0.1)\($0.0 == 1 ? "" : "s")" }
        return parts.isEmpty ? nil : "Up to date: \(parts.joined(separator: ", "))."
    }
}
