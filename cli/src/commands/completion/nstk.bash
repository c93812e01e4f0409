# Completion of nstk for bash. Made by `nstk completion bash`.
_nstk() {
    local line=$COMP_LINE words=() begins=() lines=() last=-1 i word value cut
    # Bash splits words at = and :, too. What no blank separates is one word.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i == 0)) || [[ $line == [[:blank:]]* ]]; then
            words[++last]=
            begins[last]=$i
        fi
        line=${line#"${line%%[![:blank:]]*}"}
        line=${line#"$word"}
        words[last]+=${word//[\'\"]/}
    done
    mapfile -t lines < <("${COMP_WORDS[0]/#\~/$HOME}" completion bash --answer "$last" -- "${words[@]}" 2>/dev/null)
    COMPREPLY=()
    if [[ ${lines[0]} == $'\tcommand '* ]]; then
        _nstk_program "${lines[0]##* }"
        return
    fi
    # The part of the word before the last break stays as it is.
    cut=${words[last]%"${words[last]##*[=:]}"}
    for value in "${lines[@]}"; do
        value=${value%%$'\t'*}
        COMPREPLY+=("${value#"$cut"}")
    done
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=:/] ]]; then compopt -o nospace 2>/dev/null; fi
}

# The program that begins at the word with this index, and its arguments.
_nstk_program() {
    if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "${begins[$1]}"
    elif declare -F _command_offset >/dev/null; then
        _command_offset "${begins[$1]}"
    elif (($1 == last)); then
        mapfile -t COMPREPLY < <(compgen -c -- "${words[last]}")
    else
        compopt -o default 2>/dev/null
    fi
}

complete -F _nstk nstk
