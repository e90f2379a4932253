import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletStorage

/// What an address of MLflow's means here: where the bytes lie, and whose they are.
///
/// No location that a client named is opened. One that stands for this server is a path in the store or in the
/// operator's destination; one of this machine is opened only beneath a folder that the operator named; and any other
/// is the client's own business.
struct ArtifactTarget {
    enum Place {
        /// An artifact of the run below, in the store.
        case run
        /// A file of the project that belongs to no run, in the store.
        case shelf
        /// Beneath a folder of the operator's.
        case folder(root: Int, path: String)
    }

    var place: Place
    /// As the client named it, from the root of the proxy on.
    var path: String
    var project: ProjectID
    var experiment: ExperimentID?
    /// The run whose artifact it is, and the path inside of it, empty for its root.
    var run: Run?
    var inRun = ""

    /// The shelf's files and the operator's folders have MLflow's layout: `<experiment>/<run>/artifacts/…`.
    private struct Owner {
        var project: ProjectID
        var experiment: ExperimentID?
        var run: Run?
        var inRun = ""
    }
}

extension ArtifactTarget {
    /// A path of the proxy.
    static func proxied(
        _ path: String, _ role: Role, _ call: Call, _ reader: any StoreReader
    ) throws(Refusal) -> ArtifactTarget {
        let path = try SafePath.checked(path)
        let owner = try owner(of: path, call, reader)
        var target = ArtifactTarget(
            place: owner.run == nil ? .shelf : .run, path: path, project: owner.project,
            experiment: owner.experiment, run: owner.run, inRun: owner.inRun)
        if call.api.places.settings.destination != nil { target.place = .folder(root: 0, path: path) }
        try target.allow(role, call)
        return target
    }

    /// A path beneath a run's own root, wherever that is.
    static func of(
        _ run: Run, path: String, _ role: Role, _ call: Call, _ reader: any StoreReader
    ) throws(Refusal) -> (target: ArtifactTarget, root: String) {
        let path = try SafePath.checked(path)
        guard let experiment = try reader.experiment(run.experiment) else { throw .noExperiment("\(run.experiment)") }
        let root = call.api.places.location(of: run, in: experiment)
        var target = try at(root, path: path, role, call, reader)
        (target.run, target.inRun, target.project) = (run, path, run.project)
        if case .shelf = target.place { target.place = .run }
        try target.allow(role, call)
        return (target, root)
    }

    /// A path beneath a recorded location.
    static func at(
        _ location: String, path: String, _ role: Role, _ call: Call, _ reader: any StoreReader
    ) throws(Refusal) -> ArtifactTarget {
        let path = try SafePath.checked(path)
        if let root = call.api.places.proxiedPath(of: location) {
            return try proxied(SafePath.join(try SafePath.checked(root), path), role, call, reader)
        }
        guard Roots.path(ofLocation: location) != nil else { throw .clientsOwn(location) }
        guard let found = call.api.places.settings.roots?.place(ofLocation: location) else {
            throw .outsideOfRoots(location)
        }
        // Where it lies in MLflow's layout decides who may see it, whatever location an experiment was given.
        let rest = SafePath.join(try SafePath.checked(found.rest), path)
        let owner = try owner(of: rest, call, reader)
        let target = ArtifactTarget(
            place: .folder(root: found.root, path: rest), path: rest, project: owner.project,
            experiment: owner.experiment, run: owner.run, inRun: owner.inRun)
        try target.allow(role, call)
        return target
    }

    private func allow(_ role: Role, _ call: Call) throws(Refusal) {
        let caller = try call.caller()
        try caller.require(role, on: project)
        if role > .read, let run, run.life != .active, call.request.method != .delete { throw .runIsDeleted(run.id) }
    }

    private static func owner(
        of path: String, _ call: Call, _ reader: any StoreReader
    ) throws(Refusal) -> Owner {
        let parts = path.split(separator: "/").map(String.init)
        var owner = Owner(project: try call.project(reader).id)
        if let first = parts.first.flatMap(Int64.init), let experiment = try reader.experiment(ExperimentID(first)) {
            (owner.project, owner.experiment) = (experiment.project, experiment.id)
        }
        for index in parts.indices.reversed() {
            guard let id = RunID(parts[index]), let run = try reader.run(id) else { continue }
            let end = index + 1 < parts.count ? index + 2 : index + 1
            guard end == index + 1 || parts[index + 1] == "artifacts" else { continue }
            let isUsual = index == 1 && parts[0] == "\(run.experiment)"
            let given = try reader.experiment(run.experiment).flatMap {
                call.api.places.proxiedPath(of: call.api.places.location(of: run, in: $0))
            }
            guard isUsual || given == parts[...(index)].joined(separator: "/") + "/artifacts" else { continue }
            (owner.project, owner.experiment, owner.run) = (run.project, run.experiment, run)
            owner.inRun = parts[end...].joined(separator: "/")
            break
        }
        return owner
    }
}

extension ArtifactPlaces {
    private static let anchor = "/mlflow-artifacts/artifacts"

    /// The path in the proxy that a location stands for; nil when it is none of the proxy's.
    func proxiedPath(of location: String) -> String? {
        guard let scheme = ArtifactLocation.scheme(of: location) else { return nil }
        let end = location.firstIndex { $0 == "?" || $0 == "#" } ?? location.endIndex
        var rest = location[..<end].dropFirst(scheme.count + 1)
        if rest.hasPrefix("//") { rest = rest.dropFirst(2).drop { $0 != "/" } }
        switch scheme {
        case "mlflow-artifacts": break
        case "http", "https":
            guard let anchor = rest.firstRange(of: ArtifactPlaces.anchor) else { return nil }
            rest = rest[anchor.upperBound...]
            guard rest.isEmpty || rest.hasPrefix("/") else { return nil }
        default: return nil
        }
        return ArtifactLocation.percentDecoded(String(rest.drop { $0 == "/" }))
    }
}

extension Refusal {
    static func noArtifact(_ path: String) -> Refusal { .mlflow("No such artifact: '\(path)'", .notFound) }

    static func isFolder(_ path: String) -> Refusal {
        .mlflow("Artifact path refers to a directory, not a file: '\(path)'")
    }

    static func clientsOwn(_ location: String) -> Refusal {
        Refusal(
            .unsupported, "The artifacts lie at \(location.prefix(300)), which this server does not open.",
            remedy: "A client reads them there with its own credentials, as mlflow.artifacts.download_artifacts does.")
    }

    static func outsideOfRoots(_ location: String) -> Refusal {
        Refusal(
            .forbidden, "“\(location.prefix(300))” lies in no folder that this server may use.",
            remedy: "The operator names such folders with --artifacts-destination and --default-artifact-root.")
    }
}
