import MartletJSON

// What runs record: numbers, values, files; and what is asked about many runs.
extension Schemas {
    static let data: [Named] = points + files + asked

    private static let step = Schema.orNull(Schema.integer("Left out, the value is a summary value."))
    private static let metricObject = Schema.object(
        "One metric, or several at one step; both in one object are merged.",
        [
            "metric_name": Schema.text("With `metric_value`: one metric."), "metric_value": Schema.value(),
            "metrics": Schema.map(of: Schema.anything(), "Numbers by name; a group in it becomes `group/name`."),
            "step": step, "timestamp": Schema.orNull(Schema.timeOrMillis("Now, if not given.")),
            "series": Schema.list(
                of: Schema.object(
                    "Many points of one metric, column by column.", required: ["metric", "values"],
                    [
                        "metric": Schema.text(), "values": Schema.list(of: Schema.value()),
                        "steps": Schema.list(of: Schema.integer()),
                        "timestamps": Schema.list(of: Schema.timeOrMillis()),
                    ])),
        ])
    private static let richObject = Schema.object(
        "A value that is no number.", required: ["kind"],
        [
            "kind": Schema.word(
                "", of: ["histogram", "image", "audio", "video", "text", "table", "figure", "html", "object3d"]),
            "step": Schema.integer("0 if not given."), "timestamp": Schema.timeOrMillis("Now, if not given."),
            "value": Schema.anything("Small JSON, shown as it is."), "v": Schema.anything("The same as `value`."),
            "files": Schema.list(of: richFile, "Stored bytes by their digest."),
        ])
    private static let richFile = Schema.map(of: Schema.anything(), "`sha256`, and what else is said: `mime`, `size` …")
    private static let anyMap = Schema.map(of: Schema.anything())
    /// A column of a curve; an empty place is null, what is not finite a word.
    private static let numbers = Schema.list(of: Schema.orNull(Schema.number()))
    private static let places = Schema.either(Schema.number(), Schema.time())

