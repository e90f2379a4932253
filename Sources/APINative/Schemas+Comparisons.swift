import MartletJSON

// Kept comparisons.
extension Schemas {
    private static let number = Schema.orNull(Schema.number())
    private static let views = ["curves", "parallel_coordinates", "table"]
    private static let direction = Schema.orNull(Schema.word("Null where experiments disagree.", of: ["min", "max"]))

    private static let asked: [(String, JSONValue)] = [
        (
            "metrics",
            Schema.list(
                of: Schema.text(),
                "The first decides which is best. If none are named: those that all have, 20 at most.")
        ),
        (
            "visualization",
            Schema.word(
                "What the page shows beside the table: `curves` for runs, `parallel_coordinates` for experiments.",
                of: views)
        ),
        ("name", Schema.text("Made of the members' names if not given.")),
    ]

    /// An object whose members come from more than one list.
    private static func joined(
        _ description: String, required: [String], _ members: [(String, JSONValue)], example: JSONValue? = nil
    ) -> JSONValue {
        var schema: JSONObject = [
            "type": "object", "description": .string(description), "required": .array(required.map { .string($0) }),
            "properties": .object(JSONObject(members.map { JSONObject.Member($0, $1) })),
        ]
        if let example { schema["examples"] = [example] }
        return .object(schema)
    }

    private static let experimentIDs = Schema.list(
        of: Schema.either(Schema.text(), Schema.integer()), "Ids or names, 2 to 50.")

    static let comparisons: [Named] = [
        (
            "ExperimentsToCompare",
            joined(
                "Experiments to compare.", required: ["experiment_ids"], [("experiment_ids", experimentIDs)] + asked,
                example: [
                    "experiment_ids": ["lr-sweep", "ablation"], "metrics": ["accuracy"],
                    "visualization": "parallel_coordinates",
                ])
        ),
        (
            "ThingsToCompare",
            joined(
                "Runs or experiments to compare.", required: [],
                [
                    ("run_ids", Schema.list(of: Schema.text(), "Ids, 2 to 50; this or `experiment_ids`.")),
                    ("experiment_ids", experimentIDs),
                ] + asked, example: ["experiment_ids": ["lr-sweep", "ablation"], "visualization": "table"])
        ),
        ("ComparisonList", Schema.page("comparisons", of: "KeptComparison")),
        ("KeptComparison", joined("A kept comparison, without what it saw.", required: kept.map(\.0), kept)),
        (
            "Comparison",
            joined(
                "A kept comparison, and what one version of it saw.", required: kept.map(\.0) + ["results"],
                kept + [
                    ("results", Schema.reference("ComparisonResults")), ("data", Schema.reference("ComparisonData")),
                ])
        ),
        (
            "ComparisonResults",
            Schema.object(
                "What came of it.", required: ["best_experiment", "statistical_significance", "visualization_url"],
                [
                    "best_experiment": Schema.orNull(
                        Schema.text("The id of the one with the best run by the first metric; null where they tie.")),
                    "best": Schema.orNull(
                        Schema.map(of: Schema.anything(), "The metric, its goal, the value, the runs.")),
                    "statistical_significance": Schema.map(
                        of: Schema.object(
                            "A test of one metric over the experiments.", required: ["p_value", "significant"],
                            [
                                "p_value": number, "significant": Schema.orNull(Schema.flag()),
                                "test": Schema.orNull(Schema.text()),
                                "n": Schema.list(of: Schema.integer(), "Runs with a number, experiment by experiment."),
                                "note": Schema.text("Why there is none."),
                            ])),
                    "visualization_url": Schema.text("Where its page is, from the server's root on."),
                ])
        ),
        (
            "ComparisonData",
            Schema.object(
                "What was seen.", required: ["metrics", "runs", "curves"],
                [
                    "metrics": Schema.list(
                        of: Schema.object(
                            "", required: ["metric", "goal", "goal_guessed"],
                            ["metric": Schema.text(), "goal": direction, "goal_guessed": Schema.flag()])),
                    "experiments": Schema.list(
                        of: Schema.object(
                            "Runs that went wrong do not count.",
                            required: ["id", "name", "run_count", "runs_looked_at", "metrics"],
                            [
                                "id": Schema.text(), "name": Schema.text(), "project": Schema.text(),
                                "run_count": Schema.integer(),
                                "runs_looked_at": Schema.integer("The newest ones, up to 5,000."),
                                "metrics": Schema.map(of: spread),
                            ])),
                    "runs": Schema.list(
                        of: Schema.map(of: Schema.anything(), "As runs are shown, as far as it was kept."),
                        "The runs compared; of experiments the newest, up to 1,000 in all, for parallel coordinates."),
                    "curves": Schema.orNull(Schema.reference("Curves")),
                ])
        ),
    ]

    private static let spread = Schema.object(
        "A metric over an experiment's runs.", required: ["count", "not_finite", "mean", "deviation", "min", "max"],
        [
            "count": Schema.integer("Runs with a number."), "not_finite": Schema.integer("Runs with NaN or infinity."),
            "mean": number, "deviation": number, "min": number, "max": number,
            "best": Schema.orNull(Schema.map(of: Schema.anything())),
        ])

    private static let kept: [(String, JSONValue)] = [
        ("id", Schema.text()), ("comparison_id", Schema.text("The same.")), ("name", Schema.text()),
        ("kind", Schema.word("", of: ["runs", "experiments"])), ("visualization", Schema.word("", of: views)),
        ("visualization_url", Schema.text()), ("project_id", Schema.text()),
        ("members", Schema.list(of: Schema.text(), "Ids.")),
        ("metrics", Schema.list(of: Schema.text(), "Those named.")),
        ("version", Schema.integer("The one shown.")), ("versions", versions), ("created_at", Schema.time()),
        ("updated_at", Schema.time()),
    ]
    private static let versions = Schema.list(
        of: Schema.object(
            "One look at it.", required: ["version", "created_at", "author", "size_bytes"],
            [
                "version": Schema.integer(), "created_at": Schema.time(), "author": Schema.text(),
                "size_bytes": Schema.integer(),
            ]))
}
