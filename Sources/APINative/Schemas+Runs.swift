import MartletJSON

// Runs and what is recorded on them.
extension Schemas {
    private static let newRunFields: [(String, JSONValue)] = [
        ("name", Schema.text()), ("run_name", Schema.text("The same as `name`.")),
        ("id", Schema.text("32 hex digits, or another word by which the run shall be found.")),
        (
            "params",
            Schema.map(of: Schema.anything(), "Numbers, texts, truth values; anything else is kept as JSON.")
        ), ("parameters", Schema.map(of: Schema.anything(), "The same as `params`.")), ("tags", tagsIn),
        ("environment", Schema.map(of: Schema.anything(), "Python version, packages, hardware: kept as it is.")),
        ("status", Schema.text("Any word; `state` says what it means.")),
        ("start_time", Schema.timeOrMillis("Now, if not given.")), ("end_time", Schema.timeOrMillis()),
        ("parent", Schema.text("The run that this is a part of.")),
        ("parent_run_id", Schema.text("The same as `parent`.")), ("description", Schema.text()),
        ("git_commit", Schema.text()), ("code_version", Schema.text()), ("user", Schema.text()),
        ("source", Schema.text()),
    ]

    private static func runFields(_ more: [(String, JSONValue)] = [], without: Set<String> = []) -> JSONValue {
        .object(
            JSONObject(
                (newRunFields + more).filter { !without.contains($0.0) }.map { JSONObject.Member($0.0, $0.1) }))
    }

    static let runs: [Named] = [
        (
            "NewRun",
            [
                "type": "object", "description": "A run to start. Everything may be left out.",
                "properties": runFields(),
                "examples": [
                    [
                        "name": "tfidf-nb-v1",
                        "parameters": [
                            "vectorizer": "tfidf", "max_features": 5000, "ngram_range": [1, 2],
                            "classifier": "MultinomialNB", "alpha": 0.1,
                        ],
                        "environment": ["python_version": "3.10", "sklearn_version": "1.3.0"],
                    ]
                ],
            ]
        ),
        (
            "WholeRun",
            [
                "type": "object", "description": "A run that is over, with all that is known of it.",
                "properties": runFields(
                    [
                        (
                            "experiment",
                            Schema.either(
                                Schema.text(), Schema.integer(),
                                description: "Id or name; the default experiment if not given.")
                        ),
                        (
                            "project",
                            Schema.either(
                                Schema.text(), Schema.integer(),
                                description: "Id, slug or name; the default project if not given.")
                        ),
                        ("metrics", Schema.map(of: Schema.value(), "The final values; groups become `group/name`.")),
                        ("step", Schema.integer("Where given, the values are points at this step.")),
                        (
                            "notes",
                            Schema.either(
                                Schema.text(), Schema.list(of: Schema.text()), description: "Markdown.")
                        ),
                    ]),
                "examples": [
                    [
                        "experiment": "lr-sweep", "name": "lr=0.1",
                        "params": ["learning_rate": 0.1, "epochs": 50, "optimizer": "adam"],
                        "metrics": ["train_mse": 0.021, "val_mse": 0.034, "weight_norm": 3.7], "status": "done",
                        "notes": "Converged after **30** epochs.",
                    ]
                ],
            ]
        ),
        (
            "RunChange",
            [
                "type": "object", "description": "What is to change; what is left out stays.",
                "properties": runFields(without: ["id", "params", "parameters", "parent", "parent_run_id"]),
                "examples": [["status": "failed", "description": "Ran out of memory at step 1,200."]],
            ]
        ),
        (
            "Run",
            Schema.object(
                "A run.",
                required: [
                    "id", "run_id", "short_id", "name", "run_name", "experiment_id", "state", "status", "params",
                    "parameters", "metrics", "tags", "tag_list", "start_time",
                ],
                [
                    "id": Schema.text("32 hex digits."), "run_id": Schema.text("The same as `id`."),
                    "short_id": Schema.text("`run_01`: its number in the experiment."), "name": Schema.text(),
                    "run_name": Schema.text("The same as `name`."), "experiment_id": Schema.text(),
                    "experiment_name": Schema.text(), "project_id": Schema.text(),
                    "project": Schema.text("The project's slug."), "state": runState,
                    "status": Schema.text("The word that was given."),
                    "life": Schema.word("", of: ["active", "deleted"]),
                    "parent_id": Schema.orNull(Schema.text()),
                    "attempt": Schema.integer("1, and one more at each resume."),
                    "fork": Schema.object(
                        "Where it was forked.", ["run_id": Schema.text(), "step": Schema.integer()]),
                    "start_time": Schema.time(), "end_time": Schema.orNull(Schema.time()),
                    "duration_seconds": Schema.orNull(Schema.number()),
                    "params": Schema.map(of: Schema.anything(), "Numbers where the text is exactly a JSON number."),
                    "parameters": Schema.map(of: Schema.anything(), "The same as `params`."),
                    "metrics": Schema.map(of: Schema.value(), "The latest value of each."),
                    "summary_metrics": Schema.list(of: Schema.text(), "Those whose value was given as a summary."),
                    "tags": Schema.map(of: Schema.orNull(Schema.text())), "tag_list": Schema.list(of: Schema.text()),
                    "artifacts": Schema.list(of: Schema.map(of: Schema.anything())),
                    "artifact_count": Schema.integer("How many there are; where one run is shown."),
                    "user": Schema.orNull(Schema.text()), "description": Schema.orNull(Schema.text()),
                    "git_commit": Schema.orNull(Schema.text()), "code_version": Schema.orNull(Schema.text()),
                    "source": Schema.orNull(Schema.text()),
                    "environment": Schema.orNull(Schema.map(of: Schema.anything())),
                    "properties": Schema.map(of: Schema.text(), "What else was said of it."),
                    "problems": Schema.integer("How many lines of its record could not be used."),
                    "model_versions": Schema.list(
                        of: Schema.reference("ModelVersion"),
                        "What was registered from it; where one run is shown."),
                ])
        ),
        ("RunList", Schema.page("runs", of: "Run")),
        (
            "RunEnd",
            Schema.object(
                "How the run ended.",
                ["status": Schema.text("`FINISHED` if not given."), "end_time": Schema.timeOrMillis()],
                example: ["status": "FINISHED"])
        ),
        (
            "NewAttempt",
            Schema.object(
                "How the run goes on.",
                [
                    "n": Schema.integer("The attempt's number; the next one if not given."),
                    "reason": Schema.text(), "from_step": Schema.integer("The step of the checkpoint it starts from."),
                ], example: ["reason": "requeued", "from_step": 1200])
        ),
        (
            "AttemptList",
            Schema.object(
                "A page of attempts.", required: ["attempts", "next_page_token"],
                [
                    "attempts": Schema.list(
                        of: Schema.object(
                            "An attempt.",
                            [
                                "attempt": Schema.integer(), "started_at": Schema.time(),
                                "from_step": Schema.orNull(Schema.integer()), "reason": Schema.text(),
                            ])), "next_page_token": Schema.orNull(Schema.text()),
                ])
        ),
        (
            "Fork",
            Schema.object(
                "Where to fork.", required: ["step"],
                ["step": Schema.integer("The last step that both have."), "name": Schema.text()],
                example: ["step": 1200, "name": "lower learning rate from here"])
        ),
        (
            "Timeline",
            Schema.object(
                "A page of changes of state.", required: ["timeline", "next_page_token"],
                [
                    "timeline": Schema.list(
                        of: Schema.object(
                            "A change of state.",
                            [
                                "state": runState, "status": Schema.text(),
                                "cause": Schema.text("Who or what changed it."),
                                "at": Schema.time(),
                            ])), "next_page_token": Schema.orNull(Schema.text()),
                ])
        ),
        (
            "ProblemList",
            Schema.object(
                "A page of problems.", required: ["problems", "next_page_token"],
                [
                    "problems": Schema.list(
                        of: Schema.object(
                            "Something that could not be used.",
                            [
                                "problem": Schema.text(), "line": Schema.text("As it came, shortened."),
                                "at": Schema.time(), "author": Schema.text(),
                            ])), "next_page_token": Schema.orNull(Schema.text()),
                ])
        ),
    ]

