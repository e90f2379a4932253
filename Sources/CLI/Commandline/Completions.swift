package enum Shell: String, Hashable, Sendable, CaseIterable { case bash, zsh, fish }

extension Program {
    /// A script that teaches a shell our commands, made from the tree.
    package func completions(for shell: Shell) -> String {
        let places = completionPlaces()
        return switch shell {
        case .bash: BashCompletion(program: root.name, places: places).script
        case .zsh: ZshCompletion(program: root.name, places: places).script
        case .fish: FishCompletion(program: root.name, places: places).script
        }
    }

    private func completionPlaces() -> [CompletionPlace] {
        var places: [CompletionPlace] = []
        func visit(_ path: [Command]) {
            guard let command = path.last else { return }
            let isHelp = path.count == 2 && command.name == "help"
            places.append(
                CompletionPlace(
                    path: path.map(\.name).joined(separator: " "),
                    commands: command.subcommands.filter { !$0.isHidden },
                    options: Program.options(along: path).filter { !$0.isHidden },
                    arguments: isHelp
                        ? [Argument("command", "", choices: root.subcommands.filter { !$0.isHidden }.map(\.name))]
                        : command.arguments))
            for next in command.subcommands { visit(path + [next]) }
        }
        visit([root])
        return places
    }
}

/// What may follow one command.
struct CompletionPlace {
    var path: String
    var commands: [Command]
    var options: [Option]
    var arguments: [Argument]

    /// Spellings whose next word is a value.
    var valued: [String] { options.filter(\.takesValue).flatMap(\.spellings) }

    /// Each value that a shell can complete, with the pattern of its place: spellings of an option, or the number of
    /// an argument, the last of which may go on.
    var values: [(patterns: [String], candidates: Candidates)] {
        let named = options.filter(\.takesValue).map {
            ($0.spellings, $0.choices.isEmpty ? $0.candidates : .words($0.choices))
        }
        let counted = arguments.enumerated().map { place, argument in
            (
                [argument.takesMany ? "+" : "\(place + 1)"],
                argument.choices.isEmpty ? argument.candidates : .words(argument.choices)
            )
        }
        return (named + counted).filter { $0.1 != .none }
    }
}

enum ShellText {
    /// One word to a shell of the Bourne family, whatever is in it.
    static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// A program's name as part of a function's.
    static func identifier(_ name: String) -> String {
        String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }
}
