/// The script for fish: a line for each command, option and argument, each with the condition under which it holds.
struct FishCompletion {
    var program: String
    var places: [CompletionPlace]

    private var function: String { "__" + ShellText.identifier(program) }

    var script: String {
        let commands = places.filter { !$0.commands.isEmpty }.map { place in
            "        case \(quoted(place.path))\n            string split ' ' -- "
                + quoted(place.commands.map(\.name).joined(separator: " "))
        }
        let valued = places.map { place in
            "        case \(quoted(place.path))\n            string split ' ' -- "
                + quoted(place.valued.joined(separator: " "))
        }
        return """
            # fish completion for \(program). Load it with: \(program) completions fish | source

            function \(function)_commands
                switch $argv[1]
            \(commands.joined(separator: "\n"))
                end
            end

            function \(function)_valued
                switch $argv[1]
            \(valued.joined(separator: "\n"))
                end
            end

            # Whether the words so far lead to command $argv[1], and to its argument number $argv[2] if that is given.
            function \(function)_at
                set -l tokens (commandline -opc)
                set -l at \(program)
                set -l place 1
                set -l pending 0
                set -l ended 0
                for word in $tokens[2..-1]
                    if test $pending = 1
                        set pending 0
                    else if test $ended = 0 -a "$word" = --
                        set ended 1
                    else if test $ended = 0; and string match -q -- '-*' $word
                        contains -- $word (\(function)_valued $at); and set pending 1
                    else if test $ended = 0 -a $place = 1; and contains -- $word (\(function)_commands $at)
                        set at "$at $word"
                    else
                        set place (math $place + 1)
                    end
                end
                test "$at" = "$argv[1]"; or return 1
                test (count $argv) -lt 2; and return 0
                test "$argv[2]" = + -o "$argv[2]" = $place
            end

            complete -c \(program) -f
            \(places.flatMap(lines(of:)).joined(separator: "\n"))

            """
    }

    private func lines(of place: CompletionPlace) -> [String] {
        func line(_ condition: String, _ rest: String) -> String {
            "complete -c \(program) -n \(quoted("\(function)_at \(quoted(place.path))\(condition)")) \(rest)"
        }
        var lines = place.commands.map { line(" 1", "-a \(quoted($0.name)) -d \(quoted($0.summary))") }
        for option in place.options {
            var rest = "-l \(option.name)"
            if let short = option.short { rest += " -s \(quoted(String(short)))" }
            if option.takesValue {
                rest +=
                    " " + action(option.choices.isEmpty ? option.candidates : .words(option.choices), isOption: true)
            }
            lines.append(line("", "\(rest) -d \(quoted(option.help))"))
            if case .toggle = option.kind {
                lines.append(line("", "-l no-\(option.name) -d \(quoted(option.help))"))
            }
        }
        for (patterns, candidates) in place.values where !patterns[0].hasPrefix("-") {
            lines.append(line(" \(patterns[0])", action(candidates, isOption: false)))
        }
        return lines
    }

    private func action(_ candidates: Candidates, isOption: Bool) -> String {
        switch candidates {
        case .none: return "-x"
        case .files: return isOption ? "-r -F" : "-F"
        case .folders: return (isOption ? "-x " : "") + "-a '(__fish_complete_directories)'"
        case .words(let words): return (isOption ? "-x " : "") + "-a \(quoted(words.joined(separator: " ")))"
        case .answer(let words):
            let command = "(\(program) \(words.map(quoted).joined(separator: " ")) 2>/dev/null)"
            return (isOption ? "-x " : "") + "-a \(quoted(command))"
        }
    }

    /// fish knows only `\'` and `\\` inside single quotes.
    private func quoted(_ text: String) -> String {
        var quoted = "'"
        for character in text {
            if character == "'" || character == "\\" { quoted.append("\\") }
            quoted.append(character)
        }
        return quoted + "'"
    }
}
