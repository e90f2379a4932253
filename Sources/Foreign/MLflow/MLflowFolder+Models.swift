package import MartletDomain
package import MartletJSON

// The registry and logged models in a folder of MLflow's.
extension MLflowFolder {
    package func registeredModels() throws(Refusal) -> [JSONObject] {
        let root = "\(place)/models"
        var models: [JSONObject] = []
        for name in Files.names(in: root) where Files.isFile("\(root)/\(name)/meta.yaml") {
            let folder = "\(root)/\(name)"
            let meta = try document("\(folder)/meta.yaml")
            var aliases: [String: [JSONValue]] = [:]
            for (alias, version) in try texts(in: "\(folder)/aliases") {
                aliases[version.filter { !$0.isWhitespace }, default: []].append(.string(alias))
            }
            var versions: [(number: Int, record: JSONObject)] = []
            for entry in Files.names(in: folder) where entry.hasPrefix("version-") {
                let place = "\(folder)/\(entry)"
                guard let number = Int(entry.dropFirst(8)), Files.isFile("\(place)/meta.yaml") else { continue }
                var version = MLflowFolder.texts(try document("\(place)/meta.yaml"))
                // What was deleted keeps its file, without what it was.
                guard version["current_stage"]?.string != "Deleted_Internal" else { continue }
                for time in ["creation_timestamp", "last_updated_timestamp"] {
                    version[time] = version[time]?.string.flatMap { Int64($0) }.map { .int($0) }
                }
                version["tags"] = JSONObject.pairs(try texts(in: "\(place)/tags"))
                version["version"] = .string("\(number)")
                version["aliases"] = aliases["\(number)"].map { .array($0) }
                versions.append((number, version))
            }
            models.append(
                JSONObject(fields: [
                    ("name", .string(meta["name"]?.asText ?? name)),
                    ("creation_timestamp", meta["creation_timestamp"]),
                    ("last_updated_timestamp", meta["last_updated_timestamp"]),
                    ("description", meta["description"]?.asText.map { .string($0) }),
                    ("tags", JSONObject.pairs(try texts(in: "\(folder)/tags"))),
                    (
                        "versions",
                        .array(versions.sorted { $0.number < $1.number }.map { .object($0.record) })
                    ),
                ]))
        }
        return models
    }

    package func loggedModels(of experiment: String) throws(Refusal) -> [JSONObject] {
        let root = "\(try home(of: experiment))/models"
        var models: [JSONObject] = []
        for id in Files.names(in: root) where Files.isFile("\(root)/\(id)/meta.yaml") {
            let folder = "\(root)/\(id)"
            let meta = try document("\(folder)/meta.yaml")
            var metrics: [JSONValue] = []
            if Files.isFolder("\(folder)/metrics") {
                for file in Files.tree("\(folder)/metrics") {
                    let bytes = try Files.read("\(folder)/metrics/\(file.path)")
                    metrics += MLflowFolder.modelMetrics(bytes, file.path)
                }
            }
            func text(_ name: String) -> JSONValue? { meta[name]?.asText.map { .string($0) } }
            models.append(
                JSONObject(fields: [
                    ("model_id", .string(id)), ("name", text("name")), ("artifact_uri", text("artifact_location")),
                    ("creation_timestamp_ms", meta["creation_timestamp"]),
                    ("last_updated_timestamp_ms", meta["last_updated_timestamp"]), ("status", meta["status"]),
                    ("status_message", text("status_message")), ("model_type", text("model_type")),
                    ("source_run_id", text("source_run_id")), ("lifecycle_stage", text("lifecycle_stage")),
                    ("params", JSONObject.pairs(try texts(in: "\(folder)/params"))),
                    ("tags", JSONObject.pairs(try texts(in: "\(folder)/tags"))), ("metrics", .array(metrics)),
                ]))
        }
        return models
    }

    /// `time value step run [dataset digest]`.
    private static func modelMetrics(_ bytes: [UInt8], _ name: String) -> [JSONValue] {
        var found: [JSONValue] = []
        var columns = MetricColumns()
        MetricFile.each(bytes, of: name, into: &columns) { fields, _ in
            guard fields.count >= 4, let time = Int64(fields[0]), let value = MetricFile.number(fields[1]),
                let step = Int64(fields[2])
            else { return false }
            found.append(
                .object(
                    JSONObject(fields: [
                        ("key", .string(name)), ("value", .double(value)), ("timestamp", .int(time)),
                        ("step", .int(step)), ("run_id", .string(String(fields[3]))),
                        ("dataset_name", fields.count > 5 ? .string(String(fields[4])) : nil),
                        ("dataset_digest", fields.count > 5 ? .string(String(fields[5])) : nil),
                    ])))
            return true
        }
        return found
    }
}
