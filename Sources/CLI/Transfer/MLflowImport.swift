import Glibc
import MartletClient
import MartletDomain
import MartletForeign
import MartletHTTPClient
import MartletHTTPMessages
import MartletJSON

/// Brings a store of MLflow's into this one: experiment by experiment, run by run, and after each looks whether all of
/// it is here. What came earlier is not brought again.
final class MLflowImport {
    enum Artifacts: Sendable {
        /// Copied where they can be read, else left where they are.
        case readable
        case copied
        case references
    }

    let source: any MLflowStore
    let backend: any Backend
    let artifacts: Artifacts
    private let tell: (_ runs: Int) -> Void
    private(set) var report = ImportReport()
    var channel: ImportChannel
    /// Where the artifacts of runs and models were, and where they are now.
    var moved: [String: String] = [:]
    /// What was brought whole, as it was then: followed, only what changed since is looked at.
    private var seen: [String: String] = [:]
    /// A store that is being written: what cannot be read may be readable a moment later.
    let follows: Bool
    private var runsDone = 0

    init(
        _ source: any MLflowStore, into backend: any Backend, artifacts: Artifacts,
        follows: Bool = false, tell: @escaping (_ runs: Int) -> Void
    ) {
        (self.source, self.backend, self.artifacts) = (source, backend, artifacts)
        (self.follows, self.tell) = (follows, tell)
        channel = ImportChannel(backend)
    }

    /// One pass over everything. Again with the same object, only what changed is looked at.
    func pass() throws {
        report = ImportReport()
        runsDone = 0
        var homes: [(given: JSONObject, id: String)] = []
        for experiment in try source.experiments() {
            let name = experiment["name"]?.string ?? ""
            let given = experiment["experiment_id"]?.string ?? ""
            let runs = try source.runs(of: given)
            if follows, !isChanged("experiment/\(given)", JSONValue.object(experiment).text),
                try !runs.contains(where: { try hasChanged($0, of: given) }), try !haveChanged(loggedModelsOf: given)
            {
                continue
            }
            guard let home = try begin(experiment, given: given, runs: runs) else { continue }
            if home != given { report.renumbered.append("“\(name)” was \(given) and is \(home) here") }
            report.experiments.add(there: 1, here: 1)
            try bring(runs, of: given, to: home)
            try bringLoggedModels(of: given, to: home)
            try bringTraces(of: given, to: home)
            homes.append((experiment, home))
        }
        try bringRegistry()
        for (experiment, id) in homes where experiment["lifecycle_stage"]?.string == "deleted" {
            channel.add(
                "end_experiment",
                ["experiment_id": .string(id), "last_update_time": experiment["last_update_time"] ?? .null])
        }
        try settle("experiments")
        if report.runs.there > 0 { tell(runsDone) }
    }

    // MARK: What changed

    /// Notes the text under its name; false when it is the one that was noted before.
    func isChanged(_ name: String, _ text: String) -> Bool {
        guard seen[name] != text else { return false }
        seen[name] = text
        return true
    }

    func forget(_ name: String) { seen[name] = nil }

    private func hasChanged(_ run: String, of experiment: String) throws -> Bool {
        guard let stamp = try source.stamp(of: run, in: experiment) else { return true }
        return seen["run/\(run)"] != stamp
    }

    private func haveChanged(loggedModelsOf experiment: String) throws -> Bool {
        try source.loggedModels(of: experiment).contains { model in
            seen["logged/\(model["model_id"]?.string ?? "")"] != JSONValue.object(model).text
        }
    }

    // MARK: Experiments

    private func begin(_ experiment: JSONObject, given: String, runs: [String]) throws -> String? {
        var line = experiment
        let location = experiment["artifact_location"]?.string ?? ""
        if artifacts != .references, try isReadable(location, in: given, runs) { line["artifact_location"] = nil }
        channel.add("experiment", line)
        switch try channel.flush()[0] {
        case .taken(let answer):
            if answer["is_deleted"]?.bool == true, experiment["lifecycle_stage"]?.string != "deleted" {
                report.leftAlone.append("the experiment “\(line["name"]?.string ?? given)” is deleted here")
            }
            return answer["experiment_id"]?.string
        case .refused(let why):
            report.experiments.add(there: 1, here: 0)
            report.runs.add(there: runs.count, here: 0)
            report.problems.append("experiment \(given): \(why)")
            return nil
        }
    }

