import MartletJSON

@testable import MartletAPINative

/// Whether a value has the shape that the OpenAPI document promises; stricter than JSON Schema in one thing: a member
/// that the schema does not name is a fault, so that no answer holds what nobody documented.
struct SchemaCheck {
    private(set) var faults: [String] = []

    static func faults(of value: JSONValue, _ schema: String) -> [String] {
        var check = SchemaCheck()
        check.check(value, ["$ref": .string("#/components/schemas/\(schema)")], at: schema)
        return check.faults
    }

    private mutating func check(_ value: JSONValue, _ schema: JSONValue, at place: String) {
        if let reference = schema["$ref"]?.string {
            let name = String(reference.split(separator: "/").last ?? "")
            guard let target = Schemas.named(name) else { return faults.append("\(place): no schema \(name)") }
            return check(value, target, at: place)
        }
        if let choices = schema["oneOf"]?.array {
            let fitting = choices.filter { choice in
                var trial = SchemaCheck()
                trial.check(value, choice, at: place)
                return trial.faults.isEmpty
            }
            if fitting.isEmpty { faults.append("\(place): \(value) fits none of the choices") }
            return
        }
        let types = schema["type"]?.string.map { [$0] } ?? (schema["type"]?.array ?? []).compactMap(\.string)
        if !types.isEmpty, !types.contains(where: { SchemaCheck.fits(value, $0) }) {
            return faults.append("\(place): \(value) is not \(types)")
        }
        if let words = schema["enum"]?.array, !value.isNull, !words.contains(value) {
            faults.append("\(place): \(value) is not one of \(words)")
        }
        if let items = schema["items"], let elements = value.array {
            for (index, element) in elements.enumerated() { check(element, items, at: "\(place)[\(index)]") }
        }
        if let object = value.object { check(object, schema, at: place) }
    }

    private mutating func check(_ object: JSONObject, _ schema: JSONValue, at place: String) {
        for name in (schema["required"]?.array ?? []).compactMap(\.string) where object[name] == nil {
            faults.append("\(place): \(name) is missing")
        }
        let known = schema["properties"]
        let others = schema["additionalProperties"]
        for member in object.members {
            if let named = known?[member.key] {
                check(member.value, named, at: "\(place).\(member.key)")
            } else if let others {
                check(member.value, others, at: "\(place).\(member.key)")
            } else if known != nil {
                faults.append("\(place): \(member.key) is not in the schema")
            }
        }
    }

    private static func fits(_ value: JSONValue, _ type: String) -> Bool {
        switch type {
        case "null": value.isNull
        case "string": value.string != nil
        case "boolean": value.bool != nil
        case "integer": value.int64 != nil
        case "number": value.double != nil
        case "array": value.array != nil
        case "object": value.object != nil
        default: false
        }
    }
}
