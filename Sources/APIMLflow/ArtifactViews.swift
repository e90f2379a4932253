import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Artifacts by what they belong to: a run, a logged model, a version of a registered model.
extension MLflowAPI {
    private static let uploadMax = 10 << 20

    static let artifactViewEndpoints: [Endpoint] =
        [
            .read(.get, "2.0/mlflow/artifacts/list") { call, message throws(Refusal) in
                let id = try message.runID()
                let path = try message.text("path") ?? ""
                return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
                    let run = try reader.run(mlflow: id, call)
                    let (target, root) = try ArtifactTarget.of(run, path: path, .read, call, reader)
                    return try listing(target, root, in: try SafePath.checked(path), call, reader)
                }
            },
            Endpoint(.post, "2.0/mlflow/upload-artifact", .upload { call in pageUpload(call) }),
            .read(.get, "2.0/mlflow/logged-models/{model_id}/artifacts/directories") { call, message throws(Refusal) in
                let path = try message.text("artifact_directory_path") ?? ""
                return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
                    let root = try modelRoot(call["model_id"], call, reader)
                    let target = try ArtifactTarget.at(root, path: path, .read, call, reader)
                    return try listing(target, root, in: try SafePath.checked(path), call, reader)
                }
            },
            .read(.get, "2.0/mlflow/logged-models/{model_id}/artifacts/files") { call, message throws(Refusal) in
                guard let path = try message.text("artifact_file_path"), !path.isEmpty else {
                    throw .mlflow("Request must include the \"artifact_file_path\" query parameter.")
                }
                return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
                    let root = try modelRoot(call["model_id"], call, reader)
                    let target = try ArtifactTarget.at(root, path: path, .read, call, reader)
                    return try ArtifactContent(target, shown: path, call, reader).response(call.request)
                }
            },
            .read(.get, "model-versions/get-artifact") { call, message throws(Refusal) in
                let path = try SafePath.checked(try message.required("path"))
                let name = try message.required("name")
                let version = try message.required("version")
                return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
                    let root = try versionSource(name, version, call, reader)
                    let target = try ArtifactTarget.at(root, path: path, .read, call, reader)
                    return try ArtifactContent(target, shown: path, call, reader).response(call.request)
                }
            },
        ]
        + ["get-artifact", "2.0/mlflow/get-artifact"].map { address in
            .read(.get, address) { call, message throws(Refusal) in
                let id = try message.runID()
                let path = try SafePath.checked(try message.required("path"))
                return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
                    let run = try reader.run(mlflow: id, call)
                    let target = try ArtifactTarget.of(run, path: path, .read, call, reader).target
                    return try ArtifactContent(target, shown: path, call, reader).response(call.request)
                }
            }
        }

    private static func listing(
        _ target: ArtifactTarget, _ root: String, in path: String, _ call: Call, _ reader: any StoreReader
    ) throws(Refusal) -> Response {
        let entries = try target.list(call, reader)
        return .json(
            try encoded { writer in
                writer.object { writer in
                    writer.member("root_uri", root)
                    writer.files(entries, in: path)
                }
            })
    }

    /// A file from MLflow's web page, which names the run by its oldest name.
    private static func pageUpload(_ call: Call) -> ArtifactIntake {
        ArtifactIntake(
            call, ArtifactIntake.Rules(bytesMax: uploadMax, takesEmpty: false), answer: .json(Call.empty)
        ) { call, reader throws(Refusal) in
            let query = call.request.query
            guard let id = query["run_uuid"] ?? query["run_id"], !id.isEmpty else {
                throw .mlflow("Request must specify run_uuid.")
            }
            guard let path = query["path"], !path.isEmpty else { throw .mlflow("Request must specify path.") }
            _ = try SafePath.checked(path)
            let run = try reader.run(mlflow: id, call)
            return try ArtifactTarget.of(run, path: path, .write, call, reader).target
        }
    }

    /// Where a logged model's files lie.
    private static func modelRoot(
        _ id: String, _ call: Call, _ reader: any StoreReader
    ) throws(Refusal) -> String {
        let model = try reader.loggedModel(mlflow: id, call)
        try call.caller().require(.read, on: model.project)
        return try call.api.places.location(of: model, reader)
    }

    /// Where a version of a registered model says that its files lie.
    private static func versionSource(
        _ name: String, _ version: String, _ call: Call, _ reader: any StoreReader
    ) throws(Refusal) -> String {
        let (model, found) = try reader.version(mlflow: try RegistryNames.version(version), of: name, call)
        try call.caller().require(.read, on: model.project)
        return ModelSource.download(of: found)
    }
}