    private static let points: [Named] = [
        (
            "MetricPoints",
            [
                "oneOf": [metricObject, Schema.list(of: metricObject, "A batch.")],
                "description": "Points to log.",
                "examples": [
                    ["metrics": ["accuracy": 0.95, "loss": 0.05], "step": 10, "timestamp": "2024-01-15T10:30:00Z"]
                ],
            ]
        ),
        (
            "LoggedMetrics",
            Schema.object(
                "What was logged.", required: ["run_id", "logged"],
                [
                    "run_id": Schema.text(), "logged": Schema.integer("How many points."),
                    "late": Schema.flag("They came after the run's end; they are kept all the same."),
                ])
        ),
        (
            "MetricList",
            Schema.object(
                "A run's metrics.", required: ["run_id", "metrics", "next_page_token"],
                [
                    "run_id": Schema.text(), "metrics": Schema.list(of: Schema.reference("MetricState")),
                    "next_page_token": Schema.orNull(Schema.text()),
                ])
        ),
        (
            "MetricState",
            Schema.object(
                "A metric as it stands.", required: ["metric", "value", "count"],
                [
                    "metric": Schema.text(), "value": Schema.value("A summary value if one was given, else the last."),
                    "last": Schema.either(Schema.value(), ["type": "null"]), "min": Schema.orNull(Schema.number()),
                    "max": Schema.orNull(Schema.number()), "mean": Schema.orNull(Schema.number()),
                    "count": Schema.integer("All points."), "nan": Schema.integer(), "inf": Schema.integer(),
                    "first_step": Schema.orNull(Schema.integer()), "last_step": Schema.orNull(Schema.integer()),
                    "last_timestamp": Schema.orNull(Schema.time()),
                    "summary": Schema.flag("`value` is a summary value."),
                    "unstepped": Schema.flag("Logged without steps: the order of arrival stands for them."),
                ])
        ),
        (
            "DeletedHistory",
            Schema.object(
                "What was deleted; `from` and `to` are null where there was no bound.",
                required: ["run_id", "from", "to", "deleted"],
                [
                    "run_id": Schema.text(), "metric": Schema.text(), "key": Schema.text(),
                    "from": Schema.orNull(Schema.integer()), "to": Schema.orNull(Schema.integer()),
                    "deleted": Schema.flag(),
                ])
        ),
        (
            "History",
            Schema.object(
                "Points in order of step, or buckets along the axis.",
                required: ["run_id", "axis", "series", "next_page_token"],
                [
                    "run_id": Schema.text(), "axis": Schema.word("", of: ["step", "time", "relative"]),
                    "series": Schema.list(
                        of: Schema.object(
                            "One metric.", required: ["metric"],
                            [
                                "metric": Schema.text(), "points": Schema.list(of: Schema.reference("HistoryPoint")),
                                "buckets": Schema.list(of: Schema.reference("HistoryBucket")),
                            ])),
                    "next_page_token": Schema.orNull(Schema.text("Null on the last page.")),
                ])
        ),
        (
            "HistoryPoint",
            Schema.object(
                "A point.", required: ["step", "timestamp", "value"],
                [
                    "step": Schema.integer(), "timestamp": Schema.time(), "value": Schema.value(),
                    "relative": Schema.number("Seconds since the run's start, on that axis."),
                ])
        ),
        (
            "HistoryBucket",
            Schema.object(
                "Neighbouring points, summed up. `count` counts all, the values the finite ones.",
                required: ["from", "to", "count", "nan", "inf", "first", "last", "min", "max", "mean"],
                [
                    "from": places, "to": places, "count": Schema.integer(), "nan": Schema.integer(),
                    "inf": Schema.integer(), "first": Schema.orNull(Schema.number()),
                    "last": Schema.orNull(Schema.number()), "min": Schema.orNull(Schema.number()),
                    "max": Schema.orNull(Schema.number()), "mean": Schema.orNull(Schema.number()),
                ])
        ),
        (
            "RichPoints",
            [
                "oneOf": [richObject, Schema.list(of: richObject)], "description": "Values to log.",
                "examples": [["kind": "histogram", "step": 3, "value": ["edges": [0, 1, 2], "counts": [5, 7]]]],
            ]
        ),
        (
            "LoggedRich",
            Schema.object(
                "What was logged.", required: ["run_id", "key", "logged"],
                ["run_id": Schema.text(), "key": Schema.text(), "logged": Schema.integer()])
        ),
        (
            "RichList",
            Schema.object(
                "Values in order of step.", required: ["run_id", "key", "points", "next_page_token"],
                [
                    "run_id": Schema.text(), "key": Schema.text(),
                    "points": Schema.list(
                        of: Schema.object(
                            "A value.", required: ["key", "step", "timestamp", "kind", "value", "files"],
                            [
                                "key": Schema.text(), "step": Schema.integer(), "timestamp": Schema.time(),
                                "kind": Schema.text(), "value": Schema.anything(), "files": Schema.list(of: richFile),
                            ])),
                    "next_page_token": Schema.orNull(Schema.text()),
                ])
        ),
        (
            "LogbookLines",
            [
                "type": "string",
                "description": "One JSON object a line: `w`, `seq`, `t`, `run`, `op` and what the op says.",
            ]
        ),
        (
            "LogbookReceipt",
            Schema.object(
                "What became of the lines.", required: ["accepted", "acked", "problems"],
                [
                    "accepted": Schema.integer("Lines that need not be sent again."),
                    "acked": Schema.map(of: Schema.integer(), "By writer: the last line that is on disk."),
                    "problems": Schema.integer("Lines that could not be used; they are kept with their runs."),
                ])
        ),
        (
            "LogbookGap",
            Schema.object(
                "A writer skipped a line.", required: ["error", "expected", "writer", "accepted", "acked"],
                [
                    "error": anyMap, "expected": Schema.integer("The line that must come next."),
                    "writer": Schema.text(), "accepted": Schema.integer(), "acked": Schema.map(of: Schema.integer()),
                    "problems": Schema.integer(),
                ])
        ),
    ]

