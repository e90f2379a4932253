import MartletDomain
import MartletJSON
import MartletProtobuf

/// A span as OpenTelemetry sends it. It is kept as protobuf's JSON with the names of the fields as they are, which is
/// also how MLflow's clients want it back.
struct OpenTelemetrySpan {
    var traceID: [UInt8] = []
    var spanID: [UInt8] = []
    var parentID: [UInt8] = []
    var name = ""
    var kind: Int64 = 0
    var start: Int64 = 0
    /// 0 while it goes on.
    var end: Int64 = 0
    /// `{"key": …, "value": {"string_value": …}}`
    var attributes: [JSONValue] = []
    var events: [JSONValue] = []
    var links: [JSONValue] = []
    var status: Int64 = 0
    var statusMessage = ""

    /// What a span that lacks one of them is refused for.
    var isWhole: Bool { !traceID.isEmpty && !spanID.isEmpty }

    static let statusNames = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"]

    var document: JSONValue {
        var fields = JSONObject()
        fields["trace_id"] = .string(Base64Text.encode(traceID))
        fields["span_id"] = .string(Base64Text.encode(spanID))
        if !parentID.isEmpty { fields["parent_span_id"] = .string(Base64Text.encode(parentID)) }
        fields["name"] = .string(name)
        if kind != 0 { fields["kind"] = .int(kind) }
        fields["start_time_unix_nano"] = .int(start)
        if end != 0 { fields["end_time_unix_nano"] = .int(end) }
        if !attributes.isEmpty { fields["attributes"] = .array(attributes) }
        if !events.isEmpty { fields["events"] = .array(events) }
        if !links.isEmpty { fields["links"] = .array(links) }
        var said = JSONObject()
        if !statusMessage.isEmpty { said["message"] = .string(statusMessage) }
        let known = OpenTelemetrySpan.statusNames.indices.contains(Int(clamping: status)) ? Int(status) : 0
        said["code"] = .string(OpenTelemetrySpan.statusNames[known])
        fields["status"] = .object(said)
        return .object(fields)
    }

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.reduce(into: "") { $0 += $1 < 16 ? "0\(String($1, radix: 16))" : String($1, radix: 16) }
    }

    // MARK: - Protobuf

    private static let depthMax = 16
    private static let damaged = Refusal(
        .malformed, "Invalid OpenTelemetry format: the protobuf message is cut off or damaged.", remedy: "")

    /// The spans of an `ExportTraceServiceRequest`; nil when it has no resource at all.
    static func read(protobuf bytes: [UInt8]) throws(Refusal) -> [OpenTelemetrySpan]? {
        var spans: [OpenTelemetrySpan] = []
        var resources = 0
        var request = ProtobufReader(bytes, damaged: damaged)
        try request.forEachField { request, field, wire throws(Refusal) in
            guard field == 1, wire == .bytes else { return false }
            resources += 1
            var resource = try request.message()
            var service: JSONValue?
            let first = spans.count
            try resource.forEachField { resource, field, wire throws(Refusal) in
                guard wire == .bytes, field == 1 || field == 2 else { return false }
                if field == 1 {
                    service = try serviceName(try resource.message())
                    return true
                }
                var scope = try resource.message()
                try scope.forEachField { scope, field, wire throws(Refusal) in
                    guard field == 2, wire == .bytes else { return false }
                    spans.append(try OpenTelemetrySpan(try scope.message()))
                    return true
                }
                return true
            }
            for place in first..<spans.count { spans[place].take(service: service) }
            return true
        }
        return resources == 0 ? nil : spans
    }

    /// Who sends the spans is said once for all of them; the root is where people look for it.
    mutating func take(service: JSONValue?) {
        guard let service, parentID.isEmpty, !attributes.contains(where: { $0["key"] == service["key"] }) else {
            return
        }
        attributes.append(service)
    }

    private static func serviceName(_ message: ProtobufReader) throws(Refusal) -> JSONValue? {
        var found: JSONValue?
        var message = message
        try message.forEachField { reader, field, wire throws(Refusal) in
            guard field == 1, wire == .bytes else { return false }
            let pair = try pair(try reader.message(), depthMax)
            if pair["key"] == "service.name" { found = pair }
            return true
        }
        return found
    }

    private init(_ message: ProtobufReader) throws(Refusal) {
        var span = OpenTelemetrySpan()
        var message = message
        try message.forEachField { reader, field, wire throws(Refusal) in
            switch (field, wire) {
            case (1, .bytes): span.traceID = Array(try reader.data())
            case (2, .bytes): span.spanID = Array(try reader.data())
            case (4, .bytes): span.parentID = Array(try reader.data())
            case (5, .bytes): span.name = try reader.text()
            case (6, .varint): span.kind = Int64(bitPattern: try reader.varint())
            case (7, .fixed64): span.start = Int64(clamping: try reader.fixed64())
            case (8, .fixed64): span.end = Int64(clamping: try reader.fixed64())
            case (9, .bytes):
                span.attributes.append(try OpenTelemetrySpan.pair(try reader.message(), OpenTelemetrySpan.depthMax))
            case (11, .bytes): span.events.append(try OpenTelemetrySpan.event(try reader.message()))
            case (13, .bytes): span.links.append(try OpenTelemetrySpan.link(try reader.message()))
            case (15, .bytes):
                var status = try reader.message()
                try status.forEachField { status, field, wire throws(Refusal) in
                    switch (field, wire) {
                    case (2, .bytes): span.statusMessage = try status.text()
                    case (3, .varint): span.status = Int64(bitPattern: try status.varint())
                    default: return false
                    }
                    return true
                }
            default: return false
            }
            return true
        }
        self = span
    }

    init() {}

    private static func event(_ message: ProtobufReader) throws(Refusal) -> JSONValue {
        var event = JSONObject()
        var attributes: [JSONValue] = []
        var message = message
        try message.forEachField { reader, field, wire throws(Refusal) in
            switch (field, wire) {
            case (1, .fixed64): event["time_unix_nano"] = .int(Int64(clamping: try reader.fixed64()))
            case (2, .bytes): event["name"] = .string(try reader.text())
            case (3, .bytes): attributes.append(try pair(try reader.message(), depthMax))
            default: return false
            }
            return true
        }
        if !attributes.isEmpty { event["attributes"] = .array(attributes) }
        return .object(event)
    }

    private static func link(_ message: ProtobufReader) throws(Refusal) -> JSONValue {
        var link = JSONObject()
        var attributes: [JSONValue] = []
        var message = message
        try message.forEachField { reader, field, wire throws(Refusal) in
            switch (field, wire) {
            case (1, .bytes): link["trace_id"] = .string(Base64Text.encode(Array(try reader.data())))
            case (2, .bytes): link["span_id"] = .string(Base64Text.encode(Array(try reader.data())))
            case (4, .bytes): attributes.append(try pair(try reader.message(), depthMax))
            default: return false
            }
            return true
        }
        if !attributes.isEmpty { link["attributes"] = .array(attributes) }
        return .object(link)
    }

    private static func pair(_ message: ProtobufReader, _ depth: Int) throws(Refusal) -> JSONValue {
        var key = ""
        var value = JSONValue.object(JSONObject())
        var message = message
        try message.forEachField { reader, field, wire throws(Refusal) in
            switch (field, wire) {
            case (1, .bytes): key = try reader.text()
            case (2, .bytes): value = try any(try reader.message(), depth)
            default: return false
            }
            return true
        }
        return ["key": .string(key), "value": value]
    }

    private static func any(_ message: ProtobufReader, _ depth: Int) throws(Refusal) -> JSONValue {
        guard depth > 0 else {
            throw Refusal(.limit, "An attribute of a span is nested deeper than \(depthMax) levels.", remedy: "")
        }
        var found = JSONObject()
        var message = message
        try message.forEachField { reader, field, wire throws(Refusal) in
            var one = JSONObject()
            switch (field, wire) {
            case (1, .bytes): one["string_value"] = .string(try reader.text())
            case (2, .varint): one["bool_value"] = .bool(try reader.varint() != 0)
            case (3, .varint): one["int_value"] = .int(Int64(bitPattern: try reader.varint()))
            case (4, .fixed64): one["double_value"] = .double(Double(bitPattern: try reader.fixed64()))
            case (5, .bytes), (6, .bytes):
                var values: [JSONValue] = []
                var list = try reader.message()
                try list.forEachField { list, inner, wire throws(Refusal) in
                    guard inner == 1, wire == .bytes else { return false }
                    let message = try list.message()
                    values.append(field == 5 ? try any(message, depth - 1) : try pair(message, depth - 1))
                    return true
                }
                one[field == 5 ? "array_value" : "kvlist_value"] = ["values": .array(values)]
            case (7, .bytes): one["bytes_value"] = .string(Base64Text.encode(Array(try reader.data())))
            default: return false
            }
            found = one
            return true
        }
        return .object(found)
    }
}
