# Asks which jobs of this workflow can be skipped. POSIX sh with curl, grep, head, sort, tr, sed
# and date. Whatever goes wrong: the output is empty, the exit code is 0, and every job runs.
# A plan is one line:
#   trimtab-plan-1 <head-sha> <pull> <workflow-key> <not-after, unix seconds> |job|job| end
set +e
set -u
out=${GITHUB_OUTPUT:-/dev/null}
now=$(date +%s)
end=$((now + 13))
finish() {
  { printf 'skip=%s\n' "$1" >>"$out"; } 2>/dev/null
  printf 'plan: %s\n' "${1:-every job runs} ($2)"
  exit 0
}
# A plan is made for this event; runs of others may ask for more.
case ${GITHUB_EVENT_NAME:-pull_request} in pull_request) ;; *) finish '' 'this event is not planned' ;; esac
case ${HEAD_SHA:-} in '' | *[!0-9a-f]*) finish '' 'no pull request started this' ;; esac
case ${#HEAD_SHA} in 40 | 64) ;; *) finish '' 'the head is no commit' ;; esac
case ${PR_NUMBER:-} in '' | *[!0-9]*) finish '' 'no pull request started this' ;; esac
case ${TRIMTAB_WORKFLOW:-} in '' | *[!0-9a-f]*) finish '' 'the workflow has no key' ;; esac
[ -n "${PLAN_URL:-}${TRIMTAB_APP_ID:-}" ] || finish '' 'the workflow names nobody to ask'
command -v curl >/dev/null 2>&1 || finish '' 'this runner has no curl'

left() { printf '%s' $((end - $(date +%s))); }
# The body, then a line with the status; nothing of an answer that is no success counts.
fetch() {
  time=$(left)
  [ "$time" -gt 0 ] || return 1
  [ "$time" -gt 9 ] && time=9
  curl -q -sS -m "$time" --max-redirs 0 --max-filesize 65536 -w '\n%{http_code}' "$@" 2>/dev/null |
    head -c 65540 | tr '\000' '\n'
}
# Bound to head, pull and workflow, closed by a word, and not past its time; two
# different lines are none.
read_plan() {
  line=$(printf '%s' "$1" |
    grep -aoE "trimtab-plan-1 $HEAD_SHA $PR_NUMBER $TRIMTAB_WORKFLOW [0-9]{10} \|([A-Za-z_][A-Za-z0-9_-]*\|)* end" |
    LC_ALL=C sort -u | head -n 3)
  case $line in '' | *'
'*) return 1 ;; esac
  [ "${#line}" -le 16384 ] || return 1
  rest=${line#*"$TRIMTAB_WORKFLOW "}
  [ "${rest%% *}" -ge "$now" ] || return 1
  skip=${line% end}
  skip=${skip##* }
  [ "$skip" = '|' ] && skip=''
  return 0
}
status_of() { printf '%s' "$1" | sed -n '$p'; }

# First the server, which waits with its answer; it knows this run by its identity. A run
# of a fork has none to show, and a server that refuses is not asked again.
server=
[ -n "${PLAN_URL:-}" ] && [ -n "${PLAN_AUD:-}" ] && [ -n "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ] && server=yes
ask_server() {
  [ -n "$server" ] || return 1
  answer=$(fetch -H "Authorization: bearer ${ACTIONS_ID_TOKEN_REQUEST_TOKEN:-}" \
    "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=$PLAN_AUD")
  token=$(printf '%s' "$answer" | sed -n 's/.*"value" *: *"\([^"]*\)".*/\1/p')
  [ -n "$token" ] || return 1
  answer=$(fetch -H "Authorization: Bearer $token" "$PLAN_URL?sha=$HEAD_SHA&workflow=$TRIMTAB_WORKFLOW")
  case $(status_of "$answer") in
  200) read_plan "$answer" ;;
  4??) server=; return 1 ;;
  *) return 1 ;;
  esac
}
# Then the check that the bot wrote: at most two looks, and none after a refusal.
looks=0
ask_check() {
  [ -n "${TRIMTAB_APP_ID:-}" ] && [ -n "${GH_TOKEN:-}" ] && [ -n "${GITHUB_API_URL:-}" ] || return 1
  [ "$looks" -lt 2 ] || return 1
  looks=$((looks + 1))
  answer=$(fetch -H "Authorization: Bearer $GH_TOKEN" -H 'Accept: application/vnd.github+json' \
    "$GITHUB_API_URL/repos/${GITHUB_REPOSITORY:-}/commits/$HEAD_SHA/check-runs?check_name=trimtab%2Fplan&app_id=$TRIMTAB_APP_ID&status=completed")
  case $(status_of "$answer") in
  200) read_plan "$answer" ;;
  403 | 429) looks=2; return 1 ;;
  *) return 1 ;;
  esac
}

# Two looks are far apart where nothing else is asked meanwhile.
wait=2
[ -n "$server" ] || wait=8
while :; do
  ask_server && finish "$skip" 'from the server'
  ask_check && finish "$skip" 'from the check'
  [ "$(left)" -gt "$wait" ] || finish '' 'no plan in time'
  [ "$looks" -ge 2 ] && [ -z "$server" ] && finish '' 'no plan'
  sleep "$wait"
  wait=$((wait * 2))
done
