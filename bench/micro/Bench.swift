// The ratios that the rooms below the socket are held to: the store against row tables, the index against SQL, the
// scanner against Foundation. A program and not a test suite, because it must be built for release, and because each
// section wants a process of its own: what one leaves in memory would be another one's figure. `bench/run` calls it
// section by section and holds the figures against bench/gates.json; this program judges nothing.
import Foundation
import MartletServer

@main
struct Bench {
    static let sections: [(name: String, run: @Sendable (Settings, inout Report) throws -> Void)] = [
        ("parse", Parsing.run), ("ingest", Ingest.run), ("producers", Producers.run),
        ("compaction", Compaction.run), ("bytes", BytesOnDisk.run), ("curves", Curves.run),
        ("journal", FullJournal.run), ("search", SearchAtSize.run), ("registry", Registry.run), ("wide", WideRuns.run),
        ("wide-ask", WideRuns.ask),
    ]

    static func main() {
        // As the server has it.
        FreedMemory.setRules()
        do {
            let settings = try Settings(Array(CommandLine.arguments.dropFirst()))
            guard let section = sections.first(where: { $0.name == settings.section }) else {
                throw Complaint("There is no section “\(settings.section)”.")
            }
            var report = Report()
            try section.run(settings, &report)
            print(try report.json())
        } catch {
            FileHandle.standardError.write(Data("martlet-bench: \(error)\n\n\(Settings.usage)\n".utf8))
            exit(2)
        }
    }
}

/// What can be asked for on the command line.
struct Settings {
    static let usage = """
        usage: martlet-bench SECTION --folder PATH [--rounds N] [--runs N] [--points N] [--experiments N] [--wide-runs N]
          SECTION is one of \(Bench.sections.map(\.name).joined(separator: ", "))
          --folder   where stores are made and removed again; on the disk that is to be measured
        """

    var section = ""
    var folder = ""
    /// How often each variant is measured; variants take turns.
    var rounds = 5
    var runs = 100_000
    var points = 10_000_000
    var experiments = 5
    var wideRuns = 300

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("--") else {
                section = word
                continue
            }
            guard let value = rest.popFirst() else { throw Complaint("\(word) wants a value.") }
            if word == "--folder" {
                folder = value
                continue
            }
            guard let number = Int(value), number > 0 else { throw Complaint("\(word) wants a number above 0.") }
            switch word {
            case "--rounds": rounds = number
            case "--runs": runs = number
            case "--points": points = number
            case "--experiments": experiments = number
            case "--wide-runs": wideRuns = number
            default: throw Complaint("There is no option \(word).")
            }
        }
        guard !section.isEmpty, !folder.isEmpty else { throw Complaint("A section and --folder are needed.") }
    }
}

struct Complaint: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
