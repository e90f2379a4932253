import Glibc
import MartletArtifacts
import MartletClient
import MartletDomain
import MartletEngine
import MartletJSON
import Synchronization

/// What the store does not have: kept in a file while it is away, and left where it is found again when the program ends.
extension Courier {
    /// What was left, and where.
    struct Rest {
        var path: String
        /// Lines that were kept, those that name files included.
        var lines = 0
        /// Files whose bytes were kept.
        var files = 0
        /// Files whose bytes were not: their names, with the reason.
        var lost: [(upload: Upload, reason: String)] = []
        /// Nil when all is kept.
        var trouble: String?
    }

    /// Keeps what waits for a server in a file too, so that a program that is killed meanwhile has lost none of it. In a
    /// folder that cannot be written there is nothing to be gained by it.
    func spill() {
        guard case .server = connection.place else { return }
        let (writer, spilled, rest) = desk.withLock {
            ($0.outbox.writer, $0.spilled, $0.outbox.rest(after: $0.spilled))
        }
        guard !rest.text.isEmpty, LocalFiles.append(rest.text, to: spillPath(writer), isFirst: spilled == 0) else {
            return
        }
        desk.withLock { $0.spilled = rest.last }
    }

    /// The lines have arrived, or get other numbers.
    func discardSpilled() {
        let writer = desk.withLock { desk in
            desk.spilled = 0
            return desk.outbox.writer
        }
        if case .server = connection.place { unlink(spillPath(writer)) }
    }

    var unsentStore: String { settings.unsentStore ?? Machine.standardStore }

    /// Where what was not delivered is found again: for a server a file that `martlet sync` sends, for a folder its own
    /// logbooks, which the next `martlet` there takes in.
    func spillPath(_ writer: String) -> String {
        switch connection.place {
        case .folder(let path): "\(path)/logbooks/live/\(writer).jsonl"
        case .server: "\(unsentStore)/logbooks/unsent/\(writer).jsonl"
        }
    }

    /// Runs that nobody has ended get the ending that the program has.
    func endOpenRuns(exitStatus: Int32) {
        let open = desk.withLock { $0.openRuns }
        for run in open {
            var fields: JSONObject = [
                "status": .string(exitStatus == 0 ? "finished" : "failed"), "end": .int(SystemClock().now.millis),
            ]
            if exitStatus != 0 { fields["exit"] = .int(Int64(exitStatus)) }
            end(run, fields)
        }
    }

    /// Writes what could not be delivered as the lines of a logbook, with the bytes of files beside it; after it nothing
    /// is sent any more. Nil when nothing was left.
    func leaveRest() -> Rest? {
        collect()
        let (writer, uploads) = desk.withLock { desk in
            desk.isClosed = true
            return (desk.outbox.writer, desk.uploads)
        }
        var rest = Rest(path: spillPath(writer))
        let end = SystemClock().monotonic + Int64(max(1, settings.exitSeconds) * 1e6)
        for upload in uploads {
            do throws(Refusal) {
                let fields = try upload.keep(in: restOfFiles, until: end)
                let entry = Entry(
                    run: upload.run, time: SystemClock().now.millis, ordinal: upload.ordinal,
                    what: .op("artifact", fields))
                desk.withLock { $0.outbox.add(entry.line) }
                rest.files += 1
            } catch {
                rest.lost.append((upload, error.message))
            }
        }
        let batch = desk.withLock { $0.outbox.batch(bytesMax: .max) }
        guard batch.count > 0 || !rest.lost.isEmpty else { return nil }
        rest.lines = batch.count
        if batch.count > 0, !LocalFiles.write(batch.text, to: rest.path) {
            rest.trouble = "\(rest.path) cannot be written."
        }
        return rest
    }

    /// Where the bytes of files are kept that could not be sent: for a server beside its lines, for a folder where all
    /// of them lie.
    private var restOfFiles: String {
        switch connection.place {
        case .folder(let path): "\(path)/artifacts"
        case .server: "\(unsentStore)/logbooks/unsent/artifacts"
        }
    }
}