    static let records: [Named] = [
        (
            "NewParams",
            Schema.object(
                "Params to log.", required: ["params"], ["params": Schema.map(of: Schema.anything())],
                example: ["params": ["learning_rate": 0.001, "batch_size": 32, "optimizer": "adam"]])
        ),
        (
            "Params",
            Schema.object(
                "A run's params.", required: ["run_id", "params", "parameters"],
                [
                    "run_id": Schema.text(), "params": Schema.map(of: Schema.anything()),
                    "parameters": Schema.map(of: Schema.anything()),
                ])
        ),
        (
            "Console",
            Schema.object(
                "What a run printed, piece by piece.", required: ["run_id", "chunks", "dropped_bytes"],
                [
                    "run_id": Schema.text(),
                    "dropped_bytes": Schema.integer(
                        "What was printed beyond the limit of a run's console, and not kept."),
                    "chunks": Schema.list(
                        of: Schema.object(
                            "A piece.", required: ["stream", "number", "timestamp", "text"],
                            [
                                "stream": Schema.text("Mostly `stdout` or `stderr`."), "number": Schema.integer(),
                                "timestamp": Schema.time(), "text": Schema.text(),
                            ])),
                ])
        ),
        (
            "NewTags",
            Schema.object(
                "Tags to set.", required: ["tags"], ["tags": tagsIn],
                example: ["tags": ["team": "vision", "priority": "high"]])
        ),
        (
            "Tags",
            Schema.object(
                "A run's tags.", required: ["run_id", "tags", "tag_list"],
                [
                    "run_id": Schema.text(), "tags": Schema.map(of: Schema.orNull(Schema.text())),
                    "tag_list": Schema.list(of: Schema.text()),
                ])
        ),
        (
            "NewNote",
            Schema.object(
                "A note.", required: ["text"],
                [
                    "text": Schema.text("Markdown."),
                    "metric": Schema.text("On a run: the metric whose curve it is pinned to."),
                    "step": Schema.integer("On a run: the step it is pinned to."),
                ], example: ["text": "Model converged well. **Consider** a higher learning rate."])
        ),
        (
            "NoteChange",
            Schema.object(
                "The new text.", required: ["text"], ["text": Schema.text("Markdown.")],
                example: ["text": "Model converged well; the higher rate *diverged*."])
        ),
        (
            "Note",
            Schema.object(
                "A note.", required: ["note", "text", "author", "created_at", "updated_at"],
                [
                    "note": Schema.integer("Its number."), "text": Schema.text(), "metric": Schema.text(),
                    "step": Schema.integer(), "author": Schema.text(), "editor": Schema.text("Who wrote this text."),
                    "created_at": Schema.time(), "updated_at": Schema.time(), "edits": Schema.integer(),
                    "history": Schema.list(
                        of: Schema.object(
                            "An earlier text.",
                            ["text": Schema.text(), "at": Schema.time(), "author": Schema.text()])),
                ])
        ),
        ("NoteList", Schema.page("notes", of: "Note")),
    ]
}
