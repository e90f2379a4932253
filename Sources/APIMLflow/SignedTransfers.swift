import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Downloads and uploads by an address that carries its permission. MLflow's clients ask a cloud's store for those; here
// this server is the store, and signs for itself.
extension MLflowAPI {
    private static let longest: Int64 = 604_800

    static let signedEndpoints: [Endpoint] = [
        Endpoint(
            .get, "2.0/mlflow-artifacts/presigned/{…path}", .change { call, _ throws(Refusal) in try presign(call) }),
        .change(.post, "2.0/mlflow/artifacts/presigned-download-url") { call, message throws(Refusal) in
            let (path, _) = try runPath(call, message, .read)
            let (seconds, file) = (try lifetime(message, standard: 300), try size(of: path, call))
            try signed(call, .get, path, seconds: seconds) { writer, url in
                writer.member("presigned_url", url)
                writer.member("file_size", file)
            }
        },
        .change(.post, "2.0/mlflow/artifacts/presigned-upload-url") { call, message throws(Refusal) in
            let (path, _) = try runPath(call, message, .write)
            try signed(call, .put, path, seconds: try lifetime(message, standard: 900)) { writer, url in
                writer.member("presigned_url", url)
            }
        },
        .read(.get, SignedAddress.root + "/artifacts/{…path}") { call, _ throws(Refusal) in
            let call = try SignedAddress.opened(call, .artifact(call["path"]))
            return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
                let target = try ArtifactTarget.proxied(call["path"], .read, call, reader)
                return try ArtifactContent(target, shown: target.path, call, reader).response(call.request)
            }
        },
        Endpoint(
            .put, SignedAddress.root + "/artifacts/{…path}",
            .upload { call in
                ArtifactIntake(call, answer: Response(.ok)) { call, reader throws(Refusal) in
                    try ArtifactTarget.proxied(call["path"], .write, call, reader)
                } opening: { call throws(Refusal) in
                    try SignedAddress.opened(call, .artifact(call["path"]))
                }
            }),
    ]

    /// Where a client may fetch a file of the proxy, and how large it is: by that it decides how many pieces to ask for.
    private static func presign(_ call: Call) throws(Refusal) {
        let path = call["path"]
        let size = try size(of: path, call)
        try signed(call, .get, path, seconds: 300) { writer, url in
            writer.member("url", url)
            writer.object("headers") { _ in }
            writer.member("file_size", size)
        }
    }

    private static func size(of path: String, _ call: Call) throws(Refusal) -> Int64 {
        try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            let target = try ArtifactTarget.proxied(path, .read, call, reader)
            return try ArtifactContent(target, shown: target.path, call, reader).file.size
        }
    }

    private static func signed(
        _ call: Call, _ method: MartletHTTPMessages.Method, _ path: String, seconds: Int64,
        _ write: @escaping @Sendable (inout JSONWriter, String) -> Void
    ) throws(Refusal) {
        let path = try SafePath.checked(path)
        let address = SignedAddress(
            method: method, thing: .artifact(path), expires: call.engine.clock.now.millis / 1000 + seconds,
            by: try call.caller().principal)
        call.api.signing.ready { result in
            switch result {
            case .success(let signer):
                var writer = JSONWriter()
                writer.object { write(&$0, address.url(signer, from: call.request, call.api.publicPlace)) }
                call.respond(.json(writer.bytes))
            case .failure(let error): call.fail(error)
            }
        }
    }

    private static func lifetime(_ message: Message, standard: Int64) throws(Refusal) -> Int64 {
        let seconds = try message.integer("expiration") ?? standard
        guard (1...longest).contains(seconds) else {
            throw .mlflow("expiration must be between 1 and \(longest) seconds (got \(seconds)).")
        }
        return seconds
    }

    /// The path in the proxy of a file of a run or a logged model. What lies in a store of the client's own is signed
    /// there, with the client's credentials.
    private static func runPath(
        _ call: Call, _ message: Message, _ role: Role
    ) throws(Refusal) -> (path: String, root: String) {
        let run = try message.text("run_id") ?? ""
        let model = try message.text("model_id") ?? ""
        let path = try SafePath.checked(try message.required("path"))
        guard run.isEmpty != model.isEmpty else {
            throw .mlflow("Exactly one of run_id and model_id must be provided.")
        }
        return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            let root: String
            if model.isEmpty {
                let run = try reader.run(mlflow: run, call)
                root = try ArtifactTarget.of(run, path: path, role, call, reader).root
            } else {
                root = try call.api.places.location(of: try reader.loggedModel(mlflow: model, call), reader)
            }
            guard let place = call.api.places.proxiedPath(of: root) else { throw .clientsOwn(root) }
            let whole = SafePath.join(place, path)
            _ = try ArtifactTarget.proxied(whole, role, call, reader)
            return (whole, root)
        }
    }
}
