# Completion of egrid for bash: source <(egrid completion bash)
_egrid() {
  local current=${COMP_WORDS[COMP_CWORD]} line
  local -a lines
  [ "$current" = "=" ] && current=
  COMPREPLY=()
  mapfile -t lines < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [ "${lines[0]}" = ":files" ]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    return
  fi
  for line in "${lines[@]}"; do
    COMPREPLY+=("${line%%$'\t'*}")
  done
}
complete -F _egrid egrid
