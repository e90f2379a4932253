// MLflow's surface: what its clients send becomes calls of the engine, and what the engine answers takes MLflow's
// shape. It owns no table and no rule: names, limits, messages and orders here are those that MLflow's clients can see,
// and everything else is the engine's. Every endpoint stands in one table, under `/api` and under `/ajax-api` alike.
package import MartletArtifacts
package import MartletEngine
package import MartletHTTPMessages

package final class MLflowAPI: Sendable {
    package let engine: Engine
    package let blobs: any BlobStore
    package let authority: Authority
    let places: ArtifactPlaces
    /// Where uploads in parts wait; nil where there are none.
    let staging: PartStaging?
    let signing: SigningKey
    let publicPlace: PublicPlace
    private let endpoints: EndpointTable

    package init(
        engine: Engine, blobs: any BlobStore, authority: Authority, artifacts: ArtifactSettings,
        staging: PartStaging? = nil, publicPlace: PublicPlace = PublicPlace()
    ) {
        (self.engine, self.blobs, self.authority) = (engine, blobs, authority)
        (self.staging, self.publicPlace, signing) = (staging, publicPlace, SigningKey(engine))
        places = ArtifactPlaces(artifacts)
        endpoints = EndpointTable(MLflowAPI.all)
    }

    static let all: [Endpoint] =
        experimentEndpoints + runEndpoints + loggingEndpoints + historyEndpoints + searchEndpoints + inputEndpoints
        + artifactEndpoints + artifactViewEndpoints
        + aboutEndpoints
        + evaluationDatasetEndpoints + evaluationRecordEndpoints
        + traceEndpoints + traceChangeEndpoints + traceSearchEndpoints + traceV2Endpoints + assessmentEndpoints
        + spanEndpoints + traceFileEndpoints + issueEndpoints + scorerEndpoints
        + registeredModelEndpoints + modelVersionEndpoints + registrySearchEndpoints + webhookEndpoints
        + loggedModelEndpoints + loggedModelSearchEndpoints + importEndpoints

    /// The version of MLflow's protocol that its own clients hear at `/version`: by it they decide where spans go.
    private static let spoken = "3.12.0"

    /// What MLflow's clients ask at an address that is otherwise not theirs; nil when it is not one of them.
    package func planForClient(_ head: Request) -> Plan? {
        guard head.target.path == "/version",
            head.headers["user-agent"]?.hasPrefix("mlflow-python-client/") == true
        else { return nil }
        return .respond(Response(.ok, "text/plain", Array(MLflowAPI.spoken.utf8)))
    }

    /// What is to happen with a request; nil when the address is not MLflow's.
    package func plan(_ head: Request) -> Plan? {
        switch endpoints.find(head) {
        case .found(let endpoint, let values): endpoint.handler.plan(Call(api: self, request: head, values: values))
        case .wrongMethod(let allowed):
            .respond(
                Unserved.refusal(of: head) ?? MLflowFailure.wrongMethod(head.method, allowed: allowed))
        case .notFound: Unserved.plan(head)
        }
    }
}
