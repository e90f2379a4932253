import Glibc
package import MartletDomain
import MartletObservability
import MartletStorage

/// Keeps the logbooks that were put away for as long as they are wanted as a second copy, and not longer.
///
/// An archive goes when the store has all of it, when its days are over, and when the store was proved whole since: until
/// then it may be the only copy of what a damaged page has lost.
package struct LogbookKeeper: Sendable {
    package static let daysStandard = 30

    private let done: String
    private let engine: Engine

    /// `folder` is the store's `logbooks`.
    package init(folder: String, engine: Engine) { (done, self.engine) = (folder + "/done", engine) }

    /// Archives by their place beneath `done`: a month and a name. Whatever else lies there is not ours to judge.
    private func places() -> [String] {
        LogbookFolder(path: done).entries().sorted().flatMap { month in
            LogbookFolder(path: done + "/" + month).entries().sorted()
                .filter(LogbookArchive.isOne).map { month + "/" + $0 }
        }
    }

    package struct Survey: Equatable, Sendable {
        package var files = 0
        package var bytes: Int64 = 0
        /// How many stay, by why. The others go at the next sweep.
        package var kept: [AdoptedLogbook.Reason: Int] = [:]
        package init() {}
    }

    /// What there is, and why. `days` is what the store remembers, unless one knows better.
    package func survey(days: Int? = nil) throws(Refusal) -> Survey {
        var survey = Survey()
        for (_, size, reason) in try judged(days) {
            survey.files += 1
            survey.bytes += size
            if let reason { survey.kept[reason, default: 0] += 1 }
        }
        return survey
    }

    package struct Sweep: Equatable, Sendable {
        package var deleted = 0
        package var deletedBytes: Int64 = 0
        package init() {}
    }

    /// Deletes what may go. `days` is remembered for whoever sweeps without knowing better.
    package func sweep(days: Int? = nil) throws(Refusal) -> Sweep {
        if let days, try engine.read({ reader throws(Refusal) in try reader.logbookDays() }) != days {
            try engine.store.write { tx throws(Refusal) in try tx.setLogbookDays(days) }
        }
        var sweep = Sweep()
        for (place, size, reason) in try judged(days) where reason == nil {
            guard try delete(place) else { continue }
            sweep.deleted += 1
            sweep.deletedBytes += size
        }
        return sweep
    }

    /// Takes in archives that this database does not know, until so many of their bytes were read; how many that were.
    @discardableResult package func takeInUnknown(bytes limit: Int64 = .max) throws(Refusal) -> Int {
        var (count, room) = (0, limit)
        for (place, size, reason) in try judged(nil) where reason == .unknown && room > 0 {
            room -= size
            do throws(Refusal) {
                try takeIn(place, size: size)
                count += 1
            } catch {
                engine.log.warning("The adopted logbook \(place) stays: \(error)")
            }
        }
        return count
    }

    private func judged(
        _ days: Int?
    ) throws(Refusal) -> [(place: String, size: Int64, reason: AdoptedLogbook.Reason?)] {
        let places = places()
        if places.isEmpty { return [] }
        let now = engine.clock.now
        let isSource = engine.store.about.isCopy
        return try engine.read { reader throws(Refusal) in
            let remembered = try reader.logbookDays()
            let rule = AdoptedLogbook.Rule(
                days: days ?? remembered, proved: try reader.provedAdoptions(), now: now)
            var judged: [(String, Int64, AdoptedLogbook.Reason?)] = []
            for place in places {
                guard let (size, isHeld) = look(at: place) else { continue }
                var reason = rule.reason(toKeep: try reader.adoptedLogbook(place), bytes: size)
                if isSource, reason != .unknown { reason = .source }
                judged.append((place, size, reason ?? (isHeld ? .locked : nil)))
            }
            return judged
        }
    }

    /// Nil for what is not there any more, or is no file.
    private func look(at place: String) -> (size: Int64, isHeld: Bool)? {
        let file = open(done + "/" + place, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var facts = stat()
        guard fstat(file, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return nil }
        return (Int64(facts.st_size), flock(file, LOCK_EX | LOCK_NB) != 0)
    }

    private func delete(_ place: String) throws(Refusal) -> Bool {
        guard unlink(done + "/" + place) == 0 || errno == ENOENT else {
            engine.log.warning("The adopted logbook \(place) could not be deleted (errno \(errno)).")
            return false
        }
        // The file first: a row without one is harmless, a file without its row would be read once more.
        try engine.store.write(.bulk) { tx throws(Refusal) in try tx.forgetAdopted(place) }
        return true
    }

    /// A database that was restored, or made by an older version, may lack what an archive holds: its lines are handed in
    /// as those of any file, and what counts already changes nothing.
    private func takeIn(_ place: String, size: Int64) throws(Refusal) {
        let newline = UInt8(ascii: "\n")
        var rest: [UInt8] = []
        func hand(_ end: Int, isLast: Bool) throws(Refusal) {
            let lines = rest[..<end].split(separator: newline)
            guard !lines.isEmpty else { return }
            _ = try engine.ingestAndWait(
                .local(via: "logbook"), lines: lines, source: "logbooks/done/\(place)", stepsOverGaps: true,
                isLast: isLast)
        }
        try LogbookArchive.eachPiece(of: done + "/" + place) { piece throws(Refusal) in
            rest += piece
            guard rest.count >= 1 << 20, let last = rest.lastIndex(of: newline) else { return }
            try hand(last + 1, isLast: false)
            rest.removeFirst(last + 1)
        }
        // What stands after the last line end was torn when its writer died.
        try hand((rest.lastIndex(of: newline) ?? -1) + 1, isLast: true)
        let now = engine.clock.now
        try engine.store.write(.bulk) { tx throws(Refusal) in try tx.adopted(place, bytes: size, at: now) }
    }
}
