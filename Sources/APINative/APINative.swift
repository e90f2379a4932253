// The native API: requests under /api/v1 become calls of the engine, and what it answers becomes JSON.
//
// It owns shapes and addresses, and no rule and no table. Every route stands in one table (`NativeAPI.routes`) with its
// documentation, so that the OpenAPI document cannot tell of a route that is not there, nor forget one.
package import MartletArtifacts
package import MartletEngine
package import MartletHTTPMessages

package final class NativeAPI: Sendable {
    package let engine: Engine
    package let blobs: any BlobStore
    package let authority: Authority
    package let about: ServerAbout
    let routes: RouteTable
    /// For what must not be done on the thread that owns the WebSockets.
    let workbench = Workbench()

    package init(engine: Engine, blobs: any BlobStore, authority: Authority, about: ServerAbout) {
        (self.engine, self.blobs, self.authority, self.about) = (engine, blobs, authority, about)
        routes = RouteTable(NativeAPI.all)
    }

    /// What is to happen with a request; nil when the address is not ours.
    package func plan(_ head: Request) -> Plan? {
        switch routes.find(head) {
        case .found(let route, let values):
            return route.handler.plan(Exchange(api: self, request: head, values: values, route: route))
        case .wrongMethod(let allowed):
            var response = failure(
                HTTPError(
                    .methodNotAllowed, "method_not_allowed",
                    "\(head.method) is not possible on \(head.target.path).",
                    remedy: "Use \(allowed.joined(separator: ", "))."), head)
            response.headers.add("Allow", allowed.joined(separator: ", "))
            return .respond(response)
        case .notFound:
            return nil
        }
    }

    func failure(_ error: HTTPError, _ request: Request) -> Response { .failure(error, requestID: request.id) }
}

/// What the server says of itself.
package struct ServerAbout: Sendable {
    package var version: String
    package var commit: String
    package init(version: String, commit: String) { (self.version, self.commit) = (version, commit) }
}
