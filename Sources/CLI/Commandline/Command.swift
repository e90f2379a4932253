/// The command line, declared as a tree of values: what each command takes, says about itself and does.
///
/// Parsing, help and the completions of three shells all read this one tree, so they cannot disagree.
/// Nothing here touches the process: words and environment come in as values, and text goes out through a `Terminal`.
package struct Command: Sendable {
    package typealias Run = @Sendable (Parsed, any Terminal) async throws -> ExitCode

    package var name: String
    /// One line, a sentence without its full stop; stands in lists of commands.
    package var summary: String
    /// Paragraphs for the command's own help, an empty line between them.
    package var discussion: String
    package var arguments: [Argument]
    /// Known to this command and to every command below it.
    package var options: [Option]
    package var examples: [Example]
    package var subcommands: [Command]
    /// Works, but stands in no list: an old spelling, or something only our own scripts call.
    package var isHidden: Bool
    /// Nil for a group that only holds other commands.
    package var run: Run?

    package init(
        _ name: String, summary: String, discussion: String = "", arguments: [Argument] = [], options: [Option] = [],
        examples: [Example] = [], subcommands: [Command] = [], isHidden: Bool = false, run: Run? = nil
    ) {
        (self.name, self.summary, self.discussion) = (name, summary, discussion)
        (self.arguments, self.options, self.examples) = (arguments, options, examples)
        (self.subcommands, self.isHidden, self.run) = (subcommands, isHidden, run)
    }
}

/// A line to try, and what it does.
package struct Example: Hashable, Sendable {
    package var line: String
    package var note: String
    package init(_ line: String, _ note: String = "") { (self.line, self.note) = (line, note) }
}

/// A value told by its place.
package struct Argument: Hashable, Sendable {
    package enum Count: Hashable, Sendable {
        case one
        case optional
        case oneOrMore
        case any
        /// Everything from here on, options of other programs included, as after `--`: `martlet run python train.py -v`.
        case rest
    }

    /// Under this name the command asks for it; shown in capitals.
    package var name: String
    package var help: String
    package var count: Count
    package var shape: ValueShape
    package var choices: [String]
    package var candidates: Candidates

    package init(
        _ name: String, _ help: String, count: Count = .one, shape: ValueShape = .text, choices: [String] = [],
        candidates: Candidates = .none
    ) {
        (self.name, self.help, self.count, self.shape) = (name, help, count, shape)
        (self.choices, self.candidates) = (choices, candidates)
    }

    package var shownName: String { name.uppercased() }
    var isRequired: Bool { count == .one || count == .oneOrMore }
    var takesMany: Bool { count == .oneOrMore || count == .any || count == .rest }

    /// As it stands in a usage line.
    var usage: String {
        switch count {
        case .one: shownName
        case .optional: "[\(shownName)]"
        case .oneOrMore: "\(shownName)…"
        case .any, .rest: "[\(shownName)…]"
        }
    }
}

/// A value or a switch told by its name.
package struct Option: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// There or not there.
        case flag
        /// `--x` and `--no-x`; the command line's last word wins.
        case toggle(isOn: Bool)
        case value(name: String, shape: ValueShape)
    }

    /// Without its dashes; under this name the command asks for it.
    package var name: String
    package var short: Character?
    package var help: String
    package var kind: Kind
    /// Used when neither the command line nor the environment says anything; shown in help.
    package var standard: String?
    /// An environment variable that stands in for the option. Empty counts as unset.
    package var environment: String?
    package var choices: [String]
    package var candidates: Candidates
    package var repeats: Bool
    package var isRequired: Bool
    package var isHidden: Bool

    /// An option with a value: `--limit N`.
    package init(
        _ name: String, short: Character? = nil, value: String, _ help: String, shape: ValueShape = .text,
        standard: String? = nil, environment: String? = nil, choices: [String] = [], candidates: Candidates = .none,
        repeats: Bool = false, isRequired: Bool = false, isHidden: Bool = false
    ) {
        (self.name, self.short, self.help, self.kind) = (name, short, help, .value(name: value, shape: shape))
        (self.standard, self.environment, self.choices) = (standard, environment, choices)
        (self.candidates, self.repeats, self.isRequired, self.isHidden) = (candidates, repeats, isRequired, isHidden)
    }

    private init(name: String, short: Character?, help: String, kind: Kind, environment: String?, isHidden: Bool) {
        (self.name, self.short, self.help, self.kind) = (name, short, help, kind)
        (self.environment, self.isHidden) = (environment, isHidden)
        (standard, choices, candidates, repeats, isRequired) = (nil, [], .none, false, false)
    }

    package static func flag(
        _ name: String, short: Character? = nil, _ help: String, environment: String? = nil, isHidden: Bool = false
    ) -> Option {
        Option(name: name, short: short, help: help, kind: .flag, environment: environment, isHidden: isHidden)
    }

    package static func toggle(
        _ name: String, short: Character? = nil, _ help: String, isOn: Bool, environment: String? = nil
    ) -> Option {
        Option(
            name: name, short: short, help: help, kind: .toggle(isOn: isOn), environment: environment, isHidden: false)
    }

    package var takesValue: Bool {
        if case .value = kind { true } else { false }
    }

    var shape: ValueShape {
        if case .value(_, let shape) = kind { shape } else { .text }
    }

    /// Every spelling that the command line accepts.
    package var spellings: [String] {
        var spellings = ["--\(name)"]
        if case .toggle = kind { spellings.append("--no-\(name)") }
        if let short { spellings.append("-\(short)") }
        return spellings
    }
}
