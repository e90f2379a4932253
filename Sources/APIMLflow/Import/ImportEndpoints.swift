import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// What `martlet import mlflow` brings from another store of MLflow's: MLflow's own shapes, a line each, with the ids and
// times that they have there. A request is one transaction; bringing a line again changes nothing.
extension MLflowAPI {
    static let importEndpoints: [Endpoint] = [
        Endpoint(
            .post, "2.0/martlet/import",
            .change { call, bytes throws(Refusal) in
                let lines = try ImportLine.read(bytes)
                try call.change(.bulk, bytes: bytes.count) { ledger, caller throws(Refusal) in
                    let project = try call.project(ledger.tx)
                    // It writes ids and times as they were elsewhere.
                    try caller.require(.admin, on: project.id)
                    let importer = Importer(ledger: ledger, project: project.id, call: call, caller: caller)
                    var writer = JSONWriter(capacity: 256)
                    try writer.object { writer throws(Refusal) in
                        try writer.array("lines") { writer throws(Refusal) in
                            for (index, line) in lines.enumerated() {
                                do throws(Refusal) {
                                    writer.value(JSONValue.object(try importer.take(line)))
                                } catch {
                                    throw error.inLine(index + 1)
                                }
                            }
                        }
                    }
                    return writer.bytes
                }
            })
    ]
}

/// One line: what it is, and its fields.
struct ImportLine: Sendable {
    enum Kind: String, Sendable {
        case experiment, run, metrics
        case endRun = "end_run"
        case endExperiment = "end_experiment"
        case registeredModel = "registered_model"
        case modelVersion = "model_version"
        case loggedModel = "logged_model"
        case trace
        /// What is here of runs: how far an earlier import came.
        case state
    }

    var kind: Kind
    var fields: Message

    static func read(_ bytes: [UInt8]) throws(Refusal) -> [ImportLine] {
        var lines: [ImportLine] = []
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n")).enumerated() {
            guard let object = (try? JSONValue(parsing: Array(line), allowsNonFinite: true))?.object else {
                throw Refusal.mlflow("The line is not a JSON object.", .malformed).inLine(index + 1)
            }
            guard let kind = object["kind"]?.string.flatMap(Kind.init(rawValue:)) else {
                throw Refusal.mlflow("“kind” is none that can be imported.").inLine(index + 1)
            }
            lines.append(ImportLine(kind: kind, fields: Message(object)))
        }
        return lines
    }
}

extension Refusal {
    fileprivate func inLine(_ number: Int) -> Refusal {
        var refusal = self
        refusal.message = "Line \(number): \(message)"
        return refusal
    }
}
