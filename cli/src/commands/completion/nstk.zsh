#compdef nstk
# Completion of nstk for zsh. Made by `nstk completion zsh`.
_nstk() {
    local -a lines closed open
    local line value meaning
    local -i program
    lines=("${(@f)$(${(Q)words[1]} completion zsh --answer $((CURRENT - 1)) -- "${(@Q)words[1,CURRENT]}" 2>/dev/null)}")
    if [[ $lines[1] == $'\tcommand '* ]]; then
        program=${lines[1]##* }
        shift $program words
        ((CURRENT -= program))
        _normal
        return
    fi
    for line in $lines; do
        value=${line%%$'\t'*} meaning=${line#*$'\t'}
        line=${value//:/\\:}${meaning:+:$meaning}
        # More comes behind these: no blank.
        if [[ $value == *[=:/] ]]; then open+=("$line"); else closed+=("$line"); fi
    done
    _describe nstk closed -- open -S ''
}

if [[ $funcstack[1] == _nstk ]]; then
    _nstk "$@"
else
    compdef _nstk nstk
fi
