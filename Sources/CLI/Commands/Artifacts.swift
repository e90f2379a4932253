import Glibc
import MartletClient
import MartletHTTPClient
import MartletHTTPMessages
import MartletJSON

extension World {
    var artifacts: Command {
        Command(
            "artifacts", summary: "Artifacts: the files of a run",
            subcommands: [artifactsList, artifactsPut, artifactsGet, artifactsDelete, artifactsLineage])
    }

    private var artifactsLineage: Command {
        command(
            "lineage", "What a run used and made, or who made and used a named artifact",
            arguments: [Argument("what", "A run, or a named artifact as NAME:VERSION, NAME:ALIAS or NAME:")],
            options: [Shared.experiment, Shared.project] + Shared.tables,
            examples: [
                Example("martlet artifacts lineage run_03 -e ridge"),
                Example("martlet artifacts lineage spam-model:production"),
            ]
        ) { session in
            try session.showLineage(session.parsed.text("what") ?? "")
        }
    }

    private var artifactsList: Command {
        command(
            "list", "List the artifacts of a run", arguments: [Shared.run()],
            options: [Shared.experiment] + Shared.tables, examples: [Example("martlet artifacts list run_03 -e ridge")]
        ) { session in
            let id = try session.runReference(session.parsed.text("run") ?? "")
            let found = try session.api.all(["runs", id, "artifacts"], [], under: "artifacts")
            var table = Table([
                .text("Path", priority: 3, truncation: .middle), .text("Type"), .number("Size", priority: 2),
                .text("SHA-256", truncation: .middle), .text("Stored"),
            ])
            for artifact in found.items {
                let size = artifact["size_bytes"]?.int64
                table.add([
                    .init(artifact["path"]?.string), .init(session.textOrNil(artifact["type"])),
                    .init(size.map(NumberText.bytes), exact: size.map { "\($0)" }),
                    .init(artifact["sha256"]?.string.map { session.parsed.isOn("csv") ? $0 : String($0.prefix(12)) }),
                    .init(session.age(artifact["created_at"])),
                ])
            }
            session.show(table, json: ["artifacts": .array(found.items)], empty: "The run has no artifacts.")
            return .good
        }
    }

    private var artifactsPut: Command {
        command(
            "put", "Store a file, or a folder, with a run",
            arguments: [Shared.run(), Argument("file", "The file or folder", candidates: .files)],
            options: World.artifactOptions,
            examples: [Example("martlet artifacts put run_03 confusion.png --type plot")]
        ) { session in
            try session.putArtifact(
                run: session.parsed.text("run") ?? "", file: session.parsed.text("file") ?? "")
        }
    }

    private var artifactsGet: Command {
        command(
            "get", "Fetch an artifact",
            arguments: [Shared.run(), Argument("path", "Its path in the run")],
            options: [
                Shared.experiment,
                Option(
                    "output", short: "o", value: "FILE", "Into this file, or - for the output; else its own name here",
                    candidates: .files),
                .flag("force", short: "f", "Replace a file that is there"),
            ], examples: [Example("martlet artifacts get run_03 model.bin -o best.bin")]
        ) { session in
            try session.getArtifact(
                run: session.parsed.text("run") ?? "", path: session.parsed.text("path") ?? "",
                output: session.parsed.text("output"))
        }
    }

    private var artifactsDelete: Command {
        command(
            "delete", "Delete an artifact of a run",
            arguments: [Shared.run(), Argument("path", "Its path in the run")],
            options: [Shared.experiment, Shared.permanent, Shared.yes],
            examples: [Example("martlet artifacts delete run_03 checkpoint-100.bin")]
        ) { session in
            let path = session.parsed.text("path") ?? ""
            let query = try session.deletion(of: "the artifact “\(path)”")
            let id = try session.runReference(session.parsed.text("run") ?? "")
            try session.api.send(.delete, ["runs", id, "artifacts"] + Session.parts(path), query)
            session.note("Deleted \(path).")
            return .good
        }
    }
}

extension Session {
    func showLineage(_ what: String) throws(CommandFailure) -> ExitCode {
        guard let colon = what.lastIndex(of: ":"), !what.hasPrefix("id:"), !what.hasPrefix("name:") else {
            return try showLineage(ofRun: what)
        }
        let version = what[what.index(after: colon)...]
        let found = try api.all(
            [
                "projects", parsed.text("project") ?? "default", "artifacts", String(what[..<colon]), "versions",
                version.isEmpty ? "latest" : String(version), "runs",
            ], [], under: "runs")
        var table = Table([
            .text("Run"), .text("Experiment", priority: 2), .text("Role"), .text("Name", priority: 3), .text("When"),
        ])
        for run in found.items {
            table.add([
                .init(run["short_id"]?.string), .init(textOrNil(run["experiment"])), .init(run["role"]?.string),
                .init(textOrNil(run["run_name"])), .init(age(run["linked_at"])),
            ])
        }
        show(table, json: ["runs": .array(found.items)], empty: "No run has made or used it.")
        return .good
    }

