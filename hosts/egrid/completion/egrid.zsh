#compdef egrid
# Completion of egrid for zsh: egrid completion zsh > "${fpath[1]}/_egrid"
_egrid() {
  local line word about
  local -a lines described
  lines=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "${lines[1]}" == ":files" ]]; then
    _files
    return
  fi
  for line in "${lines[@]}"; do
    word="${line%%$'\t'*}"
    about="${line#*$'\t'}"
    [[ -n "$word" ]] || continue
    [[ "$about" == "$line" ]] && about=
    described+=("${word//:/\\:}${about:+:$about}")
  done
  compset -P '--*='
  _describe -V egrid described
}
if [[ "${funcstack[1]}" == "_egrid" ]]; then
  _egrid "$@"
else
  compdef _egrid egrid
fi
