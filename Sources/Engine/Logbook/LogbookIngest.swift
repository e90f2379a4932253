import MartletDomain
import MartletJSON
import MartletSeries
import MartletStorage

/// Applies logbook lines exactly once: a writer's place is read and advanced in the transaction that has the effects.
struct LogbookIngest {
    /// A line as it was read. One that was damaged has lost its number and its run.
    enum Entry: Sendable {
        case line(LogbookLine)
        case damaged(String, text: String)
    }

    let ledger: Ledger
    let caller: Caller
    let source: String
    /// A file whose writer has ended may have a gap; it is stepped over and recorded.
    let stepsOverGaps: Bool
    private var receipt = LogbookReceipt()
    private var writers: [String: LogbookWriter] = [:]
    private var runs: [RunID: Run?] = [:]
    /// Points that wait for the next line of another kind, so that a thousand lines become one journal row.
    private var pending: [Pending: PointCollector] = [:]
    private var pendingOrder: [Pending] = []
    /// Damaged lines of a file, until the next whole line tells where they stood.
    private var damaged: [(message: String, text: String)] = []
    private var lastRun: Run?

    private struct Pending: Hashable {
        var run: RunID
        var role: String
        var rank: Int
    }

    init(_ ledger: Ledger, caller: Caller, source: String, stepsOverGaps: Bool) {
        (self.ledger, self.caller, self.source, self.stepsOverGaps) = (ledger, caller, source, stepsOverGaps)
    }

    mutating func apply(_ entries: [Entry], isLast: Bool) throws(Refusal) -> LogbookReceipt {
        for entry in entries {
            let line: LogbookLine
            switch entry {
            case .damaged(let message, let text):
                damaged.append((message, text))
                continue
            case .line(let read): line = read
            }
            guard try isNext(line) else {
                damaged = []
                if receipt.expected?.writer == line.writer { continue }
                receipt.accepted += 1
                continue
            }
            do throws(Refusal) {
                try apply(line)
            } catch {
                // The store's own troubles stop the transaction; a line's own fault is kept with the run.
                switch error.code {
                case .notFound, .conflict, .invalid, .limit, .malformed, .forbidden, .ambiguous, .unsupported, .purged:
                    try keepProblem(error.message, line)
                default: throw error
                }
            }
            receipt.accepted += 1
            writers[line.writer]?.acked = line.sequence
            if let run = try run(of: line) {
                lastRun = run
                try keepDamaged(with: run)
            }
        }
        if isLast, let lastRun { try keepDamaged(with: lastRun) }
        try flushPoints()
        for var writer in writers.values {
            writer.seen = ledger.now
            try ledger.tx.put(writer)
            receipt.acked[writer.id] = writer.acked
        }
        return receipt
    }

    /// Whether a line is the one that its writer must send now; earlier ones count already, later ones must wait.
    private mutating func isNext(_ line: LogbookLine) throws(Refusal) -> Bool {
        if writers[line.writer] == nil {
            writers[line.writer] =
                try ledger.tx.writer(line.writer)
                ?? LogbookWriter(id: line.writer, acked: 0, source: source, seen: ledger.now)
        }
        let acked = writers[line.writer]?.acked ?? 0
        if line.sequence <= acked { return false }
        if line.sequence == acked + 1 { return true }
        // As many lines are damaged as numbers are missing: these were they, and they are not waited for.
        if !damaged.isEmpty, line.sequence == acked + 1 + Int64(damaged.count) { return true }
        guard stepsOverGaps else {
            if receipt.expected == nil { receipt.expected = (line.writer, acked + 1) }
            return false
        }
        if let run = try run(of: line) {
            try ledger.tx.append(
                Item(
                    id: 0, owner: .run(run.key), kind: "gap", key: line.writer, at: ledger.now, who: caller.principal,
                    data: "{\"from\":\(acked + 1),\"to\":\(line.sequence - 1)}"))
        }
        return true
    }

    private mutating func run(of line: LogbookLine) throws(Refusal) -> Run? {
        guard let id = line.run else { return nil }
        if let known = runs[id] { return known }
        let run = try ledger.tx.run(id)
        runs[id] = .some(run)
        return run
    }

    /// A damaged line does not say whose it was. The run of the line that came next is the likeliest.
    private mutating func keepDamaged(with run: Run) throws(Refusal) {
        for line in damaged {
            receipt.problems += 1
            try ledger.recordProblem(line.message, line: line.text, of: run.key, who: caller.principal)
        }
        damaged = []
    }

