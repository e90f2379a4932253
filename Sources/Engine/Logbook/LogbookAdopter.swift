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
///
/// Over a network a lock says nothing of another machine, and the files are what the database is rebuilt from: there
/// they stay where they are, and a writer has ended when its file has not grown for a while.
package final class LogbookAdopter: Sendable {
    private struct Place {
        var inode: UInt64
        var offset: Int64
        var runs: Set<RunID> = []
        /// Read again from the start, because a number was missing.
        var hasStartedOver = false
        /// Its size, and since when on the monotonic clock.
        var size: Int64 = -1
        var sizeSince: Int64 = 0
        /// Its end was acted upon; for files that stay.
        var isSettled = false
    }

    /// Over a network, a file that has not grown for so long has no writer any more.
    package static let silenceSeconds: Int64 = 900

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
        let stays = engine.store.about.isCopy
        // Asked before reading: what is in the file when the lock is free is all that will ever be.
        var hasEnded = !stays && flock(file, LOCK_EX | LOCK_NB) == 0
        var info = stat()
        guard fstat(file, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return false }
        var place = places.withLock { $0[name] } ?? Place(inode: UInt64(info.st_ino), offset: 0)
        if place.inode != UInt64(info.st_ino) || place.offset > info.st_size {
            place = Place(inode: UInt64(info.st_ino), offset: 0)
        }
        if stays { hasEnded = isSilent(&place, size: Int64(info.st_size)) }

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
        if stays, hasEnded, !place.isSettled {
            let left = left(by: name, file, info, place)
            try engine.changeAndWait(.local(via: "logbook"), .bulk) { ledger throws(Refusal) in
                try left.settle(ledger)
            }
            place.isSettled = true
        }
        places.withLock { $0[name] = place }
        if hasEnded, !stays { try putAway(name, file, info, place) }
        return found
    }

    private func isSilent(_ place: inout Place, size: Int64) -> Bool {
        let now = engine.clock.monotonic
        if place.size != size {
            (place.size, place.sizeSince, place.isSettled) = (size, now, false)
        }
        return now - place.sizeSince >= LogbookAdopter.silenceSeconds * 1_000_000
    }

    /// Whole lines from an offset, at most about a megabyte; a last line without its end is left for the next look.
    private func read(
        _ file: Int32, from offset: Int64, path: String
    ) throws(Refusal) -> (lines: [ArraySlice<UInt8>], next: Int64) {
        var size = 1 << 20
        while true {
            var buffer = [UInt8](repeating: 0, count: size)
            let count = pread(file, &buffer, size, off_t(offset))
            guard count >= 0 else { throw FileTrouble(verb: .read, path: path).refusal() }
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

    private func putAway(_ name: String, _ file: Int32, _ info: stat, _ place: Place) throws(Refusal) {
        let month = String(engine.clock.now.iso.prefix(7))
        mkdir(folder + "/done", 0o755)
        mkdir(folder + "/done/" + month, 0o755)
        let archive = month + "/" + freeName(for: name, in: folder + "/done/" + month)
        let bytes = try LogbookArchive.compress(file, to: folder + "/done/" + archive)
        guard isSame(file, name, as: info) else {
            unlink(folder + "/done/" + archive)
            return
        }
        let (left, now) = (left(by: name, file, info, place), engine.clock.now)
        try engine.changeAndWait(.local(via: "logbook"), .bulk) { ledger throws(Refusal) in
            try left.settle(ledger)
            try ledger.tx.adopted(archive, bytes: bytes, at: now)
        }
        guard isSame(file, name, as: info) else {
            unlink(folder + "/done/" + archive)
            return try engine.store.write(.bulk) { tx throws(Refusal) in try tx.forgetAdopted(archive) }
        }
        unlink(live + "/" + name)
        places.withLock { $0[name] = nil }
        engine.log.info("The logbook \(name) is in, all \(info.st_size) bytes of it.")
    }

    /// The runs of a writer that has ended.
    private struct Left: Sendable {
        var writer: String
        /// Nobody else writes them: those that never said their end are lost.
        var orphans: Set<RunID>
        /// Others go on with them, and this writer left without a word.
        var bereaved: Set<RunID>

        func settle(_ ledger: Ledger) throws(Refusal) {
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
                    "The writer of logbooks/\(writer) ended without a word; others of this run go on.", line: "",
                    of: run.key, who: "")
            }
        }
    }

    private func left(by name: String, _ file: Int32, _ info: stat, _ place: Place) -> Left {
        let orphans = place.runs.filter { !hasWriter($0, besides: name) }
        let isBye = hasSaidGoodbye(file, size: Int64(info.st_size))
        return Left(writer: name, orphans: orphans, bereaved: isBye ? [] : place.runs.subtracting(orphans))
    }

    /// A writer that takes no lock may have gone on, and its name may be another file's by now: neither is deleted.
    private func isSame(_ file: Int32, _ name: String, as before: stat) -> Bool {
        var (now, named) = (stat(), stat())
        return fstat(file, &now) == 0 && now.st_size == before.st_size && stat(live + "/" + name, &named) == 0
            && named.st_ino == before.st_ino && named.st_dev == before.st_dev
    }

    /// What was put away under a name stays; a writer that comes back under it gets an archive of its own.
    private func freeName(for name: String, in folder: String) -> String {
        let stem = name.dropLast(".jsonl".count)
        var free = stem + LogbookArchive.suffix
        var number = 2
        while access(folder + "/" + free, F_OK) == 0 {
            free = "\(stem)~\(number)" + LogbookArchive.suffix
            number += 1
        }
        return String(free)
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
