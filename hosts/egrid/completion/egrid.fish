# Completion of egrid for fish: egrid completion fish > ~/.config/fish/completions/egrid.fish
function __egrid_complete
    set -l words (commandline -opc)
    set -l lines ($words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null)
    if test "$lines[1]" = ":files"
        __fish_complete_path (commandline -ct)
        return
    end
    string join \n -- $lines
end
complete -c egrid -f -a "(__egrid_complete)"