    private static let files: [Named] = [
        ("Bytes", ["type": "string", "format": "binary", "description": "The bytes as they are."]),
        (
            "ArtifactForm",
            Schema.object(
                "Files as a form.", required: ["file"],
                [
                    "file": ["type": "string", "format": "binary"],
                    "path": Schema.text("Where in the run; the file's own name if not given; a folder for several."),
                    "type": Schema.text(), "metadata": Schema.text("JSON."),
                ])
        ),
        (
            "ArtifactReference",
            Schema.object(
                "An artifact that lies elsewhere: nothing is fetched.",
                [
                    "name": Schema.text("Its path in the run; the last part of the location if not given."),
                    "path": Schema.text("Where it lies, such as `s3://bucket/model.pkl`."),
                    "uri": Schema.text("The same; then `path` is the path in the run."), "type": Schema.text(),
                    "size_bytes": Schema.integer(), "size": Schema.integer("The same as `size_bytes`."),
                    "sha256": Schema.text(), "metadata": Schema.anything(),
                ],
                example: [
                    "name": "spam_classifier", "path": "s3://models/spam-classifier/v1/model.pkl", "type": "model",
                    "size_bytes": 1_048_576, "metadata": ["framework": "scikit-learn", "model_type": "MultinomialNB"],
                ])
        ),
        (
            "Artifact",
            Schema.either(
                artifact,
                Schema.object(
                    "The files of a form.", required: ["artifacts"], ["artifacts": Schema.list(of: artifact)]))
        ),
        (
            "ArtifactList",
            Schema.object(
                "A run's artifacts.", required: ["run_id", "artifacts", "next_page_token"],
                [
                    "run_id": Schema.text(), "artifacts": Schema.list(of: artifact),
                    "next_page_token": Schema.orNull(Schema.text()),
                ])
        ),
        (
            "DeletedArtifacts",
            Schema.object(
                "What was deleted.", required: ["run_id", "deleted"],
                ["run_id": Schema.text(), "deleted": Schema.integer("How many artifacts.")])
        ),
        (
            "NewArtifactVersion",
            Schema.object(
                "Content for a version: a run's artifact, or stored bytes by their digest.",
                [
                    "run_id": Schema.text(), "run": Schema.text("The same as `run_id`."), "path": Schema.text(),
                    "sha256": Schema.text(), "digest": Schema.text("The same as `sha256`."), "type": Schema.text(),
                    "metadata": Schema.anything(), "aliases": Schema.list(of: Schema.text()),
                ],
                example: [
                    "sha256": "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c", "type": "model",
                    "aliases": ["candidate"], "metadata": ["f1": 0.94],
                ])
        ),
        (
            "ArtifactVersion",
            Schema.object(
                "A version: one for each content.", required: ["name", "version", "sha256", "size_bytes", "aliases"],
                [
                    "name": Schema.text(), "version": Schema.integer("From 1."), "sha256": Schema.text(),
                    "size_bytes": Schema.integer(), "type": Schema.text(), "aliases": Schema.list(of: Schema.text()),
                    "run_id": Schema.orNull(Schema.text("The run that it came from.")), "metadata": Schema.anything(),
                    "created_at": Schema.time(), "created": Schema.flag("False: these bytes were a version already."),
                ])
        ),
        (
            "ArtifactVersionList",
            Schema.page("versions", of: "ArtifactVersion")
        ),
        (
            "NamedArtifact",
            Schema.object(
                "A named artifact of a project.", required: ["name", "project", "version_count", "aliases", "latest"],
                [
                    "name": Schema.text(), "project_id": Schema.text(), "project": Schema.text("The project's slug."),
                    "version_count": Schema.integer(), "aliases": Schema.map(of: Schema.integer()),
                    "latest": Schema.either(Schema.reference("ArtifactVersion"), ["type": "null"]),
                    "versions": Schema.list(of: Schema.reference("ArtifactVersion")),
                ])
        ),
        ("NamedArtifactList", Schema.page("artifacts", of: "NamedArtifact")),
        (
            "AliasTarget",
            Schema.object(
                "Where an alias shall point.", required: ["version"],
                ["version": Schema.either(Schema.integer(), Schema.text("Another alias."))], example: ["version": 2])
        ),
        ("NewInput", link(example: "spam-model:production")),
        ("NewOutput", link(example: "spam-model:latest")),
        (
            "LinkedVersion",
            Schema.object(
                "A version that a run used or made.", required: ["run_id", "role", "project", "artifact"],
                [
                    "run_id": Schema.text(), "role": Schema.word("", of: ["input", "output"]),
                    "project": Schema.text("The slug of the artifact's project."), "linked_at": Schema.time(),
                    "artifact": Schema.reference("ArtifactVersion"),
                ])
        ),
        ("InputList", Schema.page("inputs", of: "LinkedVersion")),
        ("OutputList", Schema.page("outputs", of: "LinkedVersion")),
        (
            "VersionUser",
            Schema.object(
                "A run that made or used a version.", required: ["run_id", "short_id", "experiment", "role"],
                [
                    "run_id": Schema.text(), "short_id": Schema.text(), "run_name": Schema.text(),
                    "experiment_id": Schema.text(), "experiment": Schema.text(),
                    "role": Schema.word("", of: ["input", "output"]), "linked_at": Schema.time(),
                ])
        ),
        ("VersionUserList", Schema.page("runs", of: "VersionUser")),
    ]

