import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Notes: Markdown on a project, an experiment or a run, kept as it was sent and with every earlier text. On a run a note
// can be pinned to a step of a metric.
extension NativeAPI {
    static let noteRoutes: [Route] = NotePlace.allCases.flatMap { place in
        [
            Route(
                .post, place.path + "/notes", "Add a note to \(place.article)",
                .change { exchange, bytes throws(Refusal) in try addNote(exchange, bytes, place) },
                RouteDoc(
                    "notes and facts", body: "NewNote", answers: [(201, "The note.", "Note")],
                    failures: [400, 404, 409, 415, 422], once: true,
                    details: "Markdown, kept as it is."
                        + (place == .run ? " With `metric` and `step` it is pinned to that place of the curve." : ""))),
            Route(
                .get, place.path + "/notes", "List the notes of \(place.article)",
                .read { exchange throws(Refusal) in try listNotes(exchange, place) },
                RouteDoc(
                    "notes and facts", query: [.limit, .pageToken],
                    answers: [(200, "The latest text of each note, in order of number.", "NoteList")],
                    failures: [404, 409, 422])),
            Route(
                .get, place.path + "/notes/{note}", "Show a note of \(place.article) with its history",
                .read { exchange throws(Refusal) in try showNote(exchange, place) },
                RouteDoc(
                    "notes and facts", answers: [(200, "The note and its earlier texts.", "Note")],
                    failures: [400, 404, 409])),
            Route(
                .patch, place.path + "/notes/{note}", "Edit a note of \(place.article)",
                .change { exchange, bytes throws(Refusal) in try editNote(exchange, bytes, place) },
                RouteDoc(
                    "notes and facts", body: "NoteChange", answers: [(200, "The note and its earlier texts.", "Note")],
                    failures: [400, 404, 409, 415, 422])),
        ]
    }

    private static func addNote(_ exchange: Exchange, _ bytes: [UInt8], _ place: NotePlace) throws(Refusal) {
        let fields = try exchange.object(bytes)
        let text = try noteText(fields)
        var pin: NotePin?
        let step = try fields.integer("step")
        let metric = try fields.text("metric")
        if place == .run, let metric {
            guard let step else {
                throw Refusal(
                    .invalid, "The note names the metric “\(metric.prefix(80))” and no step.",
                    remedy: "Send “step” too, or neither.", field: "step")
            }
            pin = NotePin(metric: metric, step: step)
        }
        let pinned = pin
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let owner = try place.owner(exchange, ledger.tx, caller, .write)
            let item = try ledger.addNote(text, to: owner, pin: pinned, who: caller.principal)
            return Answer(status: 201, body: try encoded { $0.note([item], history: false) })
        }
    }

    private static func editNote(_ exchange: Exchange, _ bytes: [UInt8], _ place: NotePlace) throws(Refusal) {
        let text = try noteText(try exchange.object(bytes))
        let number = try noteNumber(exchange)
        try exchange.change(bytes) { ledger, caller throws(Refusal) in
            let owner = try place.owner(exchange, ledger.tx, caller, .write)
            let texts = try ledger.tx.items(of: owner, kind: "note", key: "\(number)")
            if texts.last?.document["text"]?.string != text {
                _ = try ledger.editNote(number, of: owner, text: text, who: caller.principal)
            }
            let all = try ledger.tx.items(of: owner, kind: "note", key: "\(number)")
            return Answer(body: try encoded { $0.note(all, history: true) })
        }
    }

    private static func listNotes(_ exchange: Exchange, _ place: NotePlace) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let owner = try place.owner(exchange, reader, caller, .read)
            var texts: [Int64: [Item]] = [:]
            for item in try reader.items(of: owner, kind: "note", key: nil) {
                texts[Int64(item.key) ?? 0, default: []].append(item)
            }
            let page = try exchange.page(texts.sorted { $0.key < $1.key }) { $0.key }
            return .json(try encoded { $0.list("notes", page) { $0.note($1.value, history: false) } })
        }
    }

    private static func showNote(_ exchange: Exchange, _ place: NotePlace) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let number = try noteNumber(exchange)
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            let owner = try place.owner(exchange, reader, caller, .read)
            let texts = try reader.items(of: owner, kind: "note", key: "\(number)")
            guard !texts.isEmpty else {
                throw Refusal(
                    .notFound, "There is no note \(number).", remedy: "List the notes with GET …/notes.", field: "note")
            }
            return .json(try encoded { $0.note(texts, history: true) })
        }
    }

    private static func noteText(_ fields: Fields) throws(Refusal) -> String {
        let text = try fields.required("text", or: "note", for: "note's text")
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw Refusal(.invalid, "The note is empty.", remedy: "Send some text.", field: "text")
        }
        return text
    }

    private static func noteNumber(_ exchange: Exchange) throws(Refusal) -> Int {
        guard let number = Int(exchange["note"]), number > 0 else {
            throw Refusal(
                .malformed, "“\(exchange["note"].prefix(40))” is no number of a note.",
                remedy: "List the notes with GET …/notes.", field: "note")
        }
        return number
    }
}

/// What a note can be written on.
enum NotePlace: CaseIterable, Sendable {
    case project, experiment, run

    var path: String {
        switch self {
        case .project: "/api/v1/projects/{project}"
        case .experiment: "/api/v1/experiments/{experiment}"
        case .run: "/api/v1/runs/{run}"
        }
    }

    var article: String {
        switch self {
        case .project: "a project"
        case .experiment: "an experiment"
        case .run: "a run"
        }
    }

    /// What the address names, for a caller with this role there.
    func owner(
        _ exchange: Exchange, _ reader: any StoreReader, _ caller: Caller, _ role: Role
    ) throws(Refusal) -> Item.Owner {
        switch self {
        case .project:
            let project = try reader.resolveProject(exchange["project"], for: caller)
            try caller.require(role, on: project.id)
            return .project(project.id)
        case .experiment:
            let experiment = try reader.resolveExperiment(exchange["experiment"], for: caller)
            try caller.require(role, on: experiment.project)
            return .experiment(experiment.id)
        case .run:
            let run = try reader.resolveRun(exchange["run"], for: caller)
            try caller.require(role, on: run.project)
            return .run(run.key)
        }
    }
}

extension JSONWriter {
    /// A note from its texts, oldest first: the last one counts.
    fileprivate mutating func note(_ texts: [Item], history: Bool) {
        guard let first = texts.first, let last = texts.last else { return null() }
        object { writer in
            writer.member("note", Int64(last.key) ?? 0)
            writer.member("text", last.document["text"] ?? "")
            if let pin = NotePin(data: last.data) {
                writer.member("metric", pin.metric)
                writer.member("step", pin.step)
            }
            writer.member("author", first.who)
            writer.member("editor", last.who)
            writer.time("created_at", first.at)
            writer.time("updated_at", last.at)
            writer.member("edits", texts.count - 1)
            guard history else { return }
            writer.array("history") { writer in
                for earlier in texts.dropLast() {
                    writer.object { writer in
                        writer.member("text", earlier.document["text"] ?? "")
                        writer.time("at", earlier.at)
                        writer.member("author", earlier.who)
                    }
                }
            }
        }
    }
}
