import MartletJSON

/// What an import brought: how much is there, how much of it is here, and what is not.
struct ImportReport {
    struct Count {
        private(set) var there = 0
        private(set) var here = 0
        mutating func add(there: Int, here: Int) {
            self.there += there
            self.here += here
        }
        var isWhole: Bool { here >= there }
    }

    /// Places that were left where they are, and how many runs and models point there.
    struct Elsewhere {
        private(set) var counts: [String: Int] = [:]
        mutating func add(_ uri: String) {
            guard let scheme = uri.firstRange(of: "://"), !uri.hasPrefix("file:") else {
                counts["a path of that machine", default: 0] += 1
                return
            }
            let host = uri[scheme.upperBound...].prefix { $0 != "/" }
            counts["\(uri[..<scheme.upperBound])\(host)", default: 0] += 1
        }
    }

    var experiments = Count()
    var runs = Count()
    var params = Count()
    var tags = Count()
    var metrics = Count()
    var points = Count()
    var inputs = Count()
    var loggedModels = Count()
    var models = Count()
    var versions = Count()
    var traces = Count()
    var files = Count()
    /// Bytes of files that were copied now.
    var bytes: Int64 = 0
    var references = 0
    /// Points that stood there more than once, the same in step, time and value.
    var repeats = 0
    var elsewhere = Elsewhere()
    var renumbered: [String] = []
    var leftAlone: [String] = []
    var problems: [String] = []

    private var rows: [(name: String, key: String, count: Count)] {
        [
            ("Experiments", "experiments", experiments), ("Runs", "runs", runs), ("Params", "params", params),
            ("Tags", "tags", tags), ("Metrics", "metrics", metrics), ("Points", "points", points),
            ("Inputs and outputs", "inputs", inputs), ("Logged models", "logged_models", loggedModels),
            ("Registered models", "models", models), ("Model versions", "versions", versions),
            ("Traces", "traces", traces), ("Files", "files", files),
        ]
    }

    var isWhole: Bool { problems.isEmpty && rows.allSatisfy(\.count.isWhole) }

    var table: Table {
        var table = Table([.text(""), .number("There"), .number("Here")])
        for (name, _, count) in rows where count.there > 0 {
            table.add([
                .init(name), .init(NumberText.grouped(count.there), exact: "\(count.there)"),
                count.isWhole
                    ? .init(NumberText.grouped(min(count.here, count.there)), exact: "\(count.here)")
                    : .init(NumberText.grouped(count.here), exact: "\(count.here)", .red),
            ])
        }
        return table
    }

    var notes: [String] {
        var notes: [String] = []
        if bytes > 0 { notes.append("\(NumberText.bytes(bytes)) of files were copied.") }
        if references > 0 {
            notes.append("\(NumberText.grouped(references)) files stay where they are; the runs name them.")
        }
        for (place, count) in elsewhere.counts.sorted(by: { $0.key < $1.key }) {
            notes.append(
                "The artifacts of \(NumberText.grouped(count)) runs and models stay where they are, at \(place): clients read them there with their own credentials."
            )
        }
        if repeats > 0 {
            notes.append(
                "\(NumberText.grouped(repeats)) points stood there more than once, the same in step, time and value; each is here once."
            )
        }
        notes += renumbered.map { "The experiment \($0): its number was taken." }
        notes += leftAlone.prefix(10).map { "Left alone: \($0)." }
        return notes
    }

    var json: JSONValue {
        var object = JSONObject()
        for (_, key, count) in rows {
            object[key] = ["there": .int(Int64(count.there)), "here": .int(Int64(count.here))]
        }
        object["bytes_copied"] = .int(bytes)
        object["references"] = .int(Int64(references))
        object["repeats"] = .int(Int64(repeats))
        object["notes"] = .array(notes.map { .string($0) })
        object["problems"] = .array(problems.map { .string($0) })
        object["whole"] = .bool(isWhole)
        return .object(object)
    }
}
