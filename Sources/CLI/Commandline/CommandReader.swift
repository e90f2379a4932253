/// Reads the words of one command line against the tree, left to right.
struct CommandReader {
    let environment: [String: String]
    private var path: [Command]
    private var words: ArraySlice<String> = []
    private var positionals: [String] = []
    private var given: [String: [String]] = [:]
    private var flags: [String: Bool] = [:]
    /// After `--` nothing is an option.
    private var onlyValues = false

    init(root: Command, environment: [String: String]) { (path, self.environment) = ([root], environment) }

    private var command: Command { path[path.count - 1] }
    private var shownPath: String { path.map(\.name).joined(separator: " ") }
    private var options: [Option] { Program.options(along: path) }

    mutating func read(_ words: [String]) throws(UsageError) -> Program.Outcome {
        self.words = words[...]
        do throws(UsageError) {
            while let word = self.words.popFirst() {
                if let outcome = try take(word) { return outcome }
            }
            return try finish()
        } catch {
            // Someone who asks for help beside a mistake wants the help.
            let rest = self.words.prefix { $0 != "--" }
            if !onlyValues, rest.contains("--help") || rest.contains("-h") { return .help(path, isAsked: true) }
            throw error
        }
    }

    private mutating func take(_ word: String) throws(UsageError) -> Program.Outcome? {
        if onlyValues { return try takePlain(word) }
        if word == "--" {
            onlyValues = true
            return nil
        }
        if word.hasPrefix("--") { return try takeLong(word.dropFirst(2)) }
        if word.hasPrefix("-"), word != "-", !isNegativeNumber(word) { return try takeShorts(word.dropFirst()) }
        return try takePlain(word)
    }

    private func isNegativeNumber(_ word: String) -> Bool {
        guard ValueShape.looksNegative(word), let first = word.dropFirst().first else { return false }
        return !options.contains { $0.short == first }
    }

    // MARK: Options

    private mutating func takeLong(_ text: Substring) throws(UsageError) -> Program.Outcome? {
        let equals = text.firstIndex(of: "=")
        let name = String(text[..<(equals ?? text.endIndex)])
        let attached = equals.map { String(text[text.index(after: $0)...]) }
        if let option = options.first(where: { $0.name == name }) {
            return try accept(option, as: "--\(name)", attached: attached, isOn: true)
        }
        if name.hasPrefix("no-"), let option = options.first(where: { $0.name == name.dropFirst(3) }),
            case .toggle = option.kind
        {
            return try accept(option, as: "--\(name)", attached: attached, isOn: false)
        }
        throw unknownOption("--\(name)")
    }

    /// `-v`, `-xvf`, `-n5`, `-n=5`, `-n 5`.
    private mutating func takeShorts(_ text: Substring) throws(UsageError) -> Program.Outcome? {
        var rest = text
        while let letter = rest.popFirst() {
            guard let option = options.first(where: { $0.short == letter }) else { throw unknownOption("-\(letter)") }
            var attached: String?
            if option.takesValue, !rest.isEmpty {
                attached = String(rest.first == "=" ? rest.dropFirst() : rest)
                rest = ""
            } else if rest.first == "=" {
                attached = String(rest.dropFirst())
                rest = ""
            }
            if let outcome = try accept(option, as: "-\(letter)", attached: attached, isOn: true) { return outcome }
        }
        return nil
    }

    private mutating func accept(
        _ option: Option, as spelling: String, attached: String?, isOn: Bool
    ) throws(UsageError) -> Program.Outcome? {
        guard option.takesValue else {
            if let attached { throw wrong("“\(spelling)” takes no value, but “\(attached)” was given.") }
            if option.name == "help" { return help() }
            if option.name == "version", path.count == 1 { return .version }
            flags[option.name] = isOn
            return nil
        }
        let value: String
        if let attached { value = attached } else { value = try nextValue(of: option, spelling: spelling) }
        try check(value, shape: option.shape, choices: option.choices, of: "“\(spelling)”")
        given[option.name, default: []].append(value)
        return nil
    }

