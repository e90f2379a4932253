import MartletClient
import MartletDomain
import MartletForeign
import MartletJSON

extension World {
    var imports: Command {
        Command(
            "import", summary: "Bring what another tracker kept",
            subcommands: [
                command(
                    "mlflow", "Bring a folder, a database or a server of MLflow's",
                    discussion: """
                        Experiments, runs, params, metrics, tags, inputs, models and the registry keep their ids and \
                        times. Run it again at any time: what is here already is not brought again, and what was \
                        added there is. At the end it counts both sides; the exit code is 1 when anything is missing.

                        Artifacts are copied where they can be read, else the runs name the places where they are. A \
                        server is asked as its client would: MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and \
                        MLFLOW_TRACKING_PASSWORD.
                        """,
                    arguments: [
                        Argument(
                            "source", "mlruns folder, mlflow.db (or sqlite:///…), http(s) address", candidates: .files)
                    ],
                    options: MLflowImport.options + [Shared.json],
                    examples: [
                        Example("martlet import mlflow ./mlruns"),
                        Example("martlet import mlflow http://localhost:5000 --uri http://localhost:8003"),
                    ], creates: true
                ) { session in try MLflowImport.run(session) }
            ])
    }
}

extension MLflowImport {
    static let options = [
        Option.flag("copy-artifacts", "Copy every artifact; one that cannot be read is a fault"),
        Option.flag("keep-references", "Copy no artifact: the runs name the places where they are"),
        Option(
            "artifacts", value: "FOLDER", "What mlflow-artifacts: stood for: that server's --artifacts-destination",
            candidates: .folders),
    ]

    static func run(_ session: Session) throws -> ExitCode {
        let parsed = session.parsed
        if parsed.isOn("copy-artifacts"), parsed.isOn("keep-references") {
            throw CommandFailure(.usage, "--copy-artifacts and --keep-references exclude each other.")
        }
        let source = try MLflowSource.open(
            parsed.text("source") ?? "", artifacts: parsed.text("artifacts"), session.world, session.terminal)
        var total = 0
        for experiment in try source.experiments() {
            total += try source.runs(of: experiment["experiment_id"]?.string ?? "").count
        }
        let progress = session.progress("Importing", total: Int64(total), unit: .count("runs"))
        let work = MLflowImport(
            source, into: session.api.backend, artifacts: Artifacts(parsed), tell: { progress.update(Int64($0)) })
        try work.pass()
        progress.finish(Int64(total))
        return work.report.show(session)
    }
}

extension MLflowImport.Artifacts {
    init(_ parsed: Parsed) {
        self = parsed.isOn("keep-references") ? .references : parsed.isOn("copy-artifacts") ? .copied : .readable
    }
}

extension ImportReport {
    func show(_ session: Session) -> ExitCode {
        if session.parsed.isOn("json") {
            session.writeJSON(json)
            return isWhole ? .good : .no
        }
        session.write(table.rendered(width: session.width, paint: session.paint))
        for note in notes { session.note(note) }
        for problem in problems.prefix(20) { session.terminal.line("Not here: \(Escape.text(problem))", to: .error) }
        if problems.count > 20 {
            session.terminal.line("… and \(problems.count - 20) more; --json lists them all.", to: .error)
        }
        session.note(
            isWhole ? "Everything that is there is here." : "Something is missing. Run it again, or see above.")
        return isWhole ? .good : .no
    }
}

/// Finds out what a user means by a place of MLflow's.
enum MLflowSource {
    static func open(
        _ text: String, artifacts: String?, _ world: World, _ terminal: any Terminal
    ) throws -> any MLflowStore {
        if text.hasPrefix("http://") || text.hasPrefix("https://") {
            return MLflowServer(
                text, authorization: authorization(terminal.environment),
                certificateAuthorities: terminal.environment["MLFLOW_TRACKING_SERVER_CERT_PATH"],
                version: world.version)
        }
        var path = text
        if path.hasPrefix("sqlite:///") { path = String(path.dropFirst("sqlite:///".count)) }
        if path.hasPrefix("file:") { path = plain(path) }
        if path.contains("://") {
            throw CommandFailure(
                .usage, "“\(text)” is neither a folder, nor an SQLite database, nor an http address.",
                remedy: "For another database, start `mlflow server` on it and import from its address.")
        }
        path = Disk.absolute(path, from: world.workingFolder)
        guard Disk.exists(path) else { throw CommandFailure(.notFound, "There is no \(path).") }
        let proxied = artifacts.map { [Disk.absolute($0, from: world.workingFolder)] } ?? []
        for candidate in [path, path + "/mlruns", path + "/mlflow.db"] {
            if Disk.isFolder(candidate) {
                if let folder = MLflowFolder(candidate, proxied: proxied) { return folder }
            } else if Disk.exists(candidate), let database = try MLflowDatabase(candidate, proxied: proxied) {
                return database
            }
        }
        throw CommandFailure(
            .usage, "\(path) is neither a folder nor a database of MLflow's.",
            remedy: "Give the folder mlruns, the file mlflow.db, or the address of a server.")
    }

    private static func plain(_ uri: String) -> String { MLflowImport.plain(uri) }

    /// As MLflow's client says who it is.
    private static func authorization(_ environment: [String: String]) -> String? {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let user = value("MLFLOW_TRACKING_USERNAME"), let password = value("MLFLOW_TRACKING_PASSWORD") {
            return "Basic \(Base64Text.encode(Array("\(user):\(password)".utf8)))"
        }
        return value("MLFLOW_TRACKING_TOKEN").map { "Bearer \($0)" }
    }
}
