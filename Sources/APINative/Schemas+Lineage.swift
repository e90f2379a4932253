import MartletJSON

// Lineage as a graph.
extension Schemas {
    static let lineage: [Named] = [
        (
            "LineageGraph",
            Schema.object(
                "What something was made of, and what was made of it.", required: ["nodes", "edges", "complete"],
                [
                    "nodes": Schema.list(
                        of: Schema.object(
                            "One of them; which further members it has depends on its kind.",
                            required: ["kind", "name", "about", "project", "distance"],
                            [
                                "kind": Schema.word(
                                    "", of: ["dataset", "run", "artifact", "logged_model", "model_version"]),
                                "name": Schema.text(), "about": Schema.text("A word or two on it."),
                                "project": Schema.text(),
                                "distance": Schema.integer("Steps from where one looks; negative before it."),
                                "run_id": Schema.orNull(Schema.text()), "model_id": Schema.text(),
                                "experiment_id": Schema.text(), "dataset": Schema.text(), "digest": Schema.text(),
                                "artifact": Schema.text(), "model": Schema.text(), "version": Schema.integer(),
                            ])),
                    "edges": Schema.list(
                        of: Schema.object(
                            "From what was used to what was made, by place in `nodes`.", required: ["from", "to"],
                            ["from": Schema.integer(), "to": Schema.integer()])),
                    "complete": Schema.flag("False where there is more."),
                ])
        )
    ]
}
