extension Program {
    /// What is wrong with the tree itself, in words: a test of the whole program expects none.
    ///
    /// Among others: a name taken twice on one path, a default that its own option refuses, a help page without an
    /// example or wider than 100 columns, and an example that our own parser does not understand.
    package func faults() -> [String] {
        var faults: [String] = []
        inspect([root], into: &faults)
        return faults
    }

    private func inspect(_ path: [Command], into faults: inout [String]) {
        guard let command = path.last else { return }
        let shown = path.map(\.name).joined(separator: " ")
        func note(_ fault: String) { faults.append("\(shown): \(fault)") }

        if command.summary.isEmpty || command.summary.hasSuffix(".") { note("the summary is a line without full stop") }
        if command.run == nil, command.subcommands.isEmpty, command.name != "help" { note("does nothing") }
        for name in Program.repeated(command.subcommands.map(\.name)) { note("two commands are named \(name)") }
        for spelling in Program.repeated(Program.options(along: path).flatMap(\.spellings)) {
            note("\(spelling) means two options")
        }
        let names = Program.options(along: path).map(\.name) + command.arguments.map(\.name)
        for name in Program.repeated(names) { note("two values are named \(name)") }
        for option in command.options {
            guard let standard = option.standard else { continue }
            if let complaint = option.shape.complaint(about: standard) {
                note("--\(option.name)'s default \(complaint)")
            }
            if !option.choices.isEmpty, !option.choices.contains(standard) {
                note("--\(option.name)'s default is not among its choices")
            }
        }
        if command.arguments.count(where: \.takesMany) > 1 { note("two arguments take many values") }
        if command.arguments.dropLast().contains(where: { $0.count == .rest }) {
            note("the rest is not the last argument")
        }
        inspectHelp(path, note)
        for next in command.subcommands { inspect(path + [next], into: &faults) }
    }

    private func inspectHelp(_ path: [Command], _ note: (String) -> Void) {
        let examples = examples(for: path)
        if examples.isEmpty { note("help has no example") }
        for example in examples {
            guard let words = Program.words(ofExample: example.line, program: root.name) else {
                note("the example does not begin with \(root.name): \(example.line)")
                continue
            }
            do throws(UsageError) {
                if case .help(_, isAsked: false) = try read(words) {
                    note("the example names no command: \(example.line)")
                }
            } catch {
                note("the example is refused (\(error.message)): \(example.line)")
            }
        }
        let page = HelpPage(path: path, examples: examples).rendered(width: HelpPage.widthMax, paint: .plain)
        for line in page.split(separator: "\n") where DisplayWidth.of(String(line)) > HelpPage.widthMax {
            note("help is wider than \(HelpPage.widthMax) columns: \(line)")
        }
    }

    private static func repeated(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { !seen.insert($0).inserted }
    }

    /// The words that a shell would hand us for an example; nil when our program is not in it. Knows quotes, pipes,
    /// `&&`, `$(…)` and variables set in front; enough for examples, and not a shell.
    static func words(ofExample line: String, program: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in line {
            if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "'" || character == "\"" {
                (quote, word) = (character, word ?? "")
            } else if character.isWhitespace || "|&;<>()".contains(character) {
                if let finished = word { words.append(finished) }
                word = nil
                if !character.isWhitespace { words.append(String(character)) }
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let finished = word { words.append(finished) }
        guard let start = words.firstIndex(of: program) else { return nil }
        return Array(words[(start + 1)...].prefix { !["|", "&", ";", "<", ">", ")"].contains($0) })
    }
}