    private mutating func nextValue(of option: Option, spelling: String) throws(UsageError) -> String {
        guard case .value(let valueName, let shape) = option.kind else { return "" }
        guard let next = words.first else { throw wrong("“\(spelling)” needs a value: \(spelling) \(valueName).") }
        guard !next.hasPrefix("-") || next == "-" || shape.admits(dashed: next) else {
            throw wrong(
                "“\(spelling)” needs a value: \(spelling) \(valueName).",
                hint: "A value that begins with “-” is written --\(option.name)=\(next)")
        }
        words.removeFirst()
        return next
    }

    /// `--help` anywhere; the words after it may still name a command further down.
    private mutating func help() -> Program.Outcome {
        while let word = words.popFirst(), let next = command.subcommands.first(where: { $0.name == word }) {
            path.append(next)
        }
        return .help(path, isAsked: true)
    }

    // MARK: Commands and arguments

    private mutating func takePlain(_ word: String) throws(UsageError) -> Program.Outcome? {
        if positionals.isEmpty, !command.subcommands.isEmpty, !onlyValues {
            if word == "help" { return try helpCommand() }
            if let next = command.subcommands.first(where: { $0.name == word }) {
                path.append(next)
                return nil
            }
            guard command.run != nil, !command.arguments.isEmpty else { throw unknownCommand(word) }
        }
        positionals.append(word)
        if let last = command.arguments.last, last.count == .rest, positionals.count >= command.arguments.count {
            positionals += words
            words = []
        }
        return nil
    }

    private mutating func helpCommand() throws(UsageError) -> Program.Outcome {
        for word in words where !word.hasPrefix("-") {
            guard let next = command.subcommands.first(where: { $0.name == word }) else { throw unknownCommand(word) }
            path.append(next)
        }
        return .help(path, isAsked: true)
    }

    private func finish() throws(UsageError) -> Program.Outcome {
        guard command.run != nil else { return .help(path, isAsked: path.count == 1 && given.isEmpty) }
        let names = Set(options.map(\.name)).union(command.arguments.map(\.name))
        var parsed = Parsed(path: path.map(\.name), names: names)
        for option in options { try fill(option, in: &parsed) }
        try fillArguments(in: &parsed)
        return .run(command, parsed)
    }

    private func fill(_ option: Option, in parsed: inout Parsed) throws(UsageError) {
        let stood = option.environment.flatMap { name in environment[name].map { (name, $0) } }.flatMap {
            $0.1.isEmpty ? nil : $0
        }
        guard option.takesValue else {
            if case .toggle(let isOn) = option.kind { parsed.flags[option.name] = isOn }
            parsed.sources[option.name] = .standard
            if let isOn = flags[option.name] {
                parsed.flags[option.name] = isOn
                parsed.sources[option.name] = .commandLine
            } else if let (name, text) = stood {
                guard let isOn = truth(text) else {
                    throw wrong("The environment variable \(name) is “\(text)”, neither yes nor no.")
                }
                parsed.flags[option.name] = isOn
                parsed.sources[option.name] = .environment(name)
            }
            return
        }
        if let values = given[option.name] {
            parsed.texts[option.name] = option.repeats ? values : Array(values.suffix(1))
            parsed.sources[option.name] = .commandLine
        } else if let (name, text) = stood {
            try check(text, shape: option.shape, choices: option.choices, of: "the environment variable \(name)")
            parsed.texts[option.name] = [text]
            parsed.sources[option.name] = .environment(name)
        } else if let text = option.standard {
            parsed.texts[option.name] = [text]
            parsed.sources[option.name] = .standard
        } else if option.isRequired {
            let hint = option.environment.map { "It may also come from the environment variable \($0)." }
            throw wrong("“\(shownPath)” needs \(HelpPage.label(of: option)).", hint: hint)
        }
    }

