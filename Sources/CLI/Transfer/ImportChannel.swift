import Glibc
import MartletClient
import MartletHTTPClient
import MartletHTTPMessages
import MartletJSON

/// Hands import lines to a store, many in a request, and gives back what the store said to each.
struct ImportChannel {
    let backend: any Backend
    private var lines: [[UInt8]] = []
    private var bytes = 0

    static let bytesMax = 1 << 20
    private static let linesMax = 500
    private static let path = "/api/2.0/martlet/import"

    init(_ backend: any Backend) { self.backend = backend }

    var isFull: Bool { bytes >= ImportChannel.bytesMax || lines.count >= ImportChannel.linesMax }

    mutating func add(_ kind: String, _ fields: JSONObject) {
        var writer = JSONWriter(capacity: 256)
        writer.object { writer in
            writer.member("kind", kind)
            for member in fields.members where !member.value.isNull {
                writer.member(dynamic: member.key, member.value)
            }
        }
        bytes += writer.bytes.count
        lines.append(writer.bytes)
    }

    /// What became of a line: the store's answer, or why it was refused.
    enum Outcome {
        case taken(JSONValue)
        case refused(String)

        var answer: JSONValue {
            if case .taken(let answer) = self { answer } else { .null }
        }
    }

    /// An outcome for each line since the last time. A request with a line that is refused is taken apart: the others
    /// still count.
    mutating func flush() throws(CommandFailure) -> [Outcome] {
        let waiting = lines
        lines.removeAll(keepingCapacity: true)
        bytes = 0
        guard !waiting.isEmpty else { return [] }
        let answer = try send(waiting)
        if answer.status.isSuccess { return try outcomes(answer, waiting.count) }
        guard answer.status.code < 500, ![401, 403, 404].contains(answer.status.code) else { throw failure(answer) }
        if waiting.count == 1 { return [.refused(message(answer))] }
        var outcomes: [Outcome] = []
        for line in waiting {
            let answer = try send([line])
            if answer.status.isSuccess {
                outcomes += try self.outcomes(answer, 1)
            } else if answer.status.code < 500 {
                outcomes.append(.refused(message(answer)))
            } else {
                throw failure(answer)
            }
        }
        return outcomes
    }

    private func outcomes(_ answer: BackendAnswer, _ count: Int) throws(CommandFailure) -> [Outcome] {
        let lines = (try? JSONValue(parsing: answer.body))?["lines"]?.array ?? []
        guard lines.count == count else {
            throw CommandFailure(
                .refused, "\(backend.place) does not speak the import of this program's version.",
                remedy: "Bring both to the same version.")
        }
        return lines.map { .taken($0) }
    }

    private func send(_ lines: [[UInt8]]) throws(CommandFailure) -> BackendAnswer {
        var request = ClientRequest(.post, ImportChannel.path)
        request.headers["Content-Type"] = "application/json"
        request.body = .bytes(Array(lines.joined(separator: [0x0A])))
        return try backend.patiently(request)
    }

    private func message(_ answer: BackendAnswer) -> String {
        let text = (try? JSONValue(parsing: answer.body))?["message"]?.string ?? "status \(answer.status.code)"
        // The line's number in its request says nothing to anyone.
        guard text.hasPrefix("Line "), let colon = text.firstRange(of: ": ") else { return text }
        return String(text[colon.upperBound...])
    }

    private func failure(_ answer: BackendAnswer) -> CommandFailure {
        if answer.status.code == 404 {
            return CommandFailure(
                .refused, "\(backend.place) takes no imports.",
                remedy: "Check that a Martlet server is at this address.")
        }
        return CommandFailure(.refused, "\(backend.place): \(message(answer))")
    }
}

extension Backend {
    /// Waits while the store has too much to do.
    func patiently(_ request: ClientRequest) throws(CommandFailure) -> BackendAnswer {
        var answer = try send(request)
        for _ in 0..<60 where [429, 503].contains(answer.status.code) {
            sleep(UInt32(clamping: min(30, max(1, Int(answer.headers["retry-after"] ?? "") ?? 2))))
            answer = try send(request)
        }
        return answer
    }
}
