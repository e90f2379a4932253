import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletSearch
import MartletStorage

// Experiments. Their ids are whole numbers as text, their names are taken for good, and `0` is there from the start.
extension MLflowAPI {
    static let experimentEndpoints: [Endpoint] = [
        .change(.post, "2.0/mlflow/experiments/create") { call, message throws(Refusal) in
            try createExperiment(call, message)
        },
        .read(.post, "2.0/mlflow/experiments/search") { call, message throws(Refusal) in
            try searchExperiments(call, message)
        },
        .read(.get, "2.0/mlflow/experiments/search") { call, message throws(Refusal) in
            try searchExperiments(call, message)
        },
        .read(.get, "2.0/mlflow/experiments/get") { call, message throws(Refusal) in
            let id = try message.required("experiment_id")
            return try show(call) { reader, caller throws(Refusal) in try reader.experiment(mlflow: id, call) }
        },
        .read(.get, "2.0/mlflow/experiments/get-by-name") { call, message throws(Refusal) in
            let name = try message.required("experiment_name")
            return try show(call) { reader, caller throws(Refusal) in
                let project = try call.project(reader)
                guard let found = try reader.experiment(named: name, in: project.id) else {
                    throw Refusal.mlflow("Could not find experiment with name '\(name)'", .notFound)
                }
                return found
            }
        },
        .change(.post, "2.0/mlflow/experiments/update") { call, message throws(Refusal) in
            let id = try message.required("experiment_id")
            let name = try message.required("new_name")
            try Names.check(experiment: name)
            try call.change { ledger, caller throws(Refusal) in
                let experiment = try ledger.writableExperiment(id, call, caller)
                if name != experiment.name, try ledger.tx.experiment(named: name, in: experiment.project) != nil {
                    throw Refusal.experimentTaken(name)
                }
                _ = try ledger.updateExperiment(experiment.id, name: name)
                return Call.empty
            }
        },
        .change(.post, "2.0/mlflow/experiments/delete") { call, message throws(Refusal) in
            let id = try message.required("experiment_id")
            try call.change { ledger, caller throws(Refusal) in
                let experiment = try ledger.tx.experiment(mlflow: id, call)
                try caller.require(.write, on: experiment.project)
                guard experiment.life == .active else { throw Refusal.noExperiment(id) }
                try ledger.deleteExperiment(experiment.id)
                return Call.empty
            }
        },
        .change(.post, "2.0/mlflow/experiments/restore") { call, message throws(Refusal) in
            let id = try message.required("experiment_id")
            try call.change { ledger, caller throws(Refusal) in
                let experiment = try ledger.tx.experiment(mlflow: id, call)
                try caller.require(.write, on: experiment.project)
                guard experiment.life != .active else { throw Refusal.noExperiment(id) }
                _ = try ledger.restoreExperiment(experiment.id, everything: true)
                return Call.empty
            }
        },
        .change(.post, "2.0/mlflow/experiments/set-experiment-tag") { call, message throws(Refusal) in
            let id = try message.required("experiment_id")
            let key = try message.required("key")
            let value = try message.text("value") ?? ""
            try Names.check(experimentTag: key, value)
            try call.change { ledger, caller throws(Refusal) in
                let experiment = try ledger.writableExperiment(id, call, caller)
                if key == RunTags.note {
                    _ = try ledger.updateExperiment(experiment.id, description: value)
                } else {
                    _ = try ledger.updateExperiment(experiment.id, tags: [(key, value)])
                }
                return Call.empty
            }
        },
        .change(.post, "2.0/mlflow/experiments/delete-experiment-tag") { call, message throws(Refusal) in
            let id = try message.required("experiment_id")
            let key = try message.required("key")
            try call.change { ledger, caller throws(Refusal) in
                let experiment = try ledger.writableExperiment(id, call, caller)
                guard ExperimentTags.shown(experiment).contains(where: { $0.key == key }) else {
                    throw Refusal.mlflow("No tag with name: \(key) in experiment with id \(id)", .notFound)
                }
                if key == RunTags.note {
                    _ = try ledger.updateExperiment(experiment.id, description: "")
                } else {
                    _ = try ledger.updateExperiment(experiment.id, removingTags: [key])
                }
                return Call.empty
            }
        },
    ]

