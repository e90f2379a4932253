import Glibc
import MartletAPIMLflow
import MartletAPINative
import MartletArtifacts
import MartletDomain
import MartletEngine
package import MartletHTTPClient
import MartletHTTPMessages
package import MartletObservability
package import MartletStorage
import MartletThreads
import Synchronization

/// The APIs over a store that this process has opened: no socket, no thread of a server, the same routes.
package final class LocalBackend: Backend {
    package let place: String
    private let store: any Store
    private let api: NativeAPI
    /// What an import from MLflow's stores speaks.
    private let mlflow: MLflowAPI
    private let adopter: LogbookAdopter
    /// Runs once somebody waits for changes: writers may go on while a command follows them.
    private let adoption = BackgroundThread()
    private let isAdopting = Atomic(false)
    /// What is left to do when the command is done, since no server may ever open this folder.
    private let hasAdopted: Bool
    private let hasPurged = Atomic(false)

    /// Takes the store over. The bytes of artifacts lie in the folder, wherever the rows are.
    package init(folder: String, store: any Store, version: String, log: Log) throws(ClientFailure) {
        (place, self.store) = (folder, store)
        do throws(Refusal) {
            let engine = Engine(store: store, log: log)
            let blobs = try FolderBlobStore(folder: folder + "/artifacts", now: engine.clock.now)
            let authority = Authority(.open, engine: engine)
            api = NativeAPI(
                engine: engine, blobs: blobs, authority: authority,
                about: ServerAbout(version: version, commit: ""))
            mlflow = MLflowAPI(engine: engine, blobs: blobs, authority: authority, artifacts: ArtifactSettings())
            adopter = LogbookAdopter(folder: folder + "/logbooks", engine: engine)
            let before = try store.generation()
            if store.about.isCopy { try LogbookKeeper(folder: folder + "/logbooks", engine: engine).takeInUnknown() }
            adopter.catchUp()
            hasAdopted = try store.generation() != before
        } catch {
            store.close()
            throw ClientFailure(error)
        }
    }

    package func close() {
        adoption.stop()
        tidy()
        api.engine.feed.stop()
        store.close()
    }

    /// Settles points that were taken in, and gives back what was deleted for good. Whatever is left, or goes wrong, is
    /// done by the next command or a server: nobody waits for it here.
    private func tidy() {
        do throws(Refusal) {
            if hasAdopted {
                for _ in 0..<LocalBackend.tidyRoundsMax where try !store.compact() { break }
                _ = try LogbookKeeper(folder: place + "/logbooks", engine: api.engine).sweep()
            }
            guard hasPurged.load(ordering: .relaxed) else { return }
            for _ in 0..<LocalBackend.tidyRoundsMax
            where try !store.write(.bulk, { tx throws(Refusal) in try tx.purgeStep() }) { break }
            let records = StoreBlobRecords(store: store, logbooks: place + "/logbooks")
            _ = try Collector(blobs: api.blobs, records: records).run(now: api.engine.clock.now)
        } catch {
            api.engine.log.warning("Tidying up was put off: \(error)")
        }
    }

    private static let tidyRoundsMax = 64

    package func send(_ request: ClientRequest) throws(ClientFailure) -> BackendAnswer {
        var head: Request
        do throws(HTTPError) {
            head = try Request(request.method, request.url, headers: request.headers, id: "local")
        } catch {
            throw ClientFailure(.usage, error.message, remedy: error.remedy)
        }
        if let length = try length(of: request.body) { head.headers["Content-Length"] = "\(length)" }
        if head.target.path.hasSuffix("/changes"), !isAdopting.exchange(true, ordering: .relaxed) {
            adoption.start { [adopter] _ in adopter.look() ? 100 : 300 }
        }
        if head.method == .delete, head.query["permanent"] == "true" { hasPurged.store(true, ordering: .relaxed) }
        guard let plan = api.plan(head) ?? mlflow.plan(head) else {
            throw ClientFailure(.notFound, "There is no address \(head.target.path).")
        }
        let response: Response
        switch plan {
        case .respond(let answer): response = answer
        case .collect(let limit, _, let then):
            let bytes = try bytes(of: request.body, limit: limit)
            response = Answering.wait { then(head, bytes, $0) }
        case .stream(let sink, _): response = try stream(request, to: sink)
        case .upgrade:
            throw ClientFailure(.refused, "The address \(head.target.path) is a WebSocket, which a folder has not.")
        }
        return try LocalBody.deliver(response, to: request)
    }

    private func length(of body: ClientRequest.Body) throws(ClientFailure) -> Int64? {
        switch body {
        case .none: return nil
        case .bytes(let bytes): return Int64(bytes.count)
        case .file(let path):
            guard let size = Disk.size(path) else { throw Disk.failure("read", path) }
            return size
        }
    }

    private func bytes(of body: ClientRequest.Body, limit: Int) throws(ClientFailure) -> [UInt8] {
        let bytes: [UInt8]
        switch body {
        case .none: return []
        case .bytes(let given): bytes = given
        case .file(let path): bytes = try Disk.read(path, most: limit)
        }
        guard bytes.count <= limit else {
            throw ClientFailure(
                .refused, "The request has \(bytes.count) bytes; at most \(limit) are taken at once.",
                remedy: "Send it in parts.")
        }
        return bytes
    }

    private func stream(_ request: ClientRequest, to sink: any BodySink) throws(ClientFailure) -> Response {
        var early: Response?
        switch request.body {
        case .none: break
        case .bytes(let bytes): early = bytes.withUnsafeBytes { $0.isEmpty ? nil : sink.write($0) }
        case .file(let path):
            let file = open(path, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else {
                let failure = Disk.failure("read", path)
                sink.abort()
                throw failure
            }
            defer { Glibc.close(file) }
            let total = Int(Disk.size(path) ?? 0)
            var done = 0
            var isStopped = false
            do throws(ClientFailure) {
                try Disk.forEachPiece(of: file, path) { piece in
                    early = sink.write(piece)
                    done += piece.count
                    isStopped = request.progress?(done, total) == false
                    return early == nil && !isStopped
                }
                if isStopped { throw ClientFailure(.refused, "The transfer was stopped.") }
            } catch {
                sink.abort()
                throw error
            }
        }
        return early ?? Answering.wait { sink.finish($0) }
    }
}

/// Waits for an answer that any thread may bring.
private enum Answering {
    static func wait(_ ask: (Responder) -> Void) -> Response {
        let waiter = Waiter<Response>()
        ask(Responder(requestID: "local") { waiter.fulfil($0) })
        return waiter.wait()
    }
}

/// Brings an answer's body to where its request wants it.
private enum LocalBody {
    static func deliver(_ response: Response, to request: ClientRequest) throws(ClientFailure) -> BackendAnswer {
        var answer = BackendAnswer(status: response.status, headers: response.headers, body: [])
        guard case .file(let path) = request.destination, response.status.isSuccess else {
            if request.method == .head { return answer }
            try pieces(of: response, request.progress) { (piece) throws(ClientFailure) in answer.body += piece }
            return answer
        }
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw Disk.failure("write", path) }
        defer { close(file) }
        try pieces(of: response, request.progress) { (piece) throws(ClientFailure) in
            try Disk.write(piece, to: file, path)
        }
        return answer
    }

    private static func pieces(
        of response: Response, _ progress: (@Sendable (Int, Int) -> Bool)?,
        _ take: (UnsafeRawBufferPointer) throws(ClientFailure) -> Void
    ) throws(ClientFailure) {
        switch response.body {
        case .none: return
        case .bytes(let bytes): try lend(bytes, take)
        case .file(let file, let offset, let length):
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
            defer { buffer.deallocate() }
            var done = 0
            while done < length {
                let count = pread(file.descriptor, buffer.baseAddress, min(buffer.count, length - done), offset + done)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw ClientFailure(.refused, "The stored file ends before its time.") }
                try take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                done += count
                if progress?(done, length) == false { throw ClientFailure(.refused, "The transfer was stopped.") }
            }
        case .pull(let source, _):
            while true {
                let piece: [UInt8]?
                do { piece = try source.next() } catch {
                    throw ClientFailure(.refused, "The answer broke off: \(error)")
                }
                guard let piece else { return }
                try lend(piece, take)
            }
        case .events:
            throw ClientFailure(.refused, "This address answers with events, which a folder has not.")
        }
    }

    private static func lend(
        _ bytes: [UInt8], _ take: (UnsafeRawBufferPointer) throws(ClientFailure) -> Void
    ) throws(ClientFailure) {
        try bytes.withUnsafeBytes { buffer in Result { () throws(ClientFailure) in try take(buffer) } }.get()
    }
}
