import Glibc
import MartletForeign

extension World {
    var watch: Command {
        command(
            "watch", "Follow a folder that another tracker writes",
            discussion: """
                For programs that log to files: a folder of MLflow's (mlruns) that a program names as its tracking URI. \
                What is there is brought here, and what comes later is here a moment after it was written. The folder \
                is only read. Ctrl-C stops it; started again, it goes on where it was.
                """,
            arguments: [Argument("folder", "The folder", candidates: .folders)],
            options: MLflowImport.options + [
                Option("every", value: "SECONDS", "How often to look", shape: .count, standard: "2"),
                .flag("once", "Look once, and end"),
            ],
            examples: [Example("martlet watch ./mlruns")], creates: true
        ) { session in
            let parsed = session.parsed
            let place = parsed.text("folder") ?? ""
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