    private static func show(
        _ call: Call, _ find: (any StoreReader, Caller) throws(Refusal) -> Experiment
    ) throws(Refusal) -> Response {
        let caller = try call.caller()
        return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            let experiment = try find(reader, caller)
            try caller.require(.read, on: experiment.project)
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        writer.key("experiment")
                        writer.experiment(experiment, call.api.places)
                    }
                })
        }
    }

    private static func createExperiment(_ call: Call, _ message: Message) throws(Refusal) {
        let name = try message.required("name")
        try Names.check(experiment: name)
        let location = try ArtifactLocation.checked(try message.text("artifact_location") ?? "")
        let tags = try message.pairs("tags")
        for (key, value) in tags { try Names.check(experimentTag: key, value) }
        try call.change { ledger, caller throws(Refusal) in
            let project = try call.project(ledger.tx)
            try caller.require(.write, on: project.id)
            if let taken = try ledger.tx.experiment(named: name, in: project.id) {
                throw taken.life == .active
                    ? Refusal.experimentTaken(name)
                    : Refusal.mlflow(
                        "Experiment(name=\(name)) already exists. It is deleted: restore it, or delete it for good.",
                        .conflict)
            }
            var draft = ExperimentDraft(name: name, project: project.id)
            draft.location = location
            draft.description = tags.last { $0.key == RunTags.note }?.value ?? ""
            for (key, value) in tags where key != RunTags.note { draft.tags[key] = .some(value) }
            var experiment = try ledger.createExperiment(draft).experiment
            if location.isEmpty, call.api.places.settings.defaultRoot != nil {
                // What clients are told stays true when the server is started with another root.
                experiment = try ledger.place(experiment.id, at: call.api.places.location(of: experiment))
            }
            let id = experiment.id
            return try encoded { writer in writer.object { $0.member("experiment_id", "\(id)") } }
        }
    }

    // MARK: Search

    private static func searchExperiments(_ call: Call, _ message: Message) throws(Refusal) -> Response {
        guard let wanted = try message.integer("max_results"), wanted > 0 else {
            throw .mlflow(
                "Invalid value \(try message.integer("max_results") ?? 0) for parameter 'max_results' supplied. It must be a positive integer"
            )
        }
        guard wanted <= 50_000 else {
            throw .mlflow("Invalid value \(wanted) for parameter 'max_results' supplied. It must be at most 50000")
        }
        let view = try message.view("view_type") ?? .active
        let query = try ExperimentQuery(
            filter: try message.text("filter") ?? "", orderBy: try message.texts("order_by"))
        let offset = try PageOffset.read(try message.text("page_token"))
        let caller = try call.caller()
        return try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            let project = try call.project(reader)
            try caller.require(.read, on: project.id)
            var found: [Experiment] = []
            for experiment in try reader.experiments(in: project.id)
            where view.includes(experiment.life) && query.matches(experiment) {
                if experiment.life != .active, try reader.isPurged(experiment.id) { continue }
                found.append(experiment)
            }
            let page = PageOffset.page(query.sorted(found), from: offset, limit: Int(wanted))
            return .json(
                try encoded { writer in
                    writer.object { writer in
                        if !page.rows.isEmpty {
                            writer.array("experiments") { writer in
                                for experiment in page.rows { writer.experiment(experiment, call.api.places) }
                            }
                        }
                        if let next = page.next { writer.member("next_page_token", next) }
                    }
                })
        }
    }
}

extension StoreReader {
    /// By MLflow's id, whatever its life, in the project that the client sees.
    func experiment(mlflow id: String, _ call: Call) throws(Refusal) -> Experiment {
        guard let number = Int64(id) else {
            throw .mlflow("Invalid experiment ID '\(id)'. Experiment ID must be a valid integer.")
        }
        let project = try call.project(self)
        guard let found = try experiment(ExperimentID(number)), found.project == project.id else {
            throw .noExperiment(id)
        }
        if found.life != .active, try isPurged(found.id) { throw .noExperiment(id) }
        return found
    }
}

extension Ledger {
    func writableExperiment(_ id: String, _ call: Call, _ caller: Caller) throws(Refusal) -> Experiment {
        let experiment = try tx.experiment(mlflow: id, call)
        try caller.require(.write, on: experiment.project)
        guard experiment.life == .active else {
            throw .mlflow("The experiment \(id) must be in the 'active' state. Current state is deleted.")
        }
        return experiment
    }
}

extension Refusal {
    static func experimentTaken(_ name: String) -> Refusal {
        .mlflow("Experiment(name=\(name)) already exists.", .conflict)
    }
}

extension ViewType {
    func includes(_ life: Life) -> Bool {
        switch self {
        case .active: life == .active
        case .deleted: life != .active
        case .all: true
        }
    }

    var choice: LifeChoice {
        switch self {
        case .active: .active
        case .deleted: .deleted
        case .all: .all
        }
    }
}
