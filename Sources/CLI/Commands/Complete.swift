import MartletClient
import MartletJSON

extension World {
    /// Asked by the shells' completion scripts: a word a line. Silent about anything that goes wrong.
    var complete: Command {
        Command(
            "complete", summary: "Print words for a shell's completion",
            subcommands: [
                word("experiments", "Names of experiments") { session in
                    try session.api.all(["experiments"], [], under: "experiments", limit: 500).items
                        .compactMap { $0["name"]?.string }
                },
                word("models", "Names of registered models") { session in
                    try session.api.all(["models"], [], under: "models", limit: 500).items
                        .compactMap { $0["name"]?.string }
                },
                word("runs", "Short ids of runs") { session in
                    let runs = try session.runs(of: nil, filter: nil, limit: 200).runs
                    return RunTable.union([runs.reversed().map(\.shown)])
                },
            ], isHidden: true)
    }

    private func word(
        _ name: String, _ summary: String, _ words: @escaping @Sendable (Session) throws -> [String]
    ) -> Command {
        command(name, summary, examples: [Example("martlet complete \(name)")]) { session in
            for word in (try? words(session)) ?? [] where !word.contains(where: \.isNewline) { session.line(word) }
            return .good
        }
    }
}
