import MartletClient
import MartletDomain
import MartletForeign
import MartletJSON

// The registry and logged models, with their files.
extension MLflowImport {
    func bringLoggedModels(of experiment: String, to home: String) throws {
        let models = try source.loggedModels(of: experiment)
        for model in models {
            let id = model["model_id"]?.string ?? ""
            if !isChanged("logged/\(id)", JSONValue.object(model).text), follows { continue }
            var line = model
            line["experiment_id"] = .string(home)
            let isDeleted = model["lifecycle_stage"]?.string == "deleted"
            // Out of sight only once its files are here.
            line["lifecycle_stage"] = nil
            channel.add("logged_model", line)
            guard case .taken(let answer) = try flushed("logged model \(id)") else {
                edit { $0.loggedModels.add(there: 1, here: 0) }
                forget("logged/\(id)")
                continue
            }
            edit { $0.loggedModels.add(there: 1, here: 1) }
            guard answer["is_deleted"]?.bool != true else { continue }
            let owner = ArtifactOwner(.loggedModel, id, of: experiment)
            _ = try bringFiles(
                owner, from: model["artifact_uri"]?.string ?? "", to: answer["artifact_uri"]?.string ?? "")
            if isDeleted {
                line["lifecycle_stage"] = "deleted"
                channel.add("logged_model", line)
                _ = try flushed("logged model \(id)")
            }
        }
    }

    func bringTraces(of experiment: String, to home: String) throws {
        var ids: [String] = []
        func settle() throws(CommandFailure) {
            for (id, outcome) in zip(ids, try channel.flush()) {
                switch outcome {
                case .taken: edit { $0.traces.add(there: 1, here: 1) }
                case .refused(let why):
                    forget("trace/\(id)")
                    edit {
                        $0.traces.add(there: 1, here: 0)
                        $0.problems.append("trace \(id): \(why)")
                    }
                }
            }
            ids = []
        }
        try source.traces(of: experiment) { trace throws(Refusal) in
            let id = trace["trace_id"]?.string ?? ""
            if !isChanged("trace/\(id)", JSONValue.object(trace).text), follows { return }
            var line = trace
            line["experiment_id"] = .string(home)
            channel.add("trace", line)
            ids.append(id)
            guard channel.isFull else { return }
            do throws(CommandFailure) { try settle() } catch {
                throw Refusal(.io, error.message, remedy: error.remedy ?? "")
            }
        }
        try settle()
    }

    func bringRegistry() throws {
        for model in try source.registeredModels() {
            let name = model["name"]?.string ?? ""
            if !isChanged("model/\(name)", JSONValue.object(model).text), follows { continue }
            var line = model
            line["versions"] = nil
            line["aliases"] = nil
            channel.add("registered_model", line)
            let versions = model["versions"]?.array ?? []
            guard case .taken = try flushed("model “\(name)”") else {
                forget("model/\(name)")
                edit {
                    $0.models.add(there: 1, here: 0)
                    $0.versions.add(there: versions.count, here: 0)
                }
                continue
            }
            edit { $0.models.add(there: 1, here: 1) }
            for version in versions.compactMap(\.object) {
                var line = version
                line["name"] = .string(name)
                for field in ["source", "storage_location"] {
                    if let place = version[field]?.string, !place.isEmpty { line[field] = .string(now(place)) }
                }
                channel.add("model_version", line)
                let what = "model “\(name)”, version \(version["version"]?.string ?? "")"
                let isTaken = if case .taken = try flushed(what) { 1 } else { 0 }
                edit { $0.versions.add(there: 1, here: isTaken) }
            }
        }
    }

    /// Hands the one line that waits on, and notes why it was refused.
    private func flushed(_ what: String) throws -> ImportChannel.Outcome {
        let outcome = try channel.flush()[0]
        if case .refused(let why) = outcome { edit { $0.problems.append("\(what): \(why)") } }
        return outcome
    }
}