    /// Whether the artifacts of an experiment can be copied, so that clients are sent here for them.
    private func isReadable(_ location: String, in experiment: String, _ runs: [String]) throws -> Bool {
        for run in runs {
            guard let uri = (try? source.run(run, of: experiment))?["artifact_uri"]?.string else { continue }
            return try source.files(at: uri, of: ArtifactOwner(.run, run, of: experiment)) != nil
        }
        return !location.contains("://") || location.hasPrefix("file:")
    }

    // MARK: Runs

    /// A run on its way.
    private struct Passage {
        var record: JSONObject
        var id: String { record["run_id"]?.string ?? "" }
        var points = 0
        var metrics = 0
        var mark = ""
        /// The points that are here are those that are there.
        var hasPoints = false
        var uri = ""
        var files = 0
        var isLeftAlone = false
        /// What the store said of it before anything was brought.
        var state = JSONValue.null
        /// What it looked like before it was read: what comes while it is read is new the next time.
        var stamp: String?
    }

    private func bring(_ ids: [String], of experiment: String, to home: String) throws {
        var start = 0
        while start < ids.count {
            let part = ids[start..<min(start + 50, ids.count)]
            start += part.count
            try bring(part, of: experiment, to: home)
            runsDone += part.count
            tell(runsDone)
        }
    }

    private func bring(_ all: ArraySlice<String>, of experiment: String, to home: String) throws {
        let ids = follows ? try all.filter { try hasChanged($0, of: experiment) } : Array(all)
        guard !ids.isEmpty else { return }
        for id in ids { channel.add("state", ["run_id": .string(id)]) }
        let states = try channel.flush().map(\.answer)
        var passages: [Passage] = []
        for (id, state) in zip(ids, states) {
            let stamp = try source.stamp(of: id, in: experiment)
            guard let record = try record(of: id, in: experiment) else { continue }
            var passage = Passage(record: record)
            passage.stamp = stamp
            passage.mark = try source.mark(of: record, in: experiment)
            passage.state = state
            let imported = state["imported"]?.string.flatMap { try? JSONValue(parsing: $0) }
            if imported?["mark"]?.string == passage.mark, imported?["source"]?.string == source.place {
                passage.hasPoints = true
                passage.points = Int(imported?["points"]?.int64 ?? 0)
                passage.metrics = Int(imported?["metrics"]?.int64 ?? 0)
                passage.files = Int(imported?["files"]?.int64 ?? 0)
            }
            passages.append(passage)
        }
        try beginRuns(&passages, to: home)
        for index in passages.indices where !passages[index].isLeftAlone {
            if !passages[index].hasPoints { try bringPoints(&passages[index], of: experiment) }
            try bringFiles(&passages[index], of: experiment)
        }
        try endRuns(passages)
    }

    /// Nil for a run of which only half is written yet.
    private func record(of id: String, in experiment: String) throws -> JSONObject? {
        do throws(Refusal) { return try source.run(id, of: experiment) } catch {
            guard !follows else { return nil }
            report.runs.add(there: 1, here: 0)
            report.problems.append("run \(id): \(error.message)")
            return nil
        }
    }

    private func beginRuns(_ passages: inout [Passage], to home: String) throws {
        for passage in passages {
            var line = passage.record
            line["experiment_id"] = .string(home)
            line["metrics"] = nil
            channel.add("run", line)
        }
        for (index, outcome) in try channel.flush().enumerated() {
            switch outcome {
            case .taken(let answer):
                passages[index].uri = answer["artifact_uri"]?.string ?? ""
                guard answer["is_deleted"]?.bool == true else { continue }
                passages[index].isLeftAlone = true
                if passages[index].record["lifecycle_stage"]?.string != "deleted" {
                    report.leftAlone.append("the run \(passages[index].id) is deleted here")
                }
            case .refused(let why):
                passages[index].isLeftAlone = true
                report.runs.add(there: 1, here: 0)
                report.problems.append("run \(passages[index].id): \(why)")
            }
        }
    }

