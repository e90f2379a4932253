import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Synchronization

/// One file on its way in as the whole body of a request. Who sends it and where it goes is decided before a byte is
/// taken; only when its bytes are on disk is the artifact put down.
final class ArtifactUpload: BodySink {
    private let exchange: Exchange
    private let upload = Mutex<(any BlobUpload)?>(nil)
    private let target = Mutex<UploadTarget?>(nil)

    init(_ exchange: Exchange) { self.exchange = exchange }

    func write(_ bytes: UnsafeRawBufferPointer) -> Response? {
        do throws(Refusal) {
            try begin().write(bytes)
            return nil
        } catch {
            abort()
            return exchange.failure(error)
        }
    }

    func finish(_ responder: Responder) {
        exchange.attach(responder)
        do throws(Refusal) {
            // A file may be empty: then no piece has come.
            let blob = try begin().finish(now: exchange.engine.clock.now)
            guard let target = target.withLock({ $0 }) else { return }
            try target.keep(
                [UploadedFile(path: exchange["path"], type: exchange.query("type") ?? "", blob: blob)], exchange)
        } catch {
            abort()
            exchange.fail(error)
        }
    }

    func abort() { upload.withLock { $0.take() }?.abort() }

    private func begin() throws(Refusal) -> any BlobUpload {
        if let open = upload.withLock({ $0 }) { return open }
        let place = try UploadTarget(exchange)
        _ = try ArtifactPath.clean(exchange["path"])
        var expected = ExpectedBlob(size: exchange.request.contentLength.map(Int64.init))
        if let text = exchange.request.headers["x-content-sha256"] {
            guard let digest = Digest(text) else { throw .wrongDigest(text, field: "X-Content-SHA256") }
            expected.digest = digest
        }
        let begun = try exchange.api.blobs.begin(expecting: expected)
        upload.withLock { $0 = begun }
        target.withLock { $0 = place }
        return begun
    }
}

/// The run that an upload goes to, known and allowed before the bytes come.
struct UploadTarget: Sendable {
    var caller: Caller
    var run: Run

    init(_ exchange: Exchange) throws(Refusal) {
        let caller = try exchange.caller()
        let run = try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            try exchange.readableRun(reader, by: caller)
        }
        try caller.require(.write, on: run.project)
        guard run.life == .active else {
            throw Refusal(
                .conflict, "The run \(run.id) is deleted.",
                remedy: "Restore it with `martlet runs restore \(run.shortID)` before writing to it.")
        }
        (self.caller, self.run) = (caller, run)
    }

    /// Puts down the artifacts of files that are on disk, and answers.
    func keep(_ files: [UploadedFile], asList: Bool = false, _ exchange: Exchange) throws(Refusal) {
        let blobs = exchange.api.blobs
        let key = run.key
        exchange.engine.change(caller, bytes: 512 * files.count) { ledger throws(Refusal) in
            var kept: [Artifact] = []
            for file in files {
                kept.append(
                    try ledger.addStored(
                        Artifact(
                            id: 0, run: key, path: file.path, digest: file.blob.digest, type: file.type,
                            size: file.blob.size, metadata: file.metadata, at: ledger.now), in: blobs))
            }
            return kept
        } then: { result in
            do throws(Refusal) {
                let kept = try result.get()
                let isList = asList || kept.count != 1
                var response = Response.json(
                    try encoded { writer in
                        guard isList else { return writer.artifact(kept[0]) }
                        writer.object { writer in
                            writer.array("artifacts") { writer in for artifact in kept { writer.artifact(artifact) } }
                        }
                    }, status: .created)
                if !isList, let digest = kept[0].digest { response.headers["ETag"] = EntityTag(digest.text).header }
                exchange.respond(response)
            } catch {
                exchange.fail(error)
            }
        }
    }
}

struct UploadedFile: Sendable {
    var path: String
    var type: String
    var metadata = "{}"
    var blob: FinishedBlob
}
