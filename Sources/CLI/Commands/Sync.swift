import Glibc
import MartletClient
import MartletEngine
import MartletHTTPClient
import MartletHTTPMessages
import MartletJSON

extension World {
    var sync: Command {
        plainCommand(
            "sync", "Send the logbooks of a folder to a server",
            discussion: """
                Sends what the server does not have yet, each writer's lines in order, the files that they name first. \
                May be stopped and started again at any time: nothing is counted twice.
                """,
            arguments: [
                Argument("folder", "The store's folder", candidates: .folders), Argument("url", "The server's address"),
            ],
            examples: [Example("martlet sync .martlet https://martlet.example.org")]
        ) { parsed, terminal in
            guard case .folder(let path) = try StorePlace(parsed.text("folder") ?? "", from: workingFolder) else {
                throw CommandFailure(.usage, "The first of the two is a folder.", remedy: "martlet sync FOLDER URL")
            }
            let address = parsed.text("url") ?? ""
            let place = try StorePlace(address, from: workingFolder)
            guard case .server = place else {
                throw CommandFailure(
                    .usage, "“\(address)” is not a server's address.", remedy: "martlet sync FOLDER URL")
            }
            guard Disk.isFolder(path + "/logbooks") else {
                throw CommandFailure(
                    .notFound, "There are no logbooks in \(path).",
                    remedy: "Logbooks are what a training program leaves in a store's folder.")
            }
            let backend = try backend(for: place, parsed, terminal, creates: false)
            var sender = LogbookSender(folder: path, backend: backend)
            let files = LogbookSender.files(in: path)
            let total = files.reduce(Int64(0)) { $0 + (Disk.size($1) ?? 0) }
            let progress = Progress(
                "Sending", total: total, unit: .bytes, terminal: terminal, isQuiet: parsed.isOn("quiet"),
                seconds: seconds)
            var done: Int64 = 0
            for file in files {
                try sender.send(file)
                done += Disk.size(file) ?? 0
                progress.update(done)
            }
            progress.finish(done)
            return sender.report(files.count, parsed, terminal)
        }
    }
}

/// Hands the lines of logbooks to a server, each writer's in order.
struct LogbookSender {
    let folder: String
    let backend: any Backend
    private(set) var sent = 0
    private(set) var known = 0
    private(set) var problems = 0
    private(set) var artifacts = 0
    private(set) var missing: [String] = []

    private static let batchBytesMax = 1 << 20

    init(folder: String, backend: any Backend) { (self.folder, self.backend) = (folder, backend) }

    /// Growing ones and those that were put away, in order of their names, which begin with no date; runs keep the
    /// start that their lines say.
    static func files(in folder: String) -> [String] {
        Disk.files(beneath: folder + "/logbooks")
            .filter { path in [".jsonl", ".jsonl.gz", ".jsonl.zst"].contains { path.hasSuffix($0) } }
            .map { folder + "/logbooks/" + $0 }
    }

    private struct Line {
        var bytes: ArraySlice<UInt8>
        var writer: String
        var sequence: Int64
        var artifact: Artifact?
    }

    private struct Artifact {
        var run: String
        var path: String
        var digest: String
        var type: String?
    }

    mutating func send(_ path: String) throws {
        let bytes = try path.hasSuffix(".jsonl") ? Disk.read(path, most: 4 << 30) : LogbookArchive.read(path)
        let lines = LogbookSender.lines(of: bytes)
        guard let first = lines.first else { return }
        // What a program left at its end may begin with a file of a run that the server knows.
        if let artifact = first.artifact { try upload(artifact, beside: path) }
        // The first line alone tells how far the server is with this writer.
        var acked = try hand(in: [first], at: path).acked
        let already = lines.prefix { $0.sequence <= acked }.count
        if already > 1 { known += already } else { sent += already }
        var at = already
        while at < lines.count {
            var batch: [Line] = []
            var size = 0
            for line in lines[at...] {
                if let artifact = line.artifact {
                    // The run must be there to take the bytes, and the bytes before the line that names them.
                    if !batch.isEmpty { break }
                    try upload(artifact, beside: path)
                }
                batch.append(line)
                size += line.bytes.count
                if size >= LogbookSender.batchBytesMax || line.artifact != nil { break }
            }
            let answer = try hand(in: batch, at: path)
            sent += answer.expected == nil ? batch.count : 0
            if let expected = answer.expected {
                guard let place = lines.firstIndex(where: { $0.sequence >= expected }),
                    lines[place].sequence == expected
                else {
                    throw CommandFailure(
                        .refused, "\(path) lacks line \(expected) of writer \(first.writer).",
                        remedy: "The server has the lines before it; those after it wait for it.")
                }
                (at, acked) = (place, expected - 1)
            } else {
                guard answer.acked > acked || answer.acked >= batch[batch.count - 1].sequence else {
                    throw CommandFailure(.refused, "\(backend.place) did not take the lines of \(path).")
                }
                acked = answer.acked
            }
            while at < lines.count, lines[at].sequence <= acked { at += 1 }
        }
    }

