import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@testable import MartletAPINative

@Suite("Projects") struct ProjectTests {
    let api: TestAPI
    init() throws { api = try TestAPI() }

    @Test("are created as the guide says, and found again by their name")
    func create() throws {
        let body: JSONValue = [
            "name": "Clinical Notes", "description": "ML models for healthcare applications", "team": "ml-team",
            "tags": ["healthcare", "nlp"],
        ]
        let first = try api.post("/api/v1/projects", body)
        #expect(first.status == 201)
        #expect(first["id"] == first["project_id"] && first["created"] == true && first["slug"] == "clinical-notes")
        #expect(first["tags"] == ["healthcare": nil, "nlp": nil] && first["tag_list"] == ["healthcare", "nlp"])
        let again = try api.post("/api/v1/projects", body)
        #expect(again.status == 200 && again["created"] == false && again["id"] == first["id"])
    }

    @Test("are listed by team and tag, both of which must hold")
    func list() throws {
        for (name, team, tags) in [
            ("One", "ml-team", ["healthcare"]), ("Two", "ml-team", ["vision"]), ("Three", "other", ["healthcare"]),
        ] {
            try api.post(
                "/api/v1/projects",
                ["name": .string(name), "team": .string(team), "tags": .array(tags.map { .string($0) })])
        }
        func names(_ query: String) throws -> [String] {
            try api.get("/api/v1/projects?" + query)["projects"].array?.compactMap { $0["name"]?.string } ?? []
        }
        #expect(try names("team=ml-team&tag=healthcare") == ["One"])
        #expect(try names("tag=healthcare") == ["One", "Three"])
        #expect(try names("tag=healthcare&tag=vision") == [])
        #expect(try names("team=ml-team") == ["One", "Two"])
    }

    @Test("show what is in them and when anything last changed, by id and by slug")
    func show() throws {
        let id = try #require(try api.post("/api/v1/projects", ["name": "Clinical Notes"])["id"].string)
        try api.post("/api/v1/experiments", ["name": "a", "project_id": "clinical-notes"])
        let other = try api.post("/api/v1/experiments", ["name": "b", "project_id": .string(id)])
        let experiment = try #require(other["id"].string)
        let before = try #require(try api.get("/api/v1/projects/clinical-notes")["last_activity"].string)
        try api.post("/api/v1/experiments/\(experiment)/runs", [:])
        let project = try api.get("/api/v1/projects/\(id)")
        #expect(project["experiment_count"] == 2 && project["run_count"] == 1)
        let after = try #require(project["last_activity"].string)
        #expect(after > before)
        #expect(try api.get("/api/v1/projects/clinical-notes").json == project.json)
    }

    @Test("change field by field, and refuse a change that names nothing known")
    func change() throws {
        try api.post("/api/v1/projects", ["name": "Lab", "team": "a", "tags": ["x", "y"]])
        let changed = try api.patch(
            "/api/v1/projects/lab", ["description": "New", "tags": ["z": "1"], "remove_tags": ["x"]])
        #expect(changed.status == 200 && changed["team"] == "a" && changed["description"] == "New")
        #expect(changed["tags"] == ["y": nil, "z": "1"])
        let typo = try api.patch("/api/v1/projects/lab", ["descripton": "New"])
        #expect(typo.status == 422 && typo.error("field") == "descripton")
        #expect(typo.error("remedy")?.contains("description") == true)
    }

    @Test("take all that is in them along when they are deleted, and bring it back")
    func deleteAndRestore() throws {
        try api.post("/api/v1/projects", ["name": "Lab"])
        let experiment = try #require(
            try api.post("/api/v1/experiments", ["name": "a", "project_id": "lab"])["id"].string)
        let run = try #require(try api.post("/api/v1/experiments/\(experiment)/runs", [:])["id"].string)
        #expect(try api.delete("/api/v1/projects/lab").status == 204)
        #expect(try api.get("/api/v1/runs/\(run)")["life"] == "deleted")
        #expect(try api.get("/api/v1/projects?name=Lab")["projects"].array?.count == 0)
        #expect(try api.get("/api/v1/projects?name=Lab&state=deleted")["projects"].array?.count == 1)
        #expect(try api.post("/api/v1/projects", ["name": "Lab"]).status == 409)
        #expect(try api.post("/api/v1/projects/lab/restore", [:]).status == 200)
        #expect(try api.get("/api/v1/runs/\(run)")["life"] == "active")
        #expect(try api.delete("/api/v1/projects/default").status == 409)
    }

    @Test("leave nothing when they are deleted for good but their id, which is never given again")
    func purge() throws {
        let id = try #require(try api.post("/api/v1/projects", ["name": "Lab"])["id"].string)
        let experiment = try #require(
            try api.post("/api/v1/experiments", ["name": "a", "project_id": "lab"])["id"].string)
        let run = try #require(try api.post("/api/v1/experiments/\(experiment)/runs", [:])["id"].string)
        #expect(try api.delete("/api/v1/projects/lab?permanent=true").status == 204)
        for gone in ["projects/lab", "projects/\(id)", "experiments/\(experiment)", "runs/\(run)"] {
            #expect(try api.get("/api/v1/" + gone).status == 404, "\(gone) is still there")
        }
        for list in ["projects?state=all", "experiments?state=all"] {
            #expect(try !api.get("/api/v1/" + list).text.contains("purged"))
        }
        #expect(try api.post("/api/v1/projects/\(id)/restore", [:]).status == 404)
        let next = try api.post("/api/v1/projects", ["name": "Lab"])
        #expect(next.status == 201 && next["id"].string != id)
    }
}