    private static func link(example: JSONValue) -> JSONValue {
        Schema.object(
            "A version of a named artifact.", required: ["artifact"],
            [
                "artifact": Schema.text("`name`, `name:alias` or `name:3`."),
                "version": Schema.either(Schema.integer(), Schema.text("An alias; else the latest.")),
                "project": Schema.text("The artifact's project, where it is not the run's."),
            ], example: ["artifact": example])
    }

    private static let artifact = Schema.object(
        "A file of a run.", required: ["path", "type", "size_bytes"],
        [
            "path": Schema.text(), "name": Schema.text("The last part of the path."), "type": Schema.text(),
            "size_bytes": Schema.integer(), "sha256": Schema.orNull(Schema.text()),
            "uri": Schema.orNull(Schema.text("Where it lies when the bytes are not here.")),
            "metadata": Schema.anything(), "created_at": Schema.time(),
        ])

    private static let oneOrMany = Schema.either(
        Schema.text(), Schema.integer(), Schema.list(of: Schema.either(Schema.text(), Schema.integer())))

    private static let bestMembers: [(String, JSONValue)] = [
        ("run", Schema.reference("Run")),
        ("runs", Schema.list(of: Schema.reference("Run"), "That one and those that tie with it.")),
        ("value", Schema.orNull(Schema.number())), ("metric", Schema.text()),
        ("mode", Schema.word("", of: ["max", "min"])),
        ("mode_guessed", Schema.flag("Nobody said which way is better; the metric's name did.")),
        ("tie", Schema.flag()),
    ]

