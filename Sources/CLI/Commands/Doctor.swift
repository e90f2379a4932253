import Glibc
import MartletArtifacts
import MartletClient
import MartletDomain
import MartletEngine
import MartletHTTPClient
import MartletHTTPMessages
import MartletJSON
import MartletObservability
import MartletStorage
import MartletStorageSQLite

extension World {
    var doctor: Command {
        plainCommand(
            "doctor", "Look for what keeps Martlet from working here",
            discussion: """
                Checks the store that is meant: whether it is there and can be written, its file system, locks, free \
                space, clock; or the server: whether it answers, knows you, and how far its clock is off. Ends with 1 \
                when something is wrong.
                """,
            options: [Shared.json],
            examples: [Example("martlet doctor"), Example("martlet doctor --uri http://localhost:8003")]
        ) { parsed, terminal in
            var report = Checkup()
            report.good("martlet", version)
            let place = try place(parsed, terminal)
            report.good("store", place.text + source(of: parsed))
            switch place {
            case .folder(let path): examine(folder: path, terminal, &report)
            case .server(let address): examine(server: address, parsed, terminal, &report)
            }
            return report.show(parsed, terminal)
        }
    }

    private func source(of parsed: Parsed) -> String {
        switch parsed.source(of: "uri") {
        case .commandLine: " (named on the command line)"
        case .environment(let name): " (named by \(name))"
        default: ""
        }
    }

    // MARK: A folder

    private func examine(folder path: String, _ terminal: any Terminal, _ report: inout Checkup) {
        guard Disk.isFolder(path) else {
            let parent = nearestFolder(above: path)
            if access(parent, W_OK) == 0 {
                report.good("folder", "not there yet; the first run makes it")
            } else {
                report.bad(
                    "folder", "not there, and \(parent) may not be written", "Choose another folder with --uri.")
            }
            return
        }
        if access(path, W_OK) == 0 {
            report.good("folder", "may be written")
        } else {
            report.bad("folder", "may not be written", "Check who owns \(path) and how it is mounted.")
        }
        if case .network(let kind) = FileSystem.of(folder: path) {
            let cache = StorePlace.cacheFolder(terminal.environment) ?? "a cache folder"
            report.warn(
                "file system", "\(kind), over a network: the database lies in \(cache), rebuilt from the logbooks")
        } else {
            report.good("file system", "local")
        }
        examineSpace(path, &report)
        examineClock(path, &report)
        examineStore(path, terminal, &report)
    }

    private func nearestFolder(above path: String) -> String {
        var folder = path
        while !Disk.isFolder(folder), let above = Disk.parent(of: folder) { folder = above }
        return folder
    }

    private func examineSpace(_ path: String, _ report: inout Checkup) {
        var facts = statvfs()
        guard statvfs(path, &facts) == 0 else { return }
        let free = Int64(clamping: UInt64(facts.f_bavail) * UInt64(facts.f_frsize))
        let text = "\(NumberText.bytes(free)) free"
        if free < 256 << 20 {
            report.bad("disk", text, "Free some space, or prune old runs: martlet prune --older-than 6m --dry-run")
        } else if free < 2 << 30 {
            report.warn("disk", text)
        } else {
            report.good("disk", text)
        }
        if facts.f_files > 0, facts.f_favail < 10_000 {
            report.bad("disk", "only \(facts.f_favail) files more can be made", "Remove some small files.")
        }
    }

    /// What the file system thinks the time is, and whether it can be true at all.
    private func examineClock(_ path: String, _ report: inout Checkup) {
        let probe = "\(path)/.doctor.\(getpid())"
        let file = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        defer {
            close(file)
            unlink(probe)
        }
        var facts = stat()
        guard fstat(file, &facts) == 0 else { return }
        let offset = Double(now().micros) / 1e6 - Double(facts.st_mtim.tv_sec) - Double(facts.st_mtim.tv_nsec) / 1e9
        if now().iso < "2024" {
            report.bad("clock", "it says \(now().iso)", "Set the clock; runs would be dated wrongly.")
        } else if abs(offset) > 5 {
            report.warn("clock", "\(TimeText.duration(seconds: abs(offset))) apart from the file system's")
        } else {
            report.good("clock", now().iso)
        }
    }

