import Glibc
import MartletArtifacts
import MartletDomain
import MartletJSON
import MartletObservability
import MartletStorage
import Synchronization
import Testing

@testable import MartletEngine

/// A receiver in this process, which answers what it is told to.
private final class Receiver: Outbound {
    struct Post: Sendable {
        var url: String
        var headers: [String: String]
        var body: [UInt8]
        var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
        var event: String { "\(json["entity"]?.string ?? "").\(json["action"]?.string ?? "")" }
    }

    private let state = Mutex<(posts: [Post], answers: [Int])>(([], []))
    init(answers: [Int] = []) { state.withLock { $0.answers = answers } }

    var posts: [Post] { state.withLock { $0.posts } }
    func check(_ url: String) throws(Refusal) {}

    func post(
        _ url: String, headers: [(name: String, value: String)], body: [UInt8], goesOn: @escaping @Sendable () -> Bool
    ) throws(OutboundFailure) -> OutboundAnswer {
        let status = state.withLock { state -> Int in
            let fields = Dictionary(uniqueKeysWithValues: headers.map { ($0.name, $0.value) })
            state.posts.append(Post(url: url, headers: fields, body: body))
            return state.answers.isEmpty ? 200 : state.answers.removeFirst()
        }
        if status == 0 { throw OutboundFailure("Nothing answers.", isPassing: true) }
        return OutboundAnswer(status: status, body: Array("seen".utf8), retryAfter: 0)
    }

    /// Waits until there are so many, and a moment for one too many.
    func wait(for count: Int) -> [Post] {
        for _ in 0..<500 where posts.count < count { usleep(10_000) }
        usleep(30_000)
        return posts
    }
}

@Suite("Webhooks hear of the registry once it is on disk") struct WebhookTests {
    private let caller = Caller.local(via: "test")

    private func engine(_ receiver: Receiver) -> Engine {
        Engine(store: MemoryStore(), log: .silent, outbound: receiver)
    }

    @discardableResult
    private func change<T: Sendable>(
        _ engine: Engine, _ body: @escaping @Sendable (Ledger) throws(Refusal) -> T
    ) throws -> T { try engine.changeAndWait(caller, .live, bytes: 512, body) }

    private func hook(
        _ engine: Engine, _ words: [String], secret: String = "", isActive: Bool = true
    ) throws -> Webhook {
        try change(engine) { ledger throws(Refusal) in
            var draft = WebhookDraft(
                name: "hook", url: "https://receiver.example/take?key=k",
                events: words.compactMap { WebhookEvent(word: $0) })
            (draft.secret, draft.isActive) = (secret, isActive)
            return try ledger.createWebhook(draft, id: UniqueID.make(), in: .standard)
        }
    }

    private let everything = WebhookEvent.all.map(\.word)

    @Test("each thing that happens to a model is one event with its own data")
    func models() throws {
        let receiver = Receiver()
        let engine = engine(receiver)
        defer { engine.stopTelling() }
        _ = try hook(engine, everything)
        try change(engine) { ledger throws(Refusal) in
            _ = try ledger.createModel(
                "churn", in: .standard, description: "Who leaves", tags: Pairs([("team", .some("crm"))]))
            var draft = ModelVersionDraft(source: "s3://models/1")
            draft.tags = Pairs([("checked", .some("no"))])
            _ = try ledger.createModelVersion(of: "churn", in: .standard, draft)
        }
        try change(engine) { ledger throws(Refusal) in
            _ = try ledger.updateModel("churn", in: .standard, ModelUpdate(tags: [("team", .some("sales"))]))
            _ = try ledger.updateModelVersion(
                1, of: "churn", in: .standard, ModelUpdate(tags: [("checked", .some("yes")), ("by", .some("me"))]))
            _ = try ledger.updateModelVersion(1, of: "churn", in: .standard, ModelUpdate(removingTags: ["by"]))
            _ = try ledger.setModelAlias("champion", of: "churn", in: .standard, version: 1)
            _ = try ledger.setModelAlias("champion", of: "churn", in: .standard, version: nil)
        }
        let posts = receiver.wait(for: 7)
        #expect(
            posts.map(\.event) == [
                "registered_model.created", "model_version.created", "model_version_tag.set", "model_version_tag.set",
                "model_version_tag.deleted", "model_version_alias.created", "model_version_alias.deleted",
            ])
        let data: [JSONValue] = [
            ["name": "churn", "tags": ["team": "crm"], "description": "Who leaves"],
            [
                "name": "churn", "version": "1", "source": "s3://models/1", "run_id": nil, "tags": ["checked": "no"],
                "description": nil,
            ],
            ["name": "churn", "version": "1", "key": "checked", "value": "yes"],
            ["name": "churn", "version": "1", "key": "by", "value": "me"],
            ["name": "churn", "version": "1", "key": "by"],
            ["name": "churn", "alias": "champion", "version": "1"], ["name": "churn", "alias": "champion"],
        ]
        for (post, data) in zip(posts, data) { #expect(post.json["data"] == data) }
        #expect(posts[0].json["timestamp"]?.string?.hasSuffix("+00:00") == true)
    }

