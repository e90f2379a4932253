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

    @Test("an address that is not ours is left to others")
    func notOurs() throws {
        #expect(try TestAPI().get("/api/v2/experiments").status == 404)
    }
}
