# Completion of nstk for fish. Made by `nstk completion fish`.
function __nstk_answer
    set -l words (commandline --cut-at-cursor --tokenize --current-process) (commandline --current-token --cut-at-cursor)
    set -l answer ($words[1] completion fish --answer (math (count $words) - 1) -- $words 2>/dev/null)
    if string match --quiet -- \t'command *' $answer[1]
        set -l program (math (string split ' ' -- $answer[1])[-1] + 1)
        complete --do-complete="$(string join ' ' -- (string escape -- $words[$program..-2]) $words[-1])"
    else
        string join \n -- $answer
    end
end

complete --command nstk --no-files --keep-order --arguments '(__nstk_answer)'
