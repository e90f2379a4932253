import MartletCLI
import Testing

@Suite("A command line says what it means") struct CommandlineTests {
    @Test("values stand after a space, after =, or against a short name")
    func spellingsOfValues() throws {
        for line in ["--limit 7", "--limit=7", "-n 7", "-n7", "-n=7", "-wn7", "-qwn 7"] {
            #expect(try Sample.parsed("runs list \(line)").integer("limit") == 7, "\(line)")
        }
        #expect(try Sample.parsed("runs list --filter=a=b").text("filter") == "a=b")
        #expect(try Sample.parsed("runs list --filter=").text("filter") == "")
    }

    @Test("options of a command above may stand before or after the command")
    func inheritedOptions() throws {
        #expect(try Sample.parsed("--store x runs list").text("store") == "x")
        #expect(try Sample.parsed("runs -s x list").text("store") == "x")
        #expect(try Sample.parsed("runs list iris -sx").text("store") == "x")
    }

    @Test("negative numbers are values, not options")
    func negativeNumbers() throws {
        #expect(try Sample.parsed("runs list --above -3").number("above") == -3)
        #expect(try Sample.parsed("runs list --above -inf").number("above") == -.infinity)
        #expect(try Sample.parsed("runs list --above nan").number("above")?.isNaN == true)
        #expect(try Sample.parsed("runs list -5").text("experiment") == "-5")
        #expect(try Sample.parsed("log metric r loss=-0.5e-3 --step -1").integer("step") == -1)
    }

    @Test("after -- nothing is an option")
    func end() throws {
        #expect(try Sample.parsed("runs compare -- --wide -n --").all("run") == ["--wide", "-n", "--"])
        #expect(try Sample.parsed("exec -- python --help").all("program") == ["python", "--help"])
    }

    @Test("the rest belongs to another program, its options too")
    func rest() throws {
        let parsed = try Sample.parsed("exec --dry python train.py --dry --nonsense -- -x --help")
        #expect(parsed.all("program") == ["python", "train.py", "--dry", "--nonsense", "--", "-x", "--help"])
        #expect(parsed.isOn("dry"))
    }

    @Test("a repeated option keeps every value in order, another the last")
    func repeats() throws {
        let parsed = try Sample.parsed("runs list -c a --column=b -cc --limit 1 --limit 2")
        #expect(parsed.all("column") == ["a", "b", "c"])
        #expect(parsed.integer("limit") == 2)
    }

    @Test("the command line wins over the environment, the environment over the default")
    func sources() throws {
        let environment = ["MARTLET_TRACKING_URI": "http://there", "MARTLET_PAGER": "off"]
        let both = try Sample.parsed("--store here --pager runs list", environment: environment)
        #expect(both.text("store") == "here")
        #expect(both.source(of: "store") == .commandLine)
        #expect(both.isOn("pager"))
        let stood = try Sample.parsed("runs list", environment: environment)
        #expect(stood.text("store") == "http://there")
        #expect(stood.source(of: "store") == .environment("MARTLET_TRACKING_URI"))
        #expect(!stood.isOn("pager"))
        let empty = try Sample.parsed("runs list", environment: ["MARTLET_TRACKING_URI": "", "MARTLET_PAGER": ""])
        #expect(empty.text("store") == nil)
        #expect(empty.isOn("pager"))
        #expect(empty.source(of: "limit") == .standard)
    }

    @Test("a switch has two sides, and the last word wins")
    func toggles() throws {
        #expect(try Sample.parsed("--no-pager runs list").isOn("pager") == false)
        #expect(try Sample.parsed("--no-pager runs list --pager").isOn("pager"))
    }

    @Test("pairs keep every = but the first")
    func pairs() throws {
        let parsed = try Sample.parsed("log metric run_01 loss=0.1 acc/top=nan")
        #expect(parsed.text("run") == "run_01")
        let values = parsed.numberPairs("value")
        #expect(values.map(\.key) == ["loss", "acc/top"])
        #expect(values[0].value == 0.1 && values[1].value.isNaN)
        #expect(ValueShape.pair(in: "a=b=c")?.value == "b=c")
        #expect(ValueShape.pair(in: "=b") == nil)
    }

