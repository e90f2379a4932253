import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletStorage

/// Where the bytes of one file go while they come.
enum ArtifactDeposit: Sendable {
    case blob(any BlobUpload)
    case folder(RootUpload)

    static func begin(_ target: ArtifactTarget, size: Int?, _ call: Call) throws(Refusal) -> ArtifactDeposit {
        switch target.place {
        case .folder(let root, let path):
            guard let roots = call.api.places.settings.roots, !path.isEmpty else { throw SafePath.invalid }
            return .folder(try roots.begin(path, beneath: root))
        case .run, .shelf:
            _ = try ArtifactPath.clean(target.run == nil ? target.path : target.inRun)
            return .blob(try call.api.blobs.begin(expecting: ExpectedBlob(size: size.map(Int64.init))))
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(Refusal) {
        switch self {
        case .blob(let upload): try upload.write(bytes)
        case .folder(let upload): try upload.write(bytes)
        }
    }

    func abort() {
        switch self {
        case .blob(let upload): upload.abort()
        case .folder(let upload): upload.abort()
        }
    }

    /// Puts the bytes on disk, then the row that stands for them, and what the file is beside that, in one transaction.
    func keep(
        at target: ArtifactTarget, _ call: Call, then: @escaping @Sendable (Result<Void, Refusal>) -> Void
    ) throws(Refusal) {
        let (size, digest): (Int64, Digest?)
        switch self {
        case .blob(let upload):
            let blob = try upload.finish(now: call.engine.clock.now)
            (size, digest) = (blob.size, blob.digest)
        case .folder(let upload): (size, digest) = (try upload.finish(), nil)
        }
        let caller = try call.caller()
        let blobs = call.api.blobs
        call.engine.change(caller, bytes: 1024) { ledger throws(Refusal) in
            if let run = target.run {
                // A path that is a run's own root names no file in it.
                guard !target.inRun.isEmpty else { throw SafePath.invalid }
                var artifact = Artifact(
                    id: 0, run: run.key, path: target.inRun, digest: digest, uri: "", type: "", size: size,
                    metadata: "{}", at: ledger.now)
                if digest == nil, let experiment = try ledger.tx.experiment(run.experiment) {
                    artifact.uri = ArtifactPlaces.join(
                        call.api.places.location(of: run, in: experiment), target.inRun)
                }
                artifact = try ledger.addStored(artifact, in: blobs)
                try LoggedMedia.keep(artifact, ledger)
            } else if let digest {
                try ledger.admit(digest, in: blobs)
                try ledger.putFile(
                    target.path, digest: digest, size: size, in: target.project, experiment: target.experiment)
            }
        } then: {
            then($0)
        }
    }
}
