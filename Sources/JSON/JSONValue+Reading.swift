extension JSONValue {
    /// Reads one whole document. Duplicate keys are refused, since readers disagree about which of them counts.
    package init(
        parsing bytes: UnsafeRawBufferPointer, depthLimit: Int = JSONScanner.depthLimitDefault,
        allowsNonFinite: Bool = false
    ) throws(JSONError) {
        var scanner = JSONScanner(bytes, depthLimit: depthLimit, allowsNonFinite: allowsNonFinite)
        self = try scanner.value()
        try scanner.end()
    }

    /// Reads one whole document.
    package init(
        parsing bytes: [UInt8], depthLimit: Int = JSONScanner.depthLimitDefault, allowsNonFinite: Bool = false
    ) throws(JSONError) {
        self = try JSONScanner.read(bytes, depthLimit: depthLimit, allowsNonFinite: allowsNonFinite) {
            scanner throws(JSONError) in try scanner.value()
        }
    }

    /// Reads one whole document.
    package init(
        parsing text: String, depthLimit: Int = JSONScanner.depthLimitDefault, allowsNonFinite: Bool = false
    ) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), depthLimit: depthLimit, allowsNonFinite: allowsNonFinite)
    }
}

extension JSONScanner {
    /// Reads the next value, whatever it is; for the parts of a body whose shape is the client's own.
    ///
    /// Recurses once a level, no deeper than the depth limit. An integer beyond 64 bits becomes the nearest double.
    package mutating func value() throws(JSONError) -> JSONValue {
        switch try peek() {
        case .null:
            _ = try null()
            return .null
        case .bool: return .bool(try bool())
        case .string: return .string(try string())
        case .number:
            let number = try number()
            if number.isInteger, let int = number.int64, !(int == 0 && number.isNegative) { return .int(int) }
            return .double(try double(of: number))
        case .array:
            var elements: [JSONValue] = []
            try beginArray()
            while try nextElement() { elements.append(try value()) }
            return .array(elements)
        case .object:
            var members: [JSONObject.Member] = []
            var keys = JSONKeySet()
            try beginObject()
            while let key = try nextKey() {
                try keys.insert(key, at: self)
                members.append(JSONObject.Member(key.string, try value()))
            }
            return .object(JSONObject(members))
        }
    }
}

extension JSONValue {
    /// As JSON, on one line.
    package var text: String {
        var writer = JSONWriter()
        writer.value(self)
        return writer.text
    }
}
