import MartletClient
import MartletDomain
import MartletForeign
import MartletHTTPClient
import MartletJSON

extension World {
    var mlflowExport: Command {
        command(
            "mlflow", "Write a folder that MLflow reads",
            discussion: """
                Writes every experiment, run, model and file into a folder as MLflow's own file store keeps them \
                (mlruns), with the same ids and times: `mlflow ui --backend-store-uri FOLDER` shows it, and `mlflow \
                migrate-filestore` takes it into a database. Traces are not written.
                """,
            arguments: [Argument("folder", "A folder that does not exist yet, or an empty one", candidates: .folders)],
            options: [.flag("no-artifacts", "Leave the files of runs and models out"), Shared.json],
            examples: [Example("martlet export mlflow ./mlruns")]
        ) { session in
            let path = Disk.absolute(session.parsed.text("folder") ?? "", from: session.world.workingFolder)
            guard Disk.names(in: path)?.isEmpty ?? true else {
                throw CommandFailure(
                    .refused, "The folder \(path) is not empty.", remedy: "Name a folder that does not exist yet.")
            }
            let backend = session.api.backend
            let source = MLflowServer(backend.place) { request throws(Refusal) in
                do throws(CommandFailure) {
                    let answer = try backend.patiently(request)
                    return ClientResponse(status: answer.status, headers: answer.headers, body: answer.body)
                } catch {
                    throw Refusal(.io, error.message, remedy: error.remedy ?? "")
                }
            }
            var total = 0
            for experiment in try source.experiments() {
                total += try source.runs(of: experiment["experiment_id"]?.string ?? "").count
            }
            let progress = session.progress("Writing", total: Int64(total), unit: .count("runs"))
            let writer = MLflowFolderWriter(path, copiesFiles: !session.parsed.isOn("no-artifacts")) {
                progress.update(Int64($0))
            }
            try writer.write(source)
            progress.finish(Int64(total))
            if session.parsed.isOn("json") {
                session.writeJSON(
                    .object(JSONObject(writer.counts.map { .init($0.name, .int(Int64($0.count))) })))
            } else {
                let counts = writer.counts.filter { $0.count > 0 }.map { "\(NumberText.grouped($0.count)) \($0.name)" }
                session.note("Written to \(path): \(counts.joined(separator: ", ")).")
            }
            for problem in writer.problems.prefix(20) {
                session.terminal.line("Not written: \(Escape.text(problem))", to: .error)
            }
            return writer.problems.isEmpty ? .good : .no
        }
    }
}
