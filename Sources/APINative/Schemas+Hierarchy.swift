import MartletJSON

// Projects, experiments and what metrics mean in them.
extension Schemas {
    static let tagsIn = Schema.either(
        Schema.map(of: Schema.anything()), Schema.list(of: Schema.text()),
        description: "An object of texts (what is no text is kept as its JSON), or a list of tags without values.")
    private static let tagsOut = Schema.map(
        of: Schema.orNull(Schema.text()), "Each tag and its value; null where it has none.")
    private static let tagList = Schema.list(of: Schema.text(), "The keys of `tags`.")
    private static let life = Schema.word("", of: ["active", "deleted"])
    private static let states = ["queued", "running", "finished", "failed", "cancelled", "lost", "archived"]

    static let hierarchy: [Named] = [
        (
            "NewProject",
            Schema.object(
                "A project to create.", required: ["name"],
                [
                    "name": Schema.text(), "slug": Schema.text("The name in addresses; made from `name` if not given."),
                    "description": Schema.text(), "team": Schema.text(), "tags": tagsIn,
                ],
                example: [
                    "name": "Clinical Notes", "description": "ML models for healthcare applications", "team": "ml-team",
                    "tags": ["healthcare", "nlp"],
                ])
        ),
        (
            "ProjectChange",
            Schema.object(
                "What is to change; what is left out stays.",
                [
                    "name": Schema.text(), "description": Schema.text(), "team": Schema.text(), "tags": tagsIn,
                    "remove_tags": Schema.either(Schema.text(), Schema.list(of: Schema.text())),
                ], example: ["description": "Models that read clinical notes", "tags": ["clinical"]])
        ),
        (
            "Project",
            Schema.object(
                "A project.", required: ["id", "project_id", "slug", "name", "tags", "tag_list", "life"],
                [
                    "id": Schema.text(), "project_id": Schema.text("The same as `id`."), "slug": Schema.text(),
                    "name": Schema.text(), "description": Schema.text(), "team": Schema.text(), "tags": tagsOut,
                    "tag_list": tagList, "life": life, "created_at": Schema.time(), "updated_at": Schema.time(),
                    "experiment_count": Schema.integer("Those that are not deleted."),
                    "run_count": Schema.integer("Those that are not deleted."),
                    "last_activity": Schema.time("When anything in it last changed."),
                    "created": Schema.flag("Whether this request made it."),
                ])
        ),
        ("ProjectList", Schema.page("projects", of: "Project")),
        (
            "NewExperiment",
            Schema.object(
                "An experiment to create; `name` and `experiment_name` are the same, one of them is needed.",
                [
                    "name": Schema.text(), "experiment_name": Schema.text(),
                    "project_id": Schema.either(
                        Schema.text(), Schema.integer(),
                        description: "Id, slug or name; the default project if not given."
                    ), "description": Schema.text(), "hypothesis": Schema.text(), "tags": tagsIn,
                    "type": Schema.text("`classification`, `regression` …"), "domain": Schema.text(),
                    "metrics": Schema.list(of: Schema.anything(), "The metrics that it is about."),
                    "validation_criteria": Schema.anything(), "model_registry_integration": Schema.anything(),
                ],
                example: [
                    "project_id": "default", "name": "Spam Detection v2",
                    "description": "Testing TF-IDF with MultinomialNB",
                    "hypothesis": "TF-IDF + MultinomialNB will achieve >95% accuracy",
                    "tags": ["spam", "tfidf", "naive-bayes"],
                ])
        ),
        (
            "ExperimentChange",
            Schema.object(
                "What is to change; what is left out stays.",
                [
                    "name": Schema.text(), "description": Schema.text(), "hypothesis": Schema.text(), "tags": tagsIn,
                    "remove_tags": Schema.either(Schema.text(), Schema.list(of: Schema.text())),
                    "if_tags": Schema.map(
                        of: Schema.orNull(Schema.text()),
                        "Tags as the sender knows them, null for one that is not there: if one is otherwise, nothing is changed (409)."
                    ),
                    "type": Schema.text(), "domain": Schema.text(),
                    "metrics": Schema.list(of: Schema.anything()), "validation_criteria": Schema.anything(),
                    "model_registry_integration": Schema.anything(),
                ], example: ["hypothesis": "A learning rate of 0.01 is enough for 90% accuracy"])
        ),
        (
            "Experiment",
            Schema.object(
                "An experiment.",
                required: ["id", "experiment_id", "name", "experiment_name", "project_id", "tags", "tag_list", "life"],
                [
                    "id": Schema.text(), "experiment_id": Schema.text("The same as `id`."), "name": Schema.text(),
                    "experiment_name": Schema.text("The same as `name`."), "project_id": Schema.text(),
                    "project": Schema.text("The project's slug."), "description": Schema.text(),
                    "hypothesis": Schema.text(), "tags": tagsOut, "tag_list": tagList, "type": Schema.text(),
                    "domain": Schema.text(), "metrics": Schema.list(of: Schema.anything()),
                    "validation_criteria": Schema.anything(), "model_registry_integration": Schema.anything(),
                    "life": life, "created_at": Schema.time(), "updated_at": Schema.time(),
                    "run_count": Schema.integer("Runs that are not deleted."),
                    "runs_by_state": Schema.map(of: Schema.integer(), "How many runs are in each state."),
                    "created": Schema.flag("Whether this request made it."),
                ])
        ),
        ("ExperimentList", Schema.page("experiments", of: "Experiment")),
        (
            "MetricMeaning",
            Schema.object(
                "What is said of metrics; the latest counts as a whole.",
                [
                    "goal": Schema.word("", of: ["max", "min"]),
                    "summary": Schema.word(
                        "Which value stands in tables.", of: ["last", "min", "max", "mean", "first", "best"]),
                    "step_metric": Schema.text("The metric that stands for the step on charts."),
                    "unit": Schema.text(), "hidden": Schema.flag(),
                ], example: ["goal": "max", "summary": "best", "unit": "%"])
        ),
        (
            "MetricDefinition",
            Schema.object(
                "What a metric means.", required: ["metric", "goal", "guessed"],
                [
                    "metric": Schema.text("A name or a pattern."),
                    "name": Schema.text("The name that was asked for."),
                    "goal": Schema.orNull(Schema.word("", of: ["max", "min"])), "summary": Schema.orNull(Schema.text()),
                    "step_metric": Schema.orNull(Schema.text()), "unit": Schema.orNull(Schema.text()),
                    "hidden": Schema.flag(), "guessed": Schema.flag("The goal was guessed from the name."),
                    "updated_at": Schema.time(), "author": Schema.text(),
                    "history": Schema.list(of: Schema.reference("MetricDefinition"), "Earlier ones, oldest first."),
                ])
        ),
        ("MetricDefinitionList", Schema.page("metrics", of: "MetricDefinition")),
    ]

    static let runState = Schema.word("What the status means.", of: states)
}