    private func showLineage(ofRun what: String) throws(CommandFailure) -> ExitCode {
        let id = try runReference(what)
        let used = try api.all(["runs", id, "inputs"], [], under: "inputs").items
        let made = try api.all(["runs", id, "outputs"], [], under: "outputs").items
        var table = Table([
            .text("Role"), .text("Artifact", priority: 3), .number("Version"), .text("Project", priority: 2),
            .text("When"),
        ])
        for link in used + made {
            let version = link["artifact"]?["version"]?.int64.map { "\($0)" }
            table.add([
                .init(link["role"]?.string), .init(textOrNil(link["artifact"]?["name"])),
                .init(version, exact: version),
                .init(link["project"]?.string), .init(age(link["linked_at"])),
            ])
        }
        show(
            table, json: ["inputs": .array(used), "outputs": .array(made)],
            empty: "The run has used and made no named artifact.")
        return .good
    }

    /// An artifact's path as segments of an address.
    static func parts(_ path: String) -> [String] { path.split(separator: "/").map(String.init) }

    func putArtifact(run: String, file: String) throws(CommandFailure) -> ExitCode {
        let source = Disk.absolute(file, from: world.workingFolder)
        guard Disk.exists(source) else { throw CommandFailure(.notFound, "There is no file \(source).") }
        let id = try runReference(run)
        let name = source.split(separator: "/").last.map(String.init) ?? "file"
        let target = parsed.text("as") ?? name
        var files: [(path: String, target: String)] = [(source, target)]
        if Disk.isFolder(source) { files = Disk.files(beneath: source).map { (source + "/" + $0, target + "/" + $0) } }
        let total = files.reduce(Int64(0)) { $0 + (Disk.size($1.path) ?? 0) }
        let progress = progress("Storing \(name)", total: total, unit: .bytes)
        var before: Int64 = 0
        for (path, target) in files {
            let base = before
            var request = ClientRequest(
                .put, API.target(["runs", id, "artifacts"] + Session.parts(target), [("type", parsed.text("type"))]),
                headers: ["Content-Type": "application/octet-stream"], body: .file(path: path))
            request.progress = { done, _ in
                progress.update(base + Int64(done))
                return true
            }
            _ = try api.send(request)
            before += Disk.size(path) ?? 0
        }
        progress.finish(total)
        if terminal.isTerminal(.error) {
            let what = files.count == 1 ? target : "\(files.count) files under \(target)"
            note("Stored \(what) (\(NumberText.bytes(total))).")
        }
        return .good
    }

    func getArtifact(run: String, path: String, output: String?) throws(CommandFailure) -> ExitCode {
        let id = try runReference(run)
        let address = API.target(["runs", id, "artifacts"] + Session.parts(path))
        let name = path.split(separator: "/").last.map(String.init) ?? "artifact"
        if output == "-" {
            let answer = try api.send(ClientRequest(.get, address))
            terminal.write(String(decoding: answer.body, as: UTF8.self), to: .output)
            return .good
        }
        var target = Disk.absolute(output ?? name, from: world.workingFolder)
        if Disk.isFolder(target) { target += "/" + name }
        guard parsed.isOn("force") || output != nil || !Disk.exists(target) else {
            throw CommandFailure(
                .refused, "There is a file \(target) already.", remedy: "Add --force to replace it, or -o FILE.")
        }
        // Under another name until it is whole: half a model must not look like one.
        let draft = "\(target).\(getpid()).part"
        let progress = progress("Fetching \(name)", total: nil, unit: .bytes)
        var request = ClientRequest(.get, address)
        request.destination = .file(path: draft)
        request.progress = { done, _ in
            progress.update(Int64(done))
            return true
        }
        do throws(CommandFailure) { _ = try api.send(request) } catch {
            unlink(draft)
            throw error
        }
        progress.finish(Disk.size(draft) ?? 0)
        guard rename(draft, target) == 0 else {
            let failure = Disk.failure("write", target)
            unlink(draft)
            throw failure
        }
        if terminal.isTerminal(.error) { note("\(target) (\(NumberText.bytes(Disk.size(target) ?? 0)))") }
        return .good
    }
}