    private mutating func keepProblem(_ message: String, _ line: LogbookLine) throws(Refusal) {
        receipt.problems += 1
        guard let run = try run(of: line) else { return }
        try ledger.recordProblem(message, line: line.text, of: run.key, who: caller.principal)
    }

    // MARK: - Ops

    private mutating func apply(_ line: LogbookLine) throws(Refusal) {
        guard let id = line.run else {
            throw Refusal(
                .invalid, "The line's run “\(line.runText.prefix(64))” is not 32 hex digits.",
                remedy: "A writer makes its run's id itself.", field: "run")
        }
        if try ledger.tx.isPurged(id) { return }
        if line.op == "run" { return try begin(line, id) }
        guard let run = try run(of: line) else {
            throw Refusal(
                .notFound, "The run \(id) was not begun.", remedy: "A logbook's first line for a run has op “run”.")
        }
        try caller.require(.write, on: run.project)
        if !["metrics", "points", "system", "beat"].contains(line.op) { try flushPoints() }
        switch line.op {
        case "metrics": try points(line, id, prefix: "")
        case "points": try columns(line, run)
        case "system": try points(line, id, prefix: "system/")
        case "beat": try heard(run)
        case "params":
            try ledger.logParams(
                ParamValue.list(from: line.body["p"]), to: run.key,
                allowingChange: line.body["allow_val_change"]?.bool ?? false, evenDeleted: true)
        case "summary":
            var values: [(key: String, value: Double)] = []
            for (name, value) in numbers(line.body["m"]) { values.append((name, value)) }
            try ledger.setSummary(values, of: run.key, evenDeleted: true)
        case "tags":
            try ledger.setTags(TagList.read(line.body["tags"]), of: run.key, evenDeleted: true)
        case "note":
            _ = try ledger.addNote(
                line.body["text"]?.string ?? "", to: .run(run.key), who: line.body["user"]?.string ?? caller.principal)
        case "artifact": try artifact(line, run)
        case "state": try state(line, run)
        case "attempt":
            _ = try ledger.beginAttempt(
                run.key, number: line.body["n"]?.int64.map(Int.init), reason: line.body["reason"]?.string ?? "",
                fromStep: line.body["from_step"]?.int64, evenDeleted: true)
            runs[id] = nil
        case "define":
            guard let metric = line.body["metric"]?.string else {
                throw Refusal(.invalid, "A definition names no metric.", remedy: "Send “metric”.", field: "metric")
            }
            let definition = try MetricDefinition(glob: metric, .object(line.body.without(LogbookIngest.envelope)))
            _ = try ledger.put(
                kind: "metric", key: metric, data: definition.json, on: .experiment(run.experiment),
                who: caller.principal)
        case "rich": try rich(line, run)
        case "console":
            try ledger.logConsole(
                [
                    ConsoleChunk(
                        stream: line.body["stream"]?.string ?? "stdout", number: 0, at: line.time,
                        text: Array((line.body["text"]?.string ?? "").utf8))
                ], to: run.key, who: caller.principal, evenDeleted: true)
        case "facts":
            guard let kind = line.body["kind"]?.string else {
                throw Refusal(.invalid, "A fact has no kind.", remedy: "Send “kind”.", field: "kind")
            }
            _ = try ledger.put(
                kind: "fact", key: kind, data: text(of: line.body["data"] ?? .null), on: .run(run.key),
                who: caller.principal)
        case "alert", "gap":
            try ledger.tx.append(
                Item(
                    id: 0, owner: .run(run.key), kind: line.op, key: line.body["metric"]?.string ?? "",
                    at: ledger.now, who: caller.principal,
                    data: text(of: .object(line.body.without(LogbookIngest.envelope)))))
        default:
            throw Refusal(
                .unsupported, "The op “\(line.op.prefix(40))” is not known to this version.",
                remedy: "It is kept; a newer martlet may use it.")
        }
    }

    private static let envelope: Set<String> = ["w", "seq", "t", "run", "op", "c", "role", "rank"]

