import MartletDomain
import MartletEgress
import MartletEngine
import MartletHTTPClient
import MartletHTTPMessages

/// What the engine sends goes through the one door with the operator's rules.
struct WayOut: Outbound {
    let egress: Egress

    init(_ allowed: [String]) throws(Refusal) {
        var settings = Egress.Settings()
        settings.userAgent = "martlet/\(BuildInfo.version)"
        for text in allowed where !settings.rules.allow(text) {
            throw Refusal(
                .invalid, "“\(text.prefix(100))” names nothing that --egress-allow could allow.",
                remedy: "Give a host with or without a port, or a range: hooks.lab:8080, 127.0.0.1:9000, 10.0.0.0/8.",
                field: "egress-allow")
        }
        egress = Egress(settings)
    }

    func check(_ url: String) throws(Refusal) {
        do throws(ClientError) { try egress.check(url) } catch {
            throw Refusal(.invalid, error.message, remedy: error.remedy, field: "url")
        }
    }

    func post(
        _ url: String, headers: [(name: String, value: String)], body: [UInt8], goesOn: @escaping @Sendable () -> Bool
    ) throws(OutboundFailure) -> OutboundAnswer {
        var fields = Headers()
        for (name, value) in headers { fields.add(name, value) }
        do throws(ClientError) {
            let answer = try egress.send(.post, url, headers: fields, body: body, goesOn: goesOn)
            return OutboundAnswer(
                status: answer.status.code, body: answer.body,
                retryAfter: answer.headers["retry-after"].flatMap(Double.init).flatMap { $0 >= 0 ? $0 : nil })
        } catch {
            let isPassing = [.unreachable, .noConnection, .timeout, .tls].contains(error.code)
            // What is no address is told without it: its path may hold a key.
            let message = error.code == .badURL ? "Its address cannot be called." : error.message
            throw OutboundFailure(message, isPassing: isPassing)
        }
    }
}
