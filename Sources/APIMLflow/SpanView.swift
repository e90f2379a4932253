import MartletDomain
import MartletJSON

/// What one looks for in the document of a span.
struct SpanView {
    let document: JSONValue
    init(_ document: JSONValue) { self.document = document }

    var name: String { document["name"]?.string ?? "" }
    var isRoot: Bool { document["parent_span_id"] == nil }
    /// `OK`, `ERROR` or `UNSET`.
    var status: String { String((document["status"]?["code"]?.string ?? "STATUS_CODE_UNSET").dropFirst(12)) }
    var type: String { attribute("mlflow.spanType")?.string ?? "UNKNOWN" }

    func attribute(_ key: String) -> JSONValue? {
        let pair = document["attributes"]?.array?.last { $0["key"]?.string == key }
        return pair.flatMap { $0["value"] }.map(SpanView.plain)
    }

    /// All that it says, as people type it: without the wrappings of values and the escapes of JSON inside JSON.
    var text: String {
        var said = JSONObject()
        for key in ["name", "trace_id", "span_id", "parent_span_id", "status"] { said[key] = document[key] }
        said["attributes"] = SpanView.attributes(of: document)
        said["events"] = .array(
            (document["events"]?.array ?? []).map { event in
                ["name": event["name"] ?? .null, "attributes": SpanView.attributes(of: event)]
            })
        return TracePreview.spaced(.object(said))
    }

    static func attributes(of holder: JSONValue) -> JSONValue {
        plain(["kvlist_value": ["values": holder["attributes"] ?? .array([])]])
    }

    /// A value without the wrapping that says its type.
    static func plain(_ any: JSONValue) -> JSONValue {
        guard let member = any.object?.members.first else { return .null }
        switch member.key {
        case "array_value": return .array((member.value["values"]?.array ?? []).map(plain))
        case "kvlist_value":
            var object = JSONObject()
            for pair in member.value["values"]?.array ?? [] {
                object[pair["key"]?.string ?? ""] = plain(pair["value"] ?? .null)
            }
            return .object(object)
        default: return member.value
        }
    }
}

/// The first words of what went in or came out, for a list of traces.
enum TracePreview {
    private static let lengthMax = 1000

    static func text(_ value: JSONValue, role: String) -> String {
        let inner = value.string.flatMap { try? JSONValue(parsing: $0) } ?? value
        let text = message(in: inner, role: role) ?? spaced(value)
        guard text.unicodeScalars.count > lengthMax else { return text }
        return Names.cut(text, to: lengthMax - 3) + "..."
    }

    /// The last message of a role, where the value is a conversation.
    private static func message(in value: JSONValue, role: String) -> String? {
        let messages = value["messages"]?.array ?? value["choices"]?[0]?["message"].map { [$0] } ?? []
        guard let last = messages.last(where: { $0["role"]?.string == role }) ?? messages.last else { return nil }
        if let text = last["content"]?.string { return text }
        let parts = (last["content"]?.array ?? []).compactMap { $0["text"]?.string }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }

    /// JSON with a blank after commas and colons, as Python writes it.
    static func spaced(_ value: JSONValue) -> String {
        switch value {
        case .array(let elements): "[\(elements.map(spaced).joined(separator: ", "))]"
        case .object(let object):
            "{\(object.members.map { "\(JSONValue.string($0.key).text): \(spaced($0.value))" }.joined(separator: ", "))}"
        default: value.text
        }
    }
}