    private static let asked: [Named] = [
        (
            "RunSearch",
            Schema.object(
                "A search.",
                [
                    "experiment_name": Schema.text(), "experiment_id": oneOrMany, "experiment_ids": oneOrMany,
                    "experiment": oneOrMany, "project": oneOrMany, "project_id": oneOrMany,
                    "filter": Schema.text("Such as `metrics.accuracy > 0.9 AND params.model = 'bert'`."),
                    "filter_string": Schema.text("The same as `filter`."),
                    "order_by": Schema.either(Schema.text(), Schema.list(of: Schema.text())),
                    "limit": Schema.integer("100 if not given, 10,000 at most."),
                    "max_results": Schema.integer("The same as `limit`."),
                    "life": Schema.word("", of: ["active", "deleted", "all"]), "page_token": Schema.text(),
                ],
                example: [
                    "filter": "metrics.accuracy > 0.9", "order_by": ["metrics.accuracy DESC"], "limit": 10,
                ])
        ),
        (
            "RichKeys",
            Schema.object(
                "The keys of a run's rich values.", required: ["run_id", "keys", "complete"],
                [
                    "run_id": Schema.text(),
                    "keys": Schema.list(
                        of: Schema.object(
                            "A key.", required: ["key", "kind", "count", "first_step", "last_step"],
                            [
                                "key": Schema.text(), "kind": Schema.text(), "count": Schema.integer(),
                                "first_step": Schema.integer(), "last_step": Schema.integer(),
                            ])),
                    "complete": ["type": "boolean", "description": "Whether all values were looked at."],
                ])
        ),
        (
            "RunTableWanted",
            Schema.object(
                "A search, and which columns are wanted of what it finds.",
                [
                    "experiment_name": Schema.text(), "experiment_id": oneOrMany, "experiment_ids": oneOrMany,
                    "experiment": oneOrMany, "project": oneOrMany, "project_id": oneOrMany,
                    "filter": Schema.text("Such as `metrics.accuracy > 0.9 AND params.model = 'bert'`."),
                    "order_by": Schema.either(Schema.text(), Schema.list(of: Schema.text())),
                    "limit": Schema.integer("100 if not given, 10,000 at most."),
                    "life": Schema.word("", of: ["active", "deleted", "all"]), "page_token": Schema.text(),
                    "metrics": Schema.list(of: Schema.text(), "Names of metrics; `*` means all."),
                    "params": Schema.list(of: Schema.text(), "Names of params; `*` means all."),
                    "tags": Schema.list(of: Schema.text(), "Names of tags; `*` means all."),
                ],
                example: ["filter": "metrics.accuracy > 0.9", "metrics": ["accuracy"], "params": ["*"]])
        ),
        (
            "RunTable",
            Schema.object(
                "The runs that fit, in columns that all have one entry for each run. Empty entries are null.",
                required: ["total", "next_page_token", "advice", "columns", "params", "metrics", "tags"],
                [
                    "total": Schema.integer("On all pages."),
                    "next_page_token": Schema.orNull(Schema.text("Null on the last page.")),
                    "advice": Schema.list(of: Schema.text(), "What is not wrong but probably not meant."),
                    "columns": Schema.map(
                        of: Schema.list(of: Schema.anything()),
                        "`id`, `short_id`, `name`, `experiment_id`, `state`, `status`, `start_ms`, `end_ms`, `user`, "
                            + "`parent_id`, `life`."),
                    "params": Schema.map(of: Schema.list(of: Schema.anything())),
                    "metrics": Schema.map(of: Schema.list(of: Schema.anything()), "The latest value of each."),
                    "tags": Schema.map(of: Schema.list(of: Schema.anything())),
                ])
        ),
        (
            "LoggedNames",
            Schema.object(
                "Names, in order.", required: ["metrics", "params", "tags"],
                [
                    "metrics": Schema.list(of: Schema.text()), "params": Schema.list(of: Schema.text()),
                    "tags": Schema.list(of: Schema.text()),
                ])
        ),
        (
            "CurvesWanted",
            Schema.object(
                "Which curves, and over which part of which axis.", required: ["runs", "metrics"],
                [
                    "runs": Schema.list(of: Schema.text(), "Ids, 1 to 1000."),
                    "metrics": Schema.list(of: Schema.text(), "Names, 1 to 200."),
                    "axis": Schema.word("`step` if not given.", of: ["step", "time", "relative"]),
                    "from": Schema.number("A step, epoch milliseconds, or seconds since the start."),
                    "to": Schema.number("The end, itself included."),
                    "buckets": Schema.integer("Of each curve: 400 if not given, 8192 at most."),
                    "only_mean": Schema.flag(
                        "Without `to`, `min`, `max` and `count`, a third of the bytes: for so many lines that bands "
                            + "would hide each other."),
                ],
                example: ["runs": ["run_01"], "metrics": ["loss"], "buckets": 400])
        ),
        (
            "Curves",
            Schema.object(
                "Curves over one grid of buckets.", required: ["axis", "from", "to", "buckets", "curves"],
                [
                    "axis": Schema.word("", of: ["step", "time", "relative"]),
                    "from": Schema.orNull(Schema.number()), "to": Schema.orNull(Schema.number()),
                    "buckets": Schema.integer(),
                    "curves": Schema.list(
                        of: Schema.object(
                            "A run's metric in columns; buckets without points are left out.",
                            required: ["run_id", "metric", "exact", "points", "from", "mean"],
                            [
                                "run_id": Schema.text(), "metric": Schema.text(),
                                "exact": [
                                    "type": "boolean",
                                    "description":
                                        "Each bucket is one point; then `to`, `min`, `max`, `count` are left out.",
                                ],
                                "summary": [
                                    "type": "boolean", "description": "A single value, logged without a place.",
                                ],
                                "points": Schema.integer("How many there are in the range, NaN and infinities too."),
                                "from": numbers, "to": numbers, "mean": numbers, "min": numbers, "max": numbers,
                                "count": numbers, "nan": numbers, "inf": numbers,
                            ])),
                ])
        ),
        (
            "RunPage",
            Schema.object(
                "The runs that fit.", required: ["runs", "next_page_token", "total", "advice"],
                [
                    "runs": Schema.list(of: Schema.reference("Run")),
                    "next_page_token": Schema.orNull(Schema.text("Null on the last page.")),
                    "total": Schema.integer("On all pages."),
                    "advice": Schema.list(of: Schema.text(), "What is not wrong but probably not meant."),
                ])
        ),
        (
            "BestRun",
            [
                "type": "object", "description": "The best run by a metric.",
                "required": ["run", "runs", "value", "metric", "mode", "mode_guessed", "tie"],
                "properties": .object(JSONObject(bestMembers.map { JSONObject.Member($0.0, $0.1) })),
            ]
        ),
        (
            "AskedQuestion",
            Schema.object(
                "A question in words.", required: ["question"],
                [
                    "question": Schema.text("`best …`, `all runs where …` or `compare … vs …`."),
                    "experiment": oneOrMany,
                ], example: ["question": "all runs where metrics.accuracy > 0.83"])
        ),
        (
            "AskedAnswer",
            [
                "type": "object", "description": "The answer, in the shape of its kind.",
                "required": ["question", "taken", "kind", "runs"],
                "properties": .object(
                    JSONObject(
                        ([
                            ("question", Schema.text()),
                            ("taken", Schema.list(of: Schema.text(), "What shortened names were taken for.")),
                            ("kind", Schema.word("", of: ["best", "runs", "compare"])),
                            ("next_page_token", Schema.orNull(Schema.text())), ("total", Schema.integer()),
                            ("advice", Schema.list(of: Schema.text())),
                        ] + bestMembers).map { JSONObject.Member($0.0, $0.1) })),
            ]
        ),
        (
            "Changes",
            Schema.object(
                "What happened, in order.", required: ["changes", "cursor"],
                [
                    "changes": Schema.list(of: anyMap, "Frames, as the streams send them."),
                    "cursor": Schema.text("Where to go on: the next `since`."),
                ])
        ),
        (
            "Dashboard",
            Schema.object(
                "How an experiment stands.",
                required: ["experiment", "run_count", "runs_by_state", "best", "last_activity", "running"],
                [
                    "experiment": Schema.reference("Experiment"), "run_count": Schema.integer(),
                    "runs_by_state": Schema.map(of: Schema.integer()),
                    "best": Schema.list(
                        of: Schema.object(
                            "The best value of a metric so far.", required: ["metric", "value", "goal", "run_id"],
                            [
                                "metric": Schema.text(), "value": Schema.value(),
                                "goal": Schema.word("", of: ["max", "min"]), "goal_guessed": Schema.flag(),
                                "run_id": Schema.text(), "short_id": Schema.text(), "run_name": Schema.text(),
                                "state": Schema.text(),
                            ])),
                    "last_activity": Schema.time(),
                    "running": Schema.list(
                        of: Schema.object(
                            "A run that goes on.", required: ["run_id", "short_id"],
                            [
                                "run_id": Schema.text(), "short_id": Schema.text(), "run_name": Schema.text(),
                                "state": Schema.text(), "status": Schema.text(), "start_time": Schema.time(),
                                "last_seen": Schema.time(),
                            ])),
                    "runs_looked_at": Schema.integer(),
                    "complete": Schema.flag("False: only the newest were looked at."),
                ])
        ),
    ]
}
