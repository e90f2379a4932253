/// The script for zsh, with what each command and option does beside it.
struct ZshCompletion {
    var program: String
    var places: [CompletionPlace]

    private var function: String { "_" + ShellText.identifier(program) }

    // `path`, `commands` and `options` are zsh's own names, so ours differ.
    var script: String {
        """
        #compdef \(program)
        # zsh completion for \(program). Load it with: source <(\(program) completions zsh)

        \(function)_at() {
            subs=() opts=() valued=''
            case $1 in
        \(places.map(row(of:)).joined(separator: "\n"))
            esac
        }

        \(function)_value() {
            case "$1 $2" in
        \(places.flatMap(values(of:)).joined(separator: "\n"))
            esac
        }

        \(function)() {
            local at=\(program) valued pending word ended cur=${words[CURRENT]}
            local -a subs opts
            integer i place=1
            \(function)_at "$at"
            for ((i = 2; i < CURRENT; i++)); do
                word=${words[i]}
                if [[ -n $pending ]]; then
                    pending=
                elif [[ -z $ended && $word == -- ]]; then
                    ended=1
                elif [[ -z $ended && $word == -* ]]; then
                    [[ " $valued " == *" $word "* ]] && pending=$word
                elif [[ -z $ended && $place == 1 ]] && (( ${subs[(I)$word:*]} )); then
                    at="$at $word"
                    \(function)_at "$at"
                else
                    (( place++ ))
                fi
            done
            if [[ -z $pending && -z $ended && $cur == --*=* ]]; then
                pending=${cur%%=*}
                compset -P '*='
            fi
            if [[ -n $pending ]]; then
                \(function)_value "$at" "$pending"
            elif [[ -z $ended && $cur == -* ]]; then
                _describe -o option opts
            else
                [[ -z $ended && $place == 1 && -n $subs ]] && _describe command subs
                \(function)_value "$at" "$place"
            fi
            return 0
        }

        if [[ $funcstack[1] == \(function) ]]; then
            \(function) "$@"
        else
            compdef \(function) \(program)
        fi

        """
    }

    private func row(of place: CompletionPlace) -> String {
        let commands = place.commands.map { described($0.name, $0.summary) }
        let options = place.options.flatMap { option in
            option.spellings.filter { $0.hasPrefix("--") }.map { described($0, option.help) }
        }
        return """
                \(ShellText.quoted(place.path)))
                    subs=(\(commands.joined(separator: " ")))
                    opts=(\(options.joined(separator: " ")))
                    valued='\(place.valued.joined(separator: " "))'
                    ;;
            """
    }

    private func described(_ word: String, _ text: String) -> String {
        ShellText.quoted(word + ":" + text.split(separator: "\n").joined(separator: " "))
    }

    private func values(of place: CompletionPlace) -> [String] {
        place.values.map { patterns, candidates in
            let keys = patterns.map {
                $0 == "+" ? ShellText.quoted(place.path + " ") + "[1-9]*" : ShellText.quoted("\(place.path) \($0)")
            }
            return "    \(keys.joined(separator: " | "))) \(action(candidates)) ;;"
        }
    }

    private func action(_ candidates: Candidates) -> String {
        switch candidates {
        case .none: ":"
        case .files: "_files"
        case .folders: "_files -/"
        case .words(let words): "compadd -- \(words.map(ShellText.quoted).joined(separator: " "))"
        case .answer(let words):
            "compadd -- ${(f)\"$(${words[1]} \(words.map(ShellText.quoted).joined(separator: " ")) 2>/dev/null)\"}"
        }
    }
}