    private func bringPoints(_ passage: inout Passage, of experiment: String) throws {
        let id = passage.id
        var keys: [String] = []
        try source.metrics(of: passage.record, in: experiment) { key, columns throws(Refusal) in
            let unique = columns.unique
            passage.points += unique.count
            passage.metrics += 1
            report.repeats += columns.count - unique.count
            if !follows { report.problems += columns.problems.map { "run \(id): \($0)" } }
            var start = 0
            while start < unique.count {
                let part = start..<min(start + 10_000, unique.count)
                start = part.upperBound
                keys.append(key)
                var line: JSONObject = ["run_id": .string(id), "key": .string(key)]
                line["steps"] = .array(unique.steps[part].map { JSONValue.int($0) })
                line["timestamps"] = .array(unique.times[part].map { JSONValue.int($0) })
                line["values"] = .array(unique.values[part].map { JSONValue.double($0) })
                channel.add("metrics", line)
                if channel.isFull { try send(&keys, of: id) }
            }
        }
        try send(&keys, of: id)
    }

    private func send(_ keys: inout [String], of run: String) throws(Refusal) {
        do throws(CommandFailure) {
            for (key, outcome) in zip(keys, try channel.flush()) {
                if case .refused(let why) = outcome { report.problems.append("run \(run), metric “\(key)”: \(why)") }
            }
        } catch {
            throw Refusal(.io, error.message, remedy: error.remedy ?? "")
        }
        keys = []
    }

    private func endRuns(_ passages: [Passage]) throws {
        let open = passages.filter { !$0.isLeftAlone }
        for passage in open {
            let note: JSONValue = [
                "source": .string(source.place), "mark": .string(passage.mark), "points": .int(Int64(passage.points)),
                "metrics": .int(Int64(passage.metrics)), "files": .int(Int64(passage.files)),
                "artifact_uri": passage.record["artifact_uri"] ?? .null,
            ]
            var line = JSONObject([.init("run_id", .string(passage.id)), .init("imported", .string(note.text))])
            for field in ["status", "end_time", "lifecycle_stage"] { line[field] = passage.record[field] }
            channel.add("end_run", line)
        }
        for (passage, outcome) in zip(open, try channel.flush()) {
            switch outcome {
            case .taken(let answer):
                report.metrics.add(there: passage.metrics, here: Int(answer["metrics"]?.int64 ?? 0))
                report.points.add(there: passage.points, here: Int(answer["points"]?.int64 ?? 0))
                if try isHere(passage.record) {
                    report.runs.add(there: 1, here: 1)
                    seen["run/\(passage.id)"] = passage.stamp
                } else {
                    report.runs.add(there: 1, here: 0)
                }
            case .refused(let why):
                report.runs.add(there: 1, here: 0)
                report.problems.append("run \(passage.id): \(why)")
            }
        }
        for passage in passages where passage.isLeftAlone {
            // Nothing is added to a run that is deleted here; it is compared as it lies. What was refused has been counted.
            guard passage.state["status"] != nil else { continue }
            let isSame = try isHere(passage.record)
            report.runs.add(there: 1, here: isSame ? 1 : 0)
            report.metrics.add(there: passage.metrics, here: Int(passage.state["metrics"]?.int64 ?? 0))
            report.points.add(there: passage.points, here: Int(passage.state["points"]?.int64 ?? 0))
            report.files.add(there: passage.files, here: passage.files)
        }
    }

    /// Whether every param, tag, input and output of a run is here as it is there.
    private func isHere(_ record: JSONObject) throws -> Bool {
        let id = record["run_id"]?.string ?? ""
        let answer = try backend.patiently(
            ClientRequest(.get, "/api/2.0/mlflow/runs/get?run_id=\(PercentCoding.encode(id))"))
        let run = (try? JSONValue(parsing: answer.body, allowsNonFinite: true))?["run"] ?? .null
        var isWhole = true
        func compare(
            _ what: String, _ given: [JSONValue], _ found: [JSONValue],
            _ count: WritableKeyPath<ImportReport, ImportReport.Count>
        ) {
            let here = MLflowImport.pairs(found)
            var missing: [String] = []
            for (key, value) in MLflowImport.pairs(given) where here[key] != value { missing.append(key) }
            report[keyPath: count].add(there: given.count, here: given.count - missing.count)
            guard !missing.isEmpty else { return }
            isWhole = false
            let names = missing.sorted().prefix(3).map { "“\($0)”" }.joined(separator: ", ")
            report.problems.append("run \(id): \(missing.count) \(what) differ here: \(names)")
        }
        compare("params", record["params"]?.array ?? [], run["data"]?["params"]?.array ?? [], \.params)
        compare("tags", record["tags"]?.array ?? [], run["data"]?["tags"]?.array ?? [], \.tags)
        for (field, part) in [("dataset_inputs", "inputs"), ("model_inputs", "inputs"), ("model_outputs", "outputs")] {
            let (there, here) = (record[field]?.array?.count ?? 0, run[part]?[field]?.array?.count ?? 0)
            guard there > 0 else { continue }
            report.inputs.add(there: there, here: min(there, here))
            if here < there {
                isWhole = false
                report.problems.append(
                    "run \(id): \(there - here) of its \(field.replacing("_", with: " ")) are not here")
            }
        }
        return isWhole
    }

