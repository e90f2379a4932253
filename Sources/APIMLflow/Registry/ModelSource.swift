import MartletDomain
import MartletJSON
import MartletStorage

/// Where a version's bytes are, as a client says it. It is checked and recorded; this server opens nothing there.
struct ModelSource: Sendable {
    let text: String
    init(_ text: String) { self.text = text }

    private var scheme: String? { ArtifactLocation.scheme(of: text) }

    /// A path of the machine on which MLflow's server runs: without a scheme, or a file's on this machine.
    private var isLocal: Bool {
        switch scheme {
        case nil, "file": return true
        default: return false
        }
    }

    // MARK: Checks

    /// A local path must lie in the artifacts of the run or the model that it is said to be of; any other address must
    /// be a whole one, without steps upwards however often they were escaped.
    func check(
        run: String, model: LoggedModel?, _ reader: any StoreReader, _ call: Call
    ) throws(Refusal) {
        guard isLocal else { return try checkAddress() }
        if let model {
            let home = try call.api.places.location(of: model, reader)
            guard contains(home) else { throw refusal(of: "model_id") }
        } else {
            guard !run.isEmpty else { throw refusal(of: "run_id") }
            let found = try reader.run(mlflow: run, call)
            guard let experiment = try reader.experiment(found.experiment),
                contains(call.api.places.location(of: found, in: experiment))
            else { throw refusal(of: "run_id") }
        }
    }

    /// A prompt's source is a word that stands for nothing, or an address; never a file.
    func checkPrompt() throws(Refusal) {
        guard scheme != "file", !text.hasPrefix("/") else {
            throw .mlflow("Invalid prompt source: '\(text)'. Local source paths are not allowed for prompts.")
        }
        if scheme != nil { try checkAddress() }
    }

    private func checkAddress() throws(Refusal) {
        var plain = text
        for _ in 0..<10 {
            let decoded = ArtifactLocation.percentDecoded(plain.replacing("+", with: " "))
            if decoded == plain { break }
            plain = decoded ?? "\u{0}"
        }
        let path = ModelSource.path(of: plain)
        let steps = path.split(separator: "/")
        guard !plain.unicodeScalars.contains("\u{0}"), path.hasPrefix("/"), !steps.contains("."),
            !plain.split(separator: "/").contains(".."), !ArtifactLocation.hasUpwardStep(text)
        else {
            throw .mlflow(
                "Invalid model version source: '\(text)'. If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please provide an absolute path."
            )
        }
    }

    private func refusal(of parameter: String) -> Refusal {
        .mlflow(
            "Invalid model version source: '\(text)'. To use a local path as a model version source, the \(parameter) request parameter has to be specified and the local path has to be contained within the artifact directory of the run specified by the \(parameter)."
        )
    }

    /// Whether this path is another's or lies below it. Both are compared as they are written.
    private func contains(_ home: String) -> Bool {
        // Also where the steps would end inside: whoever reads the source later may read them otherwise.
        if ArtifactLocation.hasUpwardStep(text) { return false }
        guard let home = ModelSource.localPath(home), let path = ModelSource.localPath(text) else { return false }
        return path == home || path.hasPrefix(home == "/" ? "/" : home + "/")
    }

    private static func localPath(_ uri: String) -> String? {
        switch ArtifactLocation.scheme(of: uri) {
        case nil: break
        case "file": break
        default: return nil
        }
        let isURI = uri.lowercased().hasPrefix("file:")
        if isURI, uri.dropFirst(5).hasPrefix("//"), !uri.dropFirst(7).hasPrefix("/"),
            !uri.dropFirst(7).hasPrefix("localhost/")
        {
            return nil
        }
        let path = isURI ? path(of: uri) : uri
        guard let decoded = ArtifactLocation.percentDecoded(path), decoded.hasPrefix("/") else { return nil }
        let normal = Names.normalPath(decoded)
        return normal.hasPrefix("//") ? String(normal.dropFirst()) : normal
    }

    /// What stands between the host and the query.
    private static func path(of uri: String) -> String {
        guard let colon = uri.firstIndex(of: ":") else { return uri }
        var rest = uri[uri.index(after: colon)...]
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            rest = rest[(rest.firstIndex(of: "/") ?? rest.endIndex)...]
        }
        return String(rest[..<(rest.firstIndex { $0 == "?" || $0 == "#" } ?? rest.endIndex)])
    }

    // MARK: What it leads to

    /// What `models:/…` stands for when it is registered: where the bytes are, and the run that made them.
    func target(_ reader: any StoreReader, _ call: Call) throws(Refusal) -> (place: String, run: String?)? {
        guard scheme == "models" else { return nil }
        let name = String(text.dropFirst("models:".count).drop { $0 == "/" })
        func unknown(_ why: String) -> Refusal {
            .mlflow("Unable to fetch model from model URI source artifact location '\(text)'.Error: \(why)")
        }
        do throws(Refusal) {
            if LoggedModel.isID(name) {
                let model = try reader.loggedModel(mlflow: name, call)
                return (try call.api.places.location(of: model, reader), model.sourceRun)
            }
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, let number = Int(parts[1]) else {
                throw .mlflow(
                    "Not a proper models:/ URI: \(text). Models URIs must be of the form 'models:/model_name/version'.")
            }
            let version = try reader.version(mlflow: number, of: String(parts[0]), call).version
            return (ModelSource.download(of: version), nil)
        } catch {
            throw unknown(error.message)
        }
    }

    static func metadata(_ place: String) -> String {
        var writer = JSONWriter()
        writer.object { $0.member("storage_location", place) }
        return writer.text
    }

    /// Where a client loads a version from.
    static func download(of version: ModelVersion) -> String {
        guard version.metadata != "{}" else { return version.source }
        return (try? JSONValue(parsing: version.metadata))?["storage_location"]?.string ?? version.source
    }
}
