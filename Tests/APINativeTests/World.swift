import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletSeries
import MartletStorage

@testable import MartletAPINative

/// A project with an experiment, a run and something of everything, and one user for each degree of rights.
final class World {
    let api: TestAPI
    let project: Project
    let experiment: Experiment
    let run: Run
    let token: String
    private(set) var loggedModel = ""
    private(set) var comparison = ""
    static let webhook = "0b6a2d7e-6a45-4f39-9a55-0a5ad6f6f1c3"

    enum Person: String, CaseIterable {
        case stranger, nobody, reader, writer, admin, projectReader, projectAdmin

        /// What the person holds in the world's project, and in the whole store.
        var inProject: Role? {
            switch self {
            case .stranger, .nobody: nil
            case .reader, .projectReader: .read
            case .writer: .write
            case .admin, .projectAdmin: .admin
            }
        }

        var inStore: Role? {
            switch self {
            case .stranger, .nobody, .projectReader, .projectAdmin: nil
            case .reader: .read
            case .writer: .write
            case .admin: .admin
            }
        }

        func may(_ access: RouteAccess) -> Bool {
            switch access {
            case .nothing: true
            case .anyone: self != .stranger
            case .read: inProject != nil
            case .write: inProject.map { $0 >= .write } ?? false
            case .admin: inProject == .admin
            case .storeWrite: inStore.map { $0 >= .write } ?? false
            case .storeAdmin: inStore == .admin
            }
        }
    }

    init() throws {
        api = try TestAPI(.tokens)
        let admin = Caller.local(via: "test")
        (project, experiment, run) = try api.engine.changeAndWait(admin) { ledger throws(Refusal) in
            let project = try ledger.createProject(ProjectDraft(title: "Lab")).project
            let experiment = try ledger.createExperiment(
                ExperimentDraft(name: "lr-sweep", project: project.id)
            ).experiment
            var draft = RunDraft(experiment: experiment.id)
            draft.attributes.tags["team"] = .some("vision")
            let run = try ledger.createRun(draft)
            for owner in [Item.Owner.project(project.id), .experiment(experiment.id), .run(run.key)] {
                _ = try ledger.addNote("First.", to: owner, who: "test")
            }
            _ = try ledger.put(kind: "fact", key: "dataset", data: "{\"rows\":3}", on: .run(run.key), who: "test")
            try ledger.recordProblem("A line that is no JSON.", line: "{", of: run.key, who: "test")
            return (project, experiment, run)
        }
        _ = try api.engine.putUser(admin, name: "someone", role: .read)
        token = try api.engine.createToken(admin, for: "someone", label: "old").token.id
        try record(in: run, of: project)
        try register(from: run, of: project)
        try compare()
    }

    /// A second experiment, and a comparison of both.
    private func compare() throws {
        _ = try api.post(
            "/api/v1/experiments", ["name": "ablation", "project": "lab"], headers: try api.user("maker", .admin))
        let kept = try api.post(
            "/api/v1/comparisons", ["experiment_ids": ["lr-sweep", "ablation"]], headers: try api.user("maker", .admin))
        guard let id = kept.json["id"]?.string else { throw TestAPI.Trouble(what: kept.text) }
        comparison = id
    }

    /// A model with two versions and an alias, and a logged one.
    private func register(from run: Run, of project: Project) throws {
        loggedModel = try api.engine.changeAndWait(.local(via: "test")) { ledger throws(Refusal) in
            _ = try ledger.createModel("churn", in: project.id, tags: Pairs([("team", .some("crm"))]))
            for alias in ["production", "candidate"] {
                var draft = ModelVersionDraft(source: "runs:/\(run.id)/models/best.pt")
                draft.run = run.id.text
                draft.aliases = [alias]
                _ = try ledger.createModelVersion(of: "churn", in: project.id, draft)
            }
            var hook = WebhookDraft(
                name: "deploy", url: "https://example.org/hook", events: [WebhookEvent(.version, .created)!])
            hook.secret = "hush"
            _ = try ledger.createWebhook(hook, id: World.webhook, in: project.id)
            var draft = LoggedModelDraft(experiment: run.experiment)
            draft.sourceRun = run.id.text
            draft.params = Pairs([("depth", ParamValue(text: "6", kind: .number))])
            let model = try ledger.createLoggedModel(draft)
            let metric = ModelMetric(key: "accuracy", value: .nan, step: 1, time: ledger.now, dataset: "test")
            return try ledger.logLoggedModelMetrics([metric], of: model.id).id
        }
    }

