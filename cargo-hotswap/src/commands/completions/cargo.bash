
# Completes `cargo hotswap` as `cargo-hotswap`, and everything else of `cargo` as before.
__cargo_hotswap_before() {
    local words at
    read -ra words <<< "$(complete -p cargo 2> /dev/null)"
    for ((at = 0; at < ${#words[@]} - 1; at++)); do
        if [[ ${words[at]} == -F && ${words[at + 1]} != __cargo_hotswap_of_cargo ]]; then
            __cargo_hotswap_cargo=${words[at + 1]}
        fi
    done
}

__cargo_hotswap_register() {
    __cargo_hotswap_before
    complete -F __cargo_hotswap_of_cargo -o bashdefault -o default cargo
}

__cargo_hotswap_of_cargo() {
    local at=1
    [[ ${COMP_WORDS[1]} == +* ]] && at=2
    if [[ ${COMP_WORDS[at]} == hotswap ]] && ((COMP_CWORD > at)); then
        COMP_WORDS=(cargo-hotswap "${COMP_WORDS[@]:at+1}")
        COMP_CWORD=$((COMP_CWORD - at))
        local prev=$3
        ((COMP_CWORD == 1)) && prev=cargo-hotswap
        _cargo_hotswap cargo-hotswap "$2" "$prev"
        return
    fi
    if [[ -z ${__cargo_hotswap_cargo-} ]]; then
        # The package bash-completion loads completions when they are first needed.
        local loader
        for loader in _comp_load _completion_loader __load_completion; do
            if declare -F "$loader" > /dev/null; then
                "$loader" cargo > /dev/null 2>&1
                __cargo_hotswap_register
                break
            fi
        done
    fi
    if [[ -n ${__cargo_hotswap_cargo-} ]] && declare -F "$__cargo_hotswap_cargo" > /dev/null; then
        "$__cargo_hotswap_cargo" "$@"
    elif ((COMP_CWORD == at)); then
        COMPREPLY=($(compgen -W hotswap -- "$2"))
    fi
}

__cargo_hotswap_register
