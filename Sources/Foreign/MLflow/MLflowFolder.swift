package import MartletDomain
package import MartletJSON

/// MLflow's folder of files, `mlruns`: a folder an experiment, a folder a run, a file a param.
package final class MLflowFolder: MLflowStore {
    package let place: String
    let artifacts: LocalArtifacts
    /// Where each experiment lies, among the living or in `.trash`.
    private var homes: [String: String] = [:]

    private static let reserved: Set<String> = ["tags", "datasets", "traces", "models", ".trash"]

    /// Nil when the folder is none of MLflow's.
    package init?(_ path: String, proxied: [String] = []) {
        guard MLflowFolder.isOne(path) else { return nil }
        place = path
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? path
        artifacts = LocalArtifacts(home: parent, proxied: proxied + ["\(parent)/mlartifacts"])
    }

    /// It holds an experiment, or names of the registry.
    package static func isOne(_ path: String) -> Bool {
        Files.names(in: path).contains { name in
            name == ".trash" || name == "models" || Files.isFile("\(path)/\(name)/meta.yaml")
        }
    }

    func document(_ path: String) throws(Refusal) -> JSONObject {
        guard let object = try YAML.parse(try Files.read(path), path).object else {
            throw Refusal(.malformed, "\(path) holds no fields.", remedy: "Look whether it is damaged.")
        }
        return object
    }

    // MARK: Experiments

    package func experiments() throws(Refusal) -> [JSONObject] {
        homes = [:]
        var found: [JSONObject] = []
        for (folder, stage) in [(place, "active"), ("\(place)/.trash", "deleted")] {
            for name in Files.names(in: folder) where !MLflowFolder.reserved.contains(name) {
                let home = "\(folder)/\(name)"
                guard Files.isFile("\(home)/meta.yaml") else { continue }
                let meta = try document("\(home)/meta.yaml")
                let id = meta["experiment_id"]?.asText ?? name
                homes[id] = home
                found.append(
                    JSONObject(fields: [
                        ("experiment_id", .string(id)), ("name", .string(meta["name"]?.asText ?? name)),
                        ("artifact_location", meta["artifact_location"]?.asText.map { .string($0) }),
                        ("lifecycle_stage", .string(meta["lifecycle_stage"]?.asText ?? stage)),
                        ("creation_time", meta["creation_time"]), ("last_update_time", meta["last_update_time"]),
                        ("tags", JSONObject.pairs(try texts(in: "\(home)/tags"))),
                    ]))
            }
        }
        return found
    }

    func home(of experiment: String) throws(Refusal) -> String {
        guard let home = homes[experiment] else {
            throw Refusal(.notFound, "There is no experiment \(experiment) in \(place).", remedy: "Begin again.")
        }
        return home
    }

    /// A file is a key, its content the value; a key with slashes is a file in folders.
    func texts(in folder: String) throws(Refusal) -> [(key: String, value: String)] {
        guard Files.isFolder(folder) else { return [] }
        var texts: [(key: String, value: String)] = []
        for file in Files.tree(folder) { texts.append((file.path, try Files.text("\(folder)/\(file.path)"))) }
        return texts
    }

    // MARK: Runs

    package func runs(of experiment: String) throws(Refusal) -> [String] {
        let home = try home(of: experiment)
        var found: [(id: String, start: Int64)] = []
        for name in Files.names(in: home) where !MLflowFolder.reserved.contains(name) {
            guard Files.isFile("\(home)/\(name)/meta.yaml") else { continue }
            // What is damaged is told when the run itself is read.
            let meta = try? document("\(home)/\(name)/meta.yaml")
            found.append((name, meta?["start_time"]?.int64 ?? 0))
        }
        return found.sorted { ($0.start, $0.id) < ($1.start, $1.id) }.map(\.id)
    }

    package func run(_ id: String, of experiment: String) throws(Refusal) -> JSONObject {
        let folder = "\(try home(of: experiment))/\(id)"
        let meta = try document("\(folder)/meta.yaml")
        func text(_ name: String) -> JSONValue? { meta[name]?.asText.map { .string($0) } }
        var run = JSONObject(fields: [
            ("run_id", .string(meta["run_id"]?.asText ?? meta["run_uuid"]?.asText ?? id)),
            ("run_name", text("run_name") ?? text("name")), ("user_id", text("user_id")),
            ("status", .string(MLflowFolder.status(meta["status"]))), ("start_time", meta["start_time"]),
            ("end_time", meta["end_time"]), ("lifecycle_stage", text("lifecycle_stage") ?? .string("active")),
            ("artifact_uri", text("artifact_uri")),
            ("params", JSONObject.pairs(try texts(in: "\(folder)/params"))),
            ("tags", JSONObject.pairs(try texts(in: "\(folder)/tags"))),
        ])
        try flow(of: folder, experiment, into: &run)
        return run
    }

    /// The number that the file has, or an old client's word.
    private static func status(_ value: JSONValue?) -> String {
        let words = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
        if let number = value?.int64, (1...5).contains(number) { return words[Int(number) - 1] }
        return value?.string.flatMap { words.contains($0) ? $0 : nil } ?? "RUNNING"
    }

    private func flow(of folder: String, _ experiment: String, into run: inout JSONObject) throws(Refusal) {
        var (datasets, models, outputs) = ([JSONValue](), [JSONValue](), [JSONValue]())
        for name in Files.names(in: "\(folder)/inputs") {
            let input = try document("\(folder)/inputs/\(name)/meta.yaml")
            let source = input["source_id"]?.asText ?? ""
            guard input["source_type"]?.string == "DATASET" else {
                models.append(.object(JSONObject(fields: [("model_id", .string(source))])))
                continue
            }
            let path = "\(try home(of: experiment))/datasets/\(source)/meta.yaml"
            guard Files.isFile(path) else { continue }
            let dataset = try document(path)
            let tags = (input["tags"]?.object?.members ?? []).map { ($0.key, $0.value.asText ?? "") }
            datasets.append(
                .object(
                    JSONObject(fields: [
                        ("dataset", .object(MLflowFolder.texts(dataset))), ("tags", JSONObject.pairs(tags)),
                    ])))
        }
        for name in Files.names(in: "\(folder)/outputs") {
            let output = try document("\(folder)/outputs/\(name)/meta.yaml")
            outputs.append(
                .object(JSONObject(fields: [("model_id", .string(name)), ("step", output["step"] ?? .int(0))])))
        }
        if !datasets.isEmpty { run["dataset_inputs"] = .array(datasets) }
        if !models.isEmpty { run["model_inputs"] = .array(models) }
        if !outputs.isEmpty { run["model_outputs"] = .array(outputs) }
    }

    /// Fields that are texts, whatever they look like.
    static func texts(_ object: JSONObject) -> JSONObject {
        JSONObject(
            object.members.compactMap { member in
                member.value.asText.map { JSONObject.Member(member.key, .string($0)) }
            })
    }

    package func metrics(
        of run: JSONObject, in experiment: String, _ body: (String, MetricColumns) throws(Refusal) -> Void
    ) throws(Refusal) {
        let folder = "\(try home(of: experiment))/\(run["run_id"]?.string ?? "")/metrics"
        guard Files.isFolder(folder) else { return }
        for file in Files.tree(folder) {
            let bytes = try Files.read("\(folder)/\(file.path)")
            try body(file.path, MetricFile.columns(bytes, of: file.path))
        }
    }

    package func stamp(of run: String, in experiment: String) throws(Refusal) -> String? {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ number: UInt64) { hash = (hash ^ number) &* 0x100_0000_01B3 }
        for file in Files.tree("\(try home(of: experiment))/\(run)") {
            mix(UInt64(bitPattern: Int64(file.path.hashValue)))
            mix(UInt64(bitPattern: file.size))
            mix(UInt64(bitPattern: file.changed))
        }
        return String(hash, radix: 16)
    }

    package func mark(of run: JSONObject, in experiment: String) throws(Refusal) -> String {
        let folder = "\(try home(of: experiment))/\(run["run_id"]?.string ?? "")/metrics"
        return "\(Files.isFolder(folder) ? Files.tree(folder).reduce(0) { $0 + $1.size } : 0) bytes"
    }

    // MARK: Artifacts

    package func files(at location: String, of owner: ArtifactOwner) throws(Refusal) -> [ForeignFile]? {
        let home = try home(of: owner.experiment)
        let beside =
            switch owner.kind {
            case .run: "\(home)/\(owner.id)/artifacts"
            case .loggedModel: "\(home)/models/\(owner.id)/artifacts"
            case .trace: "\(home)/traces/\(owner.id)/artifacts"
            }
        return artifacts.files(at: location, beside: [beside])
    }

    package func fetch(_ address: String, to path: String) throws(Refusal) {
        throw Refusal(.unsupported, "\(address) is on a server, not in \(place).", remedy: "Import from the server.")
    }
}