@Suite("Experiments") struct ExperimentTests {
    let api: TestAPI
    init() throws { api = try TestAPI() }

    @Test("are created by the body of the first guide, with both spellings in the answer")
    func firstBody() throws {
        let reply = try api.post(
            "/api/v1/experiments",
            text: """
                {"experiment_name": "api-experiment", "description": "Created via API", "tags": {"source": "api"}}
                """)
        #expect(reply.status == 201 && reply["created"] == true)
        #expect(reply["id"] == reply["experiment_id"] && reply["name"] == "api-experiment")
        #expect(reply["experiment_name"] == "api-experiment" && reply["tags"] == ["source": "api"])
        #expect(reply["tag_list"] == ["source"] && reply["project"] == "default")
    }

    @Test("are created by the body of the second guide, in their project")
    func secondBody() throws {
        let project = try #require(try api.post("/api/v1/projects", ["name": "Spam"])["id"].string)
        let reply = try api.post(
            "/api/v1/experiments",
            [
                "project_id": .string(project), "name": "Spam Detection v2",
                "hypothesis": "TF-IDF + MultinomialNB will achieve >95% accuracy",
                "description": "Testing TF-IDF", "tags": ["spam", "tfidf"], "type": "classification",
                "domain": "healthcare", "metrics": ["accuracy", "f1"],
            ])
        #expect(reply.status == 201 && reply["project_id"] == .string(project))
        #expect(reply["hypothesis"] == "TF-IDF + MultinomialNB will achieve >95% accuracy")
        #expect(reply["tags"] == ["spam": nil, "tfidf": nil] && reply["type"] == "classification")
        #expect(reply["domain"] == "healthcare" && reply["metrics"] == ["accuracy", "f1"])
        // The answer may come back as a body: ids and names that agree are no contradiction.
        #expect(try api.post("/api/v1/experiments", reply.json).status == 200)
    }

    @Test("refuse two different names, a wrong shape and a reserved word, and name the field")
    func refusals() throws {
        for (body, field) in [
            (["name": "a", "experiment_name": "b"], "name"), (["tags": ["x"]], "name"),
            (["name": "a", "tags": 3], "tags"), (["name": 5], "name"), (["name": "compare"], "name"),
            (["name": "a", "type": 7], "type"), (["name": "a", "metrics": "accuracy"], "metrics"),
            (["name": " "], "name"), (["name": "a\u{1}"], "name"),
        ] as [(JSONValue, String)] {
            let reply = try api.post("/api/v1/experiments", body)
            #expect(reply.status == 422 && reply.error("field") == field, "\(body): \(reply.text)")
        }
        let absent = try api.post("/api/v1/experiments", ["name": "a", "project_id": "defualt"])
        #expect(absent.status == 404 && absent.json["error"]?["candidates"] == ["default"])
    }

    @Test("are shared by name inside a project, and not between projects")
    func sharing() throws {
        try api.post("/api/v1/projects", ["name": "Other"])
        let first = try api.post("/api/v1/experiments", ["name": "a", "description": "one"])
        let again = try api.post("/api/v1/experiments", ["experiment_name": "a", "description": "two"])
        let other = try api.post("/api/v1/experiments", ["name": "a", "project_id": "other"])
        #expect(again.status == 200 && again["created"] == false && again["id"] == first["id"])
        #expect(again["description"] == "one")
        #expect(other.status == 201 && other["id"] != first["id"])
    }

    @Test("are listed by project, name, tag and state, page by page while others are added")
    func list() throws {
        for index in 1...7 {
            try api.post(
                "/api/v1/experiments",
                ["name": .string("e\(index)"), "tags": index % 2 == 0 ? ["even": "yes"] : ["odd"]])
        }
        func names(_ reply: Reply) -> [String] {
            reply["experiments"].array?.compactMap { $0["name"]?.string } ?? []
        }
        #expect(try names(api.get("/api/v1/experiments?tag=even")) == ["e2", "e4", "e6"])
        #expect(try names(api.get("/api/v1/experiments?tag=even=yes&name=e*")) == ["e2", "e4", "e6"])
        #expect(try names(api.get("/api/v1/experiments?tag=even=no")) == [])
        #expect(try names(api.get("/api/v1/experiments?name=e3")) == ["e3"])
        var seen: [String] = []
        var token: String?
        repeat {
            let page = try api.get("/api/v1/experiments?name=e*&limit=3" + (token.map { "&page_token=\($0)" } ?? ""))
            #expect(page.status == 200)
            seen += names(page)
            token = page["next_page_token"].string
            if seen.count == 3 {
                // Another list's token is refused; a row added between two pages is shown once, at its place.
                #expect(try api.get("/api/v1/experiments?limit=3&page_token=\(token ?? "")").status == 422)
                try api.post("/api/v1/experiments", ["name": "e8"])
                try api.delete("/api/v1/experiments/e1")
            }
        } while token != nil
        #expect(seen == ["e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8"])
        #expect(try names(api.get("/api/v1/experiments?state=deleted")) == ["e1"])
        #expect(try api.get("/api/v1/experiments?state=gone").status == 422)
    }