    private func examineStore(_ path: String, _ terminal: any Terminal, _ report: inout Checkup) {
        guard Disk.exists(path + "/martlet.db") || Disk.isFolder(path + "/logbooks") else {
            report.good("database", "not there yet")
            return
        }
        do throws(Refusal) {
            var options = SQLiteStore.Options()
            options.lockSeconds = 2
            options.cacheFolder = StorePlace.cacheFolder(terminal.environment)
            let store = try SQLiteStore.open(folder: path, options: options)
            defer { store.close() }
            let sizes = try store.read { reader throws(StorageError) in try reader.sizes() }
            report.good(
                "database",
                "\(store.about.engine), format \(store.about.format), \(NumberText.bytes(sizes.disk))"
                    + (sizes.journalPoints > 0
                        ? ", \(NumberText.grouped(Int(sizes.journalPoints))) points to settle" : ""))
            if store.isReadOnly {
                report.warn("database", "can be read, not written")
            } else {
                try store.write { _ throws(StorageError) in }
                report.good("lock", "free")
            }
            let blobs = try FolderBlobStore(folder: path + "/artifacts", now: now())
            try blobs.probeWriting()
            report.good("artifacts", "may be written")
            let whole = FolderStore(path: path, store: store, blobs: blobs, engine: Engine(store: store, log: .silent))
            if let kept = try whole.keptLogbooks() {
                let isOdd = kept.survey.kept[.changed] != nil || kept.survey.kept[.unknown] != nil
                if isOdd { report.warn("logbooks", kept.text) } else { report.good("logbooks", kept.text) }
            }
        } catch {
            report.bad(error.code == .locked ? "lock" : "database", error.message, error.remedy)
        }
        let waiting = (Disk.names(in: path + "/logbooks/live") ?? []).count { $0.hasSuffix(".jsonl") }
        if waiting > 0 { report.good("logbooks", "\(waiting) of writers that go on, or wait to be taken in") }
    }

    // MARK: A server

    private func examine(
        server address: String, _ parsed: Parsed, _ terminal: any Terminal, _ report: inout Checkup
    ) {
        do throws(CommandFailure) {
            let backend = try backend(for: .server(address), parsed, terminal, creates: false)
            let began = seconds()
            let answer = try backend.send(ClientRequest(.get, API.target(["me"])))
            let took = seconds() - began
            report.good("answer", "in \(TimeText.duration(seconds: took))")
            examineServerClock(answer.headers["date"], &report)
            guard answer.status.isSuccess else { throw CommandFailure(answer, from: address) }
            let me = try? JSONValue(parsing: answer.body)
            let role = me?["role"]?.string.map { ", role \($0)" } ?? ""
            report.good("you", (me?["principal"]?.string ?? "?") + role)
        } catch {
            report.bad("server", error.message, error.remedy ?? "")
        }
    }

    private func examineServerClock(_ date: String?, _ report: inout Checkup) {
        guard let date, let time = HTTPDate.parse(date) else { return }
        let offset = Double(now().micros) / 1e6 - Double(time)
        if abs(offset) > 5 {
            report.warn("clock", "\(TimeText.duration(seconds: abs(offset))) apart from the server's")
        } else {
            report.good("clock", "agrees with the server's")
        }
    }
}

/// What was looked at, and how it was found.
private struct Checkup {
    enum Verdict: String { case good = "ok", warn = "note", bad = "FAULT" }
    private var lines: [(verdict: Verdict, what: String, found: String, remedy: String)] = []

    mutating func good(_ what: String, _ found: String) { lines.append((.good, what, found, "")) }
    mutating func warn(_ what: String, _ found: String) { lines.append((.warn, what, found, "")) }
    mutating func bad(_ what: String, _ found: String, _ remedy: String) { lines.append((.bad, what, found, remedy)) }

    func show(_ parsed: Parsed, _ terminal: any Terminal) -> ExitCode {
        let faults = lines.count { $0.verdict == .bad }
        if parsed.isOn("json") {
            var writer = JSONWriter(pretty: true)
            writer.value(
                [
                    "ok": .bool(faults == 0),
                    "checks": .array(
                        lines.map { line in
                            [
                                "check": .string(line.what), "verdict": .string(line.verdict.rawValue),
                                "found": .string(line.found), "remedy": .string(line.remedy),
                            ]
                        }),
                ] as JSONValue)
            writer.endLine()
            terminal.write(writer.text, to: .output)
            return faults == 0 ? .good : .no
        }
        let paint = Session.paint(parsed, terminal)
        let width = lines.map(\.what.count).max() ?? 0
        for line in lines {
            let style: Style = line.verdict == .good ? .green : line.verdict == .warn ? .yellow : .red
            terminal.line(
                paint(Fit.padded(line.verdict.rawValue, to: 5, .left), style) + "  "
                    + Fit.padded(line.what, to: width, .left) + "  " + Escape.text(line.found))
            if !line.remedy.isEmpty {
                terminal.line(String(repeating: " ", count: width + 9) + Escape.text(line.remedy))
            }
        }
        terminal.line(
            faults == 0 ? "Nothing is wrong." : "\(faults) \(faults == 1 ? "fault" : "faults").", to: .error)
        return faults == 0 ? .good : .no
    }
}
