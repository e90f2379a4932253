import Glibc
package import MartletDomain
import MartletJSON

/// Writes a store as MLflow's folder of files, `mlruns`.
package final class MLflowFolderWriter {
    private let root: String
    private let copiesFiles: Bool
    private let tell: (_ runs: Int) -> Void
    package private(set) var problems: [String] = []
    private var tally: [(name: String, count: Int)] = [
        ("experiments", 0), ("runs", 0), ("points", 0), ("logged models", 0), ("registered models", 0),
        ("model versions", 0), ("files", 0),
    ]
    /// Where artifacts were, and where they are in the folder.
    private var moved: [String: String] = [:]

    package init(_ path: String, copiesFiles: Bool, tell: @escaping (_ runs: Int) -> Void) {
        (root, self.copiesFiles, self.tell) = (path, copiesFiles, tell)
    }

    package var counts: [(name: String, count: Int)] { tally }

    private func count(_ name: String, _ number: Int = 1) {
        if let place = tally.firstIndex(where: { $0.name == name }) { tally[place].count += number }
    }

    package func write(_ source: any MLflowStore) throws(Refusal) {
        try Folder.make(root)
        var runs = 0
        for experiment in try source.experiments() {
            let id = experiment["experiment_id"]?.string ?? ""
            let isDeleted = experiment["lifecycle_stage"]?.string == "deleted"
            let home = isDeleted ? "\(root)/.trash/\(id)" : "\(root)/\(id)"
            try document(
                "\(home)/meta.yaml",
                [
                    ("artifact_location", .string(Folder.uri("\(root)/\(id)"))),
                    ("creation_time", experiment["creation_time"]?.wholeNumber.map { .int($0) }),
                    ("experiment_id", .string(id)),
                    ("last_update_time", experiment["last_update_time"]?.wholeNumber.map { .int($0) }),
                    ("lifecycle_stage", .string(isDeleted ? "deleted" : "active")), ("name", experiment["name"]),
                ])
            try texts(experiment["tags"], in: "\(home)/tags")
            count("experiments")
            for run in try source.runs(of: id) {
                try write(source, run: run, of: id, in: home)
                runs += 1
                tell(runs)
            }
            for model in try source.loggedModels(of: id) { try write(source, model: model, of: id, in: home) }
        }
        for model in try source.registeredModels() { try write(model: model) }
    }

    // MARK: Runs

    private func write(_ source: any MLflowStore, run id: String, of experiment: String, in home: String)
        throws(Refusal)
    {
        let run = try source.run(id, of: experiment)
        let folder = "\(home)/\(id)"
        let words = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
        let status = words.firstIndex(of: run["status"]?.string ?? "").map { $0 + 1 } ?? 1
        try document(
            "\(folder)/meta.yaml",
            [
                ("artifact_uri", .string(Folder.uri("\(root)/\(experiment)/\(id)/artifacts"))),
                ("end_time", run["end_time"] ?? .null), ("entry_point_name", ""),
                ("experiment_id", .string(experiment)),
                ("lifecycle_stage", run["lifecycle_stage"] ?? "active"), ("run_id", .string(id)),
                ("run_name", run["run_name"] ?? ""), ("run_uuid", .string(id)), ("source_name", ""),
                ("source_type", 4), ("source_version", ""), ("start_time", run["start_time"] ?? .null),
                ("status", .int(Int64(status))), ("tags", .array([])), ("user_id", run["user_id"] ?? ""),
            ])
        try texts(run["params"], in: "\(folder)/params")
        try texts(run["tags"], in: "\(folder)/tags")
        try Folder.make("\(folder)/metrics")
        try Folder.make("\(folder)/artifacts")
        try source.metrics(of: run, in: experiment) { key, columns throws(Refusal) in
            var lines: [UInt8] = []
            for index in 0..<columns.count {
                lines +=
                    "\(columns.times[index]) \(Folder.number(columns.values[index])) \(columns.steps[index])\n".utf8
            }
            try file(lines, at: key, in: "\(folder)/metrics")
            count("points", columns.count)
        }
        try flow(of: run, id, folder, home)
        count("runs")
        try copy(
            source, ArtifactOwner(.run, id, of: experiment), from: run["artifact_uri"]?.string ?? "",
            to: "\(folder)/artifacts", shown: "\(root)/\(experiment)/\(id)/artifacts")
    }

    private func flow(of run: JSONObject, _ id: String, _ folder: String, _ home: String) throws(Refusal) {
        for input in run["dataset_inputs"]?.array ?? [] {
            guard let dataset = input["dataset"]?.object else { continue }
            let digest = Folder.name("\(dataset["name"]?.string ?? "")\(dataset["digest"]?.string ?? "")")
            try document("\(home)/datasets/\(digest)/meta.yaml", dataset.members.map { ($0.key, $0.value) })
            var tags = JSONObject()
            for tag in input["tags"]?.array ?? [] { tags[tag["key"]?.string ?? ""] = tag["value"] }
            try edge(
                "\(folder)/inputs/\(Folder.name(digest + id))", from: ("DATASET", digest), to: ("RUN", digest),
                [("tags", .object(tags))])
        }
        for input in run["model_inputs"]?.array ?? [] {
            let model = input["model_id"]?.string ?? ""
            try edge(
                "\(folder)/inputs/\(Folder.name(model + id))", from: ("MODEL", model), to: ("RUN", model),
                [("tags", .object([:]))])
        }
        for output in run["model_outputs"]?.array ?? [] {
            let model = output["model_id"]?.string ?? ""
            try edge(
                "\(folder)/outputs/\(model)", from: ("RUN_OUTPUT", model), to: ("MODEL_OUTPUT", model),
                [("step", .int(output["step"]?.wholeNumber ?? 0)), ("tags", .object([:]))])
        }
    }

    /// MLflow's file store writes the source's id in both places, and reads it so.
    private func edge(
        _ folder: String, from source: (type: String, id: String), to target: (type: String, id: String),
        _ more: [(String, JSONValue?)]
    ) throws(Refusal) {
        try document(
            "\(folder)/meta.yaml",
            [
                ("destination_id", .string(target.id)), ("destination_type", .string(target.type)),
                ("source_id", .string(source.id)), ("source_type", .string(source.type)),
            ] + more)
    }

    // MARK: Models

    private func write(
        _ source: any MLflowStore, model: JSONObject, of experiment: String, in home: String
    ) throws(Refusal) {
        let id = model["model_id"]?.string ?? ""
        let folder = "\(home)/models/\(id)"
        let states = ["LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"]
        let state = states.firstIndex(of: model["status"]?.string ?? "").map { $0 + 1 } ?? 2
        try document(
            "\(folder)/meta.yaml",
            [
                ("artifact_location", .string(Folder.uri("\(root)/\(experiment)/models/\(id)/artifacts"))),
                ("creation_timestamp", model["creation_timestamp_ms"]), ("experiment_id", .string(experiment)),
                ("last_updated_timestamp", model["last_updated_timestamp_ms"]), ("lifecycle_stage", "active"),
                ("model_id", .string(id)), ("model_type", model["model_type"] ?? .null), ("name", model["name"]),
                ("source_run_id", model["source_run_id"] ?? .null), ("status", .int(Int64(state))),
                ("status_message", model["status_message"] ?? .null),
            ])
        try texts(model["params"], in: "\(folder)/params")
        try texts(model["tags"], in: "\(folder)/tags")
        try Folder.make("\(folder)/metrics")
        var lines: [String: [UInt8]] = [:]
        for metric in model["metrics"]?.array ?? [] {
            guard let value = metric["value"]?.anyNumber else { continue }
            var line =
                "\(metric["timestamp"]?.wholeNumber ?? 0) \(Folder.number(value)) \(metric["step"]?.wholeNumber ?? 0) \(metric["run_id"]?.string ?? "")"
            if let dataset = metric["dataset_name"]?.string, let digest = metric["dataset_digest"]?.string {
                line += " \(dataset) \(digest)"
            }
            lines[metric["key"]?.string ?? "", default: []] += "\(line)\n".utf8
        }
        for (key, text) in lines { try file(text, at: key, in: "\(folder)/metrics") }
        count("logged models")
        try copy(
            source, ArtifactOwner(.loggedModel, id, of: experiment), from: model["artifact_uri"]?.string ?? "",
            to: "\(folder)/artifacts", shown: "\(root)/\(experiment)/models/\(id)/artifacts")
    }

    private func write(model: JSONObject) throws(Refusal) {
        let name = model["name"]?.string ?? ""
        let folder = "\(root)/models/\(name)"
        guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
            problems.append("the model “\(name)”: its name cannot be a folder's")
            return
        }
        try document(
            "\(folder)/meta.yaml",
            [
                ("creation_timestamp", model["creation_timestamp"]), ("description", model["description"] ?? .null),
                ("last_updated_timestamp", model["last_updated_timestamp"]), ("latest_versions", .null),
                ("name", .string(name)),
            ])
        try texts(model["tags"], in: "\(folder)/tags")
        count("registered models")
        for version in (model["versions"]?.array ?? []).compactMap(\.object) {
            let number = version["version"]?.string ?? ""
            let place = "\(folder)/version-\(number)"
            var fields: [(String, JSONValue?)] = [("name", .string(name)), ("version", .string(number))]
            for field in [
                "creation_timestamp", "current_stage", "description", "last_updated_timestamp", "run_id", "run_link",
                "status", "status_message", "user_id", "model_id",
            ] { fields.append((field, version[field] ?? .null)) }
            fields.append(("source", (version["source"]?.string).map { .string(now($0)) }))
            fields.append(("storage_location", .string(now(version["source"]?.string ?? ""))))
            try document("\(place)/meta.yaml", fields.sorted { $0.0 < $1.0 })
            try texts(version["tags"], in: "\(place)/tags")
            for alias in (version["aliases"]?.array ?? []).compactMap(\.string) {
                try file(Array(number.utf8), at: alias, in: "\(folder)/aliases")
            }
            count("model versions")
        }
    }

    /// A place inside artifacts that were copied, in the folder.
    private func now(_ place: String) -> String {
        for (before, after) in moved where place.hasPrefix(before) { return after + place.dropFirst(before.count) }
        return place
    }

    // MARK: Files

    private func copy(
        _ source: any MLflowStore, _ owner: ArtifactOwner, from location: String, to folder: String, shown: String
    ) throws(Refusal) {
        guard copiesFiles else { return }
        guard let files = try source.files(at: location, of: owner) else {
            problems.append("\(owner.id): its artifacts are at \(location), which this server does not open")
            return
        }
        moved[location] = Folder.uri(shown)
        for one in files {
            let path = "\(folder)/\(one.path)"
            guard Folder.isInside(one.path) else {
                problems.append("\(owner.id): \(one.path) leads out of its folder")
                continue
            }
            do throws(Refusal) {
                if let slash = path.lastIndex(of: "/") { try Folder.make(String(path[..<slash])) }
                if case .address(let address) = one.place { try source.fetch(address, to: path) }
                count("files")
            } catch {
                problems.append("\(owner.id): \(one.path): \(error.message)")
            }
        }
    }

    private func texts(_ list: JSONValue?, in folder: String) throws(Refusal) {
        try Folder.make(folder)
        for pair in list?.array ?? [] {
            guard let key = pair["key"]?.string else { continue }
            try file(Array((pair["value"]?.string ?? "").utf8), at: key, in: folder)
        }
    }

    private func file(_ bytes: [UInt8], at key: String, in folder: String) throws(Refusal) {
        guard Folder.isInside(key) else {
            problems.append("“\(key)” cannot be a file's name in \(folder)")
            return
        }
        let path = "\(folder)/\(key)"
        if let slash = path.lastIndex(of: "/") { try Folder.make(String(path[..<slash])) }
        do throws(Refusal) { try Folder.write(bytes, to: path) } catch {
            // `a` and `a/b` are two keys here, and a file and a folder of one name there.
            problems.append("“\(key)” in \(folder): \(error.message)")
        }
    }

    /// A value in JSON's spelling is one in YAML's.
    private func document(_ path: String, _ fields: [(String, JSONValue?)]) throws(Refusal) {
        var text = ""
        for case (let name, let value?) in fields { text += "\(name): \(value.text)\n" }
        if let slash = path.lastIndex(of: "/") { try Folder.make(String(path[..<slash])) }
        try Folder.write(Array(text.utf8), to: path)
    }
}

