import MartletDomain
import MartletEngine
import MartletJSON
import MartletStorage

// What things look like on the wire: both spellings of every name that the mission's documents disagree about.
extension JSONWriter {
    mutating func tags(_ tags: Pairs<TagValue>) {
        object("tags") { writer in
            for (key, value) in tags.entries {
                if let value {
                    writer.member(dynamic: key, value)
                } else {
                    writer.key(dynamic: key)
                    writer.null()
                }
            }
        }
        array("tag_list") { writer in for key in tags.keys { writer.string(key) } }
    }

    mutating func time(_ key: StaticString, _ time: Timestamp?) {
        self.key(key)
        if let time { string(time.iso) } else { null() }
    }

    mutating func text(_ key: StaticString, _ text: String?) {
        self.key(key)
        if let text { string(text) } else { null() }
    }

    /// JSON that was stored as text.
    mutating func stored(_ key: StaticString, _ json: String) {
        self.key(key)
        raw(json.utf8)
    }

    mutating func project(
        _ project: Project, counts: (experiments: Int, runs: Int)? = nil, lastActivity: Timestamp? = nil,
        created: Bool? = nil
    ) {
        object { writer in
            writer.member("id", "\(project.id)")
            writer.member("project_id", "\(project.id)")
            writer.member("slug", project.slug)
            writer.member("name", project.title)
            writer.member("description", project.description)
            writer.member("team", project.team)
            writer.tags(project.tags)
            writer.member("life", project.life.word)
            writer.time("created_at", project.created)
            writer.time("updated_at", project.updated)
            if let counts {
                writer.member("experiment_count", counts.experiments)
                writer.member("run_count", counts.runs)
            }
            if let lastActivity { writer.time("last_activity", lastActivity) }
            if let created { writer.member("created", created) }
        }
    }

    mutating func experiment(
        _ experiment: Experiment, project: Project?, counts: [RunState: Int]? = nil, created: Bool? = nil
    ) {
        object { writer in
            writer.member("id", "\(experiment.id)")
            writer.member("experiment_id", "\(experiment.id)")
            writer.member("name", experiment.name)
            writer.member("experiment_name", experiment.name)
            writer.member("project_id", "\(experiment.project)")
            if let project { writer.member("project", project.slug) }
            writer.member("description", experiment.description)
            writer.member("hypothesis", experiment.hypothesis)
            writer.tags(experiment.tags)
            for (key, json) in experiment.extras.entries {
                writer.key(dynamic: key)
                writer.raw(json.utf8)
            }
            writer.member("life", experiment.life.word)
            writer.time("created_at", experiment.created)
            writer.time("updated_at", experiment.updated)
            if let counts {
                writer.member("run_count", counts.values.reduce(0, +))
                writer.object("runs_by_state") { writer in
                    for state in RunState.allCases where counts[state] != nil {
                        writer.member(dynamic: state.word, counts[state] ?? 0)
                    }
                }
            }
            if let created { writer.member("created", created) }
        }
    }

    /// `registered` are the versions of models that were made from it, where they were looked for; `listed` is how many
    /// artifacts are named, where all were counted.
    mutating func run(
        _ view: RunView, registered: [(model: RegisteredModel, version: ModelVersion)]? = nil, listed: Int? = nil
    ) {
        let run = view.run
        object { writer in
            writer.member("id", run.id.text)
            writer.member("run_id", run.id.text)
            writer.member("short_id", run.shortID)
            writer.member("name", run.name)
            writer.member("run_name", run.name)
            writer.member("experiment_id", "\(run.experiment)")
            writer.member("experiment_name", view.experiment.name)
            writer.member("project_id", "\(run.project)")
            writer.member("project", view.project.slug)
            writer.member("state", run.status.state.word)
            writer.member("status", run.status.word)
            writer.member("life", run.life.word)
            writer.text("parent_id", view.parent?.text)
            writer.member("attempt", run.attempt)
            if let fork = view.fork {
                writer.object("fork") { writer in
                    writer.member("run_id", fork.run.text)
                    writer.member("step", fork.step)
                }
            }
            writer.time("start_time", run.start)
            writer.time("end_time", run.end)
            writer.key("duration_seconds")
            if let end = run.end { writer.double(Double(end.micros - run.start.micros) / 1e6) } else { writer.null() }
            writer.params("params", view.attributes.params)
            writer.params("parameters", view.attributes.params)
            writer.object("metrics") { writer in
                for metric in view.metrics { writer.member(dynamic: metric.name, metric.value) }
            }
            writer.array("summary_metrics") { writer in
                for metric in view.metrics where metric.summary != nil { writer.string(metric.name) }
            }
            writer.tags(view.attributes.tags)
            writer.array("artifacts") { writer in
                for artifact in view.artifacts.prefix(listed ?? .max) { writer.artifact(artifact) }
            }
            if listed != nil { writer.member("artifact_count", view.artifacts.count) }
            let properties = view.attributes.properties
            writer.text("user", properties["user"])
            writer.text("description", properties["description"])
            writer.text("git_commit", properties["git_commit"])
            writer.text("code_version", properties["code_version"])
            writer.text("source", properties["source"])
            writer.key("environment")
            if let environment = properties["environment"] { writer.raw(environment.utf8) } else { writer.null() }
            writer.object("properties") { writer in
                for (key, value) in properties.entries where key != "environment" { writer.member(dynamic: key, value) }
            }
            writer.member("problems", view.problems)
            if let registered {
                writer.array("model_versions") { writer in
                    for (model, version) in registered {
                        writer.modelVersion(version, of: model, project: view.project)
                    }
                }
            }
        }
    }

    mutating func artifact(_ artifact: Artifact) {
        object { writer in
            writer.member("path", artifact.path)
            writer.member("name", String(artifact.path.split(separator: "/").last ?? ""))
            writer.member("type", artifact.type)
            writer.member("size_bytes", artifact.size)
            writer.text("sha256", artifact.digest?.text)
            writer.text("uri", artifact.uri.isEmpty ? nil : artifact.uri)
            writer.stored("metadata", artifact.metadata)
            writer.time("created_at", artifact.at)
        }
    }
}

extension Life {
    var word: String {
        switch self {
        case .active: "active"
        case .deleted, .deletedWithParent: "deleted"
        }
    }
}

/// A whole answer as bytes.
func encoded(_ body: (inout JSONWriter) throws(Refusal) -> Void) throws(Refusal) -> [UInt8] {
    var writer = JSONWriter(capacity: 1024)
    try body(&writer)
    return writer.bytes
}
