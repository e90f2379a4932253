import Glibc
import MartletArtifacts
import MartletClient
import MartletDomain
import MartletForeign
import MartletHTTPClient
import MartletHTTPMessages
import MartletJSON

/// A line of a logbook that this program writes for another one's file.
struct OutboxLine {
    var writer: String
    var sequence: Int64
    var run: RunID
    var milliseconds: Int64
    var op: String
    var fields: JSONObject
    /// Bytes that must be there before the line that names them.
    var file: (path: String, ForeignEvent.File)?

    var bytes: [UInt8] {
        var writer = JSONWriter(capacity: 160)
        writer.object { writer in
            writer.member("w", self.writer)
            writer.member("seq", sequence)
            writer.member("t", milliseconds)
            writer.member("run", run.text)
            writer.member("op", op)
            for member in fields.members { writer.member(dynamic: member.key, member.value) }
        }
        return writer.bytes
    }
}

/// Hands lines to a store, a megabyte at a time, and leaves out those that it has.
struct LogbookOutbox {
    private let backend: any Backend
    /// How far the store is with each writer; learnt from its answer to the writer's first line.
    private var acked: [String: Int64] = [:]
    private var waiting: [[UInt8]] = []
    private var waitingBytes = 0
    /// The follower's own words, which no file says.
    private let ownWriter = "tensorboard-watch-\(Chance.bytes(6).map { String($0, radix: 16) }.joined())"
    private var ownSequence: Int64 = 0
    private var known: Set<RunID> = []
    private var beats: [RunID: Int] = [:]
    private(set) var sent = 0

    private static let bytesAtOnce = 1 << 20
    private static let beatSeconds = 20

    init(_ backend: any Backend) { self.backend = backend }

    /// Whether a run has been begun in the store by a line of ours.
    func knows(_ run: RunID) -> Bool { known.contains(run) }

    /// False where the store has the line already.
    mutating func add(_ line: OutboxLine) throws -> Bool {
        known.insert(line.run)
        if let acked = acked[line.writer] {
            if line.sequence <= acked { return false }
        } else {
            // Alone, so that its answer says how far the store is.
            try flush()
            try hand([line.bytes])
            let isNew = acked[line.writer] == line.sequence
            if isNew { sent += 1 }
            return isNew
        }
        if let (path, file) = line.file {
            // The run must be there to take the bytes.
            try flush()
            try upload(file, to: path, of: line.run)
        }
        waiting.append(line.bytes)
        waitingBytes += line.bytes.count
        sent += 1
        if waitingBytes >= LogbookOutbox.bytesAtOnce { try flush() }
        return true
    }

    mutating func say(_ op: String, _ fields: JSONObject, of run: RunID) throws {
        ownSequence += 1
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let line = OutboxLine(
            writer: ownWriter, sequence: ownSequence, run: run,
            milliseconds: Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000, op: op, fields: fields)
        waiting.append(line.bytes)
        waitingBytes += line.bytes.count
    }

    /// Says now and then that someone still looks, so that the store does not take the run for lost.
    mutating func beat(_ run: RunID) throws {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        if let last = beats[run], now.tv_sec - last < LogbookOutbox.beatSeconds { return }
        beats[run] = now.tv_sec
        try say("beat", [:], of: run)
    }

    mutating func flush() throws {
        guard !waiting.isEmpty else { return }
        let lines = waiting
        (waiting, waitingBytes) = ([], 0)
        try hand(lines)
    }

    private mutating func hand(_ lines: [[UInt8]]) throws {
        var request = ClientRequest(.post, "/api/v1/logbook")
        request.headers["Content-Type"] = "application/x-ndjson"
        request.body = .bytes(Array(lines.joined(separator: [0x0A])))
        let answer = try backend.patiently(request)
        guard answer.status.isSuccess else {
            throw CommandFailure(
                .refused, failure(answer), remedy: "Start the watch again; it goes on where the store is.")
        }
        let body = (try? JSONValue(parsing: answer.body)) ?? .null
        for member in body["acked"]?.object?.members ?? [] {
            if let sequence = member.value.int64 { acked[member.key] = sequence }
        }
    }

    private func upload(_ file: ForeignEvent.File, to path: String, of run: RunID) throws {
        let segments = ["runs", run.text, "artifacts"] + Session.parts(path)
        let request = ClientRequest(
            .put, API.target(segments, [("type", "media")]), headers: ["Content-Type": "application/octet-stream"],
            body: .bytes(file.bytes))
        let answer = try backend.patiently(request)
        guard answer.status.isSuccess else { throw CommandFailure(answer, from: backend.place) }
    }

    private func failure(_ answer: BackendAnswer) -> String { CommandFailure(answer, from: backend.place).message }
}
