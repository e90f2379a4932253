import MartletHTTPMessages
import MartletJSON
import Testing

@Suite("Experiments over the native API") struct ExperimentRouteTests {
    @Test("an experiment is made once by its name, whichever spelling names it")
    func createdOnce() throws {
        let api = try TestAPI()
        let first = try api.post("/api/v1/experiments", ["experiment_name": "spam", "tags": ["team": "nlp"]])
        #expect(first.status == 201)
        #expect(first["created"] == true)
        let again = try api.post("/api/v1/experiments", ["name": "spam"])
        #expect(again.status == 200)
        #expect(again["id"] == first["experiment_id"])
    }

    @Test("a tag is replaced only where it still is as the sender knows it")
    func expectedTags() throws {
        let api = try TestAPI()
        try api.post("/api/v1/experiments", ["name": "spam", "tags": ["board": "one"]])
        let place = "/api/v1/experiments/spam"
        #expect(try api.patch(place, ["tags": ["board": "two"], "if_tags": ["board": "one"]]).status == 200)
        let late = try api.patch(place, ["tags": ["board": "three"], "description": "x", "if_tags": ["board": "one"]])
        #expect(late.status == 409 && late.error("field") == "if_tags")
        let now = try api.get(place)
        #expect(now.json["tags"]?["board"] == "two" && now["description"] == "")
        #expect(try api.patch(place, ["tags": ["new": "a"], "if_tags": ["new": nil]]).status == 200)
        #expect(try api.patch(place, ["tags": ["new": "b"], "if_tags": ["new": nil]]).status == 409)
        #expect(try api.patch(place, ["if_tags": ["new": "a"]]).status == 422)
    }

    @Test("an address that is not ours is left to others")
    func notOurs() throws {
        #expect(try TestAPI().get("/api/v2/experiments").status == 404)
    }
}