/// What is written into a folder of files.
private enum Folder {
    static func make(_ path: String) throws(Refusal) {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/\(part)"
            if mkdir(made, 0o777) != 0, errno != EEXIST { throw failure("make the folder", made) }
        }
    }

    static func write(_ bytes: [UInt8], to path: String) throws(Refusal) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o666)
        guard file >= 0 else { throw failure("write", path) }
        defer { close(file) }
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            done += count
        }
    }

    static func isInside(_ path: String) -> Bool {
        let steps = path.split(separator: "/", omittingEmptySubsequences: false)
        return !steps.isEmpty && steps.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255 }
    }

    /// As Python writes a number.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        return "\(value)"
    }

    static func uri(_ path: String) -> String {
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-._~".utf8)
        var text = "file://"
        for byte in path.utf8 {
            if plain.contains(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.utf8.count < 2 ? "0" : "") + digits
            }
        }
        return text
    }

    /// 32 hex digits that stand for a text.
    static func name(_ text: String) -> String {
        var words: [UInt64] = [0xCBF2_9CE4_8422_2325, 0x9AE1_6A3B_2F90_404F]
        for byte in text.utf8 {
            for index in 0..<2 { words[index] = (words[index] ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        return words.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }.joined()
    }

    private static func failure(_ verb: String, _ path: String) -> Refusal {
        let code = errno
        return Refusal(
            code == ENOSPC ? .full : .io, "Cannot \(verb) \(path): \(String(cString: strerror(code))).",
            remedy: "Check the path, its permissions and the disk.")
    }
}
