import MartletJSON

/// The shapes of bodies and answers, by the names that routes use for them, as JSON Schema (the dialect of OpenAPI 3.1).
/// Examples are in the words of the product's documents, and tests send them.
enum Schemas {
    typealias Named = (name: String, schema: JSONValue)

    static let all: [Named] =
        hierarchy + runs + records + facts + access + about + data + models + webhooks
        + comparisons + storage + lineage + pins

    static func named(_ name: String) -> JSONValue? { all.first { $0.name == name }?.schema }
}

/// How a schema is written down.
enum Schema {
    static func text(_ description: String = "", example: JSONValue? = nil) -> JSONValue {
        make("string", description, example: example)
    }

    static func word(_ description: String = "", of words: [String]) -> JSONValue {
        make("string", description, [("enum", .array(words.map { .string($0) }))])
    }

    static func integer(_ description: String = "") -> JSONValue { make("integer", description) }
    static func number(_ description: String = "") -> JSONValue { make("number", description) }
    static func flag(_ description: String = "") -> JSONValue { make("boolean", description) }

    /// ISO 8601 in answers; bodies may hold epoch milliseconds too.
    static func time(_ description: String = "") -> JSONValue {
        make("string", description, [("format", "date-time")])
    }

    static func timeOrMillis(_ description: String = "") -> JSONValue {
        join(["oneOf": [["type": "string", "format": "date-time"], ["type": "number"]]], description)
    }

    /// A finite number, or one of the three words for what is none.
    static func value(_ description: String = "") -> JSONValue {
        join(
            ["oneOf": [["type": "number"], ["type": "string", "enum": ["NaN", "Infinity", "-Infinity"]]]], description)
    }

    static func list(of element: JSONValue, _ description: String = "") -> JSONValue {
        make("array", description, [("items", element)])
    }

    static func map(of value: JSONValue, _ description: String = "") -> JSONValue {
        make("object", description, [("additionalProperties", value)])
    }

    static func anything(_ description: String = "") -> JSONValue { join([:], description) }

    static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }

    static func orNull(_ schema: JSONValue) -> JSONValue {
        guard var object = schema.object, let type = object["type"] else {
            guard let object = schema.object, !object.members.isEmpty else { return schema }
            return ["anyOf": [schema, ["type": "null"]]]
        }
        if type.array != nil { return schema }
        object["type"] = [type, "null"]
        if let words = object["enum"]?.array { object["enum"] = .array(words + [.null]) }
        return .object(object)
    }

    /// The same object, its members that may be left out being null as well.
    static func withNulls(_ schema: JSONValue) -> JSONValue {
        guard var object = schema.object else { return schema }
        for key in ["oneOf", "anyOf"] {
            if let forms = object[key]?.array { object[key] = .array(forms.map(withNulls)) }
        }
        if let element = object["items"] { object["items"] = withNulls(element) }
        guard let properties = object["properties"]?.object else { return .object(object) }
        let required = Set((object["required"]?.array ?? []).compactMap(\.string))
        object["properties"] = .object(
            JSONObject(
                properties.members.map { member in
                    required.contains(member.key) ? member : JSONObject.Member(member.key, orNull(member.value))
                }))
        return .object(object)
    }

    static func either(_ schemas: JSONValue..., description: String = "") -> JSONValue {
        join(["oneOf": .array(schemas)], description)
    }

    static func object(
        _ description: String, required: [String] = [], _ properties: KeyValuePairs<String, JSONValue>,
        example: JSONValue? = nil
    ) -> JSONValue {
        var members: [(String, JSONValue)] = []
        if !required.isEmpty { members.append(("required", .array(required.map { .string($0) }))) }
        members.append(("properties", .object(JSONObject(properties.map { JSONObject.Member($0, $1) }))))
        return make("object", description, members, example: example)
    }

    /// `{"runs":[…],"next_page_token":"…"}`.
    static func page(_ plural: String, of element: String) -> JSONValue {
        object(
            "A page of a list.", required: [plural, "next_page_token"],
            [plural: list(of: reference(element)), "next_page_token": orNull(text("Null on the last page."))])
    }

    private static func make(
        _ type: String, _ description: String, _ more: [(String, JSONValue)] = [], example: JSONValue? = nil
    ) -> JSONValue {
        var object = JSONObject([.init("type", .string(type))])
        if !description.isEmpty { object["description"] = .string(description) }
        for (key, value) in more { object[key] = value }
        if let example { object["examples"] = [example] }
        return .object(object)
    }

    private static func join(_ schema: JSONValue, _ description: String) -> JSONValue {
        guard !description.isEmpty, var object = schema.object else { return schema }
        object["description"] = .string(description)
        return .object(object)
    }
}

extension JSONValue {
    /// The first example that a schema gives.
    var example: JSONValue? { self["examples"]?[0] }
}
