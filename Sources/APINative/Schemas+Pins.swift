import MartletJSON

// Notes on curves.
extension Schemas {
    static let pins: [Named] = [
        (
            "PinsWanted",
            Schema.object(
                "Whose pinned notes.", required: ["runs"],
                ["runs": Schema.list(of: Schema.text(), "Ids, 1 to 1000.")], example: ["runs": ["run_01"]])
        ),
        (
            "PinList",
            Schema.object(
                "Notes at places of curves, each with its latest text.", required: ["pins"],
                [
                    "pins": Schema.list(
                        of: Schema.object(
                            "", required: ["run_id", "run_name", "note", "metric", "step", "text"],
                            [
                                "run_id": Schema.text(), "run_name": Schema.text(), "note": Schema.integer(),
                                "metric": Schema.text(), "step": Schema.integer(), "text": Schema.text("Markdown."),
                            ]))
                ])
        ),
    ]
}
