import Glibc
import MartletArtifacts
import MartletClient
import MartletDomain
import MartletForeign
import MartletHTTPClient
import MartletHTTPMessages
import MartletJSON

/// Takes the runs of a folder of TensorBoard's event files into a store while they grow.
///
/// An event file is a logbook in another hand: it is only appended to, and read again it says the same again. So each file
/// is a writer of the store, its lines numbered as they are read, and what the store has already is not sent twice,
/// however often the follower is stopped and started.
struct EventFollower {
    let root: String
    let experiment: String
    private var outbox: LogbookOutbox
    private var runs: [String: EventRun] = [:]
    private(set) var problems: [String] = []

    /// A run in whose files nothing has come for so long is over.
    static let quietSeconds = 600.0

    init(_ root: String, experiment: String, into backend: any Backend) {
        (self.root, self.experiment) = (root, experiment)
        outbox = LogbookOutbox(backend)
    }

    /// How many runs there are, and how many points came since the last time.
    private(set) var points = 0
    var runCount: Int { runs.count }

    /// Takes in what is new. Whether anything was.
    mutating func pass() throws -> Bool {
        let before = outbox.sent
        points = 0
        for folder in EventFolder.all(beneath: root) {
            var run = runs[folder.path] ?? EventRun(folder, experiment)
            for path in folder.files {
                points += try run.take(path, &outbox)
            }
            try run.sayHowItIs(&outbox, quietAfter: EventFollower.quietSeconds)
            runs[folder.path] = run
        }
        try outbox.flush()
        problems = runs.values.flatMap(\.problems).sorted()
        return outbox.sent > before
    }

    /// Nobody follows any more: as far as anyone knows the runs are over.
    mutating func finish() throws {
        for path in runs.keys.sorted() { try runs[path]?.sayHowItIs(&outbox, quietAfter: 0) }
        try outbox.flush()
    }
}

/// One folder, and how far each of its files has been read.
private struct EventRun {
    private let folder: EventFolder
    private let experiment: String
    private let id: RunID
    private var files: [String: Reading] = [:]
    /// The newest event's time, in seconds since 1970.
    private var newest = 0.0
    /// What the run's own session said.
    private var hasFailed = false
    private var isOver = false
    /// Whether something came that the store did not have.
    private var hasNews = false

    private struct Reading {
        var file: EventFile
        var reader = EventReader()
        var writer: String
        var sequence: Int64 = 0
        var skippedEvents = 0
    }

    init(_ folder: EventFolder, _ experiment: String) {
        (self.folder, self.experiment) = (folder, experiment)
        // The same id that the Python package gives it, so that either may go on with the other's work.
        id = RunID("\(SHA256.digest(of: "martlet run tensorboard \(EventRun.realPath(folder.path))").text.prefix(32))")!
    }

    var problems: [String] {
        files.values.flatMap { reading in
            let lost = reading.file.skipped + reading.skippedEvents
            return [reading.file.damage].compactMap(\.self)
                + (lost > 0 ? ["\(reading.file.path): \(lost) damaged records were passed over."] : [])
        }
    }

    /// Hands on what a file says anew; gives the number of its points.
    mutating func take(_ path: String, _ outbox: inout LogbookOutbox) throws -> Int {
        var reading =
            files[path]
            ?? Reading(
                file: EventFile(path),
                writer: "tensorboard-1-\(SHA256.digest(of: EventRun.realPath(path)).text.prefix(24))")
        defer { files[path] = reading }
        var points = 0
        while true {
            let records = try reading.file.next()
            if records.isEmpty { return points }
            for record in records {
                guard let event = try? reading.reader.read(record) else {
                    reading.skippedEvents += 1
                    continue
                }
                points += try hand(event, &reading, &outbox)
            }
        }
    }

    private mutating func hand(
        _ event: ForeignEvent, _ reading: inout Reading, _ outbox: inout LogbookOutbox
    ) throws -> Int {
        newest = max(newest, event.time)
        let milliseconds = event.time.isFinite ? Int64((event.time * 1000).rounded()) : 0
        func say(_ op: String, _ fields: JSONObject, _ file: (path: String, ForeignEvent.File)? = nil) throws {
            reading.sequence += 1
            let line = OutboxLine(
                writer: reading.writer, sequence: reading.sequence, run: id, milliseconds: milliseconds, op: op,
                fields: fields, file: file)
            if try outbox.add(line) { hasNews = true }
        }
        if reading.sequence == 0 {
            try say(
                "run",
                [
                    "experiment": .string(experiment), "name": .string(folder.name), "start": .int(milliseconds),
                    "source": "tensorboard",
                ])
        }
        var points = 0
        for item in event.items {
            switch item {
            case .points(let list):
                points += list.count
                var values = JSONObject()
                for (tag, value) in list { values[tag] = .double(value) }
                try say("metrics", ["step": .int(event.step), "m": .object(values)])
            case .rich(let tag, let kind, let about, let file):
                var fields: JSONObject = ["key": .string(tag), "kind": .string(kind), "step": .int(event.step)]
                fields["v"] = .object(about)
                guard let file else {
                    try say("rich", fields)
                    continue
                }
                let digest = SHA256.digest(of: file.bytes).text
                let path = "media/\(EventRun.plain(tag))_\(event.step)_\(digest.prefix(8))\(file.ending)"
                let size = JSONValue.int(Int64(file.bytes.count))
                try say(
                    "artifact", ["path": .string(path), "sha256": .string(digest), "size": size, "type": "media"],
                    (path, file))
                fields["files"] = [
                    ["sha256": .string(digest), "size": size, "mime": .string(file.type), "path": .string(path)]
                ]
                try say("rich", fields)
            case .params(let params): try say("params", ["p": .object(params), "allow_val_change": true])
            case .ended(let failed): hasFailed = failed
            }
        }
        return points
    }

    /// That it goes on, or that it is over. Only of a run that something came of: what was brought long ago stays as it is.
    mutating func sayHowItIs(_ outbox: inout LogbookOutbox, quietAfter seconds: Double) throws {
        var clock = timespec()
        clock_gettime(CLOCK_REALTIME, &clock)
        // The events' clock may be another machine's, and ahead of ours.
        let isQuiet = seconds == 0 || Double(clock.tv_sec) - newest >= seconds
        if hasNews {
            if isOver { try outbox.say("state", ["status": "running"], of: id) }
            (hasNews, isOver) = (false, false)
        } else if isOver || newest == 0 || !outbox.knows(id) {
            return
        }
        if isQuiet {
            isOver = true
            try outbox.say(
                "state",
                ["status": hasFailed ? "failed" : "finished", "end": .int(Int64((newest * 1000).rounded()))], of: id)
        } else {
            try outbox.beat(id)
        }
    }

    private static func realPath(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func plain(_ tag: String) -> String {
        let text = String(tag.map { $0.isLetter || $0.isNumber || "-_./".contains($0) ? $0 : "_" })
        let parts = text.split(separator: "/").map { $0.allSatisfy { $0 == "." } ? "_" : String($0) }
        return parts.joined(separator: "/")
    }
}
