import Glibc
import MartletDomain
import MartletJSON
import MartletObservability
import MartletStorage
import Synchronization

/// Takes in the logbooks that writers leave in the store's folder, while they grow.
///
/// A file's bytes are read from where the last look ended, which is only a hint: what counts is the writer's place in
/// the store. A writer holds a lock on its file for as long as it lives; when the lock is free and everything is in, the
/// file is compressed and put away. A run that never said its end and has no other writer is lost then; if others go on,
/// the one that ended without a word is told of.
package final class LogbookAdopter: Sendable {
    private struct Place {
        var inode: UInt64
        var offset: Int64
        var runs: Set<RunID> = []
        /// Read again from the start, because a number was missing.
        var hasStartedOver = false
    }

    private let folder: String
    private let engine: Engine
    private let places = Mutex<[String: Place]>([:])
    /// One look at a time.
    private let turn = Mutex(())

    /// `folder` is the store's `logbooks`.
    package init(folder: String, engine: Engine) { (self.folder, self.engine) = (folder, engine) }

    private var live: String { folder + "/live" }

    /// Reads what is new in every file; true when something was.
    package func look() -> Bool {
        turn.withLock { _ in
            var isNew = false
            // Files of one look in order of their runs' start, so that short numbers follow it.
            let files = LogbookFolder(path: live)
            let found = files.names().map { (name: $0, start: files.start(of: $0)?.micros ?? .max) }
            for (name, _) in found.sorted(by: { ($0.start, $0.name) < ($1.start, $1.name) }) {
                do throws(Refusal) {
                    if try adopt(name) { isNew = true }
                } catch {
                    engine.log.warning("The logbook \(name) waits: \(error)")
                }
            }
            return isNew
        }
    }

    /// Looks until nothing new is found: for a command that opens a folder and answers from it.
    package func catchUp() {
        for _ in 0..<1000 where !look() { return }
    }

    // MARK: - One file

    private func adopt(_ name: String) throws(Refusal) -> Bool {
        let path = live + "/" + name
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return false }
        defer { close(file) }
        var info = stat()
        guard fstat(file, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return false }
        var place = places.withLock { $0[name] } ?? Place(inode: UInt64(info.st_ino), offset: 0)
        if place.inode != UInt64(info.st_ino) || place.offset > info.st_size {
            place = Place(inode: UInt64(info.st_ino), offset: 0)
        }

        // Asked before reading: what is in the file when the lock is free is all that will ever be.
        let hasEnded = flock(file, LOCK_EX | LOCK_NB) == 0
        defer { if hasEnded { flock(file, LOCK_UN) } }
        var found = false
        while true {
            let (lines, next) = try read(file, from: place.offset, path: path)
            guard !lines.isEmpty else { break }
            let receipt = try engine.ingestAndWait(
                .local(via: "logbook"), lines: lines, source: "logbooks/\(name)",
                stepsOverGaps: hasEnded && place.hasStartedOver, isLast: hasEnded && next == Int64(info.st_size))
            for line in lines { if let id = runID(in: line) { place.runs.insert(id) } }
            if receipt.expected != nil {
                // Lines are missing here. They may come by another way; a writer that has ended is read once more.
                if place.hasStartedOver { break }
                place.hasStartedOver = true
                place.offset = 0
                continue
            }
            found = true
            place.offset = next
        }
        places.withLock { $0[name] = place }
        if hasEnded { try putAway(name, file, size: Int64(info.st_size), place) }
        return found
    }

    /// Whole lines from an offset, at most about a megabyte; a last line without its end is left for the next look.
    private func read(
        _ file: Int32, from offset: Int64, path: String
    ) throws(Refusal) -> (lines: [ArraySlice<UInt8>], next: Int64) {
        var size = 1 << 20
        while true {
            var buffer = [UInt8](repeating: 0, count: size)
            let count = pread(file, &buffer, size, off_t(offset))
            guard count >= 0 else {
                throw Refusal(
                    .io, "The logbook \(path) cannot be read.", remedy: "Check the disk.", cause: "errno \(errno)")
            }
            let read = buffer[..<count]
            guard let end = read.lastIndex(of: UInt8(ascii: "\n")) else {
                // A line longer than the buffer: read more of it, up to the longest that a line may be.
                if count == size, size < LogbookLine.bytesMax * 2 {
                    size *= 4
                    continue
                }
                return ([], offset)
            }
            let lines = read[...end].split(separator: UInt8(ascii: "\n"))
            return (lines, offset + Int64(end) + 1)
        }
    }

    /// The run that a line names, found without reading the whole line.
    private func runID(in line: ArraySlice<UInt8>) -> RunID? {
        let mark = Array("\"run\":\"".utf8)
        let head = line.prefix(300)
        guard let at = head.indices.first(where: { head[$0...].starts(with: mark) }) else { return nil }
        return RunID(String(decoding: head[(at + mark.count)...].prefix(32), as: UTF8.self))
    }

    // MARK: - The end of a file

    private func putAway(_ name: String, _ file: Int32, size: Int64, _ place: Place) throws(Refusal) {
        let orphans = place.runs.filter { !hasWriter($0, besides: name) }
        let bereaved = hasSaidGoodbye(file, size: size) ? [] : place.runs.subtracting(orphans)
        try engine.changeAndWait(.local(via: "logbook"), .bulk) { ledger throws(Refusal) in
            for id in orphans {
                guard let run = try ledger.tx.run(id), run.status.state == .running else { continue }
                var update = Ledger.RunUpdate()
                update.status = Status(word: "lost")
                update.end = run.seen
                update.cause = "logbook"
                _ = try ledger.updateRun(run.key, update)
            }
            for id in bereaved {
                guard let run = try ledger.tx.run(id), run.status.state == .running else { continue }
                try ledger.recordProblem(
                    "The writer of logbooks/\(name) ended without a word; others of this run go on.", line: "",
                    of: run.key, who: "")
            }
        }
        let month = engine.clock.now.iso.prefix(7)
        let done = folder + "/done/" + month
        mkdir(folder + "/done", 0o755)
        mkdir(done, 0o755)
        try LogbookArchive.compress(file, to: "\(done)/\(name).zst")
        unlink(live + "/" + name)
        places.withLock { $0[name] = nil }
        engine.log.info("The logbook \(name) is in, all \(size) bytes of it.")
    }

    /// Whether another writer of a run still holds its file.
    private func hasWriter(_ run: RunID, besides name: String) -> Bool {
        let others = places.withLock { places in
            places.filter { $0.key != name && $0.value.runs.contains(run) }.map(\.key)
        }
        return others.contains { other in
            let file = open(live + "/" + other, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard file >= 0 else { return false }
            defer { close(file) }
            return flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
        }
    }

    /// A writer's last line is the state that it leaves the run in, or a beat that says that it ends.
    private func hasSaidGoodbye(_ file: Int32, size: Int64) -> Bool {
        guard let (lines, _) = try? read(file, from: max(0, size - 65_536), path: ""), let last = lines.last,
            let line = try? LogbookLine(last)
        else { return false }
        return line.op == "state" || line.op == "beat" && line.body["end"]?.bool == true
    }
}
