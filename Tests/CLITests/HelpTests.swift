import MartletCLI
import Testing

@Suite("Help is where one looks for it, and fits") struct HelpTests {
    private func shown(_ words: [String], columns: Int? = nil) async -> (ExitCode, RecordedTerminal) {
        let terminal = RecordedTerminal(columns: columns, environment: ["NO_COLOR": "1"])
        return (await Sample.program.run(words, in: terminal), terminal)
    }

    @Test("a page says what, how, and ends with an example")
    func page() async {
        let (code, terminal) = await shown(["runs", "list", "--help"], columns: 80)
        #expect(code == .good)
        #expect(
            terminal.output == """
                List the runs of an experiment.

                Usage: martlet runs list [OPTIONS] [EXPERIMENT]

                Shows the newest runs first. Columns that do not fit are left out and counted;
                --wide shows them all, whatever the width of the window.

                A filter is written as in the search box.

                Arguments:
                  [EXPERIMENT]  Name or id of the experiment

                Options:
                  -n, --limit N        At most so many runs (default: 100)
                      --filter EXPR    Only runs for which this holds
                      --above X        Only runs above this
                      --format FORMAT  How to print them (one of table, json, csv; default:
                                       table)
                  -c, --column NAME…   Show this column (may be repeated)
                  -w, --wide           Show every column

                Options of every command:
                  -s, --store PLACE  The store (env: MARTLET_TRACKING_URI)
                      --[no-]pager   Page long output (default: on; env: MARTLET_PAGER)
                  -q, --quiet        Say less
                  -h, --help         Show help for a command

                Example:
                  # the last five
                  martlet runs list iris --limit 5

                """)
    }

    @Test(
        "help is found from every side",
        arguments: [
            ["runs", "list", "--help"], ["runs", "--help", "list"], ["--help", "runs", "list"],
            ["help", "runs", "list"],
            ["runs", "help", "list"], ["runs", "list", "-h"], ["runs", "list", "-wh"],
            ["runs", "list", "--nonsense", "--help"],
        ])
    func everySide(_ words: [String]) async {
        let (code, terminal) = await shown(words)
        #expect(code == .good)
        #expect(terminal.output.hasPrefix("List the runs of an experiment.\n"))
    }

    @Test("a group without a command shows its help as a mistake, the program alone as a welcome")
    func groups() async {
        let (code, terminal) = await shown(["runs"])
        #expect(code == .usage)
        #expect(
            terminal.output == "" && terminal.errors.hasPrefix("Look at runs.\n\nUsage: martlet runs [OPTIONS] COMMAND")
        )
        let (welcome, page) = await shown([])
        #expect(welcome == .good)
        #expect(page.output.contains("\n  log          Log values from a shell\n"))
    }

    @Test("no page is wider than 100 columns, or than the window, and each ends with an example")
    func widths() async {
        let pages = [
            [], ["runs"], ["runs", "list"], ["runs", "compare"], ["log"], ["log", "metric"], ["exec"], ["get"],
            ["completions"], ["help"],
        ]
        for words in pages {
            for columns in [50, 100, 240] {
                let (_, terminal) = await shown(["help"] + words, columns: columns)
                let lines = terminal.output.split(separator: "\n")
                for line in lines { #expect(DisplayWidth.of(String(line)) <= min(100, columns), "\(words): \(line)") }
                #expect(lines.last?.contains("martlet ") == true)
            }
        }
    }

    @Test("the version is the program's alone")
    func version() async {
        let (code, terminal) = await shown(["--version"])
        #expect(code == .good && terminal.output == "martlet 1.2.3\n")
        #expect(Sample.complaint("runs list --version").hasPrefix("“martlet runs list” has no option “--version”."))
    }

    @Test("a tree without faults has none")
    func noFaults() { #expect(Sample.program.faults() == []) }

    @Test("faults of a tree are found: doubled names, refused defaults, examples that do not parse")
    func faults() {
        let broken = Program(
            Command(
                "martlet", summary: "Ends with a dot.",
                subcommands: [
                    Command(
                        "a", summary: "A",
                        arguments: [Argument("x", "", count: .any), Argument("x", "", count: .any)],
                        options: [
                            Option("n", short: "h", value: "N", "", shape: .integer, standard: "many"),
                            Option("f", value: "F", "", standard: "z", choices: ["y"]),
                        ],
                        examples: [Example("martlet a --nothing"), Example("other a")], run: Sample.echo),
                    Command("a", summary: "A", run: Sample.echo),
                    Command("b", summary: "B"),
                    Command(
                        "c", summary: "C",
                        examples: [Example("martlet c " + String(repeating: "x", count: 100))], run: Sample.echo),
                ]), version: "1")
        let faults = broken.faults().joined(separator: "\n")
        for part in [
            "martlet: the summary", "two commands are named a", "martlet b: does nothing", "-h means two options",
            "two values are named x", "--n's default is not a whole number", "--f's default is not among",
            "two arguments take many values", "does not begin with martlet: other a", "has no option “--nothing”",
            "martlet b: help has no example", "is wider than 100 columns", "is one too many",
        ] {
            #expect(faults.contains(part), "\(part)")
        }
    }
}
