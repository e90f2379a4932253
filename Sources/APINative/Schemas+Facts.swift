import MartletJSON

// What reports are made of. A fact may hold more than its schema says.
extension Schemas {
    static let factKinds = known.map(\.kind)

    static let facts: [Named] =
        known.map { ("Fact_\($0.kind)", $0.schema) } + [
            ("Fact", Schema.either(Schema.map(of: Schema.anything()), Schema.list(of: Schema.anything()))),
            (
                "RecordedFact",
                Schema.object(
                    "A fact as it was recorded.", required: ["kind", "data", "at", "author"],
                    [
                        "kind": Schema.text(), "data": Schema.anything("As it was sent."), "at": Schema.time(),
                        "author": Schema.text(),
                        "history": Schema.list(of: Schema.reference("RecordedFact"), "Earlier ones, oldest first."),
                    ])
            ),
            ("FactList", Schema.page("facts", of: "RecordedFact")),
        ]

    private static let numbers = Schema.map(of: Schema.value())

    private static let known: [(kind: String, schema: JSONValue)] = [
        (
            "dataset",
            Schema.object(
                "What was learnt from.",
                [
                    "name": Schema.text(), "version": Schema.text(), "source": Schema.text(), "rows": Schema.integer(),
                    "features": Schema.integer(), "sha256": Schema.text(),
                    "classes": Schema.map(of: Schema.integer(), "How many rows each class has."),
                ],
                example: [
                    "name": "SMS Spam Collection", "version": "v1", "rows": 5574,
                    "classes": ["ham": 4827, "spam": 747],
                ])
        ),
        (
            "split",
            Schema.object(
                "How it was divided.",
                [
                    "train": Schema.number(), "validation": Schema.number(), "test": Schema.number(),
                    "strategy": Schema.text(), "seed": Schema.integer(), "folds": Schema.integer(),
                ], example: ["train": 0.7, "validation": 0.15, "test": 0.15, "strategy": "stratified", "seed": 42])
        ),
        (
            "preprocessing",
            Schema.object(
                "What was done to it before.",
                ["steps": Schema.list(of: Schema.anything(), "In order; a text or an object each.")],
                example: ["steps": ["lowercase", "TF-IDF (max_features=5000)"]])
        ),
        (
            "model",
            Schema.object(
                "What was trained.",
                [
                    "type": Schema.text(), "framework": Schema.text(), "architecture": Schema.text(),
                    "parameters": Schema.integer(), "size_bytes": Schema.integer(),
                ], example: ["type": "MultinomialNB", "framework": "scikit-learn"])
        ),
        (
            "search_space",
            Schema.map(of: Schema.anything(), "Each hyperparameter and what it was searched over.")
        ),
        (
            "training",
            Schema.object(
                "How it was trained.",
                [
                    "epochs": Schema.integer(), "batch_size": Schema.integer(), "optimizer": Schema.text(),
                    "learning_rate": Schema.number(), "duration_seconds": Schema.number(),
                    "early_stopping": Schema.anything(),
                ], example: ["epochs": 50, "batch_size": 32, "optimizer": "adam", "learning_rate": 0.001])
        ),
        (
            "infrastructure",
            Schema.object(
                "On what it was trained.",
                [
                    "hardware": Schema.text(), "gpus": Schema.integer(), "memory_gb": Schema.number(),
                    "cost": Schema.number(), "carbon_kg": Schema.number(),
                ], example: ["hardware": "1 GPU, 80 GB", "gpus": 1])
        ),
        (
            "evaluation",
            Schema.object(
                "How good it is, and on what.",
                [
                    "split": Schema.text(), "metrics": numbers,
                    "confidence_intervals": Schema.map(of: Schema.list(of: Schema.value())),
                ], example: ["split": "test", "metrics": ["accuracy": 0.967, "f1": 0.958]])
        ),
        (
            "confusion_matrix",
            Schema.object(
                "What was taken for what: rows are what is true, columns what was predicted.",
                required: ["labels", "matrix"],
                [
                    "labels": Schema.list(of: Schema.anything()),
                    "matrix": Schema.list(of: Schema.list(of: Schema.number())),
                ], example: ["labels": ["ham", "spam"], "matrix": [[965, 2], [11, 137]]])
        ),
        ("groups", Schema.map(of: numbers, "Metrics of each group of cases.")),
        ("baselines", Schema.map(of: numbers, "Metrics of each model that this one is compared with.")),
        (
            "tuning",
            Schema.object(
                "How hyperparameters were found.",
                [
                    "method": Schema.text(), "trials": Schema.integer(),
                    "best_params": Schema.map(of: Schema.anything()),
                    "best_value": Schema.value(),
                ], example: ["method": "grid", "trials": 24, "best_params": ["alpha": 0.1], "best_value": 0.967])
        ),
        (
            "observations",
            Schema.either(
                Schema.list(of: Schema.text()), Schema.object("", ["items": Schema.list(of: Schema.text())]),
                description: "What was noticed, a sentence each.")
        ),
        ("feature_importance", Schema.map(of: Schema.value(), "How much each feature matters.")),
        (
            "next_steps",
            Schema.either(
                Schema.list(of: Schema.text()), Schema.object("", ["items": Schema.list(of: Schema.text())]),
                description: "What to try next, a sentence each.")
        ),
        (
            "readiness",
            Schema.object(
                "Whether it may go into production.",
                [
                    "checks": Schema.map(of: Schema.anything(), "Each check and whether it holds."),
                    "verdict": Schema.text(),
                ], example: ["checks": ["latency below 50 ms": true, "bias review": false], "verdict": "not yet"])
        ),
        (
            "review",
            Schema.object(
                "Who looked at it and what they decided.",
                [
                    "reviewer": Schema.text(), "decision": Schema.text(), "comments": Schema.text(),
                    "at": Schema.time(),
                ], example: ["reviewer": "team lead", "decision": "approved"])
        ),
    ]
}
