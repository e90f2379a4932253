import MartletClient
import MartletDomain
import MartletHTTPMessages
import MartletJSON

extension World {
    var prune: Command {
        command(
            "prune", "Delete old runs, but never those tagged production",
            discussion: """
                Runs that ended longer ago than this are deleted; `martlet runs restore` brings each back. --purge \
                deletes them for good, and their bytes go with the server's next housekeeping.
                """,
            options: [
                Option("older-than", value: "AGE", "Such as 30d, 12w, 6m or 2y", isRequired: true), Shared.experiment,
                Option("filter", short: "f", value: "EXPR", "Only runs for which this holds"),
                Option("keep-tag", value: "TAG", "Keep runs with this tag too: key, or key=value", repeats: true),
                .flag("dry-run", "Only say which they are"),
                .flag("purge", "For good, which nothing brings back (needs --yes)"), Shared.yes,
            ],
            examples: [
                Example("martlet prune --older-than 6m --dry-run"),
                Example("martlet prune --older-than 1y --keep-tag baseline -e digits"),
            ]
        ) { session in
            try session.prune()
        }
    }
}

extension Session {
    fileprivate func prune() throws(CommandFailure) -> ExitCode {
        let text = parsed.text("older-than") ?? ""
        guard let age = Age(text) else {
            throw CommandFailure(.usage, "“\(text)” is not an age.", remedy: "Write 30d, 12w, 6m or 2y.")
        }
        if parsed.isOn("purge"), !parsed.isOn("dry-run"), !parsed.isOn("yes") {
            throw CommandFailure(
                .usage, "--purge deletes runs for good.", remedy: "Look with --dry-run first, then add --yes.")
        }
        let before = age.before(world.now())
        var filter = "ended < '\(before.iso)'"
        if let more = parsed.text("filter") { filter += " AND (\(more))" }
        let keep = ["production"] + parsed.all("keep-tag")
        let found = try runs(of: parsed.text("experiment"), filter: filter, limit: nil).runs
        let old = found.filter { run in !keep.contains { Session.has(run, tag: $0) } }
        let kept = found.count - old.count
        for run in old {
            let when = run.end.map { TimeText.date($0.millis) } ?? "-"
            if parsed.isOn("dry-run") {
                line("\(Escape.text(run.experiment))/\(run.shown)  \(when)  \(Escape.text(run.name))")
            } else {
                let isForGood = parsed.isOn("purge")
                try api.send(.delete, ["runs", run.id], isForGood ? [("permanent", "true")] : [])
            }
        }
        let verb = parsed.isOn("dry-run") ? "would be deleted" : parsed.isOn("purge") ? "deleted for good" : "deleted"
        let because = kept > 0 ? " \(kept) kept for their tags." : ""
        note(
            "\(old.count) \(old.count == 1 ? "run" : "runs") \(verb), ended before \(before.iso.prefix(10)).\(because)")
        return .good
    }

    /// The key, with any value, or `key=value`; `stage=production` is tagged production too.
    private static func has(_ run: RunRecord, tag: String) -> Bool {
        let tags = run.json["tags"]?.object?.members ?? []
        if let pair = ValueShape.pair(in: tag) {
            return tags.contains { $0.key == pair.key && $0.value.string == pair.value }
        }
        return tags.contains { $0.key == tag || $0.value.string == tag }
    }
}

/// `30d`, `12w`, `6m`, `2y`: months of 30.44 days, years of 365.25.
struct Age: Equatable {
    var days: Double

    init?(_ text: String) {
        guard let unit = text.last, let count = Int(text.dropLast()), count >= 0 else { return nil }
        switch unit {
        case "d": days = Double(count)
        case "w": days = Double(count) * 7
        case "m": days = Double(count) * 30.4375
        case "y": days = Double(count) * 365.25
        default: return nil
        }
        guard days < 200_000 else { return nil }
    }

    func before(_ now: Timestamp) -> Timestamp { now.adding(seconds: -days * 86_400) }
}
