import MartletArtifacts
import MartletClient
import MartletDomain
import MartletEngine
import MartletHTTPClient
import MartletHTTPMessages
import MartletJSON

/// A file on its way to a run.
struct Upload: Sendable {
    enum Source: Sendable {
        case file(String, size: Int64)
        case bytes([UInt8])
    }

    enum Outcome {
        case done
        /// Worth another try.
        case away(String)
        case refused(String)
    }

    var run: String
    var source: Source
    var name: String
    var type: String?
    var ordinal: Int

    func send(over connection: Connection) -> Outcome {
        let body: ClientRequest.Body
        switch source {
        case .file(let path, _):
            guard LocalFiles.kind(of: path) == .file else { return .refused("The file \(path) is gone.") }
            body = .file(path: path)
        case .bytes(let bytes): body = .bytes(bytes)
        }
        let segments = ["runs", run, "artifacts"] + name.split(separator: "/").map(String.init)
        var target = "/api/v1" + segments.map { "/" + PercentCoding.encode($0) }.joined()
        if let type { target += "?type=" + PercentCoding.encode(type) }
        do throws(ClientFailure) {
            let request = ClientRequest(
                .put, target, headers: ["Content-Type": "application/octet-stream"], body: body)
            let answer = try connection.backend(creates: true).send(request)
            if answer.status.isSuccess { return .done }
            let said = (try? JSONValue(parsing: answer.body))?["error"]?["message"]?.string
            let sentence = said ?? "\(connection.place.text) answered with status \(answer.status.code)."
            switch answer.status.code {
            case 400, 404, 409, 411, 413, 415, 422: return .refused(sentence)
            default: return .away(sentence)
            }
        } catch {
            return .away(error.message)
        }
    }

    /// Puts the bytes where they are found again, and gives the fields of the line that names them. Stops at a moment of
    /// the monotonic clock: a program that ends cannot copy for ever.
    func keep(in folder: String, until end: Int64) throws(Refusal) -> JSONObject {
        let blobs = try FolderBlobStore(folder: folder, now: SystemClock().now)
        let copy = try blobs.begin()
        switch source {
        case .bytes(let bytes): try copy.write(bytes)
        case .file(let path, _):
            let outcome = Result { () throws(ClientFailure) in
                try Disk.forEachPiece(of: path) { (piece) -> Result<Void, Refusal> in
                    guard SystemClock().monotonic < end else { return .failure(Upload.tookTooLong) }
                    return Result { () throws(Refusal) in try copy.write(piece) }
                }
            }
            switch outcome {
            case .success(.success): break
            case .success(.failure(let refusal)):
                copy.abort()
                throw refusal
            case .failure(let failure):
                copy.abort()
                throw Refusal(.io, failure.message, remedy: "")
            }
        }
        let blob = try copy.finish(now: SystemClock().now)
        var fields: JSONObject = [
            "path": .string(name), "sha256": .string(blob.digest.text), "size": .int(blob.size),
        ]
        if let type { fields["type"] = .string(type) }
        return fields
    }

    private static let tookTooLong = Refusal(
        .tooSlow, "Copying it took longer than a program that ends may take.", remedy: "")
}
