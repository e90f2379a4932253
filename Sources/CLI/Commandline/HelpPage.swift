/// The help of one command, laid out for a width. Never wider than 100 columns, whatever the terminal.
struct HelpPage {
    static let widthMax = 100
    /// Longer labels push their text onto the next line instead of pushing every text to the right.
    private static let labelMax = 28

    var path: [Command]
    var examples: [Example]

    func rendered(width: Int, paint: Paint) -> String {
        let width = min(HelpPage.widthMax, max(40, width))
        guard let command = path.last else { return "" }
        var sections: [[String]] = []
        sections.append(Wrap.lines(command.summary + ".", width: width))
        sections.append(usage(of: command, width: width, paint: paint))
        for paragraph in HelpPage.paragraphs(command.discussion) {
            sections.append(Wrap.lines(paragraph, width: width))
        }
        let commands = command.subcommands.filter { !$0.isHidden }
        sections.append(
            list("Commands", commands.map { ($0.name, $0.summary) }, width: width, paint: paint))
        sections.append(
            list(
                "Arguments", command.arguments.map { ($0.usage, HelpPage.text(of: $0)) }, width: width, paint: paint))
        let own = command.options.filter { !$0.isHidden }
        let all = Program.options(along: path).filter { !$0.isHidden }
        let inherited = all.filter { !own.contains($0) }
        sections.append(list("Options", own.map(HelpPage.entry(of:)), width: width, paint: paint))
        sections.append(
            list(
                own.isEmpty ? "Options" : "Options of every command", inherited.map(HelpPage.entry(of:)), width: width,
                paint: paint))
        sections.append(exampleLines(width: width, paint: paint))
        return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    private func usage(of command: Command, width: Int, paint: Paint) -> [String] {
        var parts = [path.map(\.name).joined(separator: " ")]
        if !Program.options(along: path).isEmpty { parts.append("[OPTIONS]") }
        let required = Program.options(along: path).filter { $0.isRequired && $0.environment == nil }
        parts += required.map { HelpPage.label(of: $0) }
        if command.subcommands.isEmpty || command.run != nil { parts += command.arguments.map(\.usage) }
        if !command.subcommands.isEmpty { parts.append(command.run == nil ? "COMMAND" : "[COMMAND]") }
        let lines = Wrap.lines(parts.joined(separator: " "), width: width - 7)
        return lines.enumerated().map { ($0 == 0 ? paint("Usage:", .bold) : "      ") + " " + $1 }
    }

    private static func paragraphs(_ text: String) -> [String] {
        var paragraphs: [String] = []
        var lines: [Substring] = []
        for line in (text + "\n").split(separator: "\n", omittingEmptySubsequences: false) {
            if !line.allSatisfy(\.isWhitespace) {
                lines.append(line)
            } else if !lines.isEmpty {
                paragraphs.append(lines.joined(separator: " "))
                lines = []
            }
        }
        return paragraphs
    }

    private func list(_ title: String, _ entries: [(String, String)], width: Int, paint: Paint) -> [String] {
        guard !entries.isEmpty else { return [] }
        let labels = entries.map { DisplayWidth.of($0.0) }
        let labelMax = min(HelpPage.labelMax, width / 3)
        let label = labels.filter { $0 <= labelMax }.max() ?? labelMax
        let indent = 2 + label + 2
        var lines = [paint(title + ":", .bold)]
        for (entry, size) in zip(entries, labels) {
            let texts = Wrap.lines(entry.1, width: width - indent)
            let margin = String(repeating: " ", count: indent)
            if size > label {
                lines.append("  " + entry.0)
                lines += texts.map { margin + $0 }
            } else {
                let padding = String(repeating: " ", count: label - size + 2)
                lines.append(texts.isEmpty ? "  " + entry.0 : "  " + entry.0 + padding + texts[0])
                lines += texts.dropFirst().map { margin + $0 }
            }
        }
        return lines
    }

    private func exampleLines(width: Int, paint: Paint) -> [String] {
        guard !examples.isEmpty else { return [] }
        var lines = [paint(examples.count == 1 ? "Example:" : "Examples:", .bold)]
        for example in examples {
            if !example.note.isEmpty {
                lines += Wrap.lines(example.note, width: width - 4).map { "  " + paint("# " + $0, .dim) }
            }
            lines.append("  " + example.line)
        }
        return lines
    }

    // MARK: Options in words

    private static func entry(of option: Option) -> (String, String) {
        let short = option.short.map { "-\($0), " } ?? "    "
        return (short + label(of: option), text(of: option))
    }

    /// `--limit N`, `--[no-]color`.
    static func label(of option: Option) -> String {
        switch option.kind {
        case .flag: "--\(option.name)"
        case .toggle: "--[no-]\(option.name)"
        case .value(let name, _): "--\(option.name) \(name)" + (option.repeats ? "…" : "")
        }
    }

    private static func text(of option: Option) -> String {
        var notes: [String] = []
        if !option.choices.isEmpty { notes.append("one of " + option.choices.joined(separator: ", ")) }
        if case .toggle(let isOn) = option.kind { notes.append("default: " + (isOn ? "on" : "off")) }
        if let standard = option.standard { notes.append("default: \(standard)") }
        if let name = option.environment { notes.append("env: \(name)") }
        if option.isRequired { notes.append("required") }
        if option.repeats { notes.append("may be repeated") }
        return option.help + (notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))")
    }

    private static func text(of argument: Argument) -> String {
        argument.choices.isEmpty
            ? argument.help : argument.help + " (one of \(argument.choices.joined(separator: ", ")))"
    }
}
