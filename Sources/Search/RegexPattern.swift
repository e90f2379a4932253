import CPCRE2

/// A compiled regular expression of MATCHES: PCRE2 in UTF mode, with a limit on the ways it may try.
///
/// `@unchecked Sendable`: the code is not written after `init`, and every match has its own match data.
final class RegexPattern: @unchecked Sendable {
    /// Why a pattern does not compile, and at which byte of it.
    struct Refusal: Error {
        var reason: String
        var offset: Int
    }

    enum Verdict {
        case found, absent
        /// The match limit was met, or memory was.
        case gaveUp
    }

    private let code: OpaquePointer
    private let limits: OpaquePointer?

    /// `accelerated` makes machine code of it, worth the time when many texts follow.
    init(_ pattern: String, accelerated: Bool) throws(Refusal) {
        let settings = pcre2_compile_context_create_8(nil)
        defer { pcre2_compile_context_free_8(settings) }
        pcre2_set_max_pattern_length_8(settings, SearchLimits.patternBytes)
        pcre2_set_parens_nest_limit_8(settings, 50)
        var error: Int32 = 0
        var offset = 0
        let options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY
        var pattern = pattern
        let compiled = pattern.withUTF8 {
            pcre2_compile_8($0.baseAddress, $0.count, options, &error, &offset, settings)
        }
        guard let compiled else { throw Refusal(reason: Self.reason(error), offset: offset) }
        code = compiled
        // Where the machine forbids writable code the interpreter takes over: slower, with the same answers.
        if accelerated { pcre2_jit_compile_8(compiled, PCRE2_JIT_COMPLETE) }
        limits = pcre2_match_context_create_8(nil)
        pcre2_set_match_limit_8(limits, SearchLimits.matchSteps)
        pcre2_set_heap_limit_8(limits, 16 * 1024)
    }

    deinit {
        pcre2_match_context_free_8(limits)
        pcre2_code_free_8(code)
    }

    func look(in text: String) -> Verdict {
        guard let result = pcre2_match_data_create_8(1, nil) else { return .gaveUp }
        defer { pcre2_match_data_free_8(result) }
        var text = text
        return text.withUTF8 { bytes in
            let subject = bytes.baseAddress
            // A Swift string is valid UTF-8; checking it again would cost more than many a match.
            var count = pcre2_match_8(code, subject, bytes.count, 0, PCRE2_NO_UTF_CHECK, result, limits)
            if count == PCRE2_ERROR_JIT_STACKLIMIT {
                let options = PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT
                count = pcre2_match_8(code, subject, bytes.count, 0, options, result, limits)
            }
            return count >= 0 ? .found : count == PCRE2_ERROR_NOMATCH ? .absent : .gaveUp
        }
    }

    private static func reason(_ error: Int32) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { buffer in
            let length = pcre2_get_error_message_8(error, buffer.baseAddress, buffer.count)
            guard length > 0 else { return "error \(error)" }
            return String(decoding: buffer[..<Int(length)], as: UTF8.self)
        }
    }
}
