import MartletJSON

// The registry and logged models.
extension Schemas {
    private static let stages = ["None", "Staging", "Production", "Archived"]
    private static let tagsOut = Schema.map(of: Schema.orNull(Schema.text()), "Null where a tag has no value.")
    private static let removedTags = Schema.either(Schema.text(), Schema.list(of: Schema.text()))

    static let models: [Named] = [
        (
            "NewModel",
            Schema.object(
                "A name to register.", required: ["name"],
                [
                    "name": Schema.text("Without slashes and colons; unique in its project."),
                    "project": Schema.text("Id, slug or name; the default project if not given."),
                    "description": Schema.text(), "tags": tagsIn,
                ], example: ["name": "spam-filter", "description": "Keeps the inbox clean", "tags": ["nlp"]])
        ),
        (
            "ModelChange",
            Schema.object(
                "What is to change; what is left out stays.",
                [
                    "name": Schema.text("A new name."), "description": Schema.text(), "tags": tagsIn,
                    "remove_tags": removedTags,
                ], example: ["description": "Who is about to leave", "tags": ["team": "crm"]])
        ),
        (
            "Model",
            Schema.object(
                "A registered model.",
                required: ["name", "project_id", "tags", "aliases", "version_count", "created_at", "updated_at"],
                [
                    "name": Schema.text(), "model_name": Schema.text("The same as `name`."),
                    "project_id": Schema.text(), "project": Schema.orNull(Schema.text("The project's slug.")),
                    "description": Schema.text(), "tags": tagsOut, "tag_list": Schema.list(of: Schema.text()),
                    "aliases": Schema.map(of: Schema.integer(), "The version that each stands for."),
                    "version_count": Schema.integer(),
                    "latest_versions": Schema.list(
                        of: Schema.reference("ModelVersion"), "The highest of each stage; of a model by itself alone."),
                    "created_at": Schema.time(),
                    "updated_at": Schema.time("When it or any of its versions last changed."),
                ])
        ),
        ("ModelList", total(Schema.page("models", of: "Model"))),
        (
            "NewModelVersion",
            Schema.object(
                "A version to register: a run's artifact, or an address.",
                [
                    "run_id": Schema.text("The run that made it: id, short id or name."),
                    "run": Schema.text("The same as `run_id`."),
                    "path": Schema.text("A file or folder among the run's artifacts."),
                    "artifact_path": Schema.text("The same as `path`."),
                    "source": Schema.text("Where the files are, if they are no artifact of a run here."),
                    "uri": Schema.text("The same as `source`."), "model_path": Schema.text("The same as `source`."),
                    "description": Schema.text(), "run_link": Schema.text(), "logged_model_id": Schema.text(),
                    "tags": tagsIn, "aliases": Schema.list(of: Schema.text()),
                    "metadata": Schema.map(
                        of: Schema.anything(), "Kept as it is. A `run_id` in it names the run, where none is named."),
                    "metrics": Schema.anything("Kept in the metadata."),
                    "parameters": Schema.anything("Kept in the metadata."),
                    "artifacts": Schema.anything("Kept in the metadata."),
                    "project": Schema.text(), "create_model": Schema.flag("Make the model if there is none."),
                ],
                example: [
                    "source": "s3://models/churn/2", "description": "More data", "aliases": ["candidate"],
                    "metadata": ["accuracy": 0.91],
                ])
        ),
        (
            "ModelVersionChange",
            Schema.object(
                "What is to change; what is left out stays.",
                ["description": Schema.text(), "tags": tagsIn, "remove_tags": removedTags],
                example: ["description": "Checked by hand", "tags": ["checked": "yes"]])
        ),
        (
            "ModelVersion",
            Schema.object(
                "A version of a registered model.",
                required: ["name", "version", "stage", "status", "source", "run_id", "aliases", "tags", "metadata"],
                [
                    "name": Schema.text("The model's."), "model_name": Schema.text("The same as `name`."),
                    "version": Schema.integer("From 1."), "project_id": Schema.text(),
                    "project": Schema.orNull(Schema.text()), "stage": Schema.word("", of: stages),
                    "status": Schema.word("", of: ["READY", "PENDING_REGISTRATION", "FAILED_REGISTRATION"]),
                    "status_message": Schema.orNull(Schema.text()), "description": Schema.text(),
                    "source": Schema.text("`runs:/<run>/<path>` for an artifact of a run here."),
                    "run_id": Schema.orNull(Schema.text()), "artifact_path": Schema.orNull(Schema.text()),
                    "run_link": Schema.orNull(Schema.text()), "logged_model_id": Schema.orNull(Schema.text()),
                    "user": Schema.orNull(Schema.text()), "aliases": Schema.list(of: Schema.text()), "tags": tagsOut,
                    "tag_list": Schema.list(of: Schema.text()), "metadata": Schema.map(of: Schema.anything()),
                    "created_at": Schema.time(), "updated_at": Schema.time(),
                ])
        ),
        ("ModelVersionList", total(Schema.page("model_versions", of: "ModelVersion"))),
        (
            "StageChange",
            Schema.object(
                "Where a version shall stand.", required: ["stage"],
                [
                    "stage": Schema.text("None, Staging, Production or Archived, in any case."),
                    "archive_existing_versions": Schema.flag(
                        "Move those that are there to Archived; for Staging and Production."),
                ], example: ["stage": "Production", "archive_existing_versions": true])
        ),
        (
            "ModelSource",
            Schema.object(
                "Where a version's files are.", required: ["name", "version", "uri", "download_path"],
                [
                    "name": Schema.text(), "version": Schema.integer(), "uri": Schema.text("As it was registered."),
                    "download_path": Schema.orNull(Schema.text("Where this server has them, if it does.")),
                ])
        ),
        (
            "LoggedModel",
            Schema.object(
                "A model as training logged it.",
                required: ["id", "name", "experiment_id", "status", "params", "tags", "metrics"],
                [
                    "id": Schema.text("`m-` and 32 hex digits."), "model_id": Schema.text("The same as `id`."),
                    "name": Schema.text(), "project_id": Schema.text(), "experiment_id": Schema.text(),
                    "type": Schema.orNull(Schema.text()),
                    "status": Schema.word("", of: ["PENDING", "READY", "UPLOAD_FAILED"]),
                    "status_message": Schema.orNull(Schema.text()),
                    "run_id": Schema.orNull(Schema.text("The run that made it.")),
                    "params": Schema.map(of: Schema.anything()), "tags": tagsOut,
                    "tag_list": Schema.list(of: Schema.text()),
                    "metrics": Schema.list(
                        of: Schema.reference("ModelMetric"), "The latest of each metric and dataset."),
                    "created_at": Schema.time(), "updated_at": Schema.time(),
                ])
        ),
        ("LoggedModelList", total(Schema.page("logged_models", of: "LoggedModel"))),
        (
            "ModelMetric",
            Schema.object(
                "A number that was measured of a logged model.", required: ["metric", "value", "step", "timestamp"],
                [
                    "metric": Schema.text(), "value": Schema.value(), "step": Schema.integer(),
                    "timestamp": Schema.time(), "run_id": Schema.orNull(Schema.text()),
                    "dataset": Schema.orNull(Schema.text()), "dataset_digest": Schema.orNull(Schema.text()),
                ])
        ),
        ("ModelMetricList", Schema.page("metrics", of: "ModelMetric")),
    ]

    /// A page that also says how many there are in all.
    private static func total(_ page: JSONValue) -> JSONValue {
        guard var object = page.object, var properties = object["properties"]?.object else { return page }
        properties["total"] = Schema.integer("How many there are, on all pages.")
        object["properties"] = .object(properties)
        return .object(object)
    }
}
