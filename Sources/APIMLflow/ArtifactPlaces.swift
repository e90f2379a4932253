import MartletArtifacts
package import MartletDomain
package import MartletObservability

/// What the operator says of artifacts, with the meaning that the flags have in `mlflow server`.
package struct ArtifactSettings: Sendable {
    /// `--default-artifact-root`: where clients are told to put the artifacts of experiments made from now on.
    package var defaultRoot: String?
    /// `--artifacts-destination`: the folder that uploads through the server go to, as they are.
    package var destination: String?
    /// Those of the two that are folders of this machine, opened; the destination first.
    private(set) var roots: Roots?

    package init(defaultRoot: String? = nil, destination: String? = nil) {
        (self.defaultRoot, self.destination) = (defaultRoot, destination)
    }

    /// Opens the folders that the operator named, and makes those that are missing. The destination must be there; a
    /// default root may be a folder that only the clients have.
    package func opened(_ log: Log = .silent) throws(Refusal) -> ArtifactSettings {
        var paths = destination.map { [$0] } ?? []
        if !paths.isEmpty { _ = try Roots(paths, makingMissing: true) }
        if let path = defaultRoot.flatMap(Roots.path(ofLocation:)), path != destination {
            do throws(Refusal) {
                _ = try Roots([path], makingMissing: true)
                paths.append(path)
            } catch {
                log.warning("Artifacts under the default root will not be listed here: \(error.message)")
            }
        }
        var settings = self
        settings.roots = paths.isEmpty ? nil : try Roots(paths)
        return settings
    }

    /// What uploads into those folders left behind when the server died in their midst, once it is a day old.
    package func sweepUnfinished(now: Timestamp) -> Int {
        roots?.sweepUnfinished(before: now.adding(seconds: -86_400)) ?? 0
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
        let end = uri.utf8.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? uri.endIndex
        let base = uri[..<end]
        return (base.utf8.last == UInt8(ascii: "/") ? "\(base)\(path)" : "\(base)/\(path)") + uri[end...]
    }
}