    private mutating func begin(_ line: LogbookLine, _ id: RunID) throws(Refusal) {
        if let known = try run(of: line) {
            // A writer that cannot ask whether the run is there says that it goes on with it if it is.
            if line.body["resume"]?.bool == true {
                try flushPoints()
                _ = try ledger.beginAttempt(
                    known.key, reason: line.body["reason"]?.string ?? "resume",
                    fromStep: line.body["from_step"]?.int64, evenDeleted: true)
                runs[id] = nil
            }
            return
        }
        var project = ProjectID.standard
        if let name = line.body["project"]?.string, !name.isEmpty {
            if let known = try? ledger.tx.resolveProject(name, for: caller) {
                project = known.id
            } else {
                try caller.require(.write)
                project = try ledger.createProject(ProjectDraft(title: name)).project.id
            }
        }
        try caller.require(.write, on: project)
        let name = line.body["experiment"]?.string ?? "Default"
        let experiment: Experiment
        if let known = try? ledger.tx.resolveExperiment(name, in: project, for: caller) {
            experiment = known
        } else {
            experiment = try ledger.createExperiment(ExperimentDraft(name: name, project: project)).experiment
        }
        var draft = RunDraft(experiment: experiment.id)
        draft.id = id
        draft.name = line.body["name"]?.string
        draft.start = line.body["start"]?.int64.map(Timestamp.init(millis:)) ?? line.time
        if let parent = line.body["parent"]?.string.flatMap({ RunID($0) }) {
            draft.parent = try ledger.tx.run(parent)?.key
        }
        draft.attributes.tags = Pairs(try TagList.read(line.body["tags"]))
        for name in ["user", "source", "group", "job_type", "git_commit", "code_version"] {
            if let value = line.body[name]?.string { draft.attributes.properties[name] = value }
        }
        draft.attributes.properties["writer"] = line.writer
        runs[id] = .some(try ledger.createRun(draft))
    }

    private mutating func points(_ line: LogbookLine, _ id: RunID, prefix: String) throws(Refusal) {
        let values = numbers(line.body["m"])
        let step: Int64?
        if prefix.isEmpty {
            step = line.body["step"]?.int64
        } else {
            // What the machine did is drawn over time: whole seconds since the run began stand for the step.
            let start = try run(of: line)?.start ?? line.time
            step = (line.time.micros - start.micros) / 1_000_000
        }
        guard let step else {
            guard let run = try run(of: line) else { return }
            try ledger.logUnstepped(
                values.map { UnsteppedValue(name: prefix + $0.0, value: $0.1, time: line.time) }, to: run.key,
                evenDeleted: true)
            return
        }
        let key = Pending(run: id, role: line.role.role, rank: line.role.rank)
        if pending[key] == nil {
            pending[key] = PointCollector()
            pendingOrder.append(key)
        }
        for (name, value) in values {
            try ledger.checkMetricKey(prefix + name)
            pending[key]?.add(prefix + name, Point(step: step, time: line.time.micros, value: value))
        }
    }

    /// Many steps of the same metrics in one line, each metric a column.
    private mutating func columns(_ line: LogbookLine, _ run: Run) throws(Refusal) {
        guard let count = line.body["n"]?.int64.flatMap({ Int(exactly: $0) }), (0...LogbookColumn.rowsMax).contains(count)
        else {
            throw Refusal(
                .invalid, "A line of points says no “n”, or one that is out of bounds.",
                remedy: "Send how many steps there are, at most \(LogbookColumn.rowsMax).", field: "n")
        }
        var times = Array(repeating: line.time.micros, count: count)
        if let column = line.body["dt"] {
            for (index, millis) in try LogbookColumn.integers(column, count: count, name: "dt").enumerated() {
                times[index] &+= millis &* 1000
            }
        }
        var columns: [(name: String, values: [Double])] = []
        for member in line.body["m"]?.object?.members ?? [] {
            try ledger.checkMetricKey(member.key)
            columns.append((member.key, try LogbookColumn.numbers(member.value, count: count, name: member.key)))
        }
        guard let column = line.body["step"] else {
            // Row by row: values of one key without a step are kept in the order in which they came.
            let values = (0..<count).flatMap { row in
                columns.map {
                    UnsteppedValue(name: $0.name, value: $0.values[row], time: Timestamp(micros: times[row]))
                }
            }
            try ledger.logUnstepped(values, to: run.key, evenDeleted: true)
            return
        }
        let steps = try LogbookColumn.integers(column, count: count, name: "step")
        let key = Pending(run: run.id, role: line.role.role, rank: line.role.rank)
        if pending[key] == nil {
            pending[key] = PointCollector()
            pendingOrder.append(key)
        }
        for (name, values) in columns {
            for row in 0..<count {
                pending[key]?.add(name, Point(step: steps[row], time: times[row], value: values[row]))
            }
        }
    }