    private static func lines(of bytes: [UInt8]) -> [Line] {
        var lines: [Line] = []
        var start = 0
        // What stands after the last line end is a line that is still being written.
        while start < bytes.count, let end = bytes[start...].firstIndex(of: 0x0A) {
            let slice = bytes[start..<end]
            start = end + 1
            guard !slice.isEmpty, let value = try? JSONValue(parsing: Array(slice), allowsNonFinite: true),
                let writer = value["w"]?.string, let sequence = value["seq"]?.int64
            else { continue }
            var line = Line(bytes: slice, writer: writer, sequence: sequence)
            if value["op"]?.string == "artifact", let run = value["run"]?.string, let path = value["path"]?.string,
                let digest = value["sha256"]?.string
            {
                line.artifact = Artifact(run: run, path: path, digest: digest, type: value["type"]?.string)
            }
            lines.append(line)
        }
        return lines
    }

    private mutating func hand(
        in lines: [Line], at path: String
    ) throws(CommandFailure) -> (acked: Int64, expected: Int64?) {
        var body: [UInt8] = []
        for line in lines {
            body += line.bytes
            body.append(0x0A)
        }
        let request = ClientRequest(
            .post, API.target(["logbook"]), headers: ["Content-Type": "application/x-ndjson"], body: .bytes(body))
        var answer = try backend.send(request)
        for _ in 0..<20 where [429, 503].contains(answer.status.code) {
            sleep(UInt32(clamping: min(30, max(1, Int(answer.headers["retry-after"] ?? "") ?? 2))))
            answer = try backend.send(request)
        }
        let value = (try? JSONValue(parsing: answer.body)) ?? .null
        let acked = value["acked"]?[lines[0].writer]?.int64 ?? 0
        if answer.status == .conflict, let expected = value["expected"]?.int64 { return (acked, expected) }
        guard answer.status.isSuccess else { throw CommandFailure(answer, from: backend.place) }
        problems += value["problems"]?.int64.map(Int.init) ?? 0
        return (acked, nil)
    }

    private mutating func upload(_ artifact: Artifact, beside logbook: String) throws(CommandFailure) {
        // In the store, or beside lines that were left for a server.
        let places = [folder, Disk.parent(of: logbook) ?? folder]
        let digest = artifact.digest
        let name = "artifacts/\(digest.prefix(2))/\(digest.dropFirst(2))"
        let found = places.map { $0 + "/" + name }.first(where: Disk.exists)
        guard let file = found else {
            missing.append(artifact.path)
            return
        }
        let segments = ["runs", artifact.run, "artifacts"] + Session.parts(artifact.path)
        let answer = try backend.send(
            ClientRequest(
                .put, API.target(segments, [("type", artifact.type)]),
                headers: ["Content-Type": "application/octet-stream"], body: .file(path: file)))
        guard answer.status.isSuccess else { throw CommandFailure(answer, from: backend.place) }
        artifacts += 1
    }

    private func counted(_ count: Int, _ noun: String) -> String {
        "\(NumberText.grouped(count)) \(noun)\(count == 1 ? "" : "s")"
    }

    func report(_ files: Int, _ parsed: Parsed, _ terminal: any Terminal) -> ExitCode {
        if !parsed.isOn("quiet") {
            let already = known > 0 ? ", \(NumberText.grouped(known)) there before" : ""
            terminal.line(
                "\(counted(files, "logbook")): \(counted(sent, "line")) sent\(already); \(counted(artifacts, "file")) sent.",
                to: .error)
        }
        if problems > 0 {
            terminal.line("\(problems) lines could not be used; they are kept with their runs as problems.", to: .error)
        }
        for path in missing.prefix(10) {
            terminal.line("The bytes of \(Escape.text(path)) are not in the folder.", to: .error)
        }
        return missing.isEmpty ? .good : .no
    }
}
