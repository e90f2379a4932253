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
    private let endpoints: EndpointTable

    package init(engine: Engine, blobs: any BlobStore, authority: Authority, artifacts: ArtifactSettings) {
        (self.engine, self.blobs, self.authority) = (engine, blobs, authority)
        places = ArtifactPlaces(artifacts)
        endpoints = EndpointTable(MLflowAPI.all)
    }

    static let all: [Endpoint] =
        experimentEndpoints + runEndpoints + loggingEndpoints + historyEndpoints + searchEndpoints + inputEndpoints
        + aboutEndpoints
        + evaluationDatasetEndpoints + evaluationRecordEndpoints
        + traceEndpoints + traceChangeEndpoints + assessmentEndpoints

    /// What is to happen with a request; nil when the address is not MLflow's.
    package func plan(_ head: Request) -> Plan? {
        switch endpoints.find(head) {
        case .found(let endpoint, let values): endpoint.handler.plan(Call(api: self, request: head, values: values))
        case .wrongMethod(let allowed):
            .respond(MLflowFailure.wrongMethod(head.method, allowed: allowed))
        case .notFound: nil
        }
    }
}