    private mutating func flushPoints() throws(Refusal) {
        for key in pendingOrder {
            guard let points = pending[key], let run = try ledger.tx.run(key.run) else { continue }
            do throws(Refusal) {
                try ledger.logPoints(
                    PreparedPoints(batch: points.batch, blobs: nil), to: run.key,
                    as: WriterRole(role: key.role, rank: key.rank), evenDeleted: true)
            } catch {
                guard error.code == .limit else { throw error }
                receipt.problems += 1
                try ledger.recordProblem(error.message, line: "", of: run.key, who: caller.principal)
            }
        }
        pending = [:]
        pendingOrder = []
    }

    private func heard(_ run: Run) throws(Refusal) {
        var update = Ledger.RunUpdate()
        update.cause = "logbook"
        if run.status.state == .lost || run.status.state == .queued {
            update.status = .running
            _ = try ledger.updateRun(run.key, update)
        } else if !run.status.state.isEnded, ledger.now.micros - run.seen.micros > 10_000_000 {
            var seen = run
            seen.seen = ledger.now
            try ledger.tx.update(seen)
        }
    }

    private mutating func state(_ line: LogbookLine, _ run: Run) throws(Refusal) {
        let status = Status(word: line.body["status"]?.string ?? "finished")
        var update = Ledger.RunUpdate()
        update.status = status
        update.cause = "logbook"
        if status.state.isEnded { update.end = line.body["end"]?.int64.map(Timestamp.init(millis:)) ?? line.time }
        _ = try ledger.updateRun(run.key, update)
        var properties: [(key: String, value: String?)] = []
        if let exit = line.body["exit"] { properties.append(("exit", text(of: exit))) }
        if let error = line.body["error"]?.string { properties.append(("error", error)) }
        if !properties.isEmpty { try ledger.setProperties(properties, of: run.key, evenDeleted: true) }
        if let id = line.run { runs[id] = nil }
    }

    private func artifact(_ line: LogbookLine, _ run: Run) throws(Refusal) {
        let digest = line.body["sha256"]?.string.flatMap { Digest($0) }
        let uri = line.body["uri"]?.string ?? ""
        let size = line.body["size"]?.int64 ?? 0
        guard digest != nil || !uri.isEmpty else {
            throw Refusal(
                .invalid, "An artifact line has neither bytes nor a reference.",
                remedy: "Send “sha256” and “size”, or “uri”.", field: "sha256")
        }
        // Whoever sends lines over the network has put the bytes there first, and under their path.
        if let digest, uri.isEmpty, let path = line.body["path"]?.string,
            let known = try ledger.tx.artifact(of: run.key, path: path), known.digest == digest
        {
            return
        }
        if let digest, uri.isEmpty, try ledger.tx.blob(digest) == nil {
            // A writer on the same folder puts the file there itself, before the line.
            try ledger.tx.put(Blob(digest: digest, size: size, seen: ledger.now))
        }
        _ = try ledger.addArtifact(
            Artifact(
                id: 0, run: run.key, path: line.body["path"]?.string ?? "", digest: digest, uri: uri,
                type: line.body["type"]?.string ?? "", size: size,
                metadata: line.body["metadata"].map { text(of: $0) } ?? "{}", at: line.time), evenDeleted: true)
    }

    private func rich(_ line: LogbookLine, _ run: Run) throws(Refusal) {
        var data = JSONObject()
        data["v"] = line.body["v"] ?? .null
        if let files = line.body["files"] {
            data["files"] = files
            for file in files.array ?? [] {
                guard let digest = file["sha256"]?.string.flatMap({ Digest($0) }) else { continue }
                if try ledger.tx.blob(digest) == nil {
                    try ledger.tx.put(Blob(digest: digest, size: file["size"]?.int64 ?? 0, seen: ledger.now))
                }
            }
        }
        try ledger.logRich(
            [
                RichPoint(
                    key: line.body["key"]?.string ?? "", step: line.body["step"]?.int64 ?? 0, time: line.time,
                    kind: line.body["kind"]?.string ?? "", data: text(of: .object(data)))
            ], to: run.key, as: WriterRole(role: line.role.role, rank: line.role.rank), evenDeleted: true)
    }

    private func numbers(_ value: JSONValue?) -> [(String, Double)] {
        (value?.object?.members ?? []).compactMap { member in
            FlatMetrics.number(member.value).map { (member.key, $0) }
        }
    }

    private func text(of value: JSONValue) -> String {
        var writer = JSONWriter()
        writer.value(value)
        return writer.text
    }
}

extension JSONObject {
    func without(_ keys: Set<String>) -> JSONObject { JSONObject(members.filter { !keys.contains($0.key) }) }
}