    @Test("change field by field; a taken name is a conflict")
    func change() throws {
        try api.post("/api/v1/experiments", ["name": "a", "tags": ["x": "1"], "domain": "nlp"])
        try api.post("/api/v1/experiments", ["name": "b"])
        let changed = try api.patch(
            "/api/v1/experiments/a", ["name": "c", "hypothesis": "It works", "domain": nil, "remove_tags": ["x"]])
        #expect(changed.status == 200 && changed["name"] == "c" && changed["hypothesis"] == "It works")
        #expect(changed["domain"].isNull && changed["tags"] == [:])
        #expect(try api.patch("/api/v1/experiments/c", ["name": "b"]).status == 409)
        #expect(try api.get("/api/v1/experiments/a").status == 404)
    }

    @Test("free their name but never their id when they are deleted for good")
    func purge() throws {
        let id = try #require(try api.post("/api/v1/experiments", ["name": "a"])["id"].string)
        let run = try #require(try api.post("/api/v1/experiments/a/runs", ["name": "r"])["id"].string)
        #expect(try api.delete("/api/v1/experiments/a").status == 204)
        #expect(try api.post("/api/v1/experiments", ["name": "a"]).status == 409)
        #expect(try api.post("/api/v1/experiments/a/restore", [:]).status == 200)
        #expect(try api.get("/api/v1/runs/\(run)")["life"] == "active")
        #expect(try api.delete("/api/v1/experiments/a?permanent=true").status == 204)
        let gone = try api.get("/api/v1/experiments/\(id)")
        #expect(gone.status == 404 && gone.error("message")?.contains("for good") == true)
        #expect(try api.get("/api/v1/runs/\(run)").status == 404)
        let next = try api.post("/api/v1/experiments", ["name": "a"])
        #expect(next.status == 201 && next["id"].string != id)
        let again = try api.post(
            "/api/v1/experiments/a/runs", ["id": .string(run)])
        #expect(again.status == 404, "the id of a run that was deleted for good was given again")
        #expect(try api.delete("/api/v1/experiments/0?permanent=true").status == 409)
    }
}

@Suite("Metric definitions") struct MetricDefinitionTests {
    @Test("count as they were said last, and keep what was said before")
    func latest() throws {
        let api = try TestAPI()
        try api.post("/api/v1/experiments", ["name": "a"])
        let target = "/api/v1/experiments/a/metrics/val/*"
        #expect(try api.put(target, ["goal": "minimize", "unit": "nats"])["goal"] == "min")
        #expect(try api.put(target, ["goal": "max", "summary": "best"])["unit"].isNull)
        let shown = try api.get("/api/v1/experiments/a/metrics/val/loss")
        #expect(shown["metric"] == "val/*" && shown["goal"] == "max" && shown["guessed"] == false)
        #expect(shown["history"].array?.count == 1 && shown["history"][0]?["unit"] == "nats")
        #expect(try api.get("/api/v1/experiments/a/metrics")["metrics"].array?.count == 1)
        let guessed = try api.get("/api/v1/experiments/a/metrics/train_loss")
        #expect(guessed["goal"] == "min" && guessed["guessed"] == true)
        let both = try api.get("/api/v1/experiments/a/metrics?name=train_loss&name=val/loss")["metrics"]
        #expect(both[0]?["name"] == "train_loss" && both[0]?["goal"] == "min" && both[0]?["guessed"] == true)
        #expect(both[1]?["name"] == "val/loss" && both[1]?["metric"] == "val/*" && both[1]?["goal"] == "max")
        #expect(both[1]?["guessed"] == false && both.array?.count == 2)
        try api.put("/api/v1/experiments/a/metrics/latency", ["unit": "ms"])
        let unit = try api.get("/api/v1/experiments/a/metrics?name=latency")["metrics"][0]
        #expect(unit?["goal"] == "min" && unit?["guessed"] == true && unit?["unit"] == "ms")
        let many = "?" + (0...1000).map { "name=m\($0)" }.joined(separator: "&")
        #expect(try api.get("/api/v1/experiments/a/metrics" + many).error("field") == "name")
        let wrong = try api.put(target, ["goal": "sideways"])
        #expect(wrong.status == 422 && wrong.error("field") == "goal")
    }
}
