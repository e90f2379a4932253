import MartletJSON

// Where the bytes are.
extension Schemas {
    static let storage: [Named] = [
        (
            "StorageLevel",
            Schema.object(
                "A part of the store and what it is made of.",
                required: ["level", "trail", "children", "rest", "counted_at", "seconds"],
                [
                    "level": Schema.reference("StorageNode"),
                    "trail": Schema.list(of: Schema.reference("StorageNode"), "What it lies in, the outermost first."),
                    "children": Schema.list(of: Schema.reference("StorageNode"), "The largest first."),
                    "rest": Schema.object(
                        "The children that are not listed.", required: ["count", "bytes"],
                        ["count": Schema.integer(), "bytes": Schema.integer()]),
                    "counted_at": Schema.time(), "seconds": Schema.number("How long it took to count."),
                ])
        ),
        (
            "StorageNode",
            Schema.object(
                "Something that takes room.", required: ["kind", "id", "name", "bytes", "run_count", "kinds"],
                [
                    "kind": Schema.word(
                        "",
                        of: [
                            "store", "project", "experiment", "run", "kind", "files", "database", "beside", "unclaimed",
                        ]),
                    "id": Schema.orNull(Schema.text("What to ask for next; null where nothing lies beneath.")),
                    "name": Schema.text(), "bytes": Schema.integer(), "run_count": Schema.integer(),
                    "kinds": Schema.map(
                        of: Schema.integer(),
                        "Bytes of its runs: points, journal (points that wait to be compressed), record, console, media, artifacts."
                    ),
                ])
        ),
    ]
}
