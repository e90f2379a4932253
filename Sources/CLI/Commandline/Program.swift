/// A whole command tree with the pieces that every program has: help, version, completions.
package struct Program: Sendable {
    /// What a command line asks for.
    package enum Outcome: Sendable {
        case run(Command, Parsed)
        /// Help for the last of these; `isAsked` is false when a group was named without one of its commands.
        case help([Command], isAsked: Bool)
        case version
    }

    package let root: Command
    package let version: String

    /// Adds `--help`, `--version` and the commands `help` and `completions` to a tree that is given without them.
    package init(_ root: Command, version: String) {
        var whole = root
        whole.options.append(.flag("help", short: "h", "Show help for a command"))
        whole.options.append(.flag("version", "Show the version"))
        whole.subcommands.append(Program.completionsCommand(of: root, version: version))
        whole.subcommands.append(
            Command(
                "help", summary: "Show help for a command",
                arguments: [Argument("command", "The command, as it is typed", count: .any)],
                examples: [Example("\(root.name) help completions")]))
        (self.root, self.version) = (whole, version)
    }

    private static func completionsCommand(of root: Command, version: String) -> Command {
        let name = root.name
        return Command(
            "completions", summary: "Print a script that completes commands in your shell",
            discussion: """
                Load it once to try it, or from your shell's start file to keep it. For zsh, put it into a folder of \
                $fpath under the name _\(name); for fish, into ~/.config/fish/completions/\(name).fish.
                """,
            arguments: [Argument("shell", "Your shell", choices: Shell.allCases.map(\.rawValue))],
            examples: [Example("source <(\(name) completions bash)")]
        ) { parsed, terminal in
            guard let shell = parsed.text("shell").flatMap(Shell.init(rawValue:)) else { return .usage }
            terminal.write(Program(root, version: version).completions(for: shell), to: .output)
            return .good
        }
    }

    /// Understands a command line, the program's own name left out, and touches nothing.
    package func read(_ words: [String], environment: [String: String] = [:]) throws(UsageError) -> Outcome {
        var reader = CommandReader(root: root, environment: environment)
        return try reader.read(words)
    }

    /// Does what a command line asks, and says on the error stream what went wrong.
    package func run(_ words: [String], in terminal: any Terminal) async -> ExitCode {
        do {
            switch try read(words, environment: terminal.environment) {
            case .version:
                terminal.write("\(root.name) \(version)\n", to: .output)
                return .good
            case .help(let path, let isAsked):
                let stream = isAsked ? TerminalStream.output : .error
                let page = HelpPage(path: path, examples: examples(for: path))
                terminal.write(
                    page.rendered(width: terminal.width(of: stream), paint: terminal.paint(for: stream)), to: stream)
                return isAsked ? .good : .usage
            case .run(let command, let parsed):
                return try await command.run?(parsed, terminal) ?? .usage
            }
        } catch {
            return report(error, in: terminal)
        }
    }

    /// Says an error in the way every command does: what happened, then what to do, indented under it.
    package func report(_ error: any Error, in terminal: any Terminal) -> ExitCode {
        let explained = error as? any ExplainedError
        terminal.write(
            Explanation.rendered(
                explained?.message ?? "\(error)", remedy: explained?.remedy, width: terminal.fittingWidth(of: .error),
                paint: terminal.paint(for: .error)), to: .error)
        return explained?.exitCode ?? .refused
    }

    /// A command's own examples, or the first that a command below it has: every help page ends with one.
    func examples(for path: [Command]) -> [Example] {
        guard let command = path.last else { return [] }
        if !command.examples.isEmpty { return command.examples }
        return command.subcommands.lazy.filter { !$0.isHidden }.map { examples(for: path + [$0]) }
            .first { !$0.isEmpty } ?? []
    }
}

/// An error as a person reads it.
enum Explanation {
    static func rendered(_ message: String, remedy: String?, width: Int?, paint: Paint) -> String {
        let label = "error: "
        let indent = String(repeating: " ", count: label.count)
        let columns = width.map { max(20, $0 - label.count) } ?? Int.max
        var lines: [String] = []
        for paragraph in [message] + (remedy.map { [$0] } ?? []) {
            for line in paragraph.split(separator: "\n", omittingEmptySubsequences: false) {
                lines += Wrap.lines(Escape.text(String(line)), width: columns)
            }
        }
        let first = paint(label, .bold, .red) + (lines.first ?? "")
        return ([first] + lines.dropFirst().map { indent + $0 }).joined(separator: "\n") + "\n"
    }
}
