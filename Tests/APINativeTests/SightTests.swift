import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@testable import MartletAPINative

/// A reader of one project, beside another project full of things whose names are close to everything.
private struct TwoLabs {
    let world: World
    let headers: Headers
    /// What must never be said to the reader.
    let secrets: [String]

    init() throws {
        let world = try World()
        let (hidden, run) = try world.api.engine.changeAndWait(.local(via: "test")) { ledger throws(Refusal) in
            let hidden = try ledger.createProject(ProjectDraft(title: "Labs")).project
            var last: Run?
            for name in ["lr-sweep", "lr-sweeps", "lr-sweep2"] {
                let experiment = try ledger.createExperiment(ExperimentDraft(name: name, project: hidden.id)).experiment
                var draft = RunDraft(experiment: experiment.id)
                draft.name = "secret-name"
                last = try ledger.createRun(draft)
            }
            _ = try ledger.createExperiment(ExperimentDraft(name: "hidden", project: hidden.id))
            return (hidden, last!)
        }
        self.world = world
        headers = try world.headers(of: .projectReader)
        secrets = [
            hidden.slug, "lr-sweeps", "lr-sweep2", "hidden", "secret-name", run.id.text, String(run.id.text.prefix(8)),
        ]
    }

    /// That an answer tells nothing of the hidden project but what was asked with.
    func check(_ reply: Reply, asked: String, _ place: String) {
        for secret in secrets where !asked.contains(secret) {
            #expect(
                !reply.text.contains("“\(secret)") && !reply.text.contains("\"\(secret)"), "\(place): \(reply.text)")
        }
    }
}

@Suite("What a caller may not read is never suggested") struct SightTests {
    @Test("neither for a name that is nearly one, nor among candidates", arguments: NativeAPI.all)
    func everyRoute(_ route: Route) throws {
        guard let part = route.pathParts.first(where: { ["project", "experiment", "run"].contains($0.name) }),
            !route.handler.isSocket
        else { return }
        let labs = try TwoLabs()
        let words =
            switch part.name {
            case "project": ["lab2", "Labz", "labs-", "3"]
            case "experiment": ["lr-sweepz", "lr-sweeq", "hiddem", "lr-sweep3"]
            default:
                [
                    "secret-nam", "secret-names", String(labs.secrets[5].prefix(5)),
                    String(labs.secrets[5].dropLast()) + "z",
                ]
            }
        for word in words {
            var (_, headers, body) = try labs.world.request(route)
            for field in labs.headers { headers.add(field.name, field.value) }
            var target = route.template.replacing("{\(part.name)}", with: word)
            for other in route.pathParts where other.name != part.name {
                target = target.replacing("{\(other.name)}", with: other.name == "run" ? labs.world.run.id.text : "1")
            }
            let reply = try labs.world.api.send(route.method, target, headers: headers, body: body)
            #expect(reply.status >= 400 && reply.status < 500, "\(route.method) \(target) answered \(reply.status)")
            labs.check(reply, asked: word, "\(route.method) \(target)")
        }
    }

    @Test("a name that others use too leads to the one that may be read")
    func readableFirst() throws {
        let labs = try TwoLabs()
        let api = labs.world.api
        func get(_ target: String) throws -> Reply { try api.send(.get, target, headers: labs.headers) }
        let experiment = try get("/api/v1/experiments/lr-sweep")
        #expect(experiment.status == 200 && experiment.json["project_id"]?.string == "\(labs.world.project.id)")
        let run = try get("/api/v1/runs/run_01")
        #expect(run.status == 200 && run.json["id"]?.string == labs.world.run.id.text)
        // An admin of the store is told of all of them.
        let admin = try labs.world.headers(of: .admin)
        let reply = try api.send(.get, "/api/v1/runs/run_01", headers: admin)
        #expect(reply.status == 409 && (reply.json["error"]?["candidates"]?.array?.count ?? 0) >= 2)
    }

    @Test(
        "what is named exactly and may not be read is refused, and nothing is said of it",
        arguments: ["hidden", "lr-sweeps", "name:hidden"])
    func refused(_ name: String) throws {
        let labs = try TwoLabs()
        let reply = try labs.world.api.send(.get, "/api/v1/experiments/\(name)", headers: labs.headers)
        #expect(reply.status == 403)
        labs.check(reply, asked: name, name)
        let run = try labs.world.api.send(.get, "/api/v1/runs/secret-name", headers: labs.headers)
        #expect(run.status == 403)
        labs.check(run, asked: "secret-name", "run")
    }

    @Test("questions and searches name only what may be read")
    func searches() throws {
        let labs = try TwoLabs()
        for target in [
            "/api/v1/runs/best?experiment=lr-sweepz&metric=accuracy", "/api/v1/runs/search?experiment_name=hiddem",
            "/api/v1/runs/search?project=lab2", "/api/v1/experiments?project=labz", "/api/v1/changes?experiment=hiddem",
            "/api/v1/audit?project=lab2", "/api/v1/runs/search?filter=run%20%3D%20'run_01'",
        ] {
            let reply = try labs.world.api.send(.get, target, headers: labs.headers)
            labs.check(reply, asked: target, target)
        }
    }
}
