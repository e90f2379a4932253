import MartletDomain
import MartletJSON

// OpenTelemetry's JSON: names in camel case, ids in hex, whole numbers often as texts.
extension OpenTelemetrySpan {
    /// The spans of an export request; nil when it has no resource at all.
    static func read(json bytes: [UInt8]) throws(Refusal) -> [OpenTelemetrySpan]? {
        guard let request = try? JSONValue(parsing: bytes) else {
            throw Refusal(.malformed, "Invalid OpenTelemetry format: the body is not JSON.", remedy: "")
        }
        guard let resources = request["resourceSpans"]?.array, !resources.isEmpty else { return nil }
        var spans: [OpenTelemetrySpan] = []
        for resource in resources {
            let service = pairs(resource["resource"]?["attributes"]).first { $0["key"] == "service.name" }
            for scope in resource["scopeSpans"]?.array ?? [] {
                for json in scope["spans"]?.array ?? [] {
                    var span = OpenTelemetrySpan(json: json)
                    span.take(service: service)
                    spans.append(span)
                }
            }
        }
        return spans
    }

    private init(json: JSONValue) {
        self.init()
        traceID = OpenTelemetrySpan.bytes(hex: json["traceId"])
        spanID = OpenTelemetrySpan.bytes(hex: json["spanId"])
        parentID = OpenTelemetrySpan.bytes(hex: json["parentSpanId"])
        name = json["name"]?.string ?? ""
        kind = OpenTelemetrySpan.whole(json["kind"])
        start = OpenTelemetrySpan.whole(json["startTimeUnixNano"])
        end = OpenTelemetrySpan.whole(json["endTimeUnixNano"])
        attributes = OpenTelemetrySpan.pairs(json["attributes"])
        events = (json["events"]?.array ?? []).map { event in
            var kept = JSONObject()
            kept["time_unix_nano"] = .int(OpenTelemetrySpan.whole(event["timeUnixNano"]))
            kept["name"] = .string(event["name"]?.string ?? "")
            kept["attributes"] = .array(OpenTelemetrySpan.pairs(event["attributes"]))
            return .object(kept)
        }
        links = (json["links"]?.array ?? []).map { link in
            var kept = JSONObject()
            kept["trace_id"] = .string(Base64Text.encode(OpenTelemetrySpan.bytes(hex: link["traceId"])))
            kept["span_id"] = .string(Base64Text.encode(OpenTelemetrySpan.bytes(hex: link["spanId"])))
            kept["attributes"] = .array(OpenTelemetrySpan.pairs(link["attributes"]))
            return .object(kept)
        }
        statusMessage = json["status"]?["message"]?.string ?? ""
        let code = json["status"]?["code"]
        status =
            code?.string.flatMap { OpenTelemetrySpan.statusNames.firstIndex(of: $0) }.map(Int64.init)
            ?? OpenTelemetrySpan.whole(code)
    }

    private static func whole(_ value: JSONValue?) -> Int64 {
        value?.int64 ?? value?.string.flatMap { Int64($0) } ?? 0
    }

    static func bytes(hex value: JSONValue?) -> [UInt8] {
        let digits = Array(value?.string?.utf8 ?? "".utf8)
        guard digits.count % 2 == 0 else { return [] }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[start..<start + 2], as: UTF8.self), radix: 16) else {
                return []
            }
            bytes.append(byte)
        }
        return bytes
    }

    private static func pairs(_ value: JSONValue?) -> [JSONValue] {
        (value?.array ?? []).map { pair in
            ["key": .string(pair["key"]?.string ?? ""), "value": any(pair["value"])]
        }
    }

    private static func any(_ value: JSONValue?) -> JSONValue {
        guard let member = value?.object?.members.first else { return .object(JSONObject()) }
        var kept = JSONObject()
        switch member.key {
        case "stringValue": kept["string_value"] = member.value
        case "boolValue": kept["bool_value"] = member.value
        case "intValue": kept["int_value"] = .int(whole(member.value))
        case "doubleValue": kept["double_value"] = member.value
        case "bytesValue": kept["bytes_value"] = member.value
        case "arrayValue":
            kept["array_value"] = ["values": .array((member.value["values"]?.array ?? []).map { any($0) })]
        case "kvlistValue": kept["kvlist_value"] = ["values": .array(pairs(member.value["values"]))]
        default: break
        }
        return .object(kept)
    }
}