    @Test(
        "a mistake is named, with what was probably meant",
        arguments: [
            ("rusn", "There is no command “rusn”. Did you mean “runs”?"),
            ("runs lst", "There is no command “lst” in “martlet runs”. Did you mean “list”?"),
            ("runs list --limt 3", "“martlet runs list” has no option “--limt”. Did you mean “--limit”?"),
            ("runs list --no-limit", "“martlet runs list” has no option “--no-limit”."),
            ("runs list -x", "“martlet runs list” has no option “-x”."),
            (
                "--wide runs list",
                "“martlet” has no option “--wide”. “--wide” belongs to “martlet runs list”; write it after that."
            ),
            ("runs list --limit many", "“many” for “--limit” is not a whole number."),
            ("runs list --limit -1", "“-1” for “--limit” is less than 0."),
            ("runs list --limit 99999999999999999999", "“99999999999999999999” for “--limit” is not a whole number."),
            ("runs list --above 0x10", "“0x10” for “--above” is not a number."),
            ("runs list --limit", "“--limit” needs a value: --limit N."),
            ("runs list --wide=yes", "“--wide” takes no value, but “yes” was given."),
            (
                "runs list --filter --wide",
                "“--filter” needs a value: --filter EXPR. A value that begins with “-” is written --filter=--wide"
            ),
            (
                "runs list --format jsn",
                "“jsn” is not one of “--format”'s choices: table, json, csv. Did you mean “json”?"
            ),
            ("runs list a b", "“b” is one too many: “martlet runs list” takes one argument."),
            ("runs compare", "“martlet runs compare” needs RUN: the runs."),
            ("get run_01", "“martlet get” needs PATH: its path."),
            ("log metric r loss", "“loss” for VALUE is not of the form key=number."),
            ("log metric r loss=low", "“loss=low” for VALUE has no number after “loss=”."),
            ("completions zhs", "“zhs” is not one of SHELL's choices: bash, zsh, fish. Did you mean “zsh”?"),
        ])
    func mistakes(_ line: String, _ message: String) {
        #expect(Sample.complaint(line) == message)
    }

    @Test("a wrong value in the environment is blamed on the environment")
    func wrongEnvironment() {
        #expect(
            Sample.complaint("runs list", environment: ["MARTLET_PAGER": "maybe"])
                == "The environment variable MARTLET_PAGER is “maybe”, neither yes nor no.")
    }

    @Test("a mistake exits with 2 and points at help; a failed command keeps its own code")
    func exitCodes() async {
        let usage = RecordedTerminal()
        #expect(await Sample.program.run(["runs", "lits"], in: usage) == .usage)
        #expect(usage.output == "")
        #expect(
            usage.errors == """
                error: There is no command “lits” in “martlet runs”. Did you mean “list”?
                       See: martlet runs --help

                """)
        let failure = RecordedTerminal()
        #expect(await Sample.program.run(["get", "x", "y"], in: failure) == .notFound)
        #expect(
            failure.errors == """
                error: There is no run “x\\u{1b}[2J”.
                       List them with `runs list`.

                """)
        let good = RecordedTerminal()
        #expect(await Sample.program.run(["runs", "list"], in: good) == .good)
        #expect(good.output == "martlet runs list\n")
        let all: [ExitCode] = [.good, .no, .usage, .notFound, .refused]
        #expect(all.map(\.rawValue) == [0, 1, 2, 3, 4])
    }

    @Test("random words never stop the program, and what is understood is complete")
    func randomWords() {
        let pieces = [
            "runs", "list", "compare", "log", "metric", "exec", "get", "help", "--", "-", "-n", "--limit", "--limit=",
            "=", "-5", "-nw", "--no-pager", "--store", "a=1", "é", "\u{202E}", "", "--help", "--=x", "---", "-=",
            "--no-",
            "completions", "bash", "-h", "--version", "-s", "x y", "\0", "🏳️‍🌈",
        ]
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Seeded(state: seed)
        var understood = 0
        for _ in 0..<20_000 {
            let words = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                pieces[Int.random(in: 0..<pieces.count, using: &random)]
            }
            guard let outcome = try? Sample.program.read(words) else { continue }
            guard case .run(let command, let parsed) = outcome else { continue }
            understood += 1
            for argument in command.arguments where argument.count == .one || argument.count == .oneOrMore {
                #expect(!parsed.all(argument.name).isEmpty, "seed \(seed): \(words)")
            }
        }
        #expect(understood > 0, "seed \(seed)")
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
