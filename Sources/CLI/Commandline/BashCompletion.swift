/// The script for bash. It never hands words of the store to `compgen -W`, which would run a `$(…)` inside them.
struct BashCompletion {
    var program: String
    var places: [CompletionPlace]

    private var function: String { "_" + ShellText.identifier(program) }

    var script: String {
        """
        # bash completion for \(program). Load it with: source <(\(program) completions bash)

        \(function)_at() {
            case $1 in
        \(places.map(row(of:)).joined(separator: "\n"))
            *) commands='' options='' valued='' ;;
            esac
        }

        \(function)_value() {
            case "$1 $2" in
        \(places.flatMap(values(of:)).joined(separator: "\n"))
            esac
        }

        \(function)_words() {
            local word
            for word in "$@"; do
                [[ $word == "$cur"* ]] && COMPREPLY+=("$prefix$word")
            done
        }

        \(function)_lines() {
            local line
            while IFS= read -r line; do
                [[ $line == "$cur"* ]] && COMPREPLY+=("$prefix$(printf %q "$line")")
            done
        }

        \(function)_paths() {
            local line
            compopt -o filenames 2>/dev/null
            while IFS= read -r line; do
                COMPREPLY+=("$prefix$line")
            done < <(compgen "$1" -- "$cur")
        }

        \(function)() {
            local cur=${COMP_WORDS[COMP_CWORD]} at=\(program) place=1 prefix= pending= ended= word i
            local commands options valued
            COMPREPLY=()
            \(function)_at "$at"
            for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                if [[ -n $pending ]]; then
                    [[ $word == = ]] || pending=
                elif [[ -z $ended && $word == -- ]]; then
                    ended=1
                elif [[ -z $ended && $word == -* ]]; then
                    [[ " $valued " == *" $word "* ]] && pending=$word
                elif [[ -z $ended && $place == 1 && " $commands " == *" $word "* ]]; then
                    at="$at $word"
                    \(function)_at "$at"
                else
                    ((place++))
                fi
            done
            if [[ -z $pending && -z $ended && $cur == --*=* ]]; then
                pending=${cur%%=*} prefix=${cur%%=*}= cur=${cur#*=}
            fi
            if [[ -n $pending ]]; then
                [[ $cur == = ]] && cur=
                \(function)_value "$at" "$pending"
            elif [[ -z $ended && $cur == -* ]]; then
                \(function)_words $options
            else
                [[ -z $ended && $place == 1 ]] && \(function)_words $commands
                \(function)_value "$at" "$place"
            fi
            return 0
        }

        complete -F \(function) \(program)

        """
    }

    private func row(of place: CompletionPlace) -> String {
        """
            \(ShellText.quoted(place.path)))
                commands='\(place.commands.map(\.name).joined(separator: " "))'
                options='\(place.options.flatMap(\.spellings).filter { $0.hasPrefix("--") }.joined(separator: " "))'
                valued='\(place.valued.joined(separator: " "))'
                ;;
        """
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
        case .files: "\(function)_paths -f"
        case .folders: "\(function)_paths -d"
        case .words(let words): "\(function)_words \(words.map(ShellText.quoted).joined(separator: " "))"
        case .answer(let words):
            "\(function)_lines < <(\"${COMP_WORDS[0]}\" \(words.map(ShellText.quoted).joined(separator: " ")) 2>/dev/null)"
        }
    }
}
