import MartletDomain
import MartletEngine
import MartletHTTPMessages

/// An address of this server that carries its own permission: what may be done with which thing, until when, and who
/// gave it out, whose rights are looked up again when it is used.
struct SignedAddress {
    enum Thing {
        case artifact(String)
        case part(upload: String, number: Int)

        fileprivate var words: [String] {
            switch self {
            case .artifact(let path): ["artifact", path]
            case .part(let upload, let number): ["part", upload, "\(number)"]
            }
        }

        fileprivate var path: String {
            switch self {
            case .artifact(let path): "artifacts/" + path.split(separator: "/").map(encoded).joined(separator: "/")
            case .part(let upload, let number): "parts/\(upload)/\(number)"
            }
        }

        private func encoded(_ step: Substring) -> String { PercentCoding.encode(String(step)) }
    }

    static let root = "2.0/mlflow-artifacts/signed"

    var method: Method
    var thing: Thing
    /// Unix seconds.
    var expires: Int64
    var by: String

    private var words: [String] { [method.rawValue, "\(expires)", by] + thing.words }

    func url(_ signer: Signer, from request: Request, _ place: PublicPlace) -> String {
        "\(place.base(of: request))/api/\(SignedAddress.root)/\(thing.path)?expires=\(expires)"
            + "&by=\(PercentCoding.encode(by))&signature=\(signer.sign(words))"
    }

    /// The same request on behalf of who signed its address, where that was this server and is not over.
    static func opened(_ call: Call, _ thing: Thing) throws(Refusal) -> Call {
        let query = call.request.query
        let refused = Refusal.mlflow("This address is not signed, or not for this.", .forbidden)
        guard let expires = query["expires"].flatMap({ Int64($0) }), let by = query["by"],
            let signature = query["signature"], let signer = try call.api.signing.signer()
        else { throw refused }
        let method = call.request.method == .head ? Method.get : call.request.method
        let address = SignedAddress(method: method, thing: thing, expires: expires, by: by)
        guard signer.isRight(signature, address.words) else { throw refused }
        guard call.engine.clock.now.millis / 1000 <= expires else {
            throw .mlflow("This address was good until a moment that is over. Ask for a new one.", .forbidden)
        }
        return call.signed(by: by)
    }
}

/// By which address clients reach this server: by what they called it, or by what a proxy that is trusted says.
package struct PublicPlace: Sendable {
    package var basePath = ""
    package var trustedProxies: [String] = []
    package init() {}

    func base(of request: Request) -> String {
        var scheme = request.isTLS ? "https" : "http"
        var host = request.headers["host"] ?? "localhost"
        if trustedProxies.contains(request.remoteAddress) {
            if let told = first("x-forwarded-proto", request), told == "http" || told == "https" { scheme = told }
            if let told = first("x-forwarded-host", request), !told.isEmpty { host = told }
        }
        return "\(scheme)://\(host)\(basePath)"
    }

    /// Of several proxies the one nearest to the client.
    private func first(_ name: String, _ request: Request) -> String? {
        request.headers[name]?.split(separator: ",").first.map { String($0.filter { $0 != " " }).lowercased() }
    }
}