    private static func pairs(_ list: [JSONValue]) -> [String: String] {
        Dictionary(
            list.compactMap { pair in pair["key"]?.string.map { ($0, pair["value"]?.string ?? "") } },
            uniquingKeysWith: { $1 })
    }

    // MARK: Files

    private func bringFiles(_ passage: inout Passage, of experiment: String) throws {
        let uri = passage.record["artifact_uri"]?.string ?? ""
        let owner = ArtifactOwner(.run, passage.id, of: experiment)
        passage.files = try bringFiles(owner, from: uri, to: passage.uri)
    }

    func bringFiles(_ owner: ArtifactOwner, from uri: String, to target: String) throws -> Int {
        let transfer = ArtifactTransfer(source: source, backend: backend)
        guard let files = try source.files(at: uri, of: owner) else {
            report.elsewhere.add(uri)
            if artifacts == .copied { report.problems.append("\(owner.id): its artifacts at \(uri) cannot be read") }
            return 0
        }
        if artifacts == .references {
            for file in files where owner.kind == .run {
                if let why = try transfer.refer(to: file, of: owner.id) {
                    report.problems.append("\(owner.id): \(why)")
                }
            }
            report.references += files.count
            return files.count
        }
        let known = try transfer.known(at: target)
        for file in files {
            if known[file.path] == file.size {
                report.files.add(there: 1, here: 1)
                continue
            }
            if let why = try transfer.copy(file, to: target) {
                report.files.add(there: 1, here: 0)
                report.problems.append("\(owner.id): \(why)")
            } else {
                report.files.add(there: 1, here: 1)
                report.bytes += file.size
            }
        }
        if !uri.isEmpty { moved[MLflowImport.plain(uri)] = target }
        return files.count
    }

    /// A path and its `file:` address are one place.
    static func plain(_ uri: String) -> String {
        guard uri.hasPrefix("file:") else { return uri }
        let path = uri.dropFirst(5)
        return path.hasPrefix("//") ? String(path.dropFirst(2).drop { $0 != "/" }) : String(path)
    }

    /// Where a place is now that lay in the artifacts of a run or a model.
    func now(_ place: String) -> String {
        var (head, tail) = (MLflowImport.plain(place), "")
        while !head.isEmpty {
            if let target = moved[head] { return target + tail }
            guard let slash = head.lastIndex(of: "/") else { break }
            tail = head[slash...] + tail
            head = String(head[..<slash])
        }
        return place
    }

    // MARK: Pieces

    func settle(_ what: String) throws {
        for outcome in try channel.flush() {
            if case .refused(let why) = outcome { report.problems.append("\(what): \(why)") }
        }
    }

    func edit(_ body: (inout ImportReport) -> Void) { body(&report) }
}

extension MetricColumns {
    /// Each point once: the store keeps one of several that are the same in step, time and value.
    var unique: MetricColumns {
        struct Identity: Hashable {
            let step: Int64
            let time: Int64
            let bits: UInt64
        }
        var seen = Set<Identity>(minimumCapacity: count)
        var once = MetricColumns()
        for index in 0..<count {
            let identity = Identity(step: steps[index], time: times[index], bits: values[index].bitPattern)
            guard seen.insert(identity).inserted else { continue }
            once.append(step: steps[index], time: times[index], value: values[index])
        }
        return once
    }
}