/// A file of points: a line each, `time value step`, with words behind it that say what was measured on.
enum MetricFile {
    static func columns(_ bytes: [UInt8], of name: String) -> MetricColumns {
        var columns = MetricColumns()
        each(bytes, of: name, into: &columns) { fields, columns in
            guard let time = Int64(fields[0]), let value = number(fields[1]),
                let step = fields.count > 2 ? Int64(fields[2]) : 0
            else { return false }
            columns.append(step: step, time: time, value: value)
            return true
        }
        return columns
    }

    /// Whole lines only: the last one may still be in the hands of its writer.
    static func each(
        _ bytes: [UInt8], of name: String, into columns: inout MetricColumns,
        _ body: ([Substring], inout MetricColumns) -> Bool
    ) {
        var start = 0
        var number = 0
        while start < bytes.count, let end = bytes[start...].firstIndex(of: 0x0A) {
            number += 1
            let line = String(decoding: bytes[start..<end], as: UTF8.self)
            start = end + 1
            let fields = line.split(whereSeparator: { $0 == " " || $0 == "\r" })
            if fields.isEmpty { continue }
            if fields.count < 2 || !body(fields, &columns) {
                columns.problems.append("line \(number) of the metric “\(name)” is not a point: \(line.prefix(80))")
            }
        }
        if start < bytes.count {
            columns.problems.append("the last line of the metric “\(name)” has no end, and may be half a point")
        }
    }

    /// As Python writes and reads numbers.
    static func number(_ text: Substring) -> Double? {
        switch text.lowercased() {
        case "nan": .nan
        case "inf", "infinity": .infinity
        case "-inf", "-infinity": -.infinity
        default: Double(text)
        }
    }
}
