package import MartletHTTPClient
import MartletHTTPMessages

/// The native API of a server.
package final class RemoteBackend: Backend {
    package let place: String
    private let token: String?
    private let client: HTTPClient

    /// `address` is the server's, with its base path if it has one.
    /// `authorities` is a PEM file of certificates to trust beside the system's.
    package init(address: String, token: String?, version: String, authorities: String? = nil) {
        var place = address
        while place.hasSuffix("/") { place.removeLast() }
        (self.place, self.token) = (place, token)
        var settings = HTTPClient.Settings()
        settings.userAgent = "martlet/\(version)"
        // A large upload takes as long as it takes; one that stands still is given up by the client.
        settings.totalSeconds = nil
        settings.certificateAuthorities = authorities
        client = HTTPClient(settings)
    }

    package func send(_ request: ClientRequest) throws(ClientFailure) -> BackendAnswer {
        var request = request
        request.url = place + request.url
        if let token { request.headers["Authorization"] = "Bearer \(token)" }
        do throws(ClientError) {
            let answer = try client.send(request)
            return BackendAnswer(status: answer.status, headers: answer.headers, body: answer.body)
        } catch {
            throw ClientFailure(
                error.code == .badURL ? .usage : .refused, error.message, remedy: remedy(for: error))
        }
    }

    private func remedy(for error: ClientError) -> String {
        guard error.code == .untrusted else { return error.remedy }
        return "If you trust that server, name its certificate or its authority's with --cacert FILE or MARTLET_CACERT."
    }

    package func close() {}
}
