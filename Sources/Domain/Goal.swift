/// Which way a metric is better.
package enum Goal: String, Sendable {
    case max
    case min

    /// Every spelling of the mission: max, maximize, higher, min, minimize, lower.
    package init?(word: String) {
        switch word.lowercased() {
        case "max", "maximize", "maximise", "maximum", "higher", "up": self = .max
        case "min", "minimize", "minimise", "minimum", "lower", "down": self = .min
        default: return nil
        }
    }

    /// What a well-known name suggests; shown as a guess wherever it is used. Nil for what is set or counted and not
    /// achieved: no learning rate is better for being higher.
    package static func guess(for metric: String) -> Goal? {
        let name = metric.lowercased()
        let parts = Set(name.split { !($0.isLetter || $0.isNumber) }.map(String.init))
        let neither: Set<String> = [
            "lr", "epoch", "epochs", "step", "steps", "iteration", "iterations", "iter", "momentum", "grad", "gradient",
            "gradients", "norm", "gradnorm",
        ]
        let isRate = parts.contains("learning") && parts.contains("rate") || name.hasSuffix("learningrate")
        if isRate || !parts.isDisjoint(with: neither) || name.hasPrefix("system/") { return nil }
        let small: Set<String> = [
            "loss", "error", "err", "mse", "rmse", "mae", "mape", "perplexity", "ppl", "nll", "bpc", "bpb", "wer",
            "cer",
            "fid", "latency", "duration", "time", "seconds", "ms", "regret", "divergence", "kl", "fpr", "fnr", "eer",
            "hamming", "logloss", "brier", "ece", "size", "memory", "cost", "distance",
        ]
        if !parts.isDisjoint(with: small) { return .min }
        for suffix in ["loss", "error", "mse", "rmse", "mae"] where name.hasSuffix(suffix) { return .min }
        return .max
    }
}

/// Patterns over names: `*` is any text, `?` one character; all else is itself.
package enum Glob {
    /// The pattern that says most of a name: the name itself, else the longest that fits.
    package static func best(of patterns: [String], for name: String) -> String? {
        patterns.filter { matches($0, name) }.max {
            ($0 == name ? 1 : 0, $0.utf8.count, $0) < ($1 == name ? 1 : 0, $1.utf8.count, $1)
        }
    }

    /// O(pattern · text) at worst, with one place to go back to.
    package static func matches(_ pattern: String, _ text: String) -> Bool {
        let pattern = Array(pattern.unicodeScalars)
        let text = Array(text.unicodeScalars)
        var p = 0
        var t = 0
        var star: (pattern: Int, text: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == "*" {
                star = (p, t)
                p += 1
            } else if p < pattern.count, pattern[p] == "?" || pattern[p] == text[t] {
                p += 1
                t += 1
            } else if let (pattern, text) = star {
                star = (pattern, text + 1)
                p = pattern + 1
                t = text + 1
            } else {
                return false
            }
        }
        while p < pattern.count, pattern[p] == "*" { p += 1 }
        return p == pattern.count
    }
}
