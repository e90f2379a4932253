import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// Notes that are pinned to curves, of many runs at once: what a chart of many runs marks.
extension NativeAPI {
    static let pinRoutes: [Route] = [
        Route(
            .post, "/api/v1/runs/pins", "Show the notes that are pinned to curves of many runs",
            .change(limit: 1 << 20) { exchange, bytes throws(Refusal) in
                exchange.respond(try pins(exchange, try exchange.object(bytes)))
            },
            RouteDoc(
                "notes and facts", body: "PinsWanted",
                answers: [(200, "Run by run as they were named, in order of number.", "PinList")],
                failures: [400, 404, 409, 413, 415, 422], access: .read))
    ]

    private static func pins(_ exchange: Exchange, _ fields: Fields) throws(Refusal) -> Response {
        let caller = try exchange.caller()
        let names = try fields.textList("runs")
        guard (1...CurveQuestion.runsMax).contains(names.count) else {
            throw Refusal(
                .invalid, "\(names.count) runs are named.", remedy: "Name 1 to \(CurveQuestion.runsMax) runs.",
                field: "runs")
        }
        return try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
            var found: [(run: Run, number: Int64, pin: NotePin, text: String)] = []
            for name in names {
                let run = try exchange.engine.readable(name, by: caller, reader)
                var latest = Pairs<String>()
                for item in try reader.items(of: .run(run.key), kind: "note", key: nil) { latest[item.key] = item.data }
                for (number, data) in latest.entries {
                    guard let pin = NotePin(data: data), let text = (try? JSONValue(parsing: data))?["text"]?.string
                    else { continue }
                    found.append((run, Int64(number) ?? 0, pin, text))
                }
            }
            let notes = found
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        writer.array("pins") { writer in
                            for note in notes {
                                writer.object { writer in
                                    writer.member("run_id", note.run.id.text)
                                    writer.member("run_name", note.run.name)
                                    writer.member("note", note.number)
                                    writer.member("metric", note.pin.metric)
                                    writer.member("step", note.pin.step)
                                    writer.member("text", note.text)
                                }
                            }
                        }
                    }
                })
        }
    }
}
