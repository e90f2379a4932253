import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Testing

@Suite("Webhooks as MLflow's clients know them") struct WebhookTests {
    private let events: JSONValue = [
        ["entity": "MODEL_VERSION", "action": "CREATED"], ["entity": "MODEL_VERSION_TAG", "action": "SET"],
    ]

    @Test("they are made, read, changed and deleted, and the secret is never shown")
    func life() throws {
        let mlflow = try TestMLflow()
        let made = try mlflow.post(
            "webhooks",
            [
                "name": "deploy", "url": "https://example.org/hook", "events": events, "secret": "hush",
                "description": "To the deployer",
            ])
        let webhook = try #require(made.json["webhook"])
        let id = try #require(webhook["webhook_id"]?.string)
        #expect(webhook["status"]?.string == "ACTIVE" && webhook["events"] == events)
        #expect(webhook["description"]?.string == "To the deployer")
        #expect(webhook["creation_timestamp"]?.int64 != nil)
        let got = try mlflow.get("webhooks/\(id)")
        #expect(got.json["webhook"] == webhook)
        let changed = try mlflow.send(
            .patch, "webhooks/\(id)",
            ["status": "DISABLED", "name": "", "events": [events[0] ?? .null], "secret": "new"])
        #expect(changed.json["webhook"]?["status"]?.string == "DISABLED")
        #expect(changed.json["webhook"]?["name"]?.string == "deploy")
        #expect(changed.json["webhook"]?["events"]?.array?.count == 1)
        let listed = try mlflow.get("webhooks")
        #expect(listed.json["webhooks"]?.array?.count == 1)
        for answer in [made, got, changed, listed] {
            #expect(!answer.text.contains("hush") && !answer.text.contains("new"))
        }
        #expect(try mlflow.send(.delete, "webhooks/\(id)").text == "{}")
        let gone = try mlflow.get("webhooks/\(id)")
        #expect(gone.status == 404 && gone.code == "RESOURCE_DOES_NOT_EXIST")
        #expect(gone.message == "Webhook with ID \(id) not found.")
        #expect(try mlflow.get("webhooks").text == "{}")
    }

    @Test("the newest come first, and pages lead on")
    func pages() throws {
        let mlflow = try TestMLflow()
        for number in 1...5 {
            try mlflow.post(
                "webhooks", ["name": .string("h\(number)"), "url": "https://example.org", "events": events])
        }
        var (names, token): ([String], String?) = ([], "")
        while let next = token {
            let page = try mlflow.get("webhooks?max_results=2&page_token=\(next)")
            names += (page.json["webhooks"]?.array ?? []).compactMap { $0["name"]?.string }
            token = page.json["next_page_token"]?.string
        }
        #expect(names == ["h5", "h4", "h3", "h2", "h1"])
        #expect(try mlflow.get("webhooks?max_results=1001").message == "max_results must be between 1 and 1000.")
    }

    @Test("what is wrong is named as MLflow names it")
    func refusals() throws {
        let mlflow = try TestMLflow()
        func message(_ body: JSONValue) throws -> String {
            let answer = try mlflow.post("webhooks", body)
            #expect(answer.status == 400)
            return answer.message
        }
        let url: JSONValue = "https://example.org"
        #expect(try message(["url": url, "events": events]).hasPrefix("Missing value for required parameter 'name'"))
        #expect(try message(["name": "a", "url": url]).hasPrefix("Missing value for required parameter 'events'"))
        #expect(try message(["name": "a b", "url": url, "events": events]).hasPrefix("Webhook name 'a b' is invalid."))
        #expect(
            try message(["name": "a", "url": url, "events": [["entity": "MODEL_VERSION", "action": "SET"]]])
                == "Invalid action 'set' for entity 'model_version'. Valid actions are: ['created']")
        #expect(
            try message(["name": "a", "url": url, "events": [["entity": "BUDGET_POLICY", "action": "EXCEEDED"]]])
                .contains("no budget policies"))
        #expect(try message(["name": "a", "url": url, "events": events, "status": "PAUSED"]).contains("'status'"))
    }

    @Test("they are an admin's, to look at too")
    func rights() throws {
        let mlflow = try TestMLflow(.tokens)
        let writer: Headers = ["Authorization": "Bearer \(try mlflow.user("writer", .write))"]
        let body: JSONValue = ["name": "a", "url": "https://example.org", "events": events]
        #expect(try mlflow.post("webhooks", body, headers: writer).status == 403)
        #expect(try mlflow.get("webhooks", headers: writer).status == 403)
        let admin: Headers = ["Authorization": "Bearer \(try mlflow.user("admin", .admin))"]
        #expect(try mlflow.post("webhooks", body, headers: admin).status == 200)
    }

    @Test("where nothing can be sent, a trial says so")
    func trial() throws {
        let mlflow = try TestMLflow()
        let made = try mlflow.post("webhooks", ["name": "a", "url": "https://example.org", "events": events])
        let id = try #require(made.json["webhook"]?["webhook_id"]?.string)
        let answer = try mlflow.post("webhooks/\(id)/test")
        #expect(answer.status == 400 && answer.message.contains("Nothing is sent from here."))
    }
}