    /// Points, a rich value, an artifact, and two versions of a named one.
    private func record(in run: Run, of project: Project) throws {
        var digests: [Digest] = []
        for content in ["weights", "other weights"] {
            let upload = try api.api.blobs.begin()
            try upload.write(Array(content.utf8))
            digests.append(try upload.finish(now: api.clock.now).digest)
        }
        let (blobs, stored) = (api.api.blobs, digests)
        try api.engine.changeAndWait(.local(via: "test")) { ledger throws(Refusal) in
            for name in ["val/loss", "accuracy"] {
                let points = SeriesPoints([Point(step: 1, time: ledger.now.micros, value: 0.9)])
                let batch = PointBatch(entries: [.init(name: name, points: points)])
                try ledger.logPoints(PreparedPoints(batch: batch, blobs: nil), to: run.key)
            }
            try ledger.logRich(
                [RichPoint(key: "team", step: 1, time: ledger.now, kind: "histogram", data: "{\"v\":1}")], to: run.key)
            _ = try ledger.addStored(
                Artifact(
                    id: 0, run: run.key, path: "models/best.pt", digest: stored[0], type: "model", size: 7,
                    at: ledger.now), in: blobs)
            try ledger.admit(stored[1], in: blobs)
            for digest in stored {
                _ = try ledger.publish(
                    "spam-model", in: project.id, digest: digest, size: 7, type: "model",
                    from: digest == stored[0] ? run.key : nil,
                    metadata: "{}", aliases: digest == stored[0] ? ["production"] : [])
            }
            let dataset = Dataset(name: "spam", digest: "4f1c", sourceType: "local", source: "spam.csv")
            try ledger.logInputs([DatasetInput(dataset: dataset)], to: run.key, who: "test")
            // So that there is a best one.
            var draft = RunDraft(experiment: run.experiment)
            draft.status = MartletDomain.Status(word: "finished")
            let done = try ledger.createRun(draft)
            let points = SeriesPoints([Point(step: 1, time: ledger.now.micros, value: 0.95)])
            let batch = PointBatch(entries: [.init(name: "accuracy", points: points)])
            try ledger.logPoints(PreparedPoints(batch: batch, blobs: nil), to: done.key)
        }
    }

    func headers(of person: Person) throws -> Headers {
        switch person {
        case .stranger: [:]
        case .nobody: try api.user("nobody", nil)
        case .reader, .writer, .admin: try api.user(person.rawValue, person.inStore)
        case .projectReader: try api.user("projectReader", nil, grants: [project.id: .read])
        case .projectAdmin: try api.user("projectAdmin", nil, grants: [project.id: .admin])
        }
    }

    /// A request that this route takes: its path filled in, its body the example of its schema.
    func request(_ route: Route) throws -> (target: String, headers: Headers, body: [UInt8]) {
        var target = route.template
        for part in route.pathParts {
            guard let value = World.value(of: part.name, in: self) else {
                throw TestAPI.Trouble(what: "World knows no value for {\(part.name)} of \(route.path)")
            }
            target = target.replacing("{\(part.name)}", with: value)
        }
        if route.path.hasPrefix("/api/v1/audit") { target += "?project=\(project.slug)" }
        if route.path.hasSuffix("/history") { target += "?metric=accuracy" }
        if route.path == "/api/v1/experiments/{experiment}/lineage" { target += "?dataset=spam" }
        if route.path == "/api/v1/runs/best" { target += "?experiment=lr-sweep&metric=accuracy" }
        guard let (type, schema) = route.doc.body.first else { return (target, [:], []) }
        if schema == "Bytes" { return (target, ["Content-Type": type], Array("more weights".utf8)) }
        if schema == "LogbookLines" {
            let line =
                "{\"w\":\"w1\",\"seq\":1,\"t\":1705314600000,\"run\":\"0123456789abcdef0123456789abcdef\",\"op\":\"run\","
                + "\"project\":\"\(project.slug)\",\"experiment\":\"lr-sweep\"}\n"
            return (target, ["Content-Type": type], Array(line.utf8))
        }
        if schema == "NewSession" {
            let secret = try api.engine.createToken(.system, for: "someone", label: "", kind: .invitation).secret
            return (target, ["Content-Type": type], Array("{\"invitation\":\"\(secret)\"}".utf8))
        }
        if type == "application/json", let example = Schemas.named(schema)?.example {
            return (target, ["Content-Type": type], Array(TestAPI.text(example).utf8))
        }
        if schema == "Fact" { return (target, ["Content-Type": type], Array("{\"rows\":5574}".utf8)) }
        throw TestAPI.Trouble(what: "\(route.path) has a body without an example: \(schema)")
    }

    private static func value(of part: String, in world: World) -> String? {
        switch part {
        case "project": world.project.slug
        case "experiment": "\(world.experiment.id)"
        case "run": world.run.id.text
        case "note": "1"
        case "kind": "dataset"
        case "key": "team"
        case "glob": "val/loss"
        case "id": world.token
        case "name": "someone"
        case "metric": "val/loss"
        case "path": "models/best.pt"
        case "artifact": "spam-model"
        case "version": "1"
        case "alias": "production"
        case "model": "churn"
        case "webhook": webhook
        case "comparison": world.comparison
        case "logged": world.loggedModel
        default: nil
        }
    }
}
