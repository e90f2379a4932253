import MartletCLI
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
        do throws(CommandFailure) {
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
}
