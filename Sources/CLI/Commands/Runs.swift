import MartletClient
import MartletDomain
import MartletHTTPMessages
import MartletJSON

extension World {
    var runs: Command {
        Command(
            "runs", summary: "Runs: list, show, compare and change them",
            subcommands: [
                runsList, runsShow, runsCompare, runsBest, runsTag, runsUntag, runsNote, runsEnd, runsDelete,
                runsRestore,
            ])
    }

    private var runsTag: Command {
        command(
            "tag", "Tag a run",
            arguments: [Shared.run(), Argument("tag", "baseline, or key=value", count: .oneOrMore)],
            options: [Shared.experiment], examples: [Example("martlet runs tag run_03 production team=vision")]
        ) { session in
            let id = try session.runReference(session.parsed.text("run") ?? "")
            let tags = Session.tags(session.parsed.all("tag"))
            try session.api.send(.post, ["runs", id, "tags"], [], ["tags": .object(tags)])
            return .good
        }
    }

    private var runsUntag: Command {
        command(
            "untag", "Take tags off a run",
            arguments: [Shared.run(), Argument("tag", "The tag's key", count: .oneOrMore)],
            options: [Shared.experiment], examples: [Example("martlet runs untag run_03 production")]
        ) { session in
            let id = try session.runReference(session.parsed.text("run") ?? "")
            for key in session.parsed.all("tag") { try session.api.send(.delete, ["runs", id, "tags", key]) }
            return .good
        }
    }

    private var runsNote: Command {
        command(
            "note", "Add a note to a run, or read its notes",
            discussion: "Notes are Markdown. Without a text the notes are printed, oldest first.",
            arguments: [Shared.run(), Argument("text", "The note", count: .optional)],
            options: [Shared.experiment, Shared.json],
            examples: [Example("martlet runs note run_03 'Best so far; try a smaller lambda.'")]
        ) { session in
            let id = try session.runReference(session.parsed.text("run") ?? "")
            if let text = session.parsed.text("text") {
                try session.api.send(.post, ["runs", id, "notes"], [], ["text": .string(text)])
                return .good
            }
            let notes = try session.api.get(["runs", id, "notes"])
            if session.parsed.isOn("json") {
                session.writeJSON(notes)
                return .good
            }
            for note in notes["notes"]?.array ?? [] {
                let who = session.textOrNil(note["who"] ?? note["author"]).map { ", \($0)" } ?? ""
                let time = (note["at"] ?? note["created_at"])?.string.flatMap { Timestamp(iso: $0) }
                session.line(session.paint((time.map(session.moment) ?? "") + who, .dim))
                let lines = (note["text"]?.string ?? "").split(separator: "\n", omittingEmptySubsequences: false)
                for line in lines { session.line(Escape.text(String(line))) }
                session.line()
            }
            return .good
        }
    }

    private var runsEnd: Command {
        command(
            "end", "End a run",
            arguments: [Shared.run()],
            options: [
                Shared.experiment,
                Option("status", value: "WORD", "How it ended: done, failed, overfit, any word", standard: "FINISHED"),
            ], examples: [Example("martlet runs end run_03 --status overfit")]
        ) { session in
            let id = try session.runReference(session.parsed.text("run") ?? "")
            let status = session.parsed.text("status") ?? "FINISHED"
            try session.api.send(.post, ["runs", id, "end"], [], ["status": .string(status)])
            return .good
        }
    }

    private var runsDelete: Command {
        command(
            "delete", "Delete runs; they can be restored",
            arguments: [
                Argument(
                    "run", "Ids or short ids", count: .oneOrMore, candidates: .answer(["complete", "runs"]))
            ],
            options: [Shared.experiment, Shared.permanent, Shared.yes],
            examples: [Example("martlet runs delete run_04 run_05 -e ridge")]
        ) { session in
            let references = session.parsed.all("run")
            let what = references.count == 1 ? "the run \(references[0])" : "\(references.count) runs"
            let query = try session.deletion(of: what)
            for reference in references {
                let id = try session.runReference(reference)
                try session.api.send(.delete, ["runs", id], query)
                session.note(
                    query.isEmpty
                        ? "Deleted \(reference). Back with: martlet runs restore \(id)"
                        : "Deleted \(reference) for good.")
            }
            return .good
        }
    }

    private var runsRestore: Command {
        command(
            "restore", "Bring deleted runs back",
            arguments: [Argument("run", "Ids or short ids", count: .oneOrMore)], options: [Shared.experiment],
            examples: [Example("martlet runs restore run_04 -e ridge")]
        ) { session in
            for reference in session.parsed.all("run") {
                try session.api.send(.post, ["runs", try session.runReference(reference), "restore"])
                session.note("Restored \(reference).")
            }
            return .good
        }
    }
}