    @Test("prompts are told as prompts, their text as a template and without their marks")
    func prompts() throws {
        let receiver = Receiver()
        let engine = engine(receiver)
        defer { engine.stopTelling() }
        _ = try hook(engine, everything)
        try change(engine) { ledger throws(Refusal) in
            let mark = (PromptTags.isPrompt, TagValue.some("true"))
            _ = try ledger.createModel("greet", in: .standard, tags: Pairs([mark, ("tone", .some("warm"))]))
            var draft = ModelVersionDraft(source: "prompt-template")
            draft.tags = Pairs([
                mark, (PromptTags.type, .some("text")), (PromptTags.text, .some("Hello {{name}}!")),
                ("by", .some("me")),
            ])
            _ = try ledger.createModelVersion(of: "greet", in: .standard, draft)
        }
        try change(engine) { ledger throws(Refusal) in
            _ = try ledger.updateModel("greet", in: .standard, ModelUpdate(removingTags: ["tone"]))
            _ = try ledger.setModelAlias("live", of: "greet", in: .standard, version: 1)
        }
        let posts = receiver.wait(for: 4)
        #expect(
            posts.map(\.event) == [
                "prompt.created", "prompt_version.created", "prompt_tag.deleted", "prompt_alias.created",
            ])
        #expect(posts[0].json["data"] == ["name": "greet", "tags": ["tone": "warm"], "description": ""])
        #expect(
            posts[1].json["data"] == [
                "name": "greet", "version": "1", "template": "Hello {{name}}!", "tags": ["by": "me"],
                "description": nil,
            ])
    }

    @Test("a change that fails tells nothing, and neither does a webhook of another event, project or state")
    func silence() throws {
        let receiver = Receiver()
        let engine = engine(receiver)
        defer { engine.stopTelling() }
        _ = try hook(engine, ["prompt.created"])
        _ = try hook(engine, ["registered_model.created"], isActive: false)
        let heard = try hook(engine, ["registered_model.created"])
        #expect(throws: Refusal.self) {
            try change(engine) { ledger throws(Refusal) in
                _ = try ledger.createModel("never", in: .standard)
                throw Refusal(.invalid, "The test ends it.", remedy: "")
            }
        }
        try change(engine) { ledger throws(Refusal) in
            let other = try ledger.createProject(ProjectDraft(title: "Other")).project
            _ = try ledger.createModel("elsewhere", in: other.id)
            _ = try ledger.createModel("churn", in: .standard)
        }
        #expect(receiver.wait(for: 1).map { $0.json["data"]?["name"]?.string } == ["churn"])
        try change(engine) { ledger throws(Refusal) in
            try ledger.deleteWebhook(heard.id, in: .standard)
            _ = try ledger.createModel("late", in: .standard)
        }
        #expect(receiver.wait(for: 2).count == 1)
    }

    @Test("a delivery is signed over its id, its time and its body, and says who it is when it is tried again")
    func signature() throws {
        let receiver = Receiver(answers: [503, 200])
        let engine = engine(receiver)
        defer { engine.stopTelling() }
        _ = try hook(engine, ["registered_model.created"], secret: "hush")
        try change(engine) { ledger throws(Refusal) in _ = try ledger.createModel("churn", in: .standard) }
        let posts = receiver.wait(for: 2)
        #expect(posts.count == 2)
        for post in posts {
            let id = try #require(post.headers["X-MLflow-Delivery-Id"])
            let seconds = try #require(post.headers["X-MLflow-Timestamp"])
            let code = MessageCode.sha256(key: Array("hush".utf8), Array("\(id).\(seconds).".utf8) + post.body)
            #expect(post.headers["X-MLflow-Signature"] == "v1,\(Base64Text.encode(code))")
            #expect(post.headers["Content-Type"] == "application/json")
            #expect(id == posts[0].headers["X-MLflow-Delivery-Id"] && id.count == 36)
        }
        #expect(posts[0].body == posts[1].body)
    }

    @Test("without a secret nothing is signed; what is refused for good is not sent again")
    func unsigned() throws {
        let receiver = Receiver(answers: [401])
        let engine = engine(receiver)
        defer { engine.stopTelling() }
        _ = try hook(engine, ["registered_model.created"])
        try change(engine) { ledger throws(Refusal) in _ = try ledger.createModel("churn", in: .standard) }
        let posts = receiver.wait(for: 1)
        #expect(posts.count == 1 && posts[0].headers["X-MLflow-Signature"] == nil)
    }

    @Test("a trial sends an example of the event and brings back what was answered", arguments: WebhookEvent.all)
    func trial(_ event: WebhookEvent) throws {
        let receiver = Receiver(answers: [418])
        let engine = engine(receiver)
        defer { engine.stopTelling() }
        let webhook = try hook(engine, ["registered_model.created"], secret: "hush")
        let outcome = Mutex<WebhookTrial?>(nil)
        engine.testWebhook(webhook, event) { result in outcome.withLock { $0 = try? result.get() } }
        let posts = receiver.wait(for: 1)
        #expect(posts.map(\.event) == [event.word])
        #expect(posts[0].json["data"]?["name"]?.string?.hasPrefix("example_") == true)
        let trial = try #require(outcome.withLock { $0 })
        #expect(!trial.succeeded && trial.status == 418 && trial.body == "seen")
    }

    @Test("the secret is in no audit entry, and a changed one is said to have changed")
    func audit() throws {
        let engine = engine(Receiver())
        defer { engine.stopTelling() }
        let webhook = try hook(engine, ["registered_model.created"], secret: "first-secret")
        try change(engine) { ledger throws(Refusal) in
            var update = WebhookUpdate()
            update.secret = "second-secret"
            _ = try ledger.updateWebhook(webhook.id, in: .standard, update)
            try ledger.deleteWebhook(webhook.id, in: .standard)
        }
        let entries = try engine.read { (reader: any StoreReader) throws(Refusal) in
            try reader.audit(nil, before: nil, limit: 10)
        }
        #expect(entries.map(\.action) == ["webhook.delete", "webhook.update", "webhook.create"])
        #expect(entries[1].detail.contains("\"secret\":\"changed\""))
        for entry in entries {
            let text = entry.detail + entry.subject
            #expect(!text.contains("-secret") && !text.contains("key=k"))
            #expect(text.contains(webhook.id) && text.contains("https://receiver.example"))
        }
    }

    @Test("what cannot be a webhook is refused by the field that is wrong")
    func refusals() throws {
        let engine = engine(Receiver())
        defer { engine.stopTelling() }
        let good = WebhookDraft(name: "a", url: "https://a.example", events: [WebhookEvent(.model, .created)!])
        func field(_ change: (inout WebhookDraft) -> Void) -> String? {
            var draft = good
            change(&draft)
            let made = draft
            do {
                try self.change(engine) { ledger throws(Refusal) in
                    _ = try ledger.createWebhook(made, id: UniqueID.make(), in: .standard)
                }
                return nil
            } catch { return (error as? Refusal)?.field }
        }
        for name in ["", "-a", "a-", "a b", "ä", String(repeating: "a", count: 64)] {
            #expect(field { $0.name = name } == "name", "\(name)")
        }
        #expect(field { $0.name = String(repeating: "a", count: 63) } == nil)
        #expect(field { $0.url = "no address" } == "url")
        #expect(field { $0.url = "https://a.example/\n" } == "url")
        #expect(field { $0.events = [] } == "events")
        #expect(field { $0.secret = String(repeating: "s", count: 2000) } == "secret")
        #expect(WebhookEvent(word: "model_version.set") == nil && WebhookEvent(word: "model_version") == nil)
    }
}
