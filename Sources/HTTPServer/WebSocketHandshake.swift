import MartletHTTPMessages

/// The opening handshake of RFC 6455, on the server's side.
enum WebSocketHandshake {
    enum Verdict {
        case accept(String)
        case refuse(Response)
    }

    static func check(_ request: Request) -> Verdict {
        let asks =
            request.headers.hasToken("websocket", in: "upgrade")
            && request.headers.hasToken("upgrade", in: "connection")
        guard request.method == .get, request.version == .http11, asks else {
            return refuse(
                .upgradeRequired, "upgrade_required", "This address speaks WebSocket only.",
                "Connect with a WebSocket client.", request)
        }
        guard request.headers["sec-websocket-version"] == "13" else {
            return refuse(
                .upgradeRequired, "websocket_version", "This server speaks WebSocket version 13.",
                "Use a client of RFC 6455.", request)
        }
        guard let key = request.headers["sec-websocket-key"], request.headers.all("sec-websocket-key").count == 1,
            let accept = WebSocketKey.accept(key)
        else {
            return refuse(
                .badRequest, "websocket_key", "The Sec-WebSocket-Key is missing or is not 16 bytes in Base64.",
                "Use a client of RFC 6455.", request)
        }
        return .accept(accept)
    }

    private static func refuse(
        _ status: Status, _ code: String, _ message: String, _ remedy: String, _ request: Request
    ) -> Verdict {
        var response = Response.failure(HTTPError(status, code, message, remedy: remedy), requestID: request.id)
        if status == .upgradeRequired {
            response.headers["Upgrade"] = "websocket"
            response.headers["Sec-WebSocket-Version"] = "13"
        }
        return .refuse(response)
    }
}
