import MartletCLI
import MartletClient

/// A small tree with one of everything, in the words of the product.
enum Sample {
    static let list = Command(
        "list", summary: "List the runs of an experiment",
        discussion: """
            Shows the newest runs first. Columns that do not fit are left out and counted; --wide shows them all, \
            whatever the width of the window.

            A filter is written as in the search box.
            """,
        arguments: [Argument("experiment", "Name or id of the experiment", count: .optional)],
        options: [
            Option("limit", short: "n", value: "N", "At most so many runs", shape: .count, standard: "100"),
            Option("filter", value: "EXPR", "Only runs for which this holds"),
            Option("above", value: "X", "Only runs above this", shape: .number),
            Option(
                "format", value: "FORMAT", "How to print them", standard: "table", choices: ["table", "json", "csv"]),
            Option("column", short: "c", value: "NAME", "Show this column", repeats: true),
            .flag("wide", short: "w", "Show every column"),
        ],
        examples: [Example("martlet runs list iris --limit 5", "the last five")],
        run: echo)

    static let compare = Command(
        "compare", summary: "Show what differs between runs",
        arguments: [Argument("run", "The runs", count: .oneOrMore, candidates: .answer(["names"]))],
        examples: [Example("martlet runs compare run_01 run_02 | less")], run: echo)

    static let metric = Command(
        "metric", summary: "Log values of metrics",
        arguments: [
            Argument("run", "The run to log to"),
            Argument("value", "Values", count: .oneOrMore, shape: .numberPair),
        ],
        options: [Option("step", value: "N", "Their step", shape: .integer)],
        examples: [Example("martlet log metric run_01 loss=0.1 --step 3")], run: echo)

    static let exec = Command(
        "exec", summary: "Run a program as a run",
        arguments: [Argument("program", "The program and its own arguments", count: .rest)],
        options: [.flag("dry", "Only say what would be done")],
        examples: [Example("martlet exec python train.py --lr 0.1")], run: echo)

    static let get = Command(
        "get", summary: "Fetch an artifact",
        arguments: [Argument("run", "The run"), Argument("path", "Its path")],
        options: [Option("output", short: "o", value: "FILE", "Where to put it", candidates: .files)],
        examples: [Example("martlet get run_01 model.bin -o model.bin")],
        run: { _, _ in
            throw CommandFailure(.notFound, "There is no run “x\u{1B}[2J”.", remedy: "List them with `runs list`.")
        })

    static let root = Command(
        "martlet", summary: "Keep and compare experiments",
        options: [
            Option(
                "store", short: "s", value: "PLACE", "The store", environment: "MARTLET_TRACKING_URI",
                candidates: .folders),
            .toggle("pager", "Page long output", isOn: true, environment: "MARTLET_PAGER"),
            .flag("quiet", short: "q", "Say less"),
        ],
        subcommands: [
            Command("runs", summary: "Look at runs", subcommands: [list, compare]),
            Command("log", summary: "Log values from a shell", subcommands: [metric]),
            exec, get,
        ])

    static let program = Program(root, version: "1.2.3")

    @Sendable static func echo(_ parsed: Parsed, _ terminal: any Terminal) -> ExitCode {
        terminal.line(parsed.path.joined(separator: " "))
        return .good
    }

    /// What a command line that must be right comes to.
    static func parsed(_ line: String, environment: [String: String] = [:]) throws -> Parsed {
        let words = line.split(separator: " ").map(String.init)
        guard case .run(_, let parsed) = try program.read(words, environment: environment) else {
            throw NotACommand(line: line)
        }
        return parsed
    }

    struct NotACommand: Error { var line: String }

    /// What is said about a command line that must be wrong.
    static func complaint(_ line: String, environment: [String: String] = [:]) -> String {
        complaint(line.split(separator: " ").map(String.init), environment: environment)
    }

    static func complaint(_ words: [String], environment: [String: String] = [:]) -> String {
        do throws(UsageError) {
            _ = try program.read(words, environment: environment)
            return "(understood)"
        } catch {
            return error.message + (error.hint.map { " " + $0 } ?? "")
        }
    }
}
