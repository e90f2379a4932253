import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletStorage
import Synchronization

/// One file on its way in. Where it goes is decided before a byte is taken; only when its bytes are on disk is it put
/// down, and only then is the client answered.
final class ArtifactIntake: BodySink {
    typealias Resolve = @Sendable (Call, any StoreReader) throws(Refusal) -> ArtifactTarget

    /// What a page of MLflow's own may send.
    struct Rules: Sendable {
        var bytesMax: Int?
        var takesEmpty = true
    }

    private enum Bytes: Sendable {
        case blob(any BlobUpload)
        case folder(RootUpload)
    }

    private struct State: Sendable {
        var bytes: Bytes?
        var target: ArtifactTarget?
        var count = 0
    }

    private let call: Call
    private let rules: Rules
    private let resolve: Resolve
    /// What a client of MLflow gets back.
    private let answer: Response
    private let state = Mutex(State())

    init(_ call: Call, _ rules: Rules = Rules(), answer: Response, _ resolve: @escaping Resolve) {
        (self.call, self.rules, self.answer, self.resolve) = (call, rules, answer, resolve)
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Response? {
        do throws(Refusal) {
            let (open, count) = try begin(adding: bytes.count)
            try checkSize(count)
            switch open {
            case .blob(let upload): try upload.write(bytes)
            case .folder(let upload): try upload.write(bytes)
            }
            return nil
        } catch {
            abort()
            return call.failure(error)
        }
    }

    func finish(_ responder: Responder) {
        call.attach(responder)
        do throws(Refusal) {
            // A file may be empty: then no piece has come.
            let (open, count) = try begin(adding: 0)
            if count == 0, !rules.takesEmpty { throw .mlflow("Request must specify data.") }
            guard let target = state.withLock({ $0.target }) else { return }
            switch open {
            case .blob(let upload):
                let blob = try upload.finish(now: call.engine.clock.now)
                try keep(target, blob.size, blob.digest)
            case .folder(let upload): try keep(target, try upload.finish(), nil)
            }
        } catch {
            abort()
            call.fail(error)
        }
    }

    func abort() {
        switch state.withLock({ $0.bytes.take() }) {
        case .blob(let upload): upload.abort()
        case .folder(let upload): upload.abort()
        case nil: break
        }
    }

    private func begin(adding more: Int) throws(Refusal) -> (Bytes, Int) {
        let open = state.withLock { state -> (Bytes, Int)? in
            state.count += more
            return state.bytes.map { ($0, state.count) }
        }
        if let open { return open }
        let call = call
        let target = try call.engine.read { (reader: any StoreReader) throws(Refusal) in try resolve(call, reader) }
        if let length = call.request.contentLength { try checkSize(length) }
        let bytes: Bytes
        switch target.place {
        case .folder(let root, let path):
            guard let roots = call.api.places.settings.roots, !path.isEmpty else { throw SafePath.invalid }
            bytes = .folder(try roots.begin(path, beneath: root))
        case .run, .shelf:
            _ = try ArtifactPath.clean(target.run == nil ? target.path : target.inRun)
            bytes = .blob(
                try call.api.blobs.begin(expecting: ExpectedBlob(size: call.request.contentLength.map(Int64.init))))
        }
        let count = state.withLock { state in
            (state.bytes, state.target) = (bytes, target)
            return state.count
        }
        return (bytes, count)
    }

    private func checkSize(_ size: Int) throws(Refusal) {
        guard let limit = rules.bytesMax, size > limit else { return }
        throw .mlflow("Artifact size is too large. Max size is \(limit >> 20)MB.")
    }

    /// The row that stands for the file, and what the file is beside that, in one transaction.
    private func keep(_ target: ArtifactTarget, _ size: Int64, _ digest: Digest?) throws(Refusal) {
        let (call, answer) = (call, answer)
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
        } then: { result in
            switch result {
            case .success: call.respond(answer)
            case .failure(let error): call.fail(error)
            }
        }
    }
}