    private func truth(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "1", "true", "yes", "on": true
        case "0", "false", "no", "off": false
        default: nil
        }
    }

    private func fillArguments(in parsed: inout Parsed) throws(UsageError) {
        var left = positionals[...]
        for (place, argument) in command.arguments.enumerated() {
            let neededLater = command.arguments[(place + 1)...].count { $0.isRequired }
            // What is there goes to the first that need it, so that the message names the one that is missing.
            let available = max(argument.isRequired ? min(1, left.count) : 0, left.count - neededLater)
            let taken = argument.takesMany ? available : min(1, available)
            guard taken > 0 else {
                guard argument.isRequired else { continue }
                throw wrong("“\(shownPath)” needs \(argument.shownName): \(argument.help.lowercasedFirst).")
            }
            let values = Array(left.prefix(taken))
            left = left.dropFirst(taken)
            for value in values {
                try check(value, shape: argument.shape, choices: argument.choices, of: argument.shownName)
            }
            parsed.texts[argument.name] = values
            parsed.sources[argument.name] = .commandLine
        }
        guard let extra = left.first else { return }
        let most = command.arguments.count
        let takes = most == 0 ? "no arguments" : most == 1 ? "one argument" : "at most \(most) arguments"
        throw wrong("“\(extra)” is one too many: “\(shownPath)” takes \(takes).")
    }

    // MARK: What can be wrong

    private func check(
        _ value: String, shape: ValueShape, choices: [String], of place: String
    ) throws(UsageError) {
        if let complaint = shape.complaint(about: value) { throw wrong("“\(value)” for \(place) \(complaint).") }
        guard !choices.isEmpty, !choices.contains(value) else { return }
        let known = choices.joined(separator: ", ")
        throw wrong("“\(value)” is not one of \(place)'s choices: \(known).\(Nearest.question(value, among: choices))")
    }

    private func wrong(_ message: String, hint: String? = nil) -> UsageError {
        UsageError(message, command: shownPath, hint: hint)
    }

    private func unknownCommand(_ word: String) -> UsageError {
        let names = command.subcommands.filter { !$0.isHidden }.map(\.name)
        let near = Nearest.question(word, among: names)
        let there = path.count == 1 ? "" : " in “\(shownPath)”"
        return wrong("There is no command “\(word)”\(there).\(near)")
    }

    private func unknownOption(_ spelling: String) -> UsageError {
        let known = options.filter { !$0.isHidden }.flatMap(\.spellings).filter { $0.hasPrefix("--") }
        let near = spelling.hasPrefix("--") ? Nearest.question(spelling, among: known, limit: 2) : ""
        var hint: String?
        if near.isEmpty, let owner = owner(of: spelling, below: path) {
            hint = "“\(spelling)” belongs to “\(owner)”; write it after that."
        }
        return wrong("“\(shownPath)” has no option “\(spelling)”.\(near)", hint: hint)
    }

    /// The first command further down that knows an option, for someone who wrote it too early.
    private func owner(of spelling: String, below path: [Command]) -> String? {
        for next in path[path.count - 1].subcommands where !next.isHidden {
            let longer = path + [next]
            if next.options.contains(where: { $0.spellings.contains(spelling) }) {
                return longer.map(\.name).joined(separator: " ")
            }
            if let owner = owner(of: spelling, below: longer) { return owner }
        }
        return nil
    }
}

extension Program {
    /// Every option known at the end of a path; `--version` is the program's alone.
    static func options(along path: [Command]) -> [Option] {
        path.enumerated().flatMap { depth, command in
            command.options.filter { depth > 0 || path.count == 1 || $0.name != "version" }
        }
    }
}

extension String {
    /// A help text, begun in the middle of a sentence. A word in capitals stays as it is.
    var lowercasedFirst: String {
        guard let first, let second = dropFirst().first, second.isLowercase || second == " " else { return self }
        return first.lowercased() + dropFirst()
    }
}
