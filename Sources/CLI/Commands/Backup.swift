import Glibc
import MartletClient
import MartletDomain
import MartletEngine
import MartletStorage
import MartletStorageSQLite

extension World {
    var backup: Command {
        folderCommand(
            "backup", "Copy a store while it is in use",
            discussion: """
                The database is copied as of one moment and read back; artifacts and logbooks follow. A second backup \
                into the same folder copies only what is new; the database of the one before is kept as martlet.db.before. \
                Logbooks that were adopted before it may be deleted when their days are over.
                """,
            arguments: [Argument("destination", "A folder", candidates: .folders)],
            examples: [Example("martlet backup /mnt/backup/martlet --uri /srv/martlet")]
        ) { store, parsed, terminal in
            let target = Disk.absolute(parsed.text("destination") ?? "", from: workingFolder)
            guard !target.hasPrefix(store.path + "/"), target != store.path else {
                throw CommandFailure(
                    .usage, "A backup cannot lie inside of its store.", remedy: "Choose another folder.")
            }
            try Disk.makeFolder(target)
            let fresh = target + "/martlet.db.new"
            unlink(fresh)
            let adoptions = try store.adoptions()
            try store.store.backup(to: fresh)
            let bytes = try copyFiles(
                from: store.path, to: target, folders: ["artifacts", "logbooks"], parsed, terminal)
            if Disk.exists(target + "/martlet.db") {
                guard rename(target + "/martlet.db", target + "/martlet.db.before") == 0 else {
                    throw Disk.failure("put away", target + "/martlet.db")
                }
            }
            guard rename(fresh, target + "/martlet.db") == 0 else {
                throw Disk.failure("write", target + "/martlet.db")
            }
            store.remember(.backup, adoptions: adoptions, terminal)
            let database = Disk.size(target + "/martlet.db") ?? 0
            terminal.line(
                "\(target): database \(NumberText.bytes(database)), read back; files \(NumberText.bytes(bytes)) copied.",
                to: .error)
            return .good
        }
    }

    var restore: Command {
        plainCommand(
            "restore", "Make a store out of a backup",
            discussion: "Into a folder that is not there or empty. Afterwards the copy is checked as by fsck.",
            arguments: [
                Argument("source", "The backup's folder", candidates: .folders),
                Argument("destination", "Where the store is to be", candidates: .folders),
            ], examples: [Example("martlet restore /mnt/backup/martlet /srv/martlet")]
        ) { parsed, terminal in
            let source = Disk.absolute(parsed.text("source") ?? "", from: workingFolder)
            let target = Disk.absolute(parsed.text("destination") ?? "", from: workingFolder)
            guard Disk.exists(source + "/martlet.db") else {
                throw CommandFailure(
                    .notFound, "There is no backup in \(source).", remedy: "A backup's folder holds a martlet.db.")
            }
            guard Disk.names(in: target)?.isEmpty ?? !Disk.exists(target) else {
                throw CommandFailure(
                    .refused, "The folder \(target) is not empty.", remedy: "Name a new folder; nothing is overwritten."
                )
            }
            try Disk.makeFolder(target)
            // The database last: a folder without one is no store yet, whatever interrupts us.
            let bytes = try copyFiles(from: source, to: target, folders: ["artifacts", "logbooks"], parsed, terminal)
            try copy(source + "/martlet.db", to: target + "/martlet.db")
            let store = try FolderStore.open(
                target, cacheFolder: StorePlace.cacheFolder(terminal.environment), now: now())
            defer { store.close() }
            // The files are younger than the database: what was adopted in between is in them only.
            try store.keeper.takeInUnknown()
            let check = try store.store.fsck()
            for finding in check.findings.prefix(20) { terminal.line(Escape.text("\(finding)")) }
            terminal.line(
                "\(target): files \(NumberText.bytes(bytes)), \(check.isClean ? "no fault" : "\(check.count) faults").",
                to: .error)
            return check.isClean ? .good : .no
        }
    }

    /// Copies what is not there yet, or has another size; how many bytes that were.
    private func copyFiles(
        from source: String, to target: String, folders: [String], _ parsed: Parsed, _ terminal: any Terminal
    ) throws(CommandFailure) -> Int64 {
        var todo: [(path: String, size: Int64)] = []
        for folder in folders {
            for name in Disk.files(beneath: source + "/" + folder)
            where !name.hasPrefix("tmp/") && !name.hasPrefix("trash/") {
                let path = folder + "/" + name
                let size = Disk.size(source + "/" + path) ?? 0
                if Disk.size(target + "/" + path) != size { todo.append((path, size)) }
            }
        }
        let total = todo.reduce(0) { $0 + $1.size }
        let progress = Progress(
            "Copying", total: total, unit: .bytes, terminal: terminal, isQuiet: parsed.isOn("quiet"), seconds: seconds)
        var done: Int64 = 0
        var made: Set<String> = []
        for (path, size) in todo {
            let folder = Disk.parent(of: target + "/" + path) ?? target
            if made.insert(folder).inserted { try Disk.makeFolder(folder) }
            try copy(source + "/" + path, to: target + "/" + path)
            done += size
            progress.update(done)
        }
        progress.finish(done)
        return done
    }

    /// Under another name until it is whole and on the disk. The time of its last change goes with it.
    private func copy(_ source: String, to target: String) throws(CommandFailure) {
        let from = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard from >= 0 else {
            // A logbook that was put away, an artifact that was collected meanwhile: as if it had never been seen.
            if errno == ENOENT { return }
            throw Disk.failure("read", source)
        }
        defer { close(from) }
        let draft = target + ".part"
        unlink(draft)
        let to = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard to >= 0 else { throw Disk.failure("write", target) }
        do throws(CommandFailure) {
            defer { close(to) }
            var failure: CommandFailure?
            try Disk.forEachPiece(of: from, source) { piece in
                do throws(CommandFailure) { try Disk.write(piece, to: to, target) } catch { failure = error }
                return failure == nil
            }
            if let failure { throw failure }
            var facts = stat()
            if fstat(from, &facts) == 0 {
                var times = [facts.st_atim, facts.st_mtim]
                futimens(to, &times)
            }
            guard fsync(to) == 0 else { throw Disk.failure("write", target) }
        } catch {
            unlink(draft)
            throw error
        }
        guard rename(draft, target) == 0 else { throw Disk.failure("write", target) }
    }
}
