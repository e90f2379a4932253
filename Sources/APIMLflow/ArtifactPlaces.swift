import MartletDomain

/// What the operator says of artifacts, with the meaning that the flags have in `mlflow server`.
package struct ArtifactSettings: Sendable {
    /// `--default-artifact-root`: where clients are told to put the artifacts of experiments made from now on.
    package var defaultRoot: String?
    /// `--artifacts-destination`: the folder that uploads through the server go to, as they are.
    package var destination: String?
    package init(defaultRoot: String? = nil, destination: String? = nil) {
        (self.defaultRoot, self.destination) = (defaultRoot, destination)
    }
}

/// Where clients find the artifacts of an experiment, a run, a model.
struct ArtifactPlaces: Sendable {
    /// Through this server.
    static let proxied = "mlflow-artifacts:/"

    let settings: ArtifactSettings
    init(_ settings: ArtifactSettings) { self.settings = settings }

    var root: String { settings.defaultRoot ?? ArtifactPlaces.proxied }

    func location(of experiment: Experiment) -> String {
        experiment.location.isEmpty ? ArtifactPlaces.join(root, "\(experiment.id)") : experiment.location
    }

    func location(of run: Run, in experiment: Experiment) -> String {
        ArtifactPlaces.join(location(of: experiment), "\(run.id)/artifacts")
    }

    /// A path appended to a URI's path: what stands behind `?` or `#` stays behind it.
    static func join(_ uri: String, _ path: String) -> String {
        let end = uri.firstIndex { $0 == "?" || $0 == "#" } ?? uri.endIndex
        let base = uri[..<end]
        return (base.hasSuffix("/") ? "\(base)\(path)" : "\(base)/\(path)") + uri[end...]
    }
}
