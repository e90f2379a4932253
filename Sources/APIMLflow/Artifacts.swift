import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Artifacts through the server: the proxy that MLflow's clients upload to and download from.
extension MLflowAPI {
    private static let proxy = "2.0/mlflow-artifacts/artifacts"

    static let artifactEndpoints: [Endpoint] =
        [
            Endpoint(
                .put, proxy + "/{…path}",
                .upload { call in
                    ArtifactIntake(call, answer: Response(.ok)) { call, reader throws(Refusal) in
                        try ArtifactTarget.proxied(call["path"], .write, call, reader)
                    }
                }),
            .read(.get, proxy + "/{…path}") { call, _ throws(Refusal) in
                try call.engine.read { (reader: any StoreReader) throws(Refusal) in
                    let target = try ArtifactTarget.proxied(call["path"], .read, call, reader)
                    return try ArtifactContent(target, shown: target.path, call, reader).response(call.request)
                }
            },
            .read(.get, proxy) { call, _ throws(Refusal) in
                let path = call.request.query["path"] ?? ""
                return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
                    let target = try ArtifactTarget.proxied(path, .read, call, reader)
                    let entries = try target.list(call, reader)
                    return .json(try encoded { writer in writer.object { $0.files(entries) } })
                }
            },
            Endpoint(
                .delete, proxy + "/{…path}", .change { call, _ throws(Refusal) in try deleteArtifacts(call) }),
        ] + signedEndpoints + partEndpoints

    /// A file, or a folder with all that is in it; what is not there is deleted already.
    private static func deleteArtifacts(_ call: Call) throws(Refusal) {
        let path = call["path"]
        let target = try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            try ArtifactTarget.proxied(path, .write, call, reader)
        }
        guard !target.path.isEmpty else { throw SafePath.invalid }
        if case .folder(let root, let path) = target.place, let roots = call.api.places.settings.roots {
            _ = try roots.remove(path, beneath: root)
        }
        try call.change { ledger, _ throws(Refusal) in
            if let run = target.run {
                let inside = target.inRun
                let paths = try ledger.tx.artifacts(of: run.key).filter { artifact in
                    artifact.life == .active
                        && (inside.isEmpty || artifact.path == inside || artifact.path.hasPrefix(inside + "/"))
                }
                for path in Set(paths.map(\.path)) {
                    _ = try ledger.deleteArtifacts(of: run.key, path: path, evenDeleted: true)
                }
            } else if case .shelf = target.place {
                _ = try ledger.removeFiles(target.path, in: target.project)
            }
            return Call.empty
        }
    }
}
